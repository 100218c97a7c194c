"""What was measured, and its percentiles and ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.tasks import Task

PERCENTILES = (10, 25, 50, 75, 90, 95, 98, 99)
"""Those that the specification asks for."""
_NOTICEABLE = 1 << 20


def percentile(values: Sequence[float], which: int) -> float:
    """By nearest rank, as the specification defines it; `values` are sorted."""
    return values[max(0, len(values) * which // 100 - 1)]


@dataclass(slots=True)
class Samples:
    """Seconds an operation, a number a sample: on the clock, and of this process's CPUs."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    """Seconds that each single operation took."""
    frames: float | None = None
    """Python frames an operation; None where threads share the work."""
    memory: int | None = None
    """Bytes by which a process grows at most as it runs a sample."""

    def latency(self, which: int) -> float:
        """A percentile of the single operations' seconds."""
        return percentile(sorted(self.latencies), which)


@dataclass(frozen=True, slots=True)
class Result:
    """What one task took: of either driver by its name, and of a socket with neither."""

    task: Task
    style: str
    samples: dict[str, Samples]
    floor: Samples | None = None

    @property
    def pair(self) -> tuple[Samples, Samples]:
        """Both drivers' samples."""
        first, second = self.samples.values()
        return first, second

    def ratio(self, what: str = "wall") -> float:
        """The first driver's median by the second one's: below 1 it is the faster one."""
        first, second = (median(getattr(each, what)) for each in self.pair)
        return float(first / second)

    def latency_ratio(self, which: int) -> float:
        """The ratio of a percentile of the single operations."""
        first, second = (each.latency(which) for each in self.pair)
        return first / second

    @property
    def memory_ratio(self) -> float | None:
        """The ratio of memory; None where it was not measured, or both hardly grow."""
        first, second = (each.memory for each in self.pair)
        if first is None or second is None or max(first, second) < _NOTICEABLE or not second:
            return None
        return first / second

    def above_floor(self, samples: Samples) -> float | None:
        """By how much one driver's median operation exceeds that of a bare socket."""
        return samples.latency(50) / self.floor.latency(50) if self.floor else None
