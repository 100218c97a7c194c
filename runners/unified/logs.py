"""expectLogMessages: what a client logged against what a file expects.

A message crosses the seam as `{"level", "component", "data"}`; `failureIsRedacted` where the
adapter knows better than the harness. Spec: unified-test-format, "expectedLogMessagesForClient".
"""

from __future__ import annotations

import json
from typing import Final

from runners.model import Json, JsonObject
from runners.unified import fields
from runners.unified.events import LOG_MESSAGE, Event, EventLog, listing
from runners.unified.faults import CaseFailed, fail_on
from runners.unified.match import MISSING, Context, Mismatch, Path, Root, match
from runners.unified.state import CaseState

_KEPT_WHEN_REDACTED: Final = frozenset({"code", "codeName", "errorLabels"})


_AUTHENTICATE: Final = frozenset({"authenticate", "saslStart", "saslContinue"})


def check_log_messages(expected: JsonObject, log: EventLog, state: CaseState, path: Path) -> None:
    """Raise CaseFailed unless a client's log messages are the expected ones, in order.

    Where clients have to authenticate, the messages about that are left out, as such events are:
    no file can foresee them ("Why can't `observeSensitiveCommands` be true when authentication is
    enabled?").
    """
    wanted = fields.tables(expected, "messages", path)
    ignored = fields.tables(expected, "ignoreMessages", path)
    seen = [
        message
        for message in log.named({LOG_MESSAGE})
        if not any(_mismatch(each, message, state, path) is None for each in ignored)
        and not (state.deployment.auth and _authenticates(message.fields))
    ]
    details = f"messages seen:\n{listing(seen)}" if seen else "no messages seen"
    for index, item in enumerate(wanted):
        where = (*path, "messages", index)
        if index == len(seen):
            message = f"should have seen {len(wanted)} log messages, but saw {len(seen)}"
            raise CaseFailed(message, where, item, details=details)
        fail_on(_mismatch(item, seen[index], state, where), f"log message {index}", details)
    if len(seen) > len(wanted) and not fields.flag(expected, "ignoreExtraMessages", path):
        message = f"should have seen {len(wanted)} log messages, but saw {len(seen)}"
        extra = seen[len(wanted)].fields
        raise CaseFailed(message, (*path, "messages"), list(wanted), extra, details)


def _authenticates(message: JsonObject) -> bool:
    data = message.get("data")
    return isinstance(data, dict) and data.get("commandName") in _AUTHENTICATE


def _mismatch(
    expected: JsonObject, message: Event, context: Context, path: Path
) -> Mismatch | None:
    for key in ("level", "component", "data"):
        actual = message.fields.get(key, MISSING)
        where = (*path, key)
        mismatch = match(expected.get(key), actual, context, root=Root.YES, path=where)
        if mismatch is not None:
            return mismatch
    if "failureIsRedacted" in expected:
        where = (*path, "failureIsRedacted")
        redacted = _failure_is_redacted(message.fields)
        if redacted is None:
            return Mismatch("has no failure", where, expected["failureIsRedacted"], MISSING)
        return match(expected["failureIsRedacted"], redacted, context, path=where)
    return None


def _failure_is_redacted(message: JsonObject) -> bool | None:
    """Whether a failure was redacted (command-logging-and-monitoring, "Security")."""
    told = message.get("failureIsRedacted")
    if isinstance(told, bool):
        return told
    data = message.get("data")
    if not isinstance(data, dict) or "failure" not in data:
        return None
    failure = _document(data["failure"])
    if isinstance(failure, dict):
        return failure.keys() <= _KEPT_WHEN_REDACTED
    return not failure or "REDACTED" in str(failure)


def _document(failure: Json) -> Json:
    """A failure as a document, where it is one in Extended JSON, as logs have replies, too."""
    try:
        found: Json = json.loads(failure) if isinstance(failure, str) else failure
    except (ValueError, RecursionError):
        return failure
    return found if isinstance(found, dict) else failure
