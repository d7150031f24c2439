"""The checksum; the contract is in checksum.pxd, the readable twin in twin/base/checksum.py."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.long cimport PyLong_AsUnsignedLongLong
from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #define SOLVENT_STIR 0x9E3779B97F4A7C15u
    #define SOLVENT_SPREAD 0xBF58476D1CE4E5B9u

    static inline uint64_t solvent_step(uint64_t x, uint64_t word) {
        x += word * SOLVENT_STIR;
        return (x << 31 | x >> 33) * SOLVENT_SPREAD; }

    static inline uint64_t solvent_word(const unsigned char *at) {
        uint64_t word;
        memcpy(&word, at, 8);
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
    #endif
        return word; }

    static void solvent_lanes(uint64_t *lane, const void *data, size_t bytes) {
        uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
        const unsigned char *at = (const unsigned char *)data;
        unsigned char last[32] = {0};
        size_t left = bytes;
        while (left) {
            if (left < 32) { memcpy(last, at, left); at = last; left = 32; }
            a = solvent_step(a, solvent_word(at));
            b = solvent_step(b, solvent_word(at + 8));
            c = solvent_step(c, solvent_word(at + 16));
            d = solvent_step(d, solvent_word(at + 24));
            at += 32;
            left -= 32; }
        lane[0] = a; lane[1] = b; lane[2] = c; lane[3] = d; }
    """
    const uint64_t SPREAD "SOLVENT_SPREAD"
    uint64_t solvent_step(uint64_t x, uint64_t word) noexcept nogil
    void solvent_lanes(uint64_t* lane, const void* data, size_t bytes) noexcept nogil


cdef void sum_open(Sum* sum) noexcept nogil:
    cdef int i
    for i in range(4):
        sum.lane[i] = <uint64_t>(i + 1) * SPREAD
    sum.bytes = 0


cdef void sum_take(Sum* sum, const void* data, size_t bytes) noexcept nogil:
    """Takes in the next bytes; all but the last are multiples of 32."""
    solvent_lanes(sum.lane, data, bytes)
    sum.bytes += bytes


cdef uint64_t sum_end(Sum* sum, uint64_t state) noexcept nogil:
    """Returns the checksum of all that was taken in, after a state."""
    cdef int i
    for i in range(4):
        state = solvent_step(state, sum.lane[i])
    state = solvent_step(state, sum.bytes)
    return state ^ state >> 32


cdef uint64_t checksum_of(uint64_t state, const void* data, size_t bytes) noexcept nogil:
    cdef Sum sum
    sum_open(&sum)
    sum_take(&sum, data, bytes)
    return sum_end(&sum, state)


def checksum(state, data):
    """Returns the checksum of bytes after a state, both 64 bits; works without the GIL.

    state: 0 to begin with, or the checksum of what stands before. data: any contiguous buffer. Raises TypeError for a state
    that is no int or data that are no buffer, OverflowError for a state beyond 64 bits, BufferError for bytes that do not lie
    together.
    """
    cdef Py_buffer buffer
    cdef uint64_t found
    if type(state) is not int:
        raise TypeError(f"a checksum continues an int, not {type(state).__name__}")
    found = PyLong_AsUnsignedLongLong(state)
    PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
    try:
        with nogil:
            found = checksum_of(found, buffer.buf, buffer.len)
    finally:
        PyBuffer_Release(&buffer)
    return found
