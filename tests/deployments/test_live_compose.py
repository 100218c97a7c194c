"""The compose files, started and stopped by hand as docs/deployments.md says."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress

import pytest

from runners.deployments.process import free_ports
from runners.model import JsonObject, Topology
from tests.absent import absent
from tests.conftest import in_docker
from tests.deployments.conftest import PyMongoCommands
from tests.deployments.test_docker import COMPOSE

pytestmark = [pytest.mark.live, pytest.mark.docker]

SECONDS = 120
PORTS = ("PORT", "PORT_2", "BALANCED_PORT", "BALANCED_PORT_2")


def compose() -> list[str]:
    """The command that this machine has."""
    for command in (["docker", "compose"], ["docker-compose"]):
        with suppress(OSError):
            if not subprocess.run(
                [*command, "version"], capture_output=True, check=False
            ).returncode:
                return command
    return absent("there is neither docker compose nor docker-compose")


@contextmanager
def up(*files: str, environment: Mapping[str, str]) -> Iterator[None]:
    """The services of some files run; nothing of them is there afterwards."""
    from runners.deployments.docker.engine import engine

    project = f"mongospec-{uuid.uuid4().hex[:8]}"
    command = [*compose(), "-p", project]
    for file in files:
        command += ["-f", str(COMPOSE / f"{file}.yml")]
    label: dict[str, str | list[str] | bool] = {"label": f"com.docker.compose.project={project}"}
    environment = {**os.environ, **environment}
    client = engine()
    try:
        subprocess.run([*command, "up", "-d"], env=environment, check=True, timeout=SECONDS)
        for container in client.containers.list(all=True, filters=label):
            if container.labels["com.docker.compose.service"] == "form":
                ended = container.wait(timeout=SECONDS)
                assert ended["StatusCode"] == 0, container.logs().decode()
        yield
    finally:
        down = [*command, "down", "-v", "--rmi", "local"]
        subprocess.run(down, env=environment, check=True, timeout=SECONDS)
        containers = client.containers.list(all=True, filters=label)
        networks = client.networks.list(filters=label)
        client.close()
    assert (containers, networks) == ([], [])


@pytest.mark.parametrize(
    ("files", "topology", "uris"),
    [
        (["standalone"], Topology.STANDALONE, ["mongodb://127.0.0.1:{PORT}"]),
        (
            ["replicaset"],
            Topology.REPLICA_SET,
            ["mongodb://10.213.1.11,10.213.1.12,10.213.1.13/?replicaSet=rs0"],
        ),
        (
            ["sharded", "load-balanced"],
            Topology.LOAD_BALANCED,
            [
                "mongodb://127.0.0.1:{PORT},127.0.0.1:{PORT_2}",
                "mongodb://127.0.0.1:{BALANCED_PORT}/?loadBalanced=true",
                "mongodb://127.0.0.1:{BALANCED_PORT_2}/?loadBalanced=true",
            ],
        ),
    ],
)
def test_what_a_compose_file_starts_takes_majority_writes(
    files: list[str], topology: Topology, uris: list[str]
) -> None:
    from runners.deployments.docker import images
    from runners.deployments.docker.engine import engine

    in_docker(topology, PyMongoCommands)
    with closing(engine()) as client:
        server, balancer = images.servers(client)[0].name, images.balancer(client) or ""
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    environment = {f"MONGOSPEC_{name}": port for name, port in ports.items()}
    environment |= {"MONGOSPEC_SERVER": server, "MONGOSPEC_HAPROXY": balancer}
    insert: JsonObject = {"insert": "x", "documents": [{}], "writeConcern": {"w": "majority"}}
    with up(*files, environment=environment):
        for uri in uris:
            with closing(PyMongoCommands(uri.format(**ports))) as commands:
                assert commands.command("test", insert)["n"] == 1
