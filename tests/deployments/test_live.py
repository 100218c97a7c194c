"""Real servers, as processes and in Docker: they start quickly, take faults, and leave nothing."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runners.deployments import programs
from runners.deployments.base import CommandError, DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.external import ExternalDeployment
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import DOCKER
from runners.deployments.process import PortTaken, ProcessGroup, free_ports
from runners.model import JsonObject, Topology
from tests.conftest import in_docker
from tests.deployments.conftest import PLACES, Assembled, PyMongoCommands

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", params=PLACES)
def replica_set(request: pytest.FixtureRequest) -> Iterator[Assembled]:
    if request.param == DOCKER:
        made: Assembled = in_docker(Topology.REPLICA_SET, PyMongoCommands)
    else:
        mongod = request.getfixturevalue("mongod")
        made = LocalDeployment(Topology.REPLICA_SET, mongod, PyMongoCommands)
    with made as deployment:
        yield deployment


def hello(deployment: Assembled, host: str) -> JsonObject:
    return deployment.commands.command("admin", {"hello": 1}, host=host)


def primary(deployment: Assembled) -> object:
    return deployment.commands.command("admin", {"hello": 1})["me"]


def test_a_standalone(mongod: Binary) -> None:
    deployment = LocalDeployment(Topology.STANDALONE, mongod, PyMongoCommands)
    assert deployment.info.server_version == mongod.version
    with deployment:
        (host,) = deployment.info.hosts
        assert deployment.info.uri == f"mongodb://{host}/"
        assert "setName" not in hello(deployment, host)
        (folder,) = Path(tempfile.gettempdir()).glob(f"mongospec-*/{host.partition(':')[2]}")
        with pytest.raises(DeploymentError, match="cannot step down"):
            deployment.step_down()
        with pytest.raises(DeploymentError, match="started already"):
            deployment.start()
    assert not folder.parent.exists()
    assert deployment.info.uri == ""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(host.partition(":")[2])))


def test_a_replica_set_is_whole_when_it_has_started(replica_set: Assembled) -> None:
    first, *others = replica_set.info.hosts
    assert hello(replica_set, first)["isWritablePrimary"] is True
    assert [hello(replica_set, host)["secondary"] for host in others] == [True, True]
    assert hello(replica_set, first)["setName"] == replica_set.info.set_name
    parameters = replica_set.commands.command("admin", {"getParameter": "*"})
    assert replica_set.info.parameters.items() <= parameters.items()


def test_a_majority_write_is_quick(replica_set: Assembled) -> None:
    begin = time.monotonic()
    replica_set.commands.command(
        "test", {"insert": "x", "documents": [{}], "writeConcern": {"w": "majority"}}
    )
    assert time.monotonic() - begin < 2


def test_step_down_gives_another_primary(replica_set: Assembled) -> None:
    before = primary(replica_set)
    replica_set.step_down()
    now = [host for host in replica_set.info.hosts if hello(replica_set, host)["isWritablePrimary"]]
    assert len(now) == 1
    assert now != [before]


def test_a_killed_member_comes_back_with_its_data(replica_set: Assembled) -> None:
    host = replica_set.info.hosts[2]
    replica_set.kill(host)
    with pytest.raises(DeploymentError, match="does not run"):
        replica_set.kill(host)
    replica_set.restart(host)
    state = hello(replica_set, host)
    assert state["setName"] == replica_set.info.set_name
    assert state.get("secondary") or state.get("isWritablePrimary")


def test_a_paused_member_does_not_answer(replica_set: Assembled) -> None:
    host = replica_set.info.hosts[1]
    address, _, port = host.partition(":")
    replica_set.pause(host)
    try:
        impatient = PyMongoCommands(
            f"mongodb://{address}:{port}/?directConnection=true&serverSelectionTimeoutMS=300"
        )
        with pytest.raises(CommandError):
            impatient.command("admin", {"ping": 1})
        impatient.close()
    finally:
        replica_set.resume(host)
    assert hello(replica_set, host)["ok"] == 1


def test_an_unknown_host_is_named(replica_set: Assembled) -> None:
    with pytest.raises(
        DeploymentError, match=f"no server nowhere:1; it has {replica_set.info.hosts[0]}"
    ):
        replica_set.kill("nowhere:1")


def test_a_running_deployment_tells_what_it_is(replica_set: Assembled) -> None:
    external = ExternalDeployment(replica_set.info.uri, PyMongoCommands)
    with external:
        assert external.info.topology is Topology.REPLICA_SET
        assert external.info.server_version == replica_set.info.server_version
        assert set(external.info.hosts) == set(replica_set.info.hosts)
        assert external.info.parameters["enableTestCommands"] is True
        with pytest.raises(DeploymentError, match="cannot kill"):
            external.kill(external.info.hosts[0])
    assert hello(replica_set, replica_set.info.hosts[0])["ok"] == 1


def test_a_process_cannot_be_partitioned(mongod: Binary) -> None:
    deployment = LocalDeployment(Topology.STANDALONE, mongod, PyMongoCommands)
    for fault in (deployment.partition, deployment.heal):
        with pytest.raises(DeploymentError, match=r"standalone-.* cannot .*; use --on docker"):
            fault("127.0.0.1:27017")


def test_an_explicit_port_that_is_taken(mongod: Binary) -> None:
    (port,) = free_ports(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        deployment = LocalDeployment(Topology.STANDALONE, mongod, PyMongoCommands, port=port)
        with pytest.raises(PortTaken, match=f"port {port} .*in use.*choose another"):
            deployment.start()
    deployment.start()
    assert deployment.info.hosts == (f"127.0.0.1:{port}",)
    deployment.stop()


class Refusing(PyMongoCommands):
    """A set that will not be initiated."""

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        raise CommandError("replSetInitiate: not today")


def test_a_set_that_does_not_come_up_says_why_and_leaves_nothing(
    mongod: Binary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DeploymentError, match="did not come up: replSetInitiate: not today"):
        LocalDeployment(Topology.REPLICA_SET, mongod, Refusing).start()
    assert not list(tmp_path.iterdir())


def test_what_a_compose_file_starts_is_formed(mongod: Binary) -> None:
    """The script that does it, with a process: the second time it finds the set formed."""
    script = Path(__file__).parents[2] / "docker" / "compose" / "form.pl"
    (port,) = free_ports(1)
    group = ProcessGroup()
    try:
        server = programs.mongod(group, mongod, port, ["--replSet", "formed"])
        server.start()
        for _ in range(2):
            done = subprocess.run(
                ["perl", script, "set", "formed", server.host], capture_output=True, check=False
            )
            assert (done.returncode, done.stdout) == (0, b"formed is formed\n"), done.stderr
        with closing(PyMongoCommands(f"mongodb://{server.host}/?replicaSet=formed")) as commands:
            assert commands.command("admin", {"hello": 1})["isWritablePrimary"] is True
    finally:
        group.close()
