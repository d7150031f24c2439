# kernel: apply(command) -> events. The single writer.
#
# Owns: the clock, the marks, the sequence numbers, the names, the digest; the order validate, apply, settle.
# Never: reads a clock, randomness, the environment or a float; runs two commands at once (Busy).
# Invariants: a rejected command changes nothing but the two counters (and the clock, with what that expires, if
# its time was later); every command emits one BEGIN; a fault halts the kernel for good.
# Cost: a command is one call; `run` is a loop over the same path without the GIL.

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from solvent._core.reader cimport Reader
from solvent._core.records cimport Command
from solvent._core.trading cimport Receipt

cdef class Answer:
    cdef readonly uint64_t order_id
    cdef readonly int64_t filled_lots
    cdef readonly int64_t resting_lots
    cdef readonly uint16_t code

cdef class Kernel(Reader):
    cdef Receipt receipt
    cdef readonly uint64_t command_seq
    cdef public uint64_t keep_from
    cdef list instruments          # names
    cdef list decimals             # of the currencies
    cdef object from_records       # decodes and checks an ADD_INSTRUMENT (solvent.spec)

    cdef int _dispatch(self, const Command* c, Receipt* receipt) noexcept nogil
    cdef void _pass_time(self, int64_t before_ns) noexcept nogil
    cdef void _apply(self, const Command* c, Receipt* receipt) noexcept nogil
    cdef int _enter_instrument(self, spec) except -1
    cdef bint _fits(self, spec, uint32_t currency) except -1
    cdef int _add_instrument(self, const Command* c, Receipt* receipt) noexcept with gil
    cdef int _open_account(self, const Command* c, Receipt* receipt) noexcept with gil
    cdef int _enter(self) except -1
    cdef int _leave(self) except -1
    cdef Answer _answer(self, Command* c)
    cdef int _refuse_type(self, value) except -1
    cdef int _refuse_range(self, value, int64_t lowest, int64_t highest) except -1
