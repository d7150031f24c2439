# checksum: 64 bits that tell whether bytes are those that were written (docs/reference/checksum.md).
#
# Owns: nothing. Never: a secret, or a defence against somebody who forges; the digest is for that.
# Invariants: damage within one aligned 64-bit word is never missed. For the same bytes, each state gives another checksum.
# Cost: four independent lanes, one multiplication deep twice a word: about 0.2 cycles a byte.

from libc.stdint cimport uint64_t

cdef uint64_t checksum_of(uint64_t state, const void* data, size_t bytes) noexcept nogil
