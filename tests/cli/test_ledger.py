"""`check --ledger` and `mongospec ledger`: known failures on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runners import ledger
from runners.adapters.base import Reply
from runners.model import State
from tests.check.stubs import a_test, write_spec
from tests.cli.conftest import Run
from tests.cli.test_check import Stage, stage

__all__ = ["stage"]


@pytest.fixture
def folder(stage: Stage, run: Run, tmp_path: Path) -> Path:
    """A ledger that knows of the one failure of a suite, explained."""
    write_spec(stage.folder / "crud" / "x.json", a_test("one"))
    stage.answers["runCommand"] = Reply({"ok": 0})
    assert run("check", stage.folder, "--json", tmp_path / "run.json").exit_code == 1
    folder = tmp_path / "ledger"
    result = run("ledger", "update", tmp_path / "run.json", "--folder", folder)
    assert (result.exit_code, "1 added" in result.stdout) == (0, True)
    assert run("check", stage.folder, "--ledger", folder).exit_code == 2
    path = folder / "crud.yml"
    text = path.read_text().replace("unexplained", "server")
    path.write_text(text.replace('note: ""', "note: it is tired"))
    return folder


def test_a_known_failure_does_not_break_the_run(
    stage: Stage, run: Run, folder: Path, tmp_path: Path
) -> None:
    result = run("check", stage.folder, "--ledger", folder, "--json", tmp_path / "run.json")
    assert result.exit_code == 0
    (case,) = json.loads((tmp_path / "run.json").read_text())["cases"]
    assert (case["state"], case["reason"]) == ("expected-fail", "server: it is tired")
    assert run("check", stage.folder, "--ledger", folder, "--no-ledger").exit_code == 2
    assert run("check", stage.folder, "--no-ledger").exit_code == 1


def test_an_entry_that_no_longer_holds_breaks_the_run(stage: Stage, run: Run, folder: Path) -> None:
    stage.answers["runCommand"] = Reply({"ok": 1})
    result = run("check", stage.folder, "--ledger", folder)
    assert result.exit_code == 1
    assert "UNEXPECTED-PASS crud/x.json::one" in result.stdout
    stage.answers["runCommand"] = Reply({"ok": {}})
    result = run("check", stage.folder, "--ledger", folder)
    assert result.exit_code == 1
    assert "it fails otherwise than" in result.stdout


def test_an_entry_without_a_case_breaks_the_run(stage: Stage, run: Run, folder: Path) -> None:
    write_spec(stage.folder / "crud" / "x.json", a_test("two"))
    result = run("check", stage.folder, "--ledger", folder)
    assert result.exit_code == 2
    assert f"{folder / 'crud.yml'}:2:5: [no-such-case]" in result.stderr


def test_a_drivers_own_ledger_is_found(
    stage: Stage, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "own", lambda driver: [folder] if driver == "scripted" else [])
    result = run("check", stage.folder)
    assert result.exit_code == 0
    assert State.EXPECTED_FAIL in result.stdout


def test_lint(run: Run, folder: Path) -> None:
    assert run("ledger", "lint", folder).exit_code == 0
    (folder / "crud.yml").write_text("failures: 1\n")
    result = run("ledger", "lint", folder)
    assert result.exit_code == 2
    assert "crud.yml:1:11" in result.stderr


def test_runs_of_two_drivers_have_two_ledgers(
    stage: Stage, run: Run, folder: Path, tmp_path: Path
) -> None:
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "other.json").write_text(text.replace('"scripted"', '"other"'))
    result = run("ledger", "update", tmp_path / "run.json", tmp_path / "other.json")
    assert result.exit_code == 2
    assert "these runs are of other, scripted" in result.stderr


def test_lint_of_a_folder_without_a_ledger(run: Run, tmp_path: Path) -> None:
    result = run("ledger", "lint", tmp_path)
    assert result.exit_code == 2
    assert "[no-ledger] there are no .yml files" in result.stderr
