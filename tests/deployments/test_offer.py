"""What the user asks for is what is offered, or a clear refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.deployments import offer as offering
from runners.deployments.base import CommandError, Commands, DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.offer import Wish, offer
from runners.model import JsonObject, Topology

BINARY = Binary(Path("/opt/mongod"), "6.0.5")
URI = "mongodb://a:1"


class Server:
    """A replica set member of version 6.0.5."""

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        replies: dict[str, JsonObject] = {
            "hello": {"setName": "s"},
            "buildInfo": {"version": "6.0.5"},
        }
        name = next(iter(command))
        if name not in replies:
            raise CommandError(name)
        return replies[name]

    def close(self) -> None:
        """Nothing is open."""


def connect(_: str) -> Commands:
    return Server()


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offering, "find_mongod", lambda given: BINARY)


def topologies(wish: Wish) -> list[Topology]:
    return [each.info.topology for each in offer(wish, connect)]


def test_without_a_wish_there_are_all_local_topologies() -> None:
    assert topologies(Wish()) == [Topology.REPLICA_SET, Topology.STANDALONE]
    assert not Wish().each


def test_named_topologies_come_once_and_in_order() -> None:
    wish = Wish(topologies=(Topology.STANDALONE, Topology.REPLICA_SET, Topology.STANDALONE))
    assert topologies(wish) == [Topology.STANDALONE, Topology.REPLICA_SET]
    assert wish.each


@pytest.mark.parametrize("version", ["6", "6.0", "6.0.5"])
@pytest.mark.parametrize("on", ["local", URI])
def test_a_version_that_fits(on: str, version: str) -> None:
    assert offer(Wish(on, servers=(version,)), connect)


@pytest.mark.parametrize("version", ["6.0.50", "60", "5.0", "6.1", ""])
@pytest.mark.parametrize("on", ["local", URI])
def test_a_version_that_does_not_fit(on: str, version: str) -> None:
    with pytest.raises(DeploymentError, match=rf"--server {version}: .*version 6\.0\.5"):
        offer(Wish(on, servers=(version,)), connect)


def test_a_running_deployment_has_the_topology_it_has() -> None:
    assert topologies(Wish(URI)) == [Topology.REPLICA_SET]
    assert topologies(Wish(URI, (Topology.REPLICA_SET,))) == [Topology.REPLICA_SET]
    with pytest.raises(DeploymentError, match="--topology sharded: the deployment is replicaset"):
        offer(Wish(URI, (Topology.SHARDED,)), connect)


def test_a_mongod_is_not_for_a_running_deployment() -> None:
    with pytest.raises(DeploymentError, match="--mongod is for local deployments"):
        offer(Wish(URI, mongod=Path("mongod")), connect)


def test_what_cannot_be_local_is_refused() -> None:
    with pytest.raises(DeploymentError, match="cannot be load-balanced"):
        offer(Wish(topologies=(Topology.LOAD_BALANCED,)), connect)
