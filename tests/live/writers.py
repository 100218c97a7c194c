"""Writers for the failover tests: threads or tasks of one driver that write until told to stop.

The reference driver and PyMongo have the same names, so that one text serves both, with the same
options, in the same run and against the same fault.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pymongo
import pymongo.errors

import driver
import driver.errors

WRITERS = 4
PAUSE = 0.002
"""Seconds between two writes of a writer, so that all of them share the machine."""
HEARTBEAT, CONNECT_TIMEOUT = 10.0, 2.0
OPTIONS: dict[str, Any] = {
    "heartbeatFrequencyMS": HEARTBEAT * 1000,
    "connectTimeoutMS": CONNECT_TIMEOUT * 1000,
}
"""Modest ones: a streaming monitor gives an answer up after the sum of the two."""
DETECTION = HEARTBEAT + CONNECT_TIMEOUT
LIMIT = 90.0
"""Seconds until the writers give up."""
HANGING = LIMIT + 40.0
"""Seconds after which a write that was begun in time is known to have no end."""


@dataclass(frozen=True, eq=False)
class Driver:
    """What the writers need of a driver."""

    name: str
    client: Callable[..., Any]
    asyncio_client: Callable[..., Any]
    majority: Any
    error: type[Exception]


REFERENCE = Driver(
    "reference",
    driver.MongoClient,
    driver.AsyncMongoClient,
    driver.WriteConcern("majority"),
    driver.errors.PyMongoError,
)
PYMONGO = Driver(
    "PyMongo",
    pymongo.MongoClient,
    pymongo.AsyncMongoClient,
    pymongo.WriteConcern("majority"),
    pymongo.errors.PyMongoError,
)


@dataclass
class Log:
    """What a driver's writers saw; times are monotonic seconds.

    A write has a number of its own, as its document's `_id`, and counts in the document how often
    it was done: `acknowledged` has when each began and ended.
    """

    numbers: Iterator[int] = field(default_factory=itertools.count)
    acknowledged: list[tuple[int, float, float]] = field(default_factory=list)
    refused: list[tuple[int, Exception]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)

    @property
    def going(self) -> bool:
        return not self.stop.is_set() and time.monotonic() - self.started < LIMIT

    def acknowledge(self, number: int, began: float) -> None:
        self.acknowledged.append((number, began, time.monotonic()))

    def wait_for(self, count: int) -> None:
        """Until so many more writes are acknowledged, or the time is over."""
        wanted = len(self.acknowledged) + count
        while self.going and len(self.acknowledged) < wanted:
            self.stop.wait(0.01)

    @property
    def interruption(self) -> float:
        """The longest time between two acknowledgements."""
        times = sorted(ended for _, _, ended in self.acknowledged)
        return max(later - sooner for sooner, later in itertools.pairwise(times))

    @property
    def slowest(self) -> float:
        """The longest time that a single write took."""
        return max(ended - began for _, began, ended in self.acknowledged)


Stored = dict[int, int]
"""How often each write was done."""


def in_threads(driver: Driver, uri: str, log: Log) -> Stored:
    """Write on threads until the log says stop; what is in the collection then."""
    with driver.client(uri, **OPTIONS) as client:
        writes = client.failover.get_collection(driver.name, write_concern=driver.majority)

        def write() -> None:
            while log.going:
                number, began = next(log.numbers), time.monotonic()
                try:
                    writes.update_one({"_id": number}, {"$inc": {"times": 1}}, upsert=True)
                except driver.error as error:
                    log.refused.append((number, error))
                else:
                    log.acknowledge(number, began)
                log.stop.wait(PAUSE)

        for writer in [spawn(write) for _ in range(WRITERS)]:
            writer.result(HANGING)
        return {document["_id"]: document["times"] for document in writes.find()}


def in_tasks(driver: Driver, uri: str, log: Log) -> Stored:
    """The same with tasks of one event loop."""
    return asyncio.run(_in_tasks(driver, uri, log))


async def _in_tasks(driver: Driver, uri: str, log: Log) -> Stored:
    async with driver.asyncio_client(uri, **OPTIONS) as client:
        writes = client.failover.get_collection(driver.name, write_concern=driver.majority)

        async def write() -> None:
            while log.going:
                number, began = next(log.numbers), time.monotonic()
                try:
                    await writes.update_one({"_id": number}, {"$inc": {"times": 1}}, upsert=True)
                except driver.error as error:
                    log.refused.append((number, error))
                else:
                    log.acknowledge(number, began)
                await asyncio.sleep(PAUSE)

        await asyncio.wait_for(asyncio.gather(*(write() for _ in range(WRITERS))), HANGING)
        return {document["_id"]: document["times"] async for document in writes.find()}


def spawn(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Run on a daemon thread, which a hang cannot make immortal."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
