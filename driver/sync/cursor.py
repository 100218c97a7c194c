"""Sync cursors; documents are taken from the batch at hand, only a refill enters the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from driver.aio.cursor import AsyncCommandCursor, AsyncCursor
from driver.runtime.blocking import run
from driver.sync.facade import ClosingFacade, attribute, blocking, chaining

AnyCursor = TypeVar("AnyCursor", AsyncCursor, AsyncCommandCursor)


class _Cursor(ClosingFacade[AnyCursor]):
    __slots__ = ()

    alive = attribute("alive")
    cursor_id = attribute("cursor_id")
    address = attribute("address")
    try_next = blocking(AsyncCursor.try_next)
    wait_next = blocking(AsyncCursor.wait_next)
    to_list = blocking(AsyncCursor.to_list)

    def __iter__(self) -> Iterator[Any]:
        cursor = self._core_object
        data = cursor.buffered()
        while data or run(cursor.refill()):
            yield data.popleft()

    def __next__(self) -> Any:
        cursor = self._core_object
        if not run(cursor.refill()):
            raise StopIteration
        return cursor.buffered().popleft()

    next = __next__


class CommandCursor(_Cursor[AsyncCommandCursor]):
    """The cursor of aggregate, of a list, or of a command."""

    __slots__ = ()

    batch_size = chaining(AsyncCommandCursor.batch_size)
    close = blocking(AsyncCommandCursor.close)


class Cursor(_Cursor[AsyncCursor]):
    """A query's cursor: options may be set until the first document is asked for."""

    __slots__ = ()

    sort = chaining(AsyncCursor.sort)
    limit = chaining(AsyncCursor.limit)
    skip = chaining(AsyncCursor.skip)
    batch_size = chaining(AsyncCursor.batch_size)
    hint = chaining(AsyncCursor.hint)
    comment = chaining(AsyncCursor.comment)
    collation = chaining(AsyncCursor.collation)
    max_time_ms = chaining(AsyncCursor.max_time_ms)
    max_await_time_ms = chaining(AsyncCursor.max_await_time_ms)
    allow_disk_use = chaining(AsyncCursor.allow_disk_use)
    explain = blocking(AsyncCursor.explain)
    close = blocking(AsyncCursor.close)

    def clone(self) -> Cursor:
        """A fresh cursor of the same query."""
        return Cursor(self._core_object.clone())

    def rewind(self) -> Cursor:
        """Start over."""
        run(self._core_object.rewind())
        return self
