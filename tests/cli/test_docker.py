"""The command line with `--on docker`."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo import MongoClient

from runners.deployments.offer import connect
from runners.model import Topology
from tests.check.stubs import a_test, write_spec
from tests.cli.conftest import Run
from tests.conftest import in_docker


def test_without_an_engine_check_says_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    spec = write_spec(tmp_path / "spec_tests" / "x" / "x.json", a_test("ping"))
    for command in (("check", spec), ("up", "standalone")):
        result = run(*command, "--on", "docker")
        assert result.exit_code == 2
        assert "no Docker Engine answers" in result.stderr
        assert "systemctl start docker" in result.stderr
        assert "Traceback" not in result.stderr


def test_images_takes_versions_or_bases(run: Run) -> None:
    result = run("images", "--server", "8.2", "--base", "mongo:8")
    assert result.exit_code == 2
    assert "the image of --base has its version" in result.stderr


@pytest.mark.live
@pytest.mark.docker
def test_check_on_a_standalone(run: Run, tmp_path: Path) -> None:
    version = in_docker(Topology.STANDALONE, connect).info.server_version
    spec = write_spec(tmp_path / "spec_tests" / "x" / "x.json", a_test("ping"))
    result = run("check", spec, "--on", "docker", "--topology", "standalone")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == f"starting standalone-{version}-docker"
    wanted = run("check", spec, "--on", "docker", "--server", "3.6")
    assert wanted.exit_code == 2
    assert "--server 3.6: there are images of" in wanted.stderr


@pytest.mark.live
@pytest.mark.docker
def test_up_and_down(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = in_docker(Topology.STANDALONE, connect).info.server_version
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    up = run("up", "standalone", "--on", "docker")
    try:
        assert up.exit_code == 0
        with MongoClient[dict[str, object]](up.stdout.strip()) as client:
            assert client.admin.command("buildInfo")["version"] == version
    finally:
        down = run("down", "standalone")
    assert down.stderr.startswith(f"standalone-{version}-docker: stopped mongodb://")
