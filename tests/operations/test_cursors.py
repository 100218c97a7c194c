"""A cursor's commands: what asks for the next batch, and when the server's side is freed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.errors import AutoReconnect, CursorNotFound, InvalidOperation, MongoError
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
)
from tests.engine.scripted import CLOSE, Answer, ScriptedServer

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def commands(shell: str, act: Act, **answers: list[Answer]) -> ScriptedServer:
    """The peer after `act` on the collection t.c."""

    async def on_collection(client: Any, wait: Wait) -> None:
        await act(client.t.c, wait)

    with primary(in_turn(**answers)) as server:
        use(shell, server.uri, on_collection, **QUICK)
    return server


def killed(server: ScriptedServer) -> list[Any]:
    return [command["cursors"] for command in sent(server, "killCursors")]


# To the end.


@both_shells
def test_all_batches_come_in_order_and_nothing_is_killed(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        assert found.alive
        assert found.cursor_id is None
        assert [each["_id"] for each in await wait(found.to_list())] == [1, 2, 3, 4]
        assert not found.alive
        assert await wait(found.to_list()) == []
        await wait(found.close())

    server = commands(
        shell, act, find=[batch(9, 1, 2, first=True)], getMore=[batch(9), batch(9, 3), batch(0, 4)]
    )
    assert names(server) == ["find", "getMore", "getMore", "getMore"]
    assert {command["getMore"] for command in sent(server, "getMore")} == {9}


@both_shells
def test_the_end_is_told_once_and_for_all(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        assert (await wait(found.next()))["_id"] == 1
        for _ in range(2):
            # StopIteration cannot leave a coroutine, so that the sync one comes out as another.
            with pytest.raises((StopAsyncIteration, StopIteration, RuntimeError)):
                await wait(found.next())
        assert await wait(found.try_next()) is None

    server = commands(shell, act, find=[batch(0, 1, first=True)])
    assert names(server) == ["find"]


def test_iterating() -> None:
    async def in_sync(collection: Any, wait: Wait) -> None:
        assert [each["_id"] for each in collection.find({})] == [1, 2]

    async def in_asyncio(collection: Any, wait: Wait) -> None:
        assert [each["_id"] async for each in collection.find({})] == [1, 2]

    for shell, act in (("sync", in_sync), ("asyncio", in_asyncio)):
        server = commands(shell, act, find=[batch(9, 1, first=True)], getMore=[batch(0, 2)])
        assert names(server) == ["find", "getMore"]


@both_shells
def test_get_more_goes_where_the_namespace_says(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        await wait(collection.find({}).to_list())

    first = batch(9, 1, first=True, ns="other.c.with.dots")
    (command,) = sent(commands(shell, act, find=[first], getMore=[batch(0)]), "getMore")
    assert (command["$db"], command["collection"]) == ("other", "c.with.dots")


@both_shells
def test_batches_that_a_limit_cuts_short(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        await wait(collection.find({}, limit=5, batch_size=2).to_list())

    server = commands(
        shell, act, find=[batch(9, 1, 2, first=True)], getMore=[batch(9, 3, 4), batch(0, 5)]
    )
    assert [command["batchSize"] for command in sent(server)] == [2, 2, 1]


@both_shells
def test_a_limit_of_one_batch_leaves_no_cursor_open(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        await wait(collection.find({}, limit=2, batch_size=2).to_list())
        await wait(collection.find({}, limit=-2).to_list())

    server = commands(shell, act, find=[batch(0, 1, 2, first=True), batch(0, 1, 2, first=True)])
    exact, negative = sent(server)
    assert (exact["limit"], exact["batchSize"]) == (2, 3)
    assert (negative["limit"], negative["singleBatch"]) == (2, True)


# Not to the end.


@both_shells
@pytest.mark.parametrize("how", ["close", "with", "twice"])
def test_an_early_close_kills_the_cursor_once(shell: str, how: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        assert (await wait(found.next()))["_id"] == 1
        if how == "with" and shell == "sync":
            with found:
                pass
        elif how == "with":
            async with found:
                pass
        else:
            await wait(found.close())
        if how == "twice":
            await wait(found.close())
        assert not found.alive
        assert await wait(found.to_list()) == []

    server = commands(shell, act, find=[batch(9, 1, 2, first=True)])
    (command,) = sent(server, "killCursors")
    assert (command["killCursors"], command["$db"], command["cursors"]) == ("c", "t", [9])


@both_shells
def test_an_error_inside_a_with_block_kills_the_cursor(shell: str) -> None:
    async def read_one_and_fail(found: Any) -> None:
        if shell == "sync":
            with found:
                raise KeyError(found.next()["_id"])
        async with found:
            raise KeyError((await found.next())["_id"])

    async def act(collection: Any, wait: Wait) -> None:
        found = await wait(collection.aggregate([]))
        with pytest.raises(KeyError, match="1"):
            await read_one_and_fail(found)

    assert killed(commands(shell, act, aggregate=[batch(9, 1, first=True)])) == [[9]]


@both_shells
def test_a_cursor_that_never_ran_is_closed_in_silence(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        await wait(found.close())
        assert await wait(found.to_list()) == []

    assert sent(commands(shell, act)) == []


@both_shells
def test_rewinding_kills_the_cursor_and_starts_over(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        await wait(found.next())
        if shell == "sync":
            found.rewind()
        else:
            await found.rewind()
        assert [each["_id"] for each in await wait(found.to_list())] == [1]

    first = batch(9, 1, first=True)
    server = commands(shell, act, find=[first, batch(0, 1, first=True)])
    assert names(server) == ["find", "killCursors", "find"]


@both_shells
@pytest.mark.parametrize("answer", [failure(8), CLOSE], ids=["error", "closed"])
def test_a_cursor_that_cannot_be_killed_is_no_error(shell: str, answer: Answer) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        await wait(found.next())
        await wait(found.close())

    server = commands(shell, act, find=[batch(9, 1, first=True)], killCursors=[answer])
    assert names(server) == ["find", "killCursors"]


@both_shells
def test_a_cursor_outlives_its_client_in_silence(shell: str) -> None:
    cursors: list[Any] = []

    async def act(client: Any, wait: Wait) -> None:
        found = client.t.c.find({})
        await wait(found.next())
        await wait(client.close())
        await wait(found.close())
        cursors.append(found)

    with primary(in_turn(find=[batch(9, 1, first=True)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert not cursors[0].alive
    assert names(server) == ["find"]


# Errors.


@both_shells
@pytest.mark.parametrize(
    ("answer", "error", "kills"),
    [
        (failure(8), MongoError, [[9]]),
        (failure(43), CursorNotFound, []),
        (CLOSE, AutoReconnect, []),
        (failure(11600), AutoReconnect, []),
    ],
    ids=["error", "not found", "closed", "shutdown"],
)
def test_after_an_error_of_get_more_the_cursor_is_killed_if_it_may_be_alive(
    shell: str, answer: Answer, error: type[MongoError], kills: list[list[int]]
) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        await wait(found.next())
        with pytest.raises(error):
            await wait(found.next())
        assert not found.alive
        await wait(found.close())

    server = commands(shell, act, find=[batch(9, 1, first=True)], getMore=[answer])
    assert killed(server) == kills


@both_shells
def test_an_error_of_find_leaves_nothing_to_kill(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        with pytest.raises(MongoError):
            await wait(found.next())
        await wait(found.close())

    assert names(commands(shell, act, find=[failure(8)])) == ["find"]


@both_shells
def test_options_are_refused_once_the_cursor_runs(shell: str) -> None:
    async def act(collection: Any, wait: Wait) -> None:
        found = collection.find({})
        await wait(found.next())
        with pytest.raises(InvalidOperation, match="before the first read"):
            found.sort("a")

    commands(shell, act, find=[batch(0, 1, first=True)])
