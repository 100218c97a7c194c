from __future__ import annotations

import re

import pytest

from driver.errors import AutoReconnect, ConfigurationError
from driver.topology.description import (
    Address,
    ServerDescription,
    ServerType,
    TopologyDescription,
    TopologyType,
    TopologyVersion,
)
from driver.topology.transitions import apply, apply_hosts, initial, is_stale
from tests.topology.build import (
    OTHER_PROCESS,
    A,
    B,
    C,
    election,
    hello,
    member,
    primary,
    secondary,
    topology,
    types,
    version,
)


@pytest.mark.parametrize(
    ("direct", "load_balanced", "set_name", "kind"),
    [
        (None, False, None, TopologyType.UNKNOWN),
        (False, False, None, TopologyType.UNKNOWN),
        (False, False, "rs", TopologyType.REPLICA_SET_NO_PRIMARY),
        (None, False, "rs", TopologyType.REPLICA_SET_NO_PRIMARY),
        (True, False, None, TopologyType.SINGLE),
        (True, False, "rs", TopologyType.SINGLE),
        (None, True, None, TopologyType.LOAD_BALANCED),
    ],
)
def test_options_decide_the_first_topology(
    direct: bool | None, load_balanced: bool, set_name: str | None, kind: TopologyType
) -> None:
    known = initial([A], direct_connection=direct, load_balanced=load_balanced, set_name=set_name)
    assert types(known) == {"": str(kind), "a": "Unknown"}
    assert known.set_name == set_name


def test_a_lone_standalone_makes_the_topology_single() -> None:
    assert types(topology(hello(A), seeds=(A,))) == {"": "Single", "a": "Standalone"}


def test_a_standalone_among_seeds_is_removed_even_if_it_is_the_last() -> None:
    known = topology(hello(A), hello(B))
    assert types(known) == {"": "Unknown"}


def test_a_sharded_topology_keeps_only_mongos() -> None:
    known = topology(hello(A, msg="isdbgrid"), primary(B))
    assert types(known) == {"": "Sharded", "a": "Mongos"}


def test_a_ghost_is_kept_without_a_decision() -> None:
    known = topology(hello(A, isreplicaset=True))
    assert types(known) == {"": "Unknown", "a": "RSGhost", "b": "Unknown"}


def test_the_primary_decides_who_is_a_member() -> None:
    known = topology(primary(A, A, C))
    assert types(known) == {"": "ReplicaSetWithPrimary", "a": "RSPrimary", "c": "Unknown"}
    assert known.set_name == "rs"


def test_a_secondary_adds_members_and_hints_at_the_primary() -> None:
    known = topology(secondary(A, A, B, C, primary="c:27017"))
    assert types(known) == {
        "": "ReplicaSetNoPrimary",
        "a": "RSSecondary",
        "b": "Unknown",
        "c": "PossiblePrimary",
    }


def test_a_hint_does_not_change_a_server_that_is_known() -> None:
    known = topology(secondary(B), secondary(A, primary="b:27017"))
    assert types(known)["b"] == "RSSecondary"


def test_a_newer_primary_deposes_the_older_one() -> None:
    known = topology(primary(A), primary(B))
    assert types(known) == {"": "ReplicaSetWithPrimary", "a": "Unknown", "b": "RSPrimary"}
    assert "discovery of newer primary" in str(known.servers[A].error)


def test_a_primary_of_another_set_is_removed() -> None:
    known = topology(primary(A, setName="other"), set_name="rs")
    assert types(known) == {"": "ReplicaSetNoPrimary", "b": "Unknown"}


def test_a_member_of_another_set_is_removed() -> None:
    with_primary = topology(primary(A), secondary(B, setName="other"))
    without_primary = topology(secondary(B, setName="other"), set_name="rs")
    assert types(with_primary) == {"": "ReplicaSetWithPrimary", "a": "RSPrimary"}
    assert types(without_primary) == {"": "ReplicaSetNoPrimary", "a": "Unknown"}


def test_a_member_that_calls_itself_otherwise_is_removed() -> None:
    without_primary = topology(secondary(A, B, C, me="c:27017"), seeds=(A,))
    with_primary = topology(primary(A), secondary(B, me="c:27017"))
    assert types(without_primary) == {"": "ReplicaSetNoPrimary", "b": "Unknown", "c": "Unknown"}
    assert types(with_primary) == {"": "ReplicaSetWithPrimary", "a": "RSPrimary"}


def test_a_primary_that_steps_down_leaves_a_set_without_one() -> None:
    known = topology(primary(A), secondary(A, primary="b:27017"))
    assert types(known) == {"": "ReplicaSetNoPrimary", "a": "RSSecondary", "b": "PossiblePrimary"}


@pytest.mark.parametrize(
    "after",
    [
        ServerDescription(A, error=AutoReconnect("lost")),
        hello(A, isreplicaset=True),
        hello(A, msg="isdbgrid"),
        hello(A),
    ],
)
def test_whatever_a_primary_becomes_the_set_has_none_then(after: ServerDescription) -> None:
    known = topology(primary(A), secondary(B), after)
    assert known.type is TopologyType.REPLICA_SET_NO_PRIMARY
    assert (A in known.servers) == (after.type in (ServerType.UNKNOWN, ServerType.RS_GHOST))


STALE = "primary marked stale due to electionId/setVersion mismatch"


@pytest.mark.parametrize(
    ("wire_version", "first", "second", "stale"),
    [
        (17, (2, 1), (1, 2), True),  # from 6.0 on the electionId counts first
        (17, (1, 2), (2, 1), False),
        (17, (1, 2), (1, 1), True),
        (17, (1, 2), (1, 2), False),
        (17, (1, 1), (None, 2), True),  # null is before anything
        (17, (None, 1), (None, 2), False),
        (16, (2, 1), (1, 2), False),  # before 6.0 the setVersion
        (16, (1, 2), (2, 1), True),
        (16, (2, 1), (1, 1), True),
        (16, (1, 1), (1, 1), False),
        (16, (2, 2), (None, 1), False),  # and only where both are known
    ],
)
def test_stale_primaries_are_told_by_their_tuple(
    wire_version: int,
    first: tuple[int | None, int],
    second: tuple[int | None, int],
    stale: bool,
) -> None:
    def described(address: Address, pair: tuple[int | None, int]) -> ServerDescription:
        election_id = None if pair[0] is None else election(pair[0])
        return primary(
            address, electionId=election_id, setVersion=pair[1], maxWireVersion=wire_version
        )

    known = topology(described(A, first), described(B, second))
    assert types(known)["b" if stale else "a"] == "Unknown"
    assert types(known)["a" if stale else "b"] == "RSPrimary"
    assert (STALE in str(known.servers[B].error)) == stale
    if wire_version == 17:
        newest = first if stale else second
        assert known.max_set_version == newest[1]
        assert known.max_election_id == (newest[0] and election(newest[0]))


def test_before_6_0_the_maximum_keeps_what_a_primary_does_not_name() -> None:
    known = topology(
        primary(A, electionId=election(1), setVersion=1, maxWireVersion=16),
        primary(B, setVersion=2, maxWireVersion=16),
        primary(B, maxWireVersion=16),
    )
    assert (known.max_election_id, known.max_set_version) == (election(1), 2)


def test_a_direct_connection_takes_any_server() -> None:
    known = topology(secondary(A, B, C), seeds=(A,), direct=True)
    assert types(known) == {"": "Single", "a": "RSSecondary"}


@pytest.mark.parametrize(
    ("server", "found"), [(secondary(A, setName="no"), "'no'"), (hello(A), "no replica set")]
)
def test_a_direct_connection_to_another_set_is_explained(
    server: ServerDescription, found: str
) -> None:
    known = topology(server, seeds=(A,), direct=True, set_name="rs")
    error = known.servers[A].error
    assert types(known) == {"": "Single", "a": "Unknown"}
    assert isinstance(error, ConfigurationError)
    assert "replicaSet=rs" in str(error)
    assert found in str(error)


def test_a_direct_connection_keeps_the_error_of_a_failed_check() -> None:
    down = ServerDescription(A, error=AutoReconnect("lost"))
    known = topology(down, seeds=(A,), direct=True, set_name="rs")
    assert known.servers[A].error is down.error


def test_a_server_that_was_removed_is_ignored() -> None:
    known = topology(primary(A, A))
    assert apply(known, secondary(B)) is known


def test_an_equal_description_still_replaces_the_old_one() -> None:
    known = topology(hello(A), seeds=(A,))
    again = hello(A, now=7.0)
    assert apply(known, again).servers[A].last_update_time == 7.0


@pytest.mark.parametrize(
    ("current", "new", "stale"),
    [
        (None, None, False),
        (None, version(1), False),
        (version(1), None, False),
        (version(1), version(1), False),
        (version(1), version(2), False),
        (version(2), version(1), True),
        (version(2), version(1, OTHER_PROCESS), False),
    ],
)
def test_older_versions_are_stale(
    current: TopologyVersion | None, new: TopologyVersion | None, stale: bool
) -> None:
    assert is_stale(current, new) is stale


def test_an_older_description_is_ignored() -> None:
    fresh = {"processId": version(2).process_id, "counter": 2}
    known = topology(primary(A, topologyVersion=fresh))
    stale = ServerDescription(A, topology_version=version(1))
    assert apply(known, stale) is known


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (hello(A, maxWireVersion=7), "a:27017 reports wire version 7.*at least 8 .MongoDB 4.2."),
        (hello(A, minWireVersion=30, maxWireVersion=40), "requires wire version 30.*up to 29"),
    ],
)
def test_incompatible_servers_are_named(server: ServerDescription, says: str) -> None:
    known = topology(server, seeds=(A,))
    assert not known.compatible
    assert known.compatibility_error is not None
    assert re.search(says, known.compatibility_error)
    assert apply(known, hello(A)).compatible


@pytest.mark.parametrize(("least", "most"), [(0, 8), (29, 40), (8, 29)])
def test_one_common_wire_version_is_enough(least: int, most: int) -> None:
    known = topology(hello(A, minWireVersion=least, maxWireVersion=most), seeds=(A,))
    assert known.compatible


def test_a_load_balancer_is_always_compatible() -> None:
    balancer = ServerDescription(A, type=ServerType.LOAD_BALANCER)
    known = topology(balancer, seeds=(A,), load_balanced=True)
    assert types(known) == {"": "LoadBalanced", "a": "LoadBalancer"}
    assert known.compatible


@pytest.mark.parametrize(
    ("servers", "minutes"),
    [
        ((), None),
        ((primary(A, logicalSessionTimeoutMinutes=30),), 30),
        (
            (
                primary(A, logicalSessionTimeoutMinutes=30),
                secondary(B, logicalSessionTimeoutMinutes=20),
            ),
            20,
        ),
        ((primary(A, logicalSessionTimeoutMinutes=30), secondary(B)), None),
        ((primary(A, logicalSessionTimeoutMinutes=30), member(B, arbiterOnly=True)), 30),
    ],
)
def test_sessions_last_as_long_as_every_data_bearing_server_says(
    servers: tuple[ServerDescription, ...], minutes: int | None
) -> None:
    assert topology(*servers).logical_session_timeout_minutes == minutes


def test_dns_adds_and_removes_mongos() -> None:
    known = topology(hello(A, msg="isdbgrid"))
    polled = apply_hosts(known, [A, C])
    assert types(polled) == {"": "Sharded", "a": "Mongos", "c": "Unknown"}
    assert apply_hosts(known, [B, A]) is known
    assert apply_hosts(known, []) is known


def test_dns_says_nothing_about_replica_sets() -> None:
    known = topology(primary(A))
    assert apply_hosts(known, [C]) is known


def test_descriptions_cannot_be_changed() -> None:
    known = topology()
    with pytest.raises(TypeError):
        known.servers[C] = ServerDescription(C)  # type: ignore[index]
    assert isinstance(known, TopologyDescription)
