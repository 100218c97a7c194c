"""PyMongo's answers about values: BSON, connection strings, concerns, credentials.

What is asked and answered is described by the modules of runners.logic that ask. PyMongo has no
public function that reads a connection string without asking DNS, and none that shows credentials;
private ones are used.
"""

from __future__ import annotations

import json
import struct
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import bson
from bson import json_util
from bson.binary import Binary, BinaryVectorDtype
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from pymongo import MongoClient, WriteConcern
from pymongo.common import URI_OPTIONS_VALIDATOR_MAP
from pymongo.compression_support import _have_snappy, _have_zstd
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser_shared import _validate_uri

from runners.adapters.base import Unsupported
from runners.model import Json, JsonObject

_BSON: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_CANONICAL = json_util.CANONICAL_JSON_OPTIONS.with_options(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_RELAXED = json_util.RELAXED_JSON_OPTIONS.with_options(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_WRITE_CONCERN = {"w": "w", "wtimeoutMS": "wtimeout", "journal": "j"}
_REFUSALS = (
    *(PyMongoError, BSONError, ValueError, TypeError, OSError),
    ArithmeticError,  # decimal's, and overflows
    struct.error,  # what does not fit a vector's type
    KeyError,  # what a wrapper of Extended JSON lacks
)

Answer = Callable[[Any], JsonObject]


def _answering(answer: Answer) -> Answer:
    """Turn PyMongo's refusals into answers."""

    def asked(arguments: Any) -> JsonObject:
        try:
            return answer(arguments)
        except _REFUSALS as error:
            return {"error": f"{type(error).__name__}: {error}"}

    return asked


def _bson_corpus(arguments: Any) -> JsonObject:
    match arguments:
        case {"decimal128": str(text)}:
            bson.Decimal128(text)
            return {}
        case {"bson": str(data)}:
            value: Any = bson.decode(bytes.fromhex(data), codec_options=_BSON)
        case _:
            value = json_util.loads(arguments["extended_json"], json_options=_CANONICAL)
    return {
        "bson": bson.encode(value, codec_options=_BSON).hex(),
        "canonical": json_util.dumps(value, json_options=_CANONICAL),
        "relaxed": json_util.dumps(value, json_options=_RELAXED),
    }


def _binary_vector(arguments: Any) -> JsonObject:
    key = arguments["key"]
    if "bson" in arguments:
        vector = bson.decode(bytes.fromhex(arguments["bson"]))[key].as_vector()
        return {
            "vector": json.loads(json_util.dumps(list(vector.data), json_options=_RELAXED)),
            "dtype_hex": f"0x{vector.dtype.value.hex()}",
            "dtype_alias": vector.dtype.name,
            "padding": vector.padding,
        }
    dtype = BinaryVectorDtype(bytes.fromhex(arguments["dtype_hex"].removeprefix("0x")))
    numbers = json_util.loads(json.dumps(arguments["vector"]))
    written = Binary.from_vector(numbers, dtype, arguments["padding"])
    return {"bson": bson.encode({key: written}).hex()}


_LACKING = {
    name.lower(): name
    for name in (
        *("proxyHost", "proxyPort", "proxyUsername", "proxyPassword"),
        *("serverSelectionTryOnce", "tlsDisableCertificateRevocationCheck"),
    )
    if name.lower() not in URI_OPTIONS_VALIDATOR_MAP
}
"""Options of the specification that this PyMongo does not have: it ignores them with a warning."""
_OPTIONAL_MODULES = {"snappy": _have_snappy, "zstd": _have_zstd}


def _connection_string(arguments: Any) -> JsonObject:
    text: str = arguments["uri"]
    options = [(name.lower(), value) for name, value in parse_qsl(text.partition("?")[2])]
    _refuse_lacking(options)
    with warnings.catch_warnings(record=True) as caught, _existing(options):
        warnings.simplefilter("always")
        uri = _validate_uri(text, warn=True)
    namespace = ".".join(part for part in (uri["database"], uri["collection"]) if part)
    return {
        "hosts": [{"host": host, "port": port} for host, port in uri["nodelist"]],
        "auth": {
            "username": uri["username"],
            "password": uri["password"],
            "db": namespace or None,
        },
        "options": plain_options(uri["options"]),
        "warnings": [str(warning.message) for warning in caught],
        "unresolved": text.startswith("mongodb+srv://"),
    }


def _refuse_lacking(options: list[tuple[str, str]]) -> None:
    for name, value in options:
        if name in _LACKING:
            raise Unsupported(f"option.{_LACKING[name]}")
        for compressor in value.split(",") if name == "compressors" else ():
            if compressor in _OPTIONAL_MODULES and not _OPTIONAL_MODULES[compressor]():
                raise Unsupported(f"option.{name}.{compressor}", "its module is not installed")


@contextmanager
def _existing(options: list[tuple[str, str]]) -> Iterator[None]:
    """See that the files which options name are there: PyMongo looks as it reads the options."""
    files = [value for name, value in options if name in _FILES and Path(value).name == value]
    if not files:
        yield
        return
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for file in files:
            Path(file).touch()
        yield


_FILES = frozenset({"tlscafile", "tlscertificatekeyfile", "tlscrlfile"})


def plain_options(options: Mapping[str, Any]) -> JsonObject:
    """Options as connection strings have them."""
    return {name: _in_its_unit(name.lower(), value) for name, value in options.items()}


def _in_its_unit(name: str, value: Any) -> Json:
    """An option's value as connection strings have it: PyMongo keeps most durations in seconds."""
    seconds = name.endswith("ms") and name not in ("localthresholdms", "wtimeoutms")
    if seconds and isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1000)
    plain: Json = value
    return plain


def _auth(arguments: Any) -> JsonObject:
    with (
        warnings.catch_warnings(action="ignore"),
        MongoClient[Any](arguments["uri"], connect=False) as client,
    ):
        found = client.options.pool_options._credentials
    if found is None:
        return {"credential": None}
    return {
        "credential": {
            "username": found.username,
            "password": found.password,
            "source": found.source,
            "mechanism": None if found.mechanism == "DEFAULT" else found.mechanism,
            "mechanism_properties": _properties(found.mechanism_properties),
        }
    }


def _properties(properties: Any) -> Json:
    """Mechanism properties by the specification's names, as far as they are JSON."""
    if properties is None:
        return None
    fields = getattr(properties, "__dict__", None) or properties._asdict()
    return {
        name.upper(): value
        for name, value in fields.items()
        if isinstance(value, str | bool | int) and value != ""
    }


def _read_write_concern(arguments: Any) -> JsonObject:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with MongoClient[Any](arguments["uri"], connect=False) as client:
            written = client.write_concern.document
            read = client.read_concern.document
    return {
        "readConcern": dict(read),
        "writeConcern": {
            name: written[own] for name, own in _WRITE_CONCERN.items() if own in written
        },
        "warnings": [str(warning.message) for warning in caught],
    }


def _concern_document(arguments: Any) -> JsonObject:
    if "readConcern" in arguments:
        read = ReadConcern(**arguments["readConcern"])
        return {"document": dict(read.document), "isServerDefault": not read.level}
    given = {_WRITE_CONCERN[name]: value for name, value in arguments["writeConcern"].items()}
    write = WriteConcern(**given)
    return {
        "document": dict(write.document),
        "isServerDefault": write.is_server_default,
        "isAcknowledged": write.acknowledged,
    }


VALUES: Mapping[str, Answer] = {
    name: _answering(answer)
    for name, answer in {
        "bson-corpus": _bson_corpus,
        "bson-binary-vector": _binary_vector,
        "connection-string": _connection_string,
        "auth": _auth,
        "read-write-concern": _read_write_concern,
        "read-write-concern-document": _concern_document,
    }.items()
}
