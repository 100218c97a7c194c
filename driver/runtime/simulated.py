"""Virtual time: coroutines take turns on one thread, and the clock moves on only while all wait.

Nothing waits in reality, so an hour passes at once, and the same calls always have the same end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from heapq import heappop, heappush
from itertools import count
from random import Random
from ssl import SSLContext
from typing import Any, TypeAlias, TypeVar

from driver.runtime.base import SRVRecords, Stream, Task, Waiter
from driver.topology.description import Address
from driver.wire.socks5 import Proxy

T = TypeVar("T")

Network: TypeAlias = Callable[[Address], Awaitable[Stream]]
"""Opens a stream to an address, or raises OSError."""


class Standstill(RuntimeError):
    """Everybody waits for somebody else, for ever."""


class _Pause:
    """One wait of one coroutine; it is told whether a flag was raised, or the time was over."""

    __slots__ = ("over", "task")

    def __init__(self) -> None:
        self.over = False
        self.task: SimulatedTask | None = None

    def __await__(self) -> Generator[_Pause, bool, bool]:
        return (yield self)


class SimulatedWaiter:
    """A flag that any number of coroutines wait for."""

    def __init__(self, world: SimulatedRuntime) -> None:
        self._world = world
        self._set = False
        self._pauses: list[_Pause] = []

    def set(self) -> None:
        """Raise the flag."""
        self._set = True
        pauses, self._pauses = self._pauses, []
        for pause in pauses:
            self._world.end(pause, raised=True)

    def clear(self) -> None:
        """Lower the flag."""
        self._set = False

    def is_set(self) -> bool:
        """Whether the flag is up."""
        return self._set

    async def wait(self, timeout: float | None) -> bool:
        """Wait for the flag; False when the time is over first."""
        if self._set or (timeout is not None and timeout <= 0):
            return self._set
        pause = _Pause()
        self._pauses.append(pause)
        if timeout is not None:
            self._world.end_later(pause, timeout)
        return await pause


class SimulatedTask:
    """A coroutine that takes its turns."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: SimulatedWaiter) -> None:
        self._coroutine = coroutine
        self._done = done
        self.result: Any = None

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def resume(self, raised: bool | None) -> None:
        """Go on until the next wait or the end; what it raises comes out here."""
        try:
            pause: _Pause = self._coroutine.send(raised)
            pause.task = self
        except StopIteration as stop:
            self.result = stop.value
            self._done.set()

    def stop(self) -> None:
        """End it wherever it is."""
        self._coroutine.close()

    async def join(self, timeout: float | None) -> None:
        """Wait for its end."""
        await self._done.wait(timeout)


class SimulatedRuntime:
    """A world of its own, which begins at the moment 0 and has no names to look up."""

    def __init__(self, network: Network, seed: int = 0) -> None:
        self._network = network
        self.random = Random(seed).random
        self._clock = 0.0
        self._tasks: list[SimulatedTask] = []
        self._turns: deque[tuple[SimulatedTask, bool | None]] = deque()
        self._timers: list[tuple[float, int, _Pause]] = []
        self._numbers = count()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, and what it spawned until then.

        Raises Standstill where it waits in vain.
        """
        main = self._begin(coroutine)
        try:
            while not main.done:
                self._turn()
        finally:
            for task in self._tasks:
                task.stop()
        result: T = main.result
        return result

    def _turn(self) -> None:
        """Let who is next go on; where nobody can, it becomes the moment at which one can."""
        while not self._turns:
            if not self._timers:
                raise Standstill(f"at {self._clock:g} s, everybody waits in vain")
            moment, _, pause = heappop(self._timers)
            if not pause.over:
                self._clock = moment
                self.end(pause, raised=False)
        task, raised = self._turns.popleft()
        task.resume(raised)

    def end(self, pause: _Pause, *, raised: bool) -> None:
        """End a wait, unless it is over."""
        if not pause.over and pause.task is not None:
            pause.over = True
            self._turns.append((pause.task, raised))

    def end_later(self, pause: _Pause, timeout: float) -> None:
        """End a wait when so many seconds have passed."""
        heappush(self._timers, (self._clock + timeout, next(self._numbers), pause))

    def _begin(self, coroutine: Coroutine[Any, Any, Any]) -> SimulatedTask:
        task = SimulatedTask(coroutine, SimulatedWaiter(self))
        self._tasks.append(task)
        self._turns.append((task, None))
        return task

    # What the engine asks for.

    def now(self) -> float:
        """Seconds since the beginning."""
        return self._clock

    def lock(self) -> AbstractContextManager[Any]:
        """Nothing to guard: a section without awaits runs alone."""
        return nullcontext()

    def waiter(self) -> Waiter:
        """A new flag, down."""
        return SimulatedWaiter(self)

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> Task:
        """Start a coroutine beside the caller."""
        return self._begin(coroutine)

    def after_fork(self, begin: Callable[[], None]) -> None:
        """Nothing to do: nobody forks in the middle of a turn."""

    async def connect(
        self,
        address: Address,
        until: float | None,
        tls: SSLContext | None,
        proxy: Proxy | None = None,
    ) -> Stream:
        """Open a stream over the network, whatever is on the way."""
        return await self._network(address)

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it."""
        return function(*arguments)

    async def http_get(
        self, url: str, headers: Mapping[str, str], until: float, limit: int
    ) -> tuple[int, str]:
        """There is no web."""
        raise OSError(f"{url}: there is no web here")

    async def exchange(
        self,
        address: Address,
        tls: SSLContext,
        message: bytes,
        missing: Callable[[], int],
        feed: Callable[[bytes], object],
        until: float,
    ) -> None:
        """There is no TLS."""
        raise OSError(f"{address}: there is no TLS here")

    async def lookup_srv(self, name: str, until: float) -> SRVRecords:
        """There is no DNS."""
        raise OSError(f"{name}: there is no DNS here")

    async def lookup_txt(self, name: str, until: float) -> list[str]:
        """There is no DNS."""
        raise OSError(f"{name}: there is no DNS here")
