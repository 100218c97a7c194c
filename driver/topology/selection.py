"""Which servers suit an operation (server selection; max staleness), as pure functions.

The engine loops: `select`, then `choose`; where nothing is selected it waits for the topology to
change, and reports `explain` when its time is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driver.errors import ConfigurationError
from driver.topology.description import (
    Address,
    ServerDescription,
    ServerType,
    TopologyDescription,
    TopologyType,
)

if TYPE_CHECKING:
    from driver.read_preferences import ReadPreference

IDLE_WRITE_PERIOD = 10.0
"""How often an idle primary writes, in seconds; secondaries look that stale at times."""
SMALLEST_MAX_STALENESS = 90.0

_REPLICA_SET = (TopologyType.REPLICA_SET_NO_PRIMARY, TopologyType.REPLICA_SET_WITH_PRIMARY)

_ROUNDING = 1e-9  # seconds: sums of binary fractions must not push out the border


@dataclass(frozen=True, slots=True)
class Criteria:
    """What an operation asks of a server; times are seconds.

    `read_preference` is None for writes. `deprioritized` servers were tried before and are taken
    only where no other server suits.
    """

    read_preference: ReadPreference | None = None
    deprioritized: frozenset[Address] = frozenset()
    heartbeat_frequency: float = 10.0
    local_threshold: float = 0.015


def select(topology: TopologyDescription, criteria: Criteria) -> list[ServerDescription]:
    """The suitable servers within the latency window; empty where the caller has to wait.

    Raises ConfigurationError where waiting cannot help: a server speaks a wire version that the
    driver does not, or maxStalenessSeconds is too small for a replica set.
    """
    if topology.compatibility_error is not None:
        raise ConfigurationError(topology.compatibility_error)
    return in_latency_window(suitable(topology, criteria), criteria.local_threshold)


def suitable(topology: TopologyDescription, criteria: Criteria) -> list[ServerDescription]:
    """The servers that may run the operation, near or far.

    Raises ConfigurationError for a maxStalenessSeconds that is too small for a replica set.
    """
    _check_max_staleness(topology, criteria)
    servers = list(topology.servers.values())
    preferred = [s for s in servers if s.address not in criteria.deprioritized]
    return _matching(preferred, topology, criteria) or _matching(servers, topology, criteria)


def in_latency_window(
    servers: Sequence[ServerDescription], local_threshold: float
) -> list[ServerDescription]:
    """Those of `servers` at most `local_threshold` seconds slower than the fastest of them."""
    limit = min(map(_latency, servers), default=0.0) + local_threshold + _ROUNDING
    return [server for server in servers if _latency(server) <= limit]


def choose(
    servers: Sequence[ServerDescription],
    operation_counts: Mapping[Address, int],
    random: Callable[[], float],
) -> ServerDescription:
    """One of `servers` (at least one): of two random ones, that with fewer operations under way.

    `random` gives a number from 0 to less than 1; a server without a count has none under way.
    """
    if len(servers) == 1:
        return servers[0]
    first = int(random() * len(servers))
    second = int(random() * (len(servers) - 1))
    one, other = servers[first], servers[second + (second >= first)]
    fewer = operation_counts.get(one.address, 0) <= operation_counts.get(other.address, 0)
    return one if fewer else other


def explain(topology: TopologyDescription, criteria: Criteria) -> str:
    """Why nothing was selected, for the message of ServerSelectionTimeoutError."""
    if not topology.servers:
        return (
            "no server is left in the topology: none of the seeds belongs to the deployment; "
            "check the hosts and replicaSet in the connection string"
        )
    wanted = "accepts writes"
    if criteria.read_preference is not None:
        wanted = f"suits the read preference {criteria.read_preference.document}"
    name = f" {topology.set_name!r}" if topology.set_name else ""
    servers = "; ".join(_shown(server) for server in topology.servers.values())
    return f"no server {wanted}; the topology is {topology.type}{name} of {servers}"


def _shown(server: ServerDescription) -> str:
    error = f" ({server.error})" if server.error is not None else ""
    return f"{server.address} {server.type}{error}"


def _latency(server: ServerDescription) -> float:
    """Seconds; a server that was never measured counts as the slowest."""
    return float("inf") if server.round_trip_time is None else server.round_trip_time


def _matching(
    servers: list[ServerDescription], topology: TopologyDescription, criteria: Criteria
) -> list[ServerDescription]:
    """Those of `servers` that the topology's type allows for the operation."""
    if topology.type in (TopologyType.SINGLE, TopologyType.LOAD_BALANCED):
        return [server for server in servers if server.known]
    if topology.type is TopologyType.SHARDED:
        return _of_type(servers, ServerType.MONGOS)
    if topology.type is TopologyType.UNKNOWN:
        return []
    return _members(servers, topology, criteria)


def _members(
    servers: list[ServerDescription], topology: TopologyDescription, criteria: Criteria
) -> list[ServerDescription]:
    """Those of a replica set's `servers` that suit the read preference, or a write."""
    primaries = _of_type(servers, ServerType.RS_PRIMARY)
    preference = criteria.read_preference
    if preference is None or preference.mode == "primary":
        return primaries
    secondaries = _of_type(servers, ServerType.RS_SECONDARY)
    if preference.mode == "nearest":
        return _eligible(primaries + secondaries, topology, preference, criteria)
    if preference.mode == "primaryPreferred" and primaries:
        return primaries
    eligible = _eligible(secondaries, topology, preference, criteria)
    return primaries if preference.mode == "secondaryPreferred" and not eligible else eligible


def _of_type(servers: list[ServerDescription], kind: ServerType) -> list[ServerDescription]:
    return [server for server in servers if server.type is kind]


def _eligible(
    candidates: list[ServerDescription],
    topology: TopologyDescription,
    preference: ReadPreference,
    criteria: Criteria,
) -> list[ServerDescription]:
    """The candidates that are fresh enough, then those that the first matching tag set names."""
    if preference.max_staleness is not None:
        candidates = [
            server
            for server in candidates
            if _staleness(server, topology, criteria.heartbeat_frequency)
            <= preference.max_staleness
        ]
    for tag_set in preference.tag_sets:
        if tagged := [s for s in candidates if tag_set.items() <= s.tags.items()]:
            return tagged
    return [] if preference.tag_sets else candidates


def _staleness(
    server: ServerDescription, topology: TopologyDescription, heartbeat_frequency: float
) -> float:
    """Seconds that a member may lag by (max staleness, "Client"); a primary never lags."""
    if server.type is not ServerType.RS_SECONDARY:
        return 0.0
    if server.last_write_date is None:
        return float("inf")
    reference = _reference(topology)
    if reference is None or reference.last_write_date is None:
        return float("inf")
    behind = (reference.last_write_date - server.last_write_date).total_seconds()
    if reference.type is ServerType.RS_PRIMARY:
        behind += server.last_update_time - reference.last_update_time
    return behind + heartbeat_frequency


def _reference(topology: TopologyDescription) -> ServerDescription | None:
    """Whom secondaries are compared with: the primary, else the secondary that wrote last."""
    servers = list(topology.servers.values())
    if primaries := _of_type(servers, ServerType.RS_PRIMARY):
        return primaries[0]
    dated = [
        (server.last_write_date, server)
        for server in _of_type(servers, ServerType.RS_SECONDARY)
        if server.last_write_date is not None
    ]
    return max(dated, key=lambda pair: pair[0])[1] if dated else None


def _check_max_staleness(topology: TopologyDescription, criteria: Criteria) -> None:
    preference = criteria.read_preference
    if preference is None or preference.max_staleness is None or topology.type not in _REPLICA_SET:
        return
    least = max(SMALLEST_MAX_STALENESS, criteria.heartbeat_frequency + IDLE_WRITE_PERIOD)
    if preference.max_staleness < least:
        raise ConfigurationError(
            f"maxStalenessSeconds is {preference.max_staleness:g}, but must be at least {least:g}: "
            f"{SMALLEST_MAX_STALENESS:g}, and {IDLE_WRITE_PERIOD:g} more than the heartbeat "
            f"frequency of {criteria.heartbeat_frequency:g} seconds"
        )
