# checksum: 64 bits that tell whether bytes are those that were written (docs/reference/checksum.md).
#
# Owns: nothing. Never: a secret, or a defence against somebody who forges; the digest is for that.
# Invariants: damage within one aligned 64-bit word is never missed. For the same bytes, each state gives another checksum.
# Cost: four independent lanes, one multiplication deep twice a word: about 0.2 cycles a byte.

from libc.stdint cimport uint64_t

cdef struct Sum:                   # a checksum under way
    uint64_t lane[4]
    uint64_t bytes

cdef void sum_open(Sum* sum) noexcept nogil
cdef void sum_take(Sum* sum, const void* data, size_t bytes) noexcept nogil
cdef uint64_t sum_end(Sum* sum, uint64_t state) noexcept nogil
cdef uint64_t checksum_of(uint64_t state, const void* data, size_t bytes) noexcept nogil
