"""What a case asks for before it runs: of the driver, of the deployment, of this runner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runners.load import SpecFile
from runners.model import Case, Json, JsonObject
from runners.unified.catalogue import CREATED, MADE, OPERATIONS
from runners.unified.match import operator

SCHEMA: Final = (1, 28)
"""The newest schema version whose files this runner runs."""

TEST_RUNNER: Final = "testRunner"

_RUN_COMMAND: Final = frozenset(
    {"operation.database.runCommand", "operation.database.runCommand.readPreference"}
)
_TEST_RUNNER_NEEDS: Final[dict[str, frozenset[str]]] = {
    "failPoint": _RUN_COMMAND,
    "targetedFailPoint": frozenset({"operation.session.spec.pinnedServer"}),
    "assertSessionPinned": frozenset({"operation.session.spec.pinnedServer"}),
    "assertSessionUnpinned": frozenset({"operation.session.spec.pinnedServer"}),
    "assertSessionTransactionState": frozenset({"operation.session.spec.transactionState"}),
    "assertSessionDirty": frozenset({"operation.session.spec.dirty"}),
    "assertSessionNotDirty": frozenset({"operation.session.spec.dirty"}),
    "assertNumberConnectionsCheckedOut": frozenset({"operation.client.spec.connectionsCheckedOut"}),
    "recordTopologyDescription": frozenset({"operation.client.spec.topologyDescription"}),
    "waitForPrimaryChange": frozenset({"operation.client.spec.topologyDescription"}),
    "loop": frozenset({"operation.testRunner.loop"}),
}
"""What special operations ask of a driver. No driver has `operation.testRunner.loop`: the format
dropped that operation, which ends only when something outside says so."""

_HELLO: Final = ("hello", "isMaster", "ismaster")
_FAILS_HELLO_BY_APP_NAME: Final[list[JsonObject]] = [
    {"minServerVersion": "4.4.7"},
    {"minServerVersion": "4.2.15", "maxServerVersion": "4.2.99"},
]
"""Older servers cannot tell a connection's first hello by its appName (SERVER-49336): a fail point
misses it, and official files that ask for 4.4 mean its later releases."""


def body_of(spec: SpecFile, case: Case) -> JsonObject:
    """The case's test object."""
    tests = spec.value.get("tests")
    test = tests[case.index] if isinstance(tests, list) and case.index < len(tests) else None
    return test if isinstance(test, dict) else {}


def skip_reason(spec: SpecFile, case: Case) -> str | None:
    """The file's own reason for not running the test."""
    reason = body_of(spec, case).get("skipReason")
    return None if reason is None else str(reason)


def requirements(spec: SpecFile, case: Case) -> list[list[JsonObject]]:
    """The file's and the test's runOnRequirements, and what the test's fail points ask for.

    Of each list, one has to be met.
    """
    test = body_of(spec, case)
    lists = [_objects(part.get("runOnRequirements")) for part in (spec.value, test)]
    for operation in operations(test.get("operations")):
        arguments = operation.get("arguments")
        if isinstance(arguments, dict):
            lists.append(of_fail_point(arguments.get("failPoint")))
    if "entity.client.autoEncryptOpts" not in needs(spec, case):
        lists = [[_explicit(each) for each in requirement] for requirement in lists]
    return [each for each in lists if each]


def _explicit(requirement: JsonObject) -> JsonObject:
    """What `csfle` asks for where nothing is encrypted automatically: of the server, its age.

    mongocryptd and crypt_shared say what is to be encrypted, which explicit encryption knows; the
    driver's part is its capability.
    """
    if requirement.get("csfle") is not True:
        return requirement
    rest = {name: value for name, value in requirement.items() if name != "csfle"}
    return {"minServerVersion": "4.2.0", **rest}


def of_fail_point(command: Json) -> list[JsonObject]:
    """The requirements of a fail point, of which one has to be met where there are any."""
    data = command.get("data") if isinstance(command, dict) else None
    if not isinstance(data, dict) or "appName" not in data:
        return []
    commands = data.get("failCommands")
    fails_hello = isinstance(commands, list) and any(name in _HELLO for name in commands)
    return _FAILS_HELLO_BY_APP_NAME if fails_hello else []


def schema_problem(spec: SpecFile) -> str | None:
    """Why this runner cannot run the file, if it cannot."""
    version = str(spec.value.get("schemaVersion"))
    parts = version.split(".")
    if not all(part.isdecimal() and len(part) < 6 for part in parts):
        return f"schemaVersion {version!r} is not a version"
    major, minor = int(parts[0]), int(parts[1]) if len(parts) > 1 else 0
    if major != SCHEMA[0] or minor > SCHEMA[1]:
        known = ".".join(map(str, SCHEMA))
        return f"schemaVersion {version} is not supported; supported are 1.0 to {known}"
    return None


def operations(value: Json) -> Iterator[JsonObject]:
    """All operations of a list, with those that they contain (threads, callbacks, loops)."""
    for operation in _objects(value):
        yield operation
        arguments = operation.get("arguments")
        if isinstance(arguments, dict):
            yield from operations([arguments.get("operation")])
            yield from operations(arguments.get("callback"))
            yield from operations(arguments.get("operations"))


def runs(test: JsonObject, *names: str) -> bool:
    """Whether the test might execute an operation of one of these names."""
    return any(operation.get("name") in names for operation in operations(test.get("operations")))


def needs(spec: SpecFile, case: Case) -> frozenset[str]:
    """The capabilities (see DriverInfo) without which a driver cannot run the case.

    What the format itself does not know is left out: running into it is an error.
    """
    test = body_of(spec, case)
    found: set[str] = set()
    kinds: dict[str, str] = {}
    _entities(_objects(spec.value.get("createEntities")), kinds, found)
    for operation in operations(test.get("operations")):
        _operation(operation, kinds, found)
    if test.get("expectTracingMessages") is not None:
        found.add("event.span")
    if _mentions(test, "$$sessionLsid"):
        found.add("operation.session.spec.lsid")
    return frozenset(found)


def _entities(entities: list[JsonObject], kinds: dict[str, str], found: set[str]) -> None:
    for entity in entities:
        for kind, spec in entity.items():
            if not isinstance(spec, dict) or not isinstance(spec.get("id"), str):
                continue
            kinds[str(spec["id"])] = kind
            if kind in CREATED:
                found.add(f"entity.{kind}")
            if kind == "client":
                _client(spec, found)


def _client(client: JsonObject, found: set[str]) -> None:
    observed, logged = client.get("observeEvents"), client.get("observeLogMessages")
    found.update(f"event.{name}" for name in (observed if isinstance(observed, list) else []))
    found.update(f"log.{component}" for component in (logged if isinstance(logged, dict) else {}))
    if "observeTracingMessages" in client:
        found.add("event.span")
    found.update(
        f"entity.client.{option}"
        for option in ("autoEncryptOpts", "storeEventsAsEntities")
        if option in client
    )


def _operation(operation: JsonObject, kinds: dict[str, str], found: set[str]) -> None:
    name, owner = str(operation.get("name")), str(operation.get("object"))
    arguments = operation.get("arguments")
    given = arguments if isinstance(arguments, dict) else {}
    if owner == TEST_RUNNER:
        found.update(_TEST_RUNNER_NEEDS.get(name, ()))
        if name == "createEntities":
            _entities(_objects(given.get("entities")), kinds, found)
        return
    kind = kinds.get(owner, "")
    known = OPERATIONS.get(kind, {}).get(name)
    if known is not None:
        found.add(f"operation.{kind}.{name}")
        found.update(f"operation.{kind}.{name}.{each}" for each in given if known.knows(each))
    saved = operation.get("saveResultAsEntity")
    if isinstance(saved, str) and name in MADE:
        kinds[saved] = MADE[name]


def _mentions(value: Json, wanted: str) -> bool:
    if isinstance(value, dict):
        return operator(value) == wanted or any(_mentions(v, wanted) for v in value.values())
    return isinstance(value, list) and any(_mentions(item, wanted) for item in value)


def _objects(value: Json) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
