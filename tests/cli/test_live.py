"""The command line with real servers, as processes that are interrupted and killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.deployments.binaries import Binary
from runners.deployments.offer import connect
from runners.deployments.process import free_ports
from runners.model import Json, JsonObject
from runners.unified.uri import Uri
from tests.check.stubs import a_test, write_spec
from tests.cli.conftest import Run, start
from tests.waiting import wait_until

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files and records are this test's alone."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def servers(folder: Path) -> list[str]:
    """The command lines of all processes that were told to work in the folder."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            lines.append(line)
    return lines


def nothing_left(tmp_path: Path) -> bool:
    return not servers(tmp_path / "tmp") and not list((tmp_path / "tmp").iterdir())


def await_slow_test(tmp_path: Path) -> None:
    """Wait until the only server is at work on the slow test."""
    (port,) = re.findall(r"--port (\d+)", " ".join(servers(tmp_path / "tmp")))
    control = connect(f"mongodb://127.0.0.1:{port}/?directConnection=true")
    counting: JsonObject = {"currentOp": 1, "command.count": "x"}
    try:
        wait_until(lambda: bool(control.command("admin", counting)["inprog"]), 30)
    finally:
        control.close()


def answers(host: str) -> bool:
    address, _, port = host.partition(":")
    try:
        socket.create_connection((address, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def slow(description: str) -> JsonObject:
    """A test that takes longer than any test here may last."""

    def command(name: str, **arguments: Json) -> Json:
        given: JsonObject = {"commandName": name, "command": {name: "x", **arguments}}
        return {"name": "runCommand", "object": "db", "arguments": given}

    insert = command("insert", documents=[{"_id": 1}])
    return {
        "description": description,
        "operations": [insert, command("count", query={"$where": "sleep(100000)"})],
    }


def test_check_on_a_standalone(run: Run, mongod: Binary, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "spec_tests" / "x" / "x.json", a_test("ping"))
    result = run("check", spec, "--topology", "standalone", "--mongod", mongod.path)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        0,
        f"starting standalone-{mongod.version}",
    )
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", -15), ("SIGKILL", -9)])
def test_an_ended_check_leaves_nothing(
    mongod: Binary, tmp_path: Path, number: str, status: int
) -> None:
    spec = write_spec(tmp_path / "spec_tests" / "x" / "x.json", a_test("quick"), slow("slow"))
    report = tmp_path / "run.json"
    arguments = ("--topology", "standalone", "--mongod", mongod.path, "--json", report)
    with start("check", spec, *arguments) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("1/2"):
                break
        assert len(servers(tmp_path / "tmp")) == 2  # mongod, and its guard
        await_slow_test(tmp_path)
        process.send_signal(signal.Signals[number])
        _, said = process.communicate(timeout=30)
    assert process.returncode == status
    assert "Traceback" not in said
    wait_until(lambda: nothing_left(tmp_path))
    if number != "SIGKILL":
        value: Any = json.loads(report.read_text())
        assert [case["state"] for case in value["cases"]] == ["pass"]
        assert value["complete"] is False


@pytest.fixture
def _down(run: Run) -> Iterator[None]:
    yield
    run("down")


@pytest.mark.usefixtures("_down")
def test_up_and_down(run: Run, mongod: Binary, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with start("up", "standalone", "--mongod", mongod.path, "--port", port) as process:
        uri, said = process.communicate(timeout=60)
    assert (process.returncode, uri, said) == (0, f"mongodb://127.0.0.1:{port}/\n", "")
    with pytest.raises(ProcessLookupError):  # Ctrl-C in the shell must not reach the servers
        os.killpg(process.pid, signal.SIGINT)
    assert answers(f"127.0.0.1:{port}")
    again = run("up", "standalone", "--mongod", mongod.path)
    assert again.exit_code == 2
    assert f"is up already at mongodb://127.0.0.1:{port}/" in again.stderr
    spec = write_spec(tmp_path / "spec_tests" / "x" / "x.json", a_test("ping"))
    assert run("check", spec, "--on", uri.strip()).exit_code == 0
    assert answers(f"127.0.0.1:{port}")
    down = run("down", "standalone")
    assert (down.exit_code, down.stderr) == (0, f"standalone-{mongod.version}: stopped {uri}")
    assert nothing_left(tmp_path)
    assert not answers(f"127.0.0.1:{port}")
    assert list((tmp_path / "state" / "mongospec").iterdir()) == []
    assert run("down").stderr == "nothing was up\n"


@pytest.mark.usefixtures("_down")
def test_a_killed_keeper_takes_its_servers_along(run: Run, mongod: Binary, tmp_path: Path) -> None:
    uri = run("up", "replicaset", "--mongod", mongod.path).stdout.strip()
    hosts = Uri.parse(uri).hosts
    assert len(hosts) == 3
    assert all(map(answers, hosts))
    record: Any = json.loads(
        (tmp_path / "state" / "mongospec" / f"replicaset-{mongod.version}.json").read_text()
    )
    os.kill(record["keeper"], signal.SIGKILL)
    wait_until(lambda: nothing_left(tmp_path))
    assert run("down", "replicaset").stderr == "replicaset was not up\n"
    assert list((tmp_path / "state" / "mongospec").iterdir()) == []


def test_up_on_a_taken_port(run: Run, mongod: Binary, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        result = run("up", "standalone", "--mongod", mongod.path, "--port", port)
    assert result.exit_code == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in result.stderr
    assert nothing_left(tmp_path)
    assert run("down").stderr == "nothing was up\n"
