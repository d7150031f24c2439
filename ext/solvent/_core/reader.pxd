# reader: the state for readers in Python. The kernel extends it with the writers.
#
# Owns: the State as a Python object's memory, the names, the configuration bytes.
# Never: writes the state. Every read refuses (Busy) while a batch runs in another thread.
# Cost: a row is a tuple; depth and arrays are filled without a Python loop.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.market.book cimport Book
from solvent._core.rows cimport Seen
from solvent._core.trade.state cimport State

ctypedef void (*Columns)(State* s, int32_t index, Seen* seen, void* to) noexcept nogil


cdef enum Use:                     # what keeps others from the state
    IDLE = 0
    WORKING = 1                    # another call
    PINNED = 2                     # somebody holds a block of an image
    NATIVE = 3                     # C drives the exchange

cdef class Reader:
    cdef State s
    cdef Use busy
    cdef dict ids
    cdef list names
    cdef bytes unread_ends         # names out of an image that nobody has asked for yet: where each ends, and their text
    cdef bytes unread_names
    cdef bytes config
    cdef object busy_error
    cdef object halted_error
    cdef object type_error
    cdef object range_error
    cdef object input_error

    cdef int _raise_busy(self) except -1
    cdef int _read_names(self) except -1
    cdef int _require_idle(self, uint32_t account=*, uint32_t instrument=*) except -1
    cdef bytearray _of_positions(self, size_t row_bytes, Columns write)
    cdef list _queue(self, Book* book, int side, int64_t price_ticks)
    cdef int64_t _shown_orders(self, Book* book, int32_t level) noexcept nogil
    cdef tuple _order_row(self, int32_t slot)
    cdef list _dormant_rows(self, uint32_t instrument)
    cdef int _write(self, take) except -1
