"""New cases to start from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runners.lint import lint
from runners.load import cases, load
from runners.new import SUITES, new_case


@pytest.mark.parametrize("suite", SUITES)
def test_a_new_case_is_right(tmp_path: Path, suite: str) -> None:
    path = new_case(suite, "some-name", tmp_path)
    spec = load(path, tmp_path)

    assert path == tmp_path / suite / "some-name.yml"
    assert lint(spec) == []
    assert spec.format == SUITES[suite]
    assert spec.value["description"] == "some-name"
    assert {case.suite for case in cases(spec)} == {suite}
    assert not re.search("@[A-Z]+@", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("suite", SUITES)
def test_its_first_line_leads_editors_to_the_schema(tmp_path: Path, suite: str) -> None:
    path = new_case(suite, "some-name", tmp_path)
    comment, schema = path.read_text(encoding="utf-8").splitlines()[0].split("$schema=")

    assert comment == "# yaml-language-server: "
    assert (path.parent / schema).resolve().is_file()
    assert Path(schema).stem == SUITES[suite]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = new_case("rtt", "one", tmp_path)
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        new_case("rtt", "one", tmp_path)

    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("suite", "name", "message"),
    [
        ("cruds", "one", "did you mean `crud`?"),
        ("../x", "one", "no suite"),
        ("crud", "../one", "is no name"),
        ("crud", "One", "is no name"),
        ("crud", "one.two", "is no name"),
        ("crud", "", "is no name"),
        ("crud", "a" * 49, "at most 48"),
    ],
)
def test_bad_names_are_refused(tmp_path: Path, suite: str, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        new_case(suite, name, tmp_path)

    assert list(tmp_path.iterdir()) == []
