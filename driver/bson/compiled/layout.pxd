"""Objects of Python classes made and read where they lie, without running Python code."""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int64_t
from libc.string cimport memcpy

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_alloc)(PyTypeObject*, Py_ssize_t)
        object (*tp_new)(PyTypeObject*, object, PyObject*)

    const int PyLong_SHIFT
    PyTypeObject PyLong_Type

    ctypedef struct PyMemberDef:
        Py_ssize_t offset

    ctypedef struct PyMemberDescrObject:
        PyMemberDef* d_member


cdef inline Py_ssize_t slot(cls, str name) except -1:
    """Where objects of `cls` have the value of a slot, which is the class's own."""
    descriptor = cls.__dict__[name]
    if type(descriptor).__name__ != "member_descriptor":
        raise TypeError(f"{cls.__name__}.{name} is no slot")
    return (<PyMemberDescrObject*>descriptor).d_member.offset


cdef inline object bare(cls):
    """A new object whose slots are empty."""
    return (<PyTypeObject*>cls).tp_alloc(<PyTypeObject*>cls, 0)


cdef inline PyObject** at(object self, Py_ssize_t offset) noexcept:
    return <PyObject**>(<char*><PyObject*>self + offset)


cdef inline void fill(object self, Py_ssize_t offset, object value) noexcept:
    """Give an empty slot its value."""
    Py_INCREF(value)
    at(self, offset)[0] = <PyObject*>value


cdef inline object int_of(cls, int64_t value):
    """An instance of a subclass of int, with the digits that lie behind the header of an equal int."""
    cdef object number = value
    cdef int digits = 3
    if PyLong_SHIFT != 30:
        return PyLong_Type.tp_new(<PyTypeObject*>cls, (number,), NULL)
    if -(1 << 30) < value < 1 << 30:
        digits = 1
    elif -(1LL << 60) < value < 1LL << 60:
        digits = 2
    self = (<PyTypeObject*>cls).tp_alloc(<PyTypeObject*>cls, digits)
    memcpy(
        <char*><PyObject*>self + sizeof(PyObject),
        <char*><PyObject*>number + sizeof(PyObject),
        sizeof(Py_ssize_t) + digits * 4,
    )
    return self
