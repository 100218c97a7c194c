"""Two drivers take turns, so that what the machine does besides hits both alike."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any, Protocol

from benchmarks import memory
from benchmarks.contenders import Contender
from benchmarks.data import Data
from benchmarks.floor import Address, Bare, bare
from benchmarks.samples import Result, Samples
from benchmarks.style import SYNC, Style
from benchmarks.tasks import DATABASE, Setting, Task

MIN_SAMPLES = 5
_SAMPLE = 0.03  # seconds that a sample takes, about
_COUNTED = 20  # operations over which Python's frames are counted


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all tasks have in common.

    A task is measured for about so many `seconds`, and at least for MIN_SAMPLES samples a driver;
    with `data` also for its memory, in processes of their own; with `address`, that of a server
    which needs neither TLS nor a password, beside a bare socket.
    """

    drivers: tuple[Contender, Contender]
    uri: str | None = None
    seconds: float = 0.0
    data: Data | None = None
    address: Address | None = None


class Turn(Protocol):
    """Who takes turns."""

    def before(self) -> None:
        """What is not measured."""

    def repeat(self, times: int) -> list[float]:
        """Run the operation so many times; the seconds of each."""


@dataclass(frozen=True, slots=True)
class _Driver:
    """A driver that takes turns."""

    task: Task
    setting: Setting
    operation: Callable[[], Any]

    def before(self) -> None:
        run_all(self.setting, self.task.before)

    def repeat(self, times: int) -> list[float]:
        return self.setting.style.repeat(self.operation, times)


def run_all(setting: Setting, operations: Callable[[Setting], Any]) -> None:
    """Run operations that are not measured, one after the other."""
    for operation in operations(setting):
        setting.style.do(operation)


def measure(task: Task, style: Style, on: Conditions) -> Result:
    """Measure a task in a style."""
    with ExitStack() as stack:
        settings = [
            stack.enter_context(_setting(task, style, driver, on.uri)) for driver in on.drivers
        ]
        run_all(settings[0], task.fill)
        drivers = [_Driver(task, setting, task.make(setting)) for setting in settings]
        drivers[0].before()
        times = _times_a_sample(drivers[0].repeat)
        samples = {turn.setting.driver.name: _warmed_up(turn, times) for turn in drivers}
        turns: list[tuple[Turn, Samples]] = list(zip(drivers, samples.values(), strict=True))
        floor = None
        if on.address is not None and task.needs_server and task.at_once == 1:
            socket = stack.enter_context(bare(task, settings[0], on.address))
            floor = Samples()
            turns.append((_Floor(drivers[0], socket), floor))
        _alternate(turns, times, on.seconds)
        for name, each in samples.items():
            if on.data is not None:
                question = memory.Question(on.data, task.name, style.name, name, on.uri, times)
                each.memory = memory.growth(question)
        return Result(task, style.name, samples, floor)


@contextmanager
def _setting(task: Task, style: Style, driver: Contender, uri: str | None) -> Iterator[Setting]:
    if uri is None or not task.needs_server:
        yield Setting(driver, style)
        return
    client = style.client(driver, uri)
    drop = partial(client.drop_database, DATABASE)
    try:
        style.do(drop)
        yield Setting(driver, style, client)
    finally:
        style.do(drop)
        style.do(client.close)


@dataclass(frozen=True, slots=True)
class _Floor:
    """A bare socket that takes turns with the drivers."""

    driver: _Driver
    socket: Bare

    def before(self) -> None:
        self.driver.before()

    def repeat(self, times: int) -> list[float]:
        return self.socket.repeat(times)


def _warmed_up(turn: _Driver, times: int) -> Samples:
    """Connects, fills caches, and counts frames."""
    turn.before()
    turn.repeat(max(1, times // 10))
    if turn.task.at_once > 1 and turn.setting.style.name == SYNC:
        return Samples()
    turn.before()
    return Samples(frames=_frames(turn.repeat, times))


def _alternate(turns: Sequence[tuple[Turn, Samples]], times: int, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(turns[0][1].wall) < MIN_SAMPLES:
        for turn, samples in turns:
            turn.before()
            gc.collect()
            cpu = time.process_time()
            took = turn.repeat(times)
            samples.cpu.append((time.process_time() - cpu) / times)
            samples.wall.append(fmean(took))
            samples.latencies += took


def _times_a_sample(repeat: Callable[[int], object]) -> int:
    """How many operations take about as long as a sample shall."""
    times = 1
    while True:
        start = time.perf_counter()
        repeat(times)
        took = time.perf_counter() - start
        if took > _SAMPLE / 4:
            return max(1, round(times * _SAMPLE / took))
        times *= 4


def _frames(repeat: Callable[[int], object], times: int) -> float:
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
