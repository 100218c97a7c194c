"""A client session: what one sequence of operations shares.

Specs: sessions, causal consistency, snapshot reads, transactions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from driver.bson import Timestamp
from driver.concerns import ReadConcern, WriteConcern
from driver.deadline import Deadline
from driver.engine.lease import SessionLease
from driver.engine.pin import Pin
from driver.engine.with_transaction import TransactionTime, with_transaction
from driver.errors import InvalidOperation, MongoError
from driver.operations.base import Operation
from driver.operations.transactions import AbortTransaction, CommitTransaction
from driver.read_preferences import ReadPreference
from driver.session.gossip import is_cluster_time, later
from driver.session.options import SessionOptions, TransactionOptions
from driver.session.transaction import State, Step, Transaction, is_astray, label

if TYPE_CHECKING:
    from driver.engine.core import Core

T = TypeVar("T")


class AsyncClientSession(SessionLease):
    """Operations given this session see each other's effects, in order.

    Made by `client.start_session()`; used by one task at a time; ended once. Operations between
    `start_transaction` and `commit_transaction` take effect together, or not at all.
    """

    def __init__(self, core: Core, options: SessionOptions, *, client: Any = None) -> None:
        super().__init__(core)
        self.options = options
        self.client = client
        self.cluster_time: Mapping[str, Any] | None = None
        self.operation_time: Timestamp | None = None
        self._snapshot_time = options.snapshot_time
        self.transaction = Transaction()
        self.pin = Pin("transactions")
        self.time = TransactionTime()
        self._ended = False
        self.span: Any = None

    @property
    def has_ended(self) -> bool:
        """Whether `end_session` was called."""
        return self._ended

    @property
    def session_id(self) -> Mapping[str, Any]:
        """The `lsid` document."""
        self.check_open()
        return self.server_session().id

    @property
    def in_transaction(self) -> bool:
        """Whether operations given this session now belong to a transaction."""
        return self.transaction.active

    @property
    def snapshot_time(self) -> Timestamp | None:
        """The time that a snapshot session reads at; None before its first read.

        Raises InvalidOperation where the session is no snapshot.
        """
        if not self.options.snapshot:
            raise InvalidOperation("only a session started with snapshot=True has a snapshot_time")
        return self._snapshot_time

    def check_open(self) -> None:
        """Raise unless operations may still use it."""
        if self._ended:
            raise InvalidOperation("the session has ended; start another")

    def belongs_to(self, core: Core) -> bool:
        """Whether the session was started by that client."""
        return self._core is core

    # What replies tell.

    def advance_cluster_time(self, cluster_time: Mapping[str, Any]) -> None:
        """Take over a cluster time that another session saw."""
        if not is_cluster_time(cluster_time):
            raise ValueError("cluster_time must be the cluster_time of another session")
        self.cluster_time = later(self.cluster_time, cluster_time)

    def advance_operation_time(self, operation_time: Timestamp) -> None:
        """Take over an operation time that another session saw."""
        if self.operation_time is None or operation_time > self.operation_time:
            self.operation_time = operation_time

    def observe(self, reply: Mapping[str, Any]) -> None:
        """Learn from a reply, of a success or a failure."""
        self.cluster_time = later(self.cluster_time, reply.get("$clusterTime"))
        operation_time = reply.get("operationTime")
        if isinstance(operation_time, Timestamp):
            self.advance_operation_time(operation_time)
        if self.options.snapshot and self._snapshot_time is None:
            self._snapshot_time = _cluster_time_of_read(reply)
        if "recoveryToken" in reply:
            self.transaction.recovery_token = reply["recoveryToken"]

    def deadline(self) -> Deadline | None:
        """By when the end of a transaction, or with_transaction, must be done if it begins now."""
        timeout = self.options.default_timeout
        client = self._core.options.timeout
        return self._core.deadline(client if timeout is None else timeout, self)

    # Transactions.

    async def start_transaction(
        self,
        read_concern: ReadConcern | None = None,
        write_concern: WriteConcern | None = None,
        read_preference: ReadPreference | None = None,
        max_commit_time_ms: int | None = None,
    ) -> AsyncTransactionContext:
        """Begin a transaction: `async with await session.start_transaction(): ...`.

        The block commits at its end, and aborts where an error leaves it; without a block, call
        `commit_transaction` or `abort_transaction`. What is not given is the session's default, or
        the client's. A command's error may abort the transaction on the server, so that its
        commit fails. Raises InvalidOperation where a transaction is under way already.
        """
        self.check_open()
        if self.options.snapshot:
            raise InvalidOperation("Transactions are not supported in snapshot sessions")
        self.transaction.check(Step.START)
        client = self._core.options
        given = TransactionOptions(read_concern, write_concern, read_preference, max_commit_time_ms)
        options = given.over(self.options.default_transaction_options)
        write_concern = options.write_concern or client.write_concern
        inherited = TransactionOptions(client.read_concern, write_concern, client.read_preference)
        self.transaction.options = options.over(inherited)
        self.transaction.take(Step.START)
        self.pin.release()
        self.server_session().next_txn_number()
        self.span = self._core.tracing.transaction() if self._core.tracing else None
        return AsyncTransactionContext(self)

    async def commit_transaction(self) -> None:
        """Make the transaction's effects last; may be called again when its outcome is unknown.

        An error with the label UnknownTransactionCommitResult leaves that open; after one with
        TransientTransactionError, the transaction can be run again from its start.
        """
        self.check_open()
        transaction = self.transaction
        again = transaction.state is State.COMMITTED
        transaction.take(Step.COMMIT)
        if not transaction.sent:
            self._end_span()
            return
        operation = CommitTransaction(
            write_concern=transaction.options.write_concern,
            max_time_ms=transaction.options.max_commit_time_ms,
            recovery_token=transaction.recovery_token,
        )
        if again:
            operation.insist()
        try:
            await self._core.execute(operation, self, deadline=self.deadline())
        finally:
            self._end_span()

    async def abort_transaction(self) -> None:
        """Undo the transaction. The server's errors don't matter: it gives up idle ones itself."""
        await self.abort_by(self.deadline())

    async def abort_by(self, deadline: Deadline | None) -> None:
        """The same, with a time limit of its own."""
        self.check_open()
        transaction = self.transaction
        transaction.take(Step.ABORT)
        try:
            if transaction.sent:
                operation = AbortTransaction(
                    write_concern=transaction.options.write_concern,
                    recovery_token=transaction.recovery_token,
                )
                with suppress(MongoError):
                    await self._core.execute(operation, self, deadline=deadline)
        finally:
            self._end_span()
            self.pin.release()

    def _end_span(self) -> None:
        """The transaction's trace ends; a commit that is repeated is not part of it."""
        span, self.span = self.span, None
        if span is not None:
            span.end()

    async def with_transaction(
        self,
        callback: Callable[[AsyncClientSession], Awaitable[T]],
        read_concern: ReadConcern | None = None,
        write_concern: WriteConcern | None = None,
        read_preference: ReadPreference | None = None,
        max_commit_time_ms: int | None = None,
    ) -> T:
        """Run `callback(session)` in a transaction, commit it, and give what it returned.

        The callback is called again, up to two minutes after the first time, whenever the
        transaction failed for a passing reason: what it does beside the transaction must be fine
        to do twice. It must let errors of its operations pass, since they may have aborted the
        transaction; to handle them otherwise, use `start_transaction`.

        A timeout stands in place of the two minutes, and is for the callback's operations too if
        they are given the session; others don't know of it. Those that are must not have another
        one: an operation in a `driver.timeout` block of the callback raises InvalidOperation.
        Aborting after an error gets the timeout anew.
        """
        return await with_transaction(
            self,
            self._core.runtime,
            callback,
            read_concern=read_concern,
            write_concern=write_concern,
            read_preference=read_preference,
            max_commit_time_ms=max_commit_time_ms,
        )

    # What the operations of a transaction do to it.

    def join(self, operation: Operation[Any]) -> bool:
        """Whether an operation belongs to the transaction; if not, a past one is forgotten."""
        if operation.ends_transaction or self.transaction.active:
            return True
        self.transaction.take(Step.OPERATION)
        self.pin.release()
        return False

    def transaction_began(self) -> None:
        """A command of it was sent."""
        if self.transaction.state is State.STARTING:
            self.transaction.take(Step.OPERATION)

    def label(self, error: MongoError) -> None:
        """Say on an error what it means for the transaction."""
        label(error, committing=self.transaction.state is State.COMMITTED)

    def unpin_after(self, error: MongoError) -> None:
        """Go elsewhere if the server is no help any more ("When to unpin")."""
        if is_astray(error) or self.transaction.state is State.ABORTED:
            self.pin.release()

    # The end.

    def release(self) -> None:
        """Give the server session back; may be called twice."""
        self._ended = True
        self.pin.release()
        super().release()

    async def end_session(self) -> None:
        """End the session, and abort its transaction if one is under way; may be called twice."""
        try:
            if self.in_transaction:
                await self.abort_transaction()
        finally:
            self.release()

    async def __aenter__(self) -> AsyncClientSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end_session()


class AsyncTransactionContext:
    """Ends a transaction with the block: commits it, or after an error aborts it."""

    def __init__(self, session: AsyncClientSession) -> None:
        self._session = session

    async def __aenter__(self) -> AsyncTransactionContext:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._session.in_transaction:
            return
        if error is None:
            await self._session.commit_transaction()
        else:
            await self._session.abort_transaction()


def in_transaction(session: Any) -> bool:
    """Whether an operation that is given this session, or None, belongs to a transaction."""
    return session is not None and bool(session.in_transaction)


def _cluster_time_of_read(reply: Mapping[str, Any]) -> Timestamp | None:
    """The time that find, aggregate or distinct read at."""
    cursor = reply.get("cursor", reply)
    time = cursor.get("atClusterTime") if isinstance(cursor, Mapping) else None
    return time if isinstance(time, Timestamp) else None
