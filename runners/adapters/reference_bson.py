"""BSON as the harness itself reads and writes it, with the reference driver's codec."""

from __future__ import annotations

from typing import cast

from driver.bson import CodecOptions, DatetimeConversion
from driver.bson import decode as decode_bson
from driver.bson import encode as encode_bson
from driver.bson.errors import BSONError
from driver.bson.extended_json import from_extended, to_extended
from runners.model import JsonObject

_OPTIONS = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def to_json(data: bytes) -> JsonObject:
    """A BSON document as canonical Extended JSON. Raises ValueError where it is none."""
    try:
        document = to_extended(decode_bson(data, _OPTIONS), relaxed=False)
    except BSONError as error:
        raise ValueError(str(error)) from None
    return cast(JsonObject, document)


def from_json(document: JsonObject) -> bytes:
    """The BSON of a document in Extended JSON. Raises ValueError where that is malformed."""
    try:
        return encode_bson(from_extended(document))
    except BSONError as error:
        raise ValueError(str(error)) from None
