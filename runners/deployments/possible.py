"""What local deployments there can be, whether or not this machine has them now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runners.deployments.programs import PARAMETERS
from runners.deployments.releases import CATALOGUE, Release
from runners.deployments.security import AUTH, OPEN
from runners.model import DeploymentInfo, Topology


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
                info = DeploymentInfo(
                    id=f"{topology}-{release.version}{security}",
                    topology=topology,
                    server_version=release.version,
                    uri="",
                    hosts=(),
                    auth=security.auth,
                    parameters=PARAMETERS,
                )
                yield options + (" --auth" if security.auth else ""), info


def _topologies(release: Release) -> tuple[Topology, ...]:
    single = (Topology.STANDALONE, Topology.REPLICA_SET)
    return (*single, Topology.SHARDED, Topology.LOAD_BALANCED) if release.mongos else single
