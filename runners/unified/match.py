"""Evaluating Matches: an expected value of a spec file against what a driver gave.

Pure. The expected side is Extended JSON as the file has it, with the special `$$` operators; the
actual side is Extended JSON from the adapter. Spec: unified-test-format, "Evaluating Matches".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeAlias

from runners.model import Json, JsonObject
from runners.unified.values import NUMERIC, TYPE_ALIASES, MalformedValue, decode, number

Path: TypeAlias = "tuple[str | int, ...]"
"""The way to a place in a file: keys of objects and indexes of arrays."""


class Missing(Enum):
    """What stands for a value that is not there at all (null is a value)."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "<missing>"


MISSING: Final = Missing.MISSING

Actual: TypeAlias = "Json | Missing"


class Root(Enum):
    """Whether a value is a root-level document, which may have keys that nobody expects."""

    NO = "no"
    YES = "yes"
    ITEMS = "items"
    """It is one itself and, if it is an array, each of its items is one."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first place where the actual value is not the expected one."""

    message: str
    path: Path
    expected: Json
    actual: Actual


class BadExpectation(ValueError):
    """The expected value itself makes no sense: a fault of the file, not of the driver."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(f"{render(path)}: {message}")
        self.path = path


class Context(Protocol):
    """What matching needs of a running case. Both raise when there is no such entity."""

    def entity_value(self, name: str, path: Path) -> Json:
        """The BSON value saved under `name`."""

    def session_lsid(self, name: str, path: Path) -> JsonObject:
        """The logical session id of the session `name`."""


def render(path: Path) -> str:
    """A path as people write it: `tests[3].operations[2].expectResult.insertedId`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def operator(expected: Json) -> str | None:
    """The special operator that an expected value is, if it is one."""
    if isinstance(expected, dict) and len(expected) == 1:
        key = next(iter(expected))
        return key if key.startswith("$$") else None
    return None


def match(
    expected: Json,
    actual: Actual,
    context: Context,
    *,
    root: Root = Root.NO,
    path: Path = (),
) -> Mismatch | None:
    """The first difference, or None where `actual` is as expected.

    Raises BadExpectation for an expected value that no actual value could ever be held against.
    """
    try:
        return _match(expected, actual, context, root, path)
    except MalformedValue as error:
        return Mismatch(str(error), path, expected, actual)


def _match(
    expected: Json, actual: Actual, context: Context, root: Root, path: Path
) -> Mismatch | None:
    name = operator(expected)
    if name is not None and isinstance(expected, dict):
        run = _OPERATORS.get(name)
        if run is None:
            raise BadExpectation(f"{name} is not a matching operator", path)
        return run(_At(expected, actual, context, root, path), expected[name])
    if actual is MISSING:
        return Mismatch("is missing", path, expected, MISSING)
    try:
        want = decode(expected)
    except MalformedValue as error:
        raise BadExpectation(str(error), path) from None
    got = decode(actual)
    if want.type != got.type and not {want.type, got.type} <= NUMERIC:
        message = f"should be of type {want.type}, but is of type {got.type}"
        return Mismatch(message, path, expected, actual)
    if isinstance(want.payload, dict) and isinstance(got.payload, dict):
        return _match_documents(want.payload, got.payload, context, root, path)
    if isinstance(want.payload, list) and isinstance(got.payload, list):
        return _match_arrays(want.payload, got.payload, context, root, path)
    if want.payload != got.payload:
        return Mismatch("differs", path, expected, actual)
    return None


def _match_documents(
    expected: JsonObject, actual: JsonObject, context: Context, root: Root, path: Path
) -> Mismatch | None:
    for key, want in expected.items():
        mismatch = match(want, actual.get(key, MISSING), context, path=(*path, key))
        if mismatch is not None:
            return mismatch
    extra = [key for key in actual if key not in expected]
    if extra and root is Root.NO:
        return Mismatch(f"has unexpected keys: {', '.join(extra)}", path, expected, actual)
    return None


def _match_arrays(
    expected: list[Json], actual: list[Json], context: Context, root: Root, path: Path
) -> Mismatch | None:
    if len(expected) != len(actual):
        message = f"should have {len(expected)} items, but has {len(actual)}"
        return Mismatch(message, path, expected, actual)
    item_root = Root.YES if root is Root.ITEMS else Root.NO
    for index, (want, got) in enumerate(zip(expected, actual, strict=True)):
        mismatch = match(want, got, context, root=item_root, path=(*path, index))
        if mismatch is not None:
            return mismatch
    return None


@dataclass(frozen=True, slots=True)
class _At:
    """Where an operator stands: the whole expected value and what it is held against."""

    expected: Json
    actual: Actual
    context: Context
    root: Root
    path: Path

    def mismatch(self, message: str) -> Mismatch:
        return Mismatch(message, self.path, self.expected, self.actual)

    def again(self, expected: Json, root: Root | None = None) -> Mismatch | None:
        """Match the same actual value against another expected one."""
        where = self.root if root is None else root
        return match(expected, self.actual, self.context, root=where, path=self.path)


def _exists(at: _At, wanted: Json) -> Mismatch | None:
    if not isinstance(wanted, bool):
        raise BadExpectation(f"$$exists takes true or false, not {wanted!r}", at.path)
    if wanted and at.actual is MISSING:
        return at.mismatch("is missing")
    if not wanted and at.actual is not MISSING:
        return at.mismatch("should not be there")
    return None


def _type(at: _At, wanted: Json) -> Mismatch | None:
    names = wanted if isinstance(wanted, list) else [wanted]
    for name in names:
        if name != "number" and name not in TYPE_ALIASES:
            raise BadExpectation(f"$$type does not know the type {name!r}", at.path)
    if at.actual is MISSING:
        return at.mismatch("is missing")
    actual = decode(at.actual).type
    if actual in names or ("number" in names and actual in NUMERIC | {"decimal"}):
        return None
    return at.mismatch(f"is of type {actual}")


def _matches_entity(at: _At, name: Json) -> Mismatch | None:
    if not isinstance(name, str):
        raise BadExpectation(f"$$matchesEntity takes an entity's name, not {name!r}", at.path)
    return at.again(at.context.entity_value(name, at.path))


def _session_lsid(at: _At, name: Json) -> Mismatch | None:
    if not isinstance(name, str):
        raise BadExpectation(f"$$sessionLsid takes a session's name, not {name!r}", at.path)
    return at.again(at.context.session_lsid(name, at.path), Root.NO)


def _matches_hex_bytes(at: _At, digits: Json) -> Mismatch | None:
    try:
        wanted = bytes.fromhex(digits) if isinstance(digits, str) else None
    except ValueError:
        wanted = None
    if wanted is None:
        raise BadExpectation(
            f"$$matchesHexBytes takes pairs of hex digits, not {digits!r}", at.path
        )
    if at.actual is MISSING:
        return at.mismatch("is missing")
    kind, payload = decode(at.actual)
    if kind == "binData" and isinstance(payload, tuple):
        payload = payload[1]
    elif isinstance(payload, str):
        payload = payload.encode()
    else:
        return at.mismatch(f"should hold bytes, but is of type {kind}")
    return None if payload == wanted else at.mismatch("holds other bytes")


def _unset_or_matches(at: _At, wanted: Json) -> Mismatch | None:
    return None if at.actual is MISSING else at.again(wanted)


def _lte(at: _At, limit: Json) -> Mismatch | None:
    most = number(limit)
    if most is None:
        raise BadExpectation(f"$$lte takes a number, not {limit!r}", at.path)
    if at.actual is MISSING:
        return at.mismatch("is missing")
    actual = number(at.actual)
    if actual is None:
        return at.mismatch(f"should be a number, but is of type {decode(at.actual).type}")
    return None if actual <= most else at.mismatch("is too large")


def _match_as_document(at: _At, wanted: Json) -> Mismatch | None:
    if not isinstance(at.actual, str):
        return at.mismatch("should be a string of Extended JSON")
    try:
        document = json.loads(at.actual)
    except (ValueError, RecursionError) as error:
        return at.mismatch(f"is not Extended JSON: {error}")
    if decode(document).type != "object":
        return at.mismatch("is Extended JSON, but not a document")
    return match(wanted, document, at.context, path=at.path)


def _match_as_root(at: _At, wanted: Json) -> Mismatch | None:
    return at.again(wanted, Root.YES)


_OPERATORS: Final[dict[str, Callable[[_At, Json], Mismatch | None]]] = {
    "$$exists": _exists,
    "$$type": _type,
    "$$matchesEntity": _matches_entity,
    "$$sessionLsid": _session_lsid,
    "$$matchesHexBytes": _matches_hex_bytes,
    "$$unsetOrMatches": _unset_or_matches,
    "$$lte": _lte,
    "$$matchAsDocument": _match_as_document,
    "$$matchAsRoot": _match_as_root,
}
