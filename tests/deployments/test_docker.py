"""What Docker deployments decide by themselves: no engine is needed here."""

from __future__ import annotations

import importlib
import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker.errors import APIError

from runners.deployments import docker as in_docker
from runners.deployments.base import DeploymentError
from runners.deployments.docker import engine, images, subnets
from runners.deployments.docker.deployment import DockerDeployment, addresses, lacks
from runners.deployments.docker.images import ServerImage
from runners.deployments.layout import layout
from runners.deployments.offer import Wish, connect, offer
from runners.model import Topology

OLD = ServerImage("mongospec/server:6.0.27-a", "6.0.27", mongos=False)
NEW = ServerImage("mongospec/server:8.2.0-b", "8.2.0", mongos=True)
COMPOSE = images.folder() / "compose"

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
"""


class Group:
    """Gives addresses."""

    def __init__(self) -> None:
        self.given = 1

    def address(self) -> str:
        self.given += 1
        return f"10.0.0.{self.given}"


def test_routes_without_the_default() -> None:
    assert subnets.parse(ROUTES) == [IPv4Network("172.17.0.0/16"), IPv4Network("10.0.0.0/8")]


def test_a_subnet_is_private_and_free() -> None:
    taken = [IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/13")]
    for _ in range(200):
        subnet = subnets.pick(taken)
        assert subnet.is_private
        assert subnet.prefixlen == subnets.SIZE
        assert not any(subnet.overlaps(each) for each in taken)


def test_no_subnet_is_free() -> None:
    with pytest.raises(DeploymentError, match=r"no private subnet .* lead to 0\.0\.0\.0/1, 128"):
        subnets.pick([IPv4Network("0.0.0.0/1"), IPv4Network("128.0.0.0/1")])


def test_every_server_has_an_address_of_its_own() -> None:
    group: Any = Group()
    plan = layout(Topology.SHARDED, addresses(Topology.SHARDED, group))
    hosts = [*plan.mongoses, *plan.mongods]
    assert hosts == [f"10.0.0.{number}:27017" for number in range(2, 8)]


def test_a_mongos_has_a_second_port_for_the_balancer() -> None:
    group: Any = Group()
    plan = layout(Topology.LOAD_BALANCED, addresses(Topology.LOAD_BALANCED, group))
    assert plan.mongoses == ("10.0.0.3:27017", "10.0.0.4:27017")
    assert plan.behind == ("10.0.0.3:27018", "10.0.0.4:27018")
    assert plan.balancer == {
        "10.0.0.2:27017": ("10.0.0.3:27018", "10.0.0.4:27018"),
        "10.0.0.2:27018": ("10.0.0.3:27018",),
    }
    assert not {each.partition(":")[0] for each in plan.mongods} & {"10.0.0.2", "10.0.0.3"}


@pytest.mark.parametrize(
    ("topology", "image", "balancer", "lacking"),
    [
        (Topology.REPLICA_SET, OLD, None, None),
        (Topology.SHARDED, NEW, None, None),
        (Topology.SHARDED, OLD, "haproxy", "6.0.27-a has no mongos.* --server 8.2"),
        (Topology.LOAD_BALANCED, NEW, "haproxy", None),
        (Topology.LOAD_BALANCED, NEW, None, "make one with: mongospec images"),
    ],
)
def test_what_images_allow(
    topology: Topology, image: ServerImage, balancer: str | None, lacking: str | None
) -> None:
    if lacking is None:
        assert lacks(topology, image, balancer) is None
        info = DockerDeployment(topology, image, connect, balancer).info
        assert (info.id, info.uri) == (f"{topology}-{image.version}-docker", "")
    else:
        with pytest.raises(DeploymentError, match=lacking):
            DockerDeployment(topology, image, connect, balancer)


def test_images_are_of_one_release_a_series() -> None:
    versions = [release.version for release in images.releases([])]
    assert versions == ["8.2.0", "6.0.27", "5.0.4", "4.4.2", "4.2.6"]
    assert [release.version for release in images.releases(["6.0", "4.4.2", "6"])] == [
        "6.0.27",
        "4.4.2",
    ]
    with pytest.raises(DeploymentError, match=r"--server 3\.6: the servers .* are 8\.2\.0,"):
        images.releases(["3.6"])


class Images:
    """An engine's images."""

    def __init__(self, *found: Any) -> None:
        self.images = self
        self._found = found

    def list(self, **_: object) -> list[Any]:
        return list(self._found)


class Image:
    """An image as the engine describes it."""

    def __init__(self, tag: str, version: str, created: str = "2026-01-01") -> None:
        self.tags = [tag] if tag else []
        self.labels = {images.SERVER_LABEL: version, images.MONGOS_LABEL: "yes"}
        self.attrs = {"Created": created}


def test_the_latest_image_of_a_version_is_used_and_the_newest_version_first() -> None:
    engine: Any = Images(
        Image("a:1", "4.4.2", "2026-03"),
        Image("a:2", "4.4.2", "2026-01"),
        Image("b:1", "10.0.0"),
        Image("c:1", "8.2.0"),
        Image("", "8.2.1"),
    )
    assert [image.name for image in images.wanted(engine, [])] == ["b:1", "c:1", "a:1"]
    assert [image.name for image in images.wanted(engine, ["4.4", "8"])] == ["a:1", "c:1"]
    with pytest.raises(DeploymentError, match=r"of 10\.0\.0, 8\.2\.0, 4\.4\.2; .* --server 5\.0$"):
        images.wanted(engine, ["5.0"])


def test_without_images_it_says_how_to_make_them() -> None:
    nothing: Any = Images()
    with pytest.raises(DeploymentError, match="make them with: mongospec images"):
        images.wanted(nothing, [])


def test_a_base_needs_debootstrap_and_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(images, "_image", lambda *_: None)
    nothing: Any = Images()
    with pytest.raises(DeploymentError, match=r"needs debootstrap, docker, root;.* --base mongo:8"):
        images.make_base(nothing, print)


@pytest.mark.parametrize(
    ("about", "engine_is"),
    [
        ({"OperatingSystem": "Docker Desktop"}, "Docker Desktop"),
        ({"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}, "a rootless"),
    ],
)
def test_an_engine_whose_containers_are_out_of_reach(about: dict[str, Any], engine_is: str) -> None:
    class Client:
        def info(self) -> dict[str, Any]:
            return about

    client: Any = Client()
    with pytest.raises(DeploymentError, match=f"{engine_is}.* does not let .* use --on local"):
        engine.require_reachable(client)


def test_a_refusal_says_what_was_asked_for() -> None:
    with (
        pytest.raises(DeploymentError, match=r"^Docker cannot pause x: it is not running$"),
        engine.asking("pause x"),
    ):
        raise APIError("409 Client Error", explanation="it is not running")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DeploymentError, match=r"pip install 'mongospec\[docker\]'"):
        importlib.reload(in_docker)


@pytest.mark.parametrize("option", [{"mongod": Path("mongod")}, {"port": 27017}])
def test_options_of_local_deployments_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(DeploymentError, match="--mongod and --port are for --on local"):
        offer(Wish("docker", **option), connect, print)


def test_compose_files_name_services_that_exist() -> None:
    services: dict[str, set[str]] = {}
    for path in sorted(COMPOSE.glob("*.yml")):
        services[path.stem] = set(yaml.safe_load(path.read_text())["services"])
    assert services == {
        "standalone": {"mongod"},
        "replicaset": {"member1", "member2", "member3", "form"},
        "sharded": {"config", "shard", "mongos1", "mongos2", "form"},
        "load-balanced": {"mongos1", "mongos2", "balancer"},
    }


def test_form_says_how_it_is_used() -> None:
    done = subprocess.run(
        ["perl", COMPOSE / "form.pl"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr.startswith("usage: form.pl set|config NAME HOST...")
