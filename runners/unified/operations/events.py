"""Special operations on what was observed of a client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from runners.model import Json, JsonObject
from runners.unified import fields
from runners.unified.entities import Client
from runners.unified.events import EVENTS, Event, EventLog, expected_event, listing, match_event
from runners.unified.faults import CaseError, CaseFailed
from runners.unified.match import Path
from runners.unified.state import CaseState
from runners.unified.values import number

WAIT_SECONDS: Final = 10.0
MAX_PAUSE_MS: Final = 60_000


def _log(state: CaseState, arguments: JsonObject, path: Path) -> EventLog:
    name = fields.text(arguments, "client", path)
    return state.entities.get_as(Client, name, (*path, "client")).log


def _fits(state: CaseState, arguments: JsonObject, path: Path) -> Callable[[Event], bool]:
    name, assertions = expected_event(fields.table(arguments, "event", path), (*path, "event"))
    return lambda event: match_event(name, assertions, event, state, path) is None


def _wait_for_event(state: CaseState, arguments: JsonObject, path: Path) -> None:
    log, fits = _log(state, arguments, path), _fits(state, arguments, path)
    count = fields.integer(arguments, "count", path)
    seen = log.wait_for(fits, count, WAIT_SECONDS)
    if seen < count:
        message = f"waited {WAIT_SECONDS:g} s for {count} such events, but saw {seen}"
        raise _wrong_count(message, log, arguments, seen, path)


def _assert_event_count(state: CaseState, arguments: JsonObject, path: Path) -> None:
    log, fits = _log(state, arguments, path), _fits(state, arguments, path)
    count = fields.integer(arguments, "count", path)
    seen = sum(1 for event in log.named(EVENTS) if fits(event))
    if seen != count:
        message = f"should have seen {count} such events so far, but saw {seen}"
        raise _wrong_count(message, log, arguments, seen, path)


def _wrong_count(
    message: str, log: EventLog, arguments: JsonObject, seen: int, path: Path
) -> CaseFailed:
    details = f"events seen:\n{listing(log.named(EVENTS))}"
    return CaseFailed(message, (*path, "event"), arguments["event"], seen, details)


def _last_two_lsids(state: CaseState, arguments: JsonObject, path: Path) -> tuple[Json, Json]:
    log = _log(state, arguments, path)
    started = log.named({"commandStartedEvent"})
    if len(started) < 2:
        message = f"should have seen two commands, but saw {len(started)}"
        raise CaseFailed(message, path, details=listing(started))
    commands = [event.fields.get("command") for event in started[-2:]]
    lsids = [command.get("lsid") if isinstance(command, dict) else None for command in commands]
    if None in lsids:
        raise CaseFailed("one of the last two commands has no lsid", path, None, commands)
    return lsids[0], lsids[1]


def _assert_same_lsid(state: CaseState, arguments: JsonObject, path: Path) -> None:
    one, other = _last_two_lsids(state, arguments, path)
    if one != other:
        raise CaseFailed("the last two commands have different lsids", path, one, other)


def _assert_different_lsid(state: CaseState, arguments: JsonObject, path: Path) -> None:
    one, other = _last_two_lsids(state, arguments, path)
    if one == other:
        raise CaseFailed("the last two commands have the same lsid", path, None, other)


def _assert_connections_checked_out(state: CaseState, arguments: JsonObject, path: Path) -> None:
    _log(state, arguments, path)
    client = fields.text(arguments, "client", path)
    expected = fields.integer(arguments, "connections", path)
    actual = number(state.ask(client, "spec.connectionsCheckedOut", path))
    if actual != expected:
        message = f"should have {expected} connections checked out, but has {actual}"
        raise CaseFailed(message, (*path, "connections"), expected, actual)


def _wait(_: CaseState, arguments: JsonObject, path: Path) -> None:
    """The one place where a spec file asks for a pause and nothing else."""
    pause = fields.integer(arguments, "ms", path)
    if pause > MAX_PAUSE_MS:
        raise CaseError(f"a test cannot pause for more than {MAX_PAUSE_MS} ms", (*path, "ms"))
    threading.Event().wait(pause / 1000)


OPERATIONS: Final = {
    "waitForEvent": _wait_for_event,
    "assertEventCount": _assert_event_count,
    "assertSameLsidOnLastTwoCommands": _assert_same_lsid,
    "assertDifferentLsidOnLastTwoCommands": _assert_different_lsid,
    "assertNumberConnectionsCheckedOut": _assert_connections_checked_out,
    "wait": _wait,
}
