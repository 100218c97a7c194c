"""Each case has one place in a plan, and few deployments are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.model import Case, DeploymentInfo, JsonObject, Topology
from runners.plan import Choice, Need, plan


def case(name: str) -> Case:
    return Case(name, "suite", "unified", Path("x.yml"), 1, name)


def deployment(topology: Topology, version: str = "6.0.5") -> DeploymentInfo:
    return DeploymentInfo(f"{topology}-{version}", topology, version, "", ())


SET, SINGLE, SHARDED = map(
    deployment, (Topology.REPLICA_SET, Topology.STANDALONE, Topology.SHARDED)
)


def needing(name: str, *lists: list[JsonObject]) -> Need:
    return Need(case(name), requirements=lists)


ANYWHERE = needing("anywhere")
ON_SET = needing("set", [{"topologies": ["replicaset"]}])
ON_SINGLE = needing("single", [{"topologies": ["single"]}])
ON_BOTH = needing("both", [{"topologies": ["single", "replicaset"]}])
NOWHERE = needing("nowhere", [{"minServerVersion": "9.0"}])
PURE = Need(case("pure"), server=False)


def names(cases: tuple[Case, ...]) -> list[str]:
    return [each.id for each in cases]


def test_one_deployment_is_enough_where_it_suits_all() -> None:
    planned = plan([ANYWHERE, ON_SET, ON_BOTH], [SINGLE, SET, SHARDED])
    assert {id_: names(cases) for id_, cases in planned.on.items()} == {
        SET.id: ["anywhere", "set", "both"]
    }


def test_a_second_one_gets_only_what_is_left() -> None:
    planned = plan([ANYWHERE, ON_SINGLE, ON_SET, ON_BOTH], [SINGLE, SET])
    assert sorted(map(names, planned.on.values())) == [["anywhere", "single", "both"], ["set"]]


def test_the_first_offered_wins_a_tie() -> None:
    assert list(plan([ANYWHERE], [SET, SINGLE]).on) == [SET.id]
    assert list(plan([ANYWHERE], [SINGLE, SET]).on) == [SINGLE.id]


def on_each(*deployments: DeploymentInfo) -> list[Choice]:
    return [Choice(each.topology) for each in deployments]


def test_a_named_topology_runs_all_that_it_can() -> None:
    planned = plan([ANYWHERE, ON_SET, PURE, NOWHERE], [SINGLE, SET], on_each(SINGLE, SET))
    assert {id_: names(cases) for id_, cases in planned.on.items()} == {
        SINGLE.id: ["anywhere"],
        SET.id: ["anywhere", "set"],
    }
    assert planned.runs == 5


def test_further_servers_get_only_what_the_first_cannot_run() -> None:
    newer = deployment(Topology.REPLICA_SET, "8.2.0")
    on_new = needing("new", [{"minServerVersion": "8.0"}])
    on_old = needing("old", [{"maxServerVersion": "6.0.5"}])
    for offered, expected in (
        ([SET, SINGLE, newer], {SET.id: ["anywhere", "old"], newer.id: ["new"]}),
        ([newer, SET, SINGLE], {newer.id: ["anywhere", "new"], SET.id: ["old"]}),
    ):
        planned = plan([ANYWHERE, on_new, on_old], offered)
        assert {id_: names(cases) for id_, cases in planned.on.items()} == expected


def test_what_runs_everything_is_enough_though_others_were_offered_first() -> None:
    newer = deployment(Topology.REPLICA_SET, "8.2.0")
    on_new = needing("new", [{"minServerVersion": "8.0"}])
    planned = plan([ANYWHERE, ON_SET, on_new], [SET, SINGLE, newer])
    assert {id_: names(cases) for id_, cases in planned.on.items()} == {
        newer.id: ["anywhere", "set", "new"]
    }


def test_a_named_server_runs_all_that_it_can_on_few_topologies() -> None:
    newer = [deployment(kind, "8.2.0") for kind in (Topology.REPLICA_SET, Topology.STANDALONE)]
    choices = [Choice(server="6.0"), Choice(server="8")]
    planned = plan([ANYWHERE, ON_SINGLE, ON_BOTH], [SET, SINGLE, *newer], choices)
    assert {id_: sorted(names(cases)) for id_, cases in planned.on.items()} == {
        SINGLE.id: ["anywhere", "both", "single"],
        newer[1].id: ["anywhere", "both", "single"],
    }


def test_many_deployments_are_named_in_short() -> None:
    offered = [deployment(Topology.REPLICA_SET, f"6.0.{patch}") for patch in range(9)]
    ((_, reason),) = plan([NOWHERE], offered).unmet
    assert reason.startswith("needs server 9.0 or newer; at hand: replicaset-6.0.0, ")
    assert "it would run" not in reason
    assert reason.endswith(" and 5 more")


def test_a_case_without_a_server_needs_no_deployment() -> None:
    planned = plan([PURE], [])
    assert names(planned.without_server) == ["pure"]
    assert planned.on == {}
    assert planned.unmet == ()


def test_unmet_says_what_would_meet_it() -> None:
    planned = plan([NOWHERE], [SET, SINGLE])
    ((unmet, reason),) = planned.unmet
    assert unmet == NOWHERE.case
    assert reason.count("server 9.0 or newer") == 1
    assert SET.id in reason
    assert SINGLE.id in reason
    assert planned.on == {}


@pytest.mark.parametrize(
    ("requirement", "options"),
    [
        ({"minServerVersion": "8.0"}, "--topology standalone --server 8.2.0"),
        ({"topologies": ["load-balanced"]}, "--topology load-balanced --server 8.2.0"),
        ({"maxServerVersion": "4.4.99"}, "--topology standalone --server 4.4.2"),
        ({"auth": True}, "--topology standalone --server 8.2.0 --auth"),
        ({"serverParameters": {"acceptApiVersion2": True}}, "--server 8.2.0 (and no --topology)"),
    ],
)
def test_unmet_says_how_it_would_run(requirement: JsonObject, options: str) -> None:
    ((_, reason),) = plan([needing("x", [requirement])], [SET]).unmet
    assert reason.endswith(f"; it would run with {options}")


def test_both_the_files_and_the_tests_requirements_count() -> None:
    both = needing("x", [{"topologies": ["replicaset"]}], [{"minServerVersion": "9.0"}])
    assert plan([both], [SET]).on == {}


@pytest.mark.parametrize(
    ("need", "described"),
    [
        (PURE, "no server"),
        (ANYWHERE, "any server"),
        (ON_BOTH, "standalone or replicaset"),
        (
            needing(
                "x",
                [{"minServerVersion": "4.4", "maxServerVersion": "5.0"}, {"auth": True}],
                [{"topologies": ["sharded"]}],
            ),
            "server 4.4 or newer, server 5.0 or older or else auth true; sharded",
        ),
    ],
)
def test_needs_in_words(need: Need, described: str) -> None:
    assert need.described == described


TOPOLOGIES = st.sets(st.sampled_from(["single", "replicaset", "sharded"]), min_size=1)


@given(
    wanted=st.lists(TOPOLOGIES, max_size=8),
    offered=st.lists(st.sampled_from([SET, SINGLE, SHARDED]), unique_by=lambda info: info.id),
    each=st.booleans(),
)
def test_no_case_is_lost_or_doubled(
    wanted: list[set[str]], offered: list[DeploymentInfo], *, each: bool
) -> None:
    needs = [needing(str(i), [{"topologies": list(kinds)}]) for i, kinds in enumerate(wanted)]
    planned = plan(needs, offered, on_each(*offered) if each else [Choice()])
    placed = [case.id for cases in planned.on.values() for case in cases]
    unmet = [case.id for case, _ in planned.unmet]
    assert {*placed, *unmet} == {need.case.id for need in needs}
    assert not {*placed} & {*unmet}
    assert planned.runs == len(placed) + len(unmet)
    if not each:
        assert planned.runs == len(needs)
    for id_, cases in planned.on.items():
        (info,) = (info for info in offered if info.id == id_)
        assert cases
        for need in needs:
            if need.case in cases:
                assert need.unmet_by(info) is None
