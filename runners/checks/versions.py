"""schemaVersion: what a file declares, and whether the harness runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runners.load import SpecFile
from runners.model import Problem
from runners.unified.needs import SCHEMA

Version = tuple[int, ...]

_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}")


def parse_version(text: str) -> Version:
    """Read `major.minor.patch`, where what is left out is 0."""
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def declared_version(spec: SpecFile) -> Version | None:
    """Give the file's schemaVersion, or None where it has no such thing."""
    text = spec.value.get("schemaVersion")
    return parse_version(text) if isinstance(text, str) and _VERSION.fullmatch(text) else None


def check_version(spec: SpecFile) -> Iterator[Problem]:
    """Check that the harness runs files of the declared version; its type is the schema's part."""
    text, declared = spec.value.get("schemaVersion"), declared_version(spec)
    newest = (*SCHEMA, 0)
    if declared is None and isinstance(text, str):
        message = f"schemaVersion {text[:40]!r} is not a version"
    elif declared is not None and (declared[0] != newest[0] or declared > newest):
        message = f"schemaVersion {text} is not supported"
    else:
        return
    mend = f"supported: 1.0 to {'.'.join(map(str, SCHEMA))}"
    yield spec.problem(("schemaVersion",), "schema-version", message, mend)
