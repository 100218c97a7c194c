"""`list`, `lint`, `new` and `report`: commands that only look at files, or write one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runners.collect import own_specs
from runners.model import State
from runners.report.recorded import read
from runners.report.run_file import write
from runners.shard import Shard
from tests.check.stubs import a_test, write_rtt, write_spec
from tests.cli.conftest import Run
from tests.report.samples import RUN, VERDICTS, a_run


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    folder = tmp_path / "spec_tests"
    write_spec(
        folder / "crud" / "x.json",
        a_test("one"),
        a_test("two", runOnRequirements=[{"topologies": ["sharded"]}]),
    )
    write_rtt(folder / "rtts" / "rtt.json")
    return folder


def test_list(run: Run, specs: Path) -> None:
    result = run("list", specs)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "crud/x.json::one\tany server",
        "crud/x.json::two\tsharded",
        "rtts/rtt.json::rtt\tno server",
    ]
    assert run("list", specs, "-k", "two").stdout == "crud/x.json::two\tsharded\n"


def test_list_names_broken_files(run: Run, specs: Path) -> None:
    (specs / "crud" / "bad.yml").write_text("{")
    result = run("list", specs)
    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 3
    assert "bad.yml:" in result.stderr


def test_list_without_a_path_has_our_own(run: Run) -> None:
    result = run("list", "--suite", "crud")
    assert result.exit_code == 0
    assert all(line.startswith("crud/") for line in result.stdout.splitlines())


def test_lint_of_good_files(run: Run, specs: Path) -> None:
    result = run("lint", specs)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 files, 0 problems" in result.stderr


def test_lint_of_bad_files(run: Run, specs: Path) -> None:
    bad = specs / "crud" / "bad.yml"
    bad.write_text("a: 1\na: 2\n")
    result = run("lint", specs)
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"{bad}:2:1: [duplicate-key]")
    (problem,) = json.loads(run("lint", specs, "--json").stdout)
    assert problem["file"] == str(bad)
    assert (problem["line"], problem["column"], problem["rule"]) == (2, 1, "duplicate-key")
    assert set(problem) == {"file", "line", "column", "rule", "message", "mend"}


def test_lint_without_a_problem_is_an_empty_array(run: Run, specs: Path) -> None:
    assert json.loads(run("lint", "--json", specs).stdout) == []


@pytest.mark.parametrize("arguments", [[], ["/no/such/file"]])
def test_lint_needs_files(run: Run, arguments: list[str]) -> None:
    assert run("lint", *arguments).exit_code == 2


def test_new_writes_a_valid_case(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "spec_tests"
    result = run("new", "rtt", "slower-and-slower", "--folder", folder)
    path = folder / "rtt" / "slower-and-slower.yml"
    assert (result.exit_code, result.stdout) == (0, f"{path}\n")
    assert run("lint", path).exit_code == 0
    assert len(run("list", path).stdout.splitlines()) == 1


def test_new_names_the_suites(run: Run, tmp_path: Path) -> None:
    result = run("new", "crudd", "x", "--folder", tmp_path)
    assert result.exit_code == 2
    assert "did you mean `crud`?" in result.stderr
    assert "connection-string" in run("new", "--help").stdout


def test_new_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    first = run("new", "crud", "x", "--folder", tmp_path)
    second = run("new", "crud", "x", "--folder", tmp_path)
    assert (first.exit_code, second.exit_code) == (0, 2)
    assert "exists already" in second.stderr


@pytest.mark.parametrize("name", ["../x", "Find One", "", "-x", "x.yml"])
def test_new_wants_good_names(run: Run, tmp_path: Path, name: str) -> None:
    result = run("new", "--folder", tmp_path, "--", "crud", name)
    assert result.exit_code == 2
    assert "lower-case words" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_version(run: Run) -> None:
    assert run("--version").stdout.startswith("mongospec, version ")


def test_report_of_a_run_file(run: Run, tmp_path: Path) -> None:
    write(RUN, tmp_path / "run.json")
    shown = run("report", tmp_path / "run.json")
    assert shown.exit_code == 0
    assert f"{len(VERDICTS)}" in shown.stdout
    run("report", tmp_path / "run.json", "--markdown", tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text().startswith("# Conformance")


def test_report_of_another_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    result = run("report", tmp_path / "x.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "x.json: $: " in result.stderr


def test_report_of_the_parts_of_a_run(run: Run, tmp_path: Path) -> None:
    for index in (1, 2):
        part = replace(a_run(*VERDICTS[index - 1 :: 2]), shard=Shard(index, 2, "a" * 64))
        write(part, tmp_path / f"{index}.json")
    short = run("report", tmp_path / "1.json")
    assert (short.exit_code, short.stdout) == (2, "")
    assert "missing: 2/2" in short.stderr
    both = [tmp_path / "1.json", tmp_path / "2.json"]
    assert run("report", *both, "--json", tmp_path / "whole.json").exit_code == 0
    assert read(tmp_path / "whole.json").cases == RUN.cases
    several = run("report", *both, tmp_path / "whole.json", "--json", tmp_path / "x.json")
    assert several.exit_code == 2
    assert "these files are of 2" in several.stderr


def test_report_writes_pages(run: Run, tmp_path: Path) -> None:
    write(RUN, tmp_path / "run.json")
    html, badge = tmp_path / "page.html", tmp_path / "badge.svg"
    done = run("report", tmp_path / "run.json", "--html", html, "--badge", badge)
    assert (done.exit_code, done.stdout) == (0, "")
    assert html.read_text().startswith("<!doctype html>")
    assert badge.read_text().startswith("<svg")


def test_diff(run: Run, tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    write(RUN, old)
    write(a_run(*(replace(each, state=State.PASS) for each in VERDICTS)), new)
    worse, better, same = run("diff", new, old), run("diff", old, new), run("diff", old, old)
    assert (worse.exit_code, better.exit_code, same.exit_code) == (1, 0, 0)
    assert worse.stdout.startswith(
        "regression: 8\n  crud/x.yml::error on replicaset-6.0.5: pass ->"
    )
    assert better.stdout.startswith("mended: 8\n")
    assert same.stdout == "no case ended otherwise\n"
    assert run("diff", old, tmp_path / "none.json").exit_code == 2


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_part_that_cannot_be(run: Run, part: str) -> None:
    result = run("check", "--shard", part)
    assert result.exit_code == 2
    assert "is not I/N" in result.stderr


def test_more_parts_than_cases(run: Run) -> None:
    result = run("check", own_specs() / "uri-options", "--shard", "2/1000")
    assert result.exit_code == 2
    assert "cases cannot be split into 1000 parts" in result.stderr
