"""A recorded case that failed goes on, for what a replay may need; its verdict stays."""

from __future__ import annotations

import threading

import pytest

from runners.adapters.base import AdapterError, Reply
from runners.load import SpecFile, cases
from runners.model import JsonObject, State, Verdict
from runners.unified import run as running
from tests.unified.files import file_with, find, insert
from tests.unified.scripted import Bench

OUTCOME: JsonObject = {
    "outcome": [{"databaseName": "test", "collectionName": "things", "documents": [{"_id": 1}]}]
}
WRONG = insert(expectError={"isError": True})


def recorded(bench: Bench, file: SpecFile) -> Verdict:
    """The verdict of a case that is recorded, and so goes on after its failure."""
    return running.run_case(
        *(file, cases(file)[0], bench.driver, bench.deployment, bench.control),
        events=bench.events,
        recorded=True,
    )


def test_a_recorded_failure_goes_on_to_the_end_of_its_case() -> None:
    bench = Bench({"find": []})
    file = file_with(insert(), WRONG, find(expectResult=[1]), insert(), test=OUTCOME)
    verdict = recorded(bench, file)
    assert verdict.failure is not None
    assert verdict.failure.path == "tests[0].operations[1].expectError"
    done = [each for each in bench.driver.done if each.startswith("coll.")]
    assert done == ["coll.insertOne", "coll.insertOne", "coll.find", "coll.insertOne"]
    assert bench.told[-1] == "killAllSessions []"
    assert "find things" in bench.told
    assert bench.driver.done[-1] == "reset"


def test_only_what_a_failure_cut_off_is_done() -> None:
    bench = Bench()
    verdict = recorded(bench, file_with(insert(), test=OUTCOME))
    assert verdict.state is State.ERROR
    assert bench.driver.done.count("coll.insertOne") == 1


def test_going_on_can_break_without_a_change_of_the_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench({"find": AdapterError("it broke")})
    assert recorded(bench, file_with(WRONG, find())).state is State.FAIL
    end = threading.Event()

    def hang() -> Reply:
        end.wait()
        return Reply()

    monkeypatch.setattr(running, "CASE_SECONDS", 0.5)
    monkeypatch.setattr(running, "END_SECONDS", 0)
    verdict = recorded(Bench({"find": hang}), file_with(WRONG, find()))
    end.set()
    assert verdict.failure is not None
    assert "gave up" not in verdict.failure.message
