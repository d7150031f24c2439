# event_log: the log that events are appended to.
#
# Owns: the block of events, its pins, the sequence numbers.
# Never: knows an event's meaning; an author of events calls the event's emitter (emit.pxd).
# Cost: an event is one increment of a counter and its stores; growth doubles the block.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.base.schema cimport Event

cdef struct EventLog:
    Event* events           # behind a small header, which counts the views that pin the block
    uint64_t wanted         # one bit for each event type that is written
    uint64_t first_seq      # seq of events[0]; written events have consecutive numbers
    int64_t count
    int64_t capacity
    int32_t fault           # 1: arithmetic left 64 bits, 2: out of memory, 3: an impossible state; the kernel halts
    Event spill             # takes the events once memory is gone

cdef int log_open(EventLog* log, uint64_t wanted) noexcept nogil
cdef void log_drop(EventLog* log, int64_t n) noexcept nogil
cdef void block_pin(Event* events) noexcept nogil
cdef void block_unpin(Event* events) noexcept nogil
cdef void log_grow(EventLog* log) noexcept nogil


cdef inline Event* log_next(EventLog* log) noexcept nogil:
    """Returns room for one more record."""
    if log.count == log.capacity:
        log_grow(log)
        if log.count == log.capacity:
            return &log.spill
    log.count += 1
    return &log.events[log.count - 1]


cdef inline Event* append(
    EventLog* log, uint16_t type, uint8_t side, uint32_t account, uint32_t instrument, uint16_t code, uint16_t reason,
    int64_t a, int64_t b, int64_t c, int64_t d, int64_t e
) noexcept nogil:
    """Appends an event from the record's fields. Returns NULL when its type is not wanted. Only emitters call this."""
    cdef Event* event
    if not (log.wanted >> type) & 1:
        return NULL
    event = log_next(log)
    event.type = type
    event.records = 1
    event.side = side
    event.account = account
    event.instrument = instrument
    event.code = code
    event.reason = reason
    event.seq = log.first_seq + <uint64_t>log.count - 1
    event.a = a
    event.b = b
    event.c = c
    event.d = d
    event.e = e
    return event
