"""Executing an operation: a special one by its name, any other on the driver's entity.

Spec: unified-test-format, "Executing an Operation".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from runners.adapters.base import Callback, ErrorReport, Reply
from runners.model import JsonObject
from runners.unified import fields
from runners.unified.entities import Thread
from runners.unified.faults import CaseError, CaseFailed
from runners.unified.match import Path
from runners.unified.needs import TEST_RUNNER
from runners.unified.operations import entity, events, fail_points, server, sessions, topology
from runners.unified.state import CaseState

Special: TypeAlias = Callable[[CaseState, JsonObject, Path], None]
"""A special operation: does its work on the case's state, with its arguments and their place."""

THREAD_SECONDS: Final = 10.0


def execute_all(state: CaseState, owner: JsonObject, key: str, path: Path) -> None:
    """Execute a list of operations in order."""
    for index, operation in enumerate(fields.tables(owner, key, path)):
        state.now = (*path, key, index)
        execute(state, operation, state.now)


def execute(state: CaseState, operation: JsonObject, path: Path) -> Reply:
    """Execute an operation and check what it gives; return that for an enclosing callback."""
    name = fields.text(operation, "name", path)
    arguments = fields.table(operation, "arguments", path, {})
    if fields.text(operation, "object", path) == TEST_RUNNER:
        run = SPECIAL.get(name)
        if run is None:
            raise CaseError(f"testRunner knows no operation {name!r}", path)
        run(state, arguments, (*path, "arguments"))
        return Reply()
    callback = _callback(state, arguments, path) if name == "withTransaction" else None
    return entity.execute(state, operation, path, callback)


def _callback(state: CaseState, arguments: JsonObject, path: Path) -> Callback:
    """What the driver is to run in a transaction: ends with the first operation's error."""
    where = (*path, "arguments")
    operations = fields.tables(arguments, "callback", where)

    def run() -> ErrorReport | None:
        for index, operation in enumerate(operations):
            reply = execute(state, operation, (*where, "callback", index))
            if reply.error is not None:
                return reply.error
        return None

    return run


def _run_on_thread(state: CaseState, arguments: JsonObject, path: Path) -> None:
    name = fields.text(arguments, "thread", path)
    operation = fields.table(arguments, "operation", path)
    worker = state.entities.get_as(Thread, name, (*path, "thread")).worker
    worker.submit(lambda: execute(state, operation, (*path, "operation")))


def _wait_for_thread(state: CaseState, arguments: JsonObject, path: Path) -> None:
    name = fields.text(arguments, "thread", path)
    worker = state.entities.get_as(Thread, name, (*path, "thread")).worker
    if not worker.finish(THREAD_SECONDS):
        raise CaseFailed(f"{name} has not ended its operations within {THREAD_SECONDS:g} s", path)


def _create_entities(state: CaseState, arguments: JsonObject, path: Path) -> None:
    for index, item in enumerate(fields.tables(arguments, "entities", path)):
        state.create(item, (*path, "entities", index))


SPECIAL: Final[dict[str, Special]] = {
    "createEntities": _create_entities,
    "runOnThread": _run_on_thread,
    "waitForThread": _wait_for_thread,
    **events.OPERATIONS,
    **fail_points.OPERATIONS,
    **server.OPERATIONS,
    **sessions.OPERATIONS,
    **topology.OPERATIONS,
}
"""The operations of the object `testRunner`, by name."""
