"""The sync session: a table over `AsyncClientSession`."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from driver.engine.session import AsyncClientSession, AsyncTransactionContext
from driver.runtime.blocking import run
from driver.sync.facade import (
    ClosingFacade,
    Facade,
    attribute,
    blocking,
    blocking_as,
    forwarding,
)

if TYPE_CHECKING:
    from driver.sync.client import MongoClient

T = TypeVar("T")


class TransactionContext(Facade[AsyncTransactionContext]):
    """Ends a transaction with the block: commits it, or after an error aborts it."""

    __slots__ = ()

    def __enter__(self) -> TransactionContext:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        run(self._core_object.__aexit__(kind, error, trace))


class ClientSession(ClosingFacade[AsyncClientSession]):
    """Operations given this session see each other's effects, in order.

    Operations between `start_transaction` and `commit_transaction` take effect together, or not at
    all. Used by one thread at a time.
    """

    __slots__ = ("client",)

    def __init__(self, core_object: AsyncClientSession, client: MongoClient) -> None:
        super().__init__(core_object)
        self.client = client

    options = attribute("options")
    has_ended = attribute("has_ended")
    session_id = attribute("session_id")
    in_transaction = attribute("in_transaction")
    snapshot_time = attribute("snapshot_time")
    cluster_time = attribute("cluster_time")
    operation_time = attribute("operation_time")
    advance_cluster_time = forwarding(AsyncClientSession.advance_cluster_time)
    advance_operation_time = forwarding(AsyncClientSession.advance_operation_time)
    start_transaction = blocking_as(TransactionContext)(AsyncClientSession.start_transaction)
    commit_transaction = blocking(AsyncClientSession.commit_transaction)
    abort_transaction = blocking(AsyncClientSession.abort_transaction)
    end_session = blocking(AsyncClientSession.end_session)
    close = end_session

    def with_transaction(
        self, callback: Callable[[ClientSession], T], *args: Any, **options: Any
    ) -> T:
        """Run `callback(session)` in a transaction, commit it, and give what it returned.

        See `AsyncClientSession.with_transaction`.
        """

        async def call(_: AsyncClientSession) -> T:
            return callback(self)

        return run(self._core_object.with_transaction(call, *args, **options))
