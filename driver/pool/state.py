"""Everything that affects a pool's state (CMAP, "Connection Pool").

The engine owns sockets and locks; this owns counts, generations and the wait queue. Each
transition says what the engine must do.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar


class Pooled(Protocol):
    """What the pool needs to know of a connection.

    `service_id` names the service behind a load balancer, None elsewhere. `kept_for` is what keeps
    a connection in use between commands: "cursors", "transactions", or None.
    """

    generation: int
    idle_since: float
    service_id: Any
    kept_for: str | None


C = TypeVar("C", bound=Pooled)


class Status(Enum):
    """A pool is made paused, becomes ready when its server is known, and closes once."""

    PAUSED = "paused"
    READY = "ready"
    CLOSED = "closed"


class Outcome(Enum):
    """What a ticket's holder may do."""

    WAIT = "wait"
    USE = "use"
    CREATE = "create"
    FULL = "full"
    PAUSED = "paused"
    CLOSED = "closed"


class Ticket(Generic[C]):
    """A place in the wait queue, answered in order of arrival.

    `because` is why the pool is paused; it may be ready again before the holder looks.
    """

    __slots__ = ("because", "connection", "outcome", "signal")

    def __init__(self) -> None:
        self.outcome = Outcome.WAIT
        self.connection: C | None = None
        self.because: Exception | None = None
        self.signal: Signal | None = None

    def answer(self, outcome: Outcome, connection: C | None = None) -> None:
        """Tell the holder, waking it if it waits."""
        self.outcome = outcome
        self.connection = connection
        if self.signal is not None:
            self.signal.set()


class Signal(Protocol):
    """Wakes a ticket's holder."""

    def set(self) -> None:
        """Wake it."""


class PoolState(Generic[C]):
    """Counts, generation and queue of one server's pool.

    `max_size` 0 means no limit, as does a `max_waiting` of None. Idle connections are used newest
    first, so that the oldest can grow old enough to be closed.
    """

    def __init__(
        self,
        *,
        min_size: int,
        max_size: int,
        max_connecting: int,
        max_idle: float | None,
        max_waiting: int | None = None,
    ) -> None:
        self.min_size = min_size
        self.max_size = max_size
        self.max_connecting = max_connecting
        self.max_idle = max_idle
        self.max_waiting = max_waiting
        self.status = Status.PAUSED
        self._generations: Counter[Any] = Counter()
        self.idle: deque[C] = deque()
        self.in_use: set[C] = set()
        self.pending = 0
        self.queue: deque[Ticket[C]] = deque()
        self.cleared_because: Exception | None = None

    @property
    def generation(self) -> int:
        """How often the whole pool was cleared."""
        return self._generations.get(None, 0)

    def generation_of(self, service_id: Any) -> int:
        """How often the pool was cleared for that service; None stands for no load balancer."""
        return self._generations.get(service_id, 0)

    def is_stale(self, connection: C) -> bool:
        """Whether the pool was cleared since the connection's handshake."""
        return connection.generation != self._generations.get(connection.service_id, 0)

    def uses(self) -> Counter[str | None]:
        """How many of the connections in use are kept, and for what."""
        return Counter(connection.kept_for for connection in self.in_use)

    @property
    def size(self) -> int:
        """All connections: idle, in use, and being made."""
        return len(self.idle) + len(self.in_use) + self.pending

    def perished(self, connection: C, now: float) -> str | None:
        """Why an idle connection may not be used any more: `stale`, `idle`, or None."""
        if self.is_stale(connection):
            return "stale"
        if self.max_idle is not None and now - connection.idle_since > self.max_idle:
            return "idle"
        return None

    def take(self, now: float) -> C | None:
        """An idle connection where nobody waits for one: `ask` for those in no need to queue up.

        None where there is none, or it perished; `ask` then says what to do.
        """
        if self.queue or not self.idle or self.status is not Status.READY:
            return None
        newest = self.idle[-1]
        if self.is_stale(newest) or (self.max_idle and self.perished(newest, now)):
            return None
        connection = self.idle.pop()
        self.in_use.add(connection)
        return connection

    def ask(self, now: float) -> tuple[Ticket[C], list[tuple[C, str]]]:
        """Queue up for a connection; also gives perished connections that must be closed."""
        ticket: Ticket[C] = Ticket()
        if self.status is Status.CLOSED:
            ticket.answer(Outcome.CLOSED)
        elif self.status is Status.PAUSED:
            ticket.because = self.cleared_because
            ticket.answer(Outcome.PAUSED)
        else:
            self.queue.append(ticket)
            gone = self._serve(now)
            if self.max_waiting is not None and len(self.queue) > self.max_waiting:
                self.queue.pop().answer(Outcome.FULL)
            return ticket, gone
        return ticket, []

    def give_up(self, ticket: Ticket[C]) -> None:
        """Leave the queue; the caller looks at the ticket again, it may have been answered."""
        if ticket.outcome is Outcome.WAIT:
            self.queue.remove(ticket)

    def created(self, connection: C, now: float) -> list[tuple[C, str]]:
        """A connection that a ticket asked for is ready, and in use.

        Somebody else may begin another one; gives connections that must be closed.
        """
        self.pending -= 1
        self.in_use.add(connection)
        return self._serve(now)

    def filled(self, connection: C, now: float) -> tuple[str | None, list[tuple[C, str]]]:
        """A connection that the filling asked for is ready; what it gives is as of `check_in`."""
        self.pending -= 1
        return self.check_in(connection, now, broken=False)

    def not_created(self, now: float) -> list[tuple[C, str]]:
        """A connection could not be made; somebody else may try."""
        self.pending -= 1
        return self._serve(now)

    def check_in(
        self, connection: C, now: float, *, broken: bool
    ) -> tuple[str | None, list[tuple[C, str]]]:
        """Take a connection back.

        Gives the reason to close it (`error`, `stale`, `poolClosed`, or None when it was kept)
        and further connections that must be closed.
        """
        self.in_use.discard(connection)
        reason: str | None = None
        if self.status is Status.CLOSED:
            reason = "poolClosed"
        elif broken:
            reason = "error"
        elif self.is_stale(connection):
            reason = "stale"
        else:
            connection.idle_since = now
            self.idle.append(connection)
        return reason, self._serve(now) if self.queue else []

    def wants_filling(self) -> bool:
        """Whether min_size asks for a connection now; if so it is counted as pending."""
        fill = (
            self.status is Status.READY
            and self.size < self.min_size
            and self.pending < self.max_connecting
        )
        if fill:
            self.pending += 1
        return fill

    def ready(self) -> bool:
        """Let connections be made; False when it was so already."""
        if self.status is not Status.PAUSED:
            return False
        self.status = Status.READY
        self.cleared_because = None
        return True

    def clear(self, because: Exception | None) -> tuple[bool, list[C]]:
        """Begin a new generation; gives whether this paused the pool, and idle ones to close."""
        if self.status is Status.CLOSED:
            return False, []
        self._generations[None] += 1
        was_ready = self.status is Status.READY
        self.status = Status.PAUSED
        self.cleared_because = because
        self._answer_all(Outcome.PAUSED)
        return was_ready, self._drop_stale()

    def clear_service(self, service_id: Any) -> list[C]:
        """Begin a new generation of one service's connections; gives idle ones to close.

        The load balancer itself is still there, so the pool goes on.
        """
        self._generations[service_id] += 1
        return self._drop_stale()

    def _drop_stale(self) -> list[C]:
        stale = [connection for connection in self.idle if self.is_stale(connection)]
        self.idle = deque(c for c in self.idle if not self.is_stale(c))
        return stale

    def expire(self, now: float) -> list[tuple[C, str]]:
        """Idle connections that are too old."""
        gone = [(c, why) for c in self.idle if (why := self.perished(c, now))]
        for connection, _ in gone:
            self.idle.remove(connection)
        return gone

    def close(self) -> list[C]:
        """Close for good; gives the idle connections, those in use follow at check-in."""
        idle = list(self.idle)
        self.idle.clear()
        self.status = Status.CLOSED
        self._answer_all(Outcome.CLOSED)
        return idle

    def _answer_all(self, outcome: Outcome) -> None:
        while self.queue:
            self.queue[0].because = self.cleared_because
            self.queue.popleft().answer(outcome)

    def _serve(self, now: float) -> list[tuple[C, str]]:
        """Answer tickets in order while there is something to give."""
        gone: list[tuple[C, str]] = []
        while self.queue:
            connection = self._take_idle(now, gone)
            if connection is not None:
                self.in_use.add(connection)
                self.queue.popleft().answer(Outcome.USE, connection)
            elif self.pending < self.max_connecting and (
                not self.max_size or self.size < self.max_size
            ):
                self.pending += 1
                self.queue.popleft().answer(Outcome.CREATE)
            else:
                break
        return gone

    def _take_idle(self, now: float, gone: list[tuple[C, str]]) -> C | None:
        while self.idle:
            connection = self.idle.pop()
            why = self.perished(connection, now)
            if why is None:
                return connection
            gone.append((connection, why))
        return None
