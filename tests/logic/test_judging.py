"""What becomes of a case: each state, its place and its reason."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from runners.model import JsonObject, State
from tests.logic.running import always, answering, run, write

FILE = """\
description: one more measurement
avg_rtt_ms: 1
new_rtt_ms: 6
new_avg_rtt: 2
"""


def test_a_right_answer_passes(tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILE))
    assert (verdict.state, verdict.reason, verdict.failure) == (State.PASS, "", None)
    assert verdict.seconds > 0


def test_a_wrong_answer_fails_with_both_sides_and_the_line(tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILE), answering({"rtt": always({"new_avg_rtt": 2.5})}))
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    assert (verdict.failure.path, verdict.failure.line) == ("new_avg_rtt", 4)
    assert (verdict.failure.expected, verdict.failure.actual) == (2, 2.5)


def test_a_driver_without_the_format_is_unsupported(tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILE), answering({}))
    assert (verdict.state, verdict.reason) == (State.UNSUPPORTED, "logic.rtt")


def test_an_adapter_that_crashes_is_an_error(tmp_path: Path) -> None:
    def crash(_: JsonObject) -> NoReturn:
        raise RuntimeError("out of luck")

    verdict = run(write(tmp_path, FILE), answering({"rtt": crash}))
    assert verdict.state is State.ERROR
    assert verdict.reason == "RuntimeError: out of luck"
    assert verdict.failure is not None
    assert "in crash" in verdict.failure.details


def test_an_answer_that_is_no_object_is_an_error(tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILE), answering({"rtt": always([2])}))
    assert verdict.state is State.ERROR
    assert "[2], not an object" in verdict.reason


@pytest.mark.parametrize(
    ("old", "new", "says", "line"),
    [
        ("new_avg_rtt: 2", "new_avg_rtt: 2\nminimum: 1", "minimum: nothing reads this key", 5),
        ("new_avg_rtt: 2", "", "`new_avg_rtt` is missing", 1),
        ("new_avg_rtt: 2", "new_avg_rtt: fast", "new_avg_rtt: should be a number", 4),
        ("avg_rtt_ms: 1", "avg_rtt_ms: true", "avg_rtt_ms: should be a number", 2),
    ],
)
def test_a_file_that_cannot_be_judged_is_an_error_at_its_line(
    old: str, new: str, says: str, line: int, tmp_path: Path
) -> None:
    verdict = run(write(tmp_path, FILE.replace(old, new, 1)))
    assert verdict.state is State.ERROR
    assert says in verdict.reason
    assert verdict.failure is not None
    assert verdict.failure.line == line
