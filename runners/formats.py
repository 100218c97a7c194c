"""The kinds of spec files: how each is told by its keys, and where its cases stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runners.model import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of spec file, and its JSON Schema.

    A file has this format if all of `keys` stand at its top and, where there are `some_keys`, at
    least one of these does, or stands in one of its tests. `lists` are the top-level lists that
    hold its cases; without any, the whole file is one case.
    """

    name: str
    schema: str
    keys: tuple[str, ...]
    some_keys: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def fits(self, value: JsonObject) -> bool:
        """Whether the data has this format's keys."""
        if not all(key in value for key in self.keys):
            return False
        tests = value.get("tests")
        places = [value, *(tests if isinstance(tests, list) else [])]
        return not self.some_keys or any(_has_one(place, self.some_keys) for place in places)

    def may_be(self, text: str) -> bool:
        """Whether a file's text has this format's keys somewhere."""
        asked = [*map(re.escape, self.keys), *filter(None, ["|".join(self.some_keys)])]
        return all(re.search(rf"""\b({key})["']?\s*:""", text) for key in asked)

    def __str__(self) -> str:
        some = f", {' or '.join(self.some_keys)}" if self.some_keys else ""
        return f"{self.name} ({', '.join(self.keys)}{some})"


def _has_one(place: Json, keys: Sequence[str]) -> bool:
    return isinstance(place, dict) and any(key in place for key in keys)


FORMATS = (
    Format("unified", "unified.json", ("schemaVersion",), lists=("tests",)),
    Format("sdam", "sdam.json", ("uri", "phases")),
    Format("in-window", "in-window.json", ("topology_description", "mocked_topology_state")),
    Format("server-selection", "server-selection.json", ("topology_description", "operation")),
    Format("max-staleness", "max-staleness.json", ("topology_description", "read_preference")),
    Format("rtt", "rtt.json", ("new_rtt_ms",)),
    Format("cmap", "cmap.json", ("style", "operations")),
    Format(
        "bson-corpus",
        "bson-corpus.json",
        ("bson_type",),
        lists=("valid", "decodeErrors", "parseErrors"),
    ),
    Format(
        "bson-binary-vector", "bson-binary-vector.json", ("test_key", "tests"), lists=("tests",)
    ),
    Format("connection-string", "connection-string.json", ("tests",), ("hosts",), ("tests",)),
    Format("auth", "auth.json", ("tests",), ("credential",), ("tests",)),
    Format(
        "read-write-concern-document",
        "read-write-concern-document.json",
        ("tests",),
        ("readConcernDocument", "writeConcernDocument"),
        ("tests",),
    ),
    Format(
        "read-write-concern",
        "read-write-concern.json",
        ("tests",),
        ("readConcern", "writeConcern"),
        ("tests",),
    ),
    Format(
        "initial-dns-seedlist-discovery",
        "initial-dns-seedlist-discovery.json",
        ("uri",),
        ("seeds", "numSeeds", "error"),
    ),
)
"""The first format that fits is a file's format."""
