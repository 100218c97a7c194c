"""Addresses of servers and of what stands in for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from runners.model import JsonObject
from runners.record.stand_ins import StandIns, split, with_port
from tests.record.messages import HELLO
from tests.unified.scripted import LOAD_BALANCED, REPLICA_SET


async def end(host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve nothing."""


@pytest.fixture
def stand_ins() -> Iterator[StandIns]:
    with StandIns(end) as made:
        yield made


def test_one_for_each_server(stand_ins: StandIns) -> None:
    a, b = stand_ins.address("a:1"), stand_ins.address("b:2")
    assert a != b
    assert stand_ins.address("a:1") == a
    assert stand_ins.address("c") == stand_ins.address("c:27017")


def test_a_hello_names_stand_ins_and_no_compression(stand_ins: StandIns) -> None:
    seen = stand_ins.in_hello({**HELLO, "arbiters": ["c:3"], "passives": []})
    assert seen["hosts"] == [stand_ins.address("a:1"), stand_ins.address("b:2")]
    assert seen["arbiters"] == [stand_ins.address("c:3")]
    assert seen["me"] == stand_ins.address("a:1")
    assert "compression" not in seen
    assert stand_ins.real(seen)["hosts"] == ["a:1", "b:2"]


def test_a_deployment_seen_through_them(stand_ins: StandIns) -> None:
    info = stand_ins.of(REPLICA_SET)
    a, b = stand_ins.address("a:1"), stand_ins.address("b:2")
    assert (info.uri, info.hosts) == (f"mongodb://{a},{b}/?replicaSet=rs", (a, b))
    balanced = stand_ins.of(LOAD_BALANCED)
    assert (
        balanced.single_mongos_uri == f"mongodb://{stand_ins.address('one:1')}/?loadBalanced=true"
    )
    assert stand_ins.real(info.uri) == REPLICA_SET.uri


def test_only_whole_addresses_are_made_real(stand_ins: StandIns) -> None:
    a = stand_ins.address("a:1")
    longer: JsonObject = {"at": f"{a}0", "before": f"9{a}", "named": f"control@{a}/db"}
    assert stand_ins.real(longer) == {"at": f"{a}0", "before": f"9{a}", "named": "control@a:1/db"}


def test_addresses() -> None:
    assert with_port("a") == "a:27017"
    assert with_port("[::1]:5") == "[::1]:5"
    assert split("[::1]:5") == ("::1", 5)
    assert split("a:1") == ("a", 1)
