"""Initial DNS seedlist discovery: the prose tests of the spec, with a name server of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from driver.errors import ConfigurationError
from runners.adapters.pymongo_api.names import NameService
from runners.nameserver import NameServer
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK
from tests.engine.scripted import ScriptedServer
from tests.prose.faults import Wait


@pytest.fixture
def dns() -> Iterator[NameServer]:
    """All names are looked up at this server."""
    with NameServer({}, lifetime=0) as server:
        service = NameService(server.address)
        try:
            yield server
        finally:
            service.close()


def listing(name: str, host: str, port: int = 27017) -> dict[tuple[str, str], list[str]]:
    """Records by which a name stands for that one host."""
    return {
        (f"_mongodb._tcp.{name}", "SRV"): [f"0 0 {port} {host}."],
        (host, "A"): ["127.0.0.1"],
    }


async def ping(client: Any, wait: Wait) -> None:
    await wait(client.admin.command("ping"))


@both_shells
@pytest.mark.parametrize(
    ("name", "host"), [("localhost", "a.localhost"), ("mongo.local", "a.mongo.local")]
)
def test_1_names_may_be_short(dns: NameServer, shell: str, name: str, host: str) -> None:
    with ScriptedServer() as server:
        dns.records = listing(name, host, server.port)
        use(shell, f"mongodb+srv://{name}/?tls=false", ping, **QUICK)


CASES = [
    # 2: not in the domain
    ("localhost", "localhost.mongodb"),
    ("mongo.local", "test_1.evil.local"),
    ("blogs.mongodb.com", "blogs.evil.com"),
    # 3: the name itself, where that is a domain
    ("localhost", "localhost"),
    ("mongo.local", "mongo.local"),
    # 4: not in the domain, though it ends so
    ("localhost", "test_1.cluster_1localhost"),
    ("mongo.local", "test_1.my_hostmongo.local"),
    ("blogs.mongodb.com", "cluster.testmongodb.com"),
]


@both_shells
@pytest.mark.parametrize(("name", "host"), CASES)
def test_2_to_4_hosts_that_are_not_in_the_domain(
    dns: NameServer, shell: str, name: str, host: str
) -> None:
    dns.records = listing(name, host)
    with pytest.raises(ConfigurationError, match="not in the same domain"):
        use(shell, f"mongodb+srv://{name}/?tls=false", ping, **QUICK)
