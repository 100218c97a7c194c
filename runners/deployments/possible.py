"""What local deployments there can be, whether or not this machine has them now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runners.deployments.programs import ACCEPT_API_VERSION_2, PARAMETERS, knows
from runners.deployments.releases import CATALOGUE, Release
from runners.deployments.security import AUTH, OPEN, Security
from runners.model import DeploymentInfo, JsonObject, Topology


def options_for(serves: Callable[[DeploymentInfo], bool]) -> str | None:
    """The options of `check` that lead to a deployment which serves, None where there is none."""
    for options, info in _possible():
        if serves(info):
            return options
    return None


def _possible() -> Iterator[tuple[str, DeploymentInfo]]:
    """Every deployment that the catalogue's releases can make, the plainest first."""
    for security in (OPEN, AUTH):
        for release in CATALOGUE:
            for topology in _topologies(release):
                options = f"--topology {topology} --server {release.version}"
                options += " --auth" if security.auth else ""
                yield options, _info(release, topology, security, {})
    for release in CATALOGUE:
        if knows(release.version, ACCEPT_API_VERSION_2):
            for topology in _topologies(release):
                options = f"--server {release.version} (and no --topology)"
                yield options, _info(release, topology, OPEN, ACCEPT_API_VERSION_2)


def _info(
    release: Release, topology: Topology, security: Security, parameters: JsonObject
) -> DeploymentInfo:
    return DeploymentInfo(
        id=f"{topology}-{release.version}{security}",
        topology=topology,
        server_version=release.version,
        uri="",
        hosts=(),
        auth=security.auth,
        parameters=PARAMETERS | parameters,
    )


def _topologies(release: Release) -> tuple[Topology, ...]:
    single = (Topology.STANDALONE, Topology.REPLICA_SET)
    return (*single, Topology.SHARDED, Topology.LOAD_BALANCED) if release.mongos else single
