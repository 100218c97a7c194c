"""Data for the benchmark of the official shape, but small."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

DOCUMENT = json.dumps({"a": 1, "b": ["c" * 20], "of": {"$oid": "0123456789abcdef01234567"}})
LINES = '{"a":1}\n{"a":2}\n'
SHARE = 50
"""With it, there are two files of lines and one of bytes."""


def archives(folder: Path) -> Path:
    """Write them."""
    bson = dict.fromkeys(_json("flat_bson", "deep_bson", "full_bson"), DOCUMENT)
    archive(folder, "extended_bson", bson)
    documents = dict.fromkeys(_json("tweet", "small_doc", "large_doc"), DOCUMENT)
    archive(folder, "single_and_multi_document", {**documents, "gridfs_large.bin": "x" * 300_000})
    lines = {f"ldjson_multi/ldjson{number:03}.txt": LINES for number in range(3)}
    photos = {f"gridfs_multi/file{number:02}.txt": "y" * 1000 for number in range(2)}
    archive(folder, "parallel", {**lines, **photos})
    return folder


def _json(*names: str) -> list[str]:
    return [f"{name}.json" for name in names]


def archive(folder: Path, name: str, files: dict[str, str]) -> None:
    """Write one, of texts by their paths in a folder of its name."""
    with tarfile.open(folder / f"{name}.tgz", "w:gz") as written:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size = len(text)
            written.addfile(member, io.BytesIO(text.encode()))
