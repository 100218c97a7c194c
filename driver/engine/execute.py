"""The only retry loop: select a server, check out, send, parse; again where the specs allow it.

Specs: retryable-writes, retryable-reads, client-backpressure; transactions, "Mongos Pinning".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from driver.deadline import Deadline
from driver.engine.connection import Connection
from driver.engine.fields import Fields
from driver.engine.lease import SessionLease
from driver.engine.pin import Pin
from driver.engine.retry import (
    backoff,
    is_network_error,
    is_overload,
    is_retryable_read,
    label_write_error,
    supports_retryable_writes,
    worth_raising,
)
from driver.engine.server import Server
from driver.errors import (
    RETRYABLE_WRITE,
    SYSTEM_OVERLOADED,
    MongoError,
    OperationFailure,
    OperationTimeout,
)
from driver.operations.base import Command, Operation, Retry
from driver.read_preferences import ReadPreference
from driver.replies import write_concern_error_in
from driver.topology.description import Address, ServerDescription, ServerType, TopologyType

if TYPE_CHECKING:
    from driver.engine.core import Core

T = TypeVar("T")

REAUTHENTICATION_REQUIRED = 391

_NOBODY: frozenset[Address] = frozenset()


_Attempt: TypeAlias = tuple[ServerDescription, Mapping[str, Any] | None, MongoError | None, bool]
"""What one try gave: the server, its reply, an error, and whether anything was sent.

There are both a reply and an error where a write concern error stands beside a result.
"""


class Run(Generic[T]):
    """One operation's way through its attempts.

    With `pin`, a cursor's, the operation goes where that one leads, or decides it. Without a
    session, one is borrowed for the operation where the server has sessions and the write is
    acknowledged. With a deadline it is tried until then (CSOT, "Retryability"), and the deprecated
    time limits don't count.
    """

    __slots__ = (
        "_allowed_retries",
        "_checked_out_by",
        "_core",
        "_deadline",
        "_deprioritized",
        "_described",
        "_fields",
        "_given",
        "_operation",
        "_pin",
        "_preference",
        "_retries",
        "_sent",
    )

    def __init__(
        self,
        core: Core,
        operation: Operation[T],
        session: SessionLease | None,
        pin: Pin | None,
        deadline: Deadline | None,
    ) -> None:
        self._core = core
        self._deadline = deadline
        self._checked_out_by = math.inf
        self._described: ServerDescription
        self._operation = operation
        self._given = session
        self._fields = Fields(core, operation, session)
        self._pin = pin
        self._sent = False
        self._deprioritized: frozenset[Address] = _NOBODY
        self._preference = ReadPreference.PRIMARY
        self._retries = 0
        self._allowed_retries = 1 if deadline is None else math.inf

    async def to_result(self) -> T:
        """The loop."""
        fields = self._fields
        raised: MongoError | None = None
        try:
            if not self._core.topology.opened:
                await self._core.open(self._deadline)
            while True:
                try:
                    server, self._described = await self._select()
                except MongoError as nowhere:
                    final = self._unselected(nowhere, raised)
                    raise final from final.__cause__
                if raised is not None and not self._may_retry_on(self._described):
                    raise raised
                source, reply, error, sent = await self._attempt(server)
                if error is not None and fields.within is not None:
                    fields.within.unpin_after(error)
                again = error is not None and self._may_retry(error)
                if reply is not None and not again:
                    return self._operation.parse(reply, source)
                assert error is not None
                raised = worth_raising(raised, error, sent=sent)
                if not again and raised is error:
                    raise error
                if not again or self._is_late():
                    raise self._final(raised)
                await self._prepare_retry(server, error, raised)
        finally:
            if fields.session is not None and fields.session is not self._given:
                fields.session.release()
            if fields.within is not None and self._sent:
                fields.within.transaction_began()

    # One attempt.

    async def _select(self) -> tuple[Server, ServerDescription]:
        """Where the next attempt goes, and what is known of that server."""
        core, fields, topology = self._core, self._fields, self._core.topology
        timeout = core.options.server_selection_timeout
        if self._deadline is not None:
            now = core.runtime.now()
            timeout = min(timeout, self._deadline.left(now))
            self._checked_out_by = now + timeout
        preference = fields.preference(topology.description)
        pin = self._pin if fields.within is None else self._place()
        while True:
            self._preference = preference or ReadPreference.PRIMARY
            if pin is not None and pin.address is not None:
                return core.pinned_server(pin.address)
            known = topology.description
            selected = await topology.select_server(
                preference, self._deprioritized, timeout, self._operation
            )
            if topology.description is known:
                return selected
            # What was learned of the servers while waiting may change where it can go.
            before, preference = preference, fields.preference(topology.description)
            if before == preference:
                return selected

    def _unselected(self, error: MongoError, raised: MongoError | None) -> MongoError:
        """What to raise where no server was found: for a retry, the error before it."""
        if raised is not None:
            return self._final(raised)
        if self._fields.within is not None:
            self._fields.within.label(error)
        return error

    def _may_retry_on(self, server: ServerDescription) -> bool:
        return self._fields.txn_number is None or supports_retryable_writes(server)

    def _place(self) -> Pin | None:
        """Where the operation has to go: with its transaction, else with its cursor."""
        within = self._fields.within
        return within.pin if within is not None and within.pin.address is not None else self._pin

    async def _attempt(self, server: Server) -> _Attempt:
        """Send the command once; what fails is told to the topology and labelled."""
        core, described = self._core, self._described
        check_out = deadline = None
        if self._deadline is not None:
            check_out, deadline = self._limits(self._deadline, described)
        pin = self._pin if self._fields.within is None else self._place()
        connection = pin.connection if pin is not None else None
        command: Command | None = None
        server.operations += 1
        try:
            if connection is None:
                connection = await server.pool.check_out(check_out)
            if self._fields.within is not None and connection.server.type is ServerType.MONGOS:
                self._fields.within.pin.to(connection, server.pool)
            command = self._fields.command(connection, self._preference, deadline)
            reply = await self._send(server, connection, command, deadline)
            core.observe(reply, self._fields.explicit)
            error = write_concern_error_in(reply) if "writeConcernError" in reply else None
            if error is not None:
                self._report(error, connection, described, reply)
                # Whoever reads the reply again finds the driver's labels in it.
                reply = {**reply, "errorLabels": sorted(error.labels)}
            if self._pin is not None and self._place() is self._pin:
                self._pin.to(connection, server.pool)
            return connection.server, reply, error, True
        except MongoError as failure:
            self._report(failure, connection, described, getattr(failure, "details", None))
            return described, None, failure, connection is not None
        except BaseException:
            if connection is not None and self._fields.session is not None:
                self._fields.session.mark_dirty()  # the server may still be busy with it
            raise
        finally:
            server.operations -= 1
            self._sent = self._sent or (command is not None and command.sent)
            if connection is not None and connection.kept_for is None:
                server.pool.check_in(connection)

    async def _send(
        self, server: Server, connection: Connection, command: Command, deadline: Deadline | None
    ) -> dict[str, Any]:
        """The reply. A server that asks for it is shown once more who the client is (auth spec)."""
        core, operation = self._core, self._operation
        limit = operation.time_limit or core.options.socket_timeout
        shown = False
        while True:
            until = None if limit is None or deadline is not None else core.runtime.now() + limit
            try:
                return await connection.run(
                    command,
                    publisher=core.publisher,
                    options=operation.codec_options,
                    operation_id=operation.number,
                    until=until,
                    deadline=deadline,
                )
            except OperationFailure as error:
                if error.code != REAUTHENTICATION_REQUIRED or shown:
                    raise
                if not await server.pool.reauthenticate(connection, deadline):
                    raise
                shown = True

    def _report(
        self,
        error: MongoError,
        connection: Connection | None,
        described: ServerDescription,
        reply: Mapping[str, Any] | None,
    ) -> None:
        """Tell the topology and the session of an error, and label it."""
        error.operation = self._operation.name
        _explain_illegal_operation(error)
        if connection is not None:  # else the pool has reported it
            if reply is not None:
                self._core.observe(reply, self._fields.explicit)
            elif self._fields.session is not None and is_network_error(error):
                self._fields.session.mark_dirty()
            self._core.topology.on_error(
                connection.address,
                error,
                generation=connection.generation,
                handshake_completed=True,
                service_id=connection.service_id,
                reply=reply,
            )
            described = connection.server
        if self._fields.retries_writes(described):
            label_write_error(error, described)
        if self._fields.within is not None:
            self._fields.within.label(error)

    # Time.

    def _limits(self, deadline: Deadline, server: ServerDescription) -> tuple[Deadline, Deadline]:
        """The deadlines of the check-out, which is part of server selection, and of the command."""
        round_trip = server.min_round_trip_time or 0.0
        check_out = deadline.limited(self._checked_out_by, round_trip)
        return check_out, deadline.limited(math.inf, round_trip)

    def _is_late(self) -> bool:
        return self._deadline is not None and self._deadline.passed(self._core.runtime.now())

    def _final(self, error: MongoError) -> MongoError:
        """The error to raise: where there is no time left for a retry, that says so."""
        return OperationTimeout.after(error) if self._is_late() and not error.timeout else error

    # Retrying.

    def _may_retry(self, error: MongoError) -> bool:
        if SYSTEM_OVERLOADED in error.labels:
            self._allowed_retries = self._core.options.max_adaptive_retries
        return self._retries < self._allowed_retries and self._is_retryable(error)

    def _is_retryable(self, error: MongoError) -> bool:
        options, operation = self._core.options, self._operation
        retry = operation.retry
        if is_overload(error):
            # Whatever is neither a retryable read nor a write asks for both options.
            return (options.retry_reads or not operation.is_read) and (
                options.retry_writes or retry is Retry.READ or operation.ends_transaction
            )
        if retry is Retry.READ:
            return options.retry_reads and self._fields.within is None and is_retryable_read(error)
        return self._fields.retried and RETRYABLE_WRITE in error.labels

    async def _prepare_retry(self, server: Server, error: MongoError, raised: MongoError) -> None:
        core = self._core
        self._retries += 1
        overloaded = is_overload(error)
        if not overloaded:
            self._operation.failed(error)
        sharded = core.topology.description.type is TopologyType.SHARDED
        if sharded or (overloaded and core.options.enable_overload_retargeting):
            self._deprioritized |= {server.address}
        if overloaded:
            # The specified back-off: nothing but its time can end it.
            pause = backoff(self._retries, error, core.runtime.random())
            if self._deadline is not None and self._deadline.left(core.runtime.now()) <= pause:
                raise raised
            await core.runtime.waiter().wait(pause)


def _explain_illegal_operation(error: MongoError) -> None:
    if getattr(error, "code", None) == 20 and error.message.startswith("Transaction numbers"):
        error.message = (
            "this deployment does not support retryable writes;"
            " add retryWrites=false to the connection string"
        )
