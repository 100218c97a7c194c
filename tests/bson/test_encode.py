from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from driver.bson import (
    MAX_DEPTH,
    Binary,
    Code,
    DBRef,
    Int64,
    InvalidDocument,
    RawBSONDocument,
    Regex,
    decode,
    decode_all,
    encode,
    encode_inserts,
    encoder,
    write_document,
)
from tests.bson.samples import EVERY_TYPE, nested, nested_bytes


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 7


class Words(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __getitem__(self, key: str) -> Any:
        return {"a": 1}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, "red"),
        (Size.BIG, 7),
        (OrderedDict(a=1), {"a": 1}),
        (Words(), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ((1, 2), [1, 2]),
        (bytearray(b"a"), b"a"),
        (re.compile("a", re.IGNORECASE), Regex("a", "iu")),
    ],
)
def test_relatives_of_known_types(value: Any, plain: Any) -> None:
    assert encode({"v": value}) == encode({"v": plain})
    assert decode(encode({"v": value})) == {"v": plain}


def test_a_mapping_as_the_document() -> None:
    assert encode(Words()) == encode({"a": 1})
    assert encode({Colour.RED: 1}) == encode({"red": 1})


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, 0x10),
        (2**31 - 1, 0x10),
        (-(2**31), 0x10),
        (2**31, 0x12),
        (-(2**31) - 1, 0x12),
        (2**63 - 1, 0x12),
        (-(2**63), 0x12),
        (Int64(0), 0x12),
        (True, 0x08),
    ],
)
def test_the_type_of_an_int(number: int, kind: int) -> None:
    data = encode({"v": number})
    assert data[4] == kind
    assert decode(data) == {"v": number}


def test_long_arrays_have_their_indexes_as_keys() -> None:
    names = re.findall(rb"\x0a(\d+)\0", encode({"a": [None] * 1002}))
    assert [int(name) for name in names] == list(range(1002))


@pytest.mark.parametrize(
    ("document", "path", "why"),
    [
        ({"a": [1, {"b": object()}]}, "a.1.b", "no type for builtins.object"),
        ({"a": date(2020, 1, 1)}, "a", "use a datetime"),
        ({"a": Decimal(1)}, "a", "wrap it into a Decimal128"),
        ({"a": {1}}, "a", "use a list"),
        ({"a": 2**63}, "a", "beyond 64 bits"),
        ({"a": Int64(-(2**63) - 1)}, "a", "beyond 64 bits"),
        ({"a": "\ud800"}, "a", "UTF-8"),
        ({"a": {"\ud800": 1}}, "a.\ud800", "UTF-8"),
        ({"a": {"b\0": 1}}, "a.b\0", "NUL"),
        ({"b\0": 1}, "b\0", "NUL"),
        ({"a": {5: 1}}, "a.5", "keys are str, not int"),
        ({"a": Code("", {"x": {1}})}, "a.x", "use a list"),
        ({"a": DBRef("c", {1})}, "a.$id", "use a list"),
        ({"a": re.compile(b"\xff")}, "a", "utf-8"),
        ({"a": re.compile("\0")}, "a", "NUL"),
    ],
)
def test_what_bson_cannot_hold(document: dict[Any, Any], path: str, why: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        encode(document)
    assert ".".join(caught.value.path) == path
    assert why in str(caught.value)
    assert repr(path) in str(caught.value)


@pytest.mark.parametrize("document", [[], None, "text", DBRef("c", 1)])
def test_only_mappings_are_documents(document: Any) -> None:
    with pytest.raises(InvalidDocument, match="a document is a mapping"):
        encode(document)


@pytest.mark.parametrize("key", ["$set", "a.b", "$"])
def test_check_keys(key: str) -> None:
    for document in ({key: 1}, {"x": [{key: 1}]}):
        assert decode(encode(document)) == document
        with pytest.raises(InvalidDocument, match=r"must not begin with '\$' or contain '\.'"):
            encode(document, check_keys=True)


def test_check_keys_allows_those_of_a_dbref() -> None:
    encode({"a": DBRef("c", 1)}, check_keys=True)
    with pytest.raises(InvalidDocument, match="must not begin"):
        encode({"a": DBRef("c", 1), "b": {"$c": 1}}, check_keys=True)


def test_depth() -> None:
    assert encode(nested(MAX_DEPTH)) == nested_bytes(MAX_DEPTH)
    with pytest.raises(InvalidDocument, match="deeper than 200 levels"):
        encode(nested(MAX_DEPTH + 1))


def test_a_value_within_itself() -> None:
    array: list[Any] = []
    array.append(array)
    code = Code("", {})
    assert isinstance(code.scope, dict)
    code.scope["again"] = code
    for loop in (array, code):
        with pytest.raises(InvalidDocument, match="within itself"):
            encode({"a": loop})


def test_write_document_appends() -> None:
    buffer = bytearray(b"head")
    write_document(buffer, EVERY_TYPE)
    write_document(buffer, {})
    assert buffer == b"head" + encode(EVERY_TYPE) + encode({})


def test_a_failed_write_leaves_the_buffer_alone() -> None:
    buffer = bytearray(b"head")
    with pytest.raises(InvalidDocument):
        write_document(buffer, {"a": {"b": [1, object()]}})
    assert buffer == b"head"


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_the_id_goes_first(kind: Any) -> None:
    document = kind({"a": 1, "_id": 2, "b": {"c": 3, "_id": 4}})
    data, ends = encode_inserts([document, RawBSONDocument(encode({"a": 1}))])
    assert bytes(data[ends[0] :]) == encode({"a": 1})
    moved = decode(data[: ends[0]])
    assert list(moved) == ["_id", "a", "b"]
    assert list(moved["b"]) == ["c", "_id"]
    assert moved == decode(encode(document))
    assert list(document) == ["a", "_id", "b"]


@pytest.mark.parametrize("count", [1, 3, 5000])
def test_inserts_follow_each_other(count: int) -> None:
    documents: list[dict[str, Any]] = [{"a": i} for i in range(count)]
    data, ends = encode_inserts(documents)
    ids = {document["_id"] for document in documents}
    assert len(ids) == count
    assert decode_all(data) == documents
    assert ends == [(i + 1) * len(encode(documents[0])) for i in range(count)]


@pytest.mark.parametrize("wrong", [None, "a", [], 1, b""])
def test_what_is_no_document_cannot_be_inserted(wrong: Any) -> None:
    with pytest.raises(TypeError, match="must be a mapping"):
        encode_inserts([{}, wrong])


def test_an_insert_that_cannot_be_encoded_says_where() -> None:
    with pytest.raises(InvalidDocument) as raised:
        encode_inserts([{"a": 1}, {"b": {"c": object()}}])
    assert raised.value.path == ("b", "c")


@pytest.mark.parametrize("document", [MappingProxyType({"a": 1})])
def test_an_id_is_only_given_to_what_can_hold_it(document: Any) -> None:
    with pytest.raises(TypeError, match="item assignment"):
        encode_inserts([document])


def test_old_binary_has_its_length_twice() -> None:
    data = encode({"b": Binary(b"xyz", 2)})
    assert data == b"\x14\0\0\0\x05b\0\x07\0\0\0\x02\x03\0\0\0xyz\0"


def test_few_and_short_names_are_kept() -> None:
    encode({f"name {number}": 1 for number in range(3 * encoder._MAX_NAMES)})
    encode({"x" * 1000: 1})
    assert 0 < len(encoder._names) <= encoder._MAX_NAMES
    assert max(map(len, encoder._names)) < 1000
