"""BSON in readable Python: types, encoding, decoding, raw documents, Extended JSON.

Names and meanings are PyMongo's; documents are plain dicts.
"""

from driver.bson.binary import Binary, UuidRepresentation
from driver.bson.codec_options import (
    DEFAULT_CODEC_OPTIONS,
    MAX_DEPTH,
    CodecOptions,
    DatetimeConversion,
)
from driver.bson.datetimes import DatetimeMS
from driver.bson.decimal128 import Decimal128
from driver.bson.decoder import decode, decode_all, decode_iter
from driver.bson.encoder import encode, write_document
from driver.bson.errors import (
    BSONError,
    InvalidBSON,
    InvalidDocument,
    InvalidExtendedJSON,
    InvalidId,
)
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
from driver.bson.vector import BinaryVector, BinaryVectorDtype

__all__ = [
    "DEFAULT_CODEC_OPTIONS",
    "MAX_DEPTH",
    "BSONError",
    "Binary",
    "BinaryVector",
    "BinaryVectorDtype",
    "Code",
    "CodecOptions",
    "DBPointer",
    "DBRef",
    "DatetimeConversion",
    "DatetimeMS",
    "Decimal128",
    "Int64",
    "InvalidBSON",
    "InvalidDocument",
    "InvalidExtendedJSON",
    "InvalidId",
    "MaxKey",
    "MinKey",
    "ObjectId",
    "RawBSONDocument",
    "Regex",
    "Symbol",
    "Timestamp",
    "Undefined",
    "UuidRepresentation",
    "decode",
    "decode_all",
    "decode_iter",
    "encode",
    "write_document",
]
