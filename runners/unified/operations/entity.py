"""Operations on a driver's entities: forwarded to the adapter, then held against the file.

Spec: unified-test-format, "Entity Test Operations" and "Executing an Operation".
"""

from __future__ import annotations

from runners.adapters.base import Callback, Reply, Unsupported
from runners.model import JsonObject
from runners.unified import fields
from runners.unified.catalogue import MADE, OPERATIONS, VALUES, Arguments
from runners.unified.entities import Entity, Saved
from runners.unified.errors import match_error, match_result
from runners.unified.faults import CaseError, CaseFailed, fail_on
from runners.unified.match import Path, Root
from runners.unified.state import CaseState, report_json, unexpected


def execute(
    state: CaseState, operation: JsonObject, path: Path, callback: Callback | None = None
) -> Reply:
    """Run the operation, check its result or error as the file says, save what is to be saved."""
    name = fields.text(operation, "name", path)
    owner = fields.text(operation, "object", path)
    arguments = fields.table(operation, "arguments", path, {})
    kind = state.entities.get(owner, (*path, "object")).kind
    known = OPERATIONS.get(kind, {}).get(name)
    if known is None:
        raise CaseError(f"a {kind} has no operation {name!r}", (*path, "name"))
    _check_arguments(name, known, arguments, (*path, "arguments"))
    if f"operation.{kind}.{name}" not in state.adapter.info.capabilities:
        raise Unsupported(f"operation.{kind}.{name}")
    if "session" in arguments:
        session = fields.text(arguments, "session", (*path, "arguments"))
        state.entities.check_kind(session, "session", (*path, "arguments", "session"))
    save_as = None
    if "saveResultAsEntity" in operation:
        save_as = fields.text(operation, "saveResultAsEntity", path)
        state.entities.check_free(save_as, (*path, "saveResultAsEntity"))
    made = MADE.get(name)
    reply = state.adapter.run(owner, name, arguments, save_as if made else None, callback)
    if fields.flag(operation, "ignoreResultAndError", path):
        return reply
    _check(state, operation, reply, path)
    if save_as is not None:
        where = (*path, "saveResultAsEntity")
        if made is None and reply.result is None:
            raise CaseError(f"{name} gave no result to save as {save_as!r}", where)
        state.entities.add(save_as, Entity(made) if made else Saved(reply.result), where)
    return reply


def _check_arguments(name: str, known: Arguments, given: JsonObject, path: Path) -> None:
    if missing := known.required - given.keys():
        raise CaseError(f"{name} needs {', '.join(sorted(missing))}", path)
    if unknown := [argument for argument in given if not known.knows(argument)]:
        raise CaseError(f"{name} has no argument {', '.join(unknown)}", path)


def _check(state: CaseState, operation: JsonObject, reply: Reply, path: Path) -> None:
    name = fields.text(operation, "name", path)
    if "expectError" in operation:
        where = (*path, "expectError")
        expected = fields.table(operation, "expectError", path)
        if reply.error is None:
            message = f"{name} should have failed, but gave a result"
            raise CaseFailed(message, where, expected, reply.result)
        mismatch = match_error(expected, reply.error, state, where)
        fail_on(mismatch, f"the error of {name}", f"error: {report_json(reply.error)}")
        return
    if reply.error is not None:
        raise unexpected(reply.error, name, path)
    if "expectResult" in operation:
        root = Root.NO if name in VALUES else Root.ITEMS
        where = (*path, "expectResult")
        mismatch = match_result(operation["expectResult"], reply.result, root, state, where)
        fail_on(mismatch, f"the result of {name}")
