"""Both codecs do the same: the compiled one is compared with the readable one, errors included.

The other tests of this folder run with the codec in use; CI runs them with each.
"""

from __future__ import annotations

import itertools
import logging
import re
import struct
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driver import bson
from driver.bson import (
    MAX_DEPTH,
    Binary,
    Code,
    CodecOptions,
    DatetimeMS,
    DBRef,
    Int64,
    ObjectId,
    RawBSONDocument,
    Regex,
    UuidRepresentation,
    codec,
    decoder,
    encoder,
)
from tests.bson.alike import OPTIONS, decoded_alike, encoded_alike, outcome, shape
from tests.bson.samples import DOCUMENTS, EVERY_TYPE, OID, SCALARS, nested, nested_bytes, wide

EVERY_TYPE_BYTES = encoder.encode(EVERY_TYPE)
in_use = pytest.mark.skipif(not codec.COMPILED, reason="the compiled codec is not in use")

FEW_OPTIONS = OPTIONS[:3]


@in_use
def test_these_are_two_codecs() -> None:
    twins = [
        (bson.decode, decoder.decode),
        (bson.decode_all, decoder.decode_all),
        (bson.decode_iter, decoder.decode_iter),
        (bson.encode, encoder.encode),
        (bson.encode_inserts, encoder.encode_inserts),
        (bson.write_document, encoder.write_document),
    ]
    assert all(ours is not theirs for ours, theirs in twins)
    assert ObjectId.__module__ == "driver.bson.compiled.objectid"


@in_use
@given(DOCUMENTS)
@example(EVERY_TYPE)
@example(wide())
def test_documents(document: dict[str, Any]) -> None:
    encoded_alike(document)
    decoded_alike(encoder.encode(document))


EDGES = [0, 1, 2**15, 2**30, 2**31, 2**60, 2**62, 2**63]
INTEGERS = sorted(
    {sign * (edge + step) for edge in EDGES for step in (-1, 0, 1) for sign in (1, -1)}
)
FIRST = datetime(1, 1, 1)
MOMENTS = [
    FIRST,
    datetime.max,
    datetime(1582, 10, 15),
    datetime(1600, 2, 29, 23, 59, 59, 999999),
    datetime(1900, 2, 28),
    datetime(1900, 3, 1),
    datetime(1969, 12, 31, 23, 59, 59, 999999),
    datetime(2000, 2, 29),
    datetime(2000, 12, 31),
    datetime(2024, 2, 29, 12),
    datetime(2100, 3, 1, fold=1),
]
TEXTS = [
    "",
    "a",
    "\0",
    "\x7f\x80",
    "\xff",
    "\u0100",
    "\u07ff\u0800",
    "\uffff",
    "\U00010000",
    "😀" * 99,
]


@in_use
@pytest.mark.parametrize("number", INTEGERS)
def test_integers(number: int) -> None:
    encoded_alike({"i": number, "l": Int64(number)})
    if -(2**63) <= number < 2**63:
        data = encoder.encode({"l": Int64(number), "i": number})
        decoded_alike(data)
        long = bson.decode(data)["l"]
        assert (type(long), long + 1, -long) == (Int64, number + 1, -number)
        assert long.__sizeof__() == Int64(number).__sizeof__()


@in_use
@pytest.mark.parametrize("moment", MOMENTS)
def test_moments(moment: datetime) -> None:
    for tzinfo in (None, UTC, timezone(timedelta(hours=-5)), timezone(timedelta(0))):
        encoded_alike({"d": moment.replace(tzinfo=tzinfo)})
    decoded_alike(encoder.encode({"d": moment}))


@in_use
@given(st.datetimes())
def test_any_moment(moment: datetime) -> None:
    test_moments(moment)


@in_use
@given(st.integers(-(2**63), 2**63 - 1))
@example(-62_135_596_800_001)
@example(-62_135_596_800_000)
@example(253_402_300_799_999)
@example(253_402_300_800_000)
def test_any_milliseconds(millis: int) -> None:
    decoded_alike(encoder.encode({"d": DatetimeMS(millis)}))


@in_use
@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    for value in (text, Code(text), Code(text, {text: 1}), bson.Symbol(text), [text]):
        encoded_alike({"t": value})
    for name in (text, text + "k" * 7, text + "k" * 8, text + "k" * 40):
        for _ in range(2):  # the second time, its bytes may be known
            encoded_alike({name: name})
            if "\0" not in name:
                decoded_alike(encoder.encode({name: name}))


@in_use
def test_names_that_share_their_beginning_and_their_end() -> None:
    for size in (0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64):
        names = [f"{a}{'-' * size}{b}" for a, b in itertools.product("abcdefgh" * 2, repeat=2)]
        names += ["12345678" * times for times in (3, 2, 1)]
        names += ["12345678" + "x" * size + middle + "12345678" for middle in "abcdefgh"]
        for _ in range(2):
            decoded_alike(encoder.encode({name: name for name in names}))


@in_use
@pytest.mark.parametrize("length", range(len(EVERY_TYPE_BYTES)))
def test_cut_short(length: int) -> None:
    decoded_alike(EVERY_TYPE_BYTES[:length], FEW_OPTIONS)
    decoded_alike(struct.pack("<i", length) + EVERY_TYPE_BYTES[4:length], FEW_OPTIONS)


@in_use
@pytest.mark.parametrize("position", range(len(EVERY_TYPE_BYTES)))
def test_one_byte_changed(position: int) -> None:
    changed = bytearray(EVERY_TYPE_BYTES)
    for value in (0, 1, 2, 0x7F, 0xFF, changed[position] ^ 1, changed[position] ^ 0x80):
        changed[position] = value
        decoded_alike(bytes(changed), FEW_OPTIONS)


KINDS = st.sampled_from([*range(0x15), 0x7F, 0x80, 0xFF]).map(lambda kind: bytes([kind]))
PIECES = st.one_of(
    KINDS,
    st.integers(-2, 40).map(struct.Struct("<i").pack),
    st.sampled_from(
        [b"\0", b"a\0", b"$ref\0", b"$id\0", b"\xff\0", b"\xc3\xa9\0", bytes(8), OID.binary]
    ),
    st.binary(max_size=4),
)


@in_use
@given(st.lists(PIECES, max_size=24).map(b"".join))
def test_any_bytes(data: bytes) -> None:
    decoded_alike(data)
    decoded_alike(struct.pack("<i", len(data) + 5) + data + b"\0")


@in_use
@given(st.data())
def test_many_changes(data: st.DataObject) -> None:
    changed = bytearray(EVERY_TYPE_BYTES)
    spots = st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255))
    for position, value in data.draw(st.lists(spots, min_size=1, max_size=6)):
        changed[position] = value
    decoded_alike(bytes(changed))


@in_use
@pytest.mark.parametrize("kind", [b"\x03", b"\x04"])
@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 50_000])
def test_depth(levels: int, kind: bytes) -> None:
    data = nested_bytes(levels, kind)
    assert outcome(bson.decode, data) == outcome(decoder.decode, data)


@in_use
@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH])
def test_depth_of_what_is_encoded(levels: int) -> None:
    inner = nested(levels)
    for value in (inner, [inner], OrderedDict(a=inner), DBRef("c", inner), Code("", inner)):
        encoded_alike(value if isinstance(value, dict) else {"v": value})
        encoded_alike({"v": value})


@in_use
def test_one_document_after_the_other() -> None:
    good, bad = EVERY_TYPE_BYTES * 2, EVERY_TYPE_BYTES + EVERY_TYPE_BYTES[:-1]
    for data, options in itertools.product((b"", good, bad, good + b"\5"), OPTIONS):
        for name in ("decode_all", "decode_iter"):

            def every(module: Any, name: str = name, data: bytes = data) -> list[Any]:
                return list(getattr(module, name)(data, options))  # noqa: B023 - called at once

            assert outcome(every, bson) == outcome(every, decoder)
    documents = bson.decode_iter(bad)
    assert shape(next(documents)) == shape(decoder.decode(EVERY_TYPE_BYTES))


class Name(StrEnum):
    FIRST = "first"


class Size(IntEnum):
    BIG = 7


class Half(float):
    pass


class Shouting(str):
    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return self.upper().encode("utf-8")


class Growing(Mapping[str, Any]):
    """A mapping that changes the dict which holds it as it is read."""

    def __init__(self, holder: dict[str, Any]) -> None:
        self.holder = holder

    def __getitem__(self, key: str) -> Any:
        return 1

    def __iter__(self) -> Iterator[str]:
        self.holder[f"more {len(self.holder)}"] = 1
        return iter(["a"])

    def __len__(self) -> int:
        return 1


ODD = st.one_of(
    SCALARS,
    st.sampled_from([Name.FIRST, Size.BIG, Half(0.5), Shouting("a"), True, Regex("a", "mi")]),
    st.sampled_from([object(), {1}, 2**63, -(2**63) - 1, "\ud800", Code("\udfff"), Binary(b"", 2)]),
    st.sampled_from([re.compile("a"), re.compile(b"\xff"), RawBSONDocument(EVERY_TYPE_BYTES), OID]),
    st.uuids(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(minutes=90))])),
)
ODD_KEYS = st.sampled_from(["a", "_id", "$b", "c.d", "e\0", "\xe9", "\ud800", "", Name.FIRST, 5])


def _containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    documents: st.SearchStrategy[dict[Any, Any]] = st.dictionaries(ODD_KEYS, values, max_size=3)
    return st.one_of(
        documents,
        documents.map(OrderedDict),
        st.lists(values, max_size=3),
        st.lists(values, max_size=3).map(tuple),
        documents.map(lambda scope: Code("f", scope)),
        values.map(lambda value: DBRef("c", value)),
    )


@in_use
@given(st.dictionaries(ODD_KEYS, st.recursive(ODD, _containers, max_leaves=8), max_size=4))
def test_odd_documents(document: dict[Any, Any]) -> None:
    for representation in (UuidRepresentation.UNSPECIFIED, UuidRepresentation.STANDARD):
        encoded_alike(document, options=CodecOptions(uuid_representation=representation))


@in_use
@pytest.mark.parametrize(
    "document", [[], None, "text", DBRef("c", 1), RawBSONDocument(EVERY_TYPE_BYTES)]
)
def test_what_is_no_dict(document: Any) -> None:
    encoded_alike(document)


@in_use
def test_a_dict_that_changes_as_it_is_read() -> None:
    def growing() -> dict[str, Any]:
        holder: dict[str, Any] = {}
        holder.update(a=Growing(holder), b=1)
        return holder

    assert outcome(bson.encode, growing()) == outcome(encoder.encode, growing())


@in_use
def test_a_large_document() -> None:
    encoded_alike({"a": ["x" * 70_000, {"b": b"y" * 1_000_000}], "c": list(range(2000))})


def test_the_choice(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def missing(name: str) -> SimpleNamespace:
        raise ImportError(f"no {name}")

    assert not codec._is_compiled("python")
    with pytest.raises(ImportError, match="MONGOSPEC_CODEC is 'python' or 'compiled', not 'rust'"):
        codec._is_compiled("rust")
    monkeypatch.setattr(codec, "import_module", lambda name: SimpleNamespace())
    assert codec._is_compiled("")
    assert codec._is_compiled("compiled")
    monkeypatch.setattr(codec, "import_module", missing)
    with pytest.raises(ImportError, match="install again where there are Cython"):
        codec._is_compiled("compiled")
    with caplog.at_level(logging.INFO, "mongospec.bson"):
        assert not codec._is_compiled("")
    assert "pure Python" in caplog.text
