"""The test plan of the dbref specification."""

from __future__ import annotations

from typing import Any

import pytest

from driver.bson import DBRef, decode, encode
from driver.bson.extended_json import from_extended
from tests.bson.samples import OID

VALID: list[tuple[dict[str, Any], DBRef]] = [
    ({"$ref": "c", "$id": OID}, DBRef("c", OID)),
    ({"$ref": "c", "$id": 1}, DBRef("c", 1)),
    ({"$ref": "c", "$id": None}, DBRef("c", None)),
    ({"$ref": "c", "$id": 1, "$db": "d"}, DBRef("c", 1, "d")),
    ({"$ref": "c", "$id": 1, "$db": "d", "foo": "bar"}, DBRef("c", 1, "d", foo="bar")),
    ({"$ref": "c", "$id": 1, "foo": True, "bar": 2}, DBRef("c", 1, foo=True, bar=2)),
    ({"$ref": "c", "$id": 1, "meta": {"foo": 1}}, DBRef("c", 1, meta={"foo": 1})),
    ({"$ref": "c", "$id": 1, "$foo": "bar"}, DBRef("c", 1, None, {"$foo": "bar"})),
    ({"$ref": "c", "$id": 1, "foo.bar": 0}, DBRef("c", 1, None, {"foo.bar": 0})),
]
OUT_OF_ORDER: list[tuple[dict[str, Any], DBRef]] = [
    ({"$id": 1, "$ref": "c"}, DBRef("c", 1)),
    ({"$db": "d", "$ref": "c", "$id": 1}, DBRef("c", 1, "d")),
    ({"foo": 1, "$ref": "c", "$id": 1, "$db": "d", "bar": 2}, DBRef("c", 1, "d", foo=1, bar=2)),
]
INVALID: list[dict[str, Any]] = [
    {"$ref": "c"},
    {"$id": 1},
    {"$db": "d"},
    {"$ref": True, "$id": 1},
    {"$ref": "c", "$id": 1, "$db": 1},
    {"$ref": "c", "$id": 1, "$db": None},
]


@pytest.mark.parametrize(("document", "ref"), VALID + OUT_OF_ORDER)
def test_decoded(document: dict[str, Any], ref: DBRef) -> None:
    back = decode(encode({"v": document}))["v"]
    assert isinstance(back, DBRef)
    assert back == ref
    assert (back.collection, back.id, back.database) == (ref.collection, ref.id, ref.database)
    assert back.extra == ref.extra


@pytest.mark.parametrize("document", INVALID)
def test_left_alone(document: dict[str, Any]) -> None:
    assert decode(encode({"v": document})) == {"v": document}
    assert from_extended({"v": document}) == {"v": document}


@pytest.mark.parametrize(("document", "ref"), VALID)
def test_encoded(document: dict[str, Any], ref: DBRef) -> None:
    assert encode({"v": ref}) == encode({"v": document})


def test_a_document_on_its_own_is_never_a_dbref() -> None:
    document: dict[str, Any] = {"$ref": "c", "$id": 1}
    assert decode(encode(document)) == document
    assert from_extended(document) == document
    assert from_extended([document]) == [DBRef("c", 1)]


def test_hash_and_repr() -> None:
    assert hash(DBRef("c", [1])) == hash(DBRef("c", [2]))
    assert DBRef("c", 1) != DBRef("c", 2)
    assert repr(DBRef("c", 1, "d", x=2)) == "DBRef('c', 1, 'd', x=2)"
