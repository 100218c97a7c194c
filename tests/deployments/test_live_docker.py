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
from typing import NamedTuple

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
CHECK = ("-m", "runners.cli", "check", str(Path(__file__).parents[2] / "spec_tests" / "crud"))


@pytest.fixture
def replica_set() -> Iterator[Assembled]:
    with in_docker(Topology.REPLICA_SET, PyMongoCommands) as deployment:
        yield deployment


class Traces(NamedTuple):
    """What is to be looked for of a deployment."""

    label: str
    folder: str

    def left(self) -> list[str]:
        """The ids of its containers and networks, and its folder if it is there."""
        from runners.deployments.docker.engine import engine

        wanted: dict[str, str | list[str] | bool] = {"label": f"mongospec.deployment={self.label}"}
        with closing(engine()) as client:
            containers = client.containers.list(all=True, filters=wanted, ignore_removed=True)
            networks = client.networks.list(filters=wanted)
        folders = [self.folder] if Path(self.folder).exists() else []
        return [*(str(each.id) for each in (*containers, *networks)), *folders]


def guarded(harness: int) -> dict[int, Traces]:
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
            found[int(folder.name)] = Traces(*line[script + 1 : script + 3])
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


def test_members_come_back_at_their_addresses_in_any_order(replica_set: Assembled) -> None:
    for host in replica_set.info.hosts:
        replica_set.partition(host)
    for host in reversed(replica_set.info.hosts):
        replica_set.heal(host)
        assert reaches(host)


def test_deployments_run_side_by_side() -> None:
    first, second = (in_docker(Topology.STANDALONE, PyMongoCommands) for _ in range(2))
    with first, second:
        deployments = [*guarded(os.getpid()).values()]
        assert len(deployments) == 2
        assert len({*first.info.hosts, *second.info.hosts}) == 2
        assert all(map(reaches, (*first.info.hosts, *second.info.hosts)))
        assert [len(each.left()) for each in deployments] == [3, 3]
    assert [each.left() for each in deployments] == [[], []]
    assert guarded(os.getpid()) == {}
    with first:
        assert reaches(*first.info.hosts)


def test_a_deployment_is_removed_with_faults_in_it(replica_set: Assembled) -> None:
    killed, paused, cut = replica_set.info.hosts
    (deployment,) = guarded(os.getpid()).values()
    replica_set.kill(killed)
    replica_set.pause(paused)
    replica_set.partition(cut)
    assert len(deployment.left()) == 5
    replica_set.stop()
    assert deployment.left() == []


def test_it_stops_without_its_guard() -> None:
    with in_docker(Topology.STANDALONE, PyMongoCommands):
        ((guard, deployment),) = guarded(os.getpid()).items()
        os.kill(guard, signal.SIGKILL)
        assert len(deployment.left()) == 3
    assert deployment.left() == []


def test_a_set_that_does_not_come_up_leaves_nothing() -> None:
    seen: list[Traces] = []

    class Refusing(PyMongoCommands):
        def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
            raise CommandError("replSetInitiate: not today")

        def close(self) -> None:
            seen.extend(each for each in guarded(os.getpid()).values() if len(each.left()) == 5)
            super().close()

    with pytest.raises(DeploymentError, match="did not come up: replSetInitiate: not today"):
        in_docker(Topology.REPLICA_SET, Refusing).start()
    (deployment,) = seen
    assert deployment.left() == []


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("when", ["while it starts", "when it is whole", "in a check"])
def test_a_dead_harness_leaves_nothing(end: str, when: str) -> None:
    topology = Topology.STANDALONE if when == "when it is whole" else Topology.REPLICA_SET
    in_docker(topology, PyMongoCommands)
    command = ["-c", textwrap.dedent(HARNESS), topology]
    if when == "in a check":
        command = [*CHECK, "--on", "docker", "--topology", topology]
    with subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if when == "in a check" else subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as harness:
        assert harness.stdout is not None
        try:
            wait_until(lambda: len(guarded(harness.pid)) == 1, SECONDS)
            ((guard, deployment),) = guarded(harness.pid).items()
            if when == "when it is whole":
                assert harness.stdout.readline() == "started\n"
                assert len(deployment.left()) == 3
            elif when == "in a check":
                assert harness.stderr is not None
                assert any(" pass" in line for line in harness.stderr)
                assert len(deployment.left()) == 5
            else:
                wait_until(lambda: len(deployment.left()) > 2, SECONDS)
            os.killpg(harness.pid, signal.Signals[end])
            harness.communicate(timeout=SECONDS)
        finally:
            harness.kill()
    wait_until(lambda: not Path(f"/proc/{guard}").exists(), SECONDS)
    assert deployment.left() == []
