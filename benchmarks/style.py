"""How operations are run: as calls or as awaits, one after the other or at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Protocol, TypeAlias

from benchmarks.contenders import Contender

SYNC, ASYNCIO = STYLES = ("sync", "asyncio")
MOST = 64
"""As many operations may be run at once."""

Operation: TypeAlias = Callable[[], Any]
"""What is repeated and measured; in asyncio it gives an awaitable."""


class Style(Protocol):
    """One of both ways to call a driver."""

    name: str

    def client(self, driver: Contender, uri: str) -> Any:
        """A client of the driver."""

    def bucket(self, driver: Contender, database: Any) -> Any:
        """A database's default GridFS bucket."""

    def do(self, call: Operation) -> Any:
        """Run one operation and return what it returns."""

    def repeat(self, operation: Operation, times: int) -> list[float]:
        """Run an operation so many times; returns the seconds that each took."""

    def then(self, operation: Operation, finish: Callable[[Any], object]) -> Operation:
        """An operation that hands its result on."""

    def together(self, parts: Sequence[Operation], at_once: int) -> Operation:
        """An operation that runs all parts, so many of them at once."""


class Sync:
    """Calls; at once in threads."""

    name = SYNC

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def client(self, driver: Contender, uri: str) -> Any:
        """A blocking client."""
        return driver.client(uri)

    def bucket(self, driver: Contender, database: Any) -> Any:
        """A blocking bucket."""
        return driver.bucket(database)

    def do(self, call: Operation) -> Any:
        """Call it."""
        return call()

    def repeat(self, operation: Operation, times: int) -> list[float]:
        """A loop of calls."""
        took = []
        for _ in range(times):
            start = perf_counter()
            operation()
            took.append(perf_counter() - start)
        return took

    def then(self, operation: Operation, finish: Callable[[Any], object]) -> Operation:
        """One call after the other."""
        return lambda: finish(operation())

    def together(self, parts: Sequence[Operation], at_once: int) -> Operation:
        """In threads, which take the next part when they are through with one."""

        def work(left: Iterator[Operation]) -> None:
            for part in left:
                part()

        def run() -> None:
            left = iter(parts)
            for future in [self._threads.submit(work, left) for _ in range(at_once)]:
                future.result()

        return run


class Asyncio:
    """Awaits in one event loop; at once in tasks."""

    name = ASYNCIO

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    def client(self, driver: Contender, uri: str) -> Any:
        """A client for asyncio."""
        return driver.async_client(uri)

    def bucket(self, driver: Contender, database: Any) -> Any:
        """A bucket for asyncio."""
        return driver.async_bucket(database)

    def do(self, call: Operation) -> Any:
        """Await it."""

        async def awaited() -> Any:
            return await call()

        return self._runner.run(awaited())

    def repeat(self, operation: Operation, times: int) -> list[float]:
        """A loop of awaits in one task."""

        async def awaited() -> list[float]:
            took = []
            for _ in range(times):
                start = perf_counter()
                await operation()
                took.append(perf_counter() - start)
            return took

        return self._runner.run(awaited())

    def then(self, operation: Operation, finish: Callable[[Any], object]) -> Operation:
        """An await, and a call."""

        async def both() -> None:
            finish(await operation())

        return both

    def together(self, parts: Sequence[Operation], at_once: int) -> Operation:
        """In tasks, which take the next part when they are through with one."""

        async def work(left: Iterator[Operation]) -> None:
            for part in left:
                await part()

        async def run() -> None:
            left = iter(parts)
            await asyncio.gather(*(work(left) for _ in range(at_once)))

        return run


@contextmanager
def style_named(name: str) -> Iterator[Style]:
    """The style of that name, while it lasts."""
    if name == SYNC:
        with ThreadPoolExecutor(MOST) as threads:
            yield Sync(threads)
        return
    with asyncio.Runner() as runner:
        yield Asyncio(runner)
