"""Python values to BSON bytes (bsonspec.org, version 1.1)."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from driver.bson.binary import OLD_BINARY_SUBTYPE, Binary
from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, MAX_DEPTH, CodecOptions
from driver.bson.datetimes import DatetimeMS, to_millis
from driver.bson.decimal128 import Decimal128
from driver.bson.dispatch import TypeTable, no_type_for
from driver.bson.errors import InvalidDocument
from driver.bson.objectid import ObjectId
from driver.bson.raw import RawBSONDocument
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

_pack_int32 = struct.Struct("<i").pack
_pack_int64 = struct.Struct("<q").pack
_pack_double = struct.Struct("<d").pack
_pack_binary_header = struct.Struct("<iB").pack
_pack_timestamp = struct.Struct("<II").pack
_pack_int32_into = struct.Struct("<i").pack_into

_MAX_LENGTH = (1 << 31) - 1
_INDEXES = [b"%d\0" % index for index in range(1000)]

# Names of fields repeat, so their bytes are kept; both limits keep this small.
_names: dict[str, bytes] = {}
_MAX_NAMES = 4096
_MAX_KEPT_NAME = 64


class Writer:
    """One encoding: where the bytes go and how; `buffer` grows at its end."""

    __slots__ = ("buffer", "check_keys", "depth", "options")

    def __init__(self, buffer: bytearray, options: CodecOptions, check_keys: bool) -> None:
        self.buffer = buffer
        self.options = options
        self.check_keys = check_keys
        self.depth = 0


def encode(
    document: Mapping[str, Any],
    options: CodecOptions = DEFAULT_CODEC_OPTIONS,
    *,
    check_keys: bool = False,
) -> bytes:
    """The bytes of a document; a RawBSONDocument's are copied as they are.

    `check_keys` refuses keys that begin with `$` or contain a dot. Raises InvalidDocument, which
    names the path of the value that BSON cannot hold.
    """
    if isinstance(document, RawBSONDocument):
        return document.raw
    buffer = bytearray()
    write_document(buffer, document, options, check_keys=check_keys)
    return bytes(buffer)


def encode_inserts(
    documents: Sequence[Mapping[str, Any]], options: CodecOptions = DEFAULT_CODEC_OPTIONS
) -> tuple[bytes | bytearray | memoryview, list[int]]:
    """Documents to insert, one after the other, and where each of them ends.

    One without `_id` is given an ObjectId, in place; the `_id` goes first, since the server would
    move it there itself. A RawBSONDocument's bytes are copied as they are. Raises TypeError for
    what is no mapping, and InvalidDocument as `encode` does.
    """
    buffer = bytearray()
    ends = []
    for document in documents:
        if not isinstance(document, Mapping):
            raise TypeError(f"a document must be a mapping, not {type(document).__name__}")
        ordered = document
        if not isinstance(document, RawBSONDocument):
            if "_id" not in document:
                document["_id"] = ObjectId()  # type: ignore[index]
            ordered = {"_id": document["_id"], **document}
        write_document(buffer, ordered, options)
        ends.append(len(buffer))
    return buffer, ends


def write_document(
    buffer: bytearray,
    document: Mapping[str, Any],
    options: CodecOptions = DEFAULT_CODEC_OPTIONS,
    *,
    check_keys: bool = False,
) -> None:
    """As `encode`, but append to `buffer`, which stays as it was if this raises."""
    start = len(buffer)
    try:
        if isinstance(document, RawBSONDocument):
            buffer += document.raw
        elif isinstance(document, Mapping):
            _write_fields(Writer(buffer, options, check_keys), document)
        else:
            raise InvalidDocument(f"a document is a mapping, not {type(document).__name__}")
    except BaseException:
        del buffer[start:]
        raise


def _write_fields(writer: Writer, document: Mapping[str, Any]) -> None:
    start = _open(writer)
    check_keys = writer.check_keys
    key = None
    try:
        for key, value in document.items():
            name = _names.get(key) or _encode_name(key)
            if check_keys and (key[:1] == "$" or "." in key):
                raise InvalidDocument("a key must not begin with '$' or contain '.'")
            _WRITERS[type(value)](writer, name, value)
    except _REFUSALS as error:
        raise _located(error, key) from None
    _close(writer, start)


def _write_items(writer: Writer, array: Sequence[Any]) -> None:
    start = _open(writer)
    index = 0
    try:
        for index, value in enumerate(array):
            name = _INDEXES[index] if index < len(_INDEXES) else b"%d\0" % index
            _WRITERS[type(value)](writer, name, value)
    except _REFUSALS as error:
        raise _located(error, index) from None
    _close(writer, start)


def _open(writer: Writer) -> int:
    """Begin a document or array; returns where its length goes."""
    writer.depth += 1
    if writer.depth > MAX_DEPTH:
        raise InvalidDocument(f"nested deeper than {MAX_DEPTH} levels, or within itself")
    start = len(writer.buffer)
    writer.buffer += b"\0\0\0\0"
    return start


def _close(writer: Writer, start: int) -> None:
    writer.depth -= 1
    buffer = writer.buffer
    buffer += b"\0"
    _pack_int32_into(buffer, start, len(buffer) - start)


_REFUSALS = (InvalidDocument, UnicodeEncodeError, struct.error)


def _located(error: Exception, key: object) -> InvalidDocument:
    """The error that tells the user where the value is that `key` leads to."""
    if isinstance(error, UnicodeEncodeError):
        error = InvalidDocument(f"text that UTF-8 cannot hold: {error}")
    elif not isinstance(error, InvalidDocument):
        error = InvalidDocument("longer than the 2 GiB that a BSON length can express")
    return error.within(key)


def _encode_name(key: Any) -> bytes:
    if not isinstance(key, str):
        raise InvalidDocument(f"keys are str, not {type(key).__name__}")
    if "\0" in key:
        raise InvalidDocument("a key cannot hold NUL")
    name = key.encode() + b"\0"
    if type(key) is str and len(key) <= _MAX_KEPT_NAME:
        if len(_names) >= _MAX_NAMES:
            _names.clear()
        _names[key] = name
    return name


# One writer a type: (writer, name with its NUL, value).


def _write_double(writer: Writer, name: bytes, value: float) -> None:
    writer.buffer += b"\x01" + name + _pack_double(value)


def _write_string(writer: Writer, name: bytes, value: str) -> None:
    data = value.encode()
    writer.buffer += b"\x02" + name + _pack_int32(len(data) + 1) + data + b"\0"


def _write_document(writer: Writer, name: bytes, value: Mapping[str, Any]) -> None:
    writer.buffer += b"\x03" + name
    _write_fields(writer, value)


def _write_raw_document(writer: Writer, name: bytes, value: RawBSONDocument) -> None:
    writer.buffer += b"\x03" + name
    writer.buffer += value.raw


def _write_dbref(writer: Writer, name: bytes, value: DBRef) -> None:
    check_keys, writer.check_keys = writer.check_keys, False  # its own keys begin with $
    _write_document(writer, name, value.as_doc())
    writer.check_keys = check_keys


def _write_array(writer: Writer, name: bytes, value: Sequence[Any]) -> None:
    writer.buffer += b"\x04" + name
    _write_items(writer, value)


def _write_bytes(writer: Writer, name: bytes, value: bytes) -> None:
    writer.buffer += b"\x05" + name + _pack_binary_header(len(value), 0)
    writer.buffer += value


def _write_binary(writer: Writer, name: bytes, value: Binary) -> None:
    length, subtype = len(value), value.subtype
    if subtype == OLD_BINARY_SUBTYPE:  # it has its length twice
        header = _pack_binary_header(length + 4, subtype) + _pack_int32(length)
    else:
        header = _pack_binary_header(length, subtype)
    writer.buffer += b"\x05" + name + header
    writer.buffer += value


def _write_uuid(writer: Writer, name: bytes, value: UUID) -> None:
    try:
        binary = Binary.from_uuid(value, writer.options.uuid_representation)
    except ValueError as error:
        raise InvalidDocument(str(error)) from None
    _write_binary(writer, name, binary)


def _write_undefined(writer: Writer, name: bytes, value: Undefined) -> None:
    writer.buffer += b"\x06" + name


def _write_objectid(writer: Writer, name: bytes, value: ObjectId) -> None:
    writer.buffer += b"\x07" + name + value.binary


def _write_bool(writer: Writer, name: bytes, value: bool) -> None:
    writer.buffer += b"\x08" + name + (b"\1" if value else b"\0")


def _write_datetime(writer: Writer, name: bytes, value: datetime) -> None:
    writer.buffer += b"\x09" + name + _pack_int64(to_millis(value))


def _write_datetime_ms(writer: Writer, name: bytes, value: DatetimeMS) -> None:
    writer.buffer += b"\x09" + name + _pack_int64(int(value))


def _write_none(writer: Writer, name: bytes, value: None) -> None:
    writer.buffer += b"\x0a" + name


def _write_regex(writer: Writer, name: bytes, value: Regex) -> None:
    text = value.pattern + "\0" + value.options + "\0"
    writer.buffer += b"\x0b" + name + text.encode()


def _write_pattern(writer: Writer, name: bytes, value: re.Pattern[Any]) -> None:
    try:
        regex = Regex.from_native(value)
    except ValueError as error:
        raise InvalidDocument(str(error)) from None
    _write_regex(writer, name, regex)


def _write_dbpointer(writer: Writer, name: bytes, value: DBPointer) -> None:
    data = value.collection.encode()
    header = b"\x0c" + name + _pack_int32(len(data) + 1)
    writer.buffer += header + data + b"\0" + value.id.binary


def _write_code(writer: Writer, name: bytes, value: Code) -> None:
    data = value.encode()
    code = _pack_int32(len(data) + 1) + data + b"\0"
    buffer = writer.buffer
    if value.scope is None:
        buffer += b"\x0d" + name + code
        return
    buffer += b"\x0f" + name
    start = len(buffer)
    buffer += b"\0\0\0\0" + code
    _write_fields(writer, value.scope)
    _pack_int32_into(buffer, start, len(buffer) - start)


def _write_symbol(writer: Writer, name: bytes, value: Symbol) -> None:
    data = value.encode()
    writer.buffer += b"\x0e" + name + _pack_int32(len(data) + 1) + data + b"\0"


def _write_int(writer: Writer, name: bytes, value: int) -> None:
    if -0x8000_0000 <= value <= 0x7FFF_FFFF:
        writer.buffer += b"\x10" + name + _pack_int32(value)
    else:
        _write_int64(writer, name, value)


def _write_timestamp(writer: Writer, name: bytes, value: Timestamp) -> None:
    writer.buffer += b"\x11" + name + _pack_timestamp(value.inc, value.time)


def _write_int64(writer: Writer, name: bytes, value: int) -> None:
    if not -(1 << 63) <= value < 1 << 63:
        raise InvalidDocument("an int beyond 64 bits; a Decimal128 holds up to 34 digits")
    writer.buffer += b"\x12" + name + _pack_int64(value)


def _write_decimal128(writer: Writer, name: bytes, value: Decimal128) -> None:
    writer.buffer += b"\x13" + name + value.bid


def _write_min_key(writer: Writer, name: bytes, value: MinKey) -> None:
    writer.buffer += b"\xff" + name


def _write_max_key(writer: Writer, name: bytes, value: MaxKey) -> None:
    writer.buffer += b"\x7f" + name


def _refuse(writer: Writer, name: bytes, value: object) -> None:
    raise no_type_for(value)


_WRITERS = TypeTable(
    {
        float: _write_double,
        str: _write_string,
        dict: _write_document,
        Mapping: _write_document,
        RawBSONDocument: _write_raw_document,
        DBRef: _write_dbref,
        list: _write_array,
        tuple: _write_array,
        bytes: _write_bytes,
        bytearray: _write_bytes,
        Binary: _write_binary,
        UUID: _write_uuid,
        Undefined: _write_undefined,
        ObjectId: _write_objectid,
        bool: _write_bool,
        datetime: _write_datetime,
        DatetimeMS: _write_datetime_ms,
        type(None): _write_none,
        Regex: _write_regex,
        re.Pattern: _write_pattern,
        DBPointer: _write_dbpointer,
        Code: _write_code,
        Symbol: _write_symbol,
        int: _write_int,
        Timestamp: _write_timestamp,
        Int64: _write_int64,
        Decimal128: _write_decimal128,
        MinKey: _write_min_key,
        MaxKey: _write_max_key,
        object: _refuse,
    }
)
