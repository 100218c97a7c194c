"""The only retry loop: select a server, check out, send, parse; again where the specs allow it.

Specs: retryable-writes, retryable-reads, client-backpressure; sessions and read preference decide
the fields that every command gets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from driver.bson import Int64
from driver.deadline import Deadline
from driver.engine.connection import Connection
from driver.engine.pin import Pin
from driver.engine.retry import (
    backoff,
    is_network_error,
    is_overload,
    is_retryable_read,
    label_write_error,
    supports_retryable_writes,
    supports_sessions,
    worth_raising,
)
from driver.engine.server import Server
from driver.engine.session import AsyncClientSession
from driver.errors import (
    RETRYABLE_WRITE,
    SYSTEM_OVERLOADED,
    InvalidOperation,
    MongoError,
    OperationTimeout,
)
from driver.operations.base import Command, Operation, ReplyFrom, Retry, ServerTime
from driver.read_preferences import ReadPreference
from driver.replies import write_concern_error_in
from driver.topology.description import Address, ServerDescription, ServerType, TopologyType
from driver.topology.selection import Criteria

if TYPE_CHECKING:
    from driver.engine.core import Core

T = TypeVar("T")

_operation_ids = count(1)
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
        if session is None and run.session is not None:
            run.session.release()


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
        "_acknowledged",
        "_allowed_retries",
        "_checked_out_by",
        "_core",
        "_deadline",
        "_deprioritized",
        "_described",
        "_id",
        "_operation",
        "_pin",
        "_preference",
        "_retries",
        "_txn_number",
        "session",
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
        self._pin = pin
        self._id = next(_operation_ids)
        self._txn_number: Int64 | None = None
        self._deprioritized: frozenset[Address] = _NOBODY
        self._preference = ReadPreference.PRIMARY
        self._retries = 0
        self._allowed_retries = 1 if deadline is None else math.inf
        concern = operation.write_concern
        self._acknowledged = concern is None or concern.acknowledged
        self.session = session
        if session is not None and not session.implicit:
            if not session.belongs_to(core):
                raise InvalidOperation("the session was started by another client")
            if not self._acknowledged:
                raise InvalidOperation("an unacknowledged write cannot be part of a session")
            session.check_open()

    async def to_result(self) -> T:
        """The loop."""
        raised: MongoError | None = None
        while True:
            server = await self._select(raised)
            attempt = await self._attempt(server)
            error = attempt.error
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

    # One attempt.

    async def _select(self, raised: MongoError | None) -> Server:
        """A server; for a retry that finds none, or an unsuitable one, `raised` is the answer."""
        try:
            server, self._described = await self._select_any()
        except MongoError:
            if raised is None:
                raise
            final = self._final(raised)
            raise final from final.__cause__
        if (
            raised is not None
            and self._txn_number is not None
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
        if self._pin is not None and self._pin.address is not None:
            return core.pinned_server(self._pin.address)
        operation, topology = self._operation, core.topology
        while True:
            preference = operation.preference(topology.description) if operation.is_read else None
            criteria = Criteria(
                read_preference=preference,
                deprioritized=self._deprioritized,
                heartbeat_frequency=options.heartbeat_frequency,
                local_threshold=options.local_threshold,
            )
            selected = await topology.select_server(criteria, timeout, operation.name, self._id)
            # What was learned of the servers while waiting may change where it can go.
            if preference is None or operation.preference(topology.description) == preference:
                self._preference = preference or ReadPreference.PRIMARY
                return selected

    async def _attempt(self, server: Server) -> _Attempt:
        """Send the command once; what fails is told to the topology and labelled."""
        core, operation = self._core, self._operation
        described = self._described
        check_out, deadline = self._limits(described)
        source = ReplyFrom(server.address, described)
        pin = self._pin
        connection = pin.connection if pin is not None else None
        server.operations += 1
        try:
            if connection is None:
                connection = await server.pool.check_out(check_out)
            source = ReplyFrom(server.address, connection.server)
            reply = await connection.run(
                self._command(connection, deadline),
                publisher=core.publisher,
                options=operation.codec_options,
                operation_id=self._id,
                until=self._until() if deadline is None else None,
                deadline=deadline,
            )
            core.observe(reply, self.session)
            error = write_concern_error_in(reply) if "writeConcernError" in reply else None
            if error is not None:
                self._report(error, connection, described, reply)
                # Whoever reads the reply again finds the driver's labels in it.
                reply = {**reply, "errorLabels": sorted(error.labels)}
            if pin is not None:
                pin.to(connection, server.pool)
            return _Attempt(source, reply, error)
        except MongoError as failure:
            self._report(failure, connection, described, getattr(failure, "details", None))
            return _Attempt(source, None, failure, sent=connection is not None)
        except BaseException:
            if connection is not None and self.session is not None:
                self.session.mark_dirty()  # the server may still be busy with it
            raise
        finally:
            server.operations -= 1
            if connection is not None and (pin is None or pin.connection is not connection):
                server.pool.check_in(connection)

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
                self._core.observe(reply, self.session)
            elif self.session is not None and is_network_error(error):
                self.session.mark_dirty()
            self._core.topology.on_error(
                connection.address,
                error,
                generation=connection.generation,
                handshake_completed=True,
                service_id=connection.service_id,
                reply=reply,
            )
            described = connection.server
        if self._numbers_writes(described):
            label_write_error(error, described)

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

    def _until(self) -> float | None:
        """Without a deadline: the end of socketTimeoutMS."""
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
        options = self._core.options
        retry = self._operation.retry
        if is_overload(error):
            # Whatever is neither a retryable read nor a write asks for both options.
            return (options.retry_reads or not self._operation.is_read) and (
                options.retry_writes or retry is Retry.READ
            )
        if retry is Retry.READ:
            return options.retry_reads and is_retryable_read(error)
        return retry is Retry.WRITE and options.retry_writes and RETRYABLE_WRITE in error.labels

    async def _prepare_retry(self, server: Server, error: MongoError, raised: MongoError) -> None:
        core = self._core
        self._retries += 1
        overloaded = is_overload(error)
        sharded = core.topology.description.type is TopologyType.SHARDED
        if sharded or (overloaded and core.options.enable_overload_retargeting):
            self._deprioritized |= {server.address}
        if overloaded:
            # The specified back-off: nothing but its time can end it.
            pause = backoff(self._retries, error, core.runtime.random())
            if self._deadline is not None and self._deadline.left(core.runtime.now()) <= pause:
                raise raised
            await core.runtime.waiter().wait(pause)

    # The command.

    def _command(self, connection: Connection, deadline: Deadline | None) -> Command:
        """The operation's command with the fields that all commands share."""
        core, operation = self._core, self._operation
        server = connection.server
        command = operation.build(server)
        document = command.document
        command.acknowledged = self._acknowledged
        session = self._session_for(server)
        if session is not None:
            server_session = session.server_session()
            server_session.last_use = core.runtime.now()
            document["lsid"] = server_session.id
            if self._txn_number is None and self._numbers_writes(server):
                self._txn_number = Int64(server_session.next_txn_number())
            if self._txn_number is not None:
                document["txnNumber"] = self._txn_number
        cluster_time = core.cluster_time_for(session, server)
        if cluster_time is not None:
            document["$clusterTime"] = cluster_time
        read_concern = self._read_concern(session)
        if read_concern:
            document["readConcern"] = read_concern
        if operation.is_read:
            self._add_read_preference(document, server)
        concern = operation.write_concern
        if deadline is not None:
            concern = concern.without_wtimeout if concern is not None else None
            self._limit_server(document, deadline)
        if concern is not None and not concern.is_server_default:
            document["writeConcern"] = concern.document
        if core.options.server_api is not None:
            document.update(core.options.server_api.document)
        return command

    def _limit_server(self, document: dict[str, Any], deadline: Deadline) -> None:
        """What is left for the server, in place of a maxTimeMS (CSOT, "Command Execution")."""
        left = deadline.server_ms(self._core.runtime.now())
        told = self._operation.server_time
        if told is ServerTime.AWAITED:
            if left is not None and "maxTimeMS" in document:
                document["maxTimeMS"] = min(document["maxTimeMS"], left)
            return
        document.pop("maxTimeMS", None)
        if told is ServerTime.LEFT and left is not None:
            document["maxTimeMS"] = left

    def _numbers_writes(self, server: ServerDescription) -> bool:
        return (
            self._operation.retry is Retry.WRITE
            and self._core.options.retry_writes
            and self._acknowledged
            and supports_retryable_writes(server)
        )

    def _session_for(self, server: ServerDescription) -> AsyncClientSession | None:
        supported = supports_sessions(server)
        if self.session is None:
            if supported and self._acknowledged and self._operation.takes_session:
                self.session = self._core.implicit_session()
        elif not supported and not self.session.implicit:
            raise InvalidOperation("sessions are not supported by this deployment")
        return self.session if supported and self._acknowledged else None

    def _read_concern(self, session: AsyncClientSession | None) -> dict[str, Any]:
        """What was asked for, and in a causally consistent session what it has seen."""
        operation = self._operation
        concern = dict(operation.read_concern.document) if operation.read_concern else {}
        if (
            session is not None
            and session.causal_consistency
            and session.operation_time is not None
            and operation.causal
        ):
            concern["afterClusterTime"] = session.operation_time
        return concern

    def _add_read_preference(self, document: dict[str, Any], server: ServerDescription) -> None:
        preference = self._preference
        if server.type is ServerType.STANDALONE:
            return
        if preference.mode == "primary":
            single = self._core.topology.description.type is TopologyType.SINGLE
            if single and server.type is not ServerType.MONGOS:
                document["$readPreference"] = {"mode": "primaryPreferred"}
        else:
            document["$readPreference"] = preference.document


def _explain_illegal_operation(error: MongoError) -> None:
    if getattr(error, "code", None) == 20 and error.message.startswith("Transaction numbers"):
        error.message = (
            "this deployment does not support retryable writes;"
            " add retryWrites=false to the connection string"
        )
