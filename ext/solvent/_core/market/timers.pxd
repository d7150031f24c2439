# timers: who has orders cancelled when, unless he says so anew; by account, instrument and tag.
#
# Owns: the timers and their chains by account. expiries holds them by deadline, and knows each one's place there.
# Never: cancels anything, or reads a clock.
# Invariants: an account has at most TIMERS_MAX, each for another pair of instrument and tag. A free item has place -1.
# Cost: finding one walks its account's chain, which is short: there are as many chains as items.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

cdef enum:
    # rendered: limits
    TIMERS_MAX = 20
    # rendered: end

cdef struct Timer:
    int64_t deadline_ns
    uint32_t account
    uint32_t instrument        # NO_INSTRUMENT: all
    int32_t next               # in its chain, or among the free ones; -1 none
    int32_t place              # in the heap of expiries; -1 of a free one
    uint16_t tag               # 0: any
    uint8_t spares             # REDUCE_ONLY, or 0

cdef struct Timers:
    Timer* items
    int32_t* heads             # of the chains: 1 + the first item, 0 none
    int32_t used               # items below it may be free
    int32_t capacity           # a power of two, or 0
    int32_t free               # 1 + the first free item, 0 none

cdef void timers_close(Timers* timers) noexcept nogil
cdef int32_t timers_find(Timers* timers, uint32_t account, uint32_t instrument, uint16_t tag, int32_t* held) noexcept nogil
cdef bint timers_room(Timers* timers) noexcept nogil
cdef int32_t timers_add(Timers* timers, uint32_t account, uint32_t instrument, uint16_t tag) noexcept nogil
cdef void timers_drop(Timers* timers, int32_t index) noexcept nogil


cdef inline bint timer_before(const Timer* a, const Timer* b) noexcept nogil:
    """True if the first of two timers of one deadline is due first."""
    if a.account != b.account:
        return a.account < b.account
    return a.instrument < b.instrument if a.instrument != b.instrument else a.tag < b.tag
