"""Names that this process looks up at a name server of the harness.

A driver in this process asks dnspython's default resolver for SRV and TXT records, and the system
for addresses; dnspython has settings for both, which hold for the whole process.
"""

from __future__ import annotations

import threading

import dns.asyncresolver
import dns.resolver

from runners.adapters.base import AdapterError

_in_use = threading.Lock()


class NameService:
    """All names are looked up at `address` (`host:port`) until it is closed; there can be one."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        if not port.isdecimal():
            raise AdapterError(f"a nameserver's address should be host:port, not {address!r}")
        if not _in_use.acquire(blocking=False):
            raise AdapterError("this process asks another nameserver already")
        resolver = dns.resolver.Resolver(configure=False)
        asynchronous = dns.asyncresolver.Resolver(configure=False)
        for each in (resolver, asynchronous):
            each.nameservers = [host]
            each.port = int(port)
        dns.resolver.default_resolver = resolver
        dns.asyncresolver.default_resolver = asynchronous  # type: ignore[assignment]  # typed as None
        dns.resolver.override_system_resolver(resolver)

    def close(self) -> None:
        """Ask the system's name servers again."""
        dns.resolver.restore_system_resolver()
        dns.resolver.default_resolver = None
        dns.asyncresolver.default_resolver = None
        _in_use.release()
