"""When an operation must be done: one moment that it carries from its first step to its last.

Spec: client-side-operations-timeout. Clocks are the runtime's; `now` is always passed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_MOST_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is seconds on the monotonic clock, infinite for a timeout of 0.

    `timeout` is how many seconds there were from the start, and `round_trip` the least time that
    a message takes to the chosen server and back, which the server does not have.
    """

    at: float
    timeout: float
    round_trip: float = 0.0

    @classmethod
    def after(cls, timeout: float, now: float) -> Deadline:
        """The deadline of what begins now; `timeout` is infinite where there is no limit."""
        return cls(now + timeout, timeout)

    def again(self, now: float) -> Deadline:
        """The same timeout, begun anew."""
        return Deadline.after(self.timeout, now)

    def limited(self, at: float, round_trip: float) -> Deadline:
        """This deadline, or `at` if that comes first, on the way to a server."""
        return Deadline(min(self.at, at), self.timeout, round_trip)

    @property
    def until(self) -> float | None:
        """`at`, as the runtime takes it: None where there is no limit."""
        return None if self.at == math.inf else self.at

    def left(self, now: float) -> float:
        """Seconds that remain; negative when it has passed."""
        return self.at - now

    def passed(self, now: float) -> bool:
        """Whether there is no time left."""
        return self.at <= now

    def too_late(self, now: float) -> bool:
        """Whether a message sent now could not be answered in time."""
        return self.at - now <= self.round_trip

    def server_ms(self, now: float) -> int | None:
        """What the server may take, as `maxTimeMS`; None where there is no limit.

        At least 1, since 0 would mean no limit, and at most what servers accept.
        """
        if self.at == math.inf:
            return None
        return min(max(1, int((self.at - now - self.round_trip) * 1000)), _MOST_MS)


block: ContextVar[Deadline | None] = ContextVar("mongospec_timeout", default=None)
"""The deadline of the innermost `driver.timeout(...)` around the caller."""


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Make it the deadline of all that is called in the block."""
    token = block.set(deadline)
    try:
        yield
    finally:
        block.reset(token)


def earlier(one: Deadline | None, other: Deadline | None) -> Deadline | None:
    """The one that comes first; None stands for none at all."""
    if one is None or other is None:
        return one or other
    return other if other.at < one.at else one
