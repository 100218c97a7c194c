"""Two drivers take turns, so that what the machine does besides hits both alike."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median, quantiles
from typing import Any, Protocol

from benchmarks.contenders import Contender
from benchmarks.tasks import ASYNCIO, DATABASE, SYNC, Operation, Task

MIN_SAMPLES = 5
_SAMPLE = 0.03  # seconds that a sample takes, about
_COUNTED = 20  # operations over which Python's frames are counted


@dataclass(slots=True)
class Samples:
    """Seconds an operation, a number a sample: on the clock, and of this process's CPUs."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    frames: float = 0.0
    """Python frames an operation."""

    @property
    def deciles(self) -> tuple[float, float]:
        """The first and the last decile of the seconds on the clock."""
        cuts = quantiles(self.wall, n=10, method="inclusive")
        return cuts[0], cuts[-1]


@dataclass(frozen=True, slots=True)
class Result:
    """What one task took, by driver."""

    task: Task
    style: str
    samples: dict[str, Samples]

    def ratio(self, what: str = "wall") -> float:
        """The first driver's median by the second one's: below 1 it is the faster one."""
        first, second = (median(getattr(each, what)) for each in self.samples.values())
        return float(first / second)


class Style(Protocol):
    """How operations are run: one after the other, on the clock or not."""

    name: str

    def client(self, driver: Contender, uri: str) -> Any:
        """A client of the driver."""

    def do(self, call: Operation) -> Any:
        """Run one operation and return what it returns."""

    def repeat(self, operation: Operation, times: int) -> None:
        """Run an operation so many times."""


class Sync:
    """Calls."""

    name = SYNC

    def client(self, driver: Contender, uri: str) -> Any:
        """A blocking client."""
        return driver.client(uri)

    def do(self, call: Operation) -> Any:
        """Call it."""
        return call()

    def repeat(self, operation: Operation, times: int) -> None:
        """A loop of calls."""
        for _ in range(times):
            operation()


class Asyncio:
    """Awaits, in one event loop."""

    name = ASYNCIO

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    def client(self, driver: Contender, uri: str) -> Any:
        """A client for asyncio."""
        return driver.async_client(uri)

    def do(self, call: Operation) -> Any:
        """Await it."""

        async def awaited() -> Any:
            return await call()

        return self._runner.run(awaited())

    def repeat(self, operation: Operation, times: int) -> None:
        """A loop of awaits in one task."""

        async def awaited() -> None:
            for _ in range(times):
                await operation()

        self._runner.run(awaited())


@contextmanager
def style_named(name: str) -> Iterator[Style]:
    """The style of that name, while it lasts."""
    if name == SYNC:
        yield Sync()
        return
    with asyncio.Runner() as runner:
        yield Asyncio(runner)


def measure(
    task: Task, style: Style, drivers: tuple[Contender, Contender], uri: str | None, seconds: float
) -> Result:
    """Measure a task for about so many seconds, and at least for MIN_SAMPLES samples a driver."""
    clients: dict[str, Any] = {}
    try:
        if uri is not None and task.needs_server:
            clients = {driver.name: style.client(driver, uri) for driver in drivers}
            _fill(task, style, drivers[0], clients[drivers[0].name])
        databases = {name: client[DATABASE] for name, client in clients.items()}
        operations = {each.name: task.make(each, databases.get(each.name)) for each in drivers}
        return Result(task, style.name, _alternate(task, style, operations, databases, seconds))
    finally:
        for client in clients.values():
            style.do(partial(client.drop_database, DATABASE))
            style.do(client.close)


def _fill(task: Task, style: Style, driver: Contender, client: Any) -> None:
    style.do(partial(client.drop_database, DATABASE))
    if task.documents is not None:
        documents = list(task.documents(driver))
        style.do(partial(client[DATABASE].corpus.insert_many, documents))


def _alternate(
    task: Task,
    style: Style,
    operations: dict[str, Operation],
    databases: dict[str, Any],
    seconds: float,
) -> dict[str, Samples]:
    def empty(name: str) -> None:
        if task.writes:
            style.do(databases[name].corpus.drop)
            style.do(partial(databases[name].create_collection, "corpus"))

    samples = {name: Samples() for name in operations}
    first = next(iter(operations))
    empty(first)
    times = _times_a_sample(partial(style.repeat, operations[first]))
    for name, operation in operations.items():
        empty(name)
        style.repeat(operation, max(1, times // 10))  # connect, fill caches
        samples[name].frames = _frames(partial(style.repeat, operation), times)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples[first].wall) < MIN_SAMPLES:
        for name, operation in operations.items():
            empty(name)
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            style.repeat(operation, times)
            samples[name].wall.append((time.perf_counter() - wall) / times)
            samples[name].cpu.append((time.process_time() - cpu) / times)
    return samples


def _times_a_sample(repeat: Callable[[int], None]) -> int:
    """How many operations take about as long as a sample shall."""
    times = 1
    while True:
        start = time.perf_counter()
        repeat(times)
        took = time.perf_counter() - start
        if took > _SAMPLE / 4:
            return max(1, round(times * _SAMPLE / took))
        times *= 4


def _frames(repeat: Callable[[int], None], times: int) -> float:
    """Python frames entered or resumed an operation; this thread's alone."""
    times = min(times, _COUNTED)
    entered = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal entered
        entered += event == "call"

    sys.setprofile(profile)
    try:
        repeat(times)
    finally:
        sys.setprofile(None)
    return entered / times
