"""BSON bytes to Python values (bsonspec.org, version 1.1).

The bytes are not trusted: a length is compared with the bounds of what encloses it before it is
used, and nesting is limited. Whatever is wrong raises InvalidBSON with its offset.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from driver.bson.binary import OLD_BINARY_SUBTYPE, binary_value
from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, MAX_DEPTH, CodecOptions
from driver.bson.datetimes import from_millis
from driver.bson.decimal128 import Decimal128
from driver.bson.errors import InvalidBSON
from driver.bson.objectid import ObjectId
from driver.bson.types import (
    Code,
    DBPointer,
    DBRef,
    Int64,
    MaxKey,
    MinKey,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
)

_read_int32 = struct.Struct("<i").unpack_from
_read_int64 = struct.Struct("<q").unpack_from
_read_double = struct.Struct("<d").unpack_from
_read_timestamp = struct.Struct("<II").unpack_from

_MIN_DOCUMENT = 5  # a length and a terminator


class Reader:
    """One decoding: the bytes and what they shall become."""

    __slots__ = ("data", "depth", "document_class", "errors", "options", "raw_class")

    def __init__(self, data: bytes, options: CodecOptions, raw_class: type[Any] | None) -> None:
        self.data = data
        self.options = options
        self.document_class = dict if raw_class else options.document_class
        self.raw_class = raw_class
        self.errors = options.unicode_decode_error_handler
        self.depth = 0


def decode(
    data: bytes | bytearray | memoryview, options: CodecOptions = DEFAULT_CODEC_OPTIONS
) -> dict[str, Any]:
    """The one document that `data` is, as an instance of the options' document_class.

    Raises InvalidBSON, also for bytes after the document's end.
    """
    data = bytes(data)
    check_document(data)
    document: dict[str, Any] = decode_at(data, 0, options)[0]
    return document


def decode_all(
    data: bytes | bytearray | memoryview, options: CodecOptions = DEFAULT_CODEC_OPTIONS
) -> list[dict[str, Any]]:
    """All documents of `data`, which stand one after the other without gaps."""
    return list(decode_iter(data, options))


def decode_iter(
    data: bytes | bytearray | memoryview, options: CodecOptions = DEFAULT_CODEC_OPTIONS
) -> Iterator[dict[str, Any]]:
    """As `decode_all`, but each document is decoded when it is asked for."""
    data = bytes(data)
    position = 0
    while position < len(data):
        document, position = decode_at(data, position, options)
        yield document


def check_document(data: bytes) -> None:
    """Raise InvalidBSON unless `data` has the length and the end of exactly one document."""
    stop = _document_stop(data, 0, len(data))
    if stop != len(data):
        raise InvalidBSON(f"{len(data) - stop} bytes follow the document", stop)


def decode_shallow(data: bytes, options: CodecOptions, raw_class: type[Any]) -> dict[str, Any]:
    """One document as a dict, in which embedded documents are instances of `raw_class`."""
    document: dict[str, Any] = _read_document(Reader(data, options, raw_class), 0, len(data))[0]
    return document


def decode_at(data: bytes, position: int, options: CodecOptions) -> tuple[Any, int]:
    """The document that begins at `position`, and where it ends."""
    if options.raw:
        stop = _document_stop(data, position, len(data))
        return options.document_class(data[position:stop], options), stop
    return _read_document(Reader(data, options, None), position, len(data))


def _document_stop(data: bytes, position: int, end: int) -> int:
    """Where the document or array at `position` stops, its last byte being NUL."""
    if position + _MIN_DOCUMENT > end:
        raise InvalidBSON(f"a document has {_MIN_DOCUMENT} bytes at least", position)
    length = _read_int32(data, position)[0]
    stop: int = position + length
    if length < _MIN_DOCUMENT or stop > end:
        raise InvalidBSON(f"a document of {length} bytes where {end - position} are left", position)
    if data[stop - 1]:
        raise InvalidBSON("a document does not end with NUL", stop - 1)
    return stop


# One reader a type: (reader, position of the value, end of what encloses it) -> (value, position
# after it). `end` is exclusive: a value may reach up to it.


def _read_document(reader: Reader, position: int, end: int) -> tuple[Any, int]:
    data = reader.data
    stop = _document_stop(data, position, end)
    depth = reader.depth
    if depth and reader.raw_class:
        return reader.raw_class(data[position:stop], reader.options), stop
    if depth >= MAX_DEPTH:
        raise InvalidBSON(f"nested deeper than {MAX_DEPTH} levels", position)
    reader.depth = depth + 1
    document = reader.document_class()
    position += 4
    last = stop - 1
    while position < last:
        key_end = data.find(0, position + 1, last)
        if key_end < 0:
            raise InvalidBSON("a key does not end with NUL", position + 1)
        key = _text(reader, position + 1, key_end)
        read = _READERS[data[position]]
        if read is None:
            raise _unknown_type(data[position], key, position)
        document[key], position = read(reader, key_end + 1, last)
    reader.depth = depth
    if depth and "$ref" in document:
        return DBRef.from_doc(document) or document, stop
    return document, stop


def _read_array(reader: Reader, position: int, end: int) -> tuple[list[Any], int]:
    data = reader.data
    stop = _document_stop(data, position, end)
    depth = reader.depth
    if depth >= MAX_DEPTH:
        raise InvalidBSON(f"nested deeper than {MAX_DEPTH} levels", position)
    reader.depth = depth + 1
    values: list[Any] = []
    position += 4
    last = stop - 1
    while position < last:
        key_end = data.find(0, position + 1, last)  # keys of arrays may be anything
        if key_end < 0:
            raise InvalidBSON("a key does not end with NUL", position + 1)
        read = _READERS[data[position]]
        if read is None:
            raise _unknown_type(data[position], str(len(values)), position)
        value, position = read(reader, key_end + 1, last)
        values.append(value)
    reader.depth = depth
    return values, stop


def _unknown_type(kind: int, key: str, position: int) -> InvalidBSON:
    if kind == 0:
        return InvalidBSON("NUL before the document's end", position)
    return InvalidBSON(f"unknown type 0x{kind:02x} of element {key[:80]!r}", position)


def _text(reader: Reader, start: int, stop: int) -> str:
    try:
        return reader.data[start:stop].decode("utf-8", reader.errors)
    except UnicodeDecodeError as error:
        raise InvalidBSON(f"not UTF-8: {error.reason}", start + error.start) from None


def _cut(position: int, size: int, end: int) -> InvalidBSON:
    return InvalidBSON(f"a value of {size} bytes where {end - position} are left", position)


def _length(reader: Reader, position: int, end: int) -> int:
    """A length that is not negative; what it counts may still be too long."""
    if position + 4 > end:
        raise _cut(position, 4, end)
    length: int = _read_int32(reader.data, position)[0]
    if length < 0:
        raise InvalidBSON(f"a length of {length}", position)
    return length


def _read_double_value(reader: Reader, position: int, end: int) -> tuple[float, int]:
    stop = position + 8
    if stop > end:
        raise _cut(position, 8, end)
    return _read_double(reader.data, position)[0], stop


def _read_string(reader: Reader, position: int, end: int) -> tuple[str, int]:
    start = position + 4
    length = _read_int32(reader.data, position)[0] if start <= end else 0
    stop = start + length
    if length < 1 or stop > end:
        left = max(end - start, 0)
        raise InvalidBSON(f"a string of {length} bytes where {left} are left", position)
    if reader.data[stop - 1]:
        raise InvalidBSON("a string does not end with NUL", stop - 1)
    return _text(reader, start, stop - 1), stop


def _read_binary(reader: Reader, position: int, end: int) -> tuple[Any, int]:
    data = reader.data
    start = position + 5
    if start > end:
        raise _cut(position, 5, end)
    length = _length(reader, position, end)
    stop = start + length
    if stop > end:
        raise _cut(start, length, end)
    subtype = data[start - 1]
    if subtype == OLD_BINARY_SUBTYPE:
        inner = _length(reader, start, stop)
        if inner != length - 4:
            raise InvalidBSON(f"an inner length of {inner} in binary of {length} bytes", start)
        start += 4
    return binary_value(data[start:stop], subtype, reader.options.uuid_representation), stop


def _read_undefined(reader: Reader, position: int, end: int) -> tuple[Undefined, int]:
    return Undefined(), position


def _read_objectid(reader: Reader, position: int, end: int) -> tuple[ObjectId, int]:
    stop = position + 12
    if stop > end:
        raise _cut(position, 12, end)
    return ObjectId(reader.data[position:stop]), stop


def _read_bool(reader: Reader, position: int, end: int) -> tuple[bool, int]:
    stop = position + 1
    if stop > end:
        raise _cut(position, 1, end)
    value = reader.data[position]
    if value > 1:
        raise InvalidBSON(f"a boolean is 0 or 1, not {value}", position)
    return value == 1, stop


def _read_datetime(reader: Reader, position: int, end: int) -> tuple[Any, int]:
    stop = position + 8
    if stop > end:
        raise _cut(position, 8, end)
    try:
        return from_millis(_read_int64(reader.data, position)[0], reader.options), stop
    except OverflowError as error:
        raise InvalidBSON(str(error), position) from None


def _read_none(reader: Reader, position: int, end: int) -> tuple[None, int]:
    return None, position


def _read_cstring(reader: Reader, position: int, end: int) -> tuple[str, int]:
    stop = reader.data.find(0, position, end)
    if stop < 0:
        raise InvalidBSON("a part of a regular expression does not end with NUL", position)
    return _text(reader, position, stop), stop + 1


def _read_regex(reader: Reader, position: int, end: int) -> tuple[Regex, int]:
    pattern, position = _read_cstring(reader, position, end)
    options, position = _read_cstring(reader, position, end)
    return Regex(pattern, options), position


def _read_dbpointer(reader: Reader, position: int, end: int) -> tuple[DBPointer, int]:
    collection, position = _read_string(reader, position, end)
    oid, position = _read_objectid(reader, position, end)
    return DBPointer(collection, oid), position


def _read_code(reader: Reader, position: int, end: int) -> tuple[Code, int]:
    code, position = _read_string(reader, position, end)
    return Code(code), position


def _read_symbol(reader: Reader, position: int, end: int) -> tuple[Symbol, int]:
    symbol, position = _read_string(reader, position, end)
    return Symbol(symbol), position


def _read_code_with_scope(reader: Reader, position: int, end: int) -> tuple[Code, int]:
    length = _length(reader, position, end)
    stop = position + length
    if stop > end:
        raise _cut(position, length, end)
    code, scope_at = _read_string(reader, position + 4, stop)
    scope, after = _read_document(reader, scope_at, stop)
    if after != stop:
        raise InvalidBSON(f"code with scope of {length} bytes ends after {after - position}", after)
    return Code(code, scope), stop


def _read_int32_value(reader: Reader, position: int, end: int) -> tuple[int, int]:
    stop = position + 4
    if stop > end:
        raise _cut(position, 4, end)
    return _read_int32(reader.data, position)[0], stop


def _read_timestamp_value(reader: Reader, position: int, end: int) -> tuple[Timestamp, int]:
    stop = position + 8
    if stop > end:
        raise _cut(position, 8, end)
    inc, time = _read_timestamp(reader.data, position)
    return Timestamp(time, inc), stop


def _read_int64_value(reader: Reader, position: int, end: int) -> tuple[Int64, int]:
    stop = position + 8
    if stop > end:
        raise _cut(position, 8, end)
    return Int64(_read_int64(reader.data, position)[0]), stop


def _read_decimal128(reader: Reader, position: int, end: int) -> tuple[Decimal128, int]:
    stop = position + 16
    if stop > end:
        raise _cut(position, 16, end)
    return Decimal128.from_bid(reader.data[position:stop]), stop


def _read_min_key(reader: Reader, position: int, end: int) -> tuple[MinKey, int]:
    return MinKey(), position


def _read_max_key(reader: Reader, position: int, end: int) -> tuple[MaxKey, int]:
    return MaxKey(), position


_Read: TypeAlias = Callable[[Reader, int, int], tuple[Any, int]]

_TYPES: dict[int, _Read] = {
    0x01: _read_double_value,
    0x02: _read_string,
    0x03: _read_document,
    0x04: _read_array,
    0x05: _read_binary,
    0x06: _read_undefined,
    0x07: _read_objectid,
    0x08: _read_bool,
    0x09: _read_datetime,
    0x0A: _read_none,
    0x0B: _read_regex,
    0x0C: _read_dbpointer,
    0x0D: _read_code,
    0x0E: _read_symbol,
    0x0F: _read_code_with_scope,
    0x10: _read_int32_value,
    0x11: _read_timestamp_value,
    0x12: _read_int64_value,
    0x13: _read_decimal128,
    0x7F: _read_max_key,
    0xFF: _read_min_key,
}

_READERS: tuple[_Read | None, ...] = tuple(map(_TYPES.get, range(256)))
