# batch: several commands as one: all of them are applied, or none if one would be refused.
#
# Owns: the verdict on the batch under way; the answers of the members of the last one.
# Never: undoes anything. A copy of the state takes the batch first, up to the first refusal, and is thrown away.
# Invariants: a batch has one number and one place in the log of commands, and each member has its BEGIN behind the batch's.
# The state accepts what the copy accepted; only memory that is gone can decide otherwise, and then the kernel halts.
# Cost: a fork of the state, and the commands twice. A batch of a wrong form, or of a time that is past, costs no fork.

from libc.stdint cimport int64_t, uint64_t
from solvent._core.base.commands cimport Request
from solvent._core.base.schema cimport Command
from solvent._core.image cimport Portable
from solvent._core.trade.state cimport Receipt

cdef enum:
    # rendered: limits
    BATCH_MAX = 256
    MEMBER_RECORDS_MAX = 6
    # rendered: end

cdef struct Member:
    Receipt receipt
    uint64_t begin                 # the number of its first event

cdef class Batching(Portable):
    cdef bint trying               # this is the copy
    cdef int refused_code          # of the batch under way: OK if all of it will be applied
    cdef int64_t refused_at
    cdef int64_t member_count      # of the last batch that was applied
    cdef Member answers[BATCH_MAX]

    cdef int _apply_any(self, const Request* c, Receipt* receipt) except -1 nogil
    cdef void _drop(self) noexcept nogil
    cdef int _enter(self, int64_t records) except -1
    cdef int _lend(self) except -1
    cdef int _halted(self) except -1
    cdef int _judge(self, const Request* c, int64_t records) except -1
    cdef int64_t _apply_batch(self, const Command* at, int64_t left, Receipt* receipt) except -1 with gil
    cdef int _apply_members(self, const Request* c, Receipt* receipt) except -1 nogil
    cdef int _batch_alone(self, const unsigned char[::1] record) except -1
