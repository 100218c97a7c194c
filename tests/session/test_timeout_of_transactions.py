"""timeoutMS of transactions and sessions, against a scripted peer (CSOT, "Sessions")."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

import pytest

import driver
from driver import InsertOne, WriteConcern
from driver.errors import (
    TRANSIENT_TRANSACTION,
    UNKNOWN_COMMIT_RESULT,
    ConfigurationError,
    InvalidOperation,
    MongoError,
    NetworkTimeout,
    OperationTimeout,
)
from driver.gridfs import AsyncGridFSBucket, GridFSBucket
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    batch,
    failure,
    in_turn,
    names,
    primary,
    quick_monitors,
    sent,
    slowly,
)
from tests.engine.scripted import SILENCE

Wait = Callable[[Any], Awaitable[Any]]
Body = Callable[[Any, Any, Wait], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def told(server: Any, *names: str) -> list[Any]:
    return [command.get("maxTimeMS") for command in sent(server, *names)]


async def run(shell: str, session: Any, body: Body, client: Any, wait: Wait) -> Any:
    """`with_transaction`, with a callback for the shell."""
    if shell == "asyncio":
        return await session.with_transaction(lambda inner: body(client, inner, wait))
    return session.with_transaction(lambda inner: _finished(body(client, inner, wait)))


def _finished(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a sync client's call suspended")


async def insert(client: Any, session: Any, wait: Wait) -> Any:
    return await wait(client.t.c.insert_one({}, session=session))


async def started(client: Any, wait: Wait, **options: Any) -> Any:
    """A session with a transaction that the server knows of."""
    session = client.start_session(**options)
    await wait(session.start_transaction())
    await insert(client, session, wait)
    return session


# The ends of a transaction.


@both_shells
@pytest.mark.parametrize("end", ["commit_transaction", "abort_transaction", "end_session"])
@pytest.mark.parametrize(
    ("client_ms", "session_ms", "least", "most"),
    [(20_000, None, 10_000, 20_000), (1, 20_000, 10_000, 20_000), (None, 20_000, 10_000, 20_000)],
)
def test_ends_have_the_sessions_timeout_or_else_the_clients(
    shell: str, end: str, client_ms: int | None, session_ms: int | None, least: int, most: int
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(0):
            session = await started(client, wait, default_timeout_ms=session_ms)
        await wait(getattr(session, end)())

    options = {} if client_ms is None else {"timeoutMS": client_ms}
    with primary() as server:
        use(shell, server.uri, act, **QUICK, **options)
    (left,) = told(server, "commitTransaction", "abortTransaction")
    assert least < left <= most


@both_shells
def test_other_operations_do_not_have_the_sessions_timeout(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = await started(client, wait, default_timeout_ms=20_000)
        await wait(session.end_session())

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert told(server, "insert") == [None]


@both_shells
def test_without_a_timeout_a_commit_has_what_was_asked_for(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(
            session.start_transaction(
                max_commit_time_ms=7, write_concern=WriteConcern(w=1, wtimeout=9)
            )
        )
        await insert(client, session, wait)
        with driver.timeout(20):
            await wait(session.commit_transaction())
        await wait(session.commit_transaction())

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    limited, plain = sent(server, "commitTransaction")
    assert limited["maxTimeMS"] > 10_000
    assert limited["writeConcern"] == {"w": 1}
    assert plain["maxTimeMS"] == 7
    assert plain["writeConcern"] == {"w": "majority", "wtimeout": 9}


@both_shells
@pytest.mark.parametrize("way", ["client", "session", "block"])
def test_ending_a_session_does_not_wait_longer_for_its_abort(shell: str, way: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        ms = 200 if way == "session" else None
        session = await started(client, wait, default_timeout_ms=ms)
        began = time.monotonic()
        with driver.timeout(0.2) if way == "block" else nullcontext():
            await wait(session.end_session())
        assert 0.2 <= time.monotonic() - began < 5
        assert session.has_ended

    options = {"timeoutMS": 200} if way == "client" else {}
    with primary(in_turn(abortTransaction=[SILENCE])) as server:
        use(shell, server.uri, act, **QUICK, **options)
    assert names(server) == ["insert", "abortTransaction"]


@pytest.mark.parametrize("wrong", [-1, "1"])
def test_a_sessions_timeout_is_a_time(wrong: Any) -> None:
    with (
        driver.MongoClient(connect=False) as client,
        pytest.raises(ConfigurationError, match="timeout_ms"),
    ):
        client.start_session(default_timeout_ms=wrong)


# with_transaction.


@both_shells
@pytest.mark.parametrize("way", ["client", "session", "block"])
def test_all_commands_of_with_transaction_share_its_deadline(shell: str, way: str) -> None:
    async def body(client: Any, session: Any, wait: Wait) -> None:
        await insert(client, session, wait)
        await wait(client.t.c.bulk_write([InsertOne({})], session=session))
        await wait(client.t.c.find({}, session=session).to_list())
        await wait(client.t.with_options(timeout_ms=1).c.insert_one({}, session=session))
        await wait(client.t.command("ping", session=session))

    async def act(client: Any, wait: Wait) -> None:
        ms = 20_000 if way == "session" else None
        session = client.start_session(default_timeout_ms=ms)
        with driver.timeout(20) if way == "block" else nullcontext():
            await run(shell, session, body, client, wait)
        with driver.timeout(1_000):  # the deadline ends with the call
            await insert(client, session, wait)

    options = {"timeoutMS": 20_000} if way == "client" else {}
    script = in_turn(find=[batch(0, first=True)])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, **options)
    *left, after = told(server)
    assert names(server)[-2] == "commitTransaction"
    assert len(left) == 6
    assert left == sorted(left, reverse=True)
    assert 10_000 < left[-1] <= left[0] <= 20_000
    assert after > 500_000


@both_shells
def test_operations_without_the_session_don_t_know_of_it(shell: str) -> None:
    async def body(client: Any, session: Any, wait: Wait) -> None:
        await insert(client, None, wait)

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session(default_timeout_ms=20_000)
        await run(shell, session, body, client, wait)

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert told(server, "insert") == [None]


@both_shells
def test_a_timeout_of_its_own_is_refused_within_the_callback(shell: str) -> None:
    async def body(client: Any, session: Any, wait: Wait) -> None:
        with driver.timeout(1):
            await insert(client, session, wait)

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        with pytest.raises(InvalidOperation, match="must not override"):
            await run(shell, session, body, client, wait)

    with primary() as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=20_000)
    assert names(server) == []


@both_shells
def test_without_a_timeout_blocks_are_allowed_within_the_callback(shell: str) -> None:
    async def body(client: Any, session: Any, wait: Wait) -> None:
        with driver.timeout(20):
            await insert(client, session, wait)

    async def act(client: Any, wait: Wait) -> None:
        await run(shell, client.start_session(), body, client, wait)

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    (left,) = told(server, "insert")
    assert left > 10_000


@both_shells
def test_files_are_stored_within_the_callback_by_its_deadline(shell: str) -> None:
    async def body(client: Any, session: Any, wait: Wait) -> None:
        bucket: Any = GridFSBucket if shell == "sync" else AsyncGridFSBucket
        await wait(bucket(client.t).upload_from_stream("name", b"data", session=session))

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session(default_timeout_ms=20_000)
        await run(shell, session, body, client, wait)

    script = in_turn(find=[batch(0, 1, first=True)])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=1_000)
    assert all(left > 1_000 for left in told(server, "find", "insert"))
    assert len(told(server, "find", "insert")) == 3


@both_shells
def test_aborting_after_an_error_has_the_timeout_anew(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        began = time.monotonic()
        with pytest.raises(NetworkTimeout):
            await run(shell, session, insert, client, wait)
        assert 0.8 <= time.monotonic() - began < 5

    script = in_turn(insert=[SILENCE], abortTransaction=[SILENCE])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=400)
    assert names(server) == ["insert", "abortTransaction"]
    assert 0 < told(server)[1] <= 400


@both_shells
@pytest.mark.parametrize("failing", ["insert", "commitTransaction"])
def test_it_is_tried_again_until_the_deadline(shell: str, failing: str) -> None:
    label = TRANSIENT_TRANSACTION if failing == "insert" else UNKNOWN_COMMIT_RESULT
    error = failure(24, label)
    script = slowly(in_turn(**{failing: [error] * 1000}), **{failing: 0.02})

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.command("ping"))
        session = client.start_session(default_timeout_ms=3000)
        began = time.monotonic()
        with pytest.raises(MongoError) as caught:
            await run(shell, session, insert, client, wait)
        assert caught.value.timeout
        assert caught.value.has_error_label(label)
        if isinstance(caught.value, OperationTimeout):  # else the last answer came too late
            assert caught.value.__cause__ is not None
        assert time.monotonic() - began < 10

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)
    assert len(sent(server, failing)) > 1
