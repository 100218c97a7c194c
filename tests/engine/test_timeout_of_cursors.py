"""timeoutMS of cursors and change streams: for all their life, or anew with every call (CSOT)."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import driver
from driver import CursorType, TimeoutMode
from driver.errors import (
    RESUMABLE_CHANGE_STREAM,
    ConfigurationError,
    ExecutionTimeout,
    MongoError,
    NetworkTimeout,
    OperationFailure,
    OperationTimeout,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    batch,
    failure,
    in_turn,
    movable_clock,
    names,
    primary,
    quick_monitors,
    sent,
    slowly,
)
from tests.engine.scripted import SILENCE, Answer, Script

Wait = Callable[[Any], Awaitable[Any]]

LIFETIME, ITERATION = TimeoutMode.CURSOR_LIFETIME, TimeoutMode.ITERATION


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def told(command: dict[str, Any]) -> Any:
    return command.get("maxTimeMS")


# Cursors that end.


@both_shells
@pytest.mark.parametrize("mode", [None, LIFETIME, "cursorLifetime"])
def test_a_timeout_is_for_all_the_life_of_a_cursor(shell: str, mode: str | None) -> None:
    script = in_turn(find=[batch(7, 1, first=True)], getMore=[batch(0, 2)])

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(NetworkTimeout):
            await wait(client.t.c.find(timeout_mode=mode).to_list())

    with primary(slowly(script, find=3.2, getMore=3.2)) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=6_000)
    find, more = sent(server, "find", "getMore")
    assert 0 < told(find) <= 6_000
    assert told(more) is None


@both_shells
def test_iteration_begins_the_timeout_anew_for_each_batch(shell: str) -> None:
    """Also in a block, which for any other cursor is the time for all of it."""
    script = in_turn(
        find=[batch(7, 1, first=True), batch(8, 1, first=True)],
        getMore=[batch(7, 2), batch(0, 3), batch(0, 2)],
    )

    async def act(client: Any, wait: Wait) -> None:
        assert len(await wait(client.t.c.find(timeout_mode=ITERATION).to_list())) == 3
        with driver.timeout(2.0):
            assert len(await wait(client.t.c.find(timeout_mode=ITERATION).to_list())) == 2

    with primary(slowly(script, find=1.1, getMore=1.1)) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=2_000)
    assert [told(command) for command in sent(server, "find", "getMore")] == [None] * 5


@both_shells
def test_what_is_here_is_given_however_late_it_is(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = movable_clock(monkeypatch)
    script = in_turn(find=[batch(7, 1, 2, first=True)])

    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find()
        assert await wait(cursor.try_next()) == {"_id": 1}
        forward(60)
        assert await wait(cursor.try_next()) == {"_id": 2}
        for _ in range(2):
            with pytest.raises(OperationTimeout, match="getMore was not sent"):
                await wait(cursor.try_next())
        assert "getMore" not in names(server)
        await wait(cursor.close())

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=30_000)
    assert names(server) == ["find", "killCursors"]


@both_shells
def test_closing_begins_the_timeout_anew(shell: str) -> None:
    script = in_turn(find=[batch(7, 1, first=True)], getMore=[SILENCE])

    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find()
        with pytest.raises(NetworkTimeout):
            await wait(cursor.to_list())
        assert "killCursors" not in names(server)
        await wait(cursor.close())

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=300)
    (kill,) = sent(server, "killCursors")
    assert 0 < told(kill) <= 300


@both_shells
def test_a_block_around_close_is_its_timeout(shell: str) -> None:
    script = in_turn(find=[batch(7, 1, first=True)])

    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(0.5):
            cursor = client.t.c.find()
            await wait(cursor.try_next())
        with driver.timeout(20):
            await wait(cursor.close())

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)
    (kill,) = sent(server, "killCursors")
    assert told(kill) > 500


@both_shells
def test_a_cursor_of_a_block_keeps_its_timeout_and_another_block_can_shorten_it(
    shell: str,
) -> None:
    script = in_turn(find=[batch(7, 1, first=True)], getMore=[SILENCE])

    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(30):
            cursor = client.t.c.find()
            await wait(cursor.try_next())
        began = time.monotonic()
        with driver.timeout(0.2), pytest.raises(NetworkTimeout):
            await wait(cursor.try_next())
        assert time.monotonic() - began < 5

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
def test_a_command_of_the_users_own_may_have_a_cursor(shell: str) -> None:
    script = in_turn(
        listThings=[batch(7, 1, first=True), batch(7, 2, first=True)],
        getMore=[batch(0, 3), batch(0, 4)],
    )

    async def act(client: Any, wait: Wait) -> None:
        plain = await wait(client.t.cursor_command("listThings"))
        await wait(plain.to_list())
        waiting = await wait(
            client.t.cursor_command(
                {"listThings": 1, "tailable": True, "awaitData": True}, max_await_time_ms=50
            )
        )
        await wait(waiting.to_list())
        with pytest.raises(ConfigurationError, match="a tailable cursor has no end"):
            await wait(client.t.cursor_command({"x": 1, "tailable": True}, timeout_mode=LIFETIME))

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=20_000)
    first, more, second, more_of_second = sent(server, "listThings", "getMore")
    assert told(first) > 1_000
    assert told(more) is None
    assert told(second) > 1_000
    assert told(more_of_second) == 50


CONTRADICTIONS: list[Callable[[Any], Any]] = [
    lambda t: t.c.find(timeout_mode=ITERATION).to_list(),
    lambda t: t.c.aggregate([], timeout_mode=LIFETIME),
    lambda t: t.aggregate([], timeout_mode=LIFETIME),
    lambda t: t.list_collections(timeout_mode=LIFETIME),
    lambda t: t.c.list_indexes(timeout_mode=LIFETIME),
    lambda t: t.cursor_command("find", timeout_mode=LIFETIME),
]
OF_TIMEOUTS: list[Callable[[Any], Any]] = [
    lambda t: t.c.aggregate([{"$out": "d"}], timeout_mode=ITERATION),
    lambda t: t.aggregate([{"$merge": "d"}], timeout_mode=ITERATION),
    lambda t: t.c.aggregate([], maxAwaitTimeMS=5_000),
    lambda t: t.c.watch(max_await_time_ms=5_000),
    lambda t: t.c.find(cursor_type=CursorType.TAILABLE_AWAIT, max_await_time_ms=5_001).to_list(),
    lambda t: t.c.find(cursor_type=CursorType.TAILABLE, timeout_mode=LIFETIME).to_list(),
    lambda t: t.c.find(timeout_mode="for ever").to_list(),
]


@both_shells
@pytest.mark.parametrize(
    ("call", "timeout_ms"),
    [*((call, None) for call in CONTRADICTIONS), *((call, 5_000) for call in OF_TIMEOUTS)],
)
def test_contradictions_are_refused_before_anything_is_sent(
    shell: str, call: Callable[[Any], Any], timeout_ms: int | None
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(ConfigurationError):
            await wait(call(client.t))

    options = {} if timeout_ms is None else {"timeoutMS": timeout_ms}
    with primary() as server:
        use(shell, server.uri, act, **QUICK, **options)
    assert names(server) == []


# Cursors that wait.


def tailing(*more: Answer) -> Script:
    return in_turn(find=[batch(7, 1, first=True)], getMore=[*more, *[batch(7)] * 100])


@both_shells
@pytest.mark.parametrize(
    ("kind", "options", "first", "second"),
    [
        (CursorType.TAILABLE, {}, False, None),
        (CursorType.TAILABLE_AWAIT, {}, True, None),
        (CursorType.TAILABLE_AWAIT, {"max_await_time_ms": 40}, True, 40),
    ],
)
def test_what_the_commands_of_a_tailable_cursor_tell(
    shell: str, kind: int, options: dict[str, Any], first: bool, second: int | None
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, cursor_type=kind, max_time_ms=7, **options)
        assert await wait(cursor.try_next()) == {"_id": 1}
        assert await wait(cursor.try_next()) is None
        await wait(cursor.close())

    with primary(tailing()) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=20_000)
    find, more = sent(server, "find", "getMore")
    assert ("maxTimeMS" in find) is first
    assert told(find) != 7
    assert told(more) == second


@both_shells
def test_a_tailable_cursor_has_its_timeout_anew_with_every_call(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, cursor_type=CursorType.TAILABLE)
        for _ in range(4):
            await wait(cursor.try_next())
        await wait(cursor.close())

    with primary(slowly(tailing(), find=0.4, getMore=0.4)) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=1_000)
    assert len(sent(server, "getMore")) == 3


@both_shells
def test_waiting_for_the_next_document_is_one_call_with_one_timeout(shell: str) -> None:
    empty = batch(7)

    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, cursor_type=CursorType.TAILABLE_AWAIT, max_await_time_ms=900)
        assert await wait(cursor.wait_next()) == {"_id": 1}
        assert await wait(cursor.wait_next()) == {"_id": 2}
        with pytest.raises(MongoError) as caught:
            await wait(cursor.wait_next())
        assert caught.value.timeout

    script = tailing(empty, empty, batch(7, 2))
    with primary(slowly(script, getMore=0.2)) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=1_000)
    awaited = [told(command) for command in sent(server, "getMore")]
    assert awaited[0] == 900
    assert awaited[1] <= 800
    assert awaited[2] <= 600
    assert awaited[3] == 900
    assert 4 < len(awaited) < 10


@both_shells
def test_waiting_ends_with_the_cursor(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, cursor_type=CursorType.TAILABLE)
        assert await wait(cursor.wait_next()) == {"_id": 1}
        assert await wait(cursor.wait_next()) is None
        assert not cursor.alive

    with primary(tailing(batch(7), batch(0))) as server:
        use(shell, server.uri, act, **QUICK)


# Change streams.


TOKEN = {"_data": "80"}


def changes(number: int, *ids: int, first: bool = False) -> Answer:
    """A batch of a change stream."""
    key = "firstBatch" if first else "nextBatch"
    found = [{"_id": {"_data": str(i)}, "number": i} for i in ids]
    cursor = {"id": number, "ns": "t.c", key: found, "postBatchResumeToken": TOKEN}
    return {"ok": 1, "cursor": cursor}


def watched(*more: Answer, opened: int = 10) -> Script:
    first = [changes(7 + i, first=True) for i in range(opened)]
    return in_turn(aggregate=first, getMore=list(more))


async def next_of(stream: Any, wait: Wait) -> Any:
    return await wait(stream.next())


@both_shells
def test_a_change_stream_outlives_a_timeout_and_is_resumed_by_the_next_call(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch(max_await_time_ms=1))
        with pytest.raises(NetworkTimeout):
            await next_of(stream, wait)
        assert stream.alive
        assert names(server) == ["aggregate", "getMore"]
        assert (await next_of(stream, wait))["number"] == 5
        await wait(stream.close())

    with primary(watched(SILENCE, changes(8, 5))) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=400)
    commands = sent(server, "aggregate", "getMore")
    assert [next(iter(command)) for command in commands] == ["aggregate", "getMore"] * 2
    again = commands[2]
    assert again["pipeline"][0]["$changeStream"]["resumeAfter"] == TOKEN
    assert all(0 < told(command) <= 400 for command in (commands[0], again))
    assert [told(command) for command in commands[1::2]] == [1, 1]


@both_shells
def test_the_servers_timeout_is_one_too(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch())
        with pytest.raises(ExecutionTimeout):
            await next_of(stream, wait)
        assert (await next_of(stream, wait))["number"] == 5
        await wait(stream.close())

    with primary(watched(failure(50), changes(8, 5))) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=20_000)
    assert len(sent(server, "aggregate")) == 2


@both_shells
def test_a_resume_shares_the_deadline_of_its_call(shell: str) -> None:
    resumable = failure(7, RESUMABLE_CHANGE_STREAM)
    script = slowly(watched(resumable, changes(8, 5)), getMore=1.4)
    opened = 0

    def answer(command: dict[str, Any]) -> Answer:
        nonlocal opened
        if "aggregate" in command:
            opened += 1
            threading.Event().wait(1.4 if opened == 2 else 0)
        return script(command)

    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch())
        with pytest.raises(NetworkTimeout):
            await next_of(stream, wait)
        assert stream.alive
        assert (await next_of(stream, wait))["number"] == 5
        await wait(stream.close())

    with primary(answer) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=2_000)
    assert len(sent(server, "aggregate")) == 3


@both_shells
def test_another_error_of_a_resume_ends_the_stream(shell: str) -> None:
    opened = [changes(7, first=True), failure(8)]
    script = in_turn(aggregate=opened, getMore=[SILENCE])

    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch())
        with pytest.raises(NetworkTimeout):
            await next_of(stream, wait)
        with pytest.raises(OperationFailure, match="error 8"):
            await next_of(stream, wait)
        assert not stream.alive

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=300)


@both_shells
def test_waiting_for_a_change_is_one_call_with_one_timeout(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch())
        began = time.monotonic()
        with pytest.raises(MongoError) as caught:
            await next_of(stream, wait)
        assert caught.value.timeout
        assert time.monotonic() - began < 5
        await wait(stream.close())

    script = slowly(watched(*[changes(7)] * 100), getMore=0.1)
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=500)
    assert 1 < len(sent(server, "getMore")) < 8


@both_shells
def test_a_socket_timeout_without_a_timeout_still_resumes_at_once(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch())
        assert (await next_of(stream, wait))["number"] == 5
        await wait(stream.close())

    with primary(watched(SILENCE, changes(8, 5))) as server:
        use(shell, server.uri, act, **QUICK, socketTimeoutMS=300)
    assert len(sent(server, "aggregate")) == 2
