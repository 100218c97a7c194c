"""What the user asks for is what is offered, or a clear refusal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from runners.deployments import binaries, programs
from runners.deployments.base import CommandError, Commands, Deployment, DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.offer import Wish, offer
from runners.deployments.security import Security
from runners.model import JsonObject, Topology
from runners.plan import Choice

BINARY = Binary(Path("/opt/mongod"), "6.0.5")
WITH_MONGOS = Binary(Path("/new/mongod"), "8.2.0", Path("/new/mongos"))
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
    servers = [BINARY, WITH_MONGOS]

    def wanted(versions: Sequence[str], given: Path | None, say: object) -> list[Binary]:
        return [servers[version == "8.2"] for version in versions] or servers

    monkeypatch.setattr(binaries, "wanted", wanted)
    monkeypatch.setattr(programs, "has_balancer", lambda: True)


def all_offered(wish: Wish) -> list[Deployment]:
    return offer(wish, connect, str)


def offered(wish: Wish) -> list[str]:
    return [each.info.id for each in all_offered(wish)]


def topologies(wish: Wish) -> list[Topology]:
    return [each.info.topology for each in offer(wish, connect, str)]


def test_without_a_wish_there_is_all_that_the_machine_allows() -> None:
    plain = [
        *("replicaset-6.0.5", "standalone-6.0.5"),
        *("replicaset-8.2.0", "standalone-8.2.0", "sharded-8.2.0", "load-balanced-8.2.0"),
    ]
    variants = ("", "-auth", "-acceptApiVersion2")
    assert offered(Wish()) == [f"{id_}{variant}" for variant in variants for id_ in plain]
    assert Wish().choices == (Choice(),)


def test_a_server_is_not_told_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    old = [Binary(Path("/opt/mongod"), "4.4.2")]
    monkeypatch.setattr(binaries, "wanted", lambda *_: old)
    assert offered(Wish()) == [
        f"{kind}-4.4.2{variant}"
        for variant in ("", "-auth")
        for kind in (Topology.REPLICA_SET, Topology.STANDALONE)
    ]


def test_a_variant_offers_the_parameters_that_it_is_started_with() -> None:
    accepts = {
        each.info.id: each.info.parameters["acceptApiVersion2"] for each in all_offered(Wish())
    }
    assert accepts == {id_: id_.endswith("acceptApiVersion2") for id_ in accepts}
    assert True in accepts.values()


def test_a_named_version_comes_in_all_its_topologies() -> None:
    assert offered(Wish(servers=["6.0"], security=Security(auth=True))) == [
        "replicaset-6.0.5-auth",
        "standalone-6.0.5-auth",
    ]


def test_a_named_topology_is_of_the_first_version_that_can_be_one() -> None:
    wish = Wish(topologies=(Topology.REPLICA_SET, Topology.SHARDED))
    assert offered(wish) == ["replicaset-6.0.5", "sharded-8.2.0"]


def test_named_topologies_and_versions_are_combined() -> None:
    wish = Wish(topologies=(Topology.REPLICA_SET, Topology.STANDALONE), servers=["6.0", "8.2"])
    assert offered(wish) == [
        str(each).replace("6.0", "6.0.5").replace("8.2", "8.2.0") for each in wish.choices
    ]
    assert len(wish.choices) == 4
    with pytest.raises(DeploymentError, match=r"needs a mongos.* version 6\.0\.5"):
        offered(Wish(topologies=(Topology.SHARDED,), servers=["6.0"]))


def test_a_load_balancer_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "has_balancer", lambda: False)
    assert "load-balanced-8.2.0" not in offered(Wish())
    with pytest.raises(DeploymentError, match="needs haproxy, which is not on PATH; install"):
        offered(Wish(topologies=(Topology.LOAD_BALANCED,)))


def test_named_topologies_come_once_and_in_order() -> None:
    wish = Wish(topologies=(Topology.STANDALONE, Topology.REPLICA_SET, Topology.STANDALONE))
    assert topologies(wish) == [Topology.STANDALONE, Topology.REPLICA_SET]
    assert wish.choices == (Choice(Topology.STANDALONE), Choice(Topology.REPLICA_SET))


@pytest.mark.parametrize("version", ["6", "6.0", "6.0.5"])
def test_a_version_that_fits(version: str) -> None:
    assert offer(Wish(URI, servers=(version,)), connect, str)


@pytest.mark.parametrize("version", ["6.0.50", "60", "5.0", "6.1", ""])
def test_a_version_that_does_not_fit(version: str) -> None:
    with pytest.raises(DeploymentError, match=rf"--server {version}: .*version 6\.0\.5"):
        offer(Wish(URI, servers=(version,)), connect, str)


def test_a_running_deployment_has_the_topology_it_has() -> None:
    assert topologies(Wish(URI)) == [Topology.REPLICA_SET]
    assert topologies(Wish(URI, (Topology.REPLICA_SET,))) == [Topology.REPLICA_SET]
    with pytest.raises(DeploymentError, match="--topology sharded: the deployment is replicaset"):
        offer(Wish(URI, (Topology.SHARDED,)), connect, str)


@pytest.mark.parametrize(
    ("option", "wish"),
    [
        ("--mongod", Wish(URI, mongod=Path("mongod"))),
        ("--auth", Wish(URI, security=Security(auth=True))),
        ("--tls", Wish(URI, security=Security(tls=True))),
    ],
)
def test_what_is_not_for_a_running_deployment(option: str, wish: Wish) -> None:
    with pytest.raises(DeploymentError, match=f"{option} is for deployments that are started"):
        offer(wish, connect, str)


def test_a_running_load_balanced_deployment_has_two_uris() -> None:
    balanced = f"{URI}/?loadBalanced=true"
    (deployment,) = offer(Wish(balanced, single_mongos=URI), connect, str)
    assert (deployment.info.uri, deployment.info.single_mongos_uri) == (balanced, URI)
    assert deployment.info.topology is Topology.LOAD_BALANCED
    with pytest.raises(DeploymentError, match="--single-mongos goes with --on"):
        offer(Wish(single_mongos=URI), connect, str)
    with pytest.raises(DeploymentError, match="--single-mongos takes a URI"):
        offer(Wish(balanced, single_mongos="a:1"), connect, str)
