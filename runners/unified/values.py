"""Extended JSON values: their BSON type, and a form in which equal values compare equal.

Relaxed and canonical Extended JSON are read alike, so an expected `1` and an actual
`{"$numberInt": "1"}` are the same value from here on.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from runners.model import Json, JsonObject

NUMERIC: Final = frozenset({"int", "long", "double"})
"""The types which compare by value ("Flexible Numeric Comparisons" leaves decimal out)."""

TYPE_ALIASES: Final = NUMERIC.union(
    ("string", "object", "array", "binData", "undefined", "objectId", "bool", "date", "null"),
    ("regex", "dbPointer", "javascript", "symbol", "javascriptWithScope", "timestamp"),
    ("decimal", "minKey", "maxKey"),
)
"""The names of BSON types that the `$type` query operator has."""

_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)


class MalformedValue(ValueError):
    """Something looks like Extended JSON, but is not."""


class Value(NamedTuple):
    """A BSON value: the `$type` alias of its type and what it holds.

    Two values are the same BSON value where both fields are equal; of an `object` or an `array`,
    the payload is still Extended JSON (see `exact`).
    """

    type: str
    payload: object


def decode(value: Json) -> Value:
    """The value of one node; its children stay as they are. Raises MalformedValue."""
    match value:
        case None:
            return Value("null", None)
        case bool():
            return Value("bool", value)
        case int():
            return _integer(value)
        case float():
            return _double(value)
        case str():
            return Value("string", value)
        case list():
            return Value("array", value)
    if next(iter(value), "").startswith("$"):
        read = _WRAPPERS.get(frozenset(value))
        if read is not None:
            try:
                return read(value)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
                raise MalformedValue(f"malformed Extended JSON {value!r}: {error}") from None
    return Value("object", value)


def exact(value: Json) -> object:
    """A form of the whole value that equals another's only where type and content do.

    The order of a document's keys does not count.
    """
    kind, payload = decode(value)
    if isinstance(payload, dict):
        return kind, {key: exact(item) for key, item in payload.items()}
    if isinstance(payload, list):
        return kind, [exact(item) for item in payload]
    return kind, payload


def number(value: Json) -> int | float | None:
    """The value of an int, long or double; None for any other type (decimal too)."""
    kind, payload = decode(value)
    if kind not in NUMERIC:
        return None
    return payload if isinstance(payload, int | float) else math.nan


def _integer(value: int) -> Value:
    if value not in _INT64:
        raise MalformedValue(f"{value} does not fit into 64 bits")
    return Value("int" if value in _INT32 else "long", value)


def _double(value: float) -> Value:
    return Value("double", "NaN" if math.isnan(value) else value)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _whole(value: Json, bounds: range) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in bounds:
        raise TypeError(f"{value!r} is not a whole number in range")
    return value


def _digits(value: Json, bounds: range) -> int:
    text = _text(value)
    if len(text) > 20 or not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError(f"{text!r} is not a whole number")
    return _whole(int(text), bounds)


def _read_double(wrapper: JsonObject) -> Value:
    return _double(float(_text(wrapper["$numberDouble"])))


def _read_object_id(wrapper: JsonObject) -> Value:
    text = _text(wrapper["$oid"]).lower()
    if not re.fullmatch(r"[0-9a-f]{24}", text):
        raise ValueError("an ObjectId has 24 hexadecimal digits")
    return Value("objectId", text)


def _read_binary(wrapper: JsonObject) -> Value:
    binary = wrapper["$binary"]
    if isinstance(binary, dict):
        data, subtype = binary["base64"], binary["subType"]
    else:  # the legacy form, which parsers still accept
        data, subtype = binary, wrapper["$type"]
    try:
        raw = base64.b64decode(_text(data), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    return Value("binData", (int(_text(subtype), 16), raw))


def _read_uuid(wrapper: JsonObject) -> Value:
    text = _text(wrapper["$uuid"])
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ValueError("not a UUID in its 8-4-4-4-12 form")
    return Value("binData", (4, bytes.fromhex(text.replace("-", ""))))


def _read_date(wrapper: JsonObject) -> Value:
    date = wrapper["$date"]
    if isinstance(date, dict):
        return Value("date", _digits(date["$numberLong"], _INT64))
    moment = datetime.fromisoformat(_text(date))
    if moment.tzinfo is None:
        raise ValueError("a date needs its offset from UTC")
    since_epoch = moment - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return Value(
        "date",
        (since_epoch.days * 86400 + since_epoch.seconds) * 1000 + since_epoch.microseconds // 1000,
    )


def _read_timestamp(wrapper: JsonObject) -> Value:
    stamp = wrapper["$timestamp"]
    if not isinstance(stamp, dict):
        raise TypeError("a timestamp has t and i")
    bounds = range(2**32)
    return Value("timestamp", (_whole(stamp["t"], bounds), _whole(stamp["i"], bounds)))


def _read_regex(wrapper: JsonObject) -> Value:
    regex = wrapper["$regularExpression"]
    if not isinstance(regex, dict):
        raise TypeError("a regular expression has pattern and options")
    return Value("regex", (_text(regex["pattern"]), "".join(sorted(_text(regex["options"])))))


def _read_db_pointer(wrapper: JsonObject) -> Value:
    pointer = wrapper["$dbPointer"]
    if not isinstance(pointer, dict):
        raise TypeError("a dbPointer has $ref and $id")
    return Value("dbPointer", (_text(pointer["$ref"]), exact(pointer["$id"])))


def _read_scoped_code(wrapper: JsonObject) -> Value:
    return Value("javascriptWithScope", (_text(wrapper["$code"]), exact(wrapper["$scope"])))


_WRAPPERS: Final[dict[frozenset[str], Callable[[JsonObject], Value]]] = {
    frozenset({"$numberInt"}): lambda w: Value("int", _digits(w["$numberInt"], _INT32)),
    frozenset({"$numberLong"}): lambda w: Value("long", _digits(w["$numberLong"], _INT64)),
    frozenset({"$numberDouble"}): _read_double,
    frozenset({"$numberDecimal"}): lambda w: Value("decimal", _text(w["$numberDecimal"])),
    frozenset({"$oid"}): _read_object_id,
    frozenset({"$symbol"}): lambda w: Value("symbol", _text(w["$symbol"])),
    frozenset({"$code"}): lambda w: Value("javascript", _text(w["$code"])),
    frozenset({"$code", "$scope"}): _read_scoped_code,
    frozenset({"$binary"}): _read_binary,
    frozenset({"$binary", "$type"}): _read_binary,
    frozenset({"$uuid"}): _read_uuid,
    frozenset({"$date"}): _read_date,
    frozenset({"$timestamp"}): _read_timestamp,
    frozenset({"$regularExpression"}): _read_regex,
    frozenset({"$dbPointer"}): _read_db_pointer,
    frozenset({"$minKey"}): lambda _: Value("minKey", None),
    frozenset({"$maxKey"}): lambda _: Value("maxKey", None),
    frozenset({"$undefined"}): lambda _: Value("undefined", None),
}
