"""What a record tells at a glance, found in its messages: fail points, and changes of servers."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final

from runners.model import Json, JsonObject

_PRIMARY: Final = frozenset({"isWritablePrimary", "ismaster"})
_ROLE: Final = (
    *("secondary", "arbiterOnly", "hidden", "msg"),
    *("setName", "setVersion", "electionId", "primary", "me", "hosts", "passives", "arbiters"),
)


def fail_points(messages: Iterable[Any], control: Iterable[Any]) -> list[Json]:
    """The settings of fail points in order of time, by the driver's clients or by the harness."""
    found: list[tuple[float, JsonObject]] = []
    for message in messages:
        body = message.get("body")
        if message["from"] == "driver" and body and "configureFailPoint" in body:
            found.append((message["at"], _setting(message["at"], "driver", body)))
    for call in control:
        command = call["arguments"].get("command")
        if isinstance(command, dict) and "configureFailPoint" in command:
            found.append((call["at"], _setting(call["at"], "harness", command)))
    return [setting for _, setting in sorted(found, key=itemgetter(0))]


def _setting(at: float, by: str, command: JsonObject) -> JsonObject:
    return {
        "at": at,
        "by": by,
        "name": command["configureFailPoint"],
        "mode": command.get("mode"),
        "data": command.get("data"),
    }


def topology_changes(messages: Iterable[Any]) -> list[Json]:
    """Whenever a server's hello told another role than its last one: when, which, and what."""
    last: dict[str, JsonObject] = {}
    found: list[Json] = []
    for message in messages:
        server, role = message["server"], _role(message)
        if role is not None and role != last.get(server):
            found.append({"at": message["at"], "server": server, "hello": role})
            last[server] = role
    return found


def _role(message: Any) -> JsonObject | None:
    """What a server says of itself; None where a message is no successful reply to a hello."""
    body = message.get("body")
    if message["from"] != "server" or not body or not _PRIMARY & body.keys():
        return None
    primary = body.get("isWritablePrimary", body.get("ismaster"))
    return {"isWritablePrimary": primary, **{name: body[name] for name in _ROLE if name in body}}
