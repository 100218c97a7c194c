"""What a file in the unified test format means: names that exist, events that can be observed.

The file has the shape of its schema already. Entities are followed in the order in which a test
makes them, so a name that is used too early is found, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from runners.checks.names import TEST_RUNNER_OPERATIONS
from runners.checks.operators import check_operators
from runners.checks.versions import parse_version
from runners.hints import did_you_mean
from runners.load import SpecFile
from runners.model import JsonObject, Problem
from runners.unified.catalogue import MADE, OPERATIONS, OWNERS
from runners.unified.needs import TEST_RUNNER

Path: TypeAlias = tuple[str | int, ...]
Problems: TypeAlias = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class _Entity:
    kind: str
    spec: JsonObject = field(default_factory=dict)


_Entities: TypeAlias = dict[str, _Entity]


def check_unified(spec: SpecFile) -> Problems:
    """Check the file's entities, then each test with those that it adds."""
    checker = _Checker(spec)
    value: Any = spec.value
    shared: _Entities = {TEST_RUNNER: _Entity(TEST_RUNNER)}
    yield from checker.create(value.get("createEntities", []), ("createEntities",), shared)
    descriptions = set()
    for index, test in enumerate(value["tests"]):
        path = ("tests", index)
        if test["description"] in descriptions:
            message = f"another test is described as {test['description']!r}, too"
            mend = "a case is known by its description"
            yield spec.problem((*path, "description"), "duplicate-description", message, mend)
        descriptions.add(test["description"])
        yield from checker.test(test, path, dict(shared))


class _Checker:
    """Follows the entities of one file's tests."""

    def __init__(self, spec: SpecFile) -> None:
        self._spec = spec
        self._version = parse_version(str(spec.value["schemaVersion"]))

    def test(self, test: Any, path: Path, entities: _Entities) -> Problems:
        """Check a test; `entities` are the file's, and this adds the test's own."""
        yield from self.run(test["operations"], (*path, "operations"), entities)
        for key, check in (
            ("expectEvents", self._expected_events),
            ("expectLogMessages", self._expected_messages),
            ("expectTracingMessages", self._expected_spans),
        ):
            for index, expected in enumerate(test.get(key, [])):
                here = (*path, key, index)
                yield from self._refer(expected["client"], "client", (*here, "client"), entities)
                yield from check(expected, here, entities)
                yield from self._operators(expected, here, entities)

    def create(self, items: list[Any], path: Path, entities: _Entities) -> Problems:
        """Check entities in their order and add them."""
        for index, item in enumerate(items):
            ((kind, entity),) = item.items()
            here = (*path, index, kind)
            if owner := OWNERS.get(kind):
                key, owner_kind = owner
                yield from self._refer(entity[key], owner_kind, (*here, key), entities)
            if kind == "clientEncryption":
                steps = ("clientEncryptionOpts", "keyVaultClient")
                client = entity[steps[0]][steps[1]]
                yield from self._refer(client, "client", (*here, *steps), entities)
            time = entity.get("sessionOptions", {}).get("snapshotTime")
            if isinstance(time, str):
                at = (*here, "sessionOptions", "snapshotTime")
                yield from self._refer(time, "value", at, entities)
            yield from self._add(entity["id"], _Entity(kind, entity), (*here, "id"), entities)

    def run(self, operations: list[Any], path: Path, entities: _Entities) -> Problems:
        """Check operations in their order, with the entities that they add."""
        for index, operation in enumerate(operations):
            yield from self._operation(operation, (*path, index), entities)

    def _operation(self, operation: Any, path: Path, entities: _Entities) -> Problems:
        name, arguments = operation["name"], operation.get("arguments", {})
        at = (*path, "arguments")
        yield from self._refer(operation["object"], None, (*path, "object"), entities)
        kind = entities[operation["object"]].kind if operation["object"] in entities else None
        if kind == TEST_RUNNER:
            yield from self._special(name, arguments, path, entities)
        elif kind is not None:
            yield from self._known(name, OPERATIONS.get(kind, frozenset()), kind, path)
        session = arguments.get("session")
        if kind != TEST_RUNNER and isinstance(session, str):
            yield from self._refer(session, "session", (*at, "session"), entities)
        if name == "withTransaction":
            yield from self.run(arguments.get("callback", []), (*at, "callback"), entities)
        values = ("expectResult", "expectError", *(() if name in _NESTED else ("arguments",)))
        for key in values:
            if key in operation:
                yield from self._operators(operation[key], (*path, key), entities)
        if saved := operation.get("saveResultAsEntity"):
            entity = _Entity(MADE.get(name, "value"))
            yield from self._add(saved, entity, (*path, "saveResultAsEntity"), entities)

    def _special(self, name: str, arguments: Any, path: Path, entities: _Entities) -> Problems:
        """Check an operation of the test runner itself."""
        yield from self._known(name, TEST_RUNNER_OPERATIONS, TEST_RUNNER, path)
        at = (*path, "arguments")
        for key, kind in TEST_RUNNER_OPERATIONS.get(name, {}).items():
            if isinstance(arguments.get(key), str):
                yield from self._refer(arguments[key], kind, (*at, key), entities)
            else:
                message = f"{name} needs an argument `{key}`, the id of a {kind}"
                yield self._spec.problem(at, "required", message)
        if name == "createEntities":
            yield from self.create(arguments.get("entities", []), (*at, "entities"), entities)
        elif name == "runOnThread" and "operation" in arguments:
            yield from self._operation(arguments["operation"], (*at, "operation"), entities)
        elif name == "recordTopologyDescription" and isinstance(arguments.get("id"), str):
            entity = _Entity("topologyDescription")
            yield from self._add(arguments["id"], entity, (*at, "id"), entities)
        elif name in {"waitForEvent", "assertEventCount"} and "event" in arguments:
            (event,) = arguments["event"]
            client = entities.get(str(arguments.get("client")))
            yield from self._observed(event, client, (*at, "event", event))

    def _known(self, name: str, known: Collection[str], kind: str, path: Path) -> Problems:
        """Check that a kind of entity has an operation."""
        if name not in known:
            others = [other for other, names in OPERATIONS.items() if name in names]
            mend = f"a {others[0]} has it" if others else did_you_mean(name, known)
            message = f"{kind} has no operation `{name}`"
            yield self._spec.problem((*path, "name"), "unknown-operation", message, mend)

    def _refer(self, name: str, kind: str | None, path: Path, entities: _Entities) -> Problems:
        """Check that an entity exists, and that it is of a kind."""
        if name not in entities:
            same = [known for known, e in entities.items() if kind is None or e.kind == kind]
            message = f"no entity `{name}` exists at this point"
            yield self._spec.problem(path, "undefined-entity", message, did_you_mean(name, same))
        elif kind is not None and entities[name].kind != kind:
            message = f"`{name}` is a {entities[name].kind}, and a {kind} is needed"
            yield self._spec.problem(path, "wrong-kind", message)

    def _add(self, name: str, entity: _Entity, path: Path, entities: _Entities) -> Problems:
        if name in entities:
            message = f"an entity `{name}` exists already"
            yield self._spec.problem(path, "duplicate-entity", message, "choose another id")
        entities[name] = entity

    def _expected_events(self, expected: Any, path: Path, entities: _Entities) -> Problems:
        for index, event in enumerate(expected["events"]):
            (name,) = event
            client = entities.get(expected["client"])
            yield from self._observed(name, client, (*path, "events", index, name))

    def _observed(self, event: str, client: _Entity | None, path: Path) -> Problems:
        """Check that a client observes an event."""
        if client is None or client.kind != "client":
            return
        observed: Any = client.spec.get("observeEvents", [])
        if event not in observed:
            message = f"the client `{client.spec['id']}` does not observe {event}"
            mend = "add it to the client's observeEvents"
            yield self._spec.problem(path, "not-observed", message, mend, key=True)

    def _expected_messages(self, expected: Any, path: Path, entities: _Entities) -> Problems:
        client = entities.get(expected["client"])
        observed: Any = client.spec.get("observeLogMessages", {}) if client else None
        for index, message in enumerate(expected["messages"]):
            if observed is not None and message["component"] not in observed:
                text = f"the client `{expected['client']}` does not observe this component"
                mend = "add it to the client's observeLogMessages"
                at = (*path, "messages", index, "component")
                yield self._spec.problem(at, "not-observed", text, mend)

    def _expected_spans(self, expected: Any, path: Path, entities: _Entities) -> Problems:
        client = entities.get(expected["client"])
        if client and "observeTracingMessages" not in client.spec:
            text = f"the client `{expected['client']}` does not observe spans"
            mend = "give the client observeTracingMessages"
            yield self._spec.problem((*path, "client"), "not-observed", text, mend)

    def _operators(self, value: Any, path: Path, entities: _Entities) -> Problems:
        for found in check_operators(self._spec, value, path, self._version):
            if isinstance(found, Problem):
                yield found
            else:
                yield from self._refer(found.entity, found.kind, found.path, entities)


_NESTED = frozenset({"createEntities", "runOnThread", "withTransaction"})
"""Operations whose arguments hold other operations or entities, which are checked as such."""
