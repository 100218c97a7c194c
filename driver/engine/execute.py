"""The only retry loop: select a server, check out, send, parse; again where the specs allow it.

Specs: retryable-writes, retryable-reads, client-backpressure; transactions, "Mongos Pinning".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from driver.deadline import Deadline
from driver.engine.connection import Connection
from driver.engine.fields import Fields
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
from driver.engine.session import AsyncClientSession
from driver.errors import (
    RETRYABLE_WRITE,
    SYSTEM_OVERLOADED,
    MongoError,
    OperationFailure,
    OperationTimeout,
)
from driver.operations.base import Command, Operation, ReplyFrom, Retry
from driver.read_preferences import ReadPreference
from driver.replies import write_concern_error_in
from driver.topology.description import Address, ServerDescription, ServerType, TopologyType
from driver.topology.selection import Criteria

if TYPE_CHECKING:
    from driver.engine.core import Core

T = TypeVar("T")

REAUTHENTICATION_REQUIRED = 391

_NOBODY: frozenset[Address] = frozenset()


async def execute(
    core: Core,
    operation: Operation[T],
    session: AsyncClientSession | None = None,
    *,
    pin: Pin | None = None,
    deadline: Deadline | None = None,
) -> T:
    """Run an operation to its result.

    With `pin`, a cursor's, the operation goes where that one leads, or decides it. Without a
    session, one is borrowed for the operation where the server has sessions and the write is
    acknowledged. With a deadline it is tried until then (CSOT, "Retryability"), and the deprecated
    time limits don't count.
    """
    run = _Run(core, operation, session, pin, deadline)
    try:
        return await run.to_result()
    finally:
        run.end()


@dataclass(slots=True)
class _Attempt:
    """What one try gave: a reply, an error, or both (a write concern error beside a result)."""

    source: ReplyFrom
    reply: Mapping[str, Any] | None
    error: MongoError | None = None
    sent: bool = True


class _Run(Generic[T]):
    """One operation's way through its attempts."""

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
        session: AsyncClientSession | None,
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
        raised: MongoError | None = None
        while True:
            server = await self._select(raised)
            attempt = await self._attempt(server)
            error = attempt.error
            if error is not None and self._fields.within is not None:
                self._fields.within.unpin_after(error)
            again = error is not None and self._may_retry(error)
            if attempt.reply is not None and not again:
                return self._operation.parse(attempt.reply, attempt.source)
            assert error is not None
            raised = worth_raising(raised, error, sent=attempt.sent)
            if not again and raised is error:
                raise error
            if not again or self._is_late():
                raise self._final(raised)
            await self._prepare_retry(server, error, raised)

    def end(self) -> None:
        """What follows the last attempt, whatever came of it."""
        session, within = self._fields.session, self._fields.within
        if session is not None and session is not self._given:
            session.release()
        if within is not None and self._sent:
            within.transaction_began()

    # One attempt.

    async def _select(self, raised: MongoError | None) -> Server:
        """A server; for a retry that finds none, or an unsuitable one, `raised` is the answer."""
        try:
            server, self._described = await self._select_any()
        except MongoError as error:
            if raised is None:
                if self._fields.within is not None:
                    self._fields.within.label(error)
                raise
            final = self._final(raised)
            raise final from final.__cause__
        if (
            raised is not None
            and self._fields.txn_number is not None
            and not supports_retryable_writes(self._described)
        ):
            raise raised
        return server

    async def _select_any(self) -> tuple[Server, ServerDescription]:
        core, options = self._core, self._core.options
        timeout = options.server_selection_timeout
        if self._deadline is not None:
            now = core.runtime.now()
            timeout = min(timeout, self._deadline.left(now))
            self._checked_out_by = now + timeout
        fields, topology = self._fields, core.topology
        known = topology.description
        preference = fields.preference(known)
        pin = self._place()
        if pin is not None and pin.address is not None:
            self._preference = preference or ReadPreference.PRIMARY
            return core.pinned_server(pin.address)
        while True:
            criteria = Criteria(
                read_preference=preference,
                deprioritized=self._deprioritized,
                heartbeat_frequency=options.heartbeat_frequency,
                local_threshold=options.local_threshold,
            )
            name = self._operation.name
            number = self._operation.number
            selected = await topology.select_server(criteria, timeout, name, number)
            # What was learned of the servers while waiting may change where it can go.
            before, learned = preference, topology.description
            if learned is not known:
                known, preference = learned, fields.preference(learned)
            if before is preference or before == preference:
                self._preference = preference or ReadPreference.PRIMARY
                return selected

    def _place(self) -> Pin | None:
        """Where the operation has to go: with its transaction, else with its cursor."""
        within = self._fields.within
        return within.pin if within is not None and within.pin.address is not None else self._pin

    async def _attempt(self, server: Server) -> _Attempt:
        """Send the command once; what fails is told to the topology and labelled."""
        core, described = self._core, self._described
        check_out, deadline = self._limits(described)
        pin = self._place()
        connection = pin.connection if pin is not None else None
        command: Command | None = None
        server.operations += 1
        try:
            if connection is None:
                connection = await server.pool.check_out(check_out)
            source = ReplyFrom(server.address, connection.server)
            if self._fields.within is not None and connection.server.type is ServerType.MONGOS:
                self._fields.within.pin.to(connection, server.pool)
            command = self._fields.command(connection, self._preference, deadline)
            reply = await self._send(server, connection, command, deadline)
            core.observe(reply, self._fields.session)
            error = write_concern_error_in(reply) if "writeConcernError" in reply else None
            if error is not None:
                self._report(error, connection, described, reply)
                # Whoever reads the reply again finds the driver's labels in it.
                reply = {**reply, "errorLabels": sorted(error.labels)}
            if self._pin is not None and self._place() is self._pin:
                self._pin.to(connection, server.pool)
            return _Attempt(source, reply, error)
        except MongoError as failure:
            self._report(failure, connection, described, getattr(failure, "details", None))
            source = ReplyFrom(server.address, described)
            return _Attempt(source, None, failure, sent=connection is not None)
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
        core = self._core
        run = partial(
            connection.run,
            command,
            publisher=core.publisher,
            options=self._operation.codec_options,
            operation_id=self._operation.number,
            deadline=deadline,
        )
        try:
            return await run(until=self._until(deadline))
        except OperationFailure as error:
            if error.code != REAUTHENTICATION_REQUIRED:
                raise
            if not await server.pool.reauthenticate(connection, deadline):
                raise
            return await run(until=self._until(deadline))

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
                self._core.observe(reply, self._fields.session)
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

    def _limits(self, server: ServerDescription) -> tuple[Deadline | None, Deadline | None]:
        """The deadlines of the check-out, which is part of server selection, and of the command."""
        deadline = self._deadline
        if deadline is None:
            return None, None
        round_trip = server.min_round_trip_time or 0.0
        return deadline.limited(self._checked_out_by, round_trip), deadline.limited(
            math.inf, round_trip
        )

    def _until(self, deadline: Deadline | None) -> float | None:
        """Without a deadline: the end of socketTimeoutMS."""
        if deadline is not None:
            return None
        limit = self._operation.time_limit or self._core.options.socket_timeout
        return None if limit is None else self._core.runtime.now() + limit

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
