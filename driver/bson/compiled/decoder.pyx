"""BSON bytes to Python values, compiled: the twin of `driver/bson/decoder.py`.

Every length is compared with the bounds of what encloses it before it is used. Bytes that are not
BSON, and documents that become another class than dict, are left to the readable decoder, which
says what is wrong, and where.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.datetime cimport import_datetime
from cpython.dict cimport PyDict_SetItem
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from driver.bson.compiled.layout cimport PyTypeObject, bare, fill, int_of, slot
from driver.bson.compiled.moments cimport FIRST_MILLIS, LAST_MILLIS, new_datetime
from driver.bson.compiled.numbers cimport Bytes, int32, uint32, uint64
from driver.bson.compiled.objectid cimport ObjectId

import datetime as _datetime

from driver.bson import decoder as _readable
from driver.bson.binary import binary_value as _binary_value
from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, DatetimeConversion
from driver.bson.codec_options import MAX_DEPTH as _MAX_DEPTH
from driver.bson.datetimes import from_millis as _from_millis
from driver.bson.decimal128 import Decimal128 as _Decimal128
from driver.bson.types import (
    Code as _Code,
    DBPointer as _DBPointer,
    DBRef as _DBRef,
    Int64 as _Int64,
    MaxKey as _MaxKey,
    MinKey as _MinKey,
    Regex as _Regex,
    Symbol as _Symbol,
    Timestamp as _Timestamp,
    Undefined as _Undefined,
)

cdef extern from "Python.h":
    PyTypeObject PyUnicode_Type
    void* PyUnicode_DATA(PyObject*)

cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030E0000
    PyAPI_FUNC(PyObject*) _PyDict_NewPresized(Py_ssize_t);
    #else
    #define _PyDict_NewPresized(size) PyDict_New()
    #endif
    """
    dict _PyDict_NewPresized(Py_ssize_t size)

import_datetime()

cdef enum:
    MIN_DOCUMENT = 5  # a length and a terminator
    KEPT_KEYS = 2048
    KEPT_SHIFT = 53  # what 64 bits have more than a number below KEPT_KEYS
    MAX_KEPT_KEY = 32
    LITTLE_FIELD = 16  # bytes that most fields have, at least
    DEPTHS = 256  # more than MAX_DEPTH

cdef int MAX_DEPTH = _MAX_DEPTH

cdef object UTC = _datetime.timezone.utc
cdef object MIN_KEY = _MinKey()
cdef object MAX_KEY = _MaxKey()
cdef object UNDEFINED = _Undefined()
cdef type Code = _Code, DBPointer = _DBPointer, Decimal128 = _Decimal128, Int64 = _Int64
cdef type Regex = _Regex, Symbol = _Symbol, Timestamp = _Timestamp
cdef Py_ssize_t CODE_SCOPE = slot(Code, "scope")
cdef Py_ssize_t DBPOINTER_COLLECTION = slot(DBPointer, "collection")
cdef Py_ssize_t DBPOINTER_ID = slot(DBPointer, "id")
cdef Py_ssize_t DECIMAL_HIGH = slot(Decimal128, "_high")
cdef Py_ssize_t DECIMAL_LOW = slot(Decimal128, "_low")
cdef Py_ssize_t REGEX_PATTERN = slot(Regex, "pattern")
cdef Py_ssize_t REGEX_OPTIONS = slot(Regex, "options")
cdef Py_ssize_t TIMESTAMP_TIME = slot(Timestamp, "time")
cdef Py_ssize_t TIMESTAMP_INC = slot(Timestamp, "inc")


class _Refused(Exception):
    """The readable decoder has to look at this."""


@cython.final
cdef class Form:
    """What some options make of BSON."""

    cdef object options
    cdef object uuid_representation
    cdef bytes error_handler
    cdef const char* errors
    cdef bint strict
    cdef bint plain_datetimes
    cdef object tzinfo
    cdef bint compiled

    def __cinit__(self, options):
        self.options = options
        self.uuid_representation = options.uuid_representation
        self.error_handler = options.unicode_decode_error_handler.encode()
        self.errors = self.error_handler
        self.strict = self.error_handler == b"strict"
        self.plain_datetimes = (
            options.datetime_conversion is not DatetimeConversion.DATETIME_MS
            and options.tzinfo is None
        )
        self.tzinfo = UTC if options.tz_aware else None
        self.compiled = options.document_class is dict


cdef Form _last = Form(DEFAULT_CODEC_OPTIONS)


cdef Form form_of(options):
    """The form of the options; that of the last ones is kept."""
    global _last
    cdef Form form = _last
    if form.options is not options:
        form = _last = Form(options)
    return form


cdef struct Reader:
    Bytes data  # where the next byte is read
    int depth


def decode(data, options=DEFAULT_CODEC_OPTIONS):
    """The one document that `data` is; see `driver.bson.decoder.decode`."""
    cdef bytes held = bytes(data)
    cdef Form form = form_of(options)
    cdef Bytes start = <Bytes>PyBytes_AS_STRING(held)
    cdef Bytes end = start + PyBytes_GET_SIZE(held)
    cdef Reader reader
    if form.compiled:
        reader.data = start
        reader.depth = 0
        try:
            document = read_document(form, &reader, end)
            if reader.data == end:
                return document
        except (_Refused, UnicodeDecodeError):
            pass
    return _readable.decode(held, options)


def decode_all(data, options=DEFAULT_CODEC_OPTIONS):
    """All documents of `data`; see `driver.bson.decoder.decode_all`."""
    cdef bytes held = bytes(data)
    cdef Form form = form_of(options)
    cdef Bytes start = <Bytes>PyBytes_AS_STRING(held)
    cdef Bytes end = start + PyBytes_GET_SIZE(held)
    cdef Reader reader
    cdef list documents = []
    if form.compiled:
        reader.data = start
        reader.depth = 0
        try:
            while reader.data < end:
                documents.append(read_document(form, &reader, end))
            return documents
        except (_Refused, UnicodeDecodeError):
            pass
    return _readable.decode_all(held, options)


def decode_iter(data, options=DEFAULT_CODEC_OPTIONS):
    """As `decode_all`, but each document is decoded when it is asked for."""
    cdef bytes held = bytes(data)
    cdef Form form = form_of(options)
    cdef Bytes start = <Bytes>PyBytes_AS_STRING(held)
    cdef Bytes end = start + PyBytes_GET_SIZE(held)
    cdef Reader reader
    cdef Bytes position = start
    while position < end:
        document = None
        if form.compiled:
            reader.data = position
            reader.depth = 0
            try:
                document = read_document(form, &reader, end)
                position = reader.data
            except (_Refused, UnicodeDecodeError):
                document = None
        if document is None:
            document, stop = _readable.decode_at(held, position - start, options)
            position = start + <Py_ssize_t>stop
        yield document


cdef inline int need(Reader* reader, Py_ssize_t size, Bytes end) except -1:
    if end - reader.data < size:
        raise _Refused
    return 0


cdef inline Bytes document_stop(Reader* reader, Bytes end) except NULL:
    """Where the document or array stops, its last byte being NUL."""
    need(reader, MIN_DOCUMENT, end)
    cdef int32_t length = int32(reader.data)
    if length < MIN_DOCUMENT or length > end - reader.data or reader.data[length - 1]:
        raise _Refused
    return reader.data + length


cdef inline Bytes key_stop(Bytes key, Bytes end) except NULL:
    cdef Bytes stop = <Bytes>memchr(key, 0, end - key) if key < end else NULL
    if stop == NULL:
        raise _Refused
    return stop


cdef object read_document(Form form, Reader* reader, Bytes end):
    cdef Bytes stop = document_stop(reader, end)
    cdef Bytes last = stop - 1
    cdef Bytes key, after
    cdef bint may_refer = False
    cdef int kind
    if reader.depth >= MAX_DEPTH:
        raise _Refused
    cdef dict document = new_dict(stop - reader.data, reader.depth)
    reader.depth += 1
    reader.data += 4
    while reader.data < last:
        kind = reader.data[0]
        key = reader.data + 1
        after = key_stop(key, last)
        name = read_key(form, key, after - key, stop)
        may_refer |= key[0] == c"$" or not form.strict
        reader.data = after + 1
        PyDict_SetItem(document, name, read_value(form, reader, kind, last))
    reader.data = stop  # values end at `last`, or would have been refused
    reader.depth -= 1
    _sizes[reader.depth] = len(document)
    if may_refer and reader.depth and "$ref" in document:
        return _DBRef.from_doc(document) or document
    return document


# Documents are often like the one before, so a dict begins with room for as many fields.
cdef Py_ssize_t _sizes[DEPTHS]


cdef inline dict new_dict(Py_ssize_t length, int depth):
    """A dict for a document of so many bytes."""
    cdef Py_ssize_t size = min(_sizes[depth], length // LITTLE_FIELD)
    return {} if size <= 5 else _PyDict_NewPresized(size)


cdef list read_array(Form form, Reader* reader, Bytes end):
    cdef Bytes stop = document_stop(reader, end)
    cdef Bytes last = stop - 1
    cdef int kind
    cdef list values = []
    if reader.depth >= MAX_DEPTH:
        raise _Refused
    reader.depth += 1
    reader.data += 4
    while reader.data < last:
        kind = reader.data[0]
        reader.data = key_stop(reader.data + 1, last) + 1  # keys of arrays may be anything
        values.append(read_value(form, reader, kind, last))
    reader.data = stop
    reader.depth -= 1
    return values


cdef object read_value(Form form, Reader* reader, int kind, Bytes end):
    cdef Bytes start = reader.data
    if kind == 0x02:
        return read_string(form, reader, end)
    if kind == 0x10:
        need(reader, 4, end)
        reader.data = start + 4
        return int32(start)
    if kind == 0x03:
        return read_document(form, reader, end)
    if kind == 0x04:
        return read_array(form, reader, end)
    if kind == 0x07:
        return read_objectid(reader, end)
    if kind == 0x08:
        need(reader, 1, end)
        if start[0] > 1:
            raise _Refused
        reader.data = start + 1
        return start[0] == 1
    if kind == 0x0A:
        return None
    if kind == 0x01:
        return read_double(reader, end)
    if kind == 0x12:
        need(reader, 8, end)
        reader.data = start + 8
        return int_of(Int64, <int64_t>uint64(start))
    if kind == 0x09:
        return read_datetime(form, reader, end)
    if kind == 0x05:
        return read_binary(form, reader, end)
    return read_rare_value(form, reader, kind, end)


cdef object read_rare_value(Form form, Reader* reader, int kind, Bytes end):
    if kind == 0x11:
        return read_timestamp(reader, end)
    if kind == 0x13:
        return read_decimal128(reader, end)
    if kind == 0x0B:
        return read_regex(form, reader, end)
    if kind == 0x0D:
        return new_code(read_string(form, reader, end), None)
    if kind == 0x0F:
        return read_code_with_scope(form, reader, end)
    if kind == 0x0E:
        return PyUnicode_Type.tp_new(
            <PyTypeObject*>Symbol, (read_string(form, reader, end),), NULL
        )
    if kind == 0x0C:
        pointer = bare(DBPointer)
        fill(pointer, DBPOINTER_COLLECTION, read_string(form, reader, end))
        fill(pointer, DBPOINTER_ID, read_objectid(reader, end))
        return pointer
    if kind == 0xFF:
        return MIN_KEY
    if kind == 0x7F:
        return MAX_KEY
    if kind == 0x06:
        return UNDEFINED
    raise _Refused


# Names of fields repeat, so a few of them are kept, each where its bytes lead.
cdef struct Kept:
    PyObject* key
    uint64_t head  # its first eight bytes
    Py_ssize_t length

cdef Kept _kept[KEPT_KEYS]


cdef inline object read_key(Form form, Bytes data, Py_ssize_t length, Bytes end):
    if length > MAX_KEPT_KEY:
        return PyUnicode_DecodeUTF8(<const char*>data, length, form.errors)
    cdef uint64_t head, tail = 0
    if length >= 8:
        head = uint64(data)
        tail = uint64(data + length - 8)
    else:
        head = short_word(data, length, end)
    cdef Kept* kept = &_kept[(head ^ tail * 0x9E37_79B9ULL) * 0x9E37_79B9_7F4A_7C15ULL >> KEPT_SHIFT]
    if (
        kept.key != NULL
        and kept.head == head
        and kept.length == length
        and (length <= 8 or memcmp(PyUnicode_DATA(kept.key), data, length) == 0)
    ):
        return <object>kept.key
    return new_key(form, data, length, head, kept)


cdef inline uint64_t short_word(Bytes data, Py_ssize_t length, Bytes end) noexcept:
    """Fewer than eight bytes as a number; those before `end` may be read."""
    cdef uint64_t word = 0
    if end - data >= 8:
        return uint64(data) & ((<uint64_t>1 << 8 * length) - 1)
    while length:
        length -= 1
        word = word << 8 | data[length]
    return word


cdef object new_key(Form form, Bytes data, Py_ssize_t length, uint64_t head, Kept* kept):
    cdef str key = PyUnicode_DecodeUTF8(<const char*>data, length, form.errors)
    if key.isascii() and len(key) == length:  # kept are those whose characters are their bytes
        Py_XDECREF(kept.key)
        Py_INCREF(key)
        kept.key = <PyObject*>key
        kept.head = head
        kept.length = length
    return key


cdef inline str read_string(Form form, Reader* reader, Bytes end):
    need(reader, 4, end)
    cdef Bytes start = reader.data + 4
    cdef int32_t length = int32(reader.data)
    if length < 1 or length > end - start or start[length - 1]:
        raise _Refused
    reader.data = start + length
    return PyUnicode_DecodeUTF8(<const char*>start, length - 1, form.errors)


cdef inline str read_cstring(Form form, Reader* reader, Bytes end):
    cdef Bytes start = reader.data
    cdef Bytes stop = key_stop(start, end)
    reader.data = stop + 1
    return PyUnicode_DecodeUTF8(<const char*>start, stop - start, form.errors)


cdef inline double read_double(Reader* reader, Bytes end) except? -1:
    cdef uint64_t bits
    cdef double value
    need(reader, 8, end)
    bits = uint64(reader.data)
    memcpy(&value, &bits, 8)
    reader.data += 8
    return value


cdef inline ObjectId read_objectid(Reader* reader, Bytes end):
    need(reader, 12, end)
    cdef ObjectId oid = ObjectId.__new__(ObjectId)
    memcpy(oid.data, reader.data, 12)
    reader.data += 12
    return oid


cdef object read_binary(Form form, Reader* reader, Bytes end):
    need(reader, 5, end)
    cdef Bytes start = reader.data + 5
    cdef int32_t length = int32(reader.data)
    cdef int subtype = start[-1]
    if length < 0 or length > end - start:
        raise _Refused
    reader.data = start + length
    if subtype == 0:
        return PyBytes_FromStringAndSize(<const char*>start, length)
    if subtype == 2:  # it has its length twice
        if length < 4 or int32(start) != length - 4:
            raise _Refused
        start += 4
        length -= 4
    data = PyBytes_FromStringAndSize(<const char*>start, length)
    return _binary_value(data, subtype, form.uuid_representation)


cdef object read_datetime(Form form, Reader* reader, Bytes end):
    need(reader, 8, end)
    cdef int64_t millis = <int64_t>uint64(reader.data)
    reader.data += 8
    if form.plain_datetimes and FIRST_MILLIS <= millis <= LAST_MILLIS:
        return new_datetime(millis, form.tzinfo)
    try:
        return _from_millis(millis, form.options)
    except OverflowError:
        raise _Refused from None


cdef object read_timestamp(Reader* reader, Bytes end):
    need(reader, 8, end)
    timestamp = bare(Timestamp)
    fill(timestamp, TIMESTAMP_INC, uint32(reader.data))
    fill(timestamp, TIMESTAMP_TIME, uint32(reader.data + 4))
    reader.data += 8
    return timestamp


cdef object read_decimal128(Reader* reader, Bytes end):
    need(reader, 16, end)
    decimal = bare(Decimal128)
    fill(decimal, DECIMAL_LOW, uint64(reader.data))
    fill(decimal, DECIMAL_HIGH, uint64(reader.data + 8))
    reader.data += 16
    return decimal


cdef object read_regex(Form form, Reader* reader, Bytes end):
    cdef str pattern = read_cstring(form, reader, end)
    cdef str options = read_cstring(form, reader, end)
    if not form.strict:
        return _Regex(pattern, options)
    regex = bare(Regex)
    fill(regex, REGEX_PATTERN, pattern)
    fill(regex, REGEX_OPTIONS, options if len(options) < 2 else "".join(sorted(set(options))))
    return regex


cdef object read_code_with_scope(Form form, Reader* reader, Bytes end):
    need(reader, 4, end)
    cdef int32_t length = int32(reader.data)
    if length < 0 or length > end - reader.data:
        raise _Refused
    cdef Bytes stop = reader.data + length
    reader.data += 4
    cdef str code = read_string(form, reader, stop)
    scope = read_document(form, reader, stop)
    if reader.data != stop:
        raise _Refused
    return new_code(code, scope)


cdef inline object new_code(str text, scope):
    code = PyUnicode_Type.tp_new(<PyTypeObject*>Code, (text,), NULL)
    fill(code, CODE_SCOPE, scope)
    return code
