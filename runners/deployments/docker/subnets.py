"""Private subnets that this machine does not use."""

from __future__ import annotations

import random
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

from runners.deployments.base import DeploymentError

SPACES = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
SIZE = 28
"""14 addresses, one of which is the gateway's."""
ROUTES = Path("/proc/net/route")
TRIES = 1000


def pick(taken: Sequence[IPv4Network]) -> IPv4Network:
    """A private subnet, at random, that overlaps with none of those taken.

    Another process may pick the same before either is in use; Docker then refuses one of them.
    """
    for _ in range(TRIES):
        space = random.choice(SPACES)
        number = random.randrange(1 << (SIZE - space.prefixlen))
        subnet = IPv4Network((int(space.network_address) + (number << (32 - SIZE)), SIZE))
        if not any(subnet.overlaps(each) for each in taken):
            return subnet
    used = ", ".join(map(str, taken))
    raise DeploymentError(f"no private subnet is free for containers; routes lead to {used}")


def routed() -> list[IPv4Network]:
    """The networks that this machine has routes to, Docker's among them."""
    return parse(ROUTES.read_text()) if ROUTES.exists() else []


def parse(table: str) -> list[IPv4Network]:
    """The networks in Linux' routing table, without the default route."""
    rows = [line.split() for line in table.splitlines()[1:]]
    networks = [_network(row[1], row[7]) for row in rows]
    return [network for network in networks if network.prefixlen]


def _network(destination: str, mask: str) -> IPv4Network:
    """From two addresses in hexadecimal, their last byte first."""
    address, bits = (int.from_bytes(bytes.fromhex(each), "little") for each in (destination, mask))
    return IPv4Network((address, bits.bit_count()))
