"""The timers of accounts; the contract is in timers.pxd."""

from libc.stdint cimport int32_t, uint16_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy
from solvent._core.base.pool cimport doubled, zeroed

cdef enum:
    FIRST = 8


cdef void timers_close(Timers* timers) noexcept nogil:
    free(timers.items)
    free(timers.heads)


cdef inline int32_t* _chain(Timers* timers, uint32_t account) noexcept nogil:
    return &timers.heads[account & <uint32_t>(timers.capacity - 1)]


cdef int32_t timers_find(Timers* timers, uint32_t account, uint32_t instrument, uint16_t tag, int32_t* held) noexcept nogil:
    """Returns the index of a timer, or -1, and counts what else the account has up to there."""
    cdef int32_t index = _chain(timers, account)[0] - 1 if timers.capacity else -1
    cdef Timer* timer
    held[0] = 0
    while index >= 0:
        timer = &timers.items[index]
        if timer.account == account:
            if timer.instrument == instrument and timer.tag == tag:
                return index
            held[0] += 1
        index = timer.next
    return -1


cdef bint timers_room(Timers* timers) noexcept nogil:
    """Makes room for one more. Returns False, all unchanged, when memory is gone."""
    cdef int32_t larger, index
    cdef int32_t* head
    cdef Timers old = timers[0]
    if timers.free or timers.used < timers.capacity:
        return True
    larger = doubled(timers.capacity, timers.capacity + 1, FIRST, 1 << 28)
    timers.items = <Timer*>zeroed(<size_t>larger, sizeof(Timer)) if larger else NULL
    timers.heads = <int32_t*>zeroed(<size_t>larger, sizeof(int32_t)) if larger else NULL
    if timers.items == NULL or timers.heads == NULL:
        timers_close(timers)
        timers[0] = old
        return False
    timers.capacity = larger
    if old.used:
        memcpy(timers.items, old.items, <size_t>old.used * sizeof(Timer))
    for index in range(old.used):       # none is free
        head = _chain(timers, timers.items[index].account)
        timers.items[index].next = head[0] - 1
        head[0] = index + 1
    timers_close(&old)
    return True


cdef int32_t timers_add(Timers* timers, uint32_t account, uint32_t instrument, uint16_t tag) noexcept nogil:
    """Adds a timer without a deadline, after timers_room. Returns its index."""
    cdef int32_t index = timers.free - 1
    cdef int32_t* head = _chain(timers, account)
    if index >= 0:
        timers.free = timers.items[index].next + 1
    else:
        index = timers.used
        timers.used += 1
    timers.items[index].account = account
    timers.items[index].instrument = instrument
    timers.items[index].tag = tag
    timers.items[index].next = head[0] - 1
    timers.items[index].place = -1
    head[0] = index + 1
    return index


cdef void timers_drop(Timers* timers, int32_t index) noexcept nogil:
    """Frees a timer that is in no heap."""
    cdef int32_t* head = _chain(timers, timers.items[index].account)
    cdef int32_t before = head[0] - 1
    if before == index:
        head[0] = timers.items[index].next + 1
    else:
        while timers.items[before].next != index:
            before = timers.items[before].next
        timers.items[before].next = timers.items[index].next
    timers.items[index].next = timers.free - 1
    timers.items[index].place = -1
    timers.free = index + 1
