"""Which hosts of a DNS seed list count (initial-dns-seedlist-discovery; polling-srv-records)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from driver.topology.description import Address

Random = Callable[[], float]
"""Gives a number in [0, 1)."""


def query_name(hostname: str, service: str) -> str:
    """The name whose SRV records list the hosts."""
    return f"_{service}._tcp.{hostname}"


def belongs(host: Address, hostname: str) -> bool:
    """Whether a host that DNS named is in the domain of the connection string's host.

    A name of three and more parts is in the domain of all but its first; a shorter one is a domain
    itself, whose hosts have more parts.
    """
    _, _, rest = hostname.partition(".")
    domain = rest if "." in rest else hostname
    return host.host.endswith(f".{domain}")


def choose(hosts: Sequence[Address], limit: int, random: Random) -> list[Address]:
    """At most `limit` of the hosts at random, all of them where it is 0 (srvMaxHosts)."""
    if not 0 < limit < len(hosts):
        return list(hosts)
    return _shuffled(hosts, random)[:limit]


def update(
    known: Iterable[Address], found: Sequence[Address], limit: int, random: Random
) -> list[Address]:
    """The hosts after a rescan: known ones that were found again, then new ones up to `limit`."""
    before = set(known)
    kept = [host for host in found if host in before]
    new = [host for host in found if host not in before]
    if not 0 < limit < len(found):
        return kept + new
    return (kept + _shuffled(new, random))[: max(limit, len(kept))]


def _shuffled(hosts: Sequence[Address], random: Random) -> list[Address]:
    """The hosts in random order (Fisher and Yates)."""
    shuffled = list(hosts)
    for last in range(len(shuffled) - 1, 0, -1):
        chosen = int(random() * (last + 1))
        shuffled[last], shuffled[chosen] = shuffled[chosen], shuffled[last]
    return shuffled
