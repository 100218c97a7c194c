"""Entries that are proposed: for new failures, in order, without touching what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners import ledger
from runners.adapters.base import DriverInfo
from runners.ledger_update import update
from runners.load import SpecError
from runners.model import Case, DeploymentInfo, Failure, State, Topology, Verdict
from runners.report.run import Run


def run(
    *verdicts: tuple[str, State, str],
    driver: str = "mine",
    topology: Topology = Topology.STANDALONE,
) -> Run:
    """A run with these cases: id, state and message."""
    info = DeploymentInfo(f"{topology}-8.2", topology, "8.2", "", ())
    found = [
        Verdict(
            Case(id_, id_.partition("/")[0], "", Path("x"), 1, ""),
            state,
            deployment=info.id,
            failure=Failure(message) if state is State.FAIL else None,
        )
        for id_, state, message in verdicts
    ]
    return Run(DriverInfo(driver, "1", "x", frozenset()), (), (info,), tuple(found))


FAIL = ("crud/x.json::m", State.FAIL, "should be [1] (not 2)\nand more")
PASS = ("crud/x.json::m", State.PASS, "")


def explain(folder: Path) -> None:
    """Do what a person has to do with proposals."""
    for path in folder.glob("*.yml"):
        text = path.read_text()
        text = text.replace("class: unexplained", "class: server").replace('note: ""', "note: why")
        path.write_text(text)


def test_a_proposal_has_to_be_explained_first(tmp_path: Path) -> None:
    assert list(update([run(FAIL)], tmp_path)) == [
        f"{tmp_path / 'crud.yml'}: 1 added; say of each why it fails"
    ]
    with pytest.raises(SpecError, match=r"crud.yml:4:12: \[unexplained\]"):
        ledger.load([tmp_path], "mine")
    explain(tmp_path)
    found = ledger.load([tmp_path], "mine")
    (verdict,) = run(FAIL).verdicts
    assert found.judge(verdict, None).state is State.EXPECTED_FAIL


def test_nothing_that_is_there_changes(tmp_path: Path) -> None:
    list(update([run(FAIL)], tmp_path))
    explain(tmp_path)
    path = tmp_path / "crud.yml"
    before = path.read_text().replace("note: why", "note: why  # a comment of mine")
    path.write_text(before)
    more = [(f"crud/x.json::{name}", State.FAIL, "new") for name in "azyb"]
    list(update([run(FAIL, *more)], tmp_path))
    after = path.read_text()
    cases = [line.split("::")[1][:1] for line in after.splitlines() if "case:" in line]
    assert cases == ["a", "b", "m", "y", "z"]
    assert before.removeprefix("failures:\n") in after
    explain(tmp_path)
    assert len(ledger.load([tmp_path], "mine").entries) == 5


def test_a_second_time_adds_nothing(tmp_path: Path) -> None:
    list(update([run(FAIL)], tmp_path))
    text = (tmp_path / "crud.yml").read_text()
    assert list(update([run(FAIL)], tmp_path)) == []
    assert (tmp_path / "crud.yml").read_text() == text


def test_each_suite_has_a_file(tmp_path: Path) -> None:
    list(update([run(FAIL, ("reads/x.json::m", State.FAIL, "no"))], tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crud.yml", "reads.yml"]


def test_what_no_longer_holds_is_named(tmp_path: Path) -> None:
    list(update([run(FAIL)], tmp_path))
    unexpected = ("crud/x.json::m", State.UNEXPECTED_PASS, "")
    (passes,) = update([run(unexpected)], tmp_path)
    assert passes.endswith("crud.yml:2:5: crud/x.json::m passes now; remove its entry")
    (otherwise,) = update([run(("crud/x.json::m", State.FAIL, "a crash"))], tmp_path)
    assert otherwise.endswith("crud/x.json::m fails otherwise now: a crash")


def test_where_it_passes_is_left_out(tmp_path: Path) -> None:
    sharded = run(PASS, topology=Topology.SHARDED)
    list(update([run(FAIL), run(FAIL, topology=Topology.REPLICA_SET), sharded], tmp_path))
    explain(tmp_path)
    (entry,) = ledger.load([tmp_path], "mine").entries["crud/x.json::m"]
    assert entry.topologies == frozenset({"standalone", "replicaset"})
    assert not entry.drivers


def test_for_which_driver_it_passes_is_left_out(tmp_path: Path) -> None:
    list(update([run(FAIL), run(PASS, driver="mine-async")], tmp_path))
    explain(tmp_path)
    (entry,) = ledger.load([tmp_path], "mine").entries["crud/x.json::m"]
    assert entry.drivers == frozenset({"mine"})
    assert not entry.topologies


def test_several_messages_are_all_expected(tmp_path: Path) -> None:
    other = ("crud/x.json::m", State.FAIL, "quite [another] failure")
    runs = [run(FAIL), run(other, driver="mine-async")]
    list(update(runs, tmp_path))
    explain(tmp_path)
    found = ledger.load([tmp_path], "mine")
    states = [found.judge(each.verdicts[0], None).state for each in runs]
    assert states == [State.EXPECTED_FAIL] * 2


def test_a_ledger_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crud.yml").write_text("failures: 1\n")
    with pytest.raises(SpecError, match=r"crud.yml:1:11"):
        list(update([run(FAIL)], tmp_path))
