"""Round-trip times of one server's checks (server selection, "Calculation of Average Round Trip
Times"; server monitoring, "Measuring RTT")."""

from __future__ import annotations

from dataclasses import dataclass

WEIGHT = 0.2
RECENT_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class RoundTripTimes:
    """The moving average and the latest samples, newest last. Start anew when the server fails."""

    average: float | None = None
    recent: tuple[float, ...] = ()

    def add(self, sample: float) -> RoundTripTimes:
        """The times after one more sample; raises ValueError if it is negative."""
        if sample < 0:
            raise ValueError(f"a round trip cannot take {sample} seconds")
        average = sample
        if self.average is not None:
            average = WEIGHT * sample + (1 - WEIGHT) * self.average
        return RoundTripTimes(average, (*self.recent, sample)[-RECENT_SAMPLES:])

    @property
    def minimum(self) -> float:
        """The shortest recent time; 0 until two samples make it meaningful."""
        return min(self.recent) if len(self.recent) >= 2 else 0.0
