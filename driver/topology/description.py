"""What the driver knows about a deployment: immutable descriptions (SDAM, "Data structures").

A description is never changed; `transitions.apply` makes the next one. Times are seconds on the
runtime's monotonic clock, round-trip times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

MIN_SUPPORTED_WIRE_VERSION = 8  # MongoDB 4.2
MAX_SUPPORTED_WIRE_VERSION = 29
MIN_SUPPORTED_SERVER = "4.2"


class Address(NamedTuple):
    """Where a server listens; `port` is None for a Unix domain socket, whose path is `host`."""

    host: str
    port: int | None = 27017

    def __str__(self) -> str:
        if self.port is None:
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class ServerType(StrEnum):
    """Kinds of server, spelled as in the SDAM spec."""

    UNKNOWN = "Unknown"
    STANDALONE = "Standalone"
    MONGOS = "Mongos"
    POSSIBLE_PRIMARY = "PossiblePrimary"
    RS_PRIMARY = "RSPrimary"
    RS_SECONDARY = "RSSecondary"
    RS_ARBITER = "RSArbiter"
    RS_OTHER = "RSOther"
    RS_GHOST = "RSGhost"
    LOAD_BALANCER = "LoadBalancer"

    @property
    def data_bearing(self) -> bool:
        """Whether such a server holds (or routes to) user data."""
        return self in _DATA_BEARING


_DATA_BEARING = frozenset(
    {
        ServerType.STANDALONE,
        ServerType.MONGOS,
        ServerType.RS_PRIMARY,
        ServerType.RS_SECONDARY,
        ServerType.LOAD_BALANCER,
    }
)


class TopologyType(StrEnum):
    """Kinds of deployment, spelled as in the SDAM spec."""

    UNKNOWN = "Unknown"
    SINGLE = "Single"
    REPLICA_SET_NO_PRIMARY = "ReplicaSetNoPrimary"
    REPLICA_SET_WITH_PRIMARY = "ReplicaSetWithPrimary"
    SHARDED = "Sharded"
    LOAD_BALANCED = "LoadBalanced"


@dataclass(frozen=True, slots=True)
class TopologyVersion:
    """How fresh a hello reply is: comparable only within one server process."""

    process_id: Any
    counter: int


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """One server as its last hello reply (or error) showed it."""

    address: Address
    type: ServerType = ServerType.UNKNOWN
    error: Exception | None = field(default=None, compare=False)
    round_trip_time: float | None = field(default=None, compare=False)
    min_round_trip_time: float | None = field(default=None, compare=False)
    last_update_time: float = field(default=float("-inf"), compare=False)
    last_write_date: datetime | None = field(default=None, compare=False)
    min_wire_version: int = 0
    max_wire_version: int = 0
    me: Address | None = None
    hosts: tuple[Address, ...] = ()
    passives: tuple[Address, ...] = ()
    arbiters: tuple[Address, ...] = ()
    tags: Mapping[str, str] = MappingProxyType({})
    set_name: str | None = None
    set_version: int | None = None
    election_id: Any = None
    primary: Address | None = None
    logical_session_timeout_minutes: int | None = None
    topology_version: TopologyVersion | None = None
    max_bson_object_size: int = field(default=16 * 1024 * 1024, compare=False)
    max_message_size_bytes: int = field(default=48_000_000, compare=False)
    max_write_batch_size: int = field(default=100_000, compare=False)
    hello_ok: bool = field(default=False, compare=False)

    @property
    def data_bearing(self) -> bool:
        """Whether this server can serve user data."""
        return self.type.data_bearing


@dataclass(frozen=True, slots=True)
class TopologyDescription:
    """The deployment: its type and one description a server."""

    type: TopologyType = TopologyType.UNKNOWN
    set_name: str | None = None
    max_set_version: int | None = None
    max_election_id: Any = None
    servers: Mapping[Address, ServerDescription] = MappingProxyType({})
    logical_session_timeout_minutes: int | None = None
    compatibility_error: str | None = None

    @property
    def compatible(self) -> bool:
        """Whether every server speaks a wire version that this driver speaks."""
        return self.compatibility_error is None
