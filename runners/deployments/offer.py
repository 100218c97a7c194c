"""The deployments a run may use, from what the user asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Protocol, TypeVar

from runners.adapters import load
from runners.control import Control
from runners.deployments import binaries, programs
from runners.deployments.base import Connect, Deployment, DeploymentError
from runners.deployments.external import ExternalDeployment
from runners.deployments.fetch import Say
from runners.deployments.local import LocalDeployment, lacks
from runners.deployments.releases import is_version
from runners.deployments.security import AUTH, OPEN, Security
from runners.model import JsonObject, Topology
from runners.plan import Choice

LOCAL = "local"
DOCKER = "docker"
PLACES = (LOCAL, DOCKER)
"""Where deployments are started; a URI leads to one that runs already."""
HARNESS_DRIVER = "reference"
"""The driver that the harness itself uses, whichever it checks."""
ORDER = (
    Topology.REPLICA_SET,
    Topology.STANDALONE,
    Topology.SHARDED,
    Topology.LOAD_BALANCED,
)
"""What is offered first is preferred where several serve as many cases."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for; `on` is "local", "docker" or the URI of a running deployment.

    `single_mongos` is a second URI of a running load-balanced one (see model.DeploymentInfo).
    """

    on: str = LOCAL
    topologies: Sequence[Topology] = ()
    servers: Sequence[str] = ()
    mongod: Path | None = None
    security: Security = OPEN
    single_mongos: str | None = None
    port: int | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every case is to run on each of these: each combination of what the user named."""
        topologies = tuple(dict.fromkeys(self.topologies)) or (None,)
        servers = tuple(dict.fromkeys(self.servers)) or (None,)
        return tuple(Choice(topology, server) for server in servers for topology in topologies)


def offer(wish: Wish, connect: Connect, say: Say) -> list[Deployment]:
    """The deployments that fit the wish, none of them started by this.

    Servers that the user named are fetched where they are not at hand; `say` hears of it. Raises
    DeploymentError where there is no server, or what there is is not what was asked for.
    """
    if wish.single_mongos is not None and wish.on in PLACES:
        raise DeploymentError("--single-mongos goes with --on and a load balancer's URI")
    if wish.on == LOCAL:
        return _local(wish, connect, say)
    return _docker(wish, connect) if wish.on == DOCKER else [_external(wish, connect)]


def connect(uri: str) -> Control:
    """The harness's own channel to the deployment at a URI. Raises AdapterError."""
    return Control(load(HARNESS_DRIVER), uri)


def _local(wish: Wish, connect: Connect, say: Say) -> list[Deployment]:
    servers = binaries.wanted(wish.servers, wish.mongod, say)
    kinds = _kinds(wish, servers, lacks)
    return [
        LocalDeployment(
            kind, binary, connect, security=security, port=wish.port, parameters=parameters
        )
        for (security, parameters), (kind, binary) in product(_variants(wish), kinds)
        if programs.knows(binary.version, parameters)
    ]


def _docker(wish: Wish, connect: Connect) -> list[Deployment]:
    if wish.mongod is not None or wish.port is not None:
        raise DeploymentError("--mongod and --port are for --on local; leave them out")
    # Docker is an extra: only those who ask for it need it.
    from runners.deployments.docker import deployment, engine, images  # noqa: PLC0415

    with closing(engine.engine()) as client:
        servers = images.wanted(client, wish.servers)
        balancer = images.balancer(client)
    kinds = _kinds(wish, servers, lambda kind, image: deployment.lacks(kind, image, balancer))
    return [
        deployment.DockerDeployment(
            kind, image, connect, balancer, security=security, parameters=parameters
        )
        for (security, parameters), (kind, image) in product(_variants(wish), kinds)
        if programs.knows(image.version, parameters)
    ]


class Server(Protocol):
    """What deployments of a version are made of."""

    @property
    def mongos(self) -> object:
        """False where there is none."""


S = TypeVar("S", bound=Server)


def _kinds(
    wish: Wish, servers: Sequence[S], lacks: Callable[[Topology, S], str | None]
) -> list[tuple[Topology, S]]:
    """What the user named. Of what was left open: every topology that the servers allow; but of a
    topology that was named, just the first of the servers that can be one.
    """
    topologies = dict.fromkeys(wish.topologies)
    if not topologies:
        return [(kind, each) for each in servers for kind in ORDER if lacks(kind, each) is None]
    if wish.servers:
        return [(kind, each) for each in servers for kind in topologies]
    return [(kind, _able(kind, servers, lacks)) for kind in topologies]


def _variants(wish: Wish) -> list[tuple[Security, JsonObject]]:
    """What the user named. Where topologies were left open, also others that cases ask for."""
    if wish.security != OPEN or wish.topologies:
        return [(wish.security, {})]
    return [(OPEN, {}), (AUTH, {}), (OPEN, programs.ACCEPT_API_VERSION_2)]


def _able(
    topology: Topology, servers: Sequence[S], lacks: Callable[[Topology, S], str | None]
) -> S:
    """The first that can be one; else the one that lacks the least, which says what."""
    able = (each for each in servers if lacks(topology, each) is None)
    return next(able, None) or next((each for each in servers if each.mongos), servers[0])


def _external(wish: Wish, connect: Connect) -> Deployment:
    for option, given in (
        ("--mongod", wish.mongod is not None),
        ("--auth", wish.security.auth),
        ("--tls", wish.security.tls),
    ):
        if given:
            raise DeploymentError(
                f"{option} is for deployments that are started; leave it out, or leave --on out"
            )
    deployment = ExternalDeployment(wish.on, connect, wish.single_mongos)
    info = deployment.info
    for topology in wish.topologies:
        if topology is not info.topology:
            raise DeploymentError(f"--topology {topology}: the deployment is {info.topology}")
    for server in wish.servers:
        if not is_version(info.server_version, server):
            raise DeploymentError(
                f"--server {server}: the deployment has version {info.server_version}"
            )
    return deployment
