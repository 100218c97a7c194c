from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from driver.bson import (
    CodecOptions,
    InvalidBSON,
    RawBSONDocument,
    decode,
    decode_all,
    encode,
    write_document,
)
from tests.bson.samples import nested, nested_bytes

DOCUMENT: dict[str, Any] = {"a": [{"b": {"c": 1}}], "$ref": "x", "d": {"$ref": "c", "$id": 1}}
DATA = encode(DOCUMENT)
ODD_KEYS = b"\x10\0\0\0\x04a\0\x08\0\0\0\x0ax\0\0\0"  # an array whose only key is x
RAW = CodecOptions(document_class=RawBSONDocument)


def plain(value: Any) -> Any:
    if isinstance(value, RawBSONDocument):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("raw", [RawBSONDocument(DATA), decode(DATA, RAW), *decode_all(DATA, RAW)])
def test_reads_like_a_mapping(raw: RawBSONDocument) -> None:
    assert raw.raw == DATA
    assert list(raw) == list(DOCUMENT)
    assert len(raw) == 3
    assert plain(raw) == DOCUMENT
    assert isinstance(raw["a"][0]["b"], RawBSONDocument)
    assert raw["d"].raw == encode(DOCUMENT["d"])
    with pytest.raises(KeyError):
        raw["missing"]


def test_levels_are_decoded_once() -> None:
    raw = RawBSONDocument(DATA)
    assert raw["a"] is raw["a"]


def test_encoding_copies_the_bytes() -> None:
    raw = RawBSONDocument(ODD_KEYS)
    assert encode(decode(ODD_KEYS)) != ODD_KEYS
    assert encode(raw) == raw.raw
    buffer = bytearray(b"head")
    write_document(buffer, raw)
    assert buffer == b"head" + raw.raw
    assert encode({"v": raw, "w": [raw]}).count(raw.raw) == 2


def test_options_reach_the_inner_levels() -> None:
    when = datetime(2020, 1, 1, tzinfo=UTC)
    data = encode({"a": {"when": when}})
    options = CodecOptions(tz_aware=True)
    assert RawBSONDocument(data, options)["a"]["when"] == when
    raw = decode(data, options.with_options(document_class=RawBSONDocument))
    assert raw["a"]["when"] == when


@pytest.mark.parametrize("data", [b"", b"\5\0\0\0", b"\6\0\0\0\0", b"\5\0\0\0\1", DATA + b"\0"])
def test_the_frame_is_checked_at_once(data: bytes) -> None:
    with pytest.raises(InvalidBSON):
        RawBSONDocument(data)


def test_the_inside_is_checked_when_it_is_read() -> None:
    raw = RawBSONDocument(b"\x08\0\0\0\x14a\0\0")
    with pytest.raises(InvalidBSON, match="0x14"):
        raw["a"]


def test_depth_does_not_matter() -> None:
    level = RawBSONDocument(nested_bytes(3000))
    for _ in range(2999):
        level = level["a"]
    assert len(level) == 0


def test_equality() -> None:
    assert RawBSONDocument(DATA) == RawBSONDocument(DATA)
    assert RawBSONDocument(DATA) != RawBSONDocument(encode({}))
    assert len({RawBSONDocument(DATA), RawBSONDocument(DATA)}) == 1
    assert RawBSONDocument(encode(nested(2))) != nested(2)


def test_a_subclass_stays_itself() -> None:
    class Mine(RawBSONDocument):
        pass

    mine: Any = decode(DATA, CodecOptions(document_class=Mine))
    assert type(mine) is type(mine["d"]) is Mine
