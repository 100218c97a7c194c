"""How a new server description changes a topology (SDAM, "Updating the TopologyDescription").

`apply` is the only way from one description to the next. `_ACTIONS` is the specification's table
of topology types and server types; each action takes the topology, in which the new description
already stands, and gives the topology after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

from driver.errors import ConfigurationError, NotPrimaryError
from driver.topology.description import (
    MAX_SUPPORTED_WIRE_VERSION,
    MIN_SUPPORTED_SERVER,
    MIN_SUPPORTED_WIRE_VERSION,
    Address,
    ServerDescription,
    ServerType,
    TopologyDescription,
    TopologyType,
    TopologyVersion,
)

ELECTION_ID_FIRST_WIRE_VERSION = 17
"""From MongoDB 6.0 on, a primary's electionId counts before its setVersion."""

Action: TypeAlias = Callable[[TopologyDescription, ServerDescription], TopologyDescription]


def initial(
    seeds: Iterable[Address],
    *,
    direct_connection: bool | None,
    load_balanced: bool,
    set_name: str | None,
) -> TopologyDescription:
    """The topology before any server was checked (SDAM, "Initial TopologyDescription").

    A load balancer is Unknown here as well; as it is never checked, apply a description of type
    LoadBalancer next (load balancers, "Monitoring").
    """
    servers = {address: ServerDescription(address) for address in seeds}
    if load_balanced:
        kind = TopologyType.LOAD_BALANCED
    elif direct_connection:
        kind = TopologyType.SINGLE
    elif set_name is not None:
        kind = TopologyType.REPLICA_SET_NO_PRIMARY
    else:
        kind = TopologyType.UNKNOWN
    return TopologyDescription(
        type=kind,
        set_name=set_name,
        servers=MappingProxyType(servers),
        single_seed=len(servers) == 1,
    )


def apply(topology: TopologyDescription, server: ServerDescription) -> TopologyDescription:
    """The topology after `server` was described anew.

    It is `topology` itself when the description must be ignored: the server was removed meanwhile,
    or what is known of it is fresher.
    """
    current = topology.servers.get(server.address)
    if current is None or is_stale(current.topology_version, server.topology_version):
        return topology
    if topology.type is TopologyType.SINGLE:
        server = _with_verified_set_name(server, topology.set_name)
    replaced = _with_servers(topology, {**topology.servers, server.address: server})
    action = _ACTIONS.get(topology.type, {}).get(server.type)
    return _summarise(action(replaced, server) if action else replaced)


def apply_hosts(topology: TopologyDescription, hosts: Iterable[Address]) -> TopologyDescription:
    """The topology after a new DNS seed list (polling SRV records for mongos discovery).

    Servers that stay keep their descriptions. Only Unknown and Sharded topologies follow DNS;
    others, and an empty list, leave the topology as it is.
    """
    servers = {host: topology.servers.get(host) or ServerDescription(host) for host in hosts}
    if not follows_dns(topology) or not servers or servers.keys() == topology.servers.keys():
        return topology
    return _summarise(_with_servers(topology, servers))


def follows_dns(topology: TopologyDescription) -> bool:
    """Whether DNS still says which servers there are: they are routers, for all we know."""
    return topology.type in (TopologyType.UNKNOWN, TopologyType.SHARDED)


def is_stale(current: TopologyVersion | None, new: TopologyVersion | None) -> bool:
    """Whether `new` is older than `current` (SDAM, "topologyVersion Comparison").

    Versions of different server processes cannot be compared, so the new one counts as fresher.
    """
    return (
        current is not None
        and new is not None
        and current.process_id == new.process_id
        and current.counter > new.counter
    )


def _with_servers(
    topology: TopologyDescription, servers: Mapping[Address, ServerDescription]
) -> TopologyDescription:
    return replace(topology, servers=MappingProxyType(dict(servers)))


def _with_verified_set_name(server: ServerDescription, set_name: str | None) -> ServerDescription:
    if set_name is None or not server.known or server.set_name == set_name:
        return server
    found = f"belongs to {server.set_name!r}" if server.set_name else "is in no replica set"
    error = ConfigurationError(
        f"replicaSet={set_name} was asked for, but the server at {server.address} {found}"
    )
    return ServerDescription(server.address, error=error, last_update_time=server.last_update_time)


# Actions, named as in the specification.


def _update_unknown_with_standalone(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    if topology.single_seed:
        return replace(topology, type=TopologyType.SINGLE)
    return _remove(topology, server)


def _become_sharded(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    return replace(topology, type=TopologyType.SHARDED)


def _remove(topology: TopologyDescription, server: ServerDescription) -> TopologyDescription:
    servers = dict(topology.servers)
    del servers[server.address]
    return _with_servers(topology, servers)


def _check_if_has_primary(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    has_primary = any(s.type is ServerType.RS_PRIMARY for s in topology.servers.values())
    kind = (
        TopologyType.REPLICA_SET_WITH_PRIMARY
        if has_primary
        else TopologyType.REPLICA_SET_NO_PRIMARY
    )
    return replace(topology, type=kind)


def _remove_member(topology: TopologyDescription, server: ServerDescription) -> TopologyDescription:
    return _check_if_has_primary(_remove(topology, server), server)


def _update_rs_without_primary(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    topology = replace(
        topology,
        type=TopologyType.REPLICA_SET_NO_PRIMARY,
        set_name=topology.set_name or server.set_name,
    )
    if topology.set_name != server.set_name:
        return _remove(topology, server)
    topology = _hint_primary(_with_new_members(topology, server), server)
    return _remove(topology, server) if _misnamed(server) else topology


def _update_rs_with_primary_from_member(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    if topology.set_name != server.set_name or _misnamed(server):
        return _remove_member(topology, server)
    topology = _check_if_has_primary(topology, server)
    if topology.type is TopologyType.REPLICA_SET_NO_PRIMARY:
        return _hint_primary(topology, server)
    return topology


def _update_rs_from_primary(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    topology = replace(topology, set_name=topology.set_name or server.set_name)
    if topology.set_name != server.set_name:
        return _remove_member(topology, server)
    if _stale_primary(topology, server):
        return _check_if_has_primary(_with_stale_primary(topology, server), server)
    topology = _with_new_members(_with_maximum(topology, server), server)
    servers = {
        address: _deposed(known) if _is_other_primary(known, server) else known
        for address, known in topology.servers.items()
        if address in server.members
    }
    return _check_if_has_primary(_with_servers(topology, servers), server)


_MEMBERS = (ServerType.RS_SECONDARY, ServerType.RS_ARBITER, ServerType.RS_OTHER)

_ACTIONS: Mapping[TopologyType, Mapping[ServerType, Action]] = {
    TopologyType.UNKNOWN: {
        ServerType.STANDALONE: _update_unknown_with_standalone,
        ServerType.MONGOS: _become_sharded,
        ServerType.RS_PRIMARY: _update_rs_from_primary,
        **dict.fromkeys(_MEMBERS, _update_rs_without_primary),
    },
    TopologyType.SHARDED: {
        ServerType.STANDALONE: _remove,
        ServerType.RS_PRIMARY: _remove,
        ServerType.RS_GHOST: _remove,
        **dict.fromkeys(_MEMBERS, _remove),
    },
    TopologyType.REPLICA_SET_NO_PRIMARY: {
        ServerType.STANDALONE: _remove,
        ServerType.MONGOS: _remove,
        ServerType.RS_PRIMARY: _update_rs_from_primary,
        **dict.fromkeys(_MEMBERS, _update_rs_without_primary),
    },
    TopologyType.REPLICA_SET_WITH_PRIMARY: {
        ServerType.UNKNOWN: _check_if_has_primary,
        ServerType.RS_GHOST: _check_if_has_primary,
        ServerType.STANDALONE: _remove_member,
        ServerType.MONGOS: _remove_member,
        ServerType.RS_PRIMARY: _update_rs_from_primary,
        **dict.fromkeys(_MEMBERS, _update_rs_with_primary_from_member),
    },
}


# Parts of the actions.


def _misnamed(server: ServerDescription) -> bool:
    """Whether the set's configuration knows this server by another address."""
    return server.me is not None and server.me != server.address


def _with_new_members(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    new = {m: ServerDescription(m) for m in server.members if m not in topology.servers}
    return _with_servers(topology, {**topology.servers, **new}) if new else topology


def _hint_primary(topology: TopologyDescription, server: ServerDescription) -> TopologyDescription:
    """Mark the server that `server` takes for the primary as PossiblePrimary."""
    hinted = topology.servers.get(server.primary) if server.primary else None
    if hinted is None or hinted.type is not ServerType.UNKNOWN:
        return topology
    possible = replace(hinted, type=ServerType.POSSIBLE_PRIMARY)
    return _with_servers(topology, {**topology.servers, hinted.address: possible})


def _is_other_primary(known: ServerDescription, server: ServerDescription) -> bool:
    return known.type is ServerType.RS_PRIMARY and known.address != server.address


def _deposed(server: ServerDescription) -> ServerDescription:
    error = NotPrimaryError("primary marked stale due to discovery of newer primary")
    return ServerDescription(server.address, error=error, last_update_time=server.last_update_time)


def _with_stale_primary(
    topology: TopologyDescription, server: ServerDescription
) -> TopologyDescription:
    error = NotPrimaryError(
        "primary marked stale due to electionId/setVersion mismatch, "
        f"({server.election_id}, {server.set_version}) is stale compared to "
        f"({topology.max_election_id}, {topology.max_set_version})"
    )
    unknown = ServerDescription(
        server.address, error=error, last_update_time=server.last_update_time
    )
    return _with_servers(topology, {**topology.servers, server.address: unknown})


def _stale_primary(topology: TopologyDescription, server: ServerDescription) -> bool:
    """SDAM, "Using electionId and setVersion to detect stale primaries"."""
    election, version = _rank(server.election_id), _rank(server.set_version)
    max_election, max_version = _rank(topology.max_election_id), _rank(topology.max_set_version)
    if server.max_wire_version >= ELECTION_ID_FIRST_WIRE_VERSION:
        return (election, version) < (max_election, max_version)
    all_known = None not in (
        server.election_id,
        server.set_version,
        topology.max_election_id,
        topology.max_set_version,
    )
    return all_known and (version, election) < (max_version, max_election)


def _with_maximum(topology: TopologyDescription, server: ServerDescription) -> TopologyDescription:
    """Remember the tuple of a primary that is not stale."""
    if server.max_wire_version >= ELECTION_ID_FIRST_WIRE_VERSION:
        return replace(
            topology, max_election_id=server.election_id, max_set_version=server.set_version
        )
    if server.set_version is None:
        return topology
    return replace(
        topology,
        max_election_id=server.election_id or topology.max_election_id,
        max_set_version=max(server.set_version, topology.max_set_version, key=_rank),
    )


def _rank(value: Any) -> tuple[bool, Any]:
    """Something that can be compared; None comes before every value."""
    return (value is not None, value)


# What the topology says as a whole.


def _summarise(topology: TopologyDescription) -> TopologyDescription:
    bearing = [s for s in topology.servers.values() if s.data_bearing]
    timeouts = [s.logical_session_timeout_minutes for s in bearing]
    known_timeouts = [t for t in timeouts if t is not None]
    errors = filter(None, map(_compatibility_error, topology.servers.values()))
    return replace(
        topology,
        logical_session_timeout_minutes=min(known_timeouts, default=None)
        if len(known_timeouts) == len(timeouts)
        else None,
        compatibility_error=next(errors, None),
    )


def _compatibility_error(server: ServerDescription) -> str | None:
    if not server.known or server.type is ServerType.LOAD_BALANCER:
        return None
    if server.min_wire_version > MAX_SUPPORTED_WIRE_VERSION:
        return (
            f"Server at {server.address} requires wire version {server.min_wire_version}, "
            f"but this driver only supports up to {MAX_SUPPORTED_WIRE_VERSION}."
        )
    if server.max_wire_version < MIN_SUPPORTED_WIRE_VERSION:
        return (
            f"Server at {server.address} reports wire version {server.max_wire_version}, "
            f"but this driver requires at least {MIN_SUPPORTED_WIRE_VERSION} "
            f"(MongoDB {MIN_SUPPORTED_SERVER})."
        )
    return None
