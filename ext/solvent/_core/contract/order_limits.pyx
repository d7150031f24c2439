"""An instrument's limits on orders; the contract is in order_limits.pxd, the readable twin in twin/contract/order_limits.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.base.clauses cimport ORD_6, must
from solvent._core.base.money cimport mul_div_floor
from solvent._core.base.pool cimport doubled, resized
from solvent._core.base.schema cimport LIMIT_ORDER, MARKET_ORDER

cdef enum:
    # rendered: limits
    ACCOUNTS_MAX = 16777216
    # rendered: end


cdef void limits_close(OrderLimits* limits) noexcept nogil:
    if limits != NULL:
        free(limits.paces)
        free(limits.times)
        free(limits)


cdef bint limits_allow(OrderLimits* limits, int type, int64_t size_lots, bint closes) noexcept nogil:
    """True if an order of this type may have this size. One that only closes may be smaller than the least."""
    cdef int64_t least = limits.least_trigger_lots
    cdef int64_t most = limits.most_trigger_lots
    if type == LIMIT_ORDER:
        least, most = limits.least_limit_lots, limits.most_limit_lots
    elif type == MARKET_ORDER:
        least, most = limits.least_market_lots, limits.most_market_lots
    return (closes or size_lots >= least) and (most == 0 or size_lots <= most)


# --- Messages ------------------------------------------------------------------------------------------

cdef bint limits_room(OrderLimits* limits, uint32_t account) noexcept nogil:
    """Makes room to count a message of an account. Returns False when memory is gone."""
    cdef int32_t larger
    if limits.rate_limit == 0:
        return True
    if account >= <uint32_t>limits.pace_capacity:
        larger = doubled(limits.pace_capacity, account + <int64_t>1, 64, ACCOUNTS_MAX)
        if larger == 0 or not resized(<void**>&limits.paces, larger, sizeof(Pace)):
            return False
        memset(&limits.paces[limits.pace_capacity], 0, <size_t>(larger - limits.pace_capacity) * sizeof(Pace))
        limits.pace_capacity = larger
    if not limits.rolling or limits.paces[account].ring != 0 or limits.rings < limits.ring_capacity:
        return True
    larger = doubled(limits.ring_capacity, limits.rings + <int64_t>1, 4, ACCOUNTS_MAX)
    if larger == 0 or not resized(<void**>&limits.times, larger * <int64_t>limits.rate_limit, sizeof(int64_t)):
        return False
    limits.ring_capacity = larger
    return True


cdef bint limits_full(OrderLimits* limits, uint32_t account, int64_t now_ns, int32_t* fault) noexcept nogil:
    """True if an account's next message would be beyond the limit of the window, after limits_room."""
    cdef Pace* pace
    if limits.rate_limit == 0:
        return False
    pace = &limits.paces[account]
    if pace.count < limits.rate_limit:
        return False
    if limits.rolling:
        return limits.times[(pace.ring - 1) * <int64_t>limits.rate_limit + pace.window] > now_ns - limits.window_ns
    return pace.window == mul_div_floor(now_ns, 1, limits.window_ns, fault)


cdef void limits_count(OrderLimits* limits, uint32_t account, int64_t now_ns, int32_t* fault) noexcept nogil:
    """Counts an accepted message of an account."""
    cdef int64_t window, at
    cdef Pace* pace
    if limits.rate_limit == 0:
        return
    pace = &limits.paces[account]
    if not limits.rolling:
        window = mul_div_floor(now_ns, 1, limits.window_ns, fault)
        pace.count = pace.count + 1 if pace.window == window else 1
        pace.window = window
        must(0 < pace.count <= limits.rate_limit, ORD_6, fault)
        return
    if pace.ring == 0:
        limits.rings += 1
        pace.ring = limits.rings
    at = pace.window + pace.count
    if pace.count == limits.rate_limit:
        at = pace.window
        must(limits.times[(pace.ring - 1) * <int64_t>limits.rate_limit + at] <= now_ns - limits.window_ns, ORD_6, fault)
        pace.window = pace.window + 1 if pace.window + 1 < limits.rate_limit else 0
    else:
        pace.count += 1
    limits.times[(pace.ring - 1) * <int64_t>limits.rate_limit + at] = now_ns
