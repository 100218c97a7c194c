"""The deployments a run may use, from what the user asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.adapters import load
from runners.control import Control
from runners.deployments import binaries
from runners.deployments.base import Connect, Deployment, DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.external import ExternalDeployment
from runners.deployments.fetch import Say
from runners.deployments.local import LocalDeployment, lacks
from runners.deployments.releases import is_version
from runners.deployments.security import AUTH, OPEN, Security
from runners.model import Topology
from runners.plan import Choice

LOCAL = "local"
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
    """What the user asked for; `on` is "local" or the URI of a running deployment.

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
    if wish.single_mongos is not None and wish.on == LOCAL:
        raise DeploymentError("--single-mongos goes with --on and a load balancer's URI")
    return _local(wish, connect, say) if wish.on == LOCAL else [_external(wish, connect)]


def connect(uri: str) -> Control:
    """The harness's own channel to the deployment at a URI. Raises AdapterError."""
    return Control(load(HARNESS_DRIVER), uri)


def _local(wish: Wish, connect: Connect, say: Say) -> list[Deployment]:
    """What the user named. Of what was left open: every topology that this machine allows, also
    with authentication; but for a topology that was named, the first version that can be one.
    """
    servers = binaries.wanted(wish.servers, wish.mongod, say)
    topologies = dict.fromkeys(wish.topologies)
    securities = [wish.security]
    if not topologies:
        kinds = [(kind, each) for each in servers for kind in ORDER if lacks(kind, each) is None]
        securities += [AUTH] if wish.security == OPEN else []
    elif wish.servers:
        kinds = [(kind, each) for each in servers for kind in topologies]
    else:
        kinds = [(kind, _able(kind, servers)) for kind in topologies]
    return [
        LocalDeployment(kind, binary, connect, security=security, port=wish.port)
        for security in securities
        for kind, binary in kinds
    ]


def _able(topology: Topology, servers: Sequence[Binary]) -> Binary:
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
