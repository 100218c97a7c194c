"""A driver's monitoring events as the unified format's event objects, with just its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from runners.adapters.pymongo_api.binding import Binding
from runners.model import JsonObject

Convert: TypeAlias = Callable[[Binding, Any], JsonObject]

SENSITIVE_COMMANDS = frozenset(
    name.lower()
    for name in (
        "authenticate",
        "saslStart",
        "saslContinue",
        "getnonce",
        "createUser",
        "updateUser",
        "copydbgetnonce",
        "copydbsaslstart",
        "copydb",
    )
)
"""Command monitoring, "Security"; a hello that authenticates is known by its redacted body."""


def _nothing(_binding: Binding, _event: Any) -> JsonObject:
    return {}


def _command(event: Any) -> JsonObject:
    service_id = event.service_id
    connection_id = event.server_connection_id
    return {
        "commandName": event.command_name,
        "databaseName": event.database_name,
        "hasServiceId": service_id is not None and set(str(service_id)) != {"0"},
        "hasServerConnectionId": connection_id is not None and connection_id > 0,
    }


def _command_started(binding: Binding, event: Any) -> JsonObject:
    return {"command": binding.to_json(event.command), **_command(event)}


def _command_succeeded(binding: Binding, event: Any) -> JsonObject:
    return {"reply": binding.to_json(event.reply), **_command(event)}


def _command_failed(_binding: Binding, event: Any) -> JsonObject:
    return _command(event)


def _reason(_binding: Binding, event: Any) -> JsonObject:
    return {"reason": event.reason}


def _pool_cleared(binding: Binding, event: Any) -> JsonObject:
    return {
        "hasServiceId": event.service_id is not None,
        "interruptInUseConnections": binding.interrupts(event),
    }


def _awaited(_binding: Binding, event: Any) -> JsonObject:
    return {"awaited": event.awaited}


def _server_changed(binding: Binding, event: Any) -> JsonObject:
    return {
        "previousDescription": {"type": binding.server_type(event.previous_description)},
        "newDescription": {"type": binding.server_type(event.new_description)},
    }


def _topology_changed(binding: Binding, event: Any) -> JsonObject:
    return {
        "previousDescription": {"type": binding.topology_type(event.previous_description)},
        "newDescription": {"type": binding.topology_type(event.new_description)},
    }


class EventKind(NamedTuple):
    """An event of the format, and its conversion."""

    name: str
    convert: Convert


LISTENERS: Mapping[str, Mapping[str, EventKind]] = {
    "CommandListener": {
        "started": EventKind("commandStartedEvent", _command_started),
        "succeeded": EventKind("commandSucceededEvent", _command_succeeded),
        "failed": EventKind("commandFailedEvent", _command_failed),
    },
    "ConnectionPoolListener": {
        "pool_created": EventKind("poolCreatedEvent", _nothing),
        "pool_ready": EventKind("poolReadyEvent", _nothing),
        "pool_cleared": EventKind("poolClearedEvent", _pool_cleared),
        "pool_closed": EventKind("poolClosedEvent", _nothing),
        "connection_created": EventKind("connectionCreatedEvent", _nothing),
        "connection_ready": EventKind("connectionReadyEvent", _nothing),
        "connection_closed": EventKind("connectionClosedEvent", _reason),
        "connection_check_out_started": EventKind("connectionCheckOutStartedEvent", _nothing),
        "connection_check_out_failed": EventKind("connectionCheckOutFailedEvent", _reason),
        "connection_checked_out": EventKind("connectionCheckedOutEvent", _nothing),
        "connection_checked_in": EventKind("connectionCheckedInEvent", _nothing),
    },
    "ServerHeartbeatListener": {
        "started": EventKind("serverHeartbeatStartedEvent", _awaited),
        "succeeded": EventKind("serverHeartbeatSucceededEvent", _awaited),
        "failed": EventKind("serverHeartbeatFailedEvent", _awaited),
    },
    "ServerListener": {
        "opened": EventKind("", _nothing),
        "description_changed": EventKind("serverDescriptionChangedEvent", _server_changed),
        "closed": EventKind("", _nothing),
    },
    "TopologyListener": {
        "opened": EventKind("topologyOpeningEvent", _nothing),
        "description_changed": EventKind("topologyDescriptionChangedEvent", _topology_changed),
        "closed": EventKind("topologyClosedEvent", _nothing),
    },
}
"""By listener class and method. The format has no name for a server's opening and closing."""

NAMES = frozenset(
    event.name for methods in LISTENERS.values() for event in methods.values() if event.name
)
