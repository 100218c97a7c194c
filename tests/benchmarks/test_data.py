"""The archives: what is unpacked, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.data import unpacked
from tests.benchmarks.small import DOCUMENT, LINES, SHARE, archive, archives


def test_a_share(tmp_path: Path) -> None:
    with unpacked(archives(tmp_path), SHARE) as data:
        assert data.bson("deep") == data.document("tweet") == DOCUMENT
        assert data.large_file() == b"x" * 300_000
        assert [path.read_text() for path in data.lines()] == [LINES] * 2
        assert [path.name for path in data.photos()] == ["file00.txt"]
        folder = data.photos()[0].parent
        assert len(list(folder.iterdir())) == 1
    assert not folder.exists()


def test_what_is_missing(tmp_path: Path) -> None:
    with unpacked(archives(tmp_path), SHARE) as data:
        with pytest.raises(FileNotFoundError, match=r"extended_bson\.tgz has no"):
            data.bson("wide")
        (tmp_path / "parallel.tgz").unlink()
        with pytest.raises(FileNotFoundError, match=r"parallel\.tgz"):
            data.lines()


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    name = f"{tmp_path.name}-escaped"
    archive(tmp_path, "extended_bson", {f"../../{name}": "", f"../..{tmp_path}/absolute": ""})
    with unpacked(tmp_path, SHARE) as data:
        with pytest.raises(FileNotFoundError):
            data.bson("flat")
        assert not (data.scratch.parent / name).exists()
