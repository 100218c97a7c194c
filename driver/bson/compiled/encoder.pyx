"""Python values to BSON bytes, compiled: the twin of `driver/bson/encoder.py`.

Common types are told by their exact class. All others are written by the readable encoder; where
BSON cannot hold something, it encodes again from the start, to say what and where.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.datetime cimport datetime_tzinfo, import_datetime
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject
from libc.stdint cimport INT32_MAX, INT32_MIN, int64_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memchr, memcpy, strlen

from driver.bson.compiled.layout cimport at, slot
from driver.bson.compiled.moments cimport millis_of
from driver.bson.compiled.numbers cimport put_uint32, put_uint64
from driver.bson.compiled.objectid cimport ObjectId

import datetime as _datetime
from collections.abc import Mapping as _Mapping

from driver.bson import encoder as _readable
from driver.bson.binary import Binary as _Binary
from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS
from driver.bson.codec_options import MAX_DEPTH as _MAX_DEPTH
from driver.bson.errors import InvalidDocument
from driver.bson.raw import RawBSONDocument as _RawBSONDocument
from driver.bson.types import (
    Code as _Code,
    Int64 as _Int64,
    MaxKey as _MaxKey,
    MinKey as _MinKey,
    Regex as _Regex,
    Timestamp as _Timestamp,
)

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object)
    int PyUnicode_KIND(object)
    void* PyUnicode_DATA(object)
    Py_UCS4 PyUnicode_READ(int kind, void* data, Py_ssize_t index)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    const char* PyUnicode_AsUTF8AndSize(object, Py_ssize_t* size) except NULL

import_datetime()

cdef enum:
    NUMBER_SIZE = 24  # of an array's index, as text
    KEPT = 1 << 16  # a buffer of this size waits for the next document
    INDEXES = 1000
    OLD_BINARY = 2  # a subtype that has its length twice

cdef int MAX_DEPTH = _MAX_DEPTH
cdef object UTC = _datetime.timezone.utc
cdef object DateTime = _datetime.datetime
cdef object Binary = _Binary, Code = _Code, Int64 = _Int64, MaxKey = _MaxKey, MinKey = _MinKey
cdef object RawBSONDocument = _RawBSONDocument, Regex = _Regex, Timestamp = _Timestamp
cdef Py_ssize_t CODE_SCOPE = slot(Code, "scope")
cdef Py_ssize_t RAW_BYTES = slot(RawBSONDocument, "_raw")
cdef Py_ssize_t REGEX_PATTERN = slot(Regex, "pattern")
cdef Py_ssize_t REGEX_OPTIONS = slot(Regex, "options")
cdef Py_ssize_t TIMESTAMP_TIME = slot(Timestamp, "time")
cdef Py_ssize_t TIMESTAMP_INC = slot(Timestamp, "inc")
cdef object WRITERS = _readable._WRITERS
cdef object WRITE_DOCUMENT = _readable._write_document

cdef char _indexes[INDEXES][4]
cdef int _index
for _index in range(INDEXES):
    snprintf(_indexes[_index], 4, "%d", _index)


class _Refused(Exception):
    """The readable encoder has to look at this."""


@cython.final
cdef class Writer:
    """One encoding: bytes that grow at their end."""

    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t room
    cdef int depth
    cdef bint check_keys
    cdef object options

    def __cinit__(self, options, bint check_keys):
        global _spare
        self.options = options
        self.check_keys = check_keys
        self.data = _spare
        _spare = NULL
        if self.data == NULL:
            self.data = <char*>PyMem_Malloc(KEPT)
            if self.data == NULL:
                raise MemoryError
        self.room = KEPT

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, True, flags)

    def __dealloc__(self):
        global _spare
        if self.room == KEPT and _spare == NULL:
            _spare = self.data
        else:
            PyMem_Free(self.data)


cdef char* _spare = NULL


def encode(document, options=DEFAULT_CODEC_OPTIONS, *, check_keys=False):
    """The bytes of a document; see `driver.bson.encoder.encode`."""
    if type(document) is not dict and isinstance(document, RawBSONDocument):
        return document.raw
    cdef Writer writer = Writer(options, check_keys)
    try:
        write_top(writer, document)
        return PyBytes_FromStringAndSize(writer.data, writer.size)
    except (_Refused, InvalidDocument, UnicodeEncodeError):
        pass
    return _readable.encode(document, options, check_keys=check_keys)


def encode_inserts(documents, options=DEFAULT_CODEC_OPTIONS):
    """Documents to insert, and where each ends; see `driver.bson.encoder.encode_inserts`."""
    cdef Writer writer = Writer(options, False)
    cdef list ends = []
    try:
        for document in documents:
            if type(document) is dict:
                write_insert(writer, <dict>document)
            else:
                data, _ = _readable.encode_inserts((document,), options)
                write(writer, PyByteArray_AS_STRING(data), PyByteArray_GET_SIZE(data))
            ends.append(writer.size)
        if writer.room == KEPT:
            return PyBytes_FromStringAndSize(writer.data, writer.size), ends
        return memoryview(writer), ends  # what is large is not copied
    except (_Refused, InvalidDocument, UnicodeEncodeError):
        pass
    return _readable.encode_inserts(documents, options)


def write_document(buffer, document, options=DEFAULT_CODEC_OPTIONS, *, check_keys=False):
    """As `encode`, but append to `buffer`, which stays as it was if this raises."""
    cdef Py_ssize_t start
    cdef Writer writer = Writer(options, check_keys)
    try:
        if type(document) is not dict and isinstance(document, RawBSONDocument):
            write(writer, PyBytes_AS_STRING(<bytes?>document.raw), len(document.raw))
        else:
            write_top(writer, document)
    except (_Refused, InvalidDocument, UnicodeEncodeError):
        _readable.write_document(buffer, document, options, check_keys=check_keys)
        return
    start = PyByteArray_GET_SIZE(<bytearray?>buffer)
    PyByteArray_Resize(buffer, start + writer.size)
    memcpy(PyByteArray_AS_STRING(buffer) + start, writer.data, writer.size)


cdef inline int write_top(Writer writer, document) except -1:
    if type(document) is not dict and not isinstance(document, _Mapping):
        raise _Refused
    return write_fields(writer, document)


cdef int write_insert(Writer writer, dict document) except -1:
    """A document with its `_id` first, which is added where there is none."""
    cdef Py_ssize_t start = open_document(writer)
    if "_id" not in document:
        document["_id"] = ObjectId()
    write_field(writer, "_id", document["_id"])
    for key, value in document.items():
        if key != "_id":
            write_field(writer, key, value)
    return close_document(writer, start)


cdef inline char* reserve(Writer writer, Py_ssize_t size) except NULL:
    """Where the next `size` bytes go; they count as written."""
    cdef Py_ssize_t start = writer.size
    if size > writer.room - start:
        grow(writer, size)
    writer.size = start + size
    return writer.data + start


cdef int grow(Writer writer, Py_ssize_t size) except -1:
    cdef Py_ssize_t room = 2 * writer.room + size
    cdef char* data = <char*>PyMem_Realloc(writer.data, room)
    if data == NULL:
        raise MemoryError
    writer.data = data
    writer.room = room
    return 0


cdef inline int write(Writer writer, const char* data, Py_ssize_t size) except -1:
    memcpy(reserve(writer, size), data, size)
    return 0


cdef inline int write_uint32(Writer writer, uint32_t value) except -1:
    put_uint32(reserve(writer, 4), value)
    return 0


cdef inline int write_uint64(Writer writer, uint64_t value) except -1:
    put_uint64(reserve(writer, 8), value)
    return 0


cdef inline Py_ssize_t open_document(Writer writer) except -1:
    """Begin a document or array; returns where its length goes."""
    writer.depth += 1
    if writer.depth > MAX_DEPTH:
        raise _Refused
    reserve(writer, 4)
    return writer.size - 4


cdef inline int close_document(Writer writer, Py_ssize_t start) except -1:
    writer.depth -= 1
    reserve(writer, 1)[0] = 0
    return write_length(writer, start)


cdef inline int write_length(Writer writer, Py_ssize_t start) except -1:
    if writer.size - start > INT32_MAX:
        raise _Refused
    put_uint32(writer.data + start, <uint32_t>(writer.size - start))
    return 0


cdef int write_fields(Writer writer, document) except -1:
    cdef Py_ssize_t start = open_document(writer)
    if type(document) is dict:
        for key, value in (<dict>document).items():
            write_field(writer, key, value)
    else:
        for key, value in document.items():
            write_field(writer, key, value)
    return close_document(writer, start)


cdef inline int write_field(Writer writer, key, value) except -1:
    cdef const char* name
    cdef Py_ssize_t size
    if type(key) is not str:
        encoded = _readable._encode_name(key)
        name = PyBytes_AS_STRING(encoded)
        size = PyBytes_GET_SIZE(encoded) - 1
    elif PyUnicode_IS_ASCII(key):
        name = <const char*>PyUnicode_DATA(key)
        size = PyUnicode_GET_LENGTH(key)
    else:
        name = PyUnicode_AsUTF8AndSize(key, &size)
    if memchr(name, 0, size) != NULL:
        raise _Refused
    if writer.check_keys and (name[0] == c"$" or memchr(name, c".", size) != NULL):
        raise _Refused
    return write_value(writer, name, size, value)


cdef int write_items(Writer writer, array) except -1:
    cdef Py_ssize_t start = open_document(writer)
    cdef Py_ssize_t index = 0
    cdef char name[NUMBER_SIZE]
    for value in array:
        if index < INDEXES:
            write_value(writer, _indexes[index], strlen(_indexes[index]), value)
        else:
            write_value(writer, name, snprintf(name, NUMBER_SIZE, "%zd", index), value)
        index += 1
    return close_document(writer, start)


cdef inline int write_head(Writer writer, char kind, const char* name, Py_ssize_t size) except -1:
    """The type and the name of an element; `name` has a NUL after its `size` bytes."""
    cdef char* place = reserve(writer, size + 2)
    place[0] = kind
    memcpy(place + 1, name, size + 1)
    return 0


cdef int write_value(Writer writer, const char* name, Py_ssize_t size, value) except -1:
    kind = type(value)
    cdef double number
    cdef uint64_t bits
    if kind is str:
        write_head(writer, 0x02, name, size)
        return write_string(writer, value)
    if kind is int:
        return write_int(writer, name, size, value, False)
    if kind is dict:
        write_head(writer, 0x03, name, size)
        return write_fields(writer, value)
    if kind is list:
        write_head(writer, 0x04, name, size)
        return write_items(writer, <list>value)
    if kind is float:
        write_head(writer, 0x01, name, size)
        number = PyFloat_AS_DOUBLE(value)
        memcpy(&bits, &number, 8)
        return write_uint64(writer, bits)
    if kind is bool:
        write_head(writer, 0x08, name, size)
        reserve(writer, 1)[0] = value is True
        return 0
    if value is None:
        return write_head(writer, 0x0A, name, size)
    if kind is ObjectId:
        write_head(writer, 0x07, name, size)
        return write(writer, <const char*>(<ObjectId>value).data, 12)
    if kind is Int64:
        return write_int(writer, name, size, value, True)
    if kind is DateTime:
        return write_datetime(writer, name, size, value)
    if kind is bytes:
        return write_bytes(writer, name, size, value)
    return write_rare_value(writer, name, size, value)


cdef int write_rare_value(Writer writer, const char* name, Py_ssize_t size, value) except -1:
    kind = type(value)
    if kind is RawBSONDocument:
        write_head(writer, 0x03, name, size)
        raw = <bytes?>slot_value(value, RAW_BYTES)
        return write(writer, PyBytes_AS_STRING(raw), PyBytes_GET_SIZE(raw))
    if kind is Binary:
        return write_binary(writer, name, size, value)
    if kind is Timestamp:
        write_head(writer, 0x11, name, size)
        write_uint32(writer, slot_value(value, TIMESTAMP_INC))
        return write_uint32(writer, slot_value(value, TIMESTAMP_TIME))
    if kind is tuple:
        write_head(writer, 0x04, name, size)
        return write_items(writer, <tuple>value)
    if kind is Code:
        return write_code(writer, name, size, value)
    if kind is Regex:
        write_head(writer, 0x0B, name, size)
        write_text(writer, slot_value(value, REGEX_PATTERN))
        return write_text(writer, slot_value(value, REGEX_OPTIONS))
    if kind is MinKey:
        return write_head(writer, <char>0xFF, name, size)
    if kind is MaxKey:
        return write_head(writer, 0x7F, name, size)
    if WRITERS[kind] is WRITE_DOCUMENT:
        write_head(writer, 0x03, name, size)
        return write_fields(writer, value)
    return write_readably(writer, name[:size] + b"\0", value)


cdef int write_readably(Writer writer, bytes name, value) except -1:
    buffer = bytearray()
    readable = _readable.Writer(buffer, writer.options, writer.check_keys)
    readable.depth = writer.depth
    WRITERS[type(value)](readable, name, value)
    return write(writer, PyByteArray_AS_STRING(buffer), PyByteArray_GET_SIZE(buffer))


cdef inline object slot_value(self, Py_ssize_t offset):
    cdef PyObject* value = at(self, offset)[0]
    if value == NULL:
        raise _Refused
    return <object>value


cdef inline int write_int(
    Writer writer, const char* name, Py_ssize_t size, value, bint long
) except -1:
    cdef int overflow = 0
    cdef int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        raise _Refused
    if not long and INT32_MIN <= number <= INT32_MAX:
        write_head(writer, 0x10, name, size)
        return write_uint32(writer, <uint32_t>number)
    write_head(writer, 0x12, name, size)
    return write_uint64(writer, <uint64_t>number)


cdef int write_string(Writer writer, text) except -1:
    """A string with its length and its NUL."""
    cdef Py_ssize_t start = writer.size
    reserve(writer, 4)
    write_text(writer, text)
    if writer.size - start - 4 > INT32_MAX:
        raise _Refused
    put_uint32(writer.data + start, <uint32_t>(writer.size - start - 4))
    return 0


cdef int write_text(Writer writer, text) except -1:
    """The text as UTF-8, and a NUL."""
    cdef void* data = PyUnicode_DATA(text)
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    if PyUnicode_IS_ASCII(text):
        return write(writer, <const char*>data, length + 1)
    cdef int kind = PyUnicode_KIND(text)
    cdef Py_ssize_t index
    cdef uint32_t point
    cdef char* place = reserve(writer, length * (2 if kind == 1 else 3 if kind == 2 else 4) + 1)
    for index in range(length):
        point = PyUnicode_READ(kind, data, index)
        if point < 0x80:
            place[0] = <char>point
            place += 1
            continue
        if point < 0x800:
            place[0] = <char>(0xC0 | point >> 6)
            place += 1
        else:
            if point < 0x10000:
                if 0xD800 <= point <= 0xDFFF:
                    raise _Refused
                place[0] = <char>(0xE0 | point >> 12)
                place += 1
            else:
                place[0] = <char>(0xF0 | point >> 18)
                place[1] = <char>(0x80 | point >> 12 & 0x3F)
                place += 2
            place[0] = <char>(0x80 | point >> 6 & 0x3F)
            place += 1
        place[0] = <char>(0x80 | point & 0x3F)
        place += 1
    place[0] = 0
    writer.size = place + 1 - writer.data
    return 0


cdef int write_bytes(Writer writer, const char* name, Py_ssize_t size, value) except -1:
    cdef Py_ssize_t length = PyBytes_GET_SIZE(value)
    if length > INT32_MAX:
        raise _Refused
    write_head(writer, 0x05, name, size)
    write_uint32(writer, <uint32_t>length)
    reserve(writer, 1)[0] = 0
    return write(writer, PyBytes_AS_STRING(value), length)


cdef int write_binary(Writer writer, const char* name, Py_ssize_t size, value) except -1:
    cdef unsigned char subtype = value.subtype
    cdef Py_ssize_t length = PyBytes_GET_SIZE(value)
    if length > INT32_MAX or subtype == OLD_BINARY:
        return write_readably(writer, name[:size] + b"\0", value)
    write_head(writer, 0x05, name, size)
    write_uint32(writer, <uint32_t>length)
    reserve(writer, 1)[0] = <char>subtype
    return write(writer, PyBytes_AS_STRING(value), length)


cdef int write_datetime(Writer writer, const char* name, Py_ssize_t size, value) except -1:
    tzinfo = datetime_tzinfo(value)
    if tzinfo is not None and tzinfo is not UTC:
        return write_readably(writer, name[:size] + b"\0", value)
    write_head(writer, 0x09, name, size)
    return write_uint64(writer, <uint64_t>millis_of(value))


cdef int write_code(Writer writer, const char* name, Py_ssize_t size, value) except -1:
    cdef Py_ssize_t start
    scope = slot_value(value, CODE_SCOPE)
    if scope is None:
        write_head(writer, 0x0D, name, size)
        return write_string(writer, value)
    write_head(writer, 0x0F, name, size)
    start = writer.size
    reserve(writer, 4)
    write_string(writer, value)
    write_fields(writer, scope)
    return write_length(writer, start)
