"""BSON: types, encoding, decoding, raw documents, Extended JSON.

Names and meanings are PyMongo's; documents are plain dicts. All of it is readable Python; what
takes the time has a compiled twin (`codec` tells which one is in use).
"""

from driver.bson.binary import Binary, UuidRepresentation
from driver.bson.codec import COMPILED
from driver.bson.codec_options import (
    DEFAULT_CODEC_OPTIONS,
    MAX_DEPTH,
    CodecOptions,
    DatetimeConversion,
)
from driver.bson.datetimes import DatetimeMS
from driver.bson.decimal128 import Decimal128
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

if COMPILED:
    from driver.bson.compiled.decoder import decode, decode_all, decode_iter
    from driver.bson.compiled.encoder import encode, encode_inserts, write_document
else:
    from driver.bson.decoder import decode, decode_all, decode_iter
    from driver.bson.encoder import encode, encode_inserts, write_document

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
    "encode_inserts",
    "write_document",
]
