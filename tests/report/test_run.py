"""Where specs come from: a SOURCE file nearby, else git, else nobody knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

from runners.report.run import specs_at

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def repository(folder: Path) -> str:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
        command = ["git", *who, *arguments]
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout

    folder.mkdir(parents=True, exist_ok=True)
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    return git("rev-parse", "HEAD").strip()


def test_a_source_file_above(tmp_path: Path) -> None:
    (tmp_path / "SOURCE.md").write_text(f"From there, commit {COMMIT}.\n")
    folder = tmp_path / "source" / "crud"
    folder.mkdir(parents=True)
    (folder / "x.json").touch()
    assert specs_at(folder).commit == COMMIT
    assert specs_at(folder / "x.json").commit == COMMIT


def test_git(tmp_path: Path) -> None:
    commit = repository(tmp_path)
    assert specs_at(tmp_path).commit == commit


def test_a_copy_within_a_repository(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "SOURCE").write_text(COMMIT)
    assert specs_at(tmp_path / "copy").commit == COMMIT


def test_a_source_file_outside_the_repository_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "SOURCE").write_text(COMMIT)
    commit = repository(tmp_path / "checkout")
    assert specs_at(tmp_path / "checkout").commit == commit


def test_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "SOURCE").write_text("no commit here")
    assert specs_at(tmp_path).commit is None
