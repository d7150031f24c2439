# kernel: apply(command) -> events. The single writer.
#
# Owns: the clock, the sequence numbers, the answers; the order of validation, application and resolution.
# Never: reads a clock, randomness, the environment or a float. Never runs two commands at once (Busy), nor Python code within
# a command. A batch reads a clock only to time the signals that wait: no result depends on it.
# Invariants: a rejected command changes only the two counters, and the clock with its expiries if its time was later. Every
# command emits one BEGIN. A fault halts the kernel for good.
# Cost: a command is one call; `run` is a loop over the same path without the GIL.

from libc.stdint cimport int64_t, uint16_t, uint64_t
from solvent._core.batch cimport Batching
from solvent._core.trade.state cimport Receipt
from solvent._core.base.commands cimport Request
from solvent._core.base.schema cimport Command

cdef class Answer:
    cdef readonly uint64_t order_id
    cdef readonly int64_t filled_lots
    cdef readonly int64_t resting_lots
    cdef readonly uint16_t code

cdef class Kernel(Batching):
    cdef int64_t run_count             # whole commands that the last `run` has applied

    cdef int _dispatch(self, const Request* c, Receipt* receipt) except -1 nogil
    cdef void _end_calls(self) noexcept nogil
    cdef void _pass_time(self, int64_t before_ns) noexcept nogil
    cdef int _apply(self, const Request* c, Receipt* receipt) except -1 nogil
    cdef int _apply_any(self, const Request* c, Receipt* receipt) except -1 nogil
    cdef int _alone(self, const Request* c) except -1
    cdef int _offered(self, const Request* c) except -1
    cdef int _look_for_signals(self) except -1 with gil
    cdef int _run(self, const Command* commands, Py_ssize_t total, Receipt* receipts) except -1 nogil
    cdef Answer _answer(self, Request* c)
    cdef int _refuse_type(self, value) except -1
    cdef int _refuse_range(self, value, int64_t lowest, int64_t highest) except -1
