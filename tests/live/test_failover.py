"""The primary goes while a writer runs: the driver finds the new one, and loses or repeats nothing.

Writes are inserts with write concern majority, each with a number `n` of its own and an `_id` that
the driver makes, so that a write done twice would be seen.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from driver import AsyncMongoClient, MongoClient, WriteConcern
from driver.errors import MongoError
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.model import Topology

WRITERS = 4
BEFORE, AFTER = 200, 200
"""Acknowledged writes before the fault, and after it."""
LIMIT = 90.0
"""Seconds until a test gives up."""

pytestmark = pytest.mark.live

Fault = Callable[[LocalDeployment, str], None]


def kill(deployment: LocalDeployment, primary: str) -> None:
    deployment.kill(primary)


def step_down(deployment: LocalDeployment, primary: str) -> None:
    deployment.step_down()


@pytest.fixture
def deployment(mongod: Binary) -> Iterator[LocalDeployment]:
    """Three members of the test's own: one of them will be killed."""
    with LocalDeployment(Topology.REPLICA_SET, mongod, connect) as started:
        yield started


@dataclass
class Log:
    """What the writers saw; the clock is monotonic seconds."""

    tried: Iterator[int] = field(default_factory=itertools.count)
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    refused: list[tuple[int, MongoError]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)

    @property
    def going(self) -> bool:
        return not self.stop.is_set() and time.monotonic() - self.started < LIMIT

    def acknowledge(self, n: int) -> None:
        self.acknowledged.append((time.monotonic(), n))

    def interruption(self) -> float:
        """The longest time between two acknowledged writes."""
        times = sorted(when for when, _ in self.acknowledged)
        return max(later - sooner for sooner, later in itertools.pairwise(times))


def verify(log: Log, documents: list[dict[str, Any]], since: int, what: str) -> None:
    """Each acknowledged write is there once, each other at most once, and writing went on."""
    stored = Counter(document["n"] for document in documents)
    numbers = [n for _, n in log.acknowledged]
    assert len(numbers) >= since + AFTER, f"writing did not go on: {log.refused[-3:]}"
    assert not [n for n in numbers if stored[n] != 1]
    assert not [n for n, times in stored.items() if times != 1]
    print(
        f"\n{what}: {len(numbers)} writes acknowledged, {len(log.refused)} refused,"
        f" interrupted for {log.interruption():.2f} s"
    )


@pytest.mark.parametrize("fault", [kill, step_down])
def test_threads(deployment: LocalDeployment, fault: Fault) -> None:
    log = Log()
    with MongoClient(deployment.info.uri) as client:
        events = client.failover.get_collection("events", write_concern=WriteConcern("majority"))

        def write() -> None:
            while log.going:
                n = next(log.tried)
                try:
                    events.insert_one({"n": n})
                except MongoError as error:
                    log.refused.append((n, error))
                else:
                    log.acknowledge(n)

        threads = [threading.Thread(target=write, daemon=True) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        wait_for(log, BEFORE)
        old = str(client.primary)
        since = len(log.acknowledged)
        fault(deployment, old)
        wait_for(log, since + AFTER)
        log.stop.set()
        for thread in threads:
            thread.join(30)
        assert fault is not kill or str(client.primary) != old
        verify(log, events.find().to_list(), since, f"threads, {fault.__name__}")


def wait_for(log: Log, count: int) -> None:
    """Until so many writes are acknowledged, or the time is over."""
    pause = threading.Event()
    while log.going and len(log.acknowledged) < count:
        pause.wait(0.01)


@pytest.mark.parametrize("fault", [kill, step_down])
def test_tasks(deployment: LocalDeployment, fault: Fault) -> None:
    asyncio.run(in_tasks(deployment, fault))


async def in_tasks(deployment: LocalDeployment, fault: Fault) -> None:
    log = Log()
    async with AsyncMongoClient(deployment.info.uri) as client:
        events = client.failover.get_collection("events", write_concern=WriteConcern("majority"))

        async def write() -> None:
            while log.going:
                n = next(log.tried)
                try:
                    await events.insert_one({"n": n})
                except MongoError as error:
                    log.refused.append((n, error))
                else:
                    log.acknowledge(n)

        tasks = [asyncio.create_task(write()) for _ in range(WRITERS)]
        await asyncio.to_thread(wait_for, log, BEFORE)
        old = str(client.primary)
        since = len(log.acknowledged)
        await asyncio.to_thread(fault, deployment, old)
        await asyncio.to_thread(wait_for, log, since + AFTER)
        log.stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)
        assert fault is not kill or str(client.primary) != old
        verify(log, await events.find().to_list(), since, f"tasks, {fault.__name__}")
