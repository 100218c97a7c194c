"""What the driver knows about a deployment: immutable descriptions (SDAM, "Data structures").

A description is never changed; `transitions.apply` makes the next one. Times are seconds on the
runtime's monotonic clock, round-trip times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

MIN_SUPPORTED_WIRE_VERSION = 8  # MongoDB 4.2
MAX_SUPPORTED_WIRE_VERSION = 29
MIN_SUPPORTED_SERVER = "4.2"


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


class Address(NamedTuple):
    """Where a server listens; `port` is None for a Unix domain socket, whose path is `host`."""

    host: str
    port: int | None = 27017

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host`, `host:port`, `[ipv6]:port` or a `.sock` path; hosts become lower case.

        Raises ValueError saying what is wrong.
        """
        if text.endswith(".sock"):
            return cls(text, None)
        host, colon, port = text.rpartition(":")
        if not colon or port.endswith("]"):
            host, port = text, "27017"
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif not {":", "[", "]"}.isdisjoint(host):
            raise ValueError(f"brackets belong around an IPv6 address, but here is {text[:50]!r}")
        if not host:
            raise ValueError(f"no host name in {text[:50]!r}")
        number = int(port) if len(port) <= 5 and port.isascii() and port.isdigit() else 0
        if not 0 < number < 65536:
            raise ValueError(f"port {port[:20]!r} is not a number from 1 to 65535")
        return cls(host.lower(), number)

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


_UNKNOWN = frozenset({ServerType.UNKNOWN, ServerType.POSSIBLE_PRIMARY})


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


@dataclass(frozen=True, slots=True, eq=False)
class ServerDescription:
    """One server as its last hello reply (or error) showed it.

    Two are equal when no event is due between them (SDAM, "Server Description Equality"): fields
    that change with every heartbeat do not count, nor does PossiblePrimary differ from Unknown.
    """

    address: Address
    type: ServerType = field(default=ServerType.UNKNOWN, compare=False)
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
    tags: Mapping[str, str] = field(default_factory=_nothing)
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

    @property
    def known(self) -> bool:
        """Whether the last check told what kind of server this is."""
        return self.type not in _UNKNOWN

    @property
    def members(self) -> tuple[Address, ...]:
        """Every member of the replica set that this server names."""
        return self.hosts + self.passives + self.arbiters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServerDescription):
            return NotImplemented
        return (
            (self.type is other.type or not (self.known or other.known))
            and _same_error(self.error, other.error)
            and all(getattr(self, name) == getattr(other, name) for name in _COMPARED)
        )

    def __hash__(self) -> int:
        return hash(self.address)


_COMPARED = tuple(f.name for f in fields(ServerDescription) if f.compare)


def _same_error(one: Exception | None, other: Exception | None) -> bool:
    return type(one) is type(other) and getattr(one, "args", ()) == getattr(other, "args", ())


@dataclass(frozen=True, slots=True)
class TopologyDescription:
    """The deployment: its type and one description a server.

    `single_seed` remembers that the user named one server only: a lone standalone is then meant.
    """

    type: TopologyType = TopologyType.UNKNOWN
    set_name: str | None = None
    max_set_version: int | None = None
    max_election_id: Any = None
    servers: Mapping[Address, ServerDescription] = field(default_factory=_nothing)
    logical_session_timeout_minutes: int | None = None
    compatibility_error: str | None = None
    single_seed: bool = field(default=False, compare=False)

    @property
    def compatible(self) -> bool:
        """Whether every server speaks a wire version that this driver speaks."""
        return self.compatibility_error is None
