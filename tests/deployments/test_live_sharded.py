"""Real sharded clusters, with and without a load balancer before them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from runners.deployments.binaries import Binary
from runners.deployments.external import ExternalDeployment
from runners.deployments.forming import primary_of
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import DOCKER
from runners.model import JsonObject, Topology
from tests.conftest import in_docker
from tests.deployments.conftest import PLACES, Assembled, PyMongoCommands

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", params=PLACES)
def balanced(request: pytest.FixtureRequest) -> Iterator[Assembled]:
    """A load-balanced deployment, which is a sharded cluster and more."""
    if request.param == DOCKER:
        made: Assembled = in_docker(Topology.LOAD_BALANCED, PyMongoCommands)
    else:
        newest = request.getfixturevalue("balanceable")
        made = LocalDeployment(Topology.LOAD_BALANCED, newest, PyMongoCommands)
    with made as deployment:
        yield deployment


def served_by(uri: str, clients: int = 6) -> set[object]:
    """The mongoses that so many clients reach."""
    found = set()
    for _ in range(clients):
        with MongoClient[dict[str, Any]](uri) as client:
            found.add(client.admin.command("hello")["topologyVersion"]["processId"])
    return found


def test_one_port_leads_to_all_mongoses_and_one_to_a_single(balanced: Assembled) -> None:
    single = balanced.info.single_mongos_uri
    assert single is not None
    assert len(served_by(balanced.info.uri)) == 2
    assert len(served_by(single)) == 1
    assert served_by(single) < served_by(balanced.info.uri)
    assert balanced.info.control_uri == single


def test_every_mongos_is_usable_and_takes_fail_points(balanced: Assembled) -> None:
    assert len(balanced.info.hosts) == 2
    for host in balanced.info.hosts:
        hello = balanced.commands.command("admin", {"hello": 1}, host=host)
        assert hello["msg"] == "isdbgrid"
        insert: JsonObject = {"insert": "x", "documents": [{}], "writeConcern": {"w": "majority"}}
        balanced.commands.command("test", insert, host=host)
        off: JsonObject = {"configureFailPoint": "failCommand", "mode": "off"}
        balanced.commands.command("admin", off, host=host)


def test_the_shard_has_another_primary_after_a_step_down(balanced: Assembled) -> None:
    reply = balanced.commands.command("admin", {"listShards": 1}, host=balanced.info.hosts[0])
    shards: Any = reply["shards"]
    (shard,) = shards
    members = shard["host"].partition("/")[2].split(",")
    before = primary_of(balanced.commands, members)
    balanced.step_down()
    after = primary_of(balanced.commands, members)
    assert before is not None
    assert after not in (None, before)
    balanced.kill(before)
    balanced.restart(before)
    assert primary_of(balanced.commands, members) == after


def test_a_killed_mongos_comes_back(balanced: Assembled) -> None:
    host = balanced.info.hosts[1]
    balanced.kill(host)
    assert len(served_by(balanced.info.control_uri, 1)) == 1
    balanced.restart(host)
    assert balanced.commands.command("admin", {"listDatabases": 1}, host=host)["ok"] == 1


def test_it_is_recognised_as_it_runs(balanced: Assembled) -> None:
    known = ExternalDeployment(balanced.info.uri, PyMongoCommands).info
    assert (known.topology, known.hosts) == (Topology.LOAD_BALANCED, ())
    cluster = ExternalDeployment(f"mongodb://{','.join(balanced.info.hosts)}", PyMongoCommands).info
    assert (cluster.topology, cluster.hosts) == (Topology.SHARDED, balanced.info.hosts)
    assert cluster.server_version == balanced.info.server_version


def test_a_sharded_cluster(newest: Binary) -> None:
    deployment = LocalDeployment(Topology.SHARDED, newest, PyMongoCommands)
    begin = time.monotonic()
    with deployment:
        info = deployment.info
        assert info.uri == f"mongodb://{','.join(info.hosts)}/"
        assert (info.single_mongos_uri, info.set_name) == (None, None)
        assert len(served_by(info.uri, 1)) == 1
    assert time.monotonic() - begin < 90
