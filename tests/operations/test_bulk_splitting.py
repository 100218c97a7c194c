"""Bulks that are too large for one command: how they are cut, and whose index an error has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import DeleteOne, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from driver.bson import encode
from driver.errors import (
    AutoReconnect,
    BulkWriteError,
    ClientBulkWriteException,
    DocumentTooLarge,
    MongoError,
)
from driver.events import CommandStartedEvent
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, failure, in_turn, primary, quick_monitors, sent
from tests.engine.recording import Recorder
from tests.engine.scripted import CLOSE, Answer, ScriptedServer

Wait = Callable[[Any], Awaitable[Any]]

ROOM = 16 * 1024
"""What a command may hold beside its statements."""


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def written(
    shell: str, server: ScriptedServer, models: list[Any], *, loose: bool = False, **options: Any
) -> Any:
    """The result of a bulk write, or the error that it raised."""

    async def act(client: Any, wait: Wait) -> Any:
        concern = WriteConcern(w=0) if loose else WriteConcern()
        collection = client.t.get_collection("c", write_concern=concern)
        try:
            return await wait(collection.bulk_write(models, **options))
        except MongoError as error:
            return error

    with server:
        return use(shell, server.uri, act, **QUICK)


def statements(server: ScriptedServer) -> list[list[Any]]:
    """The statements of each command."""
    keys = {"insert": "documents", "update": "updates", "delete": "deletes"}
    return [command[keys[next(iter(command))]] for command in sent(server)]


def counts(server: ScriptedServer) -> list[int]:
    return [len(each) for each in statements(server)]


def inserts(count: int, size: int = 0) -> list[Any]:
    return [InsertOne({"_id": i, "x": "x" * size}) for i in range(count)]


def all_well(command: dict[str, Any]) -> Answer:
    """Every statement did what it should."""
    names = ("documents", "updates", "deletes")
    return {"ok": 1, "n": sum(len(command.get(name, ())) for name in names), "nModified": 0}


def errors(n: int, *indexes: int, **more: Any) -> Answer:
    found = [{"index": i, "code": 11000 + i, "errmsg": "duplicate"} for i in indexes]
    return {"ok": 1, "n": n, "writeErrors": found, **more}


# By number.


@both_shells
@pytest.mark.parametrize(("total", "expected"), [(2, [2]), (3, [3]), (4, [3, 1]), (8, [3, 3, 2])])
@pytest.mark.parametrize("ordered", [True, False])
def test_a_command_has_at_most_max_write_batch_size_statements(
    shell: str, total: int, expected: list[int], ordered: bool
) -> None:
    server = primary(all_well, maxWriteBatchSize=3)
    result = written(shell, server, inserts(total), ordered=ordered)
    assert counts(server) == expected
    assert result.inserted_count == total
    assert [each["_id"] for part in statements(server) for each in part] == list(range(total))


@both_shells
def test_an_ordered_bulk_is_cut_where_the_kind_changes(shell: str) -> None:
    models = [
        InsertOne({"_id": 1}),
        InsertOne({"_id": 2}),
        UpdateOne({}, {"$set": {"a": 1}}),
        ReplaceOne({}, {"a": 2}),
        DeleteOne({}),
        InsertOne({"_id": 3}),
    ]
    server = primary(all_well)
    written(shell, server, models)
    assert [next(iter(command)) for command in sent(server)] == [
        "insert",
        "update",
        "delete",
        "insert",
    ]
    assert counts(server) == [2, 2, 1, 1]


@both_shells
def test_an_unordered_bulk_is_gathered_by_kind(shell: str) -> None:
    models = [InsertOne({"_id": 1}), DeleteOne({}), InsertOne({"_id": 2}), DeleteOne({"b": 1})]
    server = primary(all_well)
    written(shell, server, models, ordered=False)
    assert counts(server) == [2, 2]
    assert not any(command["ordered"] for command in sent(server))


# By size.


@both_shells
def test_a_message_has_at_most_max_message_size_bytes(shell: str) -> None:
    size = len(encode({"_id": 0, "x": "x" * 900}))
    server = primary(all_well, maxMessageSizeBytes=ROOM + 5 * size)
    result = written(shell, server, inserts(12, 900))
    assert counts(server) == [5, 5, 2]
    assert result.inserted_count == 12


@both_shells
def test_a_document_that_is_too_large_is_not_sent_but_those_before_it_are(shell: str) -> None:
    models = [*inserts(2), InsertOne({"_id": 2, "x": "x" * 2000}), InsertOne({"_id": 3})]
    server = primary(all_well, maxBsonObjectSize=1000)
    error = written(shell, server, models)
    assert isinstance(error, DocumentTooLarge)
    assert "statement 2" in str(error)
    assert "1000" in str(error)
    assert error.partial_result["nInserted"] == 2
    assert counts(server) == [2]


@both_shells
def test_a_replacement_may_be_as_large_as_a_document(shell: str) -> None:
    """The statement around it has keys of its own, which do not count."""
    largest = {"_id": 1, "x": "x" * 900}
    server = primary(all_well, maxBsonObjectSize=len(encode(largest)))
    assert written(shell, server, [ReplaceOne({"_id": 1}, largest)]).matched_count == 1


# Whose error it is.


@both_shells
def test_an_ordered_bulk_ends_at_its_first_error(shell: str) -> None:
    server = primary(in_turn(insert=[{"ok": 1, "n": 3}, errors(1, 1)]), maxWriteBatchSize=3)
    error = written(shell, server, inserts(9))
    assert isinstance(error, BulkWriteError)
    assert error.details is not None
    assert [each["index"] for each in error.details["writeErrors"]] == [4]
    assert error.details["nInserted"] == 4
    assert counts(server) == [3, 3]


@both_shells
def test_an_unordered_bulk_goes_on_and_gathers_all_errors(shell: str) -> None:
    replies = [errors(1, 0, 2), {"ok": 1, "n": 3}, errors(1, 1)]
    server = primary(in_turn(insert=replies), maxWriteBatchSize=3)
    error = written(shell, server, inserts(8), ordered=False)
    assert isinstance(error, BulkWriteError)
    assert error.details is not None
    assert [(e["index"], e["code"]) for e in error.details["writeErrors"]] == [
        (0, 11000),
        (2, 11002),
        (7, 11001),
    ]
    assert error.details["nInserted"] == 5
    assert counts(server) == [3, 3, 2]


@both_shells
def test_indexes_are_those_of_the_bulk_whatever_the_kinds(shell: str) -> None:
    models = [
        InsertOne({"_id": 1}),
        UpdateOne({"a": 1}, {"$set": {"b": 1}}, upsert=True),
        DeleteOne({}),
        UpdateOne({"a": 2}, {"$set": {"b": 1}}, upsert=True),
        InsertOne({"_id": 2}),
    ]
    upserted = [{"index": 0, "_id": "x"}, {"index": 1, "_id": "y"}]
    server = primary(
        in_turn(
            insert=[errors(1, 1)],
            update=[{"ok": 1, "n": 2, "nModified": 0, "upserted": upserted}],
            delete=[errors(0, 0)],
        )
    )
    error = written(shell, server, models, ordered=False)
    assert isinstance(error, BulkWriteError)
    assert error.details is not None
    assert [each["index"] for each in error.details["writeErrors"]] == [2, 4]
    assert error.details["upserted"] == [{"index": 1, "_id": "x"}, {"index": 3, "_id": "y"}]
    assert (error.details["nUpserted"], error.details["nMatched"]) == (2, 0)


@both_shells
def test_write_concern_errors_of_all_commands_are_raised_at_the_end(shell: str) -> None:
    def late(number: int) -> Answer:
        return {"ok": 1, "n": 1, "writeConcernError": {"code": number, "errmsg": "late"}}

    server = primary(in_turn(insert=[late(64), {"ok": 1, "n": 1}, late(65)]), maxWriteBatchSize=1)
    error = written(shell, server, inserts(3))
    assert isinstance(error, BulkWriteError)
    assert error.details is not None
    assert [each["code"] for each in error.details["writeConcernErrors"]] == [64, 65]
    assert error.details["nInserted"] == 3


@both_shells
@pytest.mark.parametrize(
    ("answer", "kind"), [(failure(8), MongoError), (CLOSE, AutoReconnect)], ids=["error", "closed"]
)
def test_an_error_of_a_command_tells_what_was_done_before(
    shell: str, answer: Answer, kind: type[MongoError]
) -> None:
    server = primary(in_turn(insert=[{"ok": 1, "n": 2}, answer, answer]), maxWriteBatchSize=2)
    error = written(shell, server, inserts(6))
    assert isinstance(error, kind)
    assert error.partial_result["nInserted"] == 2
    assert error.operation == "insert"


@both_shells
def test_an_unacknowledged_bulk_is_cut_as_well(shell: str) -> None:
    server = primary(lambda command: None, maxWriteBatchSize=2)
    result = written(shell, server, inserts(3), loose=True, ordered=False)
    assert not result.acknowledged


@both_shells
def test_insert_many_is_cut_and_gives_all_ids(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> Any:
        return await wait(client.t.c.insert_many([{"_id": i} for i in range(5)]))

    with primary(all_well, maxWriteBatchSize=2) as server:
        result = use(shell, server.uri, act, **QUICK)
    assert result.inserted_ids == [0, 1, 2, 3, 4]
    assert counts(server) == [2, 2, 1]


# client.bulk_write.


def client_bulk(shell: str, server: ScriptedServer, models: list[Any], **options: Any) -> Any:
    async def act(client: Any, wait: Wait) -> Any:
        try:
            return await wait(client.bulk_write(models, **options))
        except MongoError as error:
            return error

    with server:
        return use(shell, server.uri, act, **QUICK)


def results(*items: dict[str, Any], inserted: int = 0) -> Answer:
    return {
        "ok": 1,
        "nInserted": inserted,
        "cursor": {"id": 0, "ns": "admin.$cmd.bulkWrite", "firstBatch": list(items)},
    }


def spread(count: int, size: int = 0) -> list[Any]:
    """Inserts into the collections t.c0, t.c1, t.c0 …"""
    return [InsertOne({"_id": i, "x": "x" * size}, namespace=f"t.c{i % 2}") for i in range(count)]


@both_shells
def test_a_client_bulk_is_cut_by_number_and_names_only_its_own_namespaces(shell: str) -> None:
    replies = [results(inserted=1), results(inserted=1), results(inserted=1)]
    server = primary(in_turn(bulkWrite=replies), maxWireVersion=25, maxWriteBatchSize=1)
    result = client_bulk(shell, server, spread(3))
    assert result.inserted_count == 3
    assert [(c["ops"][0]["document"]["_id"], c["nsInfo"]) for c in sent(server)] == [
        (0, [{"ns": "t.c0"}]),
        (1, [{"ns": "t.c1"}]),
        (2, [{"ns": "t.c0"}]),
    ]


@both_shells
def test_a_client_bulk_is_cut_by_size(shell: str) -> None:
    replies = [results(inserted=4)] * 3
    server = primary(
        in_turn(bulkWrite=list(replies)), maxWireVersion=25, maxMessageSizeBytes=1000 + 4500
    )
    client_bulk(shell, server, spread(10, 900))
    sizes = [
        sum(len(encode(op)) for op in command["ops"])
        + sum(len(encode(info)) for info in command["nsInfo"])
        for command in sent(server)
    ]
    assert [len(command["ops"]) for command in sent(server)] == [4, 4, 2]
    assert max(sizes) <= 4500


@both_shells
def test_errors_of_a_client_bulk_have_the_indexes_of_the_whole(shell: str) -> None:
    refused = {"ok": 0, "idx": 1, "code": 11000, "errmsg": "duplicate"}
    server = primary(
        in_turn(bulkWrite=[results(inserted=2), results(refused, inserted=1)]),
        maxWireVersion=25,
        maxWriteBatchSize=2,
    )
    error = client_bulk(shell, server, spread(4))
    assert isinstance(error, ClientBulkWriteException)
    assert list(error.write_errors) == [3]
    assert error.partial_result.inserted_count == 3


@both_shells
def test_the_commands_of_a_bulk_have_one_operation_id(shell: str) -> None:
    heard = Recorder()

    async def act(client: Any, wait: Wait) -> None:
        models = [InsertOne({}), InsertOne({}), DeleteOne({})]
        await wait(client.t.c.bulk_write(models))
        await wait(client.bulk_write(spread(2)))
        await wait(client.admin.command("ping"))
        await wait(client.admin.command("ping"))

    with primary(
        in_turn(bulkWrite=[results(inserted=1)] * 2), maxWireVersion=25, maxWriteBatchSize=1
    ) as server:
        use(shell, server.uri, act, **QUICK, event_listeners=[heard])
    events = [e for e in heard.of(CommandStartedEvent) if e.command_name != "endSessions"]
    ids = [event.operation_id for event in events]
    assert len(ids) == 3 + 2 + 2
    assert [len(set(ids[:3])), len(set(ids[3:5])), len(set(ids))] == [1, 1, 4]
