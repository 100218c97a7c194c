"""Known failures: what an entry makes of a verdict, and what is wrong with a ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners import ledger
from runners.collect import collect, own_specs
from runners.ledger import Ledger, load
from runners.load import SpecError
from runners.model import Case, Failure, State, Topology, Verdict
from tests.check.stubs import a_test, write_spec
from tests.official import SOURCE

ID = "crud/x.json::one"
ENTRY = f"""failures:
  - case: {ID}
    fails: "the result .* differs"
    class: bug in driver
    note: It counts from one.
    ticket: DRIVER-1
    date: 2026-01-31
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "crud.yml").write_text(ENTRY)
    return tmp_path


def known(folder: Path, driver: str = "mine") -> Ledger:
    return load([folder], driver)


def verdict(state: State, message: str = "the result of x differs", id_: str = ID) -> Verdict:
    failure = Failure(message) if state is State.FAIL else None
    return Verdict(Case(id_, "crud", "unified", Path("x"), 1, "one"), state, failure=failure)


def test_a_failure_as_described_is_expected(folder: Path) -> None:
    judged = known(folder).judge(verdict(State.FAIL), None)
    assert judged.state is State.EXPECTED_FAIL
    assert judged.reason == "bug in driver: It counts from one."
    assert judged.failure == Failure("the result of x differs")


def test_another_failure_is_one(folder: Path) -> None:
    judged = known(folder).judge(verdict(State.FAIL, "a crash"), None)
    assert judged.state is State.FAIL
    expected = f"it fails otherwise than {folder / 'crud.yml'}:2:5 says: a crash"
    assert judged.reason == expected


def test_a_pass_is_unexpected(folder: Path) -> None:
    judged = known(folder).judge(verdict(State.PASS), None)
    assert judged.state is State.UNEXPECTED_PASS
    assert f"{folder / 'crud.yml'}:2:5" in judged.reason
    assert judged.state.breaks_the_run


@pytest.mark.parametrize(
    "state", [State.ERROR, State.UNMET, State.UNSUPPORTED, State.SKIPPED], ids=str
)
def test_other_states_stay(state: State, folder: Path) -> None:
    assert known(folder).judge(verdict(state), None) == verdict(state)


def test_other_cases_stay(folder: Path) -> None:
    other = verdict(State.FAIL, id_="crud/x.json::two")
    assert known(folder).judge(other, None) == other


def test_an_entry_may_hold_on_some_topologies_only(folder: Path) -> None:
    (folder / "crud.yml").write_text(f"{ENTRY}    topologies: [sharded]\n")
    found = known(folder)
    assert found.judge(verdict(State.FAIL), Topology.SHARDED).state is State.EXPECTED_FAIL
    assert found.judge(verdict(State.FAIL), Topology.STANDALONE).state is State.FAIL
    assert found.judge(verdict(State.PASS), None).state is State.PASS


def test_an_entry_may_hold_for_some_drivers_only(folder: Path) -> None:
    (folder / "crud.yml").write_text(f"{ENTRY}    drivers: [mine-async]\n")
    assert known(folder).entries == {}
    assert list(known(folder, "mine-async").entries) == [ID]


def problems(text: str, folder: Path) -> list[str]:
    path = folder / "crud.yml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        known(folder)
    return [str(each).removeprefix(f"{path}:") for each in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert old in ENTRY
    return ENTRY.replace(old, new)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("failures: 1\n", "1:11: [type] `failures` must be a list"),
        ("[]\n", "1:1: [not-a-mapping]"),
        ("failures: [\n", ": ["),
        (changed("    note: It counts from one.\n", ""), "2:5: [required]"),
        (changed("It counts from one.", "' '"), "5:11: [no-note]"),
        (changed("class: bug in driver", "class: it is hard"), "4:12: [value]"),
        (changed("class: bug in driver", "class: unexplained"), "4:12: [unexplained]"),
        (changed("the result .* differs", "the (result"), "3:12: [bad-pattern]"),
        (changed("the result .* differs", ""), "3:12: [size]"),
        (changed("2026-01-31", "2026-02-31"), "7:11: [bad-date]"),
        (changed("2026-01-31", "yesterday"), "7:11: [value]"),
        (changed("ticket", "tickets"), "6:5: [unknown-key]"),
        (changed("case: crud/", "case: reads/"), "2:11: [other-suite]"),
        (changed("::one", ""), "2:11: [value]"),
        (ENTRY + ENTRY.removeprefix("failures:\n"), "8:5: [duplicate]"),
        (
            ENTRY + ENTRY.removeprefix("failures:\n").replace("::one", "::aaa"),
            "8:11: [not-sorted]",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problem: str, tmp_path: Path) -> None:
    found = problems(text, tmp_path)
    assert problem in found[0]


def test_two_entries_of_a_case_have_to_differ_in_where_they_hold(folder: Path) -> None:
    item = ENTRY.removeprefix("failures:\n")
    (folder / "crud.yml").write_text(
        f"{ENTRY}    topologies: [sharded]\n{item}    topologies: [standalone]\n"
    )
    assert len(known(folder).entries[ID]) == 2


def test_all_problems_of_all_files_are_said(folder: Path) -> None:
    (folder / "crud.yml").write_text(changed("2026-01-31", "2026-02-31"))
    (folder / "reads.yml").write_text("failures: {}\n")
    with pytest.raises(SpecError) as caught:
        known(folder)
    assert [each.position.path.name for each in caught.value.problems] == ["crud.yml", "reads.yml"]


def test_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such ledger"):
        load([tmp_path / "nothing"], "mine")


def test_an_entry_needs_its_case(folder: Path, tmp_path: Path) -> None:
    specs = tmp_path / "spec_tests"
    write_spec(specs / "crud" / "x.json", a_test("ones"), a_test("two"))
    with pytest.raises(SpecError, match=r"crud.yml:2:5: \[no-such-case\].*did you mean `ones`"):
        known(folder).check(collect([specs]))
    write_spec(specs / "crud" / "x.json", a_test("one"), a_test("two"))
    known(folder).check(collect([specs]))
    known(folder).check(collect([specs]).only((), "two"))  # its file is here, and has the case


def test_a_file_that_is_not_checked_says_nothing_of_an_entry(folder: Path, tmp_path: Path) -> None:
    specs = tmp_path / "spec_tests"
    write_spec(specs / "crud" / "y.json", a_test("two"))
    known(folder).check(collect([specs]))


OWN = ["node", "pymongo", "reference"]


@pytest.mark.parametrize("driver", OWN)
def test_our_own_ledgers_are_in_order(driver: str) -> None:
    paths = ledger.own(driver)
    assert paths == ledger.own(f"{driver}-async")
    found = load(paths, driver)
    assert found.entries
    specs = [own_specs()] + ([SOURCE] if SOURCE.is_dir() else [])
    collection = collect(specs)
    found.check(collection)
    if SOURCE.is_dir():
        names = {each.spec.name for each in collection.cases}
        assert {id_.partition("::")[0] for id_ in found.entries} <= names


def test_a_driver_without_a_ledger() -> None:
    assert ledger.own("no-such-driver") == []
    assert load([], "no-such-driver") == ledger.NOTHING
