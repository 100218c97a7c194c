"""`mongospec bench`: its options, and every task once with both drivers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import contenders, data, memory, pair, tasks
from runners import requirements
from runners.deployments.local import LocalDeployment
from tests.benchmarks.small import SHARE, archives
from tests.cli.conftest import Run

has_proc = pytest.mark.skipif(
    not memory.CLEAR.exists(), reason="not run: this system does not tell the peak of a process"
)


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


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of small data."""
    return archives(tmp_path)


@pytest.mark.usefixtures("_pymongo")
class TestWithData:
    def test_no_such_task(self, run: Run, small: Path) -> None:
        result = run("bench", "-k", "no such task", "--data", small)
        assert result.exit_code == 2
        assert "no task's name contains 'no such task'" in result.stderr

    def test_bson_needs_no_server(
        self, run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "growth", lambda question: None)
        path = tmp_path / "bench.json"
        result = run(
            "bench", "-k", "bson decoding", "--seconds", 0, "--json", path, "--data", small
        )
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
        small: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(pair, "MIN_SAMPLES", 1)
        monkeypatch.setattr(pair, "_SAMPLE", 0.0)
        monkeypatch.setattr(tasks, "MANY", 20)
        monkeypatch.setattr(tasks, "FEW", 1)
        monkeypatch.setattr(tasks, "EACH", 1)
        # A new process would know nothing of this; it is asked once, below.
        monkeypatch.setattr(memory, "growth", lambda question: 5 << 20)
        path = tmp_path / "bench.json"
        uri = standalone.info.uri
        options = ("--seconds", 0, "--share", SHARE, "--data", small, "--json", path)
        result = run("bench", "--on", uri, *options)
        assert result.exit_code == 0, result.output
        written = json.loads(path.read_text())
        new = requirements.version(standalone.info.server_version) >= (8, 0, 0)
        assert len(written["tasks"]) == 6 + 2 * (4 + 3 + (6 if new else 3) + 2 + 4 + 2)
        assert ("needs server 8.0" in result.stderr) is not new
        assert all(task["time_ratio"] > 0 for task in written["tasks"])
        floors = [task["floor"] for task in written["tasks"] if task["name"] == "find one by ID"]
        assert all(floor["latencies"]["50"] > 0 for floor in floors)
        assert len(floors) == 2
        assert written["server"] == standalone.info.server_version
        picture = tmp_path / "bench.svg"
        assert run("bench", "report", path, "--svg", picture).exit_code == 0
        assert "LDJSON multi-file export" in picture.read_text()

    @has_proc
    def test_memory_in_a_process_of_its_own(self, small: Path, tmp_path: Path) -> None:
        files = data.Data(small, tmp_path)
        task = "full BSON decoding"
        times = 100_000  # the seconds of each are kept, too
        grown = memory.growth(memory.Question(files, task, "sync", "reference", None, times))
        assert grown is not None
        assert grown > 2 << 20


@has_proc
def test_memory() -> None:
    held: list[bytes] = []
    assert memory.grown(lambda: held.append(b"x" * (64 << 20))) >= 60 << 20
    held.clear()
    assert memory.grown(lambda: None) < 30 << 20


def test_a_file_that_is_no_run(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("{}")
    result = run("bench", "report", path, "--svg", tmp_path / "x.svg")
    assert result.exit_code == 2
    assert "not written by `mongospec bench --json`" in result.stderr
    assert run("bench", "report", tmp_path / "none", "--svg", tmp_path / "x.svg").exit_code == 2
