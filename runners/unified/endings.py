"""What an error that ended a case means: its state, and the failure to report."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from runners.adapters.base import AdapterError, Unsupported
from runners.control import ControlError
from runners.load import SpecFile
from runners.model import Failure, Json, JsonObject, State
from runners.unified.entities import Client
from runners.unified.events import EVENTS, Event, listing
from runners.unified.faults import CaseError, CaseFailed, CaseUnmet
from runners.unified.match import BadExpectation, Path, render
from runners.unified.state import CaseState
from runners.unified.values import MalformedValue

MOST_EVENTS = 500
"""Of one client, in a failure."""


class Ending(NamedTuple):
    """How a case ended."""

    state: State
    reason: str = ""
    failure: Failure | None = None


def ending_of(error: Exception, spec: SpecFile, state: CaseState) -> Ending:
    """The ending that an error means."""
    match error:
        case Unsupported():
            return Ending(State.UNSUPPORTED, f"the driver lacks {error}")
        case CaseUnmet():
            return Ending(State.UNMET, str(error))
        case CaseFailed():
            failure = Failure(
                error.message,
                render(error.path),
                error.expected,
                error.actual,
                spec.locate(error.path).line,
                _operation_name(spec.value, error.path),
                error.details or _events_seen(state),
                _events(state),
            )
            return Ending(State.FAIL, error.message, failure)
    path = getattr(error, "path", ()) or state.now
    name = _operation_name(spec.value, path)
    message, details = _explained(error)
    if name is not None:
        message = f"{name}: {message}"
    line = spec.locate(path).line
    failure = Failure(message, render(path), line=line, operation=name, details=details)
    return Ending(State.ERROR, message, failure)


def _explained(error: Exception) -> tuple[str, str]:
    """What an error says, with a trace where it is one that nobody foresaw."""
    if isinstance(error, CaseError | BadExpectation | ControlError | AdapterError | MalformedValue):
        return str(error), ""
    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


def _operation_name(file: Json, path: Path) -> str | None:
    """The name of the innermost operation on the way to a place in the file."""
    found: str | None = None
    node = file
    for step in path:
        if isinstance(node, dict) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            break
        if isinstance(node, dict) and "object" in node and isinstance(node.get("name"), str):
            found = str(node["name"])
    return found


def _logs(state: CaseState) -> dict[str, list[Event]]:
    """What each client published."""
    clients = state.entities.all_of(Client).items()
    return {name: client.log.named(EVENTS) for name, client in clients}


def _events_seen(state: CaseState) -> str:
    """The events as text, for the report of a failure."""
    logs = _logs(state).items()
    return "\n".join(f"{name} saw:\n{listing(seen)}" for name, seen in logs if seen)


def _events(state: CaseState) -> JsonObject:
    """The events as the run file has them; of very many the first."""
    return {
        name: [{event.name: event.fields} for event in seen[:MOST_EVENTS]]
        for name, seen in _logs(state).items()
        if seen
    }
