from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from driver.errors import AutoReconnect, NetworkTimeout
from driver.topology.description import Address, ServerDescription, ServerType
from tests.topology.build import A, primary


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Host.Example:27018", Address("host.example", 27018)),
        ("host", Address("host", 27017)),
        ("[::1]:27018", Address("::1", 27018)),
        ("[FE80::1]", Address("fe80::1", 27017)),
        ("/tmp/Mongo-27017.sock", Address("/tmp/Mongo-27017.sock", None)),
    ],
)
def test_addresses_are_read_and_written(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no host"),
        (":27017", "no host"),
        ("a:0", "port '0'"),
        ("a:65536", "port"),
        ("a:+1", "port"),
        ("a:²", "port"),
        ("a:" + "1" * 5000, "port"),
        ("::1", "brackets"),
        ("[::1", "brackets"),
        ("::1]", "brackets"),
        ("a]:1", "brackets"),
        ("[]:1", "no host"),
    ],
)
def test_malformed_addresses_say_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Address.parse(text)


def test_descriptions_differ_in_what_an_event_is_due_for() -> None:
    server = primary(A)
    heartbeat = replace(
        server,
        round_trip_time=0.5,
        last_update_time=9.0,
        last_write_date=datetime.now(UTC),
        max_write_batch_size=1,
    )
    assert server == heartbeat
    assert hash(server) == hash(heartbeat)
    assert server != replace(server, tags={"dc": "ny"})
    assert server != replace(server, type=ServerType.RS_SECONDARY)
    assert server != replace(server, address=Address("z"))
    assert server != "a:27017"


def test_errors_are_compared_by_what_they_say() -> None:
    down = ServerDescription(A, error=AutoReconnect("refused"))
    assert down == ServerDescription(A, error=AutoReconnect("refused"))
    assert down != ServerDescription(A, error=AutoReconnect("no route"))
    assert down != ServerDescription(A, error=NetworkTimeout("refused"))
    assert down != ServerDescription(A)


def test_a_possible_primary_equals_an_unknown_server() -> None:
    unknown = ServerDescription(A)
    assert unknown == replace(unknown, type=ServerType.POSSIBLE_PRIMARY)
    assert unknown != replace(unknown, type=ServerType.STANDALONE)
