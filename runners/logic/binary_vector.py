"""Vectors in BSON binary values: numbers to bytes and back.

Format: bson-binary-vector/tests. The adapter is asked for `bson-binary-vector` in two ways: with
`key`, `vector`, `dtype_hex` and `padding` it answers the document `{key: vector}` as `{"bson":
hexadecimal}`; with `key` and `bson` it answers `{"vector", "dtype_hex", "dtype_alias", "padding"}`.
Both may be `{"error": message}`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.judging import Node, accepted, ask, equal, judge, unlike
from runners.model import Case, Json, JsonObject, Verdict
from runners.unified.match import BadExpectation, Mismatch
from runners.unified.values import MalformedValue, number

_OF_TYPE = ("dtype_hex", "dtype_alias")
_TEST = ("description", "valid", "vector", *_OF_TYPE, "padding", "canonical_bson")
_FLOAT32: Final = "0x27"


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge one test of the file."""
    key = Node(spec.value).need("test_key")
    return judge(spec, case, lambda test: _check(test, key.text(), adapter))


def _check(test: Node, key: str, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(_TEST)
    fields = test.fields()
    vector, bson = fields.get("vector"), fields.get("canonical_bson")
    valid = test.need("valid").flag()
    if vector is None and bson is None:
        raise BadExpectation("a test needs a vector or its BSON", test.path)
    if vector is not None:
        given: JsonObject = {"key": key, "padding": 0}
        given |= {name: fields[name].value for name in ("vector", "padding") if name in fields}
        given["dtype_hex"] = test.need("dtype_hex").text()
        answer = ask(adapter, "bson-binary-vector", given)
        yield from accepted(vector, answer, valid=valid)
        if valid and "error" not in answer:
            yield from _check_bson(test.need("canonical_bson"), answer.get("bson"))
    if bson is not None:
        answer = ask(adapter, "bson-binary-vector", {"key": key, "bson": bson.text()})
        yield from accepted(bson, answer, valid=valid)
        if valid and "error" not in answer:
            yield from _check_vector(test, answer)


def _check_bson(expected: Node, actual: Json) -> Iterator[Mismatch]:
    if not isinstance(actual, str) or expected.text().upper() != actual.upper():
        yield unlike("the vector becomes other bytes", expected, actual)


def _check_vector(test: Node, answer: JsonObject) -> Iterator[Mismatch]:
    for name in (*_OF_TYPE, "padding"):
        if name in test.fields():
            yield from equal(test.need(name), answer.get(name))
    expected, actual = test.need("vector"), answer.get("vector")
    stored = _as_float32 if test.need("dtype_hex").text() == _FLOAT32 else number
    wanted, found = _all(stored, expected.value), _all(stored, actual)
    if wanted is None:
        raise BadExpectation("should be numbers", expected.path)
    if wanted != found:
        yield unlike("the bytes become another vector", expected, actual)


def _all(read: Callable[[Json], float | None], numbers: Json) -> list[float | None] | None:
    """What `read` makes of a list of numbers; None if it is something else."""
    try:
        return [read(item) for item in numbers] if isinstance(numbers, list) else None
    except (MalformedValue, OverflowError, struct.error):
        return None


def _as_float32(item: Json) -> float:
    """What 32 bits leave of a number."""
    stored: float = struct.unpack("<f", struct.pack("<f", number(item)))[0]
    return stored
