"""Small spec files for the runner's tests."""

from __future__ import annotations

import json

from runners.load import SpecFile
from runners.model import Json, JsonObject
from tests.unified.scripted import spec_file

CLIENT: JsonObject = {
    "client": {
        "id": "client0",
        "observeEvents": ["commandStartedEvent", "commandSucceededEvent", "poolClearedEvent"],
        "observeLogMessages": {"command": "debug"},
        "observeTracingMessages": {},
    }
}
DATABASE: JsonObject = {"database": {"id": "db", "client": "client0", "databaseName": "test"}}
COLLECTION: JsonObject = {
    "collection": {"id": "coll", "database": "db", "collectionName": "things"}
}
SESSION: JsonObject = {"session": {"id": "session0", "client": "client0"}}
THREAD: JsonObject = {"thread": {"id": "thread0"}}
ENTITIES: list[Json] = [CLIENT, DATABASE, COLLECTION, SESSION, THREAD]


def op(name: str, owner: str = "coll", arguments: JsonObject | None = None, **more: Json) -> Json:
    """An operation."""
    operation: JsonObject = {"name": name, "object": owner, "arguments": arguments or {}}
    return operation | more


def special(name: str, **arguments: Json) -> Json:
    """An operation of the test runner."""
    return op(name, "testRunner", arguments)


def find(**more: Json) -> Json:
    """A find of everything."""
    return op("find", "coll", {"filter": {}}, **more)


def insert(**more: Json) -> Json:
    """An insertOne."""
    return op("insertOne", "coll", {"document": {"_id": 1}}, **more)


def file_with(
    *operations: Json, test: JsonObject | None = None, file: JsonObject | None = None
) -> SpecFile:
    """A file of one test, a key a line: `test` and `file` add keys or replace them."""
    value: JsonObject = {
        "description": "small",
        "schemaVersion": "1.28",
        "createEntities": ENTITIES,
        "tests": [{"description": "one", "operations": list(operations), **(test or {})}],
        **(file or {}),
    }
    return spec_file(json.dumps(value, indent=1))
