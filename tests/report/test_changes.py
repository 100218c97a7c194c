"""What changed from one run to another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runners.model import State, Verdict
from runners.report.changes import Kind, changes
from tests.report.samples import RUN, a_run, a_verdict


def verdict(state: State | None, deployment: str = "replicaset-6.0.5") -> list[Verdict]:
    """The verdict of a case in this state; none without a state."""
    return [replace(a_verdict(State.PASS, deployment=deployment), state=state)] if state else []


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (State.PASS, State.FAIL, Kind.REGRESSION),
        (State.PASS, State.ERROR, Kind.REGRESSION),
        (State.PASS, State.UNMET, Kind.REGRESSION),
        (State.PASS, State.SKIPPED, Kind.REGRESSION),
        (State.PASS, None, Kind.REGRESSION),
        (State.UNMET, State.FAIL, Kind.REGRESSION),
        (State.EXPECTED_FAIL, State.UNEXPECTED_PASS, Kind.REGRESSION),
        (None, State.FAIL, Kind.REGRESSION),
        (State.FAIL, State.PASS, Kind.MENDED),
        (State.UNSUPPORTED, State.PASS, Kind.MENDED),
        (State.FAIL, State.ERROR, Kind.OTHER),
        (State.FAIL, State.EXPECTED_FAIL, Kind.OTHER),
        (State.UNMET, State.UNSUPPORTED, Kind.OTHER),
        (None, State.PASS, Kind.NEW),
        (State.FAIL, None, Kind.GONE),
    ],
)
def test_what_a_change_means(old: State | None, new: State | None, kind: Kind) -> None:
    (change,) = changes(a_run(*verdict(old)), a_run(*verdict(new)))
    assert change.kind is kind
    assert f"{old or 'not there'} -> {new or 'not there'}" in str(change)


def test_the_same_run_has_no_changes() -> None:
    assert changes(RUN, RUN) == []


def test_the_next_server_version_is_compared_with_the_last() -> None:
    old, new = verdict(State.PASS, "replicaset-6.0.5"), verdict(State.FAIL, "replicaset-8.2.0")
    (change,) = changes(a_run(*old), a_run(*new))
    assert change.kind is Kind.REGRESSION
    assert "on replicaset-8.2.0: pass -> fail" in str(change)


def test_of_several_deployments_only_the_same_are_compared() -> None:
    old = [*verdict(State.PASS, "a"), *verdict(State.FAIL, "b")]
    new = [*verdict(State.PASS, "b"), *verdict(State.PASS, "a"), *verdict(State.PASS, "c")]
    told = [(each.kind, str(each).split(": ")[0]) for each in changes(a_run(*old), a_run(*new))]
    name = "crud/x.yml::pass"
    assert told == [(Kind.MENDED, f"{name} on b"), (Kind.NEW, f"{name} on c")]
