"""Whether both codecs do the same, errors included."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from driver import bson
from driver.bson import (
    BSONError,
    Code,
    CodecOptions,
    DatetimeConversion,
    DBRef,
    RawBSONDocument,
    UuidRepresentation,
    decoder,
    encoder,
)

OPTIONS = [
    CodecOptions(),
    CodecOptions(unicode_decode_error_handler="replace"),
    CodecOptions(unicode_decode_error_handler="ignore"),
    CodecOptions(tz_aware=True),
    CodecOptions(tz_aware=True, tzinfo=timezone(timedelta(hours=14))),
    *(CodecOptions(datetime_conversion=how) for how in DatetimeConversion),
    CodecOptions(uuid_representation=UuidRepresentation.STANDARD),
    CodecOptions(uuid_representation=UuidRepresentation.JAVA_LEGACY),
    CodecOptions(document_class=OrderedDict),
    CodecOptions(document_class=RawBSONDocument),
]


def shape(value: Any) -> Any:
    """A value with the types of all its parts, so that what is equal is the same."""
    match value:
        case RawBSONDocument():
            return RawBSONDocument, value.raw
        case Mapping():
            return type(value), [(key, shape(item)) for key, item in value.items()]
        case list():
            return [shape(item) for item in value]
        case DBRef():
            return DBRef, shape(value.as_doc())
        case Code():
            return Code, str(value), shape(value.scope)
        case float():
            return struct.pack("<d", value)
        case datetime():
            return value, value.tzinfo, value.fold
    return type(value), repr(value), hash(value)


def outcome(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What it returns, or how it fails."""
    try:
        value = function(*arguments, **options)
    except (BSONError, RuntimeError, AttributeError, TypeError, ValueError) as error:
        return type(error), str(error), getattr(error, "path", None), getattr(error, "offset", None)
    return value if isinstance(value, bytes) else shape(value)


def decoded_alike(data: bytes, several: list[CodecOptions] = OPTIONS) -> None:
    for options in several:
        assert outcome(bson.decode, data, options) == outcome(decoder.decode, data, options)


def encoded_alike(document: Any, **more: Any) -> None:
    for check_keys in (False, True):
        theirs = outcome(encoder.encode, document, check_keys=check_keys, **more)
        assert outcome(bson.encode, document, check_keys=check_keys, **more) == theirs
        buffer = bytearray(b"head")
        written = outcome(bson.write_document, buffer, document, check_keys=check_keys, **more)
        if isinstance(theirs, bytes):
            assert buffer == b"head" + theirs
        else:
            assert (bytes(buffer), written) == (b"head", theirs)
    plain = type(document) is dict
    several = [{"_id": 0, **document}, {**document, "_id": 1}] if plain else [document]
    theirs = outcome(inserted, encoder.encode_inserts, several, **more)
    assert outcome(inserted, bson.encode_inserts, several, **more) == theirs


def inserted(encode_inserts: Callable[..., Any], documents: list[Any], **more: Any) -> bytes:
    """The bytes of documents to insert, and then where each one ends."""
    data, ends = encode_inserts(documents, **more)
    return bytes(data) + bytes(str(ends), "ascii")
