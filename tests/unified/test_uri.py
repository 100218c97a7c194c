"""The connection string of a client."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.adapters.base import Unsupported
from runners.model import DeploymentInfo, Json, JsonObject
from runners.unified.faults import CaseError, CaseUnmet
from runners.unified.uri import Uri, client_uri
from tests.unified.scripted import LOAD_BALANCED, REPLICA_SET, SHARDED

SECURED = replace(REPLICA_SET, uri="mongodb://me:p%40ss@a:1,b:2/?replicaSet=rs&retryWrites=true")


def uri_of(
    options: JsonObject | None = None,
    deployment: DeploymentInfo = REPLICA_SET,
    *,
    recovers: bool = False,
    **client: Json,
) -> str:
    if options is not None:
        client["uriOptions"] = options
    return client_uri(deployment, client, recovers=recovers)


def test_without_options_it_is_the_deployments() -> None:
    for deployment in (REPLICA_SET, SECURED, SHARDED):
        assert uri_of(None, deployment) == deployment.uri


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"retryReads": False}, "replicaSet=rs&retryReads=false"),
        ({"w": 1, "appName": "a b&c"}, "replicaSet=rs&w=1&appName=a%20b%26c"),
        ({"w": {"$numberInt": "2"}}, "replicaSet=rs&w=2"),
        ({"replicaset": "other"}, "replicaset=other"),
        (
            {"readPreferenceTags": ["dc:ny,rack:1", ""]},
            "replicaSet=rs&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=",
        ),
        (
            {"authMechanismProperties": {"A": "x", "B": True}},
            "replicaSet=rs&authMechanismProperties=A:x,B:true",
        ),
    ],
)
def test_options_are_merged(options: JsonObject, query: str) -> None:
    assert uri_of(options) == f"mongodb://a:1,b:2/?{query}"


def test_options_override_whatever_their_case() -> None:
    merged = uri_of({"RETRYWRITES": False}, SECURED)
    assert merged == "mongodb://me:p%40ss@a:1,b:2/?replicaSet=rs&RETRYWRITES=false"


def test_direct_connection_has_one_seed_and_no_set() -> None:
    assert uri_of({"directConnection": True}) == "mongodb://a:1/?directConnection=true"
    assert uri_of({"directConnection": False}).startswith("mongodb://a:1,b:2/?replicaSet=rs")


def test_mongoses() -> None:
    assert uri_of(None, SHARDED, useMultipleMongoses=False) == "mongodb://a:1/"
    single = replace(SHARDED, uri="mongodb://a:1/")
    assert uri_of(None, single, useMultipleMongoses=True) == "mongodb://a:1,b:2/"
    assert uri_of(None, single) == "mongodb://a:1/"
    assert uri_of(None, REPLICA_SET, useMultipleMongoses=False) == REPLICA_SET.uri
    with pytest.raises(CaseUnmet, match="several mongoses"):
        uri_of(None, replace(SHARDED, hosts=("a:1",)), useMultipleMongoses=True)


def test_recovering_client_checks_often_unless_told_otherwise() -> None:
    assert uri_of(recovers=True).endswith("&heartbeatFrequencyMS=500")
    given_one = uri_of({"HeartbeatFrequencyMS": 9000}, recovers=True)
    assert given_one.endswith("?replicaSet=rs&HeartbeatFrequencyMS=9000")
    slow = replace(REPLICA_SET, uri="mongodb://a:1/?heartbeatfrequencyms=7000")
    assert uri_of(None, slow, recovers=True) == slow.uri


@pytest.mark.parametrize(
    "options",
    [
        {"w": {"$$placeholder": 1}},
        {"authMechanismProperties": {"ENVIRONMENT": {"$$placeholder": 1}}},
    ],
)
def test_placeholders_have_no_value(options: JsonObject) -> None:
    with pytest.raises(Unsupported, match=r"placeholder\.uriOptions"):
        uri_of(options)


@pytest.mark.parametrize("options", [{"w": None}, {"tags": [[1]]}])
def test_values_that_no_uri_can_have(options: JsonObject) -> None:
    with pytest.raises(CaseError, match="uriOptions"):
        uri_of(options)


def test_options_that_are_no_object() -> None:
    with pytest.raises(CaseError, match="should be an object"):
        uri_of(None, uriOptions=[])


def test_direct_uri_of_one_server() -> None:
    uri = Uri.parse("mongodb://me:x@a:1,b:2/db?replicaSet=rs&tls=true&loadBalanced=true")
    assert str(uri.direct("b:2")) == "mongodb://me:x@b:2/db?tls=true&directConnection=true"


@given(st.dictionaries(st.text("abcXYZ", min_size=1, max_size=4), st.text("a1%2C:,", max_size=5)))
def test_parsing_and_printing_are_inverse(options: dict[str, str]) -> None:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    text = f"mongodb://u:p@h:1,[::1]:2/auth{'?' if query else ''}{query}"
    assert str(Uri.parse(text)) == text


@pytest.mark.parametrize("multiple", [True, None])
def test_several_mongoses_behind_a_load_balancer(multiple: bool | None) -> None:
    assert uri_of(None, LOAD_BALANCED, useMultipleMongoses=multiple) == LOAD_BALANCED.uri


def test_a_single_mongos_behind_a_load_balancer() -> None:
    single = uri_of(None, LOAD_BALANCED, useMultipleMongoses=False)
    assert single == LOAD_BALANCED.single_mongos_uri
    with pytest.raises(CaseUnmet, match="load balancer before a single mongos"):
        uri_of(None, replace(LOAD_BALANCED, single_mongos_uri=None), useMultipleMongoses=False)
