# events: event records as Python objects, and views of the log's memory.
#
# Owns: one copied record per Event; a pin on the block per EventView.
# Never: interprets a record beyond the names that solvent.records binds to its fields.
# Cost: an Event is one copy of 64 bytes from a free list; a named attribute is two look-ups in small tables.

from libc.stdint cimport int64_t
from cython cimport final, freelist
from solvent._core.records cimport Event as Record


@final
@freelist(64)
cdef class Event:
    cdef Record r
    cdef readonly bytes extra
    cdef int64_t _named(self, int name) except? -1

@final
cdef class EventView:
    cdef Record* block
    cdef Record* first
    cdef Py_ssize_t count

@final
cdef class EventIterator:
    cdef EventView view
    cdef Py_ssize_t at
