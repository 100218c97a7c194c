from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runners.adapters.reference_logic import LOGIC
from runners.model import State, Verdict
from tests.logic.running import always, answering, run, write

FILE = """\
description: a network error
uri: mongodb://a,b/?replicaSet=rs
phases:
  - description: a primary
    responses:
      - - a:27017
        - ok: 1
          isWritablePrimary: true
          setName: rs
          setVersion: 1
          electionId: {$oid: '000000000000000000000001'}
          hosts: [a:27017, b:27017]
          minWireVersion: 8
          maxWireVersion: 21
    outcome:
      topologyType: ReplicaSetWithPrimary
      setName: rs
      maxElectionId: {$oid: '000000000000000000000001'}
      maxSetVersion: 1
      servers:
        a:27017:
          type: RSPrimary
          maxWireVersion: {$numberInt: '21'}
          pool: {generation: 0}
        b:27017: {type: Unknown, error: null}
  - applicationErrors:
      - {address: a:27017, when: afterHandshakeCompletes, maxWireVersion: 21, type: network}
    outcome:
      topologyType: ReplicaSetNoPrimary
      servers:
        a:27017:
          type: Unknown
          error: broken
          pool: {generation: 1}
        b:27017: {type: Unknown}
      events:
        - server_description_changed_event:
            topologyId: any
            address: a:27017
            previousDescription: {address: a:27017, type: RSPrimary, hosts: [b:27017, a:27017]}
            newDescription: {address: a:27017, type: Unknown}
        - topology_description_changed_event:
            topologyId: any
            previousDescription: {topologyType: ReplicaSetWithPrimary, servers: []}
            newDescription: {topologyType: ReplicaSetNoPrimary, servers: []}
"""
FILE = FILE.replace("error: null", "setName: null").replace(
    "servers: []", "servers: [{address: a:27017}, {address: b:27017}]"
)


def failure(verdict: Verdict) -> tuple[str, int | None]:
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    return verdict.failure.path, verdict.failure.line


def test_the_reference_passes(tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILE))
    assert verdict.state is State.PASS, verdict


@pytest.mark.parametrize(
    ("old", "new", "path", "line"),
    [
        ("maxSetVersion: 1", "maxSetVersion: 2", "phases[0].outcome.maxSetVersion", 19),
        ("setName: rs\n      max", "setName: null\n      max", "phases[0].outcome.setName", 17),
        (
            "type: RSPrimary\n",
            "type: RSSecondary\n",
            "phases[0].outcome.servers.a:27017.type",
            22,
        ),
        ("error: broken", "error: timeout", "phases[1].outcome.servers.a:27017.error", 33),
        (
            "generation: 1",
            "generation: 0",
            "phases[1].outcome.servers.a:27017.pool.generation",
            34,
        ),
        ("{type: Unknown}\n", "{type: Unknown}\n        c: {}\n", "phases[1].outcome.servers", 31),
        (
            "address: a:27017, type: Unknown}",
            "address: a:27017, type: RSGhost}",
            "phases[1].outcome.events[0].server_description_changed_event.newDescription.type",
            41,
        ),
    ],
)
def test_each_mismatch_is_found_at_its_place(
    old: str, new: str, path: str, line: int, tmp_path: Path
) -> None:
    assert FILE.count(old) == 1
    assert failure(run(write(tmp_path, FILE.replace(old, new)))) == (path, line)


def test_further_mismatches_are_listed(tmp_path: Path) -> None:
    text = FILE.replace("maxSetVersion: 1", "maxSetVersion: 2").replace("broken", "timeout")
    verdict = run(write(tmp_path, text))
    assert verdict.failure is not None
    assert verdict.failure.details == (
        "phases[1].outcome.servers.a:27017.error is not part of the server's error"
    )


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("maxSetVersion: 1", "maxSetVersion: 1\n      stale: true", "outcome.stale"),
        ("pool: {generation: 0}", "pool: {generation: 0, ready: true}", "pool.ready"),
        ("type: RSPrimary\n", "type: RSPrimary\n          rtt: 1\n", "a:27017.rtt"),
        ("topologyId: any", "topologyID: any", "topologyID"),
        ("server_description_changed_event", "server_changed_event", "server_changed_event"),
        ("  - applicationErrors:", "  - appErrors: []\n    applicationErrors:", "appErrors"),
        ("phases:", "operations: []\nphases:", "operations"),
    ],
)
def test_what_nothing_checks_is_an_error(old: str, new: str, place: str, tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILE.replace(old, new)))
    assert verdict.state is State.ERROR
    assert f"{place}: nothing reads this key" in verdict.reason


def changed_answer(tmp_path: Path) -> tuple[Any, Any]:
    """The file, and an answer to it that the test may change."""
    spec = write(tmp_path, FILE)
    return spec, LOGIC["sdam"](spec.value)


@pytest.mark.parametrize("outcomes", [None, [], [{}], {}])
def test_a_phase_without_an_outcome_is_an_error(outcomes: Any, tmp_path: Path) -> None:
    spec, _ = changed_answer(tmp_path)
    verdict = run(spec, answering({"sdam": always({"outcomes": outcomes})}))
    assert verdict.state is State.ERROR
    assert "2 outcomes" in verdict.reason


@pytest.mark.parametrize("outcome", [None, 5, [], {}, {"servers": [], "events": {}}])
def test_a_shapeless_outcome_fails(outcome: Any, tmp_path: Path) -> None:
    spec, answer = changed_answer(tmp_path)
    answer["outcomes"][1] = outcome
    path, _ = failure(run(spec, answering({"sdam": always(answer)})))
    assert path.startswith("phases[1].outcome")


@pytest.mark.parametrize("change", ["drop", "add", "swap"])
def test_events_are_a_sequence(change: str, tmp_path: Path) -> None:
    spec, answer = changed_answer(tmp_path)
    events = answer["outcomes"][1]["events"]
    if change == "drop":
        events.pop()
    elif change == "add":
        events.append(events[0])
    else:
        events.reverse()
    path, _ = failure(run(spec, answering({"sdam": always(answer)})))
    assert path.startswith("phases[1].outcome.events")


OPENING = """\
description: two seeds
uri: mongodb://a,b
phases:
  - outcome:
      events:
        - topology_opening_event: {topologyId: any}
        - topology_description_changed_event: {topologyId: any}
        - server_opening_event: {address: a:27017}
        - server_opening_event: {address: b:27017}
"""


def test_servers_that_come_at_once_come_in_any_order(tmp_path: Path) -> None:
    spec = write(tmp_path, OPENING)
    answer: Any = LOGIC["sdam"](spec.value)
    events = answer["outcomes"][0]["events"]
    events[2:] = reversed(events[2:])
    assert run(spec, answering({"sdam": always(answer)})).state is State.PASS
    events[1:3] = reversed(events[1:3])
    assert failure(run(spec, answering({"sdam": always(answer)})))[0].startswith(
        "phases[0].outcome.events[1]"
    )
    events[1:] = [events[2], events[1], events[1]]
    path, _ = failure(run(spec, answering({"sdam": always(answer)})))
    assert path.endswith("events[2].server_opening_event.address")


@pytest.mark.parametrize(
    ("members", "state"),
    [
        (["a:27017", "b:27017", "c:27017"], State.PASS),
        (["a:27017", "b:27017"], State.FAIL),
        ("a:27017", State.FAIL),
        (None, State.FAIL),
    ],
)
def test_a_driver_may_tell_hosts_passives_and_arbiters_as_one(
    members: Any, state: State, tmp_path: Path
) -> None:
    lists = "hosts: [c:27017], passives: [a:27017], arbiters: [b:27017]"
    spec = write(tmp_path, OPENING.partition("events:")[0] + f"servers: {{a:27017: {{{lists}}}}}\n")
    server = {"members": members, "hosts": ["not asked"]}
    answer = always({"outcomes": [{"servers": {"a:27017": server}}]})
    verdict = run(spec, answering({"sdam": answer}))
    assert verdict.state is state
    if state is State.FAIL:
        assert failure(verdict)[0] == "phases[0].outcome.servers.a:27017"


@pytest.mark.parametrize("file", [FILE, OPENING, FILE.partition("      events:")[0]])
def test_the_driver_is_told_whether_events_are_expected(file: str, tmp_path: Path) -> None:
    asked: list[Any] = []

    def answer(arguments: Any) -> Any:
        asked.append(arguments["events"])
        return LOGIC["sdam"](arguments)

    run(write(tmp_path, file), answering({"sdam": answer}))
    assert asked == ["events:" in file]


def test_all_events_have_the_same_topology_id(tmp_path: Path) -> None:
    spec, answer = changed_answer(tmp_path)
    (event,) = answer["outcomes"][1]["events"][0].values()
    event["topologyId"] = "another"
    verdict = run(spec, answering({"sdam": always(answer)}))
    assert verdict.failure is not None
    assert "topologyId" in verdict.failure.message
    event["topologyId"] = None
    assert failure(run(spec, answering({"sdam": always(answer)})))[0].endswith("topologyId")


def test_a_driver_without_possible_primaries_passes(tmp_path: Path) -> None:
    """To drivers that scan servers at once PossiblePrimary is Unknown, but not the other way."""
    spec, answer = changed_answer(tmp_path)
    possible = FILE.replace("b:27017: {type: Unknown}", "b:27017: {type: PossiblePrimary}")
    assert run(write(tmp_path, possible), answering({"sdam": always(answer)})).state is State.PASS
    answer["outcomes"][1]["servers"]["b:27017"]["type"] = "PossiblePrimary"
    assert failure(run(spec, answering({"sdam": always(answer)})))[0].endswith("b:27017.type")


def test_an_error_that_the_reference_cannot_make_up_is_an_error(tmp_path: Path) -> None:
    spec = write(tmp_path, FILE.replace("type: network", "type: command, response: {ok: 1}"))
    verdict = run(spec)
    assert verdict.state is State.ERROR
    assert "this reply has no error" in verdict.reason
