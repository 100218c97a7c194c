"""The libraries are fetched from the system's own package sources, of another suite."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from runners.deployments import openssl
from runners.deployments.base import DeploymentError

LINES = """\
# deb http://a.example/debian bookworm main
deb [signed-by=/k.gpg] http://a.example/debian bookworm main contrib
deb http://a.example/debian bookworm-updates main
deb-src http://a.example/debian bookworm main
deb https://b.example/apt tool-bookworm main
deb http://c.example/debian bookworm contrib
"""
STANZAS = """\
Types: deb
# a comment
URIs: http://d.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /k.gpg

Types: deb
URIs: http://d.example/debian-security
Suites: bookworm-security
Components: main
"""


class System:
    """A Debian whose apt brings a package with these files."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.apt = folder / "apt"
        (self.apt / "sources.list.d").mkdir(parents=True)
        self.release = folder / "os-release"
        self.release.write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
        self.content = {name: name.encode() for name in openssl.LIBRARIES}
        self.sources: list[str] = []
        self.commands: list[str] = []
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in self.content.items()}
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setattr(openssl, "LIBRARIES", digests)
        monkeypatch.setattr(openssl, "APT", self.apt)
        monkeypatch.setattr(openssl, "OS_RELEASE", self.release)
        monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
        monkeypatch.setattr(openssl, "run", self.run)

    def run(self, command: Sequence[str], folder: Path, what: str, seconds: float = 0) -> None:
        if command[-1] == "update":
            self.sources = [path.read_text() for path in sorted((folder / "sources").iterdir())]
        elif command[-1] == openssl.PACKAGE:
            (folder / "libssl.deb").touch()
        else:
            with tarfile.open(folder / "libssl.tar", "w") as archive:
                for name, content in self.content.items():
                    entry = tarfile.TarInfo(f"./usr/lib/x/{name}")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        self.commands.append(command[-1])


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    made = System(tmp_path, monkeypatch)
    (made.apt / "sources.list.d" / "debian.sources").write_text(STANZAS)
    return made


def test_both_libraries_are_kept(system: System) -> None:
    assert not openssl.is_kept()
    openssl.fetch(str)
    assert openssl.is_kept()
    assert {path.name for path in openssl.folder().iterdir()} == set(openssl.LIBRARIES)
    ran = len(system.commands)
    openssl.fetch(pytest.fail)
    assert len(system.commands) == ran


def test_sources_are_the_systems_own_of_the_other_suite(system: System) -> None:
    (system.apt / "sources.list").write_text(LINES)
    openssl.fetch(str)
    lines, stanzas = system.sources
    assert lines == "deb [signed-by=/k.gpg] http://a.example/debian bullseye main contrib\n"
    assert stanzas.split() == [
        *("Types:", "deb", "URIs:", "http://d.example/debian", "Suites:", "bullseye"),
        *("Components:", "main", "Signed-By:", "/k.gpg"),
    ]


def failing(system: System, message: str) -> None:
    with pytest.raises(DeploymentError, match=message) as caught:
        openssl.fetch(str)
    assert f"put both into {openssl.folder()}" in str(caught.value)
    assert not openssl.folder().exists()


def test_another_library_is_not_kept(system: System) -> None:
    system.content["libssl.so.1.1"] = b"something else"
    failing(system, r"libssl\.so\.1\.1 of libssl\.deb has sha256")


def test_a_package_without_a_library(system: System) -> None:
    del system.content["libssl.so.1.1"]
    failing(system, r"holds no file libssl\.so\.1\.1")


def test_a_system_with_other_sources(system: System) -> None:
    system.release.write_text("VERSION_CODENAME=jammy\n")
    failing(system, "names no source of Debian's jammy")
    system.release.unlink()
    failing(system, "names no source of Debian's packages")


def test_a_system_without_apt(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    failing(system, "there is no apt-get on PATH")
