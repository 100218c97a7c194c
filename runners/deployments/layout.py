"""What a topology consists of: which server has which address (`host:port`) and role."""

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
    """Addresses by what listens on them.

    `mongods` maps a mongod's address to the options of its role; `sets` are to be formed, the
    config servers' first. `behind` has the second address of each mongos, which is for the load
    balancer; `balancer` maps each of the load balancer's addresses to those that it leads to.
    `entry` are the addresses in the URI.
    """

    entry: tuple[str, ...]
    mongods: Mapping[str, tuple[str, ...]]
    sets: tuple[ReplicaSet, ...] = ()
    mongoses: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    balancer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def clients(self) -> tuple[str, ...]:
        """The servers that clients talk to, past a load balancer."""
        return self.mongoses or self.entry

    @property
    def control(self) -> tuple[str, ...]:
        """The addresses in the URI of a client that is to stay with one mongos, if it can."""
        return tuple(self.balancer)[1:] or self.entry

    @property
    def names(self) -> frozenset[str]:
        """The names or IP addresses that clients and servers know the servers by."""
        hosts = (*self.mongods, *self.mongoses, *self.balancer)
        return frozenset(host.rpartition(":")[0] for host in hosts)


ADDRESSES = {
    Topology.STANDALONE: 1,
    Topology.REPLICA_SET: SET_MEMBERS,
    Topology.SHARDED: MONGOSES + 1 + SET_MEMBERS,
    Topology.LOAD_BALANCED: 2 + 2 * MONGOSES + 1 + SET_MEMBERS,
}
"""How many addresses a topology takes."""


def layout(topology: Topology, addresses: Sequence[str]) -> Layout:
    """Deal addresses out, ADDRESSES[topology] of them; those that clients use come first."""
    left = iter(addresses)
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


def _sharded(left: Iterator[str]) -> Layout:
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


def _load_balanced(left: Iterator[str]) -> Layout:
    """A sharded cluster before which a load balancer has an address for all mongoses, and one for
    the first.
    """
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


def _take(left: Iterator[str], count: int) -> tuple[str, ...]:
    return tuple(islice(left, count))


def _members(addresses: Sequence[str], name: str, *role: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(addresses, ("--replSet", name, *role))


def _set(name: str, addresses: Sequence[str], *, config_server: bool = False) -> ReplicaSet:
    return ReplicaSet(name, tuple(map(Member, addresses)), config_server)
