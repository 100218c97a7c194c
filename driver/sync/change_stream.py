"""Sync change streams: a table over `AsyncChangeStream`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from driver.aio.change_stream import AsyncChangeStream
from driver.runtime.blocking import run
from driver.sync.facade import ClosingFacade, attribute, blocking


class ChangeStream(ClosingFacade[AsyncChangeStream]):
    """Changes as they happen."""

    __slots__ = ()

    alive = attribute("alive")
    resume_token = attribute("resume_token")
    close = blocking(AsyncChangeStream.close)

    def try_next(self) -> Any:
        """The next change, or None if there is none now."""
        try:
            return run(self._core_object.try_next())
        except StopAsyncIteration:
            raise StopIteration from None

    def __next__(self) -> Any:
        try:
            return run(self._core_object.next())
        except StopAsyncIteration:
            raise StopIteration from None

    next = __next__

    def __iter__(self) -> Iterator[Any]:
        return self
