"""Every operation that takes a session, and a peer's answer that all of them can live with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from driver import DeleteOne, IndexModel, InsertOne, UpdateOne
from tests.engine.scripted import Answer

Wait = Callable[[Any], Awaitable[Any]]
Operate = Callable[[Any, Any, Wait], Awaitable[Any]]
"""Runs an operation of a client with a session, or None."""


def _op(call: Callable[[Any, Any], Any], then: str | None = None) -> Operate:
    """An operation that one call is, or a call and a method of what it gives."""

    async def operate(client: Any, session: Any, wait: Wait) -> Any:
        given = call(client, session)
        if then is None:
            return await wait(given)
        return await wait(getattr(given, then)())

    return operate


_SET = {"$set": {"a": 1}}

READS: dict[str, Operate] = {
    "find": _op(lambda client, s: client.t.c.find({}, session=s), "to_list"),
    "find_one": _op(lambda client, s: client.t.c.find_one({}, session=s)),
    "aggregate": _op(lambda client, s: client.t.c.aggregate([], session=s)),
    "aggregate of a database": _op(lambda client, s: client.t.aggregate([], session=s)),
    "count_documents": _op(lambda client, s: client.t.c.count_documents({}, session=s)),
    "distinct": _op(lambda client, s: client.t.c.distinct("a", session=s)),
}
"""Those that take a read concern."""

WRITES: dict[str, Operate] = {
    "insert_one": _op(lambda client, s: client.t.c.insert_one({}, session=s)),
    "insert_many": _op(lambda client, s: client.t.c.insert_many([{}, {}], session=s)),
    "update_one": _op(lambda client, s: client.t.c.update_one({}, _SET, session=s)),
    "update_many": _op(lambda client, s: client.t.c.update_many({}, _SET, session=s)),
    "replace_one": _op(lambda client, s: client.t.c.replace_one({}, {}, session=s)),
    "delete_one": _op(lambda client, s: client.t.c.delete_one({}, session=s)),
    "delete_many": _op(lambda client, s: client.t.c.delete_many({}, session=s)),
    "bulk_write": _op(
        lambda client, s: client.t.c.bulk_write(
            [InsertOne({}), UpdateOne({}, _SET), DeleteOne({})], session=s
        )
    ),
    "client.bulk_write": _op(
        lambda client, s: client.bulk_write([InsertOne({}, namespace="t.c")], session=s)
    ),
    "find_one_and_delete": _op(lambda client, s: client.t.c.find_one_and_delete({}, session=s)),
    "find_one_and_replace": _op(
        lambda client, s: client.t.c.find_one_and_replace({}, {}, session=s)
    ),
    "find_one_and_update": _op(
        lambda client, s: client.t.c.find_one_and_update({}, _SET, session=s)
    ),
    "create_collection": _op(lambda client, s: client.t.create_collection("c", session=s)),
    "drop_collection": _op(lambda client, s: client.t.drop_collection("c", session=s)),
    "drop": _op(lambda client, s: client.t.c.drop(session=s)),
    "rename": _op(lambda client, s: client.t.c.rename("d", session=s)),
    "drop_database": _op(lambda client, s: client.drop_database("t", session=s)),
    "create_index": _op(lambda client, s: client.t.c.create_index("a", session=s)),
    "create_indexes": _op(
        lambda client, s: client.t.c.create_indexes([IndexModel("a")], session=s)
    ),
    "drop_index": _op(lambda client, s: client.t.c.drop_index("a_1", session=s)),
    "drop_indexes": _op(lambda client, s: client.t.c.drop_indexes(session=s)),
}

OTHERS: dict[str, Operate] = {
    "list_indexes": _op(lambda client, s: client.t.c.list_indexes(session=s)),
    "index_information": _op(lambda client, s: client.t.c.index_information(session=s)),
    "list_collections": _op(lambda client, s: client.t.list_collections(session=s)),
    "list_collection_names": _op(lambda client, s: client.t.list_collection_names(session=s)),
    "list_databases": _op(lambda client, s: client.list_databases(session=s)),
    "list_database_names": _op(lambda client, s: client.list_database_names(session=s)),
    "server_info": _op(lambda client, s: client.server_info(session=s)),
    "command": _op(lambda client, s: client.t.command("ping", session=s)),
    "cursor_command": _op(lambda client, s: client.t.cursor_command("find", "c", session=s)),
    "watch": _op(lambda client, s: client.t.c.watch(session=s)),
}

ALL = {**READS, **WRITES, **OTHERS}


def anything(command: dict[str, Any]) -> Answer:
    """What every operation can live with."""
    cursor = {"id": 0, "ns": "t.c", "firstBatch": []}
    return {"ok": 1, "n": 1, "cursor": cursor, "value": None, "values": [], "databases": []}
