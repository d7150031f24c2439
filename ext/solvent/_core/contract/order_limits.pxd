# order_limits: what an instrument asks of orders besides money: least value, sizes by type, live orders, messages a window.
#
# Owns: these terms, and for each account the messages that counted. Only instruments with such terms have the struct.
# Never: knows an order or a position; placement and amendment ask it last, so what it lets pass is accepted and counts.
# Invariant: in one window of command time at most `rate_limit` messages of an account count.
# Cost: O(1) a question. 16 bytes an account; with a rolling window 8 bytes more for each message of the limit.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

cdef enum:
    # rendered: limits
    MESSAGES_MAX = 1000
    # rendered: end

cdef struct Pace:                  # of one account
    int64_t window                 # the number of the window that `count` is of; rolling: the place of the oldest time
    int32_t count
    int32_t ring                   # rolling: its place among the rings, from 1 up; 0: none yet

cdef struct OrderLimits:
    # rendered: terms
    int64_t least_notional_units   # of an order at its limit price, else at mark
    int64_t least_limit_lots
    int64_t most_limit_lots        # 0: as large as a position
    int64_t least_market_lots
    int64_t most_market_lots
    int64_t least_trigger_lots
    int64_t most_trigger_lots
    int64_t window_ns
    int32_t most_orders            # live orders of an account
    int32_t rate_limit             # messages of an account in a window
    uint8_t rolling                # the window ends now; else windows begin at its multiples
    # rendered: end
    Pace* paces                    # by account
    int64_t* times                 # rolling: rings of rate_limit times, one for each account that sent anything
    int32_t pace_capacity
    int32_t ring_capacity
    int32_t rings

cdef void limits_close(OrderLimits* limits) noexcept nogil
cdef bint limits_allow(OrderLimits* limits, int type, int64_t size_lots, bint closes) noexcept nogil
cdef bint limits_room(OrderLimits* limits, uint32_t account) noexcept nogil
cdef bint limits_full(OrderLimits* limits, uint32_t account, int64_t now_ns, int32_t* fault) noexcept nogil
cdef void limits_count(OrderLimits* limits, uint32_t account, int64_t now_ns, int32_t* fault) noexcept nogil
