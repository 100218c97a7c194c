"""SRV and TXT records, asked of the system's DNS servers through dnspython.

A name without such records, or a server that fails, is an OSError with the reason; no answer in
time is a TimeoutError. dnspython's default resolver is used, so that a program can set it up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

from driver.runtime.base import SRVRecords
from driver.topology.description import Address


def srv(name: str, timeout: float | None) -> SRVRecords:
    """The SRV records of a name."""
    with _errors(name):
        return _hosts(dns.resolver.resolve(name, "SRV", lifetime=timeout))


def txt(name: str, timeout: float | None) -> list[str]:
    """The texts of a name's TXT records, of which there may be none."""
    with _errors(name):
        try:
            return _texts(dns.resolver.resolve(name, "TXT", lifetime=timeout))
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            return []


async def srv_async(name: str, timeout: float | None) -> SRVRecords:
    """The SRV records of a name."""
    with _errors(name):
        return _hosts(await dns.asyncresolver.resolve(name, "SRV", lifetime=timeout))


async def txt_async(name: str, timeout: float | None) -> list[str]:
    """The texts of a name's TXT records, of which there may be none."""
    with _errors(name):
        try:
            return _texts(await dns.asyncresolver.resolve(name, "TXT", lifetime=timeout))
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            return []


def _hosts(answer: Any) -> SRVRecords:
    """Priority and weight do not count."""
    hosts = (
        Address(record.target.to_text(omit_final_dot=True).lower(), record.port)
        for record in answer
    )
    return SRVRecords(tuple(dict.fromkeys(hosts)), answer.rrset.ttl)


def _texts(answer: Any) -> list[str]:
    """Each record's strings make one text."""
    return [b"".join(record.strings).decode() for record in answer]


@contextmanager
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except dns.exception.Timeout as error:
        raise TimeoutError(f"no answer in time about {name}") from error
    except (dns.exception.DNSException, UnicodeError) as error:
        raise OSError(f"{error} ({name})") from error
