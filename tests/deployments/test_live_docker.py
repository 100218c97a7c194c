"""Containers: partitions, deployments side by side, and nothing left however a harness ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runners.deployments.base import CommandError, DeploymentError
from runners.deployments.forming import primary_of, wait_for_member, wait_for_primary
from runners.model import JsonObject, Topology
from tests.conftest import in_docker
from tests.deployments.conftest import Assembled, PyMongoCommands
from tests.waiting import wait_until

pytestmark = [pytest.mark.live, pytest.mark.docker]

SECONDS = 60.0
HARNESS = """
    import sys, threading
    from runners.deployments.offer import Wish, connect, offer
    from runners.model import Topology

    (deployment,) = offer(Wish("docker", (Topology(sys.argv[1]),)), connect, print)
    with deployment:
        print("started", flush=True)
        threading.Event().wait()
"""


@pytest.fixture
def replica_set() -> Iterator[Assembled]:
    with in_docker(Topology.REPLICA_SET, PyMongoCommands) as deployment:
        yield deployment


def left(deployment: str) -> list[str]:
    """The ids of a deployment's containers and networks."""
    from runners.deployments.docker.engine import engine

    with closing(engine()) as client:
        wanted: dict[str, str | list[str] | bool] = {"label": f"mongospec.deployment={deployment}"}
        containers = client.containers.list(all=True, filters=wanted, ignore_removed=True)
        networks = client.networks.list(filters=wanted)
        return [str(each.id) for each in (*containers, *networks)]


def guarded(harness: int) -> dict[int, str]:
    """The guards that a process has started, and the deployments they guard."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode().split("\0")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        script = next((n for n, word in enumerate(line) if word.endswith("docker/guard.py")), None)
        if int(parent) == harness and script is not None:
            found[int(folder.name)] = line[script + 1]
    return found


def reaches(host: str) -> bool:
    """Whether a server answers clients on this machine."""
    uri = f"mongodb://{host}/?directConnection=true&serverSelectionTimeoutMS=1500"
    with closing(PyMongoCommands(uri)) as commands:
        try:
            return bool(commands.command("admin", {"ping": 1})["ok"])
        except CommandError:
            return False


def test_a_partitioned_primary_is_replaced_and_comes_back(replica_set: Assembled) -> None:
    cut, *others = replica_set.info.hosts
    assert primary_of(replica_set.commands, replica_set.info.hosts) == cut
    replica_set.partition(cut)
    assert not reaches(cut)
    deadline = time.monotonic() + SECONDS
    wait_for_primary(replica_set.commands, others, deadline)
    with pytest.raises(DeploymentError, match="is not connected"):
        replica_set.partition(cut)
    replica_set.heal(cut)
    wait_for_member(replica_set.commands, cut, deadline)
    insert: JsonObject = {"insert": "x", "documents": [{}], "writeConcern": {"w": 3}}
    assert replica_set.commands.command("test", insert)["n"] == 1
    with pytest.raises(DeploymentError, match="already exists"):
        replica_set.heal(cut)


def test_deployments_run_side_by_side() -> None:
    first, second = (in_docker(Topology.STANDALONE, PyMongoCommands) for _ in range(2))
    with first, second:
        deployments = [*guarded(os.getpid()).values()]
        assert len(deployments) == 2
        assert len({*first.info.hosts, *second.info.hosts}) == 2
        assert all(map(reaches, (*first.info.hosts, *second.info.hosts)))
        assert [len(left(each)) for each in deployments] == [2, 2]
    assert [left(each) for each in deployments] == [[], []]
    assert guarded(os.getpid()) == {}
    with first:
        assert reaches(*first.info.hosts)


def test_a_deployment_is_removed_with_faults_in_it(replica_set: Assembled) -> None:
    killed, paused, cut = replica_set.info.hosts
    (deployment,) = guarded(os.getpid()).values()
    replica_set.kill(killed)
    replica_set.pause(paused)
    replica_set.partition(cut)
    assert len(left(deployment)) == 4
    replica_set.stop()
    assert left(deployment) == []


def test_it_stops_without_its_guard() -> None:
    with in_docker(Topology.STANDALONE, PyMongoCommands):
        ((guard, deployment),) = guarded(os.getpid()).items()
        os.kill(guard, signal.SIGKILL)
    assert left(deployment) == []


class Refusing(PyMongoCommands):
    """A set that will not be initiated."""

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        raise CommandError("replSetInitiate: not today")


def test_a_set_that_does_not_come_up_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = in_docker(Topology.REPLICA_SET, Refusing)
    names: list[str] = []
    monkeypatch.setattr(Refusing, "close", lambda _: names.extend(guarded(os.getpid()).values()))
    with pytest.raises(DeploymentError, match="did not come up: replSetInitiate: not today"):
        deployment.start()
    assert [left(name) for name in names] == [[]]


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("when", ["while it starts", "when it is whole"])
def test_a_dead_harness_leaves_nothing(end: str, when: str) -> None:
    topology = Topology.STANDALONE if when == "when it is whole" else Topology.REPLICA_SET
    in_docker(topology, PyMongoCommands)
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HARNESS), topology],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as harness:
        assert harness.stdout is not None
        try:
            wait_until(lambda: len(guarded(harness.pid)) == 1, SECONDS)
            ((guard, deployment),) = guarded(harness.pid).items()
            if topology is Topology.STANDALONE:
                assert harness.stdout.readline() == "started\n"
                assert len(left(deployment)) == 2
            else:
                wait_until(lambda: len(left(deployment)) > 1, SECONDS)
            os.killpg(harness.pid, signal.Signals[end])
            harness.wait(SECONDS)
        finally:
            harness.kill()
    wait_until(lambda: not Path(f"/proc/{guard}").exists(), SECONDS)
    assert left(deployment) == []
