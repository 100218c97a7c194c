"""`mongospec adapter check`, and drivers that a command serves."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from tests.adapters.served import COMMAND, SERVE
from tests.check.stubs import write_rtt
from tests.cli.conftest import Run


def test_check_tells_what_is_wrong(run: Run) -> None:
    result = run("adapter", "check", "--", "cat", "-u")
    assert result.exit_code == 1
    assert "FAILED   answers `open`:" in result.stdout
    assert "broke the protocol" in result.stdout
    assert run("adapter", "check").exit_code == 2
    assert run("adapter", "check", "--", "/no/such/program").exit_code == 1


def test_check_of_an_adapter_that_obeys(run: Run) -> None:
    result = run("adapter", "check", "--", *SERVE, "reference")
    assert result.exit_code == 0
    assert "FAILED" not in result.stdout
    assert "16 steps, 0 failed" in result.stderr


def test_a_driver_that_a_command_serves(run: Run, tmp_path: Path) -> None:
    path = write_rtt(tmp_path / "x" / "rtt.json")
    command = shlex.join((*SERVE, "reference"))
    asked = ("--driver", "reference", "--driver-command", command)
    result = run("check", path, *asked, "--json", tmp_path / "run.json")
    assert result.exit_code == 0
    names = ["run.reference-2.json", "run.reference.json"]
    assert sorted(each.name for each in tmp_path.glob("*.json")) == names
    for name in names:
        assert json.loads((tmp_path / name).read_text())["totals"]["states"]["pass"] == 1


def test_a_command_alone_is_the_only_driver(run: Run, tmp_path: Path) -> None:
    path = write_rtt(tmp_path / "x" / "rtt.json")
    result = run("check", path, "--driver-command", shlex.join(COMMAND))
    assert result.exit_code == 1  # it is the scripted one, which answers nonsense
    assert "scripted 1 (none)" in result.stdout
    assert "reference" not in result.stdout


def test_commands_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    path = write_rtt(tmp_path / "x" / "rtt.json")
    for command, message in (
        ("", "is empty"),
        ("'", "No closing quotation"),
        ("/no/such/program", "cannot start the adapter"),
        ("sh -c 'echo broken >&2'", "broken"),
    ):
        result = run("check", path, "--driver-command", command)
        assert result.exit_code == 2
        assert message in result.stderr
