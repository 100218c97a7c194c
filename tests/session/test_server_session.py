"""The pool of server sessions: which one is used again, and for how long."""

from __future__ import annotations

from driver.session.server_session import ServerSession, ServerSessionPool

MINUTES = 30
LAST_MOMENT = (MINUTES - 1) * 60.0
"""Seconds after its last use until which a session is used again."""


def pool_of(*sessions: ServerSession) -> ServerSessionPool:
    """A pool into which sessions were put in this order."""
    pool = ServerSessionPool()
    for session in sessions:
        pool.release(session, session.last_use, MINUTES)
    return pool


def test_a_session_has_an_id_of_its_own() -> None:
    one, other = ServerSession(0), ServerSession(0)
    assert one.id != other.id
    assert list(one.id) == ["id"]
    assert (one.id["id"].subtype, len(one.id["id"])) == (4, 16)


def test_an_empty_pool_makes_a_session() -> None:
    pool = ServerSessionPool()
    assert pool.acquire(5, MINUTES).last_use == 5
    assert pool.acquire(5, MINUTES) is not pool.acquire(5, MINUTES)


def test_the_session_used_last_is_used_first() -> None:
    first, second = ServerSession(0), ServerSession(0)
    pool = pool_of(first, second)
    assert pool.acquire(0, MINUTES) is second
    assert pool.acquire(0, MINUTES) is first


def test_a_session_is_used_again_until_a_minute_before_it_expires() -> None:
    session = ServerSession(0)
    assert pool_of(session).acquire(LAST_MOMENT, MINUTES) is session
    assert pool_of(session).acquire(LAST_MOMENT + 0.1, MINUTES) is not session


def test_expired_sessions_are_dropped_until_one_is_found() -> None:
    old, newer = ServerSession(0), ServerSession(100)
    pool = pool_of(newer, old)  # the order in which they came back is not that of their use
    assert pool.acquire(LAST_MOMENT + 50, MINUTES) is newer
    assert pool.drain() == []


def test_an_expired_session_is_not_put_back() -> None:
    pool = ServerSessionPool()
    pool.release(ServerSession(0), LAST_MOMENT + 1, MINUTES)
    assert pool.drain() == []


def test_a_session_that_comes_back_makes_the_expired_ones_go() -> None:
    old, older, fresh = ServerSession(1), ServerSession(0), ServerSession(LAST_MOMENT)
    pool = pool_of(older, old)
    pool.release(fresh, LAST_MOMENT + 10, MINUTES)
    assert pool.drain() == [fresh.id]


def test_a_dirty_session_is_not_put_back() -> None:
    session = ServerSession(0)
    session.dirty = True
    assert pool_of(session).drain() == []


def test_without_a_timeout_nothing_expires() -> None:
    session = ServerSession(0)
    pool = ServerSessionPool()
    pool.release(session, 1e9, None)
    assert pool.acquire(1e9, None) is session


def test_the_deployments_timeout_of_now_counts() -> None:
    session = ServerSession(0)
    assert pool_of(session).acquire(61, 2) is not session


def test_transaction_numbers_go_on_when_a_session_is_used_again() -> None:
    session = ServerSession(0)
    assert [session.next_txn_number() for _ in range(3)] == [1, 2, 3]
    assert pool_of(session).acquire(0, MINUTES).next_txn_number() == 4


def test_draining_gives_all_ids_once() -> None:
    sessions = [ServerSession(0) for _ in range(3)]
    pool = pool_of(*sessions)
    assert pool.drain() == [session.id for session in reversed(sessions)]
    assert pool.drain() == []
