"""What comes back after a round trip, and that corrupted bytes do no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driver.bson import (
    CodecOptions,
    DatetimeConversion,
    Decimal128,
    InvalidBSON,
    InvalidExtendedJSON,
    decode,
    encode,
)
from driver.bson.extended_json import Json, dumps, from_extended, loads, to_extended
from driver.bson.from_extended import _SPECIAL
from tests.bson.samples import DOCUMENTS, EVERY_TYPE

AUTO = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
EVERY_TYPE_BYTES = encode(EVERY_TYPE)


@given(DOCUMENTS)
@example(EVERY_TYPE)
def test_bson(document: dict[str, Any]) -> None:
    data = encode(document)
    back = decode(data)
    assert back == document
    assert list(back) == list(document)
    assert encode(back) == data  # so the types are the same, too


@given(DOCUMENTS)
@example(EVERY_TYPE)
def test_canonical_extended_json(document: dict[str, Any]) -> None:
    text = dumps(document, relaxed=False)
    back = loads(text)
    assert back == document
    assert encode(back) == encode(document)
    assert dumps(back, relaxed=False) == text


@given(DOCUMENTS)
@example(EVERY_TYPE)
def test_relaxed_extended_json(document: dict[str, Any]) -> None:
    text = dumps(document)
    assert dumps(loads(text)) == text


@given(st.binary(min_size=16, max_size=16))
def test_every_decimal128(bits: bytes) -> None:
    value = Decimal128.from_bid(bits)
    assert value.bid == bits
    assert str(Decimal128(str(value))) == str(value)
    assert str(Decimal128(value.to_decimal())) == str(value)


@pytest.mark.parametrize("length", range(len(EVERY_TYPE_BYTES)))
def test_truncated(length: int) -> None:
    with pytest.raises(InvalidBSON) as caught:
        decode(EVERY_TYPE_BYTES[:length])
    assert 0 <= caught.value.offset <= length


def survives(data: bytes | bytearray) -> None:
    """Either it is refused with an offset inside it, or what it holds can be written again."""
    try:
        document = decode(data, AUTO)
    except InvalidBSON as error:
        offset = error.offset
    else:
        offset = 0
        again = encode(document)
        assert encode(decode(again, AUTO)) == again
    assert 0 <= offset <= len(data)


@pytest.mark.parametrize("position", range(len(EVERY_TYPE_BYTES)))
def test_changed_byte(position: int) -> None:
    data = bytearray(EVERY_TYPE_BYTES)
    original = data[position]
    for value in {original ^ 1 << bit for bit in range(8)} | {0, 1, 0x7F, 0xFF}:
        data[position] = value
        survives(data)


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    survives(data)
    survives((len(data) + 5).to_bytes(4, "little") + data + b"\0")


@given(st.data())
def test_many_changes(data: st.DataObject) -> None:
    changed = bytearray(EVERY_TYPE_BYTES)
    spots = st.tuples(st.integers(4, len(changed) - 1), st.integers(0, 255))
    for position, value in data.draw(st.lists(spots, min_size=1, max_size=6)):
        changed[position] = value
    survives(changed)


INNER_KEYS = ["$ref", "$id", "$db", "base64", "subType", "t", "i", "pattern", "options", "a"]
WRAPPER_KEYS = st.sampled_from([*sorted(_SPECIAL), *INNER_KEYS])
WRAPPED = st.sampled_from(["", "1", "42", "00", "AA==", "x" * 24, "0" * 24, "1E6200", "NaN", "\0"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WRAPPED,
    lambda inner: st.lists(inner) | st.dictionaries(WRAPPER_KEYS, inner, max_size=3),
)


@given(JSON)
def test_any_json(json: Json) -> None:
    try:
        value = from_extended(json, AUTO)
    except InvalidExtendedJSON:
        return
    assert encode({"v": from_extended(to_extended(value, relaxed=False), AUTO)})


@given(st.text())
def test_any_text(text: str) -> None:
    try:
        value = loads(text)
    except InvalidExtendedJSON:
        return
    assert loads(dumps(value)) == value
