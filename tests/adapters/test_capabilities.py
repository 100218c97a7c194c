"""What is declared agrees with the tables, the drivers' classes and the official files."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from driver.encryption import ClientEncryption
from runners.adapters.pymongo_api.arguments import parameters_of
from runners.adapters.pymongo_api.binding import Binding
from runners.adapters.pymongo_api.capabilities import OPERATIONS, capabilities
from runners.adapters.pymongo_api.events import NAMES as EVENTS
from tests.adapters import fake
from tests.official import SOURCE, needs_official

_DRIVERS = ("pymongo", "pymongo_async", "reference", "reference_async")

_PYMONGO_LACKS = {
    "operation.bucket.drop",
    "operation.collection.count",
    "operation.session.getSnapshotTime",
}
"""Some of what PyMongo had not, when this was written: to see that lacks are seen."""


def _binding(module: str) -> Binding:
    if module.startswith("pymongo"):
        pytest.importorskip("pymongo", reason="PyMongo is not installed (extra `pymongo`)")
    binding = importlib.import_module(f"runners.adapters.{module}").BINDING
    assert isinstance(binding, Binding)
    return binding


def test_a_driver_without_its_library_declares_no_encryption() -> None:
    whole = _binding("reference")
    with_it = dict(whole.classes) | {"clientEncryption": ClientEncryption}
    without = {kind: cls for kind, cls in with_it.items() if kind != "clientEncryption"}
    found = capabilities(replace(whole, classes=with_it))
    told = {name for name in found if "clientEncryption" in name}
    assert {"entity.clientEncryption", "operation.clientEncryption.createDataKey.opts"} < told
    assert capabilities(replace(whole, classes=without)) == found - told


def test_a_driver_declares_what_its_classes_have() -> None:
    found = capabilities(fake.SYNC)
    assert {
        "entity.client",
        "operation.collection.insertOne",
        "operation.collection.insertOne.document",
        "operation.collection.insertOne.session",
        "operation.collection.find.batchSize",
        "operation.collection.find.timeoutMS",
        "operation.cursor.close",
        "operation.changeStream.iterateOnce",
        "operation.session.spec.lsid",
        "operation.client.spec.topologyDescription",
        "event.commandStartedEvent",
        "log.topology",
        "logic.sdam",
    } <= found
    assert (
        not {
            "operation.collection.insertOne.comment",
            "operation.collection.updateOne",
            "operation.collection.find.hint",
            "operation.collection.drop.rawData",
            "operation.session.spec.dirty",
        }
        & found
    )
    assert {name for name in found if name.startswith("event.")} == {
        f"event.{event}" for event in EVENTS
    }


@pytest.mark.parametrize("module", ["pymongo", "pymongo_async"])
def test_what_pymongo_would_send_to_the_server_unread_is_not_declared(module: str) -> None:
    found = capabilities(_binding(module))
    assert not {name for name in found if name.endswith((".rawData", ".timeoutMode"))}


@pytest.mark.parametrize("module", ["pymongo", "pymongo_async"])
def test_methods_that_pass_on_what_they_are_given_are_read_where_that_goes(module: str) -> None:
    binding = _binding(module)
    finding = parameters_of(binding, binding.classes["bucket"].find)
    assert (finding.keyword("batchSize"), finding.open) == ("batch_size", False)


@pytest.mark.parametrize("module", _DRIVERS)
def test_every_renamed_argument_is_a_parameter_of_its_method(module: str) -> None:
    """A misspelt keyword would make an argument unsupported, silently, in every driver."""
    binding = _binding(module)
    for kind, operations in OPERATIONS.items():
        for name, operation in operations.items():
            if operation.renamed and operation.offered(binding, kind):
                names = operation.parameters(binding, kind).names
                assert set(operation.renamed.values()) <= names, f"{kind}.{name}"


@pytest.mark.parametrize("module", _DRIVERS)
def test_own_arguments_are_among_the_arguments(module: str) -> None:
    for operations in OPERATIONS.values():
        for operation in operations.values():
            assert operation.own <= operation.arguments
            assert operation.renamed.keys() <= operation.arguments


@pytest.mark.parametrize("module", _DRIVERS)
def test_required_parameters_can_be_given(module: str) -> None:
    binding = _binding(module)
    for kind, operations in OPERATIONS.items():
        for name, operation in operations.items():
            if operation.method is None or not operation.offered(binding, kind):
                continue
            if not operation.arguments:
                continue
            parameters = operation.parameters(binding, kind)
            given = {
                parameters.keyword(operation.renamed.get(argument, argument))
                for argument in operation.arguments
            }
            missing = parameters.required - given - {"algorithm", "driver_info", "model", "source"}
            assert not missing, f"{kind}.{name} cannot give {missing}"


@pytest.mark.parametrize("family", ["pymongo", "reference"])
def test_sync_and_asyncio_declare_the_same(family: str) -> None:
    assert capabilities(_binding(family)) == capabilities(_binding(f"{family}_async"))


def test_what_pymongo_lacks_is_not_declared() -> None:
    found = capabilities(_binding("pymongo"))
    assert not _PYMONGO_LACKS & found
    assert not [name for name in found if name.endswith(".rawData")]


def _operations(value: Any) -> Iterator[dict[str, Any]]:
    for operation in value if isinstance(value, list) else []:
        yield operation
        arguments = operation.get("arguments") or {}
        yield from _operations([arguments["operation"]] if "operation" in arguments else [])
        yield from _operations(arguments.get("callback"))


def _unified_files() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(SOURCE.rglob("tests/**/*.json")):
        name = str(path.relative_to(SOURCE))
        if "client-side-encryption" in name or "/invalid/" in name or "valid-fail" in name:
            continue
        value = json.loads(path.read_text())
        if isinstance(value, dict) and "schemaVersion" in value and "tests" in value:
            yield name, value


class TestOfficialFiles:
    pytestmark = needs_official

    def test_the_tables_know_every_operation_and_argument(self) -> None:
        """Unknown ones would be `unsupported` in every driver, whatever it can do."""
        unknown: dict[str, str] = {}
        known = 0
        for name, file in _unified_files():
            kinds = {"": ""}
            for test in file["tests"]:
                operations = list(_operations(test.get("operations")))
                entities = [*file.get("createEntities", [])]
                for operation in operations:
                    entities += (operation.get("arguments") or {}).get("entities", [])
                for entity in entities:
                    kinds |= {spec["id"]: kind for kind, spec in entity.items() if "id" in spec}
                for operation in operations:
                    table = OPERATIONS.get(kinds.get(operation["object"], ""))
                    if table is None:
                        continue
                    label = f"{kinds[operation['object']]}.{operation['name']}"
                    if operation["name"] not in table:
                        unknown[label] = name
                        continue
                    known += 1
                    arguments = (operation.get("arguments") or {}).keys() - {"timeoutMS"}
                    for argument in arguments - table[operation["name"]].arguments:
                        unknown[f"{label}.{argument}"] = name
        assert known > 1000
        assert unknown.keys() <= _UNKNOWN, unknown


_UNKNOWN = {
    "bucket.find",
    *(
        f"{operation}.timeoutMode"
        for operation in (
            *("collection.aggregate", "collection.find", "collection.listIndexes"),
            *("database.aggregate", "database.listCollections", "database.createCommandCursor"),
            "database.runCursorCommand",
        )
    ),
}
"""What no driver here could do: timeoutMode, and a bucket's find."""
