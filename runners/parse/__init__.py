"""Spec files' text to plain JSON data, with the line and column of every node.

Both languages give the same data model: what JSON can say, nothing else. What a file may cost is
bounded: its size, its depth and, where YAML aliases multiply nodes, their number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from runners.model import Json

Spot: TypeAlias = tuple[int, int]
"""Line and column, both from 1."""

Path: TypeAlias = Sequence[str | int]
"""Keys and indexes from the top of a document to a node."""

MAX_DEPTH = 100
MAX_NODES = 1_000_000

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class TextError(Exception):
    """Text that gives no data: which rule it breaks, where, and how to mend it."""

    def __init__(self, rule: str, message: str, spot: Spot, mend: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.spot = spot
        self.mend = mend


class Places(Protocol):
    """Where the nodes of one document stand in its text."""

    def at(self, path: Path, *, key: bool = False) -> Spot:
        """Give the spot of the node, or of its nearest ancestor where there is no such node.

        With `key`, the spot of the key that leads to the node, where there is one.
        """


def offset_to_spot(text: str, offset: int) -> Spot:
    """Give the line and column of a character."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1


def too_deep(spot: Spot) -> TextError:
    """Say that a document is nested deeper than any spec file needs."""
    return TextError("too-deep", f"nested deeper than {MAX_DEPTH} levels", spot)


def duplicate_key(key: str, spot: Spot) -> TextError:
    """Say that a mapping has a key twice, which would silently lose one of the values."""
    return TextError("duplicate-key", f"the key `{key}` is here twice", spot, "remove one of them")


def reject_lone_surrogates(value: Json, text: str) -> None:
    """Refuse a string that no file could hold, which only an escaped half of a pair can make."""
    escape = _SURROGATE.search(text)
    if escape is None:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        spot = offset_to_spot(text, escape.start())
        mend = "escape both halves of the pair"
        raise TextError("bad-string", "half of a surrogate pair", spot, mend) from None
