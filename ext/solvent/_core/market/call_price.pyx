"""The price of an uncross; the contract is in call_price.pxd, the readable twin in twin/market/call_price.py."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t
from libc.string cimport memset
from solvent._core.base.money cimport max64, min64
from solvent._core.base.schema cimport BUY, MIDWAY, PRESSURE, SELL
from solvent._core.market.book cimport Book, book_worse
from solvent._core.market.order_pool cimport OrderPool
from solvent._core.market.peaks cimport hidden_lots

cdef struct Front:             # where one side stands while levels are matched from the touch outwards
    int32_t level              # that was matched last
    int64_t limit_ticks        # its price
    int64_t left               # its lots that are not matched
    int64_t next_ticks         # the price of the first level behind it
    int64_t next_lots
    int64_t after_ticks        # the price of the second level behind it


cdef int64_t _lots(Book* book, OrderPool* pool, int32_t level) noexcept nogil:
    """Returns all lots of a level, those behind peaks too."""
    cdef int64_t lots = book.levels[level].total_lots
    cdef int32_t slot = book.levels[level].head if book.careful != 0 else -1
    while slot >= 0:
        lots += hidden_lots(pool, slot)
        slot = pool.orders[slot].next
    return lots


cdef void _look_behind(Book* book, OrderPool* pool, int side, Front* front) noexcept nogil:
    """Finds the levels behind the matched one. The price of one that is not there is beyond all others."""
    cdef int32_t level = book_worse(book, side, front.level)
    cdef int32_t after = book_worse(book, side, level) if level >= 0 else -1
    cdef int64_t nowhere = 0 if side == BUY else INT64_MAX
    front.next_ticks = book.levels[level].price_ticks if level >= 0 else nowhere
    front.next_lots = _lots(book, pool, level) if level >= 0 else 0
    front.after_ticks = book.levels[after].price_ticks if after >= 0 else nowhere


cdef int64_t _match(Book* book, OrderPool* pool, Front* bid, Front* ask) noexcept nogil:
    """Matches levels from the touch outwards as far as they cross. Returns the lots that match: the greatest volume."""
    cdef int32_t buy = book.side[BUY].best
    cdef int32_t sell = book.side[SELL].best
    cdef int64_t buys = _lots(book, pool, buy)
    cdef int64_t sells = _lots(book, pool, sell)
    cdef int64_t lots, total = 0
    while buy >= 0 and sell >= 0 and book.levels[buy].price_ticks >= book.levels[sell].price_ticks:
        lots = min64(buys, sells)
        total += lots
        buys -= lots
        sells -= lots
        bid.level, bid.limit_ticks, bid.left = buy, book.levels[buy].price_ticks, buys
        ask.level, ask.limit_ticks, ask.left = sell, book.levels[sell].price_ticks, sells
        if buys == 0:
            buy = book_worse(book, BUY, buy)
            buys = _lots(book, pool, buy) if buy >= 0 else 0
        if sells == 0:
            sell = book_worse(book, SELL, sell)
            sells = _lots(book, pool, sell) if sell >= 0 else 0
    return total


cdef int64_t _surplus_at(Book* book, OrderPool* pool, Front* bid, Front* ask, int64_t price_ticks) noexcept nogil:
    """Returns bids less asks at a price of the greatest volume."""
    cdef int64_t surplus = bid.left - ask.left
    cdef int32_t level = book_worse(book, BUY, bid.level)
    while level >= 0 and book.levels[level].price_ticks >= price_ticks:
        surplus += _lots(book, pool, level)
        level = book_worse(book, BUY, level)
    level = book_worse(book, SELL, ask.level)
    while level >= 0 and book.levels[level].price_ticks <= price_ticks:
        surplus -= _lots(book, pool, level)
        level = book_worse(book, SELL, level)
    return surplus


cdef void call_price(Book* book, OrderPool* pool, int64_t reference_ticks, int tie, CallPrice* found) noexcept nogil:
    """Finds the price of a crossed book's uncross; all zero if the book is not crossed.

    The greatest volume trades at every price from the last matched ask to the last matched bid. If one side has lots left
    there, the imbalance is least in front of that side's limit. Otherwise it is zero between the next levels of both sides. If
    nothing is between them, it is that of the lesser of the two, or of both.
    """
    cdef Front bid, ask
    cdef int64_t low, high
    memset(found, 0, sizeof(CallPrice))
    if not is_crossed(book):
        return
    found.lots = _match(book, pool, &bid, &ask)
    _look_behind(book, pool, BUY, &bid)
    _look_behind(book, pool, SELL, &ask)
    low = max64(ask.limit_ticks, bid.next_ticks + 1 if ask.left == 0 else 0)
    high = min64(bid.limit_ticks, ask.next_ticks - 1 if bid.left == 0 else INT64_MAX)
    if tie == MIDWAY:
        low = high = (ask.limit_ticks + bid.limit_ticks) >> 1
    elif tie == PRESSURE and bid.left > 0:
        low = bid.limit_ticks
    elif tie == PRESSURE and ask.left > 0:
        high = ask.limit_ticks
    elif low > high:
        low = max64(ask.limit_ticks, bid.after_ticks + 1) if bid.next_lots <= ask.next_lots else ask.next_ticks
        high = min64(bid.limit_ticks, ask.after_ticks - 1) if ask.next_lots <= bid.next_lots else bid.next_ticks
        if tie == PRESSURE and bid.next_lots < ask.next_lots:
            low = high
        elif tie == PRESSURE and ask.next_lots < bid.next_lots:
            high = low
    found.price_ticks = min64(max64(reference_ticks, low), high)
    found.surplus_lots = _surplus_at(book, pool, &bid, &ask, found.price_ticks)
