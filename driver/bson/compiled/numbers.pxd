"""Numbers in BSON: little-endian, wherever they begin."""

from libc.stdint cimport int32_t, uint32_t, uint64_t

ctypedef const unsigned char* Bytes


cdef inline uint32_t uint32(Bytes data) noexcept:
    return data[0] | <uint32_t>data[1] << 8 | <uint32_t>data[2] << 16 | <uint32_t>data[3] << 24


cdef inline int32_t int32(Bytes data) noexcept:
    return <int32_t>uint32(data)


cdef inline uint64_t uint64(Bytes data) noexcept:
    return uint32(data) | <uint64_t>uint32(data + 4) << 32


cdef inline void put_uint32(char* place, uint32_t value) noexcept:
    place[0] = <char>(value & 0xFF)
    place[1] = <char>(value >> 8 & 0xFF)
    place[2] = <char>(value >> 16 & 0xFF)
    place[3] = <char>(value >> 24)


cdef inline void put_uint64(char* place, uint64_t value) noexcept:
    put_uint32(place, <uint32_t>(value & 0xFFFFFFFF))
    put_uint32(place + 4, <uint32_t>(value >> 32))
