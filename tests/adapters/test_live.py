"""The adapters of real drivers against a real server: each gives the same documents."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from runners.adapters import NAMES, load
from runners.adapters.base import Adapter, ErrorReport
from runners.model import Json, JsonObject

pytestmark = pytest.mark.live

_OBSERVED: list[Json] = [
    "commandStartedEvent",
    "commandSucceededEvent",
    "commandFailedEvent",
    "connectionCheckedOutEvent",
    "connectionReadyEvent",
    "poolReadyEvent",
    "serverDescriptionChangedEvent",
    "serverHeartbeatSucceededEvent",
    "topologyDescriptionChangedEvent",
    "topologyOpeningEvent",
    "topologyClosedEvent",
]


class Heard:
    """Events as they come, and a way to wait for one."""

    def __init__(self) -> None:
        self._events: list[tuple[str, JsonObject]] = []
        self._changed = threading.Condition()

    def __call__(self, client: str, name: str, event: JsonObject) -> None:
        with self._changed:
            self._events.append((name, event))
            self._changed.notify_all()

    def of(self, name: str) -> list[JsonObject]:
        """All events of that name."""
        return [event for known, event in list(self._events) if known == name]

    def wait_for(self, name: str) -> JsonObject:
        """The first event of that name."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.of(name), 20), f"no {name}"
        return self.of(name)[0]


@pytest.fixture
def heard() -> Heard:
    return Heard()


# The Node.js driver has its own tests (test_node.py): it words results and errors its own way.
@pytest.fixture(params=[name for name in NAMES if name != "node"])
def adapter(request: pytest.FixtureRequest, uri: str, heard: Heard) -> Iterator[Adapter]:
    """Each driver, with a client and an empty collection."""
    if request.param.startswith("pymongo"):
        pytest.importorskip("pymongo", reason="PyMongo is not installed (extra `pymongo`)")
    adapter = load(request.param)
    adapter.open(heard)
    client: JsonObject = {
        "uri": f"{uri}?heartbeatFrequencyMS=500",
        "observeEvents": _OBSERVED,
        "observeLogMessages": {"command": "debug", "topology": "debug"},
    }
    adapter.create("client", "client0", client)
    adapter.create("database", "db0", {"client": "client0", "databaseName": "adapters"})
    adapter.create(
        "collection",
        "coll0",
        {
            "database": "db0",
            "collectionName": "coll",
            "collectionOptions": {
                "readConcern": {"level": "local"},
                "readPreference": {"mode": "primaryPreferred"},
                "writeConcern": {"w": 1, "journal": False},
            },
        },
    )
    _result(adapter, "db0", "dropCollection", {"collection": "coll"})
    yield adapter
    adapter.shutdown()


def _result(adapter: Adapter, entity: str, operation: str, arguments: JsonObject) -> Any:
    reply = adapter.run(entity, operation, arguments)
    assert reply.error is None, reply.error
    return reply.result


def _error(adapter: Adapter, entity: str, operation: str, arguments: JsonObject) -> ErrorReport:
    reply = adapter.run(entity, operation, arguments)
    assert reply.error is not None, reply.result
    return reply.error


def _int(number: int) -> JsonObject:
    return {"$numberInt": str(number)}


def _insert(adapter: Adapter, *ids: int) -> None:
    documents: list[Json] = [{"_id": id_} for id_ in ids]
    _result(adapter, "coll0", "insertMany", {"documents": documents})


def test_values_cross_the_seam_as_canonical_extended_json(adapter: Adapter) -> None:
    document: JsonObject = {
        "_id": {"$oid": "5f" * 12},
        "long": {"$numberLong": "1"},
        "double": 1.5,
        "date": {"$date": "2024-01-02T03:04:05.678Z"},
        "bytes": {"$binary": {"base64": "Eqs=", "subType": "00"}},
        "uuid": {"$uuid": "00112233-4455-6677-8899-aabbccddeeff"},
        "decimal": {"$numberDecimal": "1.10"},
    }
    inserted = _result(adapter, "coll0", "insertOne", {"document": document})
    assert inserted == {"insertedId": {"$oid": "5f" * 12}}
    assert _result(adapter, "coll0", "find", {"filter": {}}) == [
        {
            **document,
            "double": {"$numberDouble": "1.5"},
            "date": {"$date": {"$numberLong": "1704164645678"}},
            "uuid": {"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "04"}},
        }
    ]


def test_reads_and_their_arguments(adapter: Adapter) -> None:
    _insert(adapter, *range(5))
    arguments: JsonObject = {
        "filter": {"_id": {"$gt": 0}},
        "sort": {"_id": -1},
        "projection": {"_id": 1},
        "skip": 1,
        "limit": 2,
        "batchSize": 1,
        "hint": {"_id": 1},
        "collation": {"locale": "en"},
        "maxTimeMS": 5000,
        "comment": "c",
    }
    found = _result(adapter, "coll0", "find", arguments)
    assert found == [{"_id": _int(3)}, {"_id": _int(2)}]
    pipeline: list[Json] = [{"$match": {"_id": {"$gte": 3}}}, {"$sort": {"_id": 1}}]
    found = _result(adapter, "coll0", "aggregate", {"pipeline": pipeline, "batchSize": 1})
    assert found == [{"_id": _int(3)}, {"_id": _int(4)}]
    assert _result(adapter, "coll0", "countDocuments", {"filter": {}, "skip": 1}) == _int(4)
    assert _result(adapter, "coll0", "estimatedDocumentCount", {}) == _int(5)
    distinct = _result(adapter, "coll0", "distinct", {"fieldName": "_id", "filter": {"_id": 2}})
    assert distinct == [_int(2)]


def test_writes_and_their_results(adapter: Adapter) -> None:
    update: JsonObject = {"filter": {"_id": 1}, "update": {"$set": {"x": [1, 2]}}}
    upserted = _result(adapter, "coll0", "updateOne", {**update, "upsert": True})
    assert upserted == {
        "matchedCount": _int(0),
        "modifiedCount": _int(0),
        "upsertedCount": _int(1),
        "upsertedId": _int(1),
    }
    update = {
        "filter": {},
        "update": {"$set": {"x.$[big]": 9}},
        "arrayFilters": [{"big": {"$gt": 1}}],
        "hint": "_id_",
    }
    assert _result(adapter, "coll0", "updateMany", update)["modifiedCount"] == _int(1)
    replace: JsonObject = {
        "filter": {"_id": 1},
        "replacement": {"y": 1},
        "returnDocument": "After",
        "sort": {"_id": 1},
    }
    found = _result(adapter, "coll0", "findOneAndReplace", replace)
    assert found == {"_id": _int(1), "y": _int(1)}
    assert _result(adapter, "coll0", "deleteOne", {"filter": {"_id": 1}}) == {
        "deletedCount": _int(1)
    }


def test_a_bulk_write_and_its_error(adapter: Adapter) -> None:
    requests: list[Json] = [
        {"insertOne": {"document": {"_id": 1}}},
        {"updateOne": {"filter": {"_id": 2}, "update": {"$set": {"x": 1}}, "upsert": True}},
        {"replaceOne": {"filter": {"_id": 1}, "replacement": {"x": 2}, "hint": "_id_"}},
        {"updateMany": {"filter": {}, "update": {"$inc": {"x": 1}}}},
        {"deleteOne": {"filter": {"_id": 2}}},
        {"deleteMany": {"filter": {"_id": 7}}},
    ]
    assert _result(adapter, "coll0", "bulkWrite", {"requests": requests, "ordered": True}) == {
        "insertedCount": _int(1),
        "matchedCount": _int(3),
        "modifiedCount": _int(3),
        "deletedCount": _int(1),
        "upsertedCount": _int(1),
        "upsertedIds": {"1": _int(2)},
    }
    inserts: list[Json] = [{"insertOne": {"document": {"_id": id_}}} for id_ in (5, 1, 6)]
    error = _error(adapter, "coll0", "bulkWrite", {"requests": inserts, "ordered": False})
    assert (error.code, error.client_error) == (11000, False)
    assert isinstance(error.result, dict)
    assert error.result["insertedCount"] == _int(2)
    assert isinstance(error.write_errors, dict)
    assert list(error.write_errors) == ["1"]


def test_errors_of_the_server_and_of_the_client(adapter: Adapter) -> None:
    unknown: JsonObject = {"commandName": "shout", "command": {"shout": 1}}
    error = _error(adapter, "db0", "runCommand", unknown)
    assert (error.code, error.code_name, error.client_error) == (59, "CommandNotFound", False)
    assert isinstance(error.response, dict)
    assert error.response["codeName"] == "CommandNotFound"
    bad_update: JsonObject = {"filter": {}, "update": {"x": 1}}
    error = _error(adapter, "coll0", "updateOne", bad_update)
    assert (error.code, error.response, error.client_error) == (None, None, True)


def test_a_lost_connection_is_the_clients_error(adapter: Adapter) -> None:
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"
    adapter.create("client", "lost", {"uri": uri})
    adapter.create("database", "lostdb", {"client": "lost", "databaseName": "x"})
    ping: JsonObject = {"commandName": "ping", "command": {"ping": 1}}
    error = _error(adapter, "lostdb", "runCommand", ping)
    assert (error.client_error, error.timeout) == (True, True)


def test_a_cursor_as_an_entity(adapter: Adapter) -> None:
    _insert(adapter, 1, 2, 3)
    find: JsonObject = {"filter": {}, "batchSize": 2}
    assert adapter.run("coll0", "createFindCursor", find, "cursor0").error is None
    assert _result(adapter, "cursor0", "iterateUntilDocumentOrError", {}) == {"_id": _int(1)}
    assert _result(adapter, "cursor0", "iterateOnce", {}) == {"_id": _int(2)}
    assert _result(adapter, "cursor0", "iterateOnce", {}) == {"_id": _int(3)}
    assert _result(adapter, "cursor0", "iterateOnce", {}) is None
    _result(adapter, "cursor0", "close", {})


def test_databases_collections_and_indexes(adapter: Adapter) -> None:
    _result(adapter, "db0", "createCollection", {"collection": "coll", "capped": True, "size": 99})
    (listed,) = _result(adapter, "db0", "listCollections", {"filter": {"name": "coll"}})
    assert listed["options"]["capped"] is True
    names = _result(adapter, "db0", "listCollectionNames", {"filter": {"name": "coll"}})
    assert names == ["coll"]
    index: JsonObject = {"keys": {"x": 1}, "name": "by x", "unique": True}
    assert _result(adapter, "coll0", "createIndex", index) == "by x"
    assert [each["name"] for each in _result(adapter, "coll0", "listIndexes", {})] == [
        "_id_",
        "by x",
    ]
    _result(adapter, "coll0", "dropIndex", {"name": "by x"})
    assert _result(adapter, "coll0", "listIndexNames", {}) == ["_id_"]
    (listed,) = _result(adapter, "client0", "listDatabases", {"filter": {"name": "adapters"}})
    assert listed["name"] == "adapters"
    assert "adapters" in _result(adapter, "client0", "listDatabaseNames", {})


@pytest.mark.parametrize(
    "operation", ["listCollections", "listCollectionNames", "listCollectionObjects"]
)
def test_the_batches_of_a_list_of_collections_have_their_size(
    operation: str, adapter: Adapter, heard: Heard
) -> None:
    for name in ("coll", "coll2", "coll3"):
        _result(adapter, "db0", "dropCollection", {"collection": name})
        _result(adapter, "db0", "createCollection", {"collection": name})
    listed = _result(adapter, "db0", operation, {"batchSize": 2})
    assert len(listed) == 3
    commands: list[Any] = [event["command"] for event in heard.of("commandStartedEvent")]
    assert [each["cursor"] for each in commands if "listCollections" in each] == [
        {"batchSize": _int(2)}
    ]
    for name in ("coll2", "coll3"):
        _result(adapter, "db0", "dropCollection", {"collection": name})


def test_a_sessions_id_is_the_commands(adapter: Adapter, heard: Heard) -> None:
    adapter.create("session", "session0", {"client": "client0"})
    lsid = _result(adapter, "session0", "spec.lsid", {})
    _result(adapter, "coll0", "findOne", {"filter": {}, "session": "session0"})
    command = heard.of("commandStartedEvent")[-1]["command"]
    assert isinstance(command, dict)
    assert command["lsid"] == lsid
    _result(adapter, "session0", "endSession", {})


def test_a_transactions_state_is_told_as_the_format_spells_it(adapter: Adapter) -> None:
    if "operation.session.spec.transactionState" not in adapter.info.capabilities:
        pytest.skip("not run: the driver has no transactions")
    adapter.create("session", "session0", {"client": "client0"})

    def state() -> Any:
        return _result(adapter, "session0", "spec.transactionState", {})

    assert state() == "none"
    _result(adapter, "session0", "startTransaction", {})
    assert state() == "starting"
    _result(adapter, "session0", "commitTransaction", {})
    assert state() == "committed"
    _result(adapter, "session0", "startTransaction", {})
    _result(adapter, "session0", "abortTransaction", {})
    assert state() == "aborted"


def test_the_order_of_a_command_does_not_depend_on_the_file(adapter: Adapter, heard: Heard) -> None:
    arguments: JsonObject = {"commandName": "ping", "command": {"comment": 1, "ping": 1}}
    _result(adapter, "db0", "runCommand", arguments)
    assert heard.of("commandStartedEvent")[-1]["commandName"] == "ping"


def test_events_of_every_kind(adapter: Adapter, heard: Heard) -> None:
    _insert(adapter, 1)
    _error(adapter, "db0", "runCommand", {"commandName": "shout", "command": {"shout": 1}})
    known: JsonObject = {
        "databaseName": "adapters",
        "hasServiceId": False,
        "hasServerConnectionId": True,
    }
    (started,) = [e for e in heard.of("commandStartedEvent") if e["commandName"] == "insert"]
    assert {**started, "command": {}} == {**known, "commandName": "insert", "command": {}}
    assert isinstance(started["command"], dict)
    assert started["command"]["documents"] == [{"_id": _int(1)}]
    (succeeded,) = [e for e in heard.of("commandSucceededEvent") if e["commandName"] == "insert"]
    assert isinstance(succeeded["reply"], dict)
    assert succeeded["reply"]["n"] == _int(1)
    failed = [e for e in heard.of("commandFailedEvent") if e["commandName"] != "drop"]
    assert failed == [{**known, "commandName": "shout"}]
    for name in ("poolReadyEvent", "connectionReadyEvent", "connectionCheckedOutEvent"):
        assert heard.wait_for(name) == {}
    assert heard.wait_for("topologyOpeningEvent") == {}
    changed = heard.wait_for("serverDescriptionChangedEvent")
    assert changed["newDescription"] == {"type": "Standalone"}
    heard.wait_for("topologyDescriptionChangedEvent")
    assert heard.of("topologyDescriptionChangedEvent")[-1]["newDescription"] == {"type": "Single"}
    assert heard.wait_for("serverHeartbeatSucceededEvent")["awaited"] in (True, False)
    _result(adapter, "client0", "close", {})
    assert heard.wait_for("topologyClosedEvent") == {}


def test_log_messages_are_the_clients(adapter: Adapter, heard: Heard) -> None:
    adapter.create("client", "silent", {"uri": "mongodb://127.0.0.1:1"})
    _insert(adapter, 1)
    messages: list[Any] = heard.of("log")
    by_text = {
        (each["component"], each["data"]["message"]): each["level"]
        for each in messages
        if each["component"] == "topology" or each["data"]["commandName"] == "insert"
    }
    assert by_text["topology", "Starting topology monitoring"] == "debug"
    assert by_text["command", "Command started"] == "debug"
    ports = [each["data"].get("serverPort") for each in messages]
    assert _int(1) not in ports, "another client's messages got here"


def test_the_harness_sees_the_topology_and_the_pool(adapter: Adapter, uri: str) -> None:
    _insert(adapter, 1)
    address = uri.removeprefix("mongodb://").partition("/")[0]
    assert _result(adapter, "client0", "spec.topologyDescription", {}) == {
        "type": "Single",
        "servers": [{"address": address, "type": "Standalone"}],
    }
    assert _result(adapter, "client0", "spec.connectionsCheckedOut", {}) == _int(0)


def test_a_file_is_downloaded_as_bytes(adapter: Adapter) -> None:
    adapter.create("bucket", "bucket0", {"database": "db0"})
    for name in ("files", "chunks"):
        adapter.create("collection", name, {"database": "db0", "collectionName": f"fs.{name}"})
        _result(adapter, "db0", "dropCollection", {"collection": f"fs.{name}"})
    file: JsonObject = {
        "_id": 7,
        "length": {"$numberLong": "2"},
        "chunkSize": 4,
        "uploadDate": {"$date": "2024-01-01T00:00:00Z"},
        "filename": "f",
    }
    _result(adapter, "files", "insertOne", {"document": file})
    data: JsonObject = {"$binary": {"base64": "Eqs=", "subType": "00"}}
    chunk: JsonObject = {"_id": 1, "files_id": 7, "n": 0, "data": data}
    _result(adapter, "chunks", "insertOne", {"document": chunk})
    assert _result(adapter, "bucket0", "download", {"id": 7}) == data
    assert _result(adapter, "bucket0", "downloadByName", {"filename": "f"}) == data
    assert _error(adapter, "bucket0", "download", {"id": 8}).client_error is True
