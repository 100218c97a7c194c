"""The reference driver's answers about values: BSON, connection strings, concerns, credentials.

What is asked and answered is described by the modules of runners.logic that ask.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from driver.bson import Binary, BinaryVectorDtype, CodecOptions, DatetimeConversion, Decimal128
from driver.bson import decode as decode_bson
from driver.bson import encode as encode_bson
from driver.bson.errors import BSONError
from driver.bson.extended_json import dumps, from_extended, loads, to_extended
from driver.concerns import ReadConcern, WriteConcern
from driver.errors import ConfigurationError
from driver.options import ClientOptions
from driver.topology.description import Address
from driver.uri import parse_uri
from runners.model import Json, JsonObject

_BSON = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
_WRITE_CONCERN = {"w": "w", "wtimeoutMS": "wtimeout", "journal": "j"}

Answer = Callable[[Any], JsonObject]


def _refusing(*errors: type[Exception]) -> Callable[[Answer], Answer]:
    """Turn the errors that refuse an input into answers; all others are the driver's faults."""

    def wrap(answer: Answer) -> Answer:
        def asked(arguments: Any) -> JsonObject:
            try:
                return answer(arguments)
            except errors as error:
                return {"error": f"{type(error).__name__}: {error}"}

        return asked

    return wrap


@_refusing(BSONError, ValueError)
def _bson_corpus(arguments: Any) -> JsonObject:
    match arguments:
        case {"decimal128": str(text)}:
            Decimal128(text)
            return {}
        case {"bson": str(data)}:
            value = decode_bson(bytes.fromhex(data), _BSON)
        case _:
            value = loads(arguments["extended_json"], _BSON)
    return {
        "bson": encode_bson(value).hex(),
        "canonical": dumps(value, relaxed=False),
        "relaxed": dumps(value),
    }


@_refusing(BSONError, ValueError)
def _binary_vector(arguments: Any) -> JsonObject:
    key = arguments["key"]
    if "bson" in arguments:
        vector = decode_bson(bytes.fromhex(arguments["bson"]))[key].as_vector()
        return {
            "vector": to_extended(vector.data, relaxed=True),
            "dtype_hex": f"0x{vector.dtype.value.hex()}",
            "dtype_alias": vector.dtype.name,
            "padding": vector.padding,
        }
    dtype = BinaryVectorDtype(bytes.fromhex(arguments["dtype_hex"].removeprefix("0x")))
    numbers = from_extended(arguments["vector"])
    written = Binary.from_vector(numbers, dtype, arguments["padding"])
    return {"bson": encode_bson({key: written}).hex()}


@_refusing(ConfigurationError)
def _connection_string(arguments: Any) -> JsonObject:
    uri, messages = _warned(lambda: parse_uri(arguments["uri"]))
    namespace = ".".join(part for part in (uri.database, uri.collection) if part is not None)
    return {
        "hosts": [_host(address) for address in uri.hosts],
        "auth": {"username": uri.username, "password": uri.password, "db": namespace or None},
        "options": {name: plain(value) for name, value in uri.options.items()},
        "warnings": messages,
    }


def _warned(function: Callable[[], Any]) -> tuple[Any, list[Json]]:
    """What a function gives, and the warnings meanwhile."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function()
    return value, [str(warning.message) for warning in caught]


def _host(address: Address) -> JsonObject:
    return {"host": address.host, "port": address.port}


def plain(value: Any) -> Json:
    """An option's value as JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    result: Json = value
    return result


@_refusing(ConfigurationError)
def _auth(arguments: Any) -> JsonObject:
    options, _ = _warned(lambda: ClientOptions.resolve(arguments["uri"]))
    credentials = options.credentials
    if credentials is None:
        return {"credential": None}
    return {
        "credential": {
            "username": credentials.username,
            "password": credentials.password,
            "source": credentials.source,
            "mechanism": credentials.mechanism,
            "mechanism_properties": plain(credentials.mechanism_properties) or None,
        }
    }


@_refusing(ConfigurationError)
def _read_write_concern(arguments: Any) -> JsonObject:
    options, messages = _warned(lambda: ClientOptions.resolve(arguments["uri"]))
    written = options.write_concern.document
    return {
        "readConcern": options.read_concern.document,
        "writeConcern": {
            name: written[own] for name, own in _WRITE_CONCERN.items() if own in written
        },
        "warnings": messages,
    }


@_refusing(ConfigurationError)
def _concern_document(arguments: Any) -> JsonObject:
    if "readConcern" in arguments:
        read = ReadConcern(**arguments["readConcern"])
        return {"document": read.document, "isServerDefault": read.is_server_default}
    given = {_WRITE_CONCERN[name]: value for name, value in arguments["writeConcern"].items()}
    write = WriteConcern(**given)
    return {
        "document": write.document,
        "isServerDefault": write.is_server_default,
        "isAcknowledged": write.acknowledged,
    }


VALUES: Mapping[str, Answer] = {
    "bson-corpus": _bson_corpus,
    "bson-binary-vector": _binary_vector,
    "connection-string": _connection_string,
    "auth": _auth,
    "read-write-concern": _read_write_concern,
    "read-write-concern-document": _concern_document,
}
