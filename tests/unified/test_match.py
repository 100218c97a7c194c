"""Evaluating Matches."""

from __future__ import annotations

import pytest

from runners.model import Json, JsonObject
from runners.unified.match import (
    MISSING,
    Actual,
    BadExpectation,
    Mismatch,
    Path,
    Root,
    match,
    render,
)

LSID: JsonObject = {"id": {"$binary": {"base64": "AAAA", "subType": "04"}}}


class Entities:
    """A context with one saved value and one session."""

    def entity_value(self, name: str, path: Path) -> Json:
        if name != "saved":
            raise BadExpectation(f"no {name}", path)
        return {"x": 1}

    def session_lsid(self, name: str, path: Path) -> JsonObject:
        if name != "session0":
            raise BadExpectation(f"no {name}", path)
        return LSID


def check(expected: Json, actual: Actual, root: Root = Root.NO) -> Mismatch | None:
    return match(expected, actual, Entities(), root=root, path=("at",))


MATCHES: list[tuple[Json, Actual]] = [
    (1, {"$numberInt": "1"}),
    (1, {"$numberLong": "1"}),
    (1, {"$numberDouble": "1.0"}),
    (1.0, {"$numberInt": "1"}),
    ({"$numberLong": "1"}, 1),
    (None, None),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ([1, [2]], [1, [2]]),
    ({"a": {"$$exists": True}}, {"a": None}),
    ({"a": {"$$exists": False}}, {}),
    ({"$$type": "string"}, ""),
    ({"$$type": ["int", "long"]}, {"$numberLong": "1"}),
    ({"$$type": "number"}, {"$numberDecimal": "1"}),
    ({"$$type": "array"}, ["x"]),
    ({"$$type": "object"}, {}),
    ({"$$type": "null"}, None),
    ({"$$type": "binData"}, {"$uuid": "01234567-89ab-cdef-0123-456789abcdef"}),
    ({"a": {"$$matchesEntity": "saved"}}, {"a": {"x": 1}}),
    ({"a": {"$$unsetOrMatches": 1}}, {}),
    ({"a": {"$$unsetOrMatches": 1}}, {"a": 1}),
    ({"$$unsetOrMatches": {"$$type": "int"}}, MISSING),
    ({"$$unsetOrMatches": {"$$type": "int"}}, 1),
    ({"lsid": {"$$sessionLsid": "session0"}}, {"lsid": LSID}),
    ({"$$lte": 1}, {"$numberDouble": "1.0"}),
    ({"$$lte": 1}, 0.5),
    ({"$$matchesHexBytes": ""}, {"$binary": {"base64": "", "subType": "00"}}),
    ({"$$matchesHexBytes": "12aB"}, {"$binary": {"base64": "Eqs=", "subType": "00"}}),
    ({"$$matchesHexBytes": "6869"}, "hi"),
    ({"$$matchAsDocument": {"x": 1}}, '{"x": {"$numberInt": "1"}}'),
    ({"$$matchAsDocument": {"$$matchAsRoot": {"x": 1}}}, '{"x": 1, "y": 2}'),
    ({"a": {"$$matchAsRoot": {"x": 1}}}, {"a": {"x": 1, "y": 2}}),
]


@pytest.mark.parametrize(("expected", "actual"), MATCHES)
def test_matches(expected: Json, actual: Actual) -> None:
    assert check(expected, actual) is None


MISMATCHES: list[tuple[Json, Actual, str, str]] = [
    (1, 2, "at", "differs"),
    (1, 1.5, "at", "differs"),
    (1, True, "at", "type int, but is of type bool"),
    (1, {"$numberDecimal": "1"}, "at", "decimal"),
    ("1", 1, "at", "type string"),
    (None, MISSING, "at", "missing"),
    ({"a": 1}, {}, "at.a", "missing"),
    ({"a": 1}, {"a": 1, "b": 2}, "at", "unexpected keys: b"),
    ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, "at.a.b[1].c", "differs"),
    ([1, 2], [1], "at", "2 items"),
    ([1], {"0": 1}, "at", "array"),
    ({"a": 1}, [1], "at", "object"),
    ({"a": {"$$exists": True}}, {}, "at.a", "missing"),
    ({"a": {"$$exists": False}}, {"a": None}, "at.a", "should not be there"),
    ({"$$type": "int"}, "1", "at", "type string"),
    ({"a": {"$$type": "int"}}, {}, "at.a", "missing"),
    ({"$$type": "number"}, "1", "at", "type string"),
    ({"$$matchesEntity": "saved"}, {"x": 2}, "at.x", "differs"),
    ({"$$matchesEntity": "saved"}, {"x": 1, "y": 1}, "at", "unexpected"),
    ({"a": {"$$unsetOrMatches": 1}}, {"a": None}, "at.a", "null"),
    ({"a": {"$$unsetOrMatches": {"b": 1}}}, {"a": {"b": 1, "c": 1}}, "at.a", "unexpected"),
    ({"$$sessionLsid": "session0"}, {"id": "other"}, "at.id", "binData"),
    ({"$$lte": 1}, 1.1, "at", "too large"),
    ({"$$lte": 1}, "0", "at", "number"),
    ({"$$lte": 1}, {"$numberDouble": "NaN"}, "at", "too large"),
    ({"$$lte": 1}, MISSING, "at", "missing"),
    ({"$$matchesHexBytes": "12"}, {"$binary": {"base64": "", "subType": "00"}}, "at", "bytes"),
    ({"$$matchesHexBytes": "12"}, 12, "at", "int"),
    ({"$$matchesHexBytes": "12"}, MISSING, "at", "missing"),
    ({"$$matchAsDocument": {"x": 1}}, '{"x": 1, "y": 2}', "at", "unexpected"),
    ({"$$matchAsDocument": {"x": {"$$exists": False}}}, '{"x": 1}', "at.x", "not be there"),
    ({"$$matchAsDocument": {"$$matchAsRoot": {}}}, "1", "at", "not a document"),
    ({"$$matchAsDocument": {"$$matchAsRoot": {}}}, '["a"]', "at", "not a document"),
    ({"$$matchAsDocument": {"$$matchAsRoot": {}}}, '{ "x" }', "at", "not Extended JSON"),
    ({"$$matchAsDocument": {}}, "[" * 100_000, "at", "not Extended JSON"),
    ({"$$matchAsDocument": {}}, {}, "at", "string"),
    ({"$$matchAsRoot": {"x": 1}}, {"x": 2, "y": 1}, "at.x", "differs"),
    (1, {"$numberInt": "x"}, "at", "malformed"),
    ({"$code": "f", "$scope": {}}, {"$code": "f", "$scope": {"a": 1}}, "at", "differs"),
]


@pytest.mark.parametrize(("expected", "actual", "path", "message"), MISMATCHES)
def test_mismatches(expected: Json, actual: Actual, path: str, message: str) -> None:
    mismatch = check(expected, actual)
    assert mismatch is not None
    assert render(mismatch.path) == path
    assert message in mismatch.message


@pytest.mark.parametrize(
    "expected",
    [
        {"$$unknown": 1},
        {"$$placeholder": 1},
        {"$$exists": 1},
        {"$$type": "integer"},
        {"$$type": ["int", 5]},
        {"$$lte": "1"},
        {"$$matchesHexBytes": "123"},
        {"$$matchesHexBytes": 12},
        {"$$matchesEntity": "nobody"},
        {"$$matchesEntity": 1},
        {"$$sessionLsid": "nobody"},
        {"$$sessionLsid": 1},
        {"$oid": "zz"},
    ],
)
def test_bad_expectations_are_faults_of_the_file(expected: Json) -> None:
    with pytest.raises(BadExpectation, match=r"^at\.key"):
        check({"key": expected}, {"key": 1})


def test_extra_keys_only_in_root_documents() -> None:
    assert check({"a": 1}, {"a": 1, "b": 1}, Root.YES) is None
    assert check({"$$unsetOrMatches": {"a": 1}}, {"a": 1, "b": 1}, Root.YES) is None
    assert check({"a": {}}, {"a": {"b": 1}}, Root.YES) is not None
    assert check([{"a": 1}], [{"a": 1, "b": 1}], Root.YES) is not None


def test_items_of_an_iterable_are_root_documents() -> None:
    assert check([{"a": 1}], [{"a": 1, "b": 1}], Root.ITEMS) is None
    assert check({"$$unsetOrMatches": [{"a": 1}]}, [{"a": 1, "b": 1}], Root.ITEMS) is None
    assert check([[{"a": 1}]], [[{"a": 1, "b": 1}]], Root.ITEMS) is not None
    assert check([{"a": {}}], [{"a": {"b": 1}}], Root.ITEMS) is not None


def test_mismatch_keeps_both_sides() -> None:
    mismatch = check({"a": {"$$type": "int"}}, {"a": "x"})
    assert mismatch is not None
    assert (mismatch.expected, mismatch.actual) == ({"$$type": "int"}, "x")
