"""Special operations on a session's state, which the adapter tells."""

from __future__ import annotations

from typing import Final

from runners.model import Json, JsonObject
from runners.unified import fields
from runners.unified.entities import Session
from runners.unified.faults import CaseFailed
from runners.unified.match import Path
from runners.unified.state import CaseState


def _ask(state: CaseState, arguments: JsonObject, question: str, path: Path) -> Json:
    name = fields.text(arguments, "session", path)
    state.entities.get_as(Session, name, (*path, "session"))
    return state.ask(name, question, path)


def _transaction_state(state: CaseState, arguments: JsonObject, path: Path) -> None:
    expected = fields.text(arguments, "state", path)
    actual = _ask(state, arguments, "spec.transactionState", path)
    if actual != expected:
        message = f"the transaction should be {expected}, but is {actual}"
        raise CaseFailed(message, (*path, "state"), expected, actual)


def _pinned(state: CaseState, arguments: JsonObject, path: Path) -> None:
    if _ask(state, arguments, "spec.pinnedServer", path) is None:
        raise CaseFailed("the session should be pinned to a server", path)


def _unpinned(state: CaseState, arguments: JsonObject, path: Path) -> None:
    server = _ask(state, arguments, "spec.pinnedServer", path)
    if server is not None:
        raise CaseFailed(f"the session should not be pinned, but is to {server}", path)


def _dirty(state: CaseState, arguments: JsonObject, path: Path) -> None:
    if _ask(state, arguments, "spec.dirty", path) is not True:
        raise CaseFailed("the session should be marked dirty", path, True, False)


def _not_dirty(state: CaseState, arguments: JsonObject, path: Path) -> None:
    if _ask(state, arguments, "spec.dirty", path) is not False:
        raise CaseFailed("the session should not be marked dirty", path, False, True)


OPERATIONS: Final = {
    "assertSessionTransactionState": _transaction_state,
    "assertSessionPinned": _pinned,
    "assertSessionUnpinned": _unpinned,
    "assertSessionDirty": _dirty,
    "assertSessionNotDirty": _not_dirty,
}
