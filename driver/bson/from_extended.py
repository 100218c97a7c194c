"""Extended JSON to Python values (extended-json, "Parsers")."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from driver.bson.binary import UUID_SUBTYPE, binary_value
from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, MAX_DEPTH, CodecOptions
from driver.bson.datetimes import from_millis, to_millis
from driver.bson.decimal128 import Decimal128
from driver.bson.errors import InvalidExtendedJSON, InvalidId
from driver.bson.objectid import ObjectId
from driver.bson.to_extended import Json
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

_T = TypeVar("_T")

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_DOUBLE = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
_HEX_BYTE = re.compile(r"[0-9a-fA-F]{1,2}")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_HEX4 = "[0-9a-fA-F]{4}"
_UUID = re.compile(f"(urn:uuid:)?({_HEX4}){{2}}(-{_HEX4}){{3}}-({_HEX4}){{3}}|({_HEX4}){{8}}")
_JSON_TYPES = {str: "a string", int: "an integer", dict: "an object"}


def from_extended(value: Json, options: CodecOptions = DEFAULT_CODEC_OPTIONS) -> Any:
    """The BSON value that a JSON value stands for, as `driver.bson.decode` would give it.

    Canonical and relaxed forms are read; `$`-keys that are no type wrapper's stay as they are.
    An object that looks like a DBRef becomes one only inside another object or array. Raises
    InvalidExtendedJSON with the path of a malformed wrapper.
    """
    return _value(value, options, 0)


def _value(value: Json, options: CodecOptions, depth: int) -> Any:
    if isinstance(value, dict):
        if not _SPECIAL.isdisjoint(value):
            return _wrapped(value, options, depth)
        document = _document(value, options, depth)
        if depth and "$ref" in document:
            return DBRef.from_doc(document) or document
        return document
    if isinstance(value, list):
        return _array(value, options, depth)
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, int):
        return _integer(value)
    if not isinstance(value, float):
        raise InvalidExtendedJSON(f"JSON has no {type(value).__name__}")
    if math.isfinite(value):
        return value
    raise InvalidExtendedJSON("a number beyond the range of a double")


def _document(value: dict[str, Json], options: CodecOptions, depth: int) -> Any:
    _check_depth(depth)
    document = dict[str, Any]() if options.raw else options.document_class()
    for key, item in value.items():
        if "\0" in key:
            raise InvalidExtendedJSON("a key cannot hold NUL", (key,))
        try:
            document[key] = _value(item, options, depth + 1)
        except InvalidExtendedJSON as error:
            raise error.within(key) from None
    return document


def _array(value: list[Json], options: CodecOptions, depth: int) -> list[Any]:
    _check_depth(depth)
    array: list[Any] = []
    try:
        for item in value:
            array.append(_value(item, options, depth + 1))  # noqa: PERF401 - len() is the path
    except InvalidExtendedJSON as error:
        raise error.within(len(array)) from None
    return array


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise InvalidExtendedJSON(f"nested deeper than {MAX_DEPTH} levels")


def _integer(value: int) -> int | float:
    """The smallest BSON type that holds an integer."""
    if -0x8000_0000 <= value <= 0x7FFF_FFFF:
        return value
    if -(1 << 63) <= value < 1 << 63:
        return Int64(value)
    try:
        return float(value)
    except OverflowError:
        raise InvalidExtendedJSON("a number beyond the range of a double") from None


def _wrapped(wrapper: dict[str, Json], options: CodecOptions, depth: int) -> Any:
    name = next(key for key in wrapper if key in _SPECIAL)
    try:
        if name in _CODE_KEYS:
            return _code(wrapper, options, depth)
        if len(wrapper) > 1:
            others = ", ".join(repr(key) for key in wrapper if key != name)
            raise InvalidExtendedJSON(f"other keys beside {name}: {others}")
        return _WRAPPERS[name](wrapper[name], options)
    except (ValueError, OverflowError, InvalidId) as error:
        raise InvalidExtendedJSON(f"{name}: {error}") from None


def _code(wrapper: dict[str, Json], options: CodecOptions, depth: int) -> Code:
    if wrapper.keys() not in ({"$code"}, {"$code", "$scope"}):
        raise ValueError(f"a wrapper has $code, or $code and $scope, not {', '.join(wrapper)}")
    code = _take(str, wrapper["$code"])
    if "$scope" not in wrapper:
        return Code(code)
    return Code(code, _document(_take(dict, wrapper["$scope"]), options, depth))


# One parser a wrapper: (the value of its key, options). What a constructor refuses is a
# ValueError, an OverflowError or an InvalidId, which `_wrapped` translates.


def _oid(value: Json, options: CodecOptions) -> ObjectId:
    return ObjectId(_take(str, value))


def _symbol(value: Json, options: CodecOptions) -> Symbol:
    return Symbol(_take(str, value))


def _number_int(value: Json, options: CodecOptions) -> int:
    number = _parse_integer(value)
    if not -0x8000_0000 <= number <= 0x7FFF_FFFF:
        raise ValueError(f"{number} does not fit into 32 bits")
    return number


def _number_long(value: Json, options: CodecOptions) -> Int64:
    number = _parse_integer(value)
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"{number} does not fit into 64 bits")
    return Int64(number)


def _number_double(value: Json, options: CodecOptions) -> float:
    text = _take(str, value)
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    if not _DOUBLE.fullmatch(text):
        _refuse("a number", text)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:80]!r} is beyond the range of a double")
    return number


def _number_decimal(value: Json, options: CodecOptions) -> Decimal128:
    return Decimal128(_take(str, value))


def _binary(value: Json, options: CodecOptions) -> Any:
    data, subtype = _take_fields(value, "base64", "subType")
    text = _take(str, subtype)
    if not _HEX_BYTE.fullmatch(text):
        _refuse("a subType of one or two hexadecimal digits", text)
    payload = base64.b64decode(_take(str, data), validate=True)
    return binary_value(payload, int(text, 16), options.uuid_representation)


def _uuid(value: Json, options: CodecOptions) -> Any:
    text = _take(str, value)
    if not _UUID.fullmatch(text):
        _refuse("a UUID", text)
    return binary_value(UUID(text).bytes, UUID_SUBTYPE, options.uuid_representation)


def _timestamp(value: Json, options: CodecOptions) -> Timestamp:
    time, inc = _take_fields(value, "t", "i")
    return Timestamp(_take(int, time), _take(int, inc))


def _regular_expression(value: Json, options: CodecOptions) -> Regex:
    pattern, letters = _take_fields(value, "pattern", "options")
    return Regex(_take(str, pattern), _take(str, letters))


def _db_pointer(value: Json, options: CodecOptions) -> DBPointer:
    collection, oid = _take_fields(value, "$ref", "$id")
    (digits,) = _take_fields(oid, "$oid")
    return DBPointer(_take(str, collection), ObjectId(_take(str, digits)))


def _date(value: Json, options: CodecOptions) -> Any:
    if isinstance(value, str):
        if not _DATE.fullmatch(value):
            _refuse("a date such as 2012-12-24T12:15:30.501Z", value)
        return from_millis(to_millis(datetime.fromisoformat(value)), options)
    (millis,) = _take_fields(value, "$numberLong")
    return from_millis(_number_long(millis, options), options)


def _undefined(value: Json, options: CodecOptions) -> Undefined:
    if value is not True:
        raise ValueError(f"it takes true, not {_shown(value)}")
    return Undefined()


def _min_key(value: Json, options: CodecOptions) -> MinKey:
    _take_one(value)
    return MinKey()


def _max_key(value: Json, options: CodecOptions) -> MaxKey:
    _take_one(value)
    return MaxKey()


def _parse_integer(value: Json) -> int:
    text = _take(str, value)
    if not _INTEGER.fullmatch(text):
        _refuse("an integer", text)
    return int(text)


def _take_one(value: Json) -> None:
    if _take(int, value) != 1:
        raise ValueError(f"it takes 1, not {value}")


def _take(cls: type[_T], value: Json) -> _T:
    """The value, which must be of just this type: True is no integer."""
    if type(value) is not cls:
        raise ValueError(f"it takes {_JSON_TYPES[cls]}, not {_shown(value)}")
    return value


def _take_fields(value: Json, *names: str) -> list[Json]:
    """The values of an object that has these keys and no others."""
    fields = _take(dict, value)
    if fields.keys() != set(names):
        raise ValueError(f"it takes an object with {' and '.join(names)}, not {_shown(value)}")
    return [fields[name] for name in names]


def _refuse(what: str, text: str) -> NoReturn:
    raise ValueError(f"it takes {what}, not {_shown(text)}")


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_Parse = Callable[[Json, CodecOptions], Any]

_WRAPPERS: dict[str, _Parse] = {
    "$oid": _oid,
    "$symbol": _symbol,
    "$numberInt": _number_int,
    "$numberLong": _number_long,
    "$numberDouble": _number_double,
    "$numberDecimal": _number_decimal,
    "$binary": _binary,
    "$uuid": _uuid,
    "$timestamp": _timestamp,
    "$regularExpression": _regular_expression,
    "$dbPointer": _db_pointer,
    "$date": _date,
    "$undefined": _undefined,
    "$minKey": _min_key,
    "$maxKey": _max_key,
}

_CODE_KEYS = frozenset({"$code", "$scope"})
_SPECIAL = _CODE_KEYS.union(_WRAPPERS)
