"""`check --record` and `replay`: what is written where, and what bad input is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runners.adapters.base import Reply
from runners.cli import check as command
from runners.cli import replay as replay_command
from runners.deployments.base import Deployment
from runners.model import JsonObject, Topology
from runners.record.record_file import RecordError, read
from runners.record.trail import Trail
from tests.check.stubs import Connecting, Driver, Stub, a_test, write_spec
from tests.cli.conftest import Run

FAILS = Reply({"ok": 0})


class Tls(Stub):
    """A deployment that uses TLS."""

    def start(self) -> None:
        super().start()
        self.info = replace(self.info, tls=True)


class Stage:
    """A scripted driver and deployments behind the command line."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.spec = write_spec(
            folder / "spec_tests" / "x" / "x.json", a_test("fails"), a_test("passes")
        )
        self.answers = [FAILS, Reply({"ok": 1})]
        self.records = folder / "records"
        self.deployment: type[Stub] = Stub
        patch.setattr(command, "load", self._load)
        patch.setattr(command, "offer", self._offer)
        patch.setattr(command, "connect", Connecting({}))

    def _load(self, name: str) -> Driver:
        answers = iter(self.answers)
        return Driver({"runCommand": lambda: next(answers)})

    def _offer(self, *_: object) -> list[Deployment]:
        return [self.deployment(Topology.REPLICA_SET)]

    @property
    def written(self) -> list[Path]:
        return sorted(self.records.iterdir())


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_a_failure_is_recorded_and_named(stage: Stage, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    result = run("check", stage.spec, "--record", stage.records, "--json", file)
    assert result.exit_code == 1
    (path,) = stage.written
    assert f"without a server: mongospec replay {path}" in result.stdout
    cases: Any = json.loads(file.read_text())["cases"]
    assert [case["record"] for case in cases] == [str(path), None]
    value: Any = read(path).value
    assert value["case"]["id"] == "x/x.json::fails"
    assert value["verdict"]["state"] == "fail"
    assert [each["name"] for each in value["operations"]] == [
        *("create client", "create database", "runCommand")
    ]
    assert "uri" not in value["operations"][0]["arguments"]


def test_all_is_recorded(stage: Stage, run: Run) -> None:
    run("check", stage.spec, "--record", stage.records, "--record-when", "always")
    assert [read(path).value["verdict"]["state"] for path in stage.written] == ["fail", "pass"]


def test_a_deployment_that_cannot_be_recorded(stage: Stage, run: Run) -> None:
    stage.deployment = Tls
    result = run("check", stage.spec, "--record", stage.records)
    assert result.exit_code == 1
    assert stage.written == []
    assert "not recorded: the deployment uses TLS" in result.stdout


def test_a_case_with_too_many_messages(
    stage: Stage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trail, "too_long", True)
    result = run("check", stage.spec, "--record", stage.records)
    assert stage.written == []
    assert "not recorded: its messages have more than 16 MiB" in result.stdout


def test_when_without_where(stage: Stage, run: Run) -> None:
    result = run("check", stage.spec, "--record-when", "always")
    assert result.exit_code == 2
    assert "--record-when goes with --record" in result.stderr


@pytest.fixture
def record(stage: Stage, run: Run) -> Path:
    run("check", stage.spec, "--record", stage.records)
    (path,) = stage.written
    return path


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (FAILS, 1, "still fails in the same way"),
        (Reply({"ok": 1}), 0, "passes now"),
        (Reply({"no": 1}), 1, "ends in another way"),
    ],
)
def test_replay_compares(
    stage: Stage,
    run: Run,
    record: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Reply,
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr(replay_command, "load", lambda name: Driver({"runCommand": answer}))
    result = run("replay", record, "--driver", "reference")
    assert result.exit_code == status
    assert "recorded: scripted 1: fail: the result of runCommand" in result.stdout
    assert f"now:      scripted 1: {said}" in result.stdout


def test_a_driver_that_nobody_knows_here(run: Run, record: Path) -> None:
    result = run("replay", record)
    assert result.exit_code == 2
    assert "the record is of the driver 'scripted'" in result.stderr
    assert run("replay", record, "--driver", "node", "--driver-command", "x").exit_code == 2


Damage = Callable[[Any], object]


def drop_text(value: Any) -> object:
    return value["case"].pop("text")


def another_id(value: Any) -> object:
    return value["case"].update(id="nobody")


def broken_spec(value: Any) -> object:
    return value["case"].update(text="{")


def broken_message(value: Any) -> object:
    header: JsonObject = {"opCode": 1, "requestId": 1, "responseTo": 0, "flags": 0}
    asked: JsonObject = {"at": 0, "server": "a:1", "connection": 1, "header": header}
    value["messages"] = [
        {**asked, "from": "driver", "body": {"ping": 1}, "raw": ""},
        {**asked, "from": "server", "header": {**header, "responseTo": 1}, "body": {}, "raw": "?"},
    ]
    return value


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda value: value.update(format="mongospec-record/9"), "this version reads"),
        (lambda value: value.update(format="mongospec-run/1"), "$.format: "),
        (drop_text, "'text' is a required property"),
        (another_id, "has no case 'nobody'"),
        (broken_spec, "the spec file in the record is broken"),
        (broken_message, "a recorded message is broken"),
        (lambda value: value["deployment"].update(uri="mongodb://u:p@a:1/"), "uri: "),
        (lambda value: value["deployment"].update(auth=True), "asks for authentication"),
        (lambda value: value["messages"].append({"at": 1}), "$.messages[0]"),
    ],
)
def test_a_damaged_record(run: Run, record: Path, damage: Damage, said: str) -> None:
    value = json.loads(record.read_text())
    damage(value)
    record.write_text(json.dumps(value))
    result = run("replay", record, "--driver", "reference")
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("text", ["", "[]", "null", "no JSON", '{"format": ', "[" * 100_000])
def test_what_is_no_record(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(text)
    result = run("replay", file)
    assert result.exit_code == 2
    assert str(file) in result.stderr


def test_a_cut_off_record(run: Run, record: Path) -> None:
    text = record.read_text()
    record.write_text(text[: len(text) // 2])
    with pytest.raises(RecordError, match="not JSON, or cut off"):
        read(record)
    assert run("replay", record).exit_code == 2
    assert run("replay", record.with_name("nothing")).exit_code == 2
