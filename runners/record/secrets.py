"""What a record leaves out: whatever could let somebody in.

Spec: command monitoring, "Security".
"""

from __future__ import annotations

from typing import Final

from runners.model import Json, JsonObject

HELLO: Final = frozenset({"hello", "isMaster", "ismaster"})
SENSITIVE: Final = frozenset(
    {
        *("authenticate", "saslStart", "saslContinue", "getnonce", "createUser", "updateUser"),
        *("copydbgetnonce", "copydbsaslstart", "copydb"),
    }
)
SPECULATIVE: Final = "speculativeAuthenticate"
REDACTED: Final = "REDACTED"


def without(command: str, body: JsonObject | None) -> tuple[JsonObject | None, bool]:
    """The body of a command or its reply as a record may have it, and whether that is less."""
    if command in SENSITIVE:
        database: JsonObject = {"$db": body["$db"]} if body and "$db" in body else {}
        return {command: REDACTED, **database}, True
    if body is not None and command in HELLO and SPECULATIVE in body:
        return {**body, SPECULATIVE: REDACTED}, True
    return body, False


def without_in_event(event: JsonObject) -> JsonObject:
    """An event, of which a driver may have been asked to show all."""
    name = event.get("commandName")
    if not isinstance(name, str):
        return event
    return {key: _shown(name, value) for key, value in event.items()}


def without_in_entity(entity: JsonObject) -> JsonObject:
    """An entity object, whose URI may have a password, and KMS providers credentials."""
    shown = {name: value for name, value in entity.items() if name != "uri"}
    options = shown.get("clientEncryptionOpts")
    if isinstance(options, dict):
        shown["clientEncryptionOpts"] = {**options, "kmsProviders": REDACTED}
    return shown


def without_in_arguments(arguments: JsonObject) -> JsonObject:
    """The arguments of an operation, which may be a command."""
    name = arguments.get("commandName")
    if not isinstance(name, str):
        return arguments
    return {key: _shown(name, value) for key, value in arguments.items()}


def _shown(command: str, value: Json) -> Json:
    return without(command, value)[0] if isinstance(value, dict) else value
