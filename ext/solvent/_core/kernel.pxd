# kernel: apply(command) -> events. The single writer.
#
# Owns: the clock, the marks, the sequence numbers, the names, the digest; the order validate, apply, settle.
# Never: reads a clock, randomness, the environment or a float; runs two commands at once (Busy).
# Invariants: a rejected command changes nothing but the two counters (and the clock, if its time was later);
# every command emits one BEGIN; a fault halts the kernel for good.
# Cost: a command is one call; `run` is a loop over the same path without the GIL.

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.entry cimport Receipt
from solvent._core.records cimport Command
from solvent._core.trading cimport State

cdef class Kernel:
    cdef State s
    cdef Receipt receipt
    cdef bint busy
    cdef bint ready
    cdef dict ids
    cdef list names
    cdef bytes config
    cdef object busy_error
    cdef object halted_error
    cdef readonly uint64_t command_seq
    cdef public uint64_t keep_from
    cdef int _dispatch(self, const Command* c) noexcept nogil
    cdef int _apply(self, const Command* c) noexcept nogil
    cdef int _open_account(self, const Command* c) noexcept with gil
    cdef int _enter(self) except -1
    cdef int _leave(self) except -1
    cdef _require_idle(self, uint32_t account=*, uint32_t instrument=*)
    cdef _order_row(self, int32_t slot, uint32_t instrument)
