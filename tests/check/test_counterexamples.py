"""What must not pass is a pass when it does not, and a failure when it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.adapters.base import AdapterError, Reply, Unsupported
from runners.collect import collect
from runners.control import ControlError
from runners.model import State, Topology
from tests.check.stubs import Stub, a_test, write_spec
from tests.check.test_check import PINGED, Bench
from tests.unified.scripted import Answer, failed


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.driver.answers = dict(PINGED)
    return bench


@pytest.mark.parametrize("folder", ["invalid", "valid-fail"])
def test_a_file_that_is_refused_as_it_should_be_is_a_pass(bench: Bench, folder: str) -> None:
    write_spec(bench.folder / "a" / folder / "x.json", {"description": "no list", "operations": 1})
    (verdict,) = bench.run()
    assert (verdict.state, verdict.failure) == (State.PASS, None)
    assert verdict.reason.startswith("as it should: ")
    assert "operations" in verdict.reason


def test_the_same_file_elsewhere_is_an_error(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "other" / "x.json", {"description": "x", "operations": 1})
    assert bench.states() == {"x": [State.ERROR]}


def test_a_file_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "spec_tests" / "a" / "invalid" / "x.json"
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "nowhere")
    (verdict,) = collect([file.parent]).broken
    assert verdict.state is State.ERROR


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (failed("no"), State.PASS),
        (AdapterError("makes no sense"), State.PASS),
        (Reply({"ok": 1}), State.FAIL),
        (Unsupported("operation.database.runCommand"), State.UNSUPPORTED),
        (ZeroDivisionError("a bug of the harness"), State.ERROR),
    ],
)
def test_a_case_that_must_fail(bench: Bench, answer: Answer, state: State) -> None:
    bench.driver.answers["runCommand"] = answer
    write_spec(bench.folder / "a" / "valid-fail" / "x.json", a_test("x"))
    (verdict,) = bench.run()
    assert verdict.state is state, verdict


def test_a_broken_deployment_proves_nothing(bench: Bench) -> None:
    bench.driver.answers["runCommand"] = AdapterError("nobody answers")
    bench.connecting.answers["ping"] = ControlError("gone")
    bench.deployments = [Stub(Topology.STANDALONE)]
    write_spec(bench.folder / "a" / "valid-fail" / "x.json", a_test("x"))
    assert bench.states() == {"x": [State.ERROR]}


def test_a_valid_file_among_the_invalid_ones_is_a_failure(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "invalid" / "x.json", a_test("x"))
    (verdict,) = bench.run()
    assert verdict.state is State.FAIL
    assert verdict.reason == "it is in a folder invalid, but ended as pass"
