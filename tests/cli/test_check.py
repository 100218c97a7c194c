"""`mongospec check`: exit status, what is printed where, and the run file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from runners.adapters.base import AdapterError, Reply
from runners.cli import check as command
from runners.deployments.base import Deployment, DeploymentError
from runners.deployments.offer import Wish
from runners.model import Json, State, Topology, Verdict
from tests.check.stubs import Connecting, Driver, Stub, a_test, write_rtt, write_spec
from tests.cli.conftest import Run
from tests.unified.scripted import Answer

ON_SET: list[Json] = [{"topologies": ["replicaset"]}]


class Stage:
    """A driver and deployments behind the command line that are not real."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "spec_tests"
        self.answers: dict[str, Answer] = {"runCommand": Reply({"ok": 1})}
        self.wishes: list[Wish] = []
        self.drivers: list[str] = []

    def load(self, name: str) -> Driver:
        self.drivers.append(name)
        return Driver(self.answers)

    def offer(self, wish: Wish, connect: object, say: object) -> list[Deployment]:
        self.wishes.append(wish)
        kinds = wish.topologies or (Topology.REPLICA_SET, Topology.STANDALONE)
        return [Stub(kind) for kind in kinds]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(tmp_path)
    monkeypatch.setattr(command, "load", made.load)
    monkeypatch.setattr(command, "offer", made.offer)
    monkeypatch.setattr(command, "connect", Connecting({}))
    return made


def test_all_is_well(stage: Stage, run: Run, tmp_path: Path) -> None:
    write_spec(stage.folder / "crud" / "x.json", a_test("one"), a_test("two"))
    result = run("check", stage.folder, "--json", tmp_path / "run.json")
    assert result.exit_code == 0
    assert "scripted 1 (none) on replicaset-6.0.5: 2 cases" in result.stdout
    assert "2/2: 2 pass" in result.stderr
    assert "2/2" not in result.stdout
    value: Any = json.loads((tmp_path / "run.json").read_text())
    assert value["complete"] is True
    assert [case["state"] for case in value["cases"]] == ["pass", "pass"]
    assert [each["id"] for each in value["deployments"]] == ["replicaset-6.0.5"]
    assert value["specs"] == [{"path": str(stage.folder), "commit": None}]
    assert stage.drivers == ["reference"]


def test_a_failure_is_explained_and_sets_the_status(stage: Stage, run: Run) -> None:
    path = write_spec(stage.folder / "crud" / "x.json", a_test("one"))
    stage.answers["runCommand"] = Reply({"ok": 0})
    result = run("check", path)
    assert result.exit_code == 1
    assert "FAIL crud/x.json::one" in result.stdout
    assert f"at {path}:" in result.stdout
    assert "operation runCommand" in result.stdout
    assert "expected: 1" in result.stdout
    assert "fail: crud/x.json::one" in result.stderr


def test_a_broken_file_does_not_stop_the_others(stage: Stage, run: Run) -> None:
    write_spec(stage.folder / "crud" / "x.json", a_test("one"))
    (stage.folder / "crud" / "bad.json").write_text('{"a": 1,}')
    result = run("check", stage.folder)
    assert result.exit_code == 1
    assert "bad.json:1:" in result.stdout
    assert "1 pass, 1 error" in result.stderr


def test_selection(stage: Stage, run: Run) -> None:
    write_spec(stage.folder / "crud" / "x.json", a_test("one"), a_test("two"))
    write_spec(stage.folder / "reads" / "x.json", a_test("one"))
    assert ": 2 cases" in run("check", stage.folder, "-k", "ONE").stdout
    assert ": 2 cases" in run("check", stage.folder, "--suite", "crud").stdout
    assert ": 1 cases" in run("check", stage.folder, "--suite", "crud", "-k", "one").stdout
    nothing = run("check", stage.folder, "--suite", "writes")
    assert nothing.exit_code == 2
    assert "none of the 3 cases" in nothing.stderr
    assert "suites: crud, reads" in nothing.stderr


def test_wishes_reach_the_deployments(stage: Stage, run: Run, tmp_path: Path) -> None:
    write_spec(
        stage.folder / "x" / "x.json", a_test("all"), a_test("set", runOnRequirements=ON_SET)
    )
    arguments = ("--topology", "standalone", "--topology", "replicaset", "--server", "6.0")
    result = run("check", stage.folder, *arguments, "--mongod", tmp_path / "mongod")
    assert stage.wishes == [
        Wish(
            "local",
            (Topology.STANDALONE, Topology.REPLICA_SET),
            ("6.0",),
            tmp_path / "mongod",
        )
    ]
    assert "2 cases in 3 runs" in result.stdout


def test_several_drivers_have_a_run_file_each(stage: Stage, run: Run, tmp_path: Path) -> None:
    write_rtt(stage.folder / "x" / "rtt.json")
    drivers = ("--driver", "pymongo", "--driver", "reference", "--driver", "pymongo")
    result = run("check", stage.folder, *drivers, "--json", tmp_path / "run.json")
    assert result.exit_code == 1
    assert stage.drivers == ["pymongo", "reference"]
    names = {path.name for path in tmp_path.glob("*.json")}
    assert names == {"run.pymongo.json", "run.reference.json"}


def test_junit_has_all_drivers(stage: Stage, run: Run, tmp_path: Path) -> None:
    write_spec(stage.folder / "crud" / "x.json", a_test("one"))
    drivers = ("--driver", "reference", "--driver", "pymongo")
    run("check", stage.folder, *drivers, "--junit", tmp_path / "junit.xml")
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert root.get("tests") == "2"
    assert len(root) == 2


def test_an_interrupted_check_reports_what_it_has(
    stage: Stage, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_spec(stage.folder / "crud" / "x.json", a_test("one"), a_test("two"))
    note = command.Recorder.verdict

    def interrupt(self: command.Recorder, verdict: Verdict) -> None:
        note(self, verdict)
        raise KeyboardInterrupt

    monkeypatch.setattr(command.Recorder, "verdict", interrupt)
    result = run("check", stage.folder, "--json", tmp_path / "run.json")
    assert result.exit_code == 130
    assert "interrupted" in result.stdout
    value: Any = json.loads((tmp_path / "run.json").read_text())
    assert value["complete"] is False
    assert value["totals"]["verdicts"] == 1
    assert value["totals"]["states"][State.PASS] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/folder"], "no such file or folder"),
        (["--driver", "nonesuch"], "'nonesuch' is not one of"),
        (["--topology", "triangle"], "'triangle' is not one of"),
        (["--json", "/no/such/folder/run.json"], "there is no folder /no/such/folder"),
        (["--on", "localhost"], "begins with mongodb://"),
        (["--nonesuch"], "No such option"),
    ],
)
def test_bad_usage(run: Run, arguments: list[str], message: str) -> None:
    result = run("check", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_an_empty_folder(run: Run, tmp_path: Path) -> None:
    result = run("check", tmp_path)
    assert (result.exit_code, "no spec files in" in result.stderr) == (2, True)


def test_no_mongod(stage: Stage, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def offer(wish: Wish, connect: object, say: object) -> list[Deployment]:
        raise DeploymentError("no mongod found. Three ways")

    monkeypatch.setattr(command, "offer", offer)
    write_spec(stage.folder / "x" / "x.json", a_test("one"))
    result = run("check", stage.folder)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "Error: no mongod found. Three ways",
    )
    assert result.stdout == ""


def test_a_driver_that_is_not_installed(
    stage: Stage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> Driver:
        raise AdapterError(f"{name} is not installed")

    monkeypatch.setattr(command, "load", load)
    write_rtt(stage.folder / "x" / "rtt.json")
    result = run("check", stage.folder)
    assert (result.exit_code, result.stderr) == (2, "Error: reference is not installed\n")
