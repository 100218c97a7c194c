"""Deployments that some of these tests need; tests leave them running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.deployments.security import AUTH, Security
from runners.model import Topology


@pytest.fixture(scope="session")
def sharded(newest: Binary) -> Iterator[LocalDeployment]:
    """A cluster with two routers."""
    with LocalDeployment(Topology.SHARDED, newest, connect) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def with_users(mongod: Binary) -> Iterator[LocalDeployment]:
    """A server that asks who its clients are."""
    with LocalDeployment(Topology.STANDALONE, mongod, connect, security=AUTH) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def newest_standalone(newest: Binary) -> Iterator[LocalDeployment]:
    """A server of the newest version."""
    with LocalDeployment(Topology.STANDALONE, newest, connect) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def newest_with_tls(newest: Binary) -> Iterator[LocalDeployment]:
    """The same, which speaks TLS only."""
    security = Security(tls=True)
    with LocalDeployment(Topology.STANDALONE, newest, connect, security=security) as deployment:
        yield deployment
