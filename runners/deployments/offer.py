"""The deployments a run may use, from what the user asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.adapters import load
from runners.control import Control
from runners.deployments.base import Connect, Deployment, DeploymentError
from runners.deployments.binaries import find_mongod
from runners.deployments.external import ExternalDeployment
from runners.deployments.local import MEMBERS, LocalDeployment
from runners.model import Topology

LOCAL = "local"
HARNESS_DRIVER = "reference"
"""The driver that the harness itself uses, whichever it checks."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for; `on` is "local" or the URI of a running deployment."""

    on: str = LOCAL
    topologies: Sequence[Topology] = ()
    servers: Sequence[str] = ()
    mongod: Path | None = None

    @property
    def each(self) -> bool:
        """Whether every case is to run on each deployment, since the user named them."""
        return bool(self.topologies)


def offer(wish: Wish, connect: Connect) -> list[Deployment]:
    """The deployments that fit the wish, none of them started by this.

    Raises DeploymentError where there is no mongod, or what there is is not what was asked for.
    """
    return _local(wish, connect) if wish.on == LOCAL else [_external(wish, connect)]


def _local(wish: Wish, connect: Connect) -> list[Deployment]:
    binary = find_mongod(wish.mongod)
    for server in wish.servers:
        if not _is_version(binary.version, server):
            raise DeploymentError(
                f"--server {server}: {binary.path} is version {binary.version}; "
                "give a mongod of that version with --mongod PATH"
            )
    topologies = dict.fromkeys(wish.topologies or reversed(list(MEMBERS)))
    return [LocalDeployment(topology, binary, connect) for topology in topologies]


def _external(wish: Wish, connect: Connect) -> Deployment:
    if wish.mongod is not None:
        raise DeploymentError("--mongod is for local deployments; leave it out, or leave --on out")
    deployment = ExternalDeployment(wish.on, connect)
    info = deployment.info
    for topology in wish.topologies:
        if topology is not info.topology:
            raise DeploymentError(f"--topology {topology}: the deployment is {info.topology}")
    for server in wish.servers:
        if not _is_version(info.server_version, server):
            raise DeploymentError(
                f"--server {server}: the deployment has version {info.server_version}"
            )
    return deployment


def _is_version(version: str, wanted: str) -> bool:
    """Whether 6.0.5 is what is called 6, 6.0 or 6.0.5."""
    return f"{version}.".startswith(f"{wanted}.")


def connect(uri: str) -> Control:
    """The harness's own channel to the deployment at a URI. Raises AdapterError."""
    return Control(load(HARNESS_DRIVER), uri)
