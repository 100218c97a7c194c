"""Polling SRV records for mongos discovery: the prose tests of the spec, numbered as there.

The records are a name server's of ours, the names and the hosts too. The hosts are scripted peers
in the places of the spec's ports, and DNS is asked again as soon as the last answer has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from driver import MongoClient
from driver.bson import ObjectId
from driver.engine import srv
from runners.adapters.pymongo_api.names import NameService
from runners.nameserver import NameServer
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK
from tests.engine.scripted import ScriptedServer, hello_reply
from tests.waiting import wait_until

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[["Dns", Any], Awaitable[None]]

HOST = "localhost.test.example"
NAME = "one.test.example"


class Dns:
    """A name server whose SRV records list scripted routers, by their numbers from 0."""

    def __init__(self, server: NameServer, ports: Sequence[int], service: str = "mongodb") -> None:
        self.server = server
        self._ports = ports
        self._name = f"_{service}._tcp.{NAME}"

    def lists(self, *numbers: int) -> None:
        """From now on, it lists these, which may be none."""
        hosts = [f"0 0 {self._ports[number]} {HOST}." for number in numbers]
        records: dict[tuple[str, str], list[str]] = {(HOST, "A"): ["127.0.0.1"]}
        if hosts:
            records[self._name, "SRV"] = hosts
        else:  # the name is still there, unlike in `forgets`
            records[self._name, "TXT"] = ['"x"']
        self.server.records = records

    def forgets(self) -> None:
        """From now on, the name does not exist."""
        self.server.records = {(HOST, "A"): ["127.0.0.1"]}

    def known(self, client: Any) -> list[int]:
        """The routers that a client knows."""
        servers = client.topology_description.servers
        return sorted(self._ports.index(address.port) for address in servers)

    async def until_known(self, client: Any, *numbers: int) -> None:
        """Wait until these are the ones that it knows."""
        await asyncio.to_thread(wait_until, lambda: self.known(client) == list(numbers))

    async def asked_again(self, times: int) -> None:
        """Wait until the records were looked up so often from now on."""
        before = self.lookups()
        await asyncio.to_thread(wait_until, lambda: self.lookups() >= before + times)

    def lookups(self) -> int:
        return self.server.asked.count((self._name, "SRV"))


@contextmanager
def serving(service: str = "mongodb", **hello: Any) -> Iterator[Dns]:
    """Four routers, and the name server that all names are looked up at."""
    said = hello_reply(msg="isdbgrid", **hello)
    with ExitStack() as stack, NameServer({}, lifetime=0) as server:
        made = [ScriptedServer(hello=lambda _: said) for _ in range(4)]
        stack.callback(NameService(server.address).close)
        yield Dns(server, [stack.enter_context(each).port for each in made], service)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srv, "MIN_RESCAN_INTERVAL", 0.02)
    monkeypatch.setattr(srv, "_LOOKUP_TIMEOUT", 0.5)


def follow(shell: str, act: Act, *first: int, service: str = "mongodb", **options: Any) -> None:
    """Use a client that began when DNS listed the `first`, and knows them."""

    async def begun(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        assert dns.known(client) == list(first)
        await act(dns, client)

    with serving(service) as dns:
        dns.lists(*first)
        use(shell, f"mongodb+srv://{NAME}/?tls=false", begun, **QUICK, **options)


CHANGES = [
    pytest.param([0, 1, 2], {}, id="1, a new record"),
    pytest.param([0], {}, id="2, a record less"),
    pytest.param([0, 2], {}, id="3, another record"),
    pytest.param([2], {}, id="4, one for both"),
    pytest.param([2, 3], {}, id="5, two for both"),
    pytest.param([0, 2, 3], {"srvMaxHosts": 0}, id="10, no maximum"),
    pytest.param([2, 3], {"srvMaxHosts": 2}, id="11, as many as the maximum"),
    pytest.param(
        [2, 3], {"srvServiceName": "customname"}, id="13, under another name of the service"
    ),
]


@both_shells
@pytest.mark.parametrize(("after", "options"), CHANGES)
def test_a_client_follows_the_records(
    shell: str, after: Sequence[int], options: dict[str, Any]
) -> None:
    async def act(dns: Dns, client: Any) -> None:
        dns.lists(*after)
        await dns.until_known(client, *after)

    follow(shell, act, 0, 1, service=options.get("srvServiceName", "mongodb"), **options)


def silent(dns: Dns) -> None:
    dns.server.silent = True


@both_shells
@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(silent, id="6, no answer"),
        pytest.param(Dns.forgets, id="7, no such name"),
        pytest.param(Dns.lists, id="8, no record"),
    ],
)
def test_what_goes_wrong_with_dns_changes_nothing(shell: str, fail: Callable[[Dns], None]) -> None:
    async def act(dns: Dns, client: Any) -> None:
        fail(dns)
        await dns.asked_again(2)
        assert dns.known(client) == [0, 1]
        dns.server.silent = False
        dns.lists(2)
        await dns.until_known(client, 2)

    follow(shell, act, 0, 1, heartbeatFrequencyMS=500)


@both_shells
def test_9_behind_a_load_balancer_records_are_not_followed(shell: str) -> None:
    """While another client follows them, as often as it looks."""

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        with MongoClient(uri) as other:
            dns.lists(0, 1)
            await dns.until_known(other, 0, 1)
            await dns.asked_again(3)
        assert dns.known(client) == [0]

    with serving(serviceId=ObjectId()) as dns:
        dns.lists(0)
        uri = f"mongodb+srv://{NAME}/?tls=false"
        use(shell, f"{uri}&loadBalanced=true", act)


@both_shells
def test_12_new_records_are_chosen_at_random_up_to_the_maximum(shell: str) -> None:
    async def act(dns: Dns, client: Any) -> None:
        dns.lists(0, 2, 3)
        await asyncio.to_thread(wait_until, lambda: dns.known(client) in ([0, 2], [0, 3]))

    follow(shell, act, 0, 1, srvMaxHosts=2)
