"""A pool's transitions: who gets a connection, and which connections go."""

from __future__ import annotations

import pytest

from driver.pool.state import Outcome, Status
from tests.pool.pools import Connection, Pool, ask, check_in, create, outcomes, pool

WAIT, USE, CREATE = Outcome.WAIT, Outcome.USE, Outcome.CREATE


class Bell:
    def __init__(self) -> None:
        self.rings = 0

    def set(self) -> None:
        self.rings += 1


# Which tickets are answered, and how.


def test_the_first_tickets_create_connections_up_to_max_connecting() -> None:
    state = pool(max_connecting=2)
    assert outcomes(ask(state), ask(state), ask(state)) == [CREATE, CREATE, WAIT]
    assert (state.pending, state.size) == (2, 2)


def test_a_connection_that_is_ready_lets_the_next_ticket_create() -> None:
    state = pool(max_connecting=1)
    first, second, third = ask(state), ask(state), ask(state)
    state.created(Connection(), 0)
    assert outcomes(first, second, third) == [CREATE, CREATE, WAIT]
    assert (len(state.in_use), state.pending) == (1, 1)


def test_a_connection_that_could_not_be_made_lets_the_next_ticket_create() -> None:
    state = pool(max_connecting=1)
    _, second, third = ask(state), ask(state), ask(state)
    assert state.not_created(0) == []
    assert outcomes(second, third) == [CREATE, WAIT]
    assert state.size == 1


def test_max_size_counts_connections_in_use_idle_and_pending() -> None:
    state = pool(max_size=3, max_connecting=9)
    one, other = create(state), create(state)
    check_in(state, other)
    assert ask(state).connection is other
    assert outcomes(ask(state), ask(state)) == [CREATE, WAIT]
    assert state.size == 3
    assert {one, other} == state.in_use


def test_a_broken_connection_makes_room_for_another() -> None:
    state = pool(max_size=1)
    connection = create(state)
    ticket = ask(state)
    assert ticket.outcome is WAIT
    assert check_in(state, connection, broken=True) == "error"
    assert ticket.outcome is CREATE
    assert state.size == 1


def test_a_max_size_of_zero_is_no_limit() -> None:
    state = pool(max_size=0)
    for _ in range(250):
        create(state)
    assert state.size == 250


def test_those_who_come_when_as_many_wait_as_may_are_refused() -> None:
    state = pool(max_size=1, max_waiting=2)
    connection = create(state)
    first, second, third = ask(state), ask(state), ask(state)
    assert outcomes(first, second, third) == [WAIT, WAIT, Outcome.FULL]
    check_in(state, connection)
    assert outcomes(first, second, third, ask(state)) == [USE, WAIT, Outcome.FULL, WAIT]


def test_who_need_not_wait_is_served_where_nobody_may_wait() -> None:
    state = pool(max_size=1, max_waiting=0)
    connection = create(state)
    assert ask(state).outcome is Outcome.FULL
    check_in(state, connection)
    assert ask(state).connection is connection


def test_connections_that_come_back_go_to_tickets_in_the_order_of_asking() -> None:
    state = pool(max_size=2)
    one, other = create(state), create(state)
    first, second, third = ask(state), ask(state), ask(state)
    check_in(state, other)
    assert outcomes(first, second, third) == [USE, WAIT, WAIT]
    check_in(state, one)
    assert outcomes(first, second, third) == [USE, USE, WAIT]
    assert (first.connection, second.connection) == (other, one)
    assert state.in_use == {one, other}


def test_the_newest_idle_connection_is_used_first() -> None:
    state = pool()
    oldest, newest = create(state), create(state)
    check_in(state, oldest, 1)
    check_in(state, newest, 2)
    assert ask(state).connection is newest
    assert ask(state).connection is oldest


def test_an_idle_connection_is_taken_at_once_where_nobody_waits() -> None:
    state = pool(max_size=2, max_idle=10.0)
    assert state.take(0.0) is None
    older, newer = create(state), create(state)
    check_in(state, older)
    check_in(state, newer)
    assert (state.take(0.0), state.in_use) == (newer, {newer})
    assert state.take(10.5) is None  # it was idle too long
    assert list(state.idle) == [older]
    state.clear(None)
    state.ready()
    assert state.take(0.0) is None


def test_who_waits_comes_before_who_would_take() -> None:
    state = pool(max_size=1)
    connection = create(state)
    waiting = ask(state)
    check_in(state, connection)
    assert waiting.connection is connection
    assert state.take(0.0) is None
    state.queue.append(ask(state))
    state.idle.append(connection)
    assert state.take(0.0) is None


def test_an_answer_rings_the_waiting_tickets_bell_only() -> None:
    state = pool(max_size=1)
    connection = create(state)
    first, second = ask(state), ask(state)
    first.signal, second.signal = first_bell, second_bell = Bell(), Bell()
    check_in(state, connection)
    assert (first_bell.rings, second_bell.rings) == (1, 0)


# Giving up.


def test_a_ticket_that_gave_up_is_passed_over() -> None:
    state = pool(max_size=1)
    connection = create(state)
    first, second = ask(state), ask(state)
    state.give_up(first)
    check_in(state, connection)
    assert outcomes(first, second) == [WAIT, USE]
    assert not state.queue


def test_giving_up_too_late_leaves_the_answer() -> None:
    state = pool(max_size=1)
    connection = create(state)
    ticket = ask(state)
    check_in(state, connection)
    state.give_up(ticket)
    assert ticket.connection is connection
    assert state.in_use == {connection}


@pytest.mark.parametrize("end", ["clear", "close"])
def test_giving_up_after_the_queue_was_emptied_does_nothing(end: str) -> None:
    state = pool(max_size=1)
    create(state)
    ticket = ask(state)
    state.clear(None) if end == "clear" else state.close()
    state.give_up(ticket)
    assert ticket.outcome is (Outcome.PAUSED if end == "clear" else Outcome.CLOSED)


# Filled.


def test_a_filling_goes_to_who_waits_before_anything_else_is_made() -> None:
    state = pool(min_size=1, max_connecting=1)
    assert state.wants_filling()
    ticket = ask(state)
    assert ticket.outcome is WAIT
    filling = Connection()
    assert state.filled(filling, 0) == (None, [])
    assert (ticket.outcome, ticket.connection) == (USE, filling)
    assert (state.pending, state.in_use) == (0, {filling})


@pytest.mark.parametrize(("end", "reason"), [("clear", "stale"), ("close", "poolClosed")])
def test_a_filling_that_comes_too_late_is_closed(end: str, reason: str) -> None:
    state = pool(min_size=1)
    assert state.wants_filling()
    state.clear(None) if end == "clear" else state.close()
    assert state.filled(Connection(), 0) == (reason, [])
    assert state.size == 0


# Paused, ready, cleared.


def test_a_pool_is_paused_until_it_is_ready() -> None:
    state = pool(ready=False, min_size=1)
    assert ask(state).outcome is Outcome.PAUSED
    assert not state.wants_filling()
    assert state.ready()
    assert not state.ready()
    assert ask(state).outcome is CREATE


def test_clear_answers_the_queue_and_gives_up_idle_connections() -> None:
    state = pool(max_size=2)
    used, idle = create(state), create(state)
    check_in(state, idle)
    taken = ask(state)
    waiting = ask(state)
    waiting.signal = bell = Bell()
    check_in(state, idle)
    waiting_still = ask(state)
    because = OSError("reset")
    paused, gone = state.clear(because)
    assert (paused, gone) == (True, [])
    assert outcomes(taken, waiting, waiting_still) == [USE, USE, Outcome.PAUSED]
    assert (state.generation, state.status, bell.rings) == (1, Status.PAUSED, 1)
    assert state.cleared_because is because
    assert state.in_use == {used, idle}


def test_idle_connections_are_given_to_the_caller_of_clear() -> None:
    state = pool()
    idle = create(state)
    check_in(state, idle)
    assert state.clear(None) == (True, [idle])
    assert state.size == 0


def test_clearing_a_paused_pool_is_a_new_generation_but_no_pause() -> None:
    state = pool(ready=False)
    assert state.clear(None) == (False, [])
    assert state.generation == 1


def of_service(state: Pool, service: str) -> Connection:
    connection = create(state)
    connection.service_id = service
    connection.generation = state.generation_of(service)
    return connection


def test_clearing_a_service_lets_tickets_wait_on() -> None:
    state = pool(max_size=1)
    connection = of_service(state, "a")
    ticket = ask(state)
    assert state.clear_service("a") == []
    assert (state.status, ticket.outcome) == (Status.READY, WAIT)
    assert check_in(state, connection) == "stale"
    assert ticket.outcome is CREATE


def test_clearing_a_service_leaves_the_connections_of_others() -> None:
    state = pool()
    used, idle, other = (of_service(state, service) for service in "aab")
    check_in(state, idle)
    check_in(state, other)
    assert state.clear_service("a") == [idle]
    assert [state.generation_of(service) for service in ("a", "b", None)] == [1, 0, 0]
    assert check_in(state, used) == "stale"
    assert ask(state).connection is other
    assert check_in(state, of_service(state, "a")) is None


def test_what_connections_are_kept_for_is_counted() -> None:
    state = pool()
    create(state).kept_for = "cursors"
    create(state)
    idle = create(state)
    check_in(state, idle)
    assert state.uses() == {"cursors": 1, None: 1}


def test_connections_of_an_earlier_generation_are_closed_when_they_come_back() -> None:
    state = pool()
    used = create(state)
    assert ask(state).outcome is CREATE  # under way while the pool is cleared
    state.clear(None)
    state.ready()
    begun_before = Connection(generation=0)
    state.created(begun_before, 0)
    assert check_in(state, begun_before) == "stale"
    assert check_in(state, used) == "stale"
    assert state.size == 0


def test_ready_forgets_why_the_pool_was_cleared() -> None:
    state = pool()
    state.clear(OSError("reset"))
    assert state.ready()
    assert state.cleared_because is None


# Expiry and filling.


def test_an_idle_connection_expires_when_it_was_idle_for_longer_than_max_idle() -> None:
    state = pool(max_idle=10.0)
    connection = create(state)
    check_in(state, connection, 100)
    assert state.expire(110) == []
    assert state.expire(110.1) == [(connection, "idle")]
    assert state.size == 0


def test_an_expired_connection_is_not_handed_out() -> None:
    state = pool(max_idle=10.0)
    old, older = create(state), create(state)
    check_in(state, older, 100)
    check_in(state, old, 101)
    ticket, gone = state.ask(112)
    assert ticket.outcome is CREATE
    assert gone == [(old, "idle"), (older, "idle")]
    assert state.size == 1


def test_a_connection_of_an_earlier_generation_has_perished_whatever_its_age() -> None:
    state = pool()
    state.clear(None)
    assert state.perished(Connection(generation=0), 0) == "stale"
    assert state.perished(Connection(generation=1), 0) is None


def test_time_in_use_is_no_idle_time() -> None:
    state = pool(max_idle=10.0)
    connection = create(state, 0)
    check_in(state, connection, 1000)
    assert state.expire(1009) == []
    assert ask(state, 1009).connection is connection


def test_without_max_idle_nothing_expires() -> None:
    state = pool()
    connection = create(state)
    check_in(state, connection)
    assert state.expire(1e9) == []


def test_a_pool_is_filled_to_its_min_size_two_at_a_time() -> None:
    state = pool(min_size=3, max_connecting=2)
    assert [state.wants_filling() for _ in range(3)] == [True, True, False]
    state.created(Connection(), 0)
    assert [state.wants_filling() for _ in range(2)] == [True, False]
    assert state.size == 3


def test_connections_in_use_count_for_min_size() -> None:
    state = pool(min_size=1)
    create(state)
    assert not state.wants_filling()


# The end.


def test_a_closed_pool_refuses_and_empties_itself() -> None:
    state = pool(min_size=2)
    used, idle = create(state), create(state)
    check_in(state, idle)
    assert state.close() == [idle]
    assert ask(state).outcome is Outcome.CLOSED
    assert check_in(state, used) == "poolClosed"
    assert not state.ready()
    assert not state.wants_filling()
    assert state.clear(None) == (False, [])
    assert (state.status, state.size) == (Status.CLOSED, 0)


def test_closing_answers_those_who_wait() -> None:
    state = pool(max_size=1)
    create(state)
    ticket = ask(state)
    ticket.signal = bell = Bell()
    assert state.close() == []
    assert (ticket.outcome, bell.rings) == (Outcome.CLOSED, 1)


def test_a_connection_that_was_begun_before_the_end_is_closed_at_its_return() -> None:
    state = pool()
    assert ask(state).outcome is CREATE
    state.close()
    late = Connection()
    state.created(late, 0)
    assert check_in(state, late) == "poolClosed"
