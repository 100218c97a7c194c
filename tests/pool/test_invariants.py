"""Whatever happens to a pool, and in whatever order: what always holds."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from driver.pool.state import Outcome, Status, Ticket
from tests.pool.pools import Connection, Pool, pool

Services = tuple[str | None, ...]
Closed = list[tuple[Connection, str]]
LIMIT = st.sampled_from([0, 1, 2, 3, 5])


class Bell:
    """Rung when a waiting ticket is answered."""

    def __init__(self) -> None:
        self.rings = 0

    def set(self) -> None:
        self.rings += 1


class PoolMachine(RuleBasedStateMachine):
    """Does what the engine may do, and keeps books of its own beside the pool's."""

    pool: Pool

    @initialize(
        least=LIMIT,
        most=LIMIT,
        connecting=st.integers(1, 3),
        idle=st.sampled_from([None, 5.0]),
        waiting=st.sampled_from([None, 0, 1, 2]),
        services=st.sampled_from([(None,), ("a", "b")]),
    )
    def begin(
        self,
        least: int,
        most: int,
        connecting: int,
        idle: float | None,
        waiting: int | None,
        services: Services,
    ) -> None:
        self.now = 0.0
        self.services = services
        least = min(least, most) if most else least
        self.most_waiting = waiting
        self.pool = pool(
            min_size=least,
            max_size=most,
            max_connecting=connecting,
            max_idle=idle,
            max_waiting=waiting,
        )
        self.alive: set[Connection] = set()
        self.used: list[Connection] = []
        self.begun: list[int] = []  # generations of connections under way
        self.waiting: list[Ticket[Connection]] = []
        self.bells: dict[Ticket[Connection], Bell] = {}
        self.clears: Counter[str | None] = Counter()

    # What the engine does.

    @rule()
    def time_passes(self) -> None:
        self.now += 10

    @rule(times=st.integers(1, 4))
    def ask(self, times: int) -> None:
        for _ in range(times):
            ticket, gone = self.pool.ask(self.now)
            self.close_all(gone)
            if ticket.outcome is Outcome.WAIT:
                ticket.signal = self.bells[ticket] = Bell()
                self.waiting.append(ticket)
            elif ticket.outcome is Outcome.FULL:
                assert len(self.waiting) == self.most_waiting
            else:
                assert not self.waiting, "overtook those who wait"
                self.take(ticket)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(ticket)
        self.pool.give_up(ticket)
        assert ticket.outcome is Outcome.WAIT

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), works=st.sampled_from([True, True, False]))
    def finish_connecting(self, data: st.DataObject, works: bool) -> None:
        generation = self.begun.pop(data.draw(st.integers(0, len(self.begun) - 1)))
        service = data.draw(st.sampled_from(self.services))
        self.finish(generation, works=works, service=service)

    @precondition(lambda self: self.used)
    @rule(data=st.data(), broken=st.sampled_from([False, False, True]))
    def check_in(self, data: st.DataObject, broken: bool) -> None:
        self.now += 1
        self.give_back(self.used.pop(data.draw(st.integers(0, len(self.used) - 1))), broken=broken)

    @rule()
    def fill(self) -> None:
        room = self.pool.min_size - self.pool.size
        if self.pool.wants_filling():
            assert room > 0
            self.begun.append(self.pool.generation)

    @rule()
    def expire(self) -> None:
        self.close_all(self.pool.expire(self.now))

    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        service = data.draw(st.sampled_from(self.services))
        self.clears[service] += 1
        if service is None:
            _, idle = self.pool.clear(None)
        else:
            idle = self.pool.clear_service(service)
        self.close_all([(connection, "stale") for connection in idle])
        self.take_answers()

    @precondition(lambda self: self.pool.status is Status.PAUSED)
    @rule()
    def ready(self) -> None:
        assert self.pool.ready()

    def teardown(self) -> None:
        """Once the pool is closed and everything has come back, nothing is left."""
        self.close_all([(connection, "poolClosed") for connection in self.pool.close()])
        self.take_answers()
        assert not self.waiting
        assert not self.pool.idle
        while self.begun:
            self.finish(self.begun.pop(), works=True, service=self.services[0])
        while self.used:
            self.give_back(self.used.pop(), broken=False)
        assert not self.alive
        assert self.pool.size == 0

    # The books.

    def finish(self, generation: int, *, works: bool, service: str | None) -> None:
        if not works:
            self.close_all(self.pool.not_created(self.now))
        else:
            if service is not None:
                generation = self.pool.generation_of(service)
            connection = Connection(generation, self.now, service)
            self.alive.add(connection)
            self.used.append(connection)
            self.close_all(self.pool.created(connection, self.now))
        self.take_answers()

    def give_back(self, connection: Connection, *, broken: bool) -> None:
        stale = connection.generation != self.clears[connection.service_id]
        closed = self.pool.status is Status.CLOSED
        reason, gone = self.pool.check_in(connection, self.now, broken=broken)
        assert (reason is not None) == (broken or stale or closed)
        self.close_all([(connection, reason)] if reason else [])
        self.close_all(gone)
        self.take_answers()

    def close_all(self, gone: Closed) -> None:
        for connection, _ in gone:
            self.alive.remove(connection)  # a KeyError here: it was closed twice

    def take_answers(self) -> None:
        """Those who were answered came before those who still wait."""
        answered = [ticket for ticket in self.waiting if ticket.outcome is not Outcome.WAIT]
        assert answered == self.waiting[: len(answered)], "not in the order of asking"
        self.waiting = self.waiting[len(answered) :]
        for ticket in answered:
            self.take(ticket)

    def take(self, ticket: Ticket[Connection]) -> None:
        if ticket.outcome is Outcome.CREATE:
            self.begun.append(self.pool.generation)
        elif ticket.outcome is Outcome.USE:
            assert ticket.connection is not None
            assert self.pool.perished(ticket.connection, self.now) is None
            assert ticket.connection in self.alive - set(self.used)
            self.used.append(ticket.connection)
        else:
            assert self.pool.status.value == ticket.outcome.value
            assert ticket.connection is None

    # What always holds.

    @invariant()
    def every_connection_is_in_exactly_one_place(self) -> None:
        idle = list(self.pool.idle)
        assert self.pool.in_use == set(self.used)
        assert len(idle) + len(self.used) == len(self.alive)
        assert {*idle, *self.used} == self.alive
        assert self.pool.pending == len(self.begun)

    @invariant()
    def the_limits_hold(self) -> None:
        assert self.pool.pending <= self.pool.max_connecting
        assert not self.pool.max_size or self.pool.size <= self.pool.max_size
        assert self.most_waiting is None or len(self.pool.queue) <= self.most_waiting

    @invariant()
    def nobody_is_forgotten_or_answered_twice(self) -> None:
        assert list(self.pool.queue) == self.waiting
        for ticket, bell in self.bells.items():
            assert bell.rings == (ticket.outcome is not Outcome.WAIT)

    @invariant()
    def nobody_waits_without_need(self) -> None:
        if self.waiting:
            full = self.pool.max_size and self.pool.size == self.pool.max_size
            assert self.pool.status is Status.READY
            assert not self.pool.idle
            assert full or self.pool.pending == self.pool.max_connecting

    @invariant()
    def idle_connections_are_of_this_generation_and_oldest_first(self) -> None:
        assert self.pool.generation == self.clears[None]
        assert all(c.generation == self.clears[c.service_id] for c in self.pool.idle)
        ages = [c.idle_since for c in self.pool.idle]
        assert ages == sorted(ages)


def test_the_invariants_hold() -> None:
    run_state_machine_as_test(
        PoolMachine,
        settings=settings(max_examples=100, stateful_step_count=40, deadline=None, database=None),
    )
