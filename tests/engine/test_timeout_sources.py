"""Where the timeout of an operation comes from: client, database, collection, block (CSOT)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import driver
from driver import InsertOne, WriteConcern
from driver.errors import (
    OperationTimeout,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    insert,
    primary,
    quick_monitors,
    sent,
    slowly,
    told,
)
from tests.engine.scripted import Answer

Wait = Callable[[Any], Awaitable[Any]]

FINE: dict[str, Any] = {"ok": 1, "n": 1}


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def ways(client: Any) -> dict[str, Any]:
    """Collections whose timeout is 20 seconds, each in its own way."""
    limited = client.get_database("t", timeout_ms=20_000)
    return {
        "database": limited["c"],
        "database.with_options": client.t.with_options(timeout_ms=20_000)["c"],
        "collection": client.get_database("t", timeout_ms=1).get_collection("c", timeout_ms=20_000),
        "collection.with_options": client.t["c"].with_options(timeout_ms=20_000),
        "collection of collection": limited["c"]["d"],
        "inherited": limited.get_collection("c", write_concern=WriteConcern(w=1)),
    }


@both_shells
@pytest.mark.parametrize("client_ms", [None, 1])
def test_databases_and_collections_hand_their_timeout_down(
    shell: str, client_ms: int | None
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        for collection in ways(client).values():
            await wait(collection.insert_one({}))

    options = {} if client_ms is None else {"timeoutMS": client_ms}
    with primary() as server:
        use(shell, server.uri, act, **QUICK, **options)
    assert len(told(server)) == 6
    assert all(1_000 < left <= 20_000 for left in told(server))


@both_shells
def test_0_overrides_the_clients_timeout(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.get_database("t", timeout_ms=0).c.insert_one({}))
        await wait(client.t.get_collection("c", timeout_ms=0).insert_one({}))
        with driver.timeout(0):
            await wait(client.t.c.insert_one({}))

    with primary() as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=1)
    assert told(server) == [None] * 3


async def administer(client: Any, wait: Wait) -> None:
    """Every kind of command that is neither a plain read nor a plain write."""
    await wait(client.list_database_names())
    await wait(client.t.list_collection_names())
    await wait(client.t.command("ping"))
    await wait(client.t.c.create_index("a"))
    await wait(client.t.c.index_information())
    await wait(client.t.c.drop_index("a_1"))
    await wait(client.t.c.rename("d"))
    await wait(client.t.c.drop())
    await wait(client.drop_database("t"))
    await wait(client.t.create_collection("c", check_exists=False))
    await wait(client.t.c.count_documents({}))
    await wait(client.t.c.distinct("a"))
    await wait(client.t.c.find_one_and_delete({}))
    await wait(client.t.c.find().explain())
    await wait(client.t.c.update_one({}, {"$set": {"a": 1}}))
    await wait(client.t.c.delete_many({}))
    await wait(client.t.c.bulk_write([InsertOne({})]))


def anything(command: dict[str, Any]) -> Answer:
    return {
        **FINE,
        "value": None,
        "values": [],
        "databases": [],
        "cursor": {"id": 0, "ns": "t.c", "firstBatch": []},
    }


@both_shells
def test_all_kinds_of_operations_have_the_clients_timeout(shell: str) -> None:
    with primary(anything) as server:
        use(shell, server.uri, administer, **QUICK, timeoutMS=20_000)
    without = [next(iter(command)) for command in sent(server) if "maxTimeMS" not in command]
    assert without == []
    assert len(sent(server)) == 17


@both_shells
def test_all_kinds_of_operations_have_the_timeout_of_a_block(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(20):
            await administer(client, wait)

    with primary(anything) as server:
        use(shell, server.uri, act, **QUICK)
    assert [command for command in sent(server) if "maxTimeMS" not in command] == []
    left = told(server)
    assert left == sorted(left, reverse=True)


@both_shells
def test_a_block_stands_in_place_of_the_clients_timeout(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(20):
            await insert(client, wait)

    with primary(slowly(lambda _: FINE, insert=0.2)) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=50)


@both_shells
def test_a_block_that_is_over_fails_its_operations_before_they_are_sent(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await insert(client, wait)
        with driver.timeout(0.01):
            await asyncio.to_thread(threading.Event().wait, 0.02)
            with pytest.raises(OperationTimeout, match="insert was not sent"):
                await insert(client, wait)

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert len(sent(server)) == 1
