"""The shared libraries of OpenSSL 1.1 for servers that were built with it.

Debian had them last in bullseye, so a later Debian can fetch them with apt: with a private folder
instead of the system's, with the system's own package sources, only of that suite, and without
root. Just the two libraries are unpacked, into a folder that those servers alone load from.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runners.deployments import cache
from runners.deployments.base import DeploymentError
from runners.deployments.fetch import Say, packed, run

SUITE: Final = "bullseye"
PACKAGE: Final = "libssl1.1=1.1.1w-0+deb11u1"
LIBRARIES: Final = {
    "libcrypto.so.1.1": "cde898ee0dcd5e27350f40f4419c7745eb4a3356f4456bdc2b373d6ba97ed20a",
    "libssl.so.1.1": "f39abf7f23a10dbcbfb4b7a9da2746167ea53e99a84f377d11020d3ca106b5be",
}
OS_RELEASE: Final = Path("/etc/os-release")
APT: Final = Path("/etc/apt")
APT_SECONDS: Final = 300.0
NAME: Final = "openssl-1.1"


def folder() -> Path:
    """Where the libraries are kept, once they are there."""
    return cache.cache_folder() / NAME


def is_kept() -> bool:
    """Whether both libraries are in the cache."""
    return all((folder() / name).is_file() for name in LIBRARIES)


def fetch(say: Say) -> None:
    """Bring both libraries into the cache. Raises DeploymentError, saying what else can be done."""
    with cache.locked(NAME, say) as work:
        if is_kept():
            return
        say("fetching the libraries of OpenSSL 1.1 with apt, 10 MB")
        try:
            _unpack(_download(work), work / NAME)
        except DeploymentError as error:
            raise DeploymentError(
                f"{error}\nservers of this version need libssl.so.1.1 and libcrypto.so.1.1: put "
                f"both into {folder()}, or choose a version that does without (mongospec servers)"
            ) from None
        shutil.rmtree(folder(), ignore_errors=True)
        (work / NAME).replace(folder())


def _download(work: Path) -> Path:
    """The package, fetched by an apt that has nothing to do with the system's state."""
    apt = shutil.which("apt-get")
    if apt is None:
        raise DeploymentError("there is no apt-get on PATH to fetch the libraries with")
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "archives" / "partial").mkdir(parents=True)
    (work / "status").touch()
    _write_sources(work / "sources")
    settings = {
        "Dir::State": work,
        "Dir::State::lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::Cache": work,
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": work / "sources",
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::http::Timeout": 30,
        "Acquire::https::Timeout": 30,
    }
    private = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    what = f"cannot fetch {PACKAGE} of {SUITE}"
    run([apt, "-q", *private, "update"], work, what, APT_SECONDS)
    run([apt, "-q", *private, "download", PACKAGE], work, what, APT_SECONDS)
    (package,) = work.glob("*.deb")
    return package


def _write_sources(target: Path) -> None:
    """The system's sources of its own Debian release, with our suite in its place."""
    target.mkdir()
    found = re.search(r"^VERSION_CODENAME=\"?(\w+)", _text(OS_RELEASE), re.MULTILINE)
    codename = found[1] if found else ""
    lists = [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*.list"))]
    lines = [line for path in lists for line in _lines(_text(path), codename)]
    stanzas = [
        stanza
        for path in sorted((APT / "sources.list.d").glob("*.sources"))
        for stanza in _stanzas(_text(path), codename)
    ]
    if not codename or not (lines or stanzas):
        raise DeploymentError(f"{APT} names no source of Debian's {codename or 'packages'}")
    (target / "lines.list").write_text("\n".join([*lines, ""]))
    (target / "stanzas.sources").write_text("\n\n".join([*stanzas, ""]))


def _lines(text: str, codename: str) -> Iterator[str]:
    """Lines such as `deb [options] URI SUITE main`, for our suite."""
    for line in text.splitlines():
        if re.match(rf"deb\s.*\s{codename}\s(.*\s)?main\b", line):
            yield re.sub(rf"\s{codename}\s", f" {SUITE} ", line)


def _stanzas(text: str, codename: str) -> Iterator[str]:
    """Stanzas of fields such as `Suites: ...`, for our suite."""
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = {name: value.split() for name, _, value in (each.partition(":") for each in lines)}
        if codename in fields.get("Suites", ()) and "main" in fields.get("Components", ()):
            yield "\n".join(
                f"Suites: {SUITE}" if line.startswith("Suites:") else line for line in lines
            )


def _unpack(package: Path, target: Path) -> None:
    """Verify the libraries of a Debian package and keep them in a folder."""
    archive = package.with_suffix(".tar")
    command = 'dpkg-deb --fsys-tarfile "$1" > "$2"'
    run(["sh", "-c", command, "sh", str(package), str(archive)], package.parent, "cannot unpack it")
    for name, sha256 in LIBRARIES.items():
        with packed(archive, name) as source:
            cache.keep(source, sha256, target / name, described=f"{name} of {package.name}")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
