cdef class ObjectId:
    cdef unsigned char data[12]
