"""The harness's name server, and asking it for every name."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

import dns.asyncresolver
import dns.resolver
import pytest

from runners.adapters.base import AdapterError
from runners.adapters.pymongo_api.names import NameService
from runners.nameserver import NameServer

RECORDS = {
    ("_mongodb._tcp.a.example", "SRV"): ["0 0 1 b.example.", "0 0 2 c.example."],
    ("a.example", "TXT"): ['"x" "y"', '"z"'],
    ("b.example", "A"): ["127.0.0.1"],
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(RECORDS, lifetime=77) as server:
        yield server


@pytest.fixture
def names(server: NameServer) -> Iterator[NameService]:
    service = NameService(server.address)
    yield service
    service.close()


@pytest.mark.usefixtures("names")
def test_records_are_found(server: NameServer) -> None:
    answer = dns.resolver.resolve("_mongodb._tcp.A.example", "SRV")
    assert sorted((str(each.target), each.port) for each in answer) == [
        ("b.example.", 1),
        ("c.example.", 2),
    ]
    assert answer.rrset is not None
    assert answer.rrset.ttl == 77
    texts = dns.resolver.resolve("a.example", "TXT")
    assert sorted(each.strings for each in texts) == [(b"x", b"y"), (b"z",)]
    assert ("a.example", "TXT") in server.asked


@pytest.mark.usefixtures("names")
def test_records_are_found_from_an_event_loop() -> None:
    async def look() -> int:
        answer = await dns.asyncresolver.resolve("_mongodb._tcp.a.example", "SRV")
        addresses = await asyncio.get_running_loop().getaddrinfo("b.example", 5)
        assert {address[4] for address in addresses} == {("127.0.0.1", 5)}
        return len(answer)

    assert asyncio.run(look()) == 2


@pytest.mark.usefixtures("names")
def test_what_is_not_there_is_said() -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        dns.resolver.resolve("d.example", "A")
    with pytest.raises(dns.resolver.NoAnswer):
        dns.resolver.resolve("b.example", "TXT")
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("d.example", 80)


@pytest.mark.usefixtures("names")
def test_silence(server: NameServer) -> None:
    server.silent = True
    with pytest.raises(dns.resolver.LifetimeTimeout):
        dns.resolver.resolve("b.example", "A", lifetime=0.1)


@pytest.mark.usefixtures("names")
def test_nonsense_does_not_stop_it(server: NameServer) -> None:
    host, _, port = server.address.rpartition(":")
    no_question = struct.pack(">6H", 1, 0, 0, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for nonsense in (b"", b"x", no_question):
            sock.sendto(nonsense, (host, int(port)))
    assert len(dns.resolver.resolve("b.example", "A")) == 1


def test_afterwards_all_is_as_before(server: NameServer) -> None:
    before = socket.getaddrinfo
    service = NameService(server.address)
    assert socket.getaddrinfo is not before
    with pytest.raises(AdapterError, match="another"):
        NameService(server.address)
    service.close()
    assert socket.getaddrinfo is before
    assert dns.resolver.get_default_resolver().nameservers != ["127.0.0.1"]
    assert dns.resolver.get_default_resolver().port == 53


def test_an_address_is_a_host_and_a_port() -> None:
    with pytest.raises(AdapterError, match="host:port"):
        NameService("127.0.0.1")
