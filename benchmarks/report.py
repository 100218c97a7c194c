"""What a run of the benchmark says: a table of ratios, and JSON with all of it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.contenders import Contender
from benchmarks.pair import Result

FORMAT = 1


def table(results: Sequence[Result], drivers: tuple[Contender, Contender]) -> Table:
    """A line a task; the ratios are the first driver's time by the second one's."""
    shown = Table(title=" : ".join(f"{driver.name} {driver.version}" for driver in drivers))
    shown.add_column("task")
    shown.add_column("style")
    for driver in drivers:
        shown.add_column(f"{driver.name} µs", justify="right")
    for heading in ("time", "CPU", "MB/s", "frames"):
        shown.add_column(heading, justify="right")
    for result in results:
        first, second = result.samples.values()
        speed = result.task.size / median(first.wall) / 1e6
        shown.add_row(
            result.task.name,
            result.style,
            *(f"{median(each.wall) * 1e6:,.1f}" for each in (first, second)),
            f"{result.ratio():.2f}",
            f"{result.ratio('cpu'):.2f}",
            f"{speed:,.1f}",
            f"{first.frames:,.0f} : {second.frames:,.0f}",
        )
    return shown


def document(
    results: Sequence[Result], drivers: tuple[Contender, Contender], server: str | None
) -> dict[str, Any]:
    """The run as JSON: times are seconds an operation."""
    return {
        "format": FORMAT,
        "machine": {"python": platform.python_version(), "platform": platform.platform()},
        "server": server,
        "drivers": [{"name": driver.name, "version": driver.version} for driver in drivers],
        "tasks": [_task(result) for result in results],
    }


def _task(result: Result) -> dict[str, Any]:
    return {
        "name": result.task.name,
        "style": result.style,
        "bytes": result.task.size,
        "time_ratio": result.ratio(),
        "cpu_ratio": result.ratio("cpu"),
        "drivers": {
            name: {
                "median": median(samples.wall),
                "first_decile": samples.deciles[0],
                "last_decile": samples.deciles[1],
                "cpu": median(samples.cpu),
                "frames": samples.frames,
                "samples": samples.wall,
            }
            for name, samples in result.samples.items()
        },
    }
