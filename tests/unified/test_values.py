"""Extended JSON values: types, numbers and equality."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.model import Json
from runners.unified.values import TYPE_ALIASES, MalformedValue, decode, exact, number

EXAMPLES: dict[str, list[Json]] = {
    "null": [None],
    "bool": [True, False],
    "int": [1, {"$numberInt": "-1"}, 2**31 - 1],
    "long": [2**31, -(2**31) - 1, {"$numberLong": "1"}],
    "double": [1.0, {"$numberDouble": "NaN"}, {"$numberDouble": "-Infinity"}],
    "decimal": [{"$numberDecimal": "1.20"}],
    "string": ["", "$numberInt"],
    "array": [[], [1]],
    "object": [{}, {"a": 1}, {"$set": {}}, {"$ref": "c", "$id": 1}, {"a": 1, "$numberInt": "1"}],
    "objectId": [{"$oid": "0123456789abcdef01234567"}],
    "symbol": [{"$symbol": "s"}],
    "javascript": [{"$code": "f()"}],
    "javascriptWithScope": [{"$code": "f()", "$scope": {"a": 1}}],
    "binData": [
        {"$binary": {"base64": "AQI=", "subType": "00"}},
        {"$binary": "AQI=", "$type": "00"},
        {"$uuid": "01234567-89ab-cdef-0123-456789abcdef"},
    ],
    "date": [{"$date": {"$numberLong": "-1"}}, {"$date": "2020-01-02T03:04:05.678Z"}],
    "timestamp": [{"$timestamp": {"t": 1, "i": 4294967295}}],
    "regex": [{"$regularExpression": {"pattern": "a", "options": "im"}}],
    "dbPointer": [{"$dbPointer": {"$ref": "a.b", "$id": {"$oid": "0" * 24}}}],
    "minKey": [{"$minKey": 1}],
    "maxKey": [{"$maxKey": 1}],
    "undefined": [{"$undefined": True}],
}


def test_every_type_has_an_example() -> None:
    assert set(EXAMPLES) == TYPE_ALIASES


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in EXAMPLES.items() for value in values]
)
def test_types(name: str, value: Json) -> None:
    assert decode(value).type == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, {"$numberInt": "5"}),
        (5000000000, {"$numberLong": "5000000000"}),
        (1.5, {"$numberDouble": "1.5"}),
        ({"$numberDouble": "NaN"}, math.nan),
        ({"a": 1, "b": [2]}, {"b": [{"$numberInt": "2"}], "a": {"$numberInt": "1"}}),
        (
            {"$uuid": "00000000-0000-0000-0000-000000000001"},
            {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAQ==", "subType": "04"}},
        ),
        ({"$date": "1970-01-01T00:00:01Z"}, {"$date": {"$numberLong": "1000"}}),
        ({"$date": "1969-12-31T23:59:59.999Z"}, {"$date": {"$numberLong": "-1"}}),
        ({"$date": "1970-01-01T01:00:00+01:00"}, {"$date": {"$numberLong": "0"}}),
        (
            {"$regularExpression": {"pattern": "a", "options": "mi"}},
            {"$regularExpression": {"pattern": "a", "options": "im"}},
        ),
        (
            {"$code": "f", "$scope": {"a": 1, "b": 2}},
            {"$code": "f", "$scope": {"b": {"$numberInt": "2"}, "a": 1}},
        ),
    ],
)
def test_equal_in_every_notation(one: Json, other: Json) -> None:
    assert exact(one) == exact(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (1, {"$numberLong": "1"}),
        ({"$numberDecimal": "1.0"}, {"$numberDecimal": "1.00"}),
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
        ("a", {"$symbol": "a"}),
        ({"$minKey": 1}, {"$maxKey": 1}),
        ({"$code": "f", "$scope": {"a": 1}}, {"$code": "f", "$scope": {"a": 1, "b": 1}}),
    ],
)
def test_not_equal(one: Json, other: Json) -> None:
    assert exact(one) != exact(other)


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        {"$numberInt": "2147483648"},
        {"$numberInt": 1},
        {"$numberInt": "1_0"},
        {"$numberLong": "9" * 5000},
        {"$numberDouble": "x"},
        {"$oid": "0"},
        {"$binary": {"base64": "A", "subType": "00"}},
        {"$binary": {"base64": "AAAA"}},
        {"$binary": "AAAA"},
        {"$uuid": "00000000000000000000000000000001"},
        {"$date": "yesterday"},
        {"$date": "2020-01-02T03:04:05"},
        {"$timestamp": {"t": -1, "i": 0}},
        {"$timestamp": [1, 2]},
        {"$regularExpression": "a"},
        {"$dbPointer": 1},
    ],
)
def test_malformed(value: Json) -> None:
    with pytest.raises(MalformedValue):
        decode(value)


def test_numbers_are_not_decimals_or_bools() -> None:
    assert number({"$numberDecimal": "1"}) is None
    assert number(True) is None
    assert number({"$numberLong": "7"}) == 7
    assert math.isnan(number({"$numberDouble": "NaN"}) or 0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_keep_their_value(value: int) -> None:
    name = "$numberInt" if -(2**31) <= value < 2**31 else "$numberLong"
    assert exact(value) == exact({name: str(value)})
