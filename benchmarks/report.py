"""What a run of the benchmark says: a table of ratios, and JSON with all of it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from rich.table import Table

from benchmarks.contenders import Contender
from benchmarks.samples import PERCENTILES, Result, Samples
from benchmarks.tasks import READ, WRITE

FORMAT = 2
_NONE = "-"
_OVERALL = "DriverBench"


def table(results: Sequence[Result], drivers: tuple[Contender, Contender]) -> Table:
    """A line a task; the ratios are the first driver's by the second one's.

    `floor` is how many times as long as a bare socket each driver takes.
    """
    shown = Table(title=" : ".join(f"{driver.name} {driver.version}" for driver in drivers))
    shown.add_column("task")
    shown.add_column("style")
    for driver in drivers:
        shown.add_column(f"{driver.name} µs", justify="right")
    for heading in ("time", "p50", "p90", "p99", "CPU", "memory", "floor", "frames", "MB/s"):
        shown.add_column(heading, justify="right")
    for result in results:
        first, _ = result.pair
        calls = result.task.calls
        shown.add_row(
            result.task.name,
            result.style,
            *(f"{median(each.wall) / calls * 1e6:,.1f}" for each in result.pair),
            f"{result.ratio():.2f}",
            *(f"{result.latency_ratio(which):.2f}" for which in (50, 90, 99)),
            f"{result.ratio('cpu'):.2f}",
            _NONE if result.memory_ratio is None else f"{result.memory_ratio:.2f}",
            _both([result.above_floor(each) for each in result.pair], ".1f"),
            _both([each.frames and each.frames / calls for each in result.pair], ",.0f"),
            f"{speed(result, first):,.1f}",
        )
    return shown


def _both(values: Sequence[float | None], form: str) -> str:
    return " : ".join(_NONE if value is None else format(value, form) for value in values)


def speed(result: Result, samples: Samples) -> float:
    """Megabytes a second, by which the specification scores a task."""
    return result.task.size / median(samples.wall) / 1e6


def composites(results: Sequence[Result], style: str) -> dict[str, list[float]]:
    """The composite scores, in MB/s, of all tasks that were run; for each driver in turn.

    They mean what the specification says only where all of its tasks were run. BSON has no style.
    """
    members: dict[str, list[Result]] = {}
    for result in results:
        if result.style == style or not result.task.needs_server:
            for score in result.task.scores:
                members.setdefault(score, []).append(result)
    scores = {
        score: [fmean(speed(each, each.pair[which]) for each in chosen) for which in (0, 1)]
        for score, chosen in members.items()
    }
    if READ in scores and WRITE in scores:
        both = zip(scores[READ], scores[WRITE], strict=True)
        scores[_OVERALL] = [fmean(pair) for pair in both]
    return scores


def score_table(results: Sequence[Result], drivers: tuple[Contender, Contender]) -> Table:
    """The composite scores, a line a score."""
    shown = Table(title="composite scores, MB/s")
    for heading in ("score", "style", *(driver.name for driver in drivers)):
        shown.add_column(heading, justify="left" if heading in ("score", "style") else "right")
    for style in dict.fromkeys(result.style for result in results):
        for score, (first, second) in composites(results, style).items():
            shown.add_row(score, style, f"{first:,.1f}", f"{second:,.1f}")
    return shown


def document(
    results: Sequence[Result], drivers: tuple[Contender, Contender], server: str | None
) -> dict[str, Any]:
    """The run as JSON: times are seconds an operation, memory is bytes, scores are MB/s."""
    return {
        "format": FORMAT,
        "machine": {"python": platform.python_version(), "platform": platform.platform()},
        "server": server,
        "drivers": [{"name": driver.name, "version": driver.version} for driver in drivers],
        "scores": {
            style: composites(results, style)
            for style in dict.fromkeys(result.style for result in results)
        },
        "tasks": [_task(result) for result in results],
    }


def _task(result: Result) -> dict[str, Any]:
    return {
        "name": result.task.name,
        "style": result.style,
        "bytes": result.task.size,
        "calls": result.task.calls,
        "at_once": result.task.at_once,
        "time_ratio": result.ratio(),
        "latency_ratios": {str(which): result.latency_ratio(which) for which in PERCENTILES},
        "cpu_ratio": result.ratio("cpu"),
        "memory_ratio": result.memory_ratio,
        "drivers": {
            name: {
                "median": median(samples.wall),
                "cpu": median(samples.cpu),
                "latencies": _percentiles(samples),
                "memory": samples.memory,
                "frames": samples.frames,
                "above_floor": result.above_floor(samples),
                "samples": samples.wall,
            }
            for name, samples in result.samples.items()
        },
        "floor": result.floor and {"latencies": _percentiles(result.floor)},
    }


def _percentiles(samples: Samples) -> dict[str, float]:
    return {str(which): samples.latency(which) for which in PERCENTILES}
