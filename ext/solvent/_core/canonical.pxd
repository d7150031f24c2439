# canonical: the state as the bytes behind the digest, one after the other, in bounded memory (docs/reference/digest.md).
#
# Owns: the order of the bytes. Never: writes the state, or holds more of it than one chunk.
# Cost: O(state): about 190 bytes an order. A chunk is 64 KB; whoever takes it hashes or keeps it.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.trade.state cimport State

cdef enum:
    ORDER_WORDS = 23
    SHAPE_WORDS = 8

cdef class Writer:
    cdef object take               # called with each chunk
    cdef bytearray chunk
    cdef int64_t* words
    cdef Py_ssize_t count

    cdef int put(self, int64_t number) except -1
    cdef int put_all(self, numbers) except -1
    cdef int flush(self) except -1

cdef list timer_rows(State* s)
cdef list bracket_rows(State* s)
cdef void order_words(State* s, int32_t slot, int64_t* row) noexcept nogil
cdef int64_t unqueued(State* s, uint32_t instrument) noexcept nogil
cdef bint is_shaped(State* s, int32_t slot) noexcept nogil
cdef void shape_words(State* s, int32_t slot, int64_t* row) noexcept nogil
cdef int write_state(State* s, bytes config, list names, Writer out) except -1
