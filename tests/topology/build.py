"""Short ways to write addresses, hello replies and topologies in these tests."""

from __future__ import annotations

from typing import Any

from driver.bson.objectid import ObjectId
from driver.topology.description import (
    Address,
    ServerDescription,
    TopologyDescription,
    TopologyVersion,
)
from driver.topology.hello import parse_hello
from driver.topology.transitions import apply, initial

A, B, C = Address("a"), Address("b"), Address("c")
PROCESS, OTHER_PROCESS = ObjectId("0" * 23 + "1"), ObjectId("0" * 23 + "2")


def election(number: int) -> ObjectId:
    return ObjectId(f"{number:024x}")


def version(counter: int, process_id: ObjectId = PROCESS) -> TopologyVersion:
    return TopologyVersion(process_id, counter)


def hello(address: Address, **fields: Any) -> ServerDescription:
    reply = {"ok": 1, "minWireVersion": 0, "maxWireVersion": 21, **fields}
    return parse_hello(
        address, reply, round_trip_time=0.01, min_round_trip_time=0.0, now=fields.pop("now", 1.0)
    )


def member(address: Address, *hosts: Address, **fields: Any) -> ServerDescription:
    """A member of the replica set `rs`; say `secondary=True` or `isWritablePrimary=True`."""
    named = [str(host) for host in hosts or (A, B)]
    return hello(address, **{"setName": "rs", "hosts": named, **fields})


def primary(address: Address, *hosts: Address, **fields: Any) -> ServerDescription:
    return member(address, *hosts, isWritablePrimary=True, **fields)


def secondary(address: Address, *hosts: Address, **fields: Any) -> ServerDescription:
    return member(address, *hosts, secondary=True, **fields)


def topology(
    *servers: ServerDescription,
    seeds: tuple[Address, ...] = (A, B),
    direct: bool | None = None,
    load_balanced: bool = False,
    set_name: str | None = None,
) -> TopologyDescription:
    """What a client knows after these descriptions, in this order."""
    known = initial(seeds, direct_connection=direct, load_balanced=load_balanced, set_name=set_name)
    for server in servers:
        known = apply(known, server)
    return known


def types(known: TopologyDescription) -> dict[str, str]:
    """The topology's type and each server's, as plain strings."""
    return {
        "": str(known.type),
        **{address.host: str(s.type) for address, s in known.servers.items()},
    }
