"""The folder of what is kept between runs. What it holds is whole and is what we pinned.

A file appears there whole or not at all, under a name with the hash of its content. So runs side
by side can share it; a lock keeps them from fetching the same thing twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from runners.deployments.base import DeploymentError

BLOCK = 1 << 20
LOCK_SECONDS = 1800.0
LOCK_POLL = 0.1


def cache_folder() -> Path:
    """Where downloads and unpacked binaries are kept between runs (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mongospec"


def keep(source: IO[bytes], sha256: str, target: Path, *, described: str) -> None:
    """Copy what `source` holds to the executable `target`, once it is what we pinned.

    `described` says where it is from, should it be something else: then DeploymentError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    digest = hashlib.sha256()
    try:
        with open(handle, "wb") as copy:
            while block := source.read(BLOCK):
                digest.update(block)
                copy.write(block)
        if digest.hexdigest() != sha256:
            raise DeploymentError(
                f"{described} has sha256 {digest.hexdigest()}, not the {sha256} we know, and is "
                "not used; get a server elsewhere and give it with --mongod PATH"
            )
        os.chmod(name, 0o755)
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def locked(name: str, say: Callable[[str], object]) -> Iterator[Path]:
    """An empty folder within the cache, in which one process at a time works on `name`.

    Says so where it has to wait, and raises DeploymentError after LOCK_SECONDS.
    """
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f".{name}.lock").open("w") as lock:
        _wait_for(lock, name, say)
        for left in cache_folder().glob(f".{name}-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=f".{name}-") as folder:
            yield Path(folder)


def _wait_for(lock: IO[str], name: str, say: Callable[[str], object]) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                say(f"waiting for another process that fetches {name}")
                told = True
            if time.monotonic() > deadline:
                raise DeploymentError(
                    f"another process has been fetching {name} for {LOCK_SECONDS:g} s; end it"
                ) from None
            threading.Event().wait(LOCK_POLL)
        else:
            return
