"""Each case has one place in a plan, and few deployments are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.model import Case, DeploymentInfo, JsonObject, Topology
from runners.plan import Need, plan


def case(name: str) -> Case:
    return Case(name, "suite", "unified", Path("x.yml"), 1, name)


def deployment(topology: Topology, version: str = "6.0.5") -> DeploymentInfo:
    return DeploymentInfo(f"{topology}-{version}", topology, version, "", ())


SET, SINGLE, SHARDED = map(
    deployment, (Topology.REPLICA_SET, Topology.STANDALONE, Topology.SHARDED)
)


def need(name: str, *lists: list[JsonObject]) -> Need:
    return Need(case(name), requirements=lists)


ANYWHERE = need("anywhere")
ON_SET = need("set", [{"topologies": ["replicaset"]}])
ON_SINGLE = need("single", [{"topologies": ["single"]}])
ON_BOTH = need("both", [{"topologies": ["single", "replicaset"]}])
NOWHERE = need("nowhere", [{"minServerVersion": "9.0"}])
PURE = Need(case("pure"), server=False)


def names(cases: tuple[Case, ...]) -> list[str]:
    return [each.id for each in cases]


def test_one_deployment_is_enough_where_it_suits_all() -> None:
    planned = plan([ANYWHERE, ON_SET, ON_BOTH], [SINGLE, SET, SHARDED], on_each=False)
    assert {id_: names(cases) for id_, cases in planned.on.items()} == {
        SET.id: ["anywhere", "set", "both"]
    }


def test_a_second_one_gets_only_what_is_left() -> None:
    planned = plan([ANYWHERE, ON_SINGLE, ON_SET, ON_BOTH], [SINGLE, SET], on_each=False)
    assert sorted(map(names, planned.on.values())) == [["anywhere", "single", "both"], ["set"]]


def test_the_first_offered_wins_a_tie() -> None:
    assert list(plan([ANYWHERE], [SET, SINGLE], on_each=False).on) == [SET.id]
    assert list(plan([ANYWHERE], [SINGLE, SET], on_each=False).on) == [SINGLE.id]


def test_on_each_runs_a_case_wherever_it_can() -> None:
    planned = plan([ANYWHERE, ON_SET, PURE, NOWHERE], [SINGLE, SET], on_each=True)
    assert {id_: names(cases) for id_, cases in planned.on.items()} == {
        SINGLE.id: ["anywhere"],
        SET.id: ["anywhere", "set"],
    }
    assert planned.runs == 5


def test_a_case_without_a_server_needs_no_deployment() -> None:
    planned = plan([PURE], [], on_each=False)
    assert names(planned.without_server) == ["pure"]
    assert planned.on == {}
    assert planned.unmet == ()


def test_unmet_says_what_would_meet_it() -> None:
    planned = plan([NOWHERE], [SET, SINGLE], on_each=False)
    ((unmet, reason),) = planned.unmet
    assert unmet == NOWHERE.case
    assert reason.count("server 9.0 or newer") == 1
    assert SET.id in reason
    assert SINGLE.id in reason
    assert planned.on == {}


def test_both_the_files_and_the_tests_requirements_count() -> None:
    both = need("x", [{"topologies": ["replicaset"]}], [{"minServerVersion": "9.0"}])
    assert plan([both], [SET], on_each=False).on == {}


@pytest.mark.parametrize(
    ("need", "described"),
    [
        (PURE, "no server"),
        (ANYWHERE, "any server"),
        (ON_BOTH, "standalone or replicaset"),
        (
            need(
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
    offered=st.lists(st.sampled_from([SET, SINGLE, SHARDED]), unique_by=lambda each: each.id),
    on_each=st.booleans(),
)
def test_no_case_is_lost_or_doubled(
    wanted: list[set[str]], offered: list[DeploymentInfo], *, on_each: bool
) -> None:
    needs = [need(str(i), [{"topologies": list(kinds)}]) for i, kinds in enumerate(wanted)]
    planned = plan(needs, offered, on_each=on_each)
    placed = [each.id for cases in planned.on.values() for each in cases]
    unmet = [each.id for each, _ in planned.unmet]
    assert {*placed, *unmet} == {each.case.id for each in needs}
    assert not {*placed} & {*unmet}
    assert planned.runs == len(placed) + len(unmet)
    if not on_each:
        assert planned.runs == len(needs)
    for id_, cases in planned.on.items():
        (info,) = (each for each in offered if each.id == id_)
        assert cases
        for each in needs:
            if each.case in cases:
                assert each.unmet_by(info) is None
