"""Typed access to the fields of a spec file; what is missing or mistyped is a CaseError."""

from __future__ import annotations

from typing import Final

from runners.model import Json, JsonObject
from runners.unified.faults import CaseError
from runners.unified.match import Path

_REQUIRED: Final = object()


def text(owner: JsonObject, key: str, path: Path, default: object = _REQUIRED) -> str:
    """A string."""
    value = _get(owner, key, path, default)
    if not isinstance(value, str):
        raise _mistyped("a string", value, key, path)
    return value


def integer(owner: JsonObject, key: str, path: Path, default: object = _REQUIRED) -> int:
    """A whole number that is not negative."""
    value = _get(owner, key, path, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _mistyped("a whole number from 0", value, key, path)
    return value


def flag(owner: JsonObject, key: str, path: Path) -> bool:
    """A boolean, false where it is left out."""
    value = _get(owner, key, path, False)
    if not isinstance(value, bool):
        raise _mistyped("true or false", value, key, path)
    return value


def table(owner: JsonObject, key: str, path: Path, default: object = _REQUIRED) -> JsonObject:
    """An object."""
    value = _get(owner, key, path, default)
    if not isinstance(value, dict):
        raise _mistyped("an object", value, key, path)
    return value


def tables(owner: JsonObject, key: str, path: Path) -> list[JsonObject]:
    """A list of objects, empty where it is left out."""
    return [as_table(item, (*path, key, index)) for index, item in items(owner, key, path)]


def items(owner: JsonObject, key: str, path: Path) -> list[tuple[int, Json]]:
    """The numbered items of a list, empty where it is left out."""
    value = _get(owner, key, path, [])
    if not isinstance(value, list):
        raise _mistyped("a list", value, key, path)
    return list(enumerate(value))


def as_table(value: Json, path: Path) -> JsonObject:
    """A value that has to be an object."""
    if not isinstance(value, dict):
        raise CaseError(f"should be an object, not {value!r}", path)
    return value


def only_pair(value: Json, path: Path) -> tuple[str, JsonObject]:
    """The key and the object of an object that has just one key, such as an entity or event."""
    owner = as_table(value, path)
    if len(owner) != 1:
        raise CaseError(f"should have exactly one key, not {', '.join(owner) or 'none'}", path)
    key = next(iter(owner))
    return key, table(owner, key, path)


def _get(owner: JsonObject, key: str, path: Path, default: object) -> object:
    value = owner.get(key, default)
    if value is _REQUIRED:
        raise CaseError(f"`{key}` is missing", path)
    return value


def _mistyped(wanted: str, value: object, key: str, path: Path) -> CaseError:
    return CaseError(f"should be {wanted}, not {value!r}", (*path, key))
