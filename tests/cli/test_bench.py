"""`mongospec bench`: its options, and every task once with both drivers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import contenders, pair, tasks
from benchmarks.data import BESIDE
from runners.deployments.local import LocalDeployment
from tests.cli.conftest import Run


@pytest.fixture
def _pymongo() -> None:
    pytest.importorskip("pymongo", reason="not run: PyMongo, an extra, is not installed")


@pytest.mark.usefixtures("_pymongo")
def test_data_that_is_not_there(run: Run, tmp_path: Path) -> None:
    result = run("bench", "--data", tmp_path)
    assert result.exit_code == 2
    assert "extended_bson.tgz" in result.stderr


def test_without_pymongo(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> contenders.Contender:
        raise ImportError("No module named 'pymongo'")

    monkeypatch.setattr(contenders, "pymongo", missing)
    result = run("bench")
    assert result.exit_code == 2
    assert "pip install 'mongospec[pymongo]'" in result.stderr


@pytest.mark.shared
@pytest.mark.skipif(not BESIDE.is_dir(), reason=f"not run: no official data in {BESIDE}")
@pytest.mark.usefixtures("_pymongo")
class TestWithData:
    def test_no_such_task(self, run: Run) -> None:
        result = run("bench", "-k", "no such task")
        assert result.exit_code == 2
        assert "no task's name contains 'no such task'" in result.stderr

    def test_bson_needs_no_server(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "bench.json"
        result = run("bench", "-k", "bson decoding", "--seconds", 0, "--json", path)
        assert result.exit_code == 0
        assert "flat BSON decoding" in result.stdout
        written = json.loads(path.read_text())
        assert written["server"] is None
        names = [task["name"] for task in written["tasks"]]
        assert names == [f"{name} BSON decoding" for name in ("flat", "deep", "full")]

    @pytest.mark.live
    def test_every_task(
        self,
        run: Run,
        standalone: LocalDeployment,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(pair, "MIN_SAMPLES", 2)
        monkeypatch.setattr(pair, "_SAMPLE", 0.0)
        monkeypatch.setattr(tasks, "MANY", 20)
        monkeypatch.setattr(tasks, "FEW", 1)
        path = tmp_path / "bench.json"
        uri = standalone.info.uri
        result = run("bench", "--on", uri, "--seconds", 0, "--json", path)
        assert result.exit_code == 0, result.output
        written = json.loads(path.read_text())
        assert len(written["tasks"]) == 6 + 2 * 7
        assert all(task["time_ratio"] > 0 for task in written["tasks"])
        assert written["server"] == standalone.info.server_version
