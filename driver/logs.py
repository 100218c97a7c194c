"""The specs' log messages, through the standard `logging` module.

Loggers: `mongospec.command`, `.connection`, `.topology`, `.serverSelection`. A record's text is the
message; its attribute `fields` has the values by the specs' names, and `client` an id of the
client that logs. All messages but those of server selection follow an event, so one listener
writes them. Nothing is formatted unless the logger is enabled.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from driver import events
from driver.bson.extended_json import to_extended
from driver.events import (
    CommandListener,
    ConnectionPoolListener,
    ServerHeartbeatListener,
    ServerListener,
    TopologyListener,
)
from driver.topology.description import Address, TopologyDescription
from driver.topology.selection import Criteria

COMMAND = logging.getLogger("mongospec.command")
CONNECTION = logging.getLogger("mongospec.connection")
TOPOLOGY = logging.getLogger("mongospec.topology")
SELECTION = logging.getLogger("mongospec.serverSelection")

_DEFAULT_LENGTH = 1000

_CLOSED_BECAUSE = {
    "stale": "Connection became stale because the pool was cleared",
    "idle": "Connection has been available but unused for longer than the configured max idle time",
    "error": "An error occurred while using the connection",
    "poolClosed": "Connection pool was closed",
}
_CHECK_OUT_FAILED_BECAUSE = {
    "timeout": "Wait queue timeout elapsed without a connection becoming available",
    "connectionError": "An error occurred while trying to establish a new connection",
    "poolClosed": "Connection pool was closed",
}


def _server(address: Address) -> dict[str, Any]:
    fields: dict[str, Any] = {"serverHost": address.host}
    if address.port is not None:
        fields["serverPort"] = address.port
    return fields


def _document(document: Mapping[str, Any]) -> str:
    """A document as Extended JSON, cut to MONGODB_LOG_MAX_DOCUMENT_LENGTH characters."""
    limit = os.environ.get("MONGODB_LOG_MAX_DOCUMENT_LENGTH", "")
    length = int(limit) if limit.isdecimal() and len(limit) < 10 else _DEFAULT_LENGTH
    text = json.dumps(to_extended(document, relaxed=True), ensure_ascii=False)
    return text if len(text) <= length else text[:length] + "..."


def _milliseconds(seconds: float) -> float:
    return seconds * 1000


class _EventLog:
    """Common to the listeners below: whose messages they are."""

    def __init__(self, client: str) -> None:
        self._client = client

    def _write(
        self, logger: logging.Logger, message: str, fields: Callable[[], dict[str, Any]]
    ) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            extra = {"fields": fields(), "client": self._client}
            logger.debug(message, extra=extra)


class CommandLog(_EventLog, CommandListener):
    """Command started, succeeded, failed."""

    def started(self, event: events.CommandStartedEvent) -> None:
        """A command was sent."""
        self._write(
            COMMAND,
            "Command started",
            lambda: {**self._common(event), "command": _document(event.command)},
        )

    def succeeded(self, event: events.CommandSucceededEvent) -> None:
        """A command was answered."""
        self._write(
            COMMAND,
            "Command succeeded",
            lambda: {
                **self._common(event),
                "durationMS": _milliseconds(event.duration),
                "reply": _document(event.reply),
            },
        )

    def failed(self, event: events.CommandFailedEvent) -> None:
        """A command failed."""
        self._write(
            COMMAND,
            "Command failed",
            lambda: {
                **self._common(event),
                "durationMS": _milliseconds(event.duration),
                "failure": str(event.failure),
            },
        )

    @staticmethod
    def _common(
        event: events.CommandStartedEvent
        | events.CommandSucceededEvent
        | events.CommandFailedEvent,
    ) -> dict[str, Any]:
        fields = {
            "commandName": event.command_name,
            "databaseName": event.database_name,
            "requestId": event.request_id,
            "operationId": event.operation_id,
            "driverConnectionId": event.driver_connection_id,
            **_server(event.connection_id),
        }
        if event.server_connection_id is not None:
            fields["serverConnectionId"] = event.server_connection_id
        if event.service_id is not None:
            fields["serviceId"] = str(event.service_id)
        return fields


class TopologyLog(_EventLog, TopologyListener):
    """Topology monitoring starts, finds changes, and stops."""

    def opened(self, event: events.TopologyOpenedEvent) -> None:
        """Watching began."""
        self._write(TOPOLOGY, "Starting topology monitoring", self._id)

    def description_changed(self, event: events.TopologyDescriptionChangedEvent) -> None:
        """The topology changed."""
        self._write(
            TOPOLOGY,
            "Topology description changed",
            lambda: {
                **self._id(),
                "previousDescription": shown(event.previous_description),
                "newDescription": shown(event.new_description),
            },
        )

    def closed(self, event: events.TopologyClosedEvent) -> None:
        """Watching ended."""
        self._write(TOPOLOGY, "Stopped topology monitoring", self._id)

    def _id(self) -> dict[str, Any]:
        return {"topologyId": self._client}


class ServerLog(_EventLog, ServerListener):
    """Server monitoring starts and stops."""

    def opened(self, event: events.ServerOpeningEvent) -> None:
        """A server joined."""
        fields = {"topologyId": self._client, **_server(event.server_address)}
        self._write(TOPOLOGY, "Starting server monitoring", lambda: fields)

    def closed(self, event: events.ServerClosedEvent) -> None:
        """A server left."""
        fields = {"topologyId": self._client, **_server(event.server_address)}
        self._write(TOPOLOGY, "Stopped server monitoring", lambda: fields)


class HeartbeatLog(_EventLog, ServerHeartbeatListener):
    """Heartbeats started, succeeded, failed."""

    def started(self, event: events.ServerHeartbeatStartedEvent) -> None:
        """A heartbeat began."""
        self._write(TOPOLOGY, "Server heartbeat started", lambda: self._common(event))

    def succeeded(self, event: events.ServerHeartbeatSucceededEvent) -> None:
        """A heartbeat was answered."""
        self._write(
            TOPOLOGY,
            "Server heartbeat succeeded",
            lambda: {
                **self._common(event),
                "durationMS": _milliseconds(event.duration),
                "reply": _document(event.reply),
            },
        )

    def failed(self, event: events.ServerHeartbeatFailedEvent) -> None:
        """A heartbeat failed."""
        self._write(
            TOPOLOGY,
            "Server heartbeat failed",
            lambda: {
                **self._common(event),
                "durationMS": _milliseconds(event.duration),
                "failure": str(event.reply),
            },
        )

    def _common(
        self,
        event: events.ServerHeartbeatStartedEvent
        | events.ServerHeartbeatSucceededEvent
        | events.ServerHeartbeatFailedEvent,
    ) -> dict[str, Any]:
        fields = {
            "topologyId": self._client,
            **_server(event.connection_id),
            "driverConnectionId": event.driver_connection_id,
            "awaited": event.awaited,
        }
        if event.server_connection_id is not None:
            fields["serverConnectionId"] = event.server_connection_id
        return fields


class PoolLog(_EventLog, ConnectionPoolListener):
    """A pool and its connections."""

    def pool_created(self, event: events.PoolCreatedEvent) -> None:
        """A pool was made."""
        self._say("Connection pool created", event.address, **event.options)

    def pool_ready(self, event: events.PoolReadyEvent) -> None:
        """A pool may create connections."""
        self._say("Connection pool ready", event.address)

    def pool_cleared(self, event: events.PoolClearedEvent) -> None:
        """A pool was cleared."""
        more = {} if event.service_id is None else {"serviceId": str(event.service_id)}
        self._say("Connection pool cleared", event.address, **more)

    def pool_closed(self, event: events.PoolClosedEvent) -> None:
        """A pool was closed."""
        self._say("Connection pool closed", event.address)

    def connection_created(self, event: events.ConnectionCreatedEvent) -> None:
        """A connection is being made."""
        self._say("Connection created", event.address, driverConnectionId=event.connection_id)

    def connection_ready(self, event: events.ConnectionReadyEvent) -> None:
        """A connection is usable."""
        self._say(
            "Connection ready",
            event.address,
            driverConnectionId=event.connection_id,
            durationMS=_milliseconds(event.duration),
        )

    def connection_closed(self, event: events.ConnectionClosedEvent) -> None:
        """A connection was closed."""
        more = {"error": str(event.error)} if event.error is not None else {}
        self._say(
            "Connection closed",
            event.address,
            driverConnectionId=event.connection_id,
            reason=_CLOSED_BECAUSE[event.reason],
            **more,
        )

    def connection_check_out_started(self, event: events.ConnectionCheckOutStartedEvent) -> None:
        """A check-out began."""
        self._say("Connection checkout started", event.address)

    def connection_check_out_failed(self, event: events.ConnectionCheckOutFailedEvent) -> None:
        """A check-out failed."""
        more = {"error": str(event.error)} if event.error is not None else {}
        self._say(
            "Connection checkout failed",
            event.address,
            reason=_CHECK_OUT_FAILED_BECAUSE[event.reason],
            durationMS=_milliseconds(event.duration),
            **more,
        )

    def connection_checked_out(self, event: events.ConnectionCheckedOutEvent) -> None:
        """A connection was handed out."""
        self._say(
            "Connection checked out",
            event.address,
            driverConnectionId=event.connection_id,
            durationMS=_milliseconds(event.duration),
        )

    def connection_checked_in(self, event: events.ConnectionCheckedInEvent) -> None:
        """A connection came back."""
        self._say("Connection checked in", event.address, driverConnectionId=event.connection_id)

    def _say(self, message: str, address: Address, **fields: Any) -> None:
        self._write(CONNECTION, message, lambda: {**_server(address), **fields})


def listeners_for_logging(client: str) -> tuple[Any, ...]:
    """The listeners that write a new client's messages, of the components enabled now."""
    wanted: list[Any] = []
    if COMMAND.isEnabledFor(logging.DEBUG):
        wanted.append(CommandLog(client))
    if CONNECTION.isEnabledFor(logging.DEBUG):
        wanted.append(PoolLog(client))
    if TOPOLOGY.isEnabledFor(logging.DEBUG):
        wanted += [TopologyLog(client), ServerLog(client), HeartbeatLog(client)]
    return tuple(wanted)


def shown(topology: TopologyDescription) -> str:
    """A topology in one line."""
    servers = ", ".join(
        f"{address} {server.type}" + (f" ({server.error})" if server.error is not None else "")
        for address, server in topology.servers.items()
    )
    name = f" {topology.set_name}" if topology.set_name else ""
    return f"{topology.type}{name} [{servers}]"


class SelectionLog:
    """The messages of one selection (server selection, "Logging")."""

    def __init__(
        self,
        client: str,
        criteria: Criteria,
        operation: str,
        operation_id: int,
        topology: Callable[[], TopologyDescription],
    ) -> None:
        self._client = client
        self._criteria = criteria
        self._operation = operation
        self._operation_id = operation_id
        self._topology = topology

    @staticmethod
    def enabled() -> bool:
        """Whether anybody reads them."""
        return SELECTION.isEnabledFor(logging.INFO)

    def started(self) -> None:
        """The selection began."""
        self._write(logging.DEBUG, "Server selection started")

    def waiting(self, left: float) -> None:
        """No server suits yet; `left` seconds remain."""
        self._write(
            logging.INFO,
            "Waiting for suitable server to become available",
            remainingTimeMS=int(_milliseconds(left)),
        )

    def succeeded(self, address: Address) -> None:
        """A server was found."""
        self._write(logging.DEBUG, "Server selection succeeded", **_server(address))

    def failed(self, error: Exception) -> None:
        """No server was found."""
        self._write(logging.DEBUG, "Server selection failed", failure=str(error))

    def _write(self, level: int, message: str, **more: Any) -> None:
        if not SELECTION.isEnabledFor(level):
            return
        preference = self._criteria.read_preference
        fields = {
            "selector": str(preference.document) if preference else "writable",
            "operation": self._operation,
            "operationId": self._operation_id,
            "topologyDescription": shown(self._topology()),
            **more,
        }
        SELECTION.log(level, message, extra={"fields": fields, "client": self._client})
