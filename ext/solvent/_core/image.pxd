# image: the state as a thing that can be copied: forked, handed out as blocks of memory, and made from them again.
#
# Owns: what of a kernel is not in the State: names, configuration, counters; the pins of an image that is being read.
# Never: writes a file, or knows one. Never changes the state while a block of an image is held (Busy).
# Invariants: a fork, and an exchange made from an image, answer every further command like the original, event for event. An
# image that does not fit is refused before anything changes.
# Cost: a fork is a memcpy of what is used. An image copies nothing but the blocks that hold pointers. restore is a memcpy, with
# a checksum and a look at ranges while the memory is in cache.

from libc.stdint cimport int64_t, uint32_t, uint64_t
from solvent._core.recorder cimport Recorder
from solvent._core.trade.state cimport Receipt, State

cdef enum:
    LAYOUT = 15                    # of the blocks; tests/shape/test_walk.py tells when it must rise

cdef struct Head:                  # the first block of an image
    uint64_t layout
    uint64_t state_bytes
    uint64_t bare
    uint64_t wanted
    uint64_t seed
    uint64_t command_seq
    uint64_t next_seq
    Receipt receipt

cdef class Portable(Recorder):
    cdef Receipt receipt
    cdef readonly uint64_t command_seq
    cdef readonly uint64_t seed
    cdef public uint64_t keep_from
    cdef bytes born                # the configuration at first
    cdef int64_t pins              # buffers of an image that are held

    cdef Portable _copied(self)
    cdef tuple _quick(self, const unsigned char[::1] record, uint32_t account, uint32_t instrument)
    cdef list _python_blocks(self)
    cdef list _state_blocks(self)
    cdef int _refuse_image(self, str why) except -1
    cdef int _check_head(self, const Head* head, list given) except -1
    cdef dict _check_names(self, list given)
    cdef tuple _taken_apart(self, blocks)
    cdef int _filled(self, State* s, list blocks, uint64_t* found) except -1

cdef class Pinned:
    cdef Portable owner
    cdef const void* items
    cdef Py_ssize_t bytes
