"""What a topology consists of when it is started on ports of 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from runners.deployments.forming import Member, ReplicaSet
from runners.model import Topology

SET_NAME = "rs0"
SHARD_NAME = "shard0"
CONFIG_NAME = "config0"
SET_MEMBERS = 3
MONGOSES = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Ports by what listens on them.

    `mongods` maps a mongod's port to the options of its role; `sets` are to be formed, the config
    servers' first. `behind` has the second port of each mongos, which is for the load balancer;
    `balancer` maps each of the load balancer's ports to those that it leads to. `entry` are the
    ports in the URI.
    """

    entry: tuple[int, ...]
    mongods: Mapping[int, tuple[str, ...]]
    sets: tuple[ReplicaSet, ...] = ()
    mongoses: tuple[int, ...] = ()
    behind: tuple[int, ...] = ()
    balancer: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def clients(self) -> tuple[int, ...]:
        """The servers that clients talk to, past a load balancer."""
        return self.mongoses or self.entry

    @property
    def control(self) -> tuple[int, ...]:
        """The ports in the URI of a client that is to stay with one mongos, if it can."""
        return tuple(self.balancer)[1:] or self.entry


PORTS = {
    Topology.STANDALONE: 1,
    Topology.REPLICA_SET: SET_MEMBERS,
    Topology.SHARDED: MONGOSES + 1 + SET_MEMBERS,
    Topology.LOAD_BALANCED: 2 + 2 * MONGOSES + 1 + SET_MEMBERS,
}
"""How many ports a topology takes."""


def layout(topology: Topology, ports: Sequence[int]) -> Layout:
    """Deal ports out, PORTS[topology] of them; those that clients use come first."""
    left = iter(ports)
    match topology:
        case Topology.STANDALONE:
            entry = _take(left, 1)
            return Layout(entry, {entry[0]: ()})
        case Topology.REPLICA_SET:
            entry = _take(left, SET_MEMBERS)
            return Layout(entry, _members(entry, SET_NAME), (_set(SET_NAME, entry),))
        case Topology.SHARDED:
            return _sharded(left)
        case Topology.LOAD_BALANCED:
            return _load_balanced(left)


def _sharded(left: Iterator[int]) -> Layout:
    """A config server, one shard of several members, and the mongoses before them."""
    mongoses = _take(left, MONGOSES)
    config = _take(left, 1)
    shard = _take(left, SET_MEMBERS)
    return Layout(
        mongoses,
        {
            **_members(config, CONFIG_NAME, "--configsvr"),
            **_members(shard, SHARD_NAME, "--shardsvr"),
        },
        (_set(CONFIG_NAME, config, config_server=True), _set(SHARD_NAME, shard)),
        mongoses,
    )


def _load_balanced(left: Iterator[int]) -> Layout:
    """A sharded cluster, and a load balancer with a port to all mongoses and one to the first."""
    to_all, to_one = _take(left, 2)
    behind = _take(left, MONGOSES)
    cluster = _sharded(left)
    return Layout(
        (to_all,),
        cluster.mongods,
        cluster.sets,
        cluster.mongoses,
        behind,
        {to_all: behind, to_one: behind[:1]},
    )


def _take(left: Iterator[int], count: int) -> tuple[int, ...]:
    return tuple(islice(left, count))


def _members(ports: Sequence[int], name: str, *role: str) -> dict[int, tuple[str, ...]]:
    return dict.fromkeys(ports, ("--replSet", name, *role))


def _set(name: str, ports: Sequence[int], *, config_server: bool = False) -> ReplicaSet:
    members = tuple(Member(f"127.0.0.1:{port}") for port in ports)
    return ReplicaSet(name, members, config_server)
