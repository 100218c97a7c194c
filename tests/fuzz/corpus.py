"""The kept inputs, a line of hexadecimal digits each, and folders of files as libFuzzer has them.

`python -m tests.fuzz.corpus unpack FOLDER` writes the files, `pack FOLDER` keeps them.
"""

from __future__ import annotations

import sys
from hashlib import sha1
from pathlib import Path

KEPT = Path(__file__).with_name("corpus.txt")


def kept() -> list[bytes]:
    """All of them."""
    return [bytes.fromhex(line) for line in KEPT.read_text("ascii").splitlines()]


def unpack(folder: Path) -> None:
    """Write each to a file named by its hash, as libFuzzer does."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in kept():
        (folder / sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def pack(folder: Path) -> None:
    """Keep what the folder has, the shortest first."""
    inputs = {path.read_bytes() for path in folder.iterdir()}
    lines = [data.hex() for data in sorted(inputs, key=lambda data: (len(data), data))]
    KEPT.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](Path(sys.argv[2]))
