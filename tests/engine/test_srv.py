"""mongodb+srv in virtual time: what DNS says first, and what becomes of it later."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from driver.deadline import Deadline
from driver.engine.srv import MIN_RESCAN_INTERVAL, SeedPoller, discover
from driver.engine.topology import Topology
from driver.errors import ConfigurationError
from driver.options import ClientOptions
from driver.runtime.base import SRVRecords, Stream
from driver.runtime.simulated import SimulatedRuntime
from driver.topology.description import Address, TopologyDescription
from driver.topology.transitions import apply_hosts, initial

NAME = "db.example.test"
Answer = Sequence[str] | OSError


async def nowhere(address: Address) -> Stream:
    raise ConnectionRefusedError


class World(SimulatedRuntime):
    """A world with a DNS that answers by script: the last answer again and again."""

    def __init__(self, *answers: Answer, ttl: float = 0.0, texts: Any = ()) -> None:
        super().__init__(nowhere)
        self.answers = [*answers]
        self.asked: list[tuple[str, float, float]] = []
        self._ttl = ttl
        self._texts = texts

    async def lookup_srv(self, name: str, until: float) -> SRVRecords:
        self.asked.append((name, self.now(), until))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return SRVRecords(tuple(map(Address.parse, answer)), self._ttl)

    async def lookup_txt(self, name: str, until: float) -> list[str]:
        assert name == NAME
        if isinstance(self._texts, OSError):
            raise self._texts
        return [*self._texts]


def options(**more: Any) -> ClientOptions:
    return ClientOptions.resolve(f"mongodb+srv://{NAME}/", **more)


def discovered(
    world: World, deadline: Deadline | None = None, **more: Any
) -> tuple[ClientOptions, float]:
    return world.run(discover(options(**more), world, deadline))


# The first time.


def test_hosts_become_seeds_and_texts_options() -> None:
    world = World(
        ["a.example.test:1", "b.example.test:2"], ttl=7, texts=["replicaSet=rs&authSource=x"]
    )
    found, ttl = discovered(world)
    assert [str(seed) for seed in found.seeds] == ["a.example.test:1", "b.example.test:2"]
    assert found.replica_set == "rs"
    assert found.tls is not None
    assert ttl == 7
    assert [name for name, *_ in world.asked] == [f"_mongodb._tcp.{NAME}"]


def test_a_service_has_records_of_its_own() -> None:
    world = World(["a.example.test:1"])
    discovered(world, srvServiceName="custom")
    assert [name for name, *_ in world.asked] == [f"_custom._tcp.{NAME}"]


def test_no_more_hosts_than_asked_for() -> None:
    found, _ = discovered(World([f"{name}.example.test:1" for name in "abcd"]), srvMaxHosts=2)
    assert len(found.seeds) == 2


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (World(OSError("no such name")), "DNS lookup failed: no such name"),
        (World(["a.example.test:1"], texts=OSError("broken")), "DNS lookup failed: broken"),
        (World(["a.example.test:1", "a.evil.test:1"]), "a.evil.test:1, which is not in the same"),
        (World(["a.example.test:1"], texts=["replicaSet=a", "replicaSet=b"]), "2 TXT records"),
        (World(["a.example.test:1"], texts=["tls=false"]), "tls"),
    ],
)
def test_what_dns_must_not_say_is_refused(world: World, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        discovered(world)


@pytest.mark.parametrize(
    ("more", "deadline", "expected"),
    [
        ({}, None, 20),
        ({"connectTimeoutMS": 3000}, None, 3),
        ({"connectTimeoutMS": 0}, None, 20),
        ({"connectTimeoutMS": 3000}, Deadline.after(2, 0), 2),
        ({"connectTimeoutMS": 3000}, Deadline.after(9, 0), 3),
        ({}, Deadline.after(math.inf, 0), 20),
    ],
)
def test_asking_takes_no_longer_than_connecting_or_the_operation_may(
    more: dict[str, Any], deadline: Deadline | None, expected: float
) -> None:
    world = World(["a.example.test:1"])
    discovered(world, deadline, **more)
    assert [until for *_, until in world.asked] == [expected]


# From time to time.


class Deployment:
    """What the poller knows of a topology."""

    def __init__(self, *seeds: str, set_name: str | None = None, balanced: bool = False) -> None:
        self.description: TopologyDescription = initial(
            [Address.parse(seed) for seed in seeds],
            direct_connection=None,
            load_balanced=balanced,
            set_name=set_name,
        )
        self.closed = False
        self.changes: list[list[str]] = []

    def on_hosts(self, hosts: Sequence[Address]) -> None:
        self.changes.append([str(host) for host in hosts])
        self.description = apply_hosts(self.description, hosts)


A, B, C = "a.example.test:1", "b.example.test:1", "c.example.test:1"
EVIL = "a.evil.test:1"


def poll(
    world: World,
    deployment: Deployment,
    seconds: float,
    *,
    ttl: float = 0.0,
    meanwhile: Callable[[], None] = lambda: None,
    **more: Any,
) -> list[float]:
    """Poll for so many seconds; gives the moments at which DNS was asked."""

    async def act() -> None:
        poller = SeedPoller(options(**more), world, cast("Topology", deployment), ttl)
        poller.start()
        await world.waiter().wait(seconds / 2)
        meanwhile()
        await world.waiter().wait(seconds / 2)
        await poller.close()

    world.run(act())
    return [at for _, at, _ in world.asked]


@pytest.mark.parametrize(("first", "later"), [(0, 0), (5, 7), (100, 30), (90, 120)])
def test_dns_is_asked_when_its_answer_has_expired_but_once_a_minute_at_most(
    first: float, later: float
) -> None:
    world = World([A], ttl=later)
    asked = poll(world, Deployment(A), 400, ttl=first)
    start, pause = max(first, MIN_RESCAN_INTERVAL), max(later, MIN_RESCAN_INTERVAL)
    assert asked == [start + pause * n for n in range(len(asked))]
    assert asked[-1] + pause >= 400


def test_the_hosts_that_are_listed_are_told_to_the_topology() -> None:
    deployment = Deployment(A, B)
    poll(World([A, B], [B, C], [C]), deployment, 3.5 * MIN_RESCAN_INTERVAL)
    assert deployment.changes == [[A, B], [B, C], [C]]


def test_known_hosts_stay_and_new_ones_fill_up_to_the_maximum() -> None:
    deployment = Deployment(A, B)
    poll(World([A, C, "d.example.test:1"]), deployment, 1.5 * MIN_RESCAN_INTERVAL, srvMaxHosts=2)
    ((kept, new),) = deployment.changes
    assert kept == A
    assert new in (C, "d.example.test:1")


@pytest.mark.parametrize("answer", [OSError("down"), TimeoutError("late"), [], [EVIL]])
def test_what_is_no_answer_changes_nothing_and_is_asked_again_after_a_heartbeat(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = Deployment(A, B)
    with caplog.at_level(logging.WARNING, "mongospec.topology"):
        asked = poll(World(answer, answer, [A]), deployment, 100, heartbeatFrequencyMS=10_000)
    assert asked == [60, 70, 80]
    assert deployment.changes == [[A]]
    assert bool(caplog.records) == (answer != [])


def test_hosts_of_another_domain_are_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    deployment = Deployment(A)
    with caplog.at_level(logging.WARNING, "mongospec.topology"):
        poll(World([A, EVIL, B]), deployment, 1.5 * MIN_RESCAN_INTERVAL)
    assert deployment.changes == [[A, B]]
    assert EVIL in caplog.text


@pytest.mark.parametrize("deployment", [Deployment(A, set_name="rs"), Deployment(A, balanced=True)])
def test_what_cannot_be_sharded_is_not_polled(deployment: Deployment) -> None:
    assert poll(World([B]), deployment, 1000) == []


def test_polling_ends_when_the_deployment_turns_out_to_be_a_set() -> None:
    deployment = Deployment(A)

    def turn_out() -> None:
        deployment.description = Deployment(A, set_name="rs").description

    assert poll(World([A]), deployment, 300, meanwhile=turn_out) == [60, 120]


def test_polling_ends_with_the_topology() -> None:
    deployment = Deployment(A)

    def close() -> None:
        deployment.closed = True

    assert poll(World([A]), deployment, 300, meanwhile=close) == [60, 120]
