"""What live tests share: a mongod, and deployments that several modules use one after the other.

Without a mongod, tests that need one are skipped and say why; where the environment variable
MONGOSPEC_REQUIRE_LIVE is 1, as in CI, they fail.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from runners.deployments.assembled import AssembledDeployment
from runners.deployments.base import Connect, DeploymentError
from runners.deployments.binaries import Binary, at_hand, find_mongod, get
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import DOCKER, Wish, connect, offer
from runners.deployments.programs import NO_HAPROXY, has_balancer
from runners.deployments.releases import CATALOGUE
from runners.deployments.security import OPEN, Security
from runners.model import Topology
from tests.absent import REQUIRED, absent

# A deadline would measure how busy the machine is.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_configure() -> None:
    """Let processes that tests start hear Ctrl-C: a shell's background job begins deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def in_docker(
    topology: Topology, connect: Connect, security: Security = OPEN
) -> AssembledDeployment[Any, Any]:
    """A deployment of containers, with the newest server that there is an image of."""
    try:
        (deployment,) = offer(Wish(DOCKER, (topology,), security=security), connect, print)
    except DeploymentError as error:
        absent(error)
    assert isinstance(deployment, AssembledDeployment)
    return deployment


@pytest.fixture(scope="session")
def mongod() -> Binary:
    """The mongod of this machine."""
    try:
        return find_mongod()
    except DeploymentError as error:
        absent(error)


@pytest.fixture(scope="session")
def newest() -> Binary:
    """The newest server of the catalogue, which has a mongos; CI fetches it."""
    release = CATALOGUE[0]
    try:
        if REQUIRED:
            return get(release, print)
        found = [each for each in at_hand() if each.version == release.version]
    except DeploymentError as error:
        absent(error)
    if not found:
        absent(f"server {release.version} is not at hand; mongospec servers get {release.version}")
    return found[0]


@pytest.fixture(scope="session")
def balanceable(newest: Binary) -> Binary:
    """The newest server, on a machine that can be a load balancer too."""
    if not has_balancer():
        absent(NO_HAPROXY)
    return newest


@pytest.fixture(scope="session")
def standalone(mongod: Binary) -> Iterator[LocalDeployment]:
    """A server; tests leave it running."""
    with LocalDeployment(Topology.STANDALONE, mongod, connect) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def replica_set(mongod: Binary) -> Iterator[LocalDeployment]:
    """Three members; tests leave all of them running, and one of them primary."""
    with LocalDeployment(Topology.REPLICA_SET, mongod, connect) as deployment:
        yield deployment
