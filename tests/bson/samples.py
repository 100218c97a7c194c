"""Documents and values that several tests use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from driver.bson import (
    MAX_DEPTH,
    Binary,
    Code,
    DBPointer,
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
)

OID = ObjectId("0123456789abcdef01234567")

EVERY_TYPE: dict[str, Any] = {
    "double": 1.5,
    "string": "gr\u00fc\u00dfe",
    "document": {"a": {"b": {}}},
    "array": [1, ["two", {"three": 3}]],
    "bytes": b"\0\1",
    "old binary": Binary(b"abc", 2),
    "vector": Binary(b"\x03\0\1\2", 9),
    "undefined": Undefined(),
    "oid": OID,
    "true": True,
    "false": False,
    "date": datetime(2012, 12, 24, 12, 15, 30, 501000),
    "null": None,
    "regex": Regex("^a*", "im"),
    "pointer": DBPointer("c", OID),
    "code": Code("f()"),
    "symbol": Symbol("s"),
    "scoped": Code("g()", {"x": 1}),
    "int": -7,
    "timestamp": Timestamp(1, 2),
    "long": Int64(8),
    "decimal": Decimal128("1.50"),
    "min": MinKey(),
    "max": MaxKey(),
    "ref": DBRef("c", 1, "d", more=2),
}


def nested(levels: int) -> dict[str, Any]:
    """A document with so many levels."""
    document: dict[str, Any] = {}
    for _ in range(levels - 1):
        document = {"a": document}
    return document


def wide() -> dict[str, Any]:
    """A document with more values side by side than levels are allowed."""
    many = range(MAX_DEPTH + 1)
    return {"documents": [{"a": {}} for _ in many], "arrays": [[[]] for _ in many]}


def nested_bytes(levels: int, kind: bytes = b"\x03") -> bytes:
    """As `nested`, as BSON, without the encoder; `kind` may make arrays of the inner levels."""
    sizes = range(5, 5 + 8 * levels, 8)
    heads = [size.to_bytes(4, "little") for size in sizes]
    return (kind + b"a\0").join(reversed(heads)) + bytes(levels)


_INT64 = st.integers(-(2**63), 2**63 - 1)
_UINT32 = st.integers(0, 2**32 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_CSTRING = _TEXT.filter(lambda text: "\0" not in text)
_OIDS = st.binary(min_size=12, max_size=12).map(ObjectId)

KEYS = _CSTRING.filter(lambda key: not key.startswith("$"))

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    _INT64,
    _INT64.map(Int64),
    st.floats(allow_nan=False),
    _TEXT,
    st.binary(max_size=8),
    st.builds(Binary, st.binary(max_size=8), st.integers(1, 255)),
    _OIDS,
    st.datetimes().map(lambda when: when - timedelta(microseconds=when.microsecond % 1000)),
    st.builds(Regex, _CSTRING, st.text("gimsux", max_size=4)),
    st.builds(Timestamp, _UINT32, _UINT32),
    st.builds(Code, _TEXT),
    st.builds(Symbol, _TEXT),
    st.builds(DBPointer, _TEXT, _OIDS),
    st.builds("{}E{}".format, _INT64, st.integers(-6176, 6111)).map(Decimal128),
    st.sampled_from([MinKey(), MaxKey(), Undefined()]),
)


def _containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    documents = st.dictionaries(KEYS, values, max_size=4)
    return st.one_of(
        st.lists(values, max_size=4),
        documents,
        st.builds(Code, _TEXT, documents),
        st.builds(DBRef, _TEXT, values, st.none() | _TEXT, documents),
    )


VALUES = st.recursive(SCALARS, _containers, max_leaves=12)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)
