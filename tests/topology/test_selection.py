from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from driver.errors import AutoReconnect, ConfigurationError
from driver.read_preferences import ReadPreference
from driver.topology.description import (
    Address,
    ServerDescription,
    ServerType,
    TopologyDescription,
)
from driver.topology.selection import (
    Criteria,
    choose,
    explain,
    in_latency_window,
    select,
    suitable,
)
from tests.topology.build import A, B, C, hello, primary, secondary, topology

START = datetime(2024, 1, 1, tzinfo=UTC)
EVERYONE = (A, B, C)


def at(server: ServerDescription, seconds: float, **changes: Any) -> ServerDescription:
    """`server` with a last write that many seconds after START."""
    return replace(server, last_write_date=START + timedelta(seconds=seconds), **changes)


SET = topology(
    primary(A, *EVERYONE, tags={"dc": "ny"}),
    secondary(B, *EVERYONE, tags={"dc": "ny", "rack": "1"}),
    secondary(C, *EVERYONE, tags={"dc": "sf"}),
)
LEADERLESS = topology(secondary(B, *EVERYONE), secondary(C, *EVERYONE))


def hosts(servers: list[ServerDescription]) -> str:
    return "".join(sorted(server.address.host for server in servers))


def reading(mode: str, *tag_sets: dict[str, str], **more: Any) -> Criteria:
    staleness = more.pop("max_staleness", None)
    return Criteria(ReadPreference(mode, tag_sets, staleness), **more)


@pytest.mark.parametrize(
    ("criteria", "with_primary", "without"),
    [
        (Criteria(), "a", ""),
        (reading("primary"), "a", ""),
        (reading("primaryPreferred"), "a", "bc"),
        (reading("secondary"), "bc", "bc"),
        (reading("secondaryPreferred"), "bc", "bc"),
        (reading("nearest"), "abc", "bc"),
    ],
)
def test_modes_of_a_replica_set(criteria: Criteria, with_primary: str, without: str) -> None:
    assert hosts(suitable(SET, criteria)) == with_primary
    assert hosts(suitable(LEADERLESS, criteria)) == without


@pytest.mark.parametrize(
    ("mode", "tag_sets", "expected"),
    [
        ("nearest", [{"dc": "ny"}], "ab"),
        ("nearest", [{"dc": "ny", "rack": "1"}], "b"),
        ("secondary", [{"dc": "ny"}], "b"),
        ("secondary", [{"dc": "none"}, {"dc": "sf"}], "c"),
        ("secondary", [{"dc": "none"}, {}], "bc"),
        ("secondary", [{"dc": "none"}], ""),
        ("secondaryPreferred", [{"dc": "none"}], "a"),
        ("primaryPreferred", [{"dc": "none"}], "a"),
        ("nearest", [{"dc": "none"}], ""),
    ],
)
def test_the_first_tag_set_that_matches_counts(
    mode: str, tag_sets: list[dict[str, str]], expected: str
) -> None:
    assert hosts(suitable(SET, reading(mode, *tag_sets))) == expected


@pytest.mark.parametrize(
    ("mode", "deprioritized", "expected"),
    [
        ("primary", {A}, "a"),  # nobody else suits
        ("primaryPreferred", {A}, "bc"),
        ("secondary", {B}, "c"),
        ("secondary", {B, C}, "bc"),
        ("secondaryPreferred", {B, C}, "a"),
        ("nearest", {A, B}, "c"),
        ("nearest", {A, B, C}, "abc"),
    ],
)
def test_servers_that_failed_come_last(
    mode: str, deprioritized: set[Address], expected: str
) -> None:
    criteria = reading(mode, deprioritized=frozenset(deprioritized))
    assert hosts(suitable(SET, criteria)) == expected


@pytest.mark.parametrize("criteria", [Criteria(), reading("secondary", {"dc": "none"})])
def test_other_topologies_ignore_the_read_preference(criteria: Criteria) -> None:
    single = topology(secondary(A), seeds=(A,), direct=True)
    sharded = topology(hello(A, msg="isdbgrid"), hello(B, msg="isdbgrid"))
    balancer = ServerDescription(A, type=ServerType.LOAD_BALANCER)
    balanced = topology(balancer, seeds=(A,), load_balanced=True)
    assert hosts(suitable(single, criteria)) == "a"
    assert hosts(suitable(sharded, criteria)) == "ab"
    assert hosts(suitable(balanced, criteria)) == "a"


def test_what_is_not_known_yet_suits_nobody() -> None:
    assert suitable(topology(), reading("nearest")) == []
    assert suitable(topology(seeds=(A,), direct=True), Criteria()) == []
    assert suitable(topology(hello(A, msg="isdbgrid")), Criteria()) != []


def test_staleness_is_how_far_a_secondary_is_behind_the_primary() -> None:
    """B was checked 10 s after the primary and wrote 90 s before it; C lags 10 s more."""
    known = topology(
        at(primary(A, *EVERYONE), 100, last_update_time=0.0),
        at(secondary(B, *EVERYONE), 10, last_update_time=10.0),
        at(secondary(C, *EVERYONE), 0, last_update_time=10.0),
    )
    assert hosts(suitable(known, reading("secondary", max_staleness=109))) == ""
    assert hosts(suitable(known, reading("secondary", max_staleness=110))) == "b"
    assert hosts(suitable(known, reading("nearest", max_staleness=90))) == "a"
    assert hosts(suitable(known, reading("secondaryPreferred", max_staleness=90))) == "a"


def test_without_a_primary_the_latest_secondary_is_the_measure() -> None:
    known = topology(
        at(secondary(B, *EVERYONE), 100, last_update_time=0.0),
        at(secondary(C, *EVERYONE), 0, last_update_time=1000.0),
    )
    assert hosts(suitable(known, reading("secondary", max_staleness=109))) == "b"
    assert hosts(suitable(known, reading("secondary", max_staleness=110))) == "bc"


def test_a_deprioritized_primary_is_still_the_measure() -> None:
    known = topology(at(primary(A, A, B), 1000), at(secondary(B, A, B), 0))
    criteria = reading("nearest", max_staleness=90, deprioritized=frozenset({A}))
    assert hosts(suitable(known, criteria)) == "a"


def test_a_secondary_without_a_last_write_is_too_stale() -> None:
    known = topology(at(primary(A), 0), secondary(B))
    undated = topology(primary(A), at(secondary(B), 0))
    assert suitable(undated, reading("secondary", max_staleness=1000)) == []
    assert suitable(known, reading("secondary", max_staleness=1000)) == []
    assert suitable(topology(secondary(B)), reading("secondary", max_staleness=1000)) == []


@pytest.mark.parametrize(
    ("staleness", "heartbeat", "least"),
    [(89, 10.0, 90), (0, 0.5, 90), (100, 91.0, 101)],
)
def test_a_small_max_staleness_is_refused(staleness: int, heartbeat: float, least: int) -> None:
    criteria = reading("secondary", max_staleness=staleness, heartbeat_frequency=heartbeat)
    for known in (SET, LEADERLESS):
        with pytest.raises(ConfigurationError, match=f"maxStalenessSeconds.*at least {least}"):
            select(known, criteria)
    assert select(topology(), criteria) == []


def test_the_window_begins_at_the_fastest() -> None:
    servers = [
        ServerDescription(A, round_trip_time=0.010),
        ServerDescription(B, round_trip_time=0.025),
        ServerDescription(C, round_trip_time=0.026),
    ]
    assert hosts(in_latency_window(servers, 0.015)) == "ab"
    assert hosts(in_latency_window(servers, 0.0)) == "a"
    assert in_latency_window([], 0.015) == []


def test_a_server_without_measurements_is_slow() -> None:
    measured, unmeasured = ServerDescription(A, round_trip_time=5.0), ServerDescription(B)
    assert hosts(in_latency_window([measured, unmeasured], 0.015)) == "a"
    assert hosts(in_latency_window([unmeasured], 0.015)) == "b"


def test_select_does_both_steps() -> None:
    far = replace(SET.servers[C], round_trip_time=1.0)
    known = replace(SET, servers={**SET.servers, C: far})
    assert hosts(suitable(known, reading("secondary"))) == "bc"
    assert hosts(select(known, reading("secondary"))) == "b"


def test_an_incompatible_topology_is_refused() -> None:
    known = topology(hello(A, maxWireVersion=7), seeds=(A,))
    with pytest.raises(ConfigurationError, match="wire version 7"):
        select(known, Criteria())


def test_criteria_are_keys() -> None:
    assert {reading("secondary", {"dc": "ny"}): 1}[reading("secondary", {"dc": "ny"})] == 1


SERVERS = [ServerDescription(address) for address in EVERYONE]


def choices(counts: dict[Address, int], times: int = 3000) -> dict[str, float]:
    random = Random(1).random
    chosen = Counter(choose(SERVERS, counts, random).address.host for _ in range(times))
    return {host: count / times for host, count in chosen.items()}


def test_choices_are_even_among_equals() -> None:
    shares = choices({A: 0, B: 0, C: 0})
    assert shares == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, abs=0.03)


def test_of_two_the_idler_is_chosen() -> None:
    shares = choices({A: 9, B: 0, C: 5})
    assert shares == pytest.approx({"b": 2 / 3, "c": 1 / 3}, abs=0.03)


def test_one_server_needs_no_luck() -> None:
    def never() -> float:
        raise AssertionError("asked")

    assert choose([SERVERS[0]], {}, never).address == A


@pytest.mark.parametrize(("number", "chosen"), [(0.0, A), (0.999_999, B)])
def test_the_two_choices_are_always_different(number: float, chosen: Address) -> None:
    busy = {B: 1, C: 2}  # A has no count, so nothing under way
    assert choose(SERVERS, busy, lambda: number).address == chosen
    assert choose(SERVERS[:2], busy, lambda: number).address == A


def test_the_reason_names_what_was_wanted_and_what_was_there() -> None:
    down = ServerDescription(A, error=AutoReconnect("connection refused"))
    known = topology(down, set_name="rs")
    assert explain(known, Criteria()) == (
        "no server accepts writes; the topology is ReplicaSetNoPrimary 'rs' of "
        "a:27017 Unknown (connection refused); b:27017 Unknown"
    )
    assert "{'mode': 'secondary'}" in explain(known, reading("secondary"))


def test_the_reason_says_when_no_server_is_left() -> None:
    assert "replicaSet" in explain(TopologyDescription(), Criteria())
