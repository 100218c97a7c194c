"""ObjectId as an extension type: 12 bytes in place, which the garbage collector never visits."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport Py_EQ, Py_GE, Py_GT, Py_LE, Py_LT, Py_NE
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy
from libc.time cimport time

import os
from datetime import UTC, datetime

from driver.bson.errors import InvalidId

cdef enum:
    LENGTH = 12


cdef class Generator:
    """Makes unique ids; begins anew in a forked child, so that it never repeats its parent's."""

    cdef unsigned char random[5]
    cdef uint32_t counter

    def __cinit__(self):
        self.restart()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.restart)

    def restart(self, start=None):
        """Draw a new random part, and a new start of the counter if `start` is not given."""
        drawn = os.urandom(5)
        memcpy(self.random, PyBytes_AS_STRING(drawn), 5)
        self.counter = int.from_bytes(os.urandom(3), "big") if start is None else start

    cdef void next(self, unsigned char* data) noexcept:
        cdef uint32_t seconds = <uint32_t>time(NULL)
        cdef uint32_t serial = self.counter
        self.counter = serial + 1
        data[0] = seconds >> 24
        data[1] = seconds >> 16 & 0xFF
        data[2] = seconds >> 8 & 0xFF
        data[3] = seconds & 0xFF
        memcpy(data + 4, self.random, 5)
        data[9] = serial >> 16 & 0xFF
        data[10] = serial >> 8 & 0xFF
        data[11] = serial & 0xFF


generator = Generator()
cdef Generator _generator = generator


cdef class ObjectId:
    """A 12-byte identifier, ordered by its bytes and so roughly by the time it was made."""

    def __init__(self, oid=None):
        """Make a new id, or one from 24 hexadecimal digits, 12 bytes or another ObjectId.

        Raises InvalidId for a malformed value, TypeError for any other type.
        """
        if oid is None:
            _generator.next(self.data)
        elif isinstance(oid, ObjectId):
            memcpy(self.data, (<ObjectId>oid).data, LENGTH)
        else:
            _parse(self, oid)

    @classmethod
    def from_datetime(cls, generation_time):
        """The smallest id made at `generation_time` (naive: UTC), for range queries by time.

        It is not unique: never store it. Raises OverflowError outside the years 1970 to 2106.
        """
        if generation_time.utcoffset() is None:
            generation_time = generation_time.replace(tzinfo=UTC)
        return cls(int(generation_time.timestamp()).to_bytes(4, "big") + bytes(8))

    @classmethod
    def is_valid(cls, oid):
        """Whether `ObjectId(oid)` would succeed for this (not None) value."""
        if oid is None:
            return False
        try:
            cls(oid)
        except (InvalidId, TypeError):
            return False
        return True

    @property
    def binary(self):
        """The 12 bytes."""
        return PyBytes_FromStringAndSize(<char*>self.data, LENGTH)

    @property
    def generation_time(self):
        """When it was made: aware, in UTC, to the second."""
        return datetime.fromtimestamp(int.from_bytes(self.binary[:4], "big"), UTC)

    def __str__(self):
        return self.binary.hex()

    def __repr__(self):
        return f"ObjectId('{self}')"

    def __reduce__(self):
        return ObjectId, (self.binary,)

    def __hash__(self):
        return hash(self.binary)

    def __richcmp__(self, other, int operation):
        if not isinstance(other, ObjectId):
            return NotImplemented
        cdef int order = memcmp(self.data, (<ObjectId>other).data, LENGTH)
        if operation == Py_EQ:
            return order == 0
        if operation == Py_NE:
            return order != 0
        if operation == Py_LT:
            return order < 0
        if operation == Py_LE:
            return order <= 0
        if operation == Py_GT:
            return order > 0
        return order >= 0


cdef int _parse(ObjectId self, oid) except -1:
    if isinstance(oid, bytes):
        data = <bytes>oid
    elif isinstance(oid, str):
        try:
            data = bytes.fromhex(oid) if len(oid) == 2 * LENGTH else b""
        except ValueError:
            data = b""
    else:
        raise TypeError(
            f"an ObjectId is made from str, bytes or ObjectId, not {type(oid).__name__}"
        )
    if PyBytes_GET_SIZE(data) != LENGTH:  # also where fromhex skipped blanks
        raise InvalidId(f"{oid!r} is not an ObjectId: it takes 12 bytes or 24 hexadecimal digits")
    memcpy(self.data, PyBytes_AS_STRING(data), LENGTH)
    return 0
