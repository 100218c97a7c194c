"""Special operations that set fail points, and what turns them off again."""

from __future__ import annotations

from typing import Final

from runners.model import JsonObject
from runners.unified import fields
from runners.unified.entities import Client, Session
from runners.unified.faults import CaseError
from runners.unified.match import Path
from runners.unified.state import CaseState, FailPoint

_BEFORE_ANY_WORK: Final = "failCommand"


def _command(arguments: JsonObject, path: Path) -> JsonObject:
    command = fields.table(arguments, "failPoint", path)
    if next(iter(command), "") != "configureFailPoint":
        message = "the first key should be configureFailPoint"
        raise CaseError(message, (*path, "failPoint"))
    return command


def _name(command: JsonObject, path: Path) -> str:
    return fields.text(command, "configureFailPoint", (*path, "failPoint"))


def _fail_point(state: CaseState, arguments: JsonObject, path: Path) -> None:
    command = _command(arguments, path)
    client = fields.text(arguments, "client", path)
    state.entities.get_as(Client, client, (*path, "client"))
    state.fail_points.append(FailPoint(_name(command, path), None))
    state.admin(client, command, path)


def _targeted_fail_point(state: CaseState, arguments: JsonObject, path: Path) -> None:
    command = _command(arguments, path)
    session = fields.text(arguments, "session", path)
    state.entities.get_as(Session, session, (*path, "session"))
    host = state.ask(session, "spec.pinnedServer", path)
    if not isinstance(host, str):
        raise CaseError(f"{session!r} is not pinned to a mongos", (*path, "session"))
    state.fail_points.append(FailPoint(_name(command, path), host))
    state.control.command("admin", command, host=host)


def turn_off(state: CaseState) -> None:
    """Turn off the fail points that were set.

    The server that a driver chose is one of the deployment's, so they all are told. A fail point
    within an operation may close its connection and leave the server working on it: unless that
    has ended, what is left of it would run without the fail point, and change the outcome.
    """
    places = {
        (name, host)
        for name, known in state.fail_points
        for host in ([known] if known else state.deployment.hosts or [None])
    }
    for name, host in sorted(places, key=str):
        if name != _BEFORE_ANY_WORK:
            state.control.wait_until_idle(host=host)
        state.control.fail_point_off(name, host=host)
    state.fail_points.clear()


OPERATIONS: Final = {"failPoint": _fail_point, "targetedFailPoint": _targeted_fail_point}
