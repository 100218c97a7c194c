"""What a check or an error means for the topology and a server's pool (SDAM, "Error handling").

Decisions only. The engine carries an `Effect` out: it publishes the new topology and changes the
pool under one lock, in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driver.errors import (
    SHUTDOWN_CODES,
    STATE_CHANGE_CODES,
    SYSTEM_OVERLOADED,
    BulkWriteError,
    ClientBulkWriteException,
    ConnectionFailure,
    MongoError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PoolClearedError,
    ServerSelectionTimeoutError,
    WaitQueueFullError,
    WaitQueueTimeoutError,
    WriteError,
)
from driver.topology.description import (
    Address,
    ServerDescription,
    TopologyDescription,
    TopologyType,
    TopologyVersion,
)
from driver.topology.hello import parse_topology_version
from driver.topology.transitions import apply, is_stale


@dataclass(frozen=True, slots=True)
class Effect:
    """The new topology, and what to do with the server's pool and monitor.

    `interrupt_in_use`: clearing also closes connections that are in use. `cancel_check`: break off
    the hello that is under way. `request_check`: check again without waiting for the heartbeat.
    """

    topology: TopologyDescription
    ready_pool: bool = False
    clear_pool: bool = False
    interrupt_in_use: bool = False
    cancel_check: bool = False
    request_check: bool = False


def checked(topology: TopologyDescription, server: ServerDescription) -> Effect:
    """A monitor's check ended with this description, whose `error` is set when it failed.

    See server monitoring, "Network or command error during server check", and SDAM, "Connection
    Pool Management". With `request_check` the monitor goes on at once, without any pause.
    """
    before = topology.servers.get(server.address)
    after = apply(topology, server)
    if before is None or after is topology:
        return Effect(topology)
    if server.error is not None:
        return Effect(
            after,
            clear_pool=True,
            interrupt_in_use=isinstance(server.error, NetworkTimeout),
            request_check=before.known and _is_network_error(server.error),
        )
    described = after.servers.get(server.address)
    if described is None:
        return Effect(after)
    direct = after.type is TopologyType.SINGLE
    return Effect(after, ready_pool=described.data_bearing or (direct and described.known))


def application_error(
    topology: TopologyDescription,
    address: Address,
    error: Exception,
    *,
    handshake_completed: bool,
    generation: int,
    pool_generation: int,
    service_id: Any = None,
    reply: Mapping[str, Any] | None = None,
) -> Effect:
    """An operation, or a connection made for operations, failed (SDAM, "Application errors").

    `generation` is the connection's, or the pool's when the connection was begun;
    `pool_generation` is the pool's now. Behind a load balancer both belong to `service_id`. The
    handshake includes authentication. `reply` is the server's whole reply, needed only where it
    is not the error's `details` (write concern errors).
    """
    server = topology.servers.get(address)
    nothing = Effect(topology)
    if server is None or generation < pool_generation or _is_pools_own(error):
        return nothing
    load_balanced = topology.type is TopologyType.LOAD_BALANCED
    can_clear = service_id is not None or not load_balanced
    if _is_state_change(error):
        version = _error_topology_version(error, reply)
        if version is not None and not _is_newer(version, server.topology_version):
            return nothing
        return Effect(
            _marked_unknown(topology, address, error, version),
            clear_pool=can_clear and _code(error) in SHUTDOWN_CODES,
            request_check=not load_balanced,
        )
    if handshake_completed and (isinstance(error, NetworkTimeout) or not _is_network_error(error)):
        return nothing
    if isinstance(error, MongoError) and error.has_error_label(SYSTEM_OVERLOADED):
        return nothing
    return Effect(
        _marked_unknown(topology, address, error, None),
        clear_pool=can_clear,
        cancel_check=not load_balanced,
    )


def _is_pools_own(error: Exception) -> bool:
    """Whether no server had a part in the error: waiting for one, or for a connection, failed."""
    return isinstance(
        error,
        PoolClearedError | WaitQueueFullError | WaitQueueTimeoutError | ServerSelectionTimeoutError,
    )


def _is_network_error(error: Exception) -> bool:
    return isinstance(error, ConnectionFailure) and not isinstance(error, NotPrimaryError)


def _is_state_change(error: Exception) -> bool:
    """Whether the server says that it is not writable, or recovering; the code decides if any.

    What single writes of a command met (`writeErrors`) says nothing about the server.
    """
    if not isinstance(error, NotPrimaryError | OperationFailure):
        return False
    if isinstance(error, WriteError | BulkWriteError | ClientBulkWriteException):
        return False
    if (code := _code(error)) is not None:
        return code in STATE_CHANGE_CODES
    return "not master" in error.message or "node is recovering" in error.message


def _code(error: Exception) -> int | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else None


def _error_topology_version(
    error: Exception, reply: Mapping[str, Any] | None
) -> TopologyVersion | None:
    document = reply if reply is not None else getattr(error, "details", None)
    return parse_topology_version(document) if document else None


def _is_newer(version: TopologyVersion, known: TopologyVersion | None) -> bool:
    """Any change of state has a version of its own, so that an equal one tells nothing new."""
    return version != known and not is_stale(known, version)


def _marked_unknown(
    topology: TopologyDescription,
    address: Address,
    error: Exception,
    version: TopologyVersion | None,
) -> TopologyDescription:
    if topology.type is TopologyType.LOAD_BALANCED:
        return topology
    unknown = ServerDescription(address, error=error, topology_version=version)
    return apply(topology, unknown)
