from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driver.bson.objectid import ObjectId
from driver.errors import MongoError
from driver.topology.description import Address, ServerDescription, ServerType, TopologyVersion
from driver.topology.hello import parse_hello, parse_topology_version
from tests.topology.build import PROCESS, A, B, election, hello, version

VERSION = {"processId": PROCESS, "counter": 3}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({}, ServerType.STANDALONE),
        ({"msg": "isdbgrid"}, ServerType.MONGOS),
        ({"isreplicaset": True}, ServerType.RS_GHOST),
        ({"isreplicaset": True, "setName": "rs"}, ServerType.RS_GHOST),
        ({"setName": "rs", "isWritablePrimary": True}, ServerType.RS_PRIMARY),
        ({"setName": "rs", "ismaster": True}, ServerType.RS_PRIMARY),
        ({"setName": "rs", "isWritablePrimary": False, "ismaster": True}, ServerType.RS_OTHER),
        ({"setName": "rs", "secondary": True}, ServerType.RS_SECONDARY),
        ({"setName": "rs", "secondary": 1.0}, ServerType.RS_SECONDARY),
        ({"setName": "rs", "secondary": True, "hidden": True}, ServerType.RS_OTHER),
        ({"setName": "rs", "arbiterOnly": True}, ServerType.RS_ARBITER),
        ({"setName": "rs"}, ServerType.RS_OTHER),
    ],
)
def test_the_reply_tells_the_type(reply: dict[str, Any], kind: ServerType) -> None:
    assert hello(A, **reply).type is kind


def test_every_field_is_read() -> None:
    written = datetime(2024, 1, 2, tzinfo=UTC)
    server = parse_hello(
        A,
        {
            "ok": 1.0,
            "helloOk": True,
            "secondary": True,
            "setName": "rs",
            "setVersion": 5,
            "electionId": election(7),
            "me": "A:27017",
            "hosts": ["B", "a:27017", "b:27017"],
            "passives": ["P:1"],
            "arbiters": ["[::1]:2"],
            "primary": "B:27017",
            "tags": {"dc": "ny"},
            "minWireVersion": 8,
            "maxWireVersion": 21.0,
            "maxBsonObjectSize": 10,
            "maxMessageSizeBytes": 20,
            "maxWriteBatchSize": 30,
            "logicalSessionTimeoutMinutes": 40,
            "lastWrite": {"lastWriteDate": written},
            "topologyVersion": VERSION,
        },
        round_trip_time=0.5,
        min_round_trip_time=0.25,
        now=9.0,
    )
    assert server == ServerDescription(
        A,
        type=ServerType.RS_SECONDARY,
        set_name="rs",
        set_version=5,
        election_id=election(7),
        me=A,
        hosts=(A, B),
        passives=(Address("p", 1),),
        arbiters=(Address("::1", 2),),
        primary=B,
        tags={"dc": "ny"},
        min_wire_version=8,
        max_wire_version=21,
        logical_session_timeout_minutes=40,
        topology_version=TopologyVersion(PROCESS, 3),
    )
    assert (server.max_bson_object_size, server.max_message_size_bytes) == (10, 20)
    assert (server.max_write_batch_size, server.hello_ok) == (30, True)
    assert (server.round_trip_time, server.min_round_trip_time) == (0.5, 0.25)
    assert (server.last_update_time, server.last_write_date) == (9.0, written)


def test_what_the_reply_lacks_has_defaults() -> None:
    server = parse_hello(A, {"ok": 1}, round_trip_time=0.1, min_round_trip_time=0.1, now=1.0)
    assert (server.min_wire_version, server.max_wire_version) == (0, 0)
    assert (server.max_bson_object_size, server.max_message_size_bytes) == (2**24, 48_000_000)
    assert (server.max_write_batch_size, server.hello_ok) == (100_000, False)
    assert (server.hosts, server.tags, server.set_name) == ((), {}, None)
    assert (server.error, server.last_write_date, server.topology_version) == (None, None, None)


def test_a_refused_hello_makes_the_server_unknown() -> None:
    server = hello(A, ok=0, errmsg="go away", code=18, setName="rs", secondary=True)
    assert (server.type, server.set_name) == (ServerType.UNKNOWN, None)
    assert (server.round_trip_time, server.last_update_time) == (None, 1.0)
    assert "go away" in str(server.error)


MALFORMED = [
    ("maxWireVersion", "21"),
    ("maxWireVersion", True),
    ("minWireVersion", 1.5),
    ("minWireVersion", float("nan")),
    ("hosts", "a:27017"),
    ("hosts", [27017]),
    ("hosts", ["a:x"]),
    ("passives", {"0": "a"}),
    ("arbiters", [None]),
    ("me", 1),
    ("primary", "a:0"),
    ("tags", [["dc", "ny"]]),
    ("tags", {"dc": 1}),
    ("setName", 5),
    ("setVersion", "5"),
    ("electionId", "7"),
    ("msg", 1),
    ("secondary", "yes"),
    ("isWritablePrimary", []),
    ("hidden", {}),
    ("arbiterOnly", "no"),
    ("isreplicaset", "true"),
    ("helloOk", "true"),
    ("logicalSessionTimeoutMinutes", "30"),
    ("maxBsonObjectSize", 0),
    ("maxMessageSizeBytes", -1),
    ("maxWriteBatchSize", "many"),
    ("lastWrite", 5),
    ("topologyVersion", 5),
    ("topologyVersion", {"processId": PROCESS}),
    ("topologyVersion", {"processId": "1", "counter": 1}),
]


@pytest.mark.parametrize(("field", "value"), MALFORMED)
def test_a_malformed_field_is_named(field: str, value: Any) -> None:
    fields = {"setName": "rs"} if field != "msg" else {}
    server = hello(A, **{**fields, field: value})
    assert server.type is ServerType.UNKNOWN
    assert isinstance(server.error, MongoError)
    assert f"{field} is " in str(server.error)
    assert "a:27017" in str(server.error)


def test_a_malformed_date_is_named_with_its_document() -> None:
    server = hello(A, lastWrite={"lastWriteDate": 5})
    assert "lastWrite.lastWriteDate is 5, not a date" in str(server.error)


def test_errors_stay_short() -> None:
    server = hello(A, setName=["x" * 100_000], hosts=["y" * 100_000 + ":x"])
    assert len(str(server.error)) < 300


def test_a_topology_version_of_any_reply_is_read_or_left() -> None:
    assert parse_topology_version({"topologyVersion": VERSION}) == version(3)
    assert parse_topology_version({}) is None
    assert parse_topology_version({"topologyVersion": "new"}) is None


FIELDS = sorted({field for field, _ in MALFORMED} | {"ok", "errmsg", "code", "ismaster"})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.sampled_from([1, "a:27017", "rs", ObjectId("0" * 24), datetime(1970, 1, 1)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["processId", "counter", "lastWriteDate", "dc"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_no_reply_raises(reply: dict[str, Any]) -> None:
    server = parse_hello(A, reply, round_trip_time=0.1, min_round_trip_time=0.1, now=1.0)
    assert server.known == (server.error is None)
