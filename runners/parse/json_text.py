"""JSON: the standard library's decoder, made strict, and a lazy walk for positions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import NoReturn

from runners.model import Json
from runners.parse import (
    MAX_DEPTH,
    Path,
    Places,
    Spot,
    TextError,
    duplicate_key,
    offset_to_spot,
    reject_lone_surrogates,
    too_deep,
)

_FINITE = "write a finite number, or a string in Extended JSON: {$numberDouble: 'NaN'}"
_SPACE = re.compile(r"[ \t\n\r]*")
_SKIP = json.JSONDecoder(parse_int=str, parse_float=str)


class _NotStrict(ValueError):
    """The decoder met what strict JSON does not have; where it stands is found later."""


def parse(text: str) -> tuple[Json, Places]:
    """Decode one JSON document. Raises TextError."""
    places = JsonPlaces(text)
    try:
        value = _decode(text, places)
    except RecursionError:
        raise too_deep((1, 1)) from None
    except json.JSONDecodeError as error:
        raise TextError("not-json", error.msg, (error.lineno, error.colno)) from None
    if _deeper_than_allowed(value):
        raise too_deep((1, 1))
    reject_lone_surrogates(value, text)
    return value, places


def _decode(text: str, places: JsonPlaces) -> Json:
    try:
        value: Json = _STRICT.decode(text)
        return value
    except json.JSONDecodeError:
        raise
    except ValueError:
        _SKIP.decode(text)  # raises where the text is malformed further on
        raise places.first_fault() from None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotStrict
    return found


def _float(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise _NotStrict
    return number


def _constant(name: str) -> NoReturn:
    raise _NotStrict(name)


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)


def _deeper_than_allowed(value: Json) -> bool:
    level: list[list[Json] | dict[str, Json]] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


class JsonPlaces:
    """The places of a well-formed document's nodes, found by skipping from value to value.

    Nothing is read before a place is asked for, and each container is read once.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[int, dict[str | int, tuple[int, int]]] = {}

    def at(self, path: Path, *, key: bool = False) -> Spot:
        """See Places."""
        key_offset = offset = self._space(0)
        for step in path:
            child = self._children(offset).get(step)
            if child is None:
                key = False
                break
            key_offset, offset = child
        return offset_to_spot(self._text, key_offset if key else offset)

    def first_fault(self) -> TextError:
        """Find what made the strict decoder refuse a document that is JSON otherwise."""
        stack = [self._space(0)]
        while stack:
            offset = stack.pop()
            spot = offset_to_spot(self._text, offset)
            if self._text[offset] in "{[":
                seen: set[str | int] = set()
                inner = []
                for step, key_offset, value_offset in self._scan(offset):
                    if step in seen:
                        return duplicate_key(str(step), offset_to_spot(self._text, key_offset))
                    seen.add(step)
                    inner.append(value_offset)
                stack.extend(reversed(inner))
            elif self._text.startswith(("NaN", "Infinity", "-Infinity"), offset):
                return TextError("not-finite", "JSON has no NaN or Infinity", spot, _FINITE)
            elif self._text[offset] in "-0123456789":
                try:
                    _STRICT.raw_decode(self._text, offset)
                except ValueError:
                    return TextError("not-finite", "the number is too large", spot, _FINITE)
        raise AssertionError("the strict decoder refused a document without a fault")

    def _children(self, offset: int) -> dict[str | int, tuple[int, int]]:
        if offset not in self._known:
            self._known[offset] = {
                step: (key_offset, value_offset)
                for step, key_offset, value_offset in self._scan(offset)
            }
        return self._known[offset]

    def _scan(self, offset: int) -> Iterator[tuple[str | int, int, int]]:
        """Yield (key or index, offset of the key or item, offset of the value)."""
        text = self._text
        opening = text[offset]
        if opening not in "{[":
            return
        offset = self._space(offset + 1)
        index = 0
        while text[offset] not in "}]":
            step: str | int = index
            key_offset = offset
            if opening == "{":
                step, offset = _SKIP.raw_decode(text, offset)
                offset = self._space(self._space(offset) + 1)
            yield step, key_offset, offset
            offset = self._space(_SKIP.raw_decode(text, offset)[1])
            offset = self._space(offset + 1) if text[offset] == "," else offset
            index += 1

    def _space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset
