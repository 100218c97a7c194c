"""What a case asks for before it runs."""

from __future__ import annotations

import pytest

from runners.load import SpecFile, cases
from runners.model import DeploymentInfo, Json, JsonObject, Topology
from runners.requirements import unmet
from runners.unified.needs import body_of, needs, requirements, runs, skip_reason
from tests.unified.files import file_with, find, op, special

BASE = frozenset(
    {
        *("entity.client", "entity.database", "entity.collection", "entity.session"),
        *("event.commandStartedEvent", "event.commandSucceededEvent", "event.poolClearedEvent"),
        *("event.span", "log.command"),
    }
)


def at(version: str) -> DeploymentInfo:
    return DeploymentInfo("here", Topology.REPLICA_SET, version, uri="", hosts=())


def needed(file: SpecFile) -> frozenset[str]:
    return needs(file, cases(file)[0]) - BASE


def test_of_entities() -> None:
    file = file_with()
    assert needs(file, cases(file)[0]) == BASE


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (find(), {"operation.collection.find", "operation.collection.find.filter"}),
        (op("close", "client0"), {"operation.client.close"}),
        (op("moon", "client0"), set()),
        (op("find", "nobody"), set()),
        (op("find", "coll", {"sorted": 1}), {"operation.collection.find"}),
        (
            special("runOnThread", thread="thread0", operation=op("close", "client0")),
            {"operation.client.close"},
        ),
        (
            op("withTransaction", "session0", {"callback": [op("drop")]}),
            {
                "operation.session.withTransaction",
                "operation.session.withTransaction.callback",
                "operation.collection.drop",
            },
        ),
        (
            special("failPoint", client="client0", failPoint={}),
            {"operation.database.runCommand", "operation.database.runCommand.readPreference"},
        ),
        (special("assertSessionPinned", session="s"), {"operation.session.spec.pinnedServer"}),
        (special("createEntities", entities=[{"bucket": {"id": "b"}}]), {"entity.bucket"}),
        (
            special("createEntities", entities=[{"client": {"id": "c", "autoEncryptOpts": {}}}]),
            {"entity.client.autoEncryptOpts"},
        ),
    ],
)
def test_of_operations(operation: Json, wanted: set[str]) -> None:
    assert needed(file_with(operation)) == wanted


def test_of_saved_cursors() -> None:
    make = op("createFindCursor", saveResultAsEntity="cursor0")
    assert "operation.cursor.close" in needed(file_with(make, op("close", "cursor0")))


def test_of_expectations() -> None:
    matched = find(expectResult=[{"lsid": {"$$sessionLsid": "session0"}}])
    assert "operation.session.spec.lsid" in needed(file_with(matched))
    quiet: Json = [{"client": {"id": "client0"}}]
    file = file_with(file={"createEntities": quiet}, test={"expectTracingMessages": []})
    assert needs(file, cases(file)[0]) == {"entity.client", "event.span"}


@pytest.mark.parametrize(
    "test",
    [
        {"operations": [1, {"name": 1, "object": []}, {"arguments": []}]},
        {"operations": [{"name": "find", "object": "coll", "arguments": 1}]},
        {"operations": None},
    ],
)
def test_of_nonsense(test: JsonObject) -> None:
    assert needed(file_with(test=test)) <= {"operation.collection.find"}


def test_requirements_of_file_and_test() -> None:
    file = file_with(
        test={"runOnRequirements": [{"auth": True}]}, file={"runOnRequirements": [{"csfle": False}]}
    )
    assert requirements(file, cases(file)[0]) == [[{"csfle": False}], [{"auth": True}]]
    assert requirements(file_with(), cases(file_with())[0]) == []


@pytest.mark.parametrize(
    ("options", "csfle", "asked"),
    [
        ({}, True, {"minServerVersion": "4.2.0"}),
        ({}, {"minLibmongocryptVersion": "1.0"}, {"csfle": {"minLibmongocryptVersion": "1.0"}}),
        ({"autoEncryptOpts": {}}, True, {"csfle": True}),
    ],
)
def test_only_automatic_encryption_asks_for_what_says_what_to_encrypt(
    options: JsonObject, csfle: Json, asked: JsonObject
) -> None:
    file = file_with(
        file={
            "createEntities": [{"client": {"id": "client0", **options}}],
            "runOnRequirements": [{"csfle": csfle}],
        }
    )
    assert requirements(file, cases(file)[0]) == [[asked]]


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({"failCommands": ["insert", "isMaster"], "appName": "a"}, True),
        ({"failCommands": ["hello"], "appName": "a"}, True),
        ({"failCommands": ["hello"]}, False),
        ({"failCommands": ["insert", ["hello"]], "appName": "a"}, False),
        ({"failCommands": "hello", "appName": "a"}, False),
        ([], False),
    ],
)
def test_a_fail_point_on_hello_by_app_name_asks_for_a_server_that_has_it(
    data: Json, asked: bool
) -> None:
    fail_point = special("failPoint", client="client0", failPoint={"data": data})
    file = file_with(special("runOnThread", thread="thread0", operation=fail_point))
    lists = requirements(file, cases(file)[0])
    assert len(lists) == asked
    versions = ("4.2.6", "4.2.15", "4.3.1", "4.4.6", "4.4.7", "8.2.0")
    met = [version for version in versions if all(not unmet(each, at(version)) for each in lists)]
    assert met == (["4.2.15", "4.4.7", "8.2.0"] if asked else list(versions))


def test_skip_reason() -> None:
    file = file_with(test={"skipReason": "later"})
    assert skip_reason(file, cases(file)[0]) == "later"
    assert skip_reason(file_with(), cases(file)[0]) is None


def test_runs_looks_into_callbacks() -> None:
    nested = op("withTransaction", "session0", {"callback": [op("drop")]})
    file = file_with(nested)
    assert runs(body_of(file, cases(file)[0]), "drop")
    assert not runs(body_of(file, cases(file)[0]), "find")
