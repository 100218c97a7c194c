"""Cursors, as users see them: find's, which is built up before it runs, and a command's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from driver.engine.core import Core
from driver.engine.cursor import Batches
from driver.engine.session import AsyncClientSession
from driver.errors import InvalidOperation
from driver.normalize import collation_document, hint_document, sort_document
from driver.operations.base import Operation
from driver.operations.catalog import Explain
from driver.operations.query import CursorReply, Find
from driver.operations.timeout_mode import CursorKind
from driver.topology.description import Address


class CursorType:
    """How a cursor ends: at the last document, or (tailable) only when its collection does."""

    NON_TAILABLE = 0
    TAILABLE = 2
    TAILABLE_AWAIT = 34


class _Cursor:
    """What all cursors can do once they run."""

    _batches: Batches

    @property
    def alive(self) -> bool:
        """Whether there may be more documents."""
        return self._batches.alive

    @property
    def cursor_id(self) -> int | None:
        """The server's id of the cursor; None before it runs, 0 after its last batch."""
        return self._batches.id

    @property
    def address(self) -> Address | None:
        """The server it lives on."""
        return self._batches.address

    async def refill(self) -> bool:
        """Get a batch if none is at hand; False at the end."""
        return bool(self._batches.data) or await self._batches.refill()

    def buffered(self) -> Any:
        """What was received and not yet taken, a deque."""
        return self._batches.data

    async def next(self) -> Any:
        """The next document; raises StopAsyncIteration at the end."""
        data = self._batches.data
        if not data and not await self._batches.refill():
            raise StopAsyncIteration
        return data.popleft()

    async def try_next(self) -> Any:
        """The next document, or None when there is none now."""
        data = self._batches.data
        found = data or await self._batches.refill(patient=False)
        return data.popleft() if found else None

    async def wait_next(self) -> Any:
        """The next document, waited for; None when there will be no more.

        Of a tailable cursor: it asks on until there is one, at most until its timeout.
        """
        data = self._batches.data
        found = data or await self._batches.refill(patient=True)
        return data.popleft() if found else None

    async def to_list(self, length: int | None = None) -> list[Any]:
        """The remaining documents, or the next `length` of them."""
        documents: list[Any] = []
        data = self._batches.data
        while (length is None or len(documents) < length) and (
            data or await self._batches.refill()
        ):
            if length is None:
                documents.extend(data)
                data.clear()
            else:
                documents.append(data.popleft())
        return documents

    async def close(self) -> None:
        """Free the cursor on its server."""
        await self._batches.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self.next()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncCommandCursor(_Cursor):
    """The cursor of aggregate, of a list, or of a command."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def batch_size(self, batch_size: int) -> AsyncCommandCursor:
        """How many documents the next batches have; 0 leaves it to the server."""
        if batch_size < 0:
            raise ValueError("batch_size must not be negative")
        self._batches.batch_size = batch_size or None
        return self

    @classmethod
    def of(cls, core: Core, documents: Iterable[Any] = ()) -> AsyncCommandCursor:
        """A cursor over documents that are here already."""
        batches = Batches(core, None, None)
        batches.data.extend(documents)
        batches.end()
        return cls(batches)

    async def __aenter__(self) -> AsyncCommandCursor:
        return self


async def run_cursor(
    core: Core,
    operation: Operation[CursorReply],
    session: AsyncClientSession | None,
    **options: Any,
) -> AsyncCommandCursor:
    """Run a command whose reply is a cursor."""
    batches = Batches(core, operation, session, **options)
    await batches.start()
    return AsyncCommandCursor(batches)


class AsyncCursor(_Cursor):
    """A query's cursor: options may be set until the first document is asked for."""

    def __init__(
        self,
        core: Core,
        find: Find,
        session: AsyncClientSession | None,
        *,
        max_await_time_ms: int | None = None,
        timeout_mode: str | None = None,
    ) -> None:
        self._core = core
        self._find = find
        self._session = session
        self._max_await_time_ms = max_await_time_ms
        self._timeout_mode = timeout_mode
        self._started: Batches | None = None

    @property
    def _batches(self) -> Batches:  # type: ignore[override]
        if self._started is None:
            find = self._find
            self._started = Batches(
                self._core,
                find,
                self._session,
                batch_size=find.batch_size,
                limit=find.limit,
                comment=find.comment,
                kind=self._kind(),
            )
        return self._started

    def _kind(self) -> CursorKind:
        find = self._find
        return CursorKind(
            tailable=bool(find.tailable),
            awaits=bool(find.await_data),
            max_await_time_ms=self._max_await_time_ms if find.await_data else None,
            mode=self._timeout_mode,
        )

    async def first(self) -> Any:
        """The first document, or None: one command, which leaves no cursor on the server."""
        find = self._find
        find.limit = -1
        if find.tailable or self._timeout_mode is not None:
            deadline = self._core.deadline(find.timeout, self._session)
            find.server_time = self._kind().server_time(deadline)
        reply = await self._core.execute(find, self._session)
        return reply.batch[0] if reply.batch else None

    @property
    def alive(self) -> bool:
        """Whether there may be more documents."""
        return self._started is None or self._started.alive

    @property
    def cursor_id(self) -> int | None:
        """The server's id of the cursor; None before it runs, 0 after its last batch."""
        return self._started.id if self._started is not None else None

    def _set(self, **changes: Any) -> AsyncCursor:
        if self._started is not None:
            raise InvalidOperation("the cursor has been used; set options before the first read")
        self._find = replace(self._find, **changes)
        return self

    def sort(self, key_or_list: Any, direction: Any = None) -> AsyncCursor:
        """Order the documents."""
        return self._set(sort=sort_document(key_or_list, direction))

    def limit(self, limit: int) -> AsyncCursor:
        """At most so many documents; negative: in one batch."""
        return self._set(limit=limit)

    def skip(self, skip: int) -> AsyncCursor:
        """Leave out the first documents."""
        if skip < 0:
            raise ValueError("skip must not be negative")
        return self._set(skip=skip)

    def batch_size(self, batch_size: int) -> AsyncCursor:
        """How many documents the server sends at a time; 0 leaves it to the server."""
        if batch_size < 0:
            raise ValueError("batch_size must not be negative")
        return self._set(batch_size=batch_size or None)

    def hint(self, index: Any) -> AsyncCursor:
        """The index to use."""
        return self._set(hint=None if index is None else hint_document(index))

    def comment(self, comment: Any) -> AsyncCursor:
        """Shown in the server's log and profile."""
        return self._set(comment=comment)

    def collation(self, collation: Any) -> AsyncCursor:
        """How strings are compared."""
        return self._set(collation=collation_document(collation))

    def max_time_ms(self, max_time_ms: int | None) -> AsyncCursor:
        """How long the server may work on it."""
        return self._set(max_time_ms=max_time_ms)

    def max_await_time_ms(self, max_await_time_ms: int | None) -> AsyncCursor:
        """How long the server waits for news of a tailable await cursor."""
        self._set()
        self._max_await_time_ms = max_await_time_ms
        return self

    def allow_disk_use(self, allow_disk_use: bool) -> AsyncCursor:
        """Whether the server may sort on disk."""
        return self._set(allow_disk_use=allow_disk_use)

    def clone(self) -> AsyncCursor:
        """A fresh cursor of the same query."""
        return AsyncCursor(
            self._core,
            self._find,
            self._session,
            max_await_time_ms=self._max_await_time_ms,
            timeout_mode=self._timeout_mode,
        )

    async def rewind(self) -> AsyncCursor:
        """Start over."""
        if self._started is not None:
            await self._started.close()
            self._started = None
        return self

    async def explain(self) -> Mapping[str, Any]:
        """The server's plan for the query."""
        find = self._find
        operation = Explain(
            database=find.database,
            of=find,
            read_preference=find.read_preference,
            timeout=find.timeout,
        )
        return await self._core.execute(operation, self._session)

    async def close(self) -> None:
        """Free the cursor on its server, if it ever ran."""
        if self._started is not None:
            await self._started.close()
        else:
            self._batches.end()

    async def __aenter__(self) -> AsyncCursor:
        return self
