"""A run of the benchmark as a picture: a row a task, a panel a style, ratios on a common scale.

Marks differ in shape, so that colour is not needed to tell them; colours follow the viewer's light
or dark scheme.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log2
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from benchmarks.report import FORMAT

_LABELS, _PANEL, _GAP, _ROW, _TOP = 325, 290, 40, 19, 92


class NotARunError(Exception):
    """The file was not written by `mongospec bench --json`."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """The first driver's by the second one's, of one task in one style."""

    task: str
    style: str
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Run:
    """What the plot shows."""

    drivers: tuple[str, str]
    where: str
    ratios: Sequence[Ratios]


def read(path: Path) -> Run:
    """A run. Raises NotARunError or OSError."""
    try:
        run = json.loads(path.read_text("utf-8"))
        if run["format"] != FORMAT:
            raise NotARunError(f"a run of format {run['format']!r}, not {FORMAT}: measure again")
        first, second = (f"{driver['name']} {driver['version']}" for driver in run["drivers"])
        where = f"Python {run['machine']['python']}"
        if run["server"]:
            where += f", MongoDB {run['server']}"
        return Run((first, second), where, [_ratios(task) for task in run["tasks"]])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotARunError(f"not written by `mongospec bench --json`: {error!r}") from None


def _ratios(task: Any) -> Ratios:
    latencies = task["latency_ratios"]
    numbers = [float(each) for each in (latencies["50"], latencies["99"], task["cpu_ratio"])]
    if min(numbers) <= 0:
        raise ValueError(f"a ratio of {task['name']} is not above 0")
    return Ratios(str(task["name"]), str(task["style"]), *numbers)


class _Scale:
    """Ratios by their logarithms, from one power of two to another; 1 is always in it."""

    def __init__(self, ratios: Sequence[Ratios]) -> None:
        values = [value for each in ratios for value in (each.p50, each.p99, each.cpu)]
        self._first = min([-1, *(floor(log2(value)) for value in values)])
        self._last = max([1, *(ceil(log2(value)) for value in values)])

    def place(self, ratio: float) -> float:
        """Pixels from the left of a panel."""
        return round(_PANEL * (log2(ratio) - self._first) / (self._last - self._first), 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Where the scale has lines, and what they say."""
        for power in range(self._first, self._last + 1):
            yield self.place(2.0**power), f"{2.0**power:g}"


def svg(run: Run) -> str:
    """The picture as text."""
    scale = _Scale(run.ratios)
    tasks = list(dict.fromkeys(each.task for each in run.ratios))
    styles = list(dict.fromkeys(each.style for each in run.ratios))
    marks = [
        {
            "x": _LABELS + styles.index(each.style) * (_PANEL + _GAP),
            "y": _TOP + tasks.index(each.task) * _ROW,
            "p50": scale.place(each.p50),
            "p99": scale.place(each.p99),
            "cpu": scale.place(each.cpu),
            "text": f"{each.task}, {each.style}: "
            f"p50 {each.p50:.2f}, p99 {each.p99:.2f}, CPU {each.cpu:.2f}",
        }
        for each in run.ratios
    ]
    bottom = _TOP + len(tasks) * _ROW
    environment = Environment(
        loader=PackageLoader("benchmarks", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("plot.svg").render(
        run=run,
        labels=[(_TOP + place * _ROW, task) for place, task in enumerate(tasks)],
        panels=[(_LABELS + place * (_PANEL + _GAP), style) for place, style in enumerate(styles)],
        panel=_PANEL,
        label_end=_LABELS - 14,
        one=scale.place(1),
        ticks=list(scale.ticks()),
        marks=marks,
        top=_TOP - _ROW // 2 - 2,
        bottom=bottom - _ROW // 2 + 2,
        width=_LABELS + len(styles) * (_PANEL + _GAP),
        height=bottom + 24,
    )
