"""Monitoring events and their listeners, named as PyMongo's `monitoring` module names them.

Specs: command-logging-and-monitoring, server-discovery-and-monitoring-logging-and-monitoring,
connection-monitoring-and-pooling. Durations are seconds. Events are built only when someone
listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driver.topology.description import Address, ServerDescription, TopologyDescription


@dataclass(frozen=True, slots=True)
class CommandStartedEvent:
    """A command was sent; `command` is empty where it could hold credentials."""

    command: Mapping[str, Any]
    command_name: str
    database_name: str
    request_id: int
    operation_id: int
    connection_id: Address
    driver_connection_id: int
    server_connection_id: int | None = None
    service_id: Any = None


@dataclass(frozen=True, slots=True)
class CommandSucceededEvent:
    """A command was answered with `ok: 1`."""

    reply: Mapping[str, Any]
    command_name: str
    database_name: str
    duration: float
    request_id: int
    operation_id: int
    connection_id: Address
    driver_connection_id: int
    server_connection_id: int | None = None
    service_id: Any = None


@dataclass(frozen=True, slots=True)
class CommandFailedEvent:
    """A command failed: the server said so, or the connection broke."""

    failure: Exception
    command_name: str
    database_name: str
    duration: float
    request_id: int
    operation_id: int
    connection_id: Address
    driver_connection_id: int
    server_connection_id: int | None = None
    service_id: Any = None


@dataclass(frozen=True, slots=True)
class TopologyOpenedEvent:
    """The client began to watch a deployment."""

    topology_id: Any


@dataclass(frozen=True, slots=True)
class TopologyClosedEvent:
    """The client stopped watching a deployment."""

    topology_id: Any


@dataclass(frozen=True, slots=True)
class TopologyDescriptionChangedEvent:
    """The topology's description changed."""

    topology_id: Any
    previous_description: TopologyDescription
    new_description: TopologyDescription


@dataclass(frozen=True, slots=True)
class ServerOpeningEvent:
    """A server joined the topology."""

    topology_id: Any
    server_address: Address


@dataclass(frozen=True, slots=True)
class ServerClosedEvent:
    """A server left the topology."""

    topology_id: Any
    server_address: Address


@dataclass(frozen=True, slots=True)
class ServerDescriptionChangedEvent:
    """A server's description changed."""

    topology_id: Any
    server_address: Address
    previous_description: ServerDescription
    new_description: ServerDescription


@dataclass(frozen=True, slots=True)
class ServerHeartbeatStartedEvent:
    """A monitor sent (or, awaited, began to wait for) a hello."""

    connection_id: Address
    awaited: bool
    driver_connection_id: int | None = None
    server_connection_id: int | None = None


@dataclass(frozen=True, slots=True)
class ServerHeartbeatSucceededEvent:
    """A hello was answered."""

    connection_id: Address
    duration: float
    reply: Mapping[str, Any]
    awaited: bool
    driver_connection_id: int | None = None
    server_connection_id: int | None = None


@dataclass(frozen=True, slots=True)
class ServerHeartbeatFailedEvent:
    """A hello failed."""

    connection_id: Address
    duration: float
    reply: Exception
    awaited: bool
    driver_connection_id: int | None = None
    server_connection_id: int | None = None


@dataclass(frozen=True, slots=True)
class PoolCreatedEvent:
    """A pool was made, paused; `options` has its non-default options by their URI names."""

    address: Address
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PoolReadyEvent:
    """The pool may create connections."""

    address: Address


@dataclass(frozen=True, slots=True)
class PoolClearedEvent:
    """All connections of the present generation became stale."""

    address: Address
    service_id: Any = None
    interrupt_in_use_connections: bool = False


@dataclass(frozen=True, slots=True)
class PoolClosedEvent:
    """The pool is closed for good."""

    address: Address


@dataclass(frozen=True, slots=True)
class ConnectionCreatedEvent:
    """A connection's object exists; its socket and handshake follow."""

    address: Address
    connection_id: int


@dataclass(frozen=True, slots=True)
class ConnectionReadyEvent:
    """A connection finished its handshake."""

    address: Address
    connection_id: int
    duration: float


@dataclass(frozen=True, slots=True)
class ConnectionClosedEvent:
    """A connection was closed; `reason` is stale, idle, error or poolClosed."""

    address: Address
    connection_id: int
    reason: str
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class ConnectionCheckOutStartedEvent:
    """An operation asked for a connection."""

    address: Address


@dataclass(frozen=True, slots=True)
class ConnectionCheckOutFailedEvent:
    """A check-out failed; `reason` is timeout, poolClosed or connectionError."""

    address: Address
    reason: str
    duration: float
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class ConnectionCheckedOutEvent:
    """An operation got a connection."""

    address: Address
    connection_id: int
    duration: float


@dataclass(frozen=True, slots=True)
class ConnectionCheckedInEvent:
    """A connection came back to its pool."""

    address: Address
    connection_id: int


class CommandListener:
    """Subclass it and override what you want to hear."""

    def started(self, event: CommandStartedEvent) -> None:
        """A command was sent."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """A command was answered."""

    def failed(self, event: CommandFailedEvent) -> None:
        """A command failed."""


class ServerHeartbeatListener:
    """Hears the monitors' hello commands."""

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """A heartbeat began."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """A heartbeat was answered."""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """A heartbeat failed."""


class ServerListener:
    """Hears servers come, change and go."""

    def opened(self, event: ServerOpeningEvent) -> None:
        """A server joined."""

    def description_changed(self, event: ServerDescriptionChangedEvent) -> None:
        """A server changed."""

    def closed(self, event: ServerClosedEvent) -> None:
        """A server left."""


class TopologyListener:
    """Hears the topology open, change and close."""

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Watching began."""

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """The topology changed."""

    def closed(self, event: TopologyClosedEvent) -> None:
        """Watching ended."""


class ConnectionPoolListener:
    """Hears a pool and its connections."""

    def pool_created(self, event: PoolCreatedEvent) -> None:
        """A pool was made."""

    def pool_ready(self, event: PoolReadyEvent) -> None:
        """A pool may create connections."""

    def pool_cleared(self, event: PoolClearedEvent) -> None:
        """A pool was cleared."""

    def pool_closed(self, event: PoolClosedEvent) -> None:
        """A pool was closed."""

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        """A connection is being made."""

    def connection_ready(self, event: ConnectionReadyEvent) -> None:
        """A connection is usable."""

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        """A connection was closed."""

    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None:
        """A check-out began."""

    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None:
        """A check-out failed."""

    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None:
        """A connection was handed out."""

    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None:
        """A connection came back."""
