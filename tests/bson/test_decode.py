"""Decoding: options, and that bad bytes are refused at the right place."""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import Any

import pytest

from driver.bson import (
    MAX_DEPTH,
    CodecOptions,
    Int64,
    InvalidBSON,
    decode,
    decode_all,
    decode_iter,
    encode,
)
from tests.bson.samples import EVERY_TYPE, nested, nested_bytes, wide


def document(elements: bytes) -> bytes:
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
def test_any_buffer(buffer: type[Any]) -> None:
    data = encode(EVERY_TYPE)
    assert decode(buffer(data)) == EVERY_TYPE
    assert decode_all(buffer(data * 2)) == [EVERY_TYPE, EVERY_TYPE]


def test_integers_keep_their_width() -> None:
    back = decode(encode({"a": 1, "b": Int64(1)}))
    assert [type(value) for value in back.values()] == [int, Int64]


def test_document_class() -> None:
    back = decode(encode({"a": [{"b": {}}]}), CodecOptions(document_class=OrderedDict))
    assert type(back) is type(back["a"][0]) is type(back["a"][0]["b"]) is OrderedDict


@pytest.mark.parametrize(
    ("elements", "offset", "why"),
    [
        (b"\x14a\0", 4, "unknown type 0x14 of element 'a'"),
        (b"\x80key\0", 4, "unknown type 0x80 of element 'key'"),
        (b"\0\0", 4, "NUL before the document's end"),
        (b"\x10a", 5, "key does not end"),
        (b"\x0a\xff\0", 5, "not UTF-8"),
        (b"\x10a\0\1\0\0", 7, "4 bytes where 3 are left"),
        (b"\x12a\0" + bytes(7), 7, "8 bytes where 7 are left"),
        (b"\x01a\0" + bytes(7), 7, "8 bytes where 7 are left"),
        (b"\x11a\0" + bytes(7), 7, "8 bytes where 7 are left"),
        (b"\x09a\0" + bytes(7), 7, "8 bytes where 7 are left"),
        (b"\x07a\0" + bytes(11), 7, "12 bytes where 11 are left"),
        (b"\x13a\0" + bytes(15), 7, "16 bytes where 15 are left"),
        (b"\x08a\0", 7, "1 bytes where 0 are left"),
        (b"\x08a\0\2", 7, "0 or 1, not 2"),
        (b"\x02a\0\1\0", 7, "string of 0 bytes where 0 are left"),
        (b"\x02a\0\0\0\0\0", 7, "string of 0 bytes"),
        (b"\x02a\0\xff\xff\xff\xff", 7, "string of -1 bytes"),
        (b"\x02a\0\2\0\0\0\0", 7, "string of 2 bytes where 1 are left"),
        (b"\x02a\0\2\0\0\0ab", 12, "string does not end with NUL"),
        (b"\x02a\0\3\0\0\0a\xe9\0", 12, "not UTF-8"),
        (b"\x05a\0\xff\xff\xff\xff\0", 7, "length of -1"),
        (b"\x05a\0\2\0\0\0\0a", 12, "2 bytes where 1 are left"),
        (b"\x05a\0\0\0\0\0", 7, "5 bytes where 4 are left"),
        (b"\x05a\0\5\0\0\0\2\2\0\0\0a", 12, "inner length of 2 in binary of 5 bytes"),
        (b"\x05a\0\3\0\0\0\2\0\0\0", 12, "4 bytes where 3 are left"),
        (b"\x0ba\0a\0i", 9, "regular expression does not end with NUL"),
        (b"\x0ca\0\1\0\0\0\0" + bytes(11), 12, "12 bytes where 11 are left"),
        (b"\x0fa\0\x0f\0\0\0\1\0\0\0\0\5\0\0\0\0\0", 21, "15 bytes ends after 14"),
        (b"\x03a\0\5\0\0\0", 7, "a document has 5 bytes at least"),
        (b"\x03a\0\6\0\0\0\0", 7, "document of 6 bytes where 5 are left"),
        (b"\x03a\0\4\0\0\0\0", 7, "document of 4 bytes"),
        (b"\x04a\0\5\0\0\0\1", 11, "document does not end with NUL"),
        (b"\x04a\0\x07\0\0\0\x0a0\0", 12, "key does not end"),
        (b"\x04a\0\x08\0\0\0\x140\0\0", 11, "unknown type 0x14 of element '0'"),
    ],
)
def test_refused(elements: bytes, offset: int, why: str) -> None:
    with pytest.raises(InvalidBSON) as caught:
        decode(document(elements))
    assert why in str(caught.value)
    assert caught.value.offset == offset
    assert f"(at offset {offset})" in str(caught.value)


def test_a_value_stays_within_its_document() -> None:
    inner = struct.pack("<i", 10) + b"\x10a\0\1\0" + b"\0"
    with pytest.raises(InvalidBSON, match="4 bytes where 2 are left"):
        decode(document(b"\x03d\0" + inner + b"\x10b\0\1\0\0\0"))


@pytest.mark.parametrize("data", [b"", b"\5", bytes(4), b"\5\0\0\0", b"\4\0\0\0\0", bytes(5)])
def test_no_document(data: bytes) -> None:
    with pytest.raises(InvalidBSON, match="at offset 0"):
        decode(data)


def test_bytes_after_the_document() -> None:
    with pytest.raises(InvalidBSON, match="2 bytes follow the document") as caught:
        decode(encode({"a": 1}) + b"xx")
    assert caught.value.offset == 12


def test_the_offset_counts_from_the_buffer() -> None:
    good = encode({})
    documents = decode_iter(good + document(b"\x08a\0\2"))
    assert next(documents) == {}
    with pytest.raises(InvalidBSON) as caught:
        next(documents)
    assert caught.value.offset == len(good) + 7


def test_decode_all_of_nothing() -> None:
    assert decode_all(b"") == []


def test_depth() -> None:
    assert decode(nested_bytes(MAX_DEPTH)) == nested(MAX_DEPTH)
    for kind in (b"\x03", b"\x04"):
        decode(nested_bytes(MAX_DEPTH, kind))
        for levels in (MAX_DEPTH + 1, 100_000):
            with pytest.raises(InvalidBSON, match="deeper than 200 levels"):
                decode(nested_bytes(levels, kind))


def test_depth_is_not_breadth() -> None:
    assert decode(encode(wide())) == wide()


def test_unicode_decode_error_handler() -> None:
    data = document(b"\x02k\xff\0\3\0\0\0a\xff\0")
    options = CodecOptions(unicode_decode_error_handler="replace")
    assert decode(data, options) == {"k\ufffd": "a\ufffd"}
    assert decode(data, options.with_options(unicode_decode_error_handler="ignore")) == {"k": "a"}


@pytest.mark.parametrize("handler", ["unknown", "xmlcharrefreplace"])
def test_a_useless_unicode_handler(handler: str) -> None:
    with pytest.raises(ValueError, match="unicode_decode_error_handler"):
        CodecOptions(unicode_decode_error_handler=handler)
