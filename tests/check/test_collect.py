"""What paths hold: each case once, under one name; broken files are not lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.collect import Collection, collect, own_specs
from runners.load import SpecError
from runners.model import State
from tests.check.stubs import a_test, write_rtt, write_spec


def ids(collection: Collection) -> list[str]:
    return [found.case.id for found in collection.cases]


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    folder = tmp_path / "spec_tests"
    write_spec(folder / "crud" / "find.json", a_test("one"), a_test("two"))
    write_spec(folder / "retries" / "find.json", a_test("one"))
    write_rtt(folder / "selection" / "rtt.json")
    return folder


def test_a_case_has_one_id_however_its_file_is_named(specs: Path) -> None:
    whole = ids(collect([specs]))
    assert whole == [
        "crud/find.json::one",
        "crud/find.json::two",
        "retries/find.json::one",
        "selection/rtt.json::rtt",
    ]
    assert ids(collect([specs / "crud"])) == whole[:2]
    assert ids(collect([specs / "crud" / "find.json", specs])) == whole


def test_a_tree_of_suites_gives_the_same_ids_from_any_folder(tmp_path: Path) -> None:
    path = write_spec(tmp_path / "source" / "crud" / "tests" / "unified" / "x.json", a_test("one"))
    for folder in (path, *path.parents[:4]):
        (found,) = collect([folder]).cases
        assert (found.case.id, found.case.suite) == ("crud/tests/unified/x.json::one", "crud")


def test_files_of_other_folders_are_told_apart(tmp_path: Path) -> None:
    write_spec(tmp_path / "mine" / "a" / "x.json", a_test("one"))
    write_spec(tmp_path / "mine" / "b" / "x.json", a_test("one"))
    assert ids(collect([tmp_path / "mine"])) == ["a/x.json::one", "b/x.json::one"]


def test_only(specs: Path) -> None:
    everything = collect([specs])
    assert ids(everything.only(["crud", "retries"], "ONE")) == [
        "crud/find.json::one",
        "retries/find.json::one",
    ]
    assert len(everything.only(["no such suite"])) == 0


def test_each_case_of_an_invalid_file_is_an_error(specs: Path) -> None:
    path = specs / "crud" / "bad.json"
    write_spec(path, {"description": "x", "operations": [{"name": 5}]}, a_test("good"))
    collection = collect([specs])
    assert [verdict.case.id for verdict in collection.broken] == [
        "crud/bad.json::x",
        "crud/bad.json::good",
    ]
    for verdict in collection.broken:
        assert verdict.state is State.ERROR
        assert verdict.failure is not None
        assert str(path) in verdict.failure.message
        assert verdict.failure.line
    assert len(collection) == 6


def test_a_file_that_cannot_be_read_is_one_error(specs: Path) -> None:
    (specs / "crud" / "bad.yml").write_text("tests: [\n")
    (verdict,) = collect([specs]).broken
    assert (verdict.case.id, verdict.case.suite) == ("crud/bad.yml", "crud")
    assert verdict.failure is not None
    assert "bad.yml:" in verdict.failure.message
    assert collect([specs]).only(["crud"]).broken == (verdict,)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        collect([tmp_path / "nothing"])


def test_our_own_cases_are_found_and_valid() -> None:
    collection = collect([own_specs()])
    assert len(collection.cases) > 100
    assert [verdict.case.id for verdict in collection.broken] == []
