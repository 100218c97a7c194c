"""A new spec file to start from: one case that is right, with comments and the editor's schema."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from runners.formats import FORMATS
from runners.hints import did_you_mean

SUITES: Final[dict[str, str]] = {
    "crud": "unified",
    "retryable-reads": "unified",
    "retryable-writes": "unified",
    "sdam": "sdam",
    "server-selection": "server-selection",
    "max-staleness": "max-staleness",
    "in-window": "in-window",
    "rtt": "rtt",
    "connection-monitoring-and-pooling": "cmap",
    "bson-corpus": "bson-corpus",
    "bson-binary-vector": "bson-binary-vector",
    "connection-string": "connection-string",
    "uri-options": "connection-string",
    "auth": "auth",
    "read-write-concern": "read-write-concern",
    "read-write-concern-document": "read-write-concern-document",
    "initial-dns-seedlist-discovery": "initial-dns-seedlist-discovery",
}
"""The suites that a case can be written for, and the format of each."""

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME: Final = 48  # it is part of a database's name, which may have 63 bytes
_TEMPLATES: Final = files("runners") / "templates"
_SCHEMAS: Final = Path(__file__).parent / "schema"


def new_case(suite: str, name: str, root: Path) -> Path:
    """Write `root/suite/name.yml` and give its path.

    Raises ValueError where the suite is not known or the name not fit for a file and a database,
    and FileExistsError rather than overwrite.
    """
    if suite not in SUITES:
        raise ValueError(f"there is no suite `{suite}`: {did_you_mean(suite, SUITES)}")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"`{name}` is no name for a case: use lower-case words with hyphens between them,"
            f" at most {_LONGEST_NAME} characters"
        )
    path = root / suite / f"{name}.yml"
    schema = next(known.schema for known in FORMATS if known.name == SUITES[suite])
    relative = Path(os.path.relpath(_SCHEMAS / schema, path.parent)).as_posix()
    text = (_TEMPLATES / f"{suite}.yml.in").read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text.replace("@SCHEMA@", relative).replace("@NAME@", name))
    return path
