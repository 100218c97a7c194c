"""Python values to Extended JSON (extended-json, "Generators")."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from driver.bson.binary import Binary
from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, MAX_DEPTH, CodecOptions
from driver.bson.datetimes import DatetimeMS, to_millis
from driver.bson.decimal128 import Decimal128
from driver.bson.dispatch import TypeTable, no_type_for
from driver.bson.errors import InvalidDocument
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

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What the json module reads and writes."""

_END_OF_9999 = 253_402_300_800_000  # ms since the epoch


class _Form:
    """One conversion: how to write, and how deep it is."""

    __slots__ = ("depth", "options", "relaxed")

    def __init__(self, relaxed: bool, options: CodecOptions) -> None:
        self.relaxed = relaxed
        self.options = options
        self.depth = 0


def to_extended(
    value: Any, *, relaxed: bool, options: CodecOptions = DEFAULT_CODEC_OPTIONS
) -> Json:
    """The JSON value that stands for a BSON value, as `driver.bson.decode` gives it.

    Of the options, only uuid_representation matters. Raises InvalidDocument with the path of a
    value that BSON cannot hold.
    """
    return _convert(value, _Form(relaxed, options))


def _convert(value: Any, form: _Form) -> Json:
    json: Json = _CONVERTERS[type(value)](value, form)
    return json


def _document(value: Mapping[str, Any], form: _Form) -> Json:
    _enter(form)
    document: dict[str, Json] = {}
    key = None
    try:
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidDocument(f"keys are str, not {type(key).__name__}")
            document[key] = _CONVERTERS[type(item)](item, form)
    except InvalidDocument as error:
        raise error.within(key) from None
    form.depth -= 1
    return document


def _array(value: Sequence[Any], form: _Form) -> Json:
    _enter(form)
    array: list[Json] = []
    try:
        for item in value:
            array.append(_CONVERTERS[type(item)](item, form))  # noqa: PERF401 - len() is the path
    except InvalidDocument as error:
        raise error.within(len(array)) from None
    form.depth -= 1
    return array


def _enter(form: _Form) -> None:
    form.depth += 1
    if form.depth > MAX_DEPTH:
        raise InvalidDocument(f"nested deeper than {MAX_DEPTH} levels, or within itself")


def _itself(value: Any, form: _Form) -> Json:
    json: Json = value
    return json


def _int(value: int, form: _Form) -> Json:
    if -0x8000_0000 <= value <= 0x7FFF_FFFF:
        return int(value) if form.relaxed else {"$numberInt": str(int(value))}
    return _int64(value, form)


def _int64(value: int, form: _Form) -> Json:
    if not -(1 << 63) <= value < 1 << 63:
        raise InvalidDocument("an int beyond 64 bits; a Decimal128 holds up to 34 digits")
    return int(value) if form.relaxed else {"$numberLong": str(int(value))}


def _float(value: float, form: _Form) -> Json:
    if math.isnan(value):
        return {"$numberDouble": "NaN"}
    if math.isinf(value):
        return {"$numberDouble": "Infinity" if value > 0 else "-Infinity"}
    return value if form.relaxed else {"$numberDouble": repr(float(value)).upper()}


def _bytes(value: bytes, form: _Form) -> Json:
    subtype = value.subtype if isinstance(value, Binary) else 0
    data = base64.b64encode(value).decode()
    return {"$binary": {"base64": data, "subType": f"{subtype:02x}"}}


def _uuid(value: UUID, form: _Form) -> Json:
    try:
        binary = Binary.from_uuid(value, form.options.uuid_representation)
    except ValueError as error:
        raise InvalidDocument(str(error)) from None
    return _bytes(binary, form)


def _datetime(value: datetime | DatetimeMS, form: _Form) -> Json:
    millis = to_millis(value) if isinstance(value, datetime) else int(value)
    if not (form.relaxed and 0 <= millis < _END_OF_9999):
        return {"$date": {"$numberLong": str(millis)}}
    seconds, fraction = divmod(millis, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {"$date": f"{text}.{fraction:03}Z" if fraction else f"{text}Z"}


def _regex(value: Regex, form: _Form) -> Json:
    return {"$regularExpression": {"pattern": value.pattern, "options": value.options}}


def _pattern(value: re.Pattern[Any], form: _Form) -> Json:
    try:
        return _regex(Regex.from_native(value), form)
    except ValueError as error:
        raise InvalidDocument(str(error)) from None


def _code(value: Code, form: _Form) -> Json:
    if value.scope is None:
        return {"$code": str(value)}
    return {"$code": str(value), "$scope": _document(value.scope, form)}


def _dbpointer(value: DBPointer, form: _Form) -> Json:
    return {"$dbPointer": {"$ref": value.collection, "$id": {"$oid": str(value.id)}}}


def _timestamp(value: Timestamp, form: _Form) -> Json:
    return {"$timestamp": {"t": value.time, "i": value.inc}}


def _refuse(value: object, form: _Form) -> Json:
    raise no_type_for(value)


_CONVERTERS = TypeTable(
    {
        type(None): _itself,
        bool: _itself,
        str: _itself,
        int: _int,
        Int64: _int64,
        float: _float,
        dict: _document,
        Mapping: _document,
        DBRef: lambda value, form: _document(value.as_doc(), form),
        list: _array,
        tuple: _array,
        bytes: _bytes,
        bytearray: _bytes,
        UUID: _uuid,
        ObjectId: lambda value, form: {"$oid": str(value)},
        datetime: _datetime,
        DatetimeMS: _datetime,
        Regex: _regex,
        re.Pattern: _pattern,
        Code: _code,
        Symbol: lambda value, form: {"$symbol": str.__str__(value)},
        DBPointer: _dbpointer,
        Timestamp: _timestamp,
        Decimal128: lambda value, form: {"$numberDecimal": str(value)},
        Undefined: lambda value, form: {"$undefined": True},
        MinKey: lambda value, form: {"$minKey": 1},
        MaxKey: lambda value, form: {"$maxKey": 1},
        object: _refuse,
    }
)
