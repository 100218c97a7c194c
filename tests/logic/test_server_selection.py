"""Server selection, max staleness and in-window files, written here."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.model import Json, State
from tests.logic.running import always, answering, run, write

SELECTION = """\
topology_description:
  type: ReplicaSetWithPrimary
  servers:
    - &a {address: a:27017, avg_rtt_ms: 5, type: RSPrimary, tags: {dc: ny}}
    - &b {address: b:27017, avg_rtt_ms: 100, type: RSSecondary, tags: {dc: ny}}
    - &c {address: c:27017, avg_rtt_ms: 5, type: RSSecondary}
operation: read
read_preference: {mode: Nearest, tag_sets: [{dc: ny}]}
suitable_servers: [*b, *a]
in_latency_window: [*a]
"""

STALENESS = """\
heartbeatFrequencyMS: 10000
topology_description:
  type: ReplicaSetNoPrimary
  servers:
    - &a
      address: a:27017
      avg_rtt_ms: 5
      type: RSSecondary
      lastUpdateTime: 0
      maxWireVersion: 21
      lastWrite: {lastWriteDate: {$numberLong: '90001'}}
    - {<<: *a, address: b:27017, lastWrite: {lastWriteDate: {$numberLong: '1'}}}
read_preference: {mode: Secondary, maxStalenessSeconds: 99}
suitable_servers: [*a]
in_latency_window: [*a]
"""

IN_WINDOW = """\
description: an idle server
topology_description:
  type: Sharded
  servers:
    - {address: a:27017, avg_rtt_ms: 5, type: Mongos}
    - {address: b:27017, avg_rtt_ms: 5, type: Mongos}
mocked_topology_state:
  - {address: a:27017, operation_count: 0}
  - {address: b:27017, operation_count: 9}
iterations: 100
outcome:
  tolerance: 0.05
  expected_frequencies: {a:27017: 1, b:27017: 0}
"""


@pytest.mark.parametrize("text", [SELECTION, STALENESS, IN_WINDOW])
def test_the_reference_passes(text: str, tmp_path: Path) -> None:
    verdict = run(write(tmp_path, text))
    assert verdict.state is State.PASS, verdict


@pytest.mark.parametrize(
    ("text", "old", "new", "place"),
    [
        (SELECTION, "servers: [*b, *a]", "servers: [*b, *c]", ("suitable_servers", 9)),
        (SELECTION, "window: [*a]", "window: [*a, *b]", ("in_latency_window", 10)),
        (SELECTION, "window: [*a]", "window: []", ("in_latency_window", 10)),
        (SELECTION, "operation: read", "operation: write", ("suitable_servers", 9)),
        (SELECTION, "suitable_servers: [*b, *a]", "error: true", ("error", 9)),
        (SELECTION, "Nearest", "Primary", ("suitable_servers", 9)),
        (
            SELECTION,
            "operation: read",
            "operation: read\ndeprioritized_servers: [*b]",
            ("suitable_servers", 10),
        ),
        (STALENESS, "Seconds: 99", "Seconds: 100", ("suitable_servers", 14)),
        (STALENESS, "Seconds: 99", "Seconds: 89", ("suitable_servers", 14)),
        (STALENESS, "FrequencyMS: 10000", "FrequencyMS: 500", ("suitable_servers", 14)),
        (IN_WINDOW, ", b:27017: 0}", "}", ("outcome.expected_frequencies", 13)),
    ],
)
def test_each_mismatch_is_found_at_its_place(
    text: str, old: str, new: str, place: tuple[str, int], tmp_path: Path
) -> None:
    assert text.count(old) == 1
    verdict = run(write(tmp_path, text.replace(old, new)))
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    assert (verdict.failure.path, verdict.failure.line) == place


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (SELECTION, "operation: read", "operation: read\ncandidates: []", "candidates: nothing"),
        (STALENESS, "heartbeatFrequencyMS", "heartbeatFrequency", "heartbeatFrequency: nothing"),
        (IN_WINDOW, "tolerance: 0.05", "tolerance: 0.05\n  most: 1", "outcome.most: nothing"),
        (IN_WINDOW, "tolerance: 0.05", "tolerance: small", "outcome.tolerance: should be a number"),
        (IN_WINDOW, "iterations: 100", "", "`iterations` is missing"),
    ],
)
def test_what_nothing_checks_is_an_error(
    text: str, old: str, new: str, says: str, tmp_path: Path
) -> None:
    verdict = run(write(tmp_path, text.replace(old, new)))
    assert verdict.state is State.ERROR
    assert says in verdict.reason


def test_shares_have_a_tolerance(tmp_path: Path) -> None:
    text = IN_WINDOW.replace("a:27017: 1,", "a:27017: 0.96,")
    assert run(write(tmp_path, text)).state is State.PASS


@pytest.mark.parametrize(
    ("error", "answer", "message"),
    [
        ("true", {"error": "too small"}, None),
        ("true", {"suitable": []}, "the driver accepts this"),
        ("false", {"error": "too small"}, "the driver refuses this"),
        ("false", {"suitable": []}, None),
    ],
)
def test_errors_are_expected_or_not(
    error: str, answer: Json, message: str | None, tmp_path: Path
) -> None:
    spec = write(tmp_path, SELECTION.partition("suitable_servers")[0] + f"error: {error}\n")
    verdict = run(spec, answering({"server-selection": always(answer)}))
    assert (verdict.failure and verdict.failure.message) == message


def test_a_file_that_expects_nothing_is_an_error(tmp_path: Path) -> None:
    verdict = run(write(tmp_path, SELECTION.partition("suitable_servers")[0]))
    assert verdict.state is State.ERROR
    assert "neither servers nor an error" in verdict.reason


@pytest.mark.parametrize(
    "answer", [{}, {"suitable": None}, {"suitable": {}}, {"suitable": [5]}, {"error": "no"}]
)
def test_a_shapeless_answer_fails(answer: Json, tmp_path: Path) -> None:
    verdict = run(write(tmp_path, SELECTION), answering({"server-selection": always(answer)}))
    assert verdict.state is State.FAIL


@pytest.mark.parametrize(
    "frequencies",
    [
        None,
        [],
        {},
        {"a:27017": 1, "b:27017": 0.001},  # 0 is meant exactly
        {"a:27017": 0.99},
        {"a:27017": "1"},
        {"a:27017": 1, "z:27017": 0.1},
    ],
)
def test_wrong_frequencies_fail(frequencies: Json, tmp_path: Path) -> None:
    answer = always({"frequencies": frequencies})
    verdict = run(write(tmp_path, IN_WINDOW), answering({"in-window": answer}))
    assert verdict.state is State.FAIL
