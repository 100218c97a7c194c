"""runOnRequirements against a deployment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runners.model import DeploymentInfo, JsonObject, Topology
from runners.requirements import unmet, version

REPLICA_SET = DeploymentInfo(
    id="rs-6.0.5",
    topology=Topology.REPLICA_SET,
    server_version="6.0.5-rc1-3-gabc",
    uri="mongodb://127.0.0.1:1",
    hosts=("127.0.0.1:1",),
    parameters={
        "authenticationMechanisms": ["SCRAM-SHA-256"],
        "enableTestCommands": True,
        "flag": {"$numberInt": "1"},
    },
)


@pytest.mark.parametrize(
    "requirement",
    [
        {},
        {"minServerVersion": "6.0.5"},
        {"minServerVersion": "6"},
        {"maxServerVersion": "6.0.5"},
        {"maxServerVersion": "6.0.10"},
        {"minServerVersion": "4.2", "maxServerVersion": "6.99"},
        {"topologies": ["single", "replicaset"]},
        {"serverless": "forbid"},
        {"serverless": "allow"},
        {"auth": False},
        {"authMechanism": "scram-sha-256"},
        {"serverParameters": {"enableTestCommands": True, "flag": 1.0}},
        {"csfle": False},
    ],
)
def test_met(requirement: JsonObject) -> None:
    assert unmet([requirement], REPLICA_SET) is None


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ({"minServerVersion": "6.0.6"}, "server 6.0.6 or newer"),
        ({"minServerVersion": "10"}, "server 10 or newer"),
        ({"maxServerVersion": "6.0"}, "server 6.0 or older"),
        ({"minServerVersion": "new"}, "make sense"),
        ({"minServerVersion": 6}, "make sense"),
        ({"topologies": ["single"]}, "topology single"),
        ({"topologies": "single"}, "make sense"),
        ({"topologies": ["sharded-replicaset"]}, "sharded"),
        ({"serverless": "require"}, "serverless"),
        ({"auth": True}, "authentication on"),
        ({"authMechanism": "MONGODB-OIDC"}, "MONGODB-OIDC"),
        ({"serverParameters": {"enableTestCommands": False}}, "enableTestCommands=False"),
        ({"serverParameters": {"absent": None}}, "absent"),
        ({"serverParameters": {"flag": {"$numberInt": "x"}}}, "flag"),
        ({"csfle": True}, "encryption"),
        ({"csfle": {"minLibmongocryptVersion": "1.0"}}, "encryption"),
        ({"moon": "full"}, "'moon'"),
        ({"minServerVersion": "7.0", "auth": True}, "server 7.0 or newer and authentication on"),
    ],
)
def test_unmet_names_what_is_needed(requirement: JsonObject, reason: str) -> None:
    assert reason in (unmet([requirement], REPLICA_SET) or "")


def test_one_of_several_is_enough() -> None:
    assert unmet([{"auth": True}, {"topologies": ["replicaset"]}], REPLICA_SET) is None
    assert unmet([], REPLICA_SET) is None


def test_reason_names_alternatives_and_the_deployment() -> None:
    reason = unmet([{"auth": True}, {"topologies": ["sharded"]}], REPLICA_SET)
    assert reason == (
        "needs authentication on, or topology sharded; rs-6.0.5 is replicaset 6.0.5-rc1-3-gabc"
    )


@pytest.mark.parametrize(
    ("topology", "names"),
    [
        (Topology.STANDALONE, {"single"}),
        (Topology.REPLICA_SET, {"replicaset"}),
        (Topology.SHARDED, {"sharded", "sharded-replicaset"}),
        (Topology.LOAD_BALANCED, {"load-balanced"}),
    ],
)
def test_topology_names(topology: Topology, names: set[str]) -> None:
    deployment = replace(REPLICA_SET, topology=topology)
    for name in ("single", "replicaset", "sharded", "sharded-replicaset", "load-balanced"):
        assert (unmet([{"topologies": [name]}], deployment) is None) == (name in names)


def test_versions_compare_as_numbers() -> None:
    assert version("4.0.10") > version("4.0.9") > version("3.6")
    assert version("4.9.0-alpha4-271-g7d5cf02") == (4, 9, 0)
    with pytest.raises(ValueError, match="not a version"):
        version("v4")
