"""The data of the official benchmark, read out of its archives."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

BESIDE = Path(__file__).parents[2] / "shared/specifications/source/benchmarking/data"
"""Where the official data is, beside a checkout."""


@dataclass(frozen=True, slots=True)
class Data:
    """A folder with the archives. Reading raises OSError where a file is missing."""

    folder: Path = BESIDE

    def bson(self, name: str) -> str:
        """The Extended JSON of "flat", "deep" or "full"."""
        return self._read("extended_bson", f"{name}_bson.json").decode()

    def document(self, name: str) -> str:
        """The Extended JSON of "tweet", "small_doc" or "large_doc"."""
        return self._read("single_and_multi_document", f"{name}.json").decode()

    def _read(self, archive: str, name: str) -> bytes:
        path = self.folder / f"{archive}.tgz"
        with tarfile.open(path) as files:
            try:
                member = files.extractfile(f"{archive}/{name}")
            except KeyError:
                member = None
            if member is None:
                raise FileNotFoundError(f"{path} has no {archive}/{name}")
            return member.read()
