# event_view: event records as Python objects, and views of the log's memory.
#
# Owns: one copied record per Event; a pin on the block per EventView.
# Never: interprets a record beyond the names that solvent.records binds to its fields.
# Cost: an Event is one copy of 64 bytes from a free list. A named attribute takes two table lookups, by the address of its
# interned name and by its type: half the cost of a property.

from solvent._core.base.schema cimport Event as Record


cdef class Event:
    cdef Record r
    cdef bytes second

cdef class EventView:
    cdef Record* block
    cdef Record* first
    cdef Py_ssize_t count

cdef class EventIterator:
    cdef EventView view
    cdef Py_ssize_t at
