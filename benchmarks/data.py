"""The data of the official benchmark, unpacked where it is first needed."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

BESIDE = Path(__file__).parents[2] / "shared/specifications/source/benchmarking/data"
"""Where the official data is, beside a checkout."""

LINES_SIZE = 5_650_000
PHOTO_SIZE = 5_242_880
"""Bytes of one file of the parallel tasks: 5,000 documents as lines of JSON, and for GridFS."""
_LINES, _PHOTOS = 100, 50


@dataclass(frozen=True, slots=True)
class Data:
    """A folder with the official archives, and one into which they are unpacked.

    Of what takes long, the files of the parallel tasks and mixed bulk writes, one in `share` is
    used. Reading raises OSError where a file is missing.
    """

    folder: Path
    scratch: Path
    share: int = 10

    def bson(self, name: str) -> str:
        """The Extended JSON of "flat", "deep" or "full"."""
        return self._file("extended_bson", f"{name}_bson.json").read_text("utf-8")

    def document(self, name: str) -> str:
        """The Extended JSON of "tweet", "small_doc" or "large_doc"."""
        return self._file("single_and_multi_document", f"{name}.json").read_text("utf-8")

    def large_file(self) -> bytes:
        """50 MB for GridFS."""
        return self._file("single_and_multi_document", "gridfs_large.bin").read_bytes()

    @property
    def line_files(self) -> int:
        """How many files `lines` gives."""
        return _LINES // self.share

    @property
    def photo_files(self) -> int:
        """How many files `photos` gives."""
        return _PHOTOS // self.share

    def lines(self) -> list[Path]:
        """Files of JSON, a document a line."""
        folder = self._file("parallel", "ldjson_multi")
        return [folder / f"ldjson{number:03}.txt" for number in range(self.line_files)]

    def photos(self) -> list[Path]:
        """Files of bytes."""
        folder = self._file("parallel", "gridfs_multi")
        return [folder / f"file{number:02}.txt" for number in range(self.photo_files)]

    def _file(self, archive: str, name: str) -> Path:
        if not (self.scratch / archive).is_dir():
            self._unpack(archive)
        path = self.scratch / archive / name
        if not path.exists():
            raise FileNotFoundError(f"{self.folder / archive}.tgz has no {archive}/{name}")
        return path

    def _unpack(self, archive: str) -> None:
        with tarfile.open(self.folder / f"{archive}.tgz") as files:
            for member in files:
                number = "".join(filter(str.isdigit, Path(member.name).name))
                limit = self.line_files if "ldjson" in member.name else self.photo_files
                if archive != "parallel" or not number or int(number) < limit:
                    self._take(files, member)

    def _take(self, files: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Unpack a plain file; `extract` has no filter before Python 3.11.4."""
        path = self.scratch / member.name
        source = files.extractfile(member) if member.isfile() else None
        if source is not None and path.resolve().is_relative_to(self.scratch.resolve()):
            path.parent.mkdir(parents=True, exist_ok=True)
            with source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)


@contextmanager
def unpacked(folder: Path, share: int) -> Iterator[Data]:
    """The data of a folder, while its copy lasts."""
    with TemporaryDirectory(prefix="mongospec-bench-") as scratch:
        yield Data(folder, Path(scratch), share)
