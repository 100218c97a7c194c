"""A sharded cluster with two routers, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.model import Topology


@pytest.fixture(scope="session")
def sharded(newest: Binary) -> Iterator[LocalDeployment]:
    """Tests leave it running."""
    with LocalDeployment(Topology.SHARDED, newest, connect) as deployment:
        yield deployment
