"""The Node.js driver's adapter: it obeys the protocol, and values and errors are right."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.adapters import load, nodejs
from runners.adapters.base import Adapter, AdapterError, Unsupported
from runners.adapters.trial import STEPS, Finding, findings
from runners.model import Json, JsonObject

Events = list[tuple[str, str, JsonObject]]


@pytest.fixture(scope="module")
def events() -> Events:
    return []


@pytest.fixture(scope="module")
def node(events: Events) -> Iterator[Adapter]:
    """The adapter, open."""
    try:
        adapter = load("node")
    except AdapterError as error:
        pytest.skip(f"not run: {error}")
    adapter.open(lambda *event: events.append(event))
    yield adapter
    adapter.shutdown()


@pytest.fixture
def collection(node: Adapter, uri: str, events: Events) -> Iterator[str]:
    """An empty collection of a client that is observed."""
    observed: list[Json] = ["commandStartedEvent", "commandSucceededEvent"]
    spec: JsonObject = {"id": "client", "uri": uri, "observeEvents": observed}
    node.create("client", "client", spec)
    node.create("database", "db", {"id": "db", "client": "client", "databaseName": "nodeTest"})
    node.create("collection", "coll", {"id": "coll", "database": "db", "collectionName": "c"})
    node.run("coll", "drop", {})
    events.clear()
    yield "coll"
    node.reset()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/node")
    monkeypatch.setattr(nodejs, "FOLDER", tmp_path)
    with pytest.raises(AdapterError, match="npm ci --prefix"):
        load("node")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(AdapterError, match=r"needs Node.js 20.19"):
        load("node")


def test_it_obeys_the_protocol(node: Adapter) -> None:
    command = ("node", str(nodejs.FOLDER / "main.js"))
    assert list(findings(command)) == [Finding(title) for title, _, _ in STEPS]


@pytest.mark.live
def test_values_go_to_the_server_as_they_are(node: Adapter, collection: str) -> None:
    document: JsonObject = {
        "_id": {"$numberLong": "5"},
        "double": {"$numberDouble": "1.0"},
        "long": {"$numberLong": "7"},
        "int": 3,
        "decimal": {"$numberDecimal": "0.10"},
        "date": {"$date": {"$numberLong": "0"}},
        "bytes": {"$binary": {"base64": "AQI=", "subType": "00"}},
        "nothing": None,
        "nested": {"$or": [1, {"$symbol": "x"}]},
    }
    reply = node.run(collection, "insertOne", {"document": document})
    assert reply.result == {"insertedId": {"$numberLong": "5"}}
    types: JsonObject = {name: {"$type": f"${name}"} for name in document}
    project: JsonObject = {"$project": types}
    found = node.run(collection, "aggregate", {"pipeline": [project]}).result
    wanted = ["long", "double", "long", "int", "decimal", "date", "binData", "null", "object"]
    assert found == [dict(zip(document, wanted, strict=True))]


@pytest.mark.live
def test_errors_and_partial_results(node: Adapter, collection: str) -> None:
    model: JsonObject = {"insertOne": {"document": {"_id": 1}}}
    reply = node.run(collection, "bulkWrite", {"requests": [model, model, model]})
    error = reply.error
    assert error is not None
    assert (error.kind, error.code, error.client_error) == ("MongoBulkWriteError", 11000, False)
    assert isinstance(error.result, dict)
    assert error.result["insertedCount"] == {"$numberInt": "1"}
    assert isinstance(error.write_errors, dict)
    assert error.write_errors.keys() == {"1"}
    refused = node.run("db", "runCommand", {"command": {"noSuch": 1}, "commandName": "noSuch"})
    assert refused.error is not None
    assert (refused.error.code, refused.error.code_name) == (59, "CommandNotFound")


@pytest.mark.live
def test_events_and_cursors(node: Adapter, collection: str, events: Events) -> None:
    documents: list[Json] = [{"_id": n} for n in range(3)]
    node.run(collection, "insertMany", {"documents": documents})
    node.run(collection, "createFindCursor", {"filter": {}, "batchSize": 2}, "cursor")
    seen = [node.run("cursor", "iterateUntilDocumentOrError", {}).result for _ in range(3)]
    assert seen == [{"_id": {"$numberInt": str(n)}} for n in range(3)]
    node.run("cursor", "close", {})
    started = [body["commandName"] for _, name, body in events if name == "commandStartedEvent"]
    assert started == ["insert", "find", "getMore"]


def test_what_the_driver_does_not_know_is_said(node: Adapter) -> None:
    uri = "mongodb://127.0.0.1:1/?noSuchOption=1"
    with pytest.raises(Unsupported) as caught:
        node.create("client", "c", {"id": "c", "uri": uri})
    assert caught.value.name.lower() == "urioption.nosuchoption"
    with pytest.raises(AdapterError, match="cannot create the client"):
        node.create("client", "c", {"id": "c", "uri": "mongodb://"})
