"""Two ways of driving a coroutine to its end: on the calling thread, or on an event loop.

Operations are written once, as `async def`. A sync driver's calls return plain values, so such a
coroutine never suspends; an asyncio driver's calls return awaitables, which the loop resolves.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from runners.adapters.base import AdapterError

T = TypeVar("T")


async def settle(value: Any) -> Any:
    """The value itself or, of an awaitable, what it resolves to."""
    return await value if inspect.isawaitable(value) else value


class Driving(Protocol):
    """How a binding's coroutines run."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; callable from any thread but the loop's own."""

    def callback(self, function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., Any]:
        """The form in which the driver takes `function` as a callback."""

    def offload(self, function: Callable[[], T]) -> Awaitable[T]:
        """Run a blocking function from within a coroutine; it may itself call `run`."""

    def stop(self) -> None:
        """Free what is held."""


class Inline:
    """Drives coroutines of a sync driver, which never suspend."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it on this thread."""
        try:
            coroutine.send(None)
        except StopIteration as stop:
            result: T = stop.value
            return result
        coroutine.close()
        raise AdapterError("a sync driver's call suspended; is this binding for asyncio?")

    def callback(self, function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., Any]:
        """A plain function."""
        return lambda *arguments: self.run(function(*arguments))

    async def offload(self, function: Callable[[], T]) -> T:
        """Call it here: nobody else needs this thread."""
        return function()

    def stop(self) -> None:
        """Nothing is held."""


class Loop:
    """Drives coroutines on one event loop, which lives on a daemon thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="adapter-event-loop", daemon=True
        )
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it on the loop and wait; an interrupt of this thread cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def callback(self, function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., Any]:
        """The coroutine function itself."""
        return function

    async def offload(self, function: Callable[[], T]) -> T:
        """Run it on a worker thread, so that the loop stays free."""
        return await asyncio.to_thread(function)

    def stop(self) -> None:
        """Cancel what still runs and end the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
