"""The event log; the contract is in event_log.pxd."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memmove
from solvent._core.base.pool cimport moved, taken
from solvent._core.base.schema cimport RECORD_BYTES, Event

cdef enum:
    FIRST_CAPACITY = 64

# A block is [header 64 bytes | events]. The header counts owners: the log and each view.
# A block with views is never moved or overwritten; the log leaves it to them and takes a new one.
cdef extern from *:
    """
    #include <stdint.h>
    static inline void solvent_own(void *events) {
        __atomic_add_fetch((int64_t *)((char *)events - 64), 1, __ATOMIC_SEQ_CST); }
    static inline int64_t solvent_disown(void *events) {
        return __atomic_sub_fetch((int64_t *)((char *)events - 64), 1, __ATOMIC_SEQ_CST); }
    static inline int64_t solvent_owners(void *events) {
        return __atomic_load_n((int64_t *)((char *)events - 64), __ATOMIC_SEQ_CST); }
    """
    void solvent_own(void* events) noexcept nogil
    int64_t solvent_disown(void* events) noexcept nogil
    int64_t solvent_owners(void* events) noexcept nogil


cdef Event* _block_new(int64_t capacity) noexcept nogil:
    cdef char* block = <char*>taken(<size_t>(RECORD_BYTES + capacity * RECORD_BYTES))
    if block == NULL:
        return NULL
    (<int64_t*>block)[0] = 1
    return <Event*>(block + RECORD_BYTES)


cdef void block_pin(Event* events) noexcept nogil:
    solvent_own(events)


cdef void block_unpin(Event* events) noexcept nogil:
    if solvent_disown(events) == 0:
        free(<char*>events - RECORD_BYTES)


cdef int log_open(EventLog* log, uint64_t wanted) noexcept nogil:
    log.wanted = wanted
    log.events = _block_new(FIRST_CAPACITY)
    log.first_seq = 1
    log.count = 0
    log.capacity = FIRST_CAPACITY
    log.fault = 0
    return 0 if log.events == NULL else 1


cdef void log_grow(EventLog* log) noexcept nogil:
    """Doubles the block, or takes a new one if views pin it."""
    cdef int64_t capacity = log.capacity * 2
    cdef Event* events
    cdef char* block
    if solvent_owners(log.events) == 1:
        block = <char*>moved(<char*>log.events - RECORD_BYTES, <size_t>(RECORD_BYTES + capacity * RECORD_BYTES))
        events = <Event*>(block + RECORD_BYTES) if block != NULL else NULL
    else:
        events = _block_new(capacity)
        if events != NULL:
            memcpy(events, log.events, <size_t>(log.count * RECORD_BYTES))
            block_unpin(log.events)
    if events == NULL:
        log.fault = 2
        return
    log.events = events
    log.capacity = capacity


cdef void log_drop(EventLog* log, int64_t n) noexcept nogil:
    """Forgets the first n events, or keeps them while memory for a new block is missing."""
    cdef Event* events
    if n <= 0:
        return
    if solvent_owners(log.events) > 1:
        events = _block_new(log.capacity)
        if events == NULL:
            return                  # the events stay for now
        memcpy(events, log.events + n, <size_t>((log.count - n) * RECORD_BYTES))
        block_unpin(log.events)
        log.events = events
    elif n < log.count:
        memmove(log.events, log.events + n, <size_t>((log.count - n) * RECORD_BYTES))
    log.count -= n
    log.first_seq += <uint64_t>n
