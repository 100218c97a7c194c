"""The primary goes while writers run: the driver finds the new one, and loses or repeats nothing.

Writes have write concern majority, and each tells how often it was done, so that a lost one is seen
as well as one that a retry repeated. PyMongo writes beside the reference driver, with the same
options and through the same fault; how long each was interrupted is printed (`pytest -s`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from runners.control import MAJORITY, Control
from runners.deployments.base import CommandError, Deployment, DeploymentError
from runners.deployments.offer import DOCKER, LOCAL, Wish, connect, offer
from runners.model import Topology
from tests.absent import absent
from tests.live.writers import (
    DETECTION,
    HANGING,
    LIMIT,
    PYMONGO,
    REFERENCE,
    Driver,
    Log,
    Stored,
    in_tasks,
    in_threads,
    spawn,
)

BEFORE, AFTER = 200, 200
"""Acknowledged writes of each driver before the fault, after it, and after it is mended."""
SLACK = 5.0
"""Seconds that a busy machine may add to what the specs allow."""
ELECTION_SECONDS = 60.0

pytestmark = pytest.mark.live

Fault = Callable[[Deployment, str], None]
Writing = Callable[[Driver, str, Log], Stored]


def killed(deployment: Deployment, primary: str) -> None:
    deployment.kill(primary)


def paused(deployment: Deployment, primary: str) -> None:
    deployment.pause(primary)


def cut_off(deployment: Deployment, primary: str) -> None:
    deployment.partition(primary)


def stepped_down(deployment: Deployment, primary: str) -> None:
    deployment.step_down()


MENDED: dict[Fault, Fault] = {
    killed: lambda deployment, host: deployment.restart(host),
    paused: lambda deployment, host: deployment.resume(host),
    cut_off: lambda deployment, host: deployment.heal(host),
    stepped_down: lambda deployment, host: None,
}
SILENT = (paused, cut_off)
"""After these nothing tells the client that the server is gone, but that it does not answer."""
FAULTS = [
    *((LOCAL, fault) for fault in (killed, paused, stepped_down)),
    *(pytest.param(DOCKER, fault, marks=pytest.mark.docker) for fault in MENDED),
]


@pytest.fixture
def deployment(on: str) -> Iterator[Deployment]:
    """Three members of the test's own."""
    with contextlib.ExitStack() as stack:
        try:
            (offered,) = offer(Wish(on, (Topology.REPLICA_SET,)), connect, print)
            stack.enter_context(offered)
        except DeploymentError as error:
            absent(error)
        yield offered


@pytest.fixture
def control(deployment: Deployment) -> Iterator[Control]:
    control = connect(deployment.info.uri)
    yield control
    control.close()


@pytest.mark.parametrize("writing", [in_threads, in_tasks])
@pytest.mark.parametrize(("on", "fault"), FAULTS)
def test_no_write_is_lost_or_repeated(
    deployment: Deployment, control: Control, fault: Fault, writing: Writing
) -> None:
    hosts = deployment.info.hosts
    logs = {driver: Log() for driver in (REFERENCE, PYMONGO)}
    writers = {
        driver: spawn(writing, driver, deployment.info.uri, log) for driver, log in logs.items()
    }
    for log in logs.values():
        log.wait_for(BEFORE)
    old = primary_of(control, hosts)
    began = time.monotonic()
    others = [host for host in hosts if host != old]
    replaced = spawn(until_replaced, control, others)
    fault(deployment, old)
    usable = replaced.result(LIMIT) - began
    for log in logs.values():
        log.wait_for(AFTER)
    MENDED[fault](deployment, old)
    for log in logs.values():
        log.wait_for(AFTER)
        log.stop.set()
    for driver, log in logs.items():
        verify(log, writers[driver].result(HANGING))
    inevitable = max(usable, DETECTION if fault in SILENT else 0.0)
    print(f"\n{deployment.info.id}, {writing.__name__}, {fault.__name__}:", end=" ")
    print(f"a new primary took writes after {usable:.2f} s")
    for driver, log in logs.items():
        print(f"  {driver.name}: {summary(log)}")
    assert logs[REFERENCE].slowest < inevitable + SLACK


def until_replaced(control: Control, others: Sequence[str]) -> float:
    """When one of the others is primary and its writes reach a majority."""
    new = primary_of(control, others)
    control.command("admin", {"appendOplogNote": 1, "data": {}, "writeConcern": MAJORITY}, host=new)
    return time.monotonic()


def primary_of(control: Control, hosts: Sequence[str]) -> str:
    """Ask until one of them says that it is the primary."""
    pause = threading.Event()
    until = time.monotonic() + ELECTION_SECONDS
    while time.monotonic() < until:
        for host in hosts:
            try:
                if control.command("admin", {"hello": 1}, host=host).get("isWritablePrimary"):
                    return host
            except CommandError:
                continue
        pause.wait(0.05)
    raise AssertionError(f"none of {', '.join(hosts)} became primary in {ELECTION_SECONDS:g} s")


def verify(log: Log, stored: Stored) -> None:
    """Each acknowledged write was done once, each other at most once, and writing went on."""
    assert len(log.acknowledged) >= BEFORE + 2 * AFTER, f"writing stopped: {log.refused[-3:]}"
    assert not [number for number, _, _ in log.acknowledged if number not in stored]
    assert not [number for number, times in stored.items() if times != 1]


def summary(log: Log) -> str:
    kinds = Counter(type(error).__name__ for _, error in log.refused)
    refused = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none"
    return (
        f"interrupted for {log.interruption:.2f} s, slowest write {log.slowest:.2f} s,"
        f" {len(log.acknowledged)} acknowledged, refused: {refused}"
    )
