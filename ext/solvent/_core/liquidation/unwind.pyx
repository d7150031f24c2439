"""Sale of parcels through the book; the contract is in unwind.pxd, the readable twin in twin/liquidation/unwind.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memset
from solvent._core.base.schema cimport BUY, BY_DRAWDOWN, FUND, GTC, HOUSE, HOUSE_ORDER, IOC, ONLY_POST, SELL, UNWOUND, WHEN_EMPTY
from solvent._core.account.fund_past cimport fund_highest
from solvent._core.account.ledger cimport NOT_DUE, Parcel, wallet_of
from solvent._core.base.clauses cimport LIQ_10, LIQ_4, LIQ_5, LIQ_7, SAFE_1, must
from solvent._core.base.money cimport RATE, clamp, int128, min64, magnitude, max64
from solvent._core.contract.valuation cimport Instrument, band_price, in_call, meets, price_paying, upl_of, waits
from solvent._core.liquidation.case cimport GO_ON, OVER, Case
from solvent._core.market.book cimport book_room
from solvent._core.market.peaks cimport touch_ticks
from solvent._core.market.order_pool cimport pool_find, pool_room
from solvent._core.trade.lifecycle cimport accept, cancel, rest_or_end, execute, ticket_at
from solvent._core.trade.state cimport State, Ticket


cdef int64_t _value(State* s, Parcel* parcel) noexcept nogil:
    """Returns the parcel's value at mark less its cost."""
    return upl_of(&s.ledger.instruments[parcel.instrument], parcel.size_lots, parcel.cost_units, &s.log.fault)


cdef void _check_order(State* s, Parcel* parcel) noexcept nogil:
    """States that a parcel's order, if it has one, sells all of it."""
    cdef int32_t slot = pool_find(&s.pool, parcel.order_id) if parcel.order_id != 0 else -1
    must((slot >= 0) == (parcel.order_id != 0), LIQ_4, &s.log.fault)
    if slot >= 0:
        must(s.pool.orders[slot].remaining_lots == magnitude(parcel.size_lots), LIQ_4, &s.log.fault)
        must((s.pool.orders[slot].side == SELL) == (parcel.size_lots > 0), LIQ_4, &s.log.fault)


cdef int64_t _resting_price(State* s, Parcel* parcel, int64_t limit_ticks) noexcept nogil:
    """Returns the price at which an order of the house waits in a state without matching, 0 where it may not. In a call it
    joins at its limit; where only posting is allowed it stays one tick behind the best opposite price."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef int64_t touch
    cdef int side = SELL if parcel.size_lots > 0 else BUY
    must(parcel.size_lots != 0 and parcel.order_id == 0, LIQ_4, &s.log.fault)
    must(1 <= limit_ticks <= ins.max_price_ticks, LIQ_5, &s.log.fault)
    if in_call(ins):
        return limit_ticks
    if ins.listing != ONLY_POST:
        return 0
    touch = touch_ticks(&s.books[parcel.instrument], side, limit_ticks)
    if touch != 0:
        limit_ticks = touch + (-1 if side == BUY else 1)
    return limit_ticks if 1 <= limit_ticks <= ins.max_price_ticks else 0


cdef void _house_order(State* s, int32_t index, int64_t limit_ticks, bint may_rest) noexcept nogil:
    """Sends a house order for the whole parcel. Its rest stays in the book if it may rest and does not have to be sold at
    once."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef bint ends = not may_rest or (s.may_cost_others and _value(s, parcel) <= 0)
    cdef Ticket t
    if not meets(&s.ledger.instruments[parcel.instrument]):
        limit_ticks = 0 if ends else _resting_price(s, parcel, limit_ticks)
        if limit_ticks == 0:
            return
    if not pool_room(&s.pool) or not book_room(&s.books[parcel.instrument]):
        return
    memset(&t, 0, sizeof(Ticket))
    t.side = SELL if parcel.size_lots > 0 else BUY
    t.limit_ticks = limit_ticks
    t.price_ticks = limit_ticks
    t.size_lots = magnitude(parcel.size_lots)
    t.remaining_lots = t.size_lots
    t.holder = <int32_t>parcel.parcel_id
    t.account = HOUSE
    ticket_at(s, &t, parcel.instrument)
    t.flags = HOUSE_ORDER
    t.tif = GTC if may_rest else IOC
    must(parcel.order_id == 0 and t.size_lots == magnitude(parcel.size_lots), LIQ_4, &s.log.fault)
    must(1 <= limit_ticks <= t.ins.max_price_ticks, LIQ_5, &s.log.fault)
    accept(s, &t)
    if meets(t.ins):
        execute(s, &t)
    if not may_rest or (s.may_cost_others and _value(s, &s.ledger.parcels[index]) <= 0):
        t.ending = UNWOUND
    rest_or_end(s, &t)
    parcel = &s.ledger.parcels[index]
    must(t.remaining_lots == magnitude(parcel.size_lots), LIQ_4, &s.log.fault)
    _check_order(s, parcel)


cdef int64_t _fund_price(State* s, Parcel* parcel) noexcept nogil:
    """Returns the price at which selling the whole rest would exactly empty the fund, within the limit around mark."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef int128 left = parcel.cost_units
    cdef int64_t price
    left = left - wallet_of(&s.ledger, FUND, ins.currency).cash_units
    price = price_paying(ins, parcel.size_lots, left, 0)
    must(wallet_of(&s.ledger, FUND, ins.currency).cash_units >= 0, LIQ_7, &s.log.fault)
    must(s.may_cost_others, SAFE_1, &s.log.fault)
    if parcel.size_lots > 0:
        return max64(price, band_price(ins, SELL, s.rules.parcel_limit_ppb))
    return min64(price, band_price(ins, BUY, s.rules.parcel_limit_ppb))


cdef bint _fund_stands(State* s, uint32_t currency) noexcept nogil:
    """True if the fund pays for parcels in the book, as the rule set says."""
    cdef int128 left = RATE - s.rules.drawdown_ppb
    must(left >= 0 and s.rules.adl_trigger <= BY_DRAWDOWN, LIQ_7, &s.log.fault)
    if s.rules.adl_trigger != BY_DRAWDOWN:
        return s.rules.adl_trigger == WHEN_EMPTY
    must(wallet_of(&s.ledger, FUND, currency).cash_units >= 0, LIQ_7, &s.log.fault)
    left *= fund_highest(&s.ledger.past, currency, &s.log.fault)
    return <int128>wallet_of(&s.ledger, FUND, currency).cash_units * RATE > left


cdef int unwind(State* s, Case* c) noexcept nogil:
    """Offers a fresh parcel at its bankruptcy price, and sells a worthless one at once. A worthless parcel waits for its
    instrument's next mark if the command may not cost others."""
    cdef Parcel* parcel = &s.ledger.parcels[c.parcel]
    cdef int64_t highest = s.ledger.instruments[parcel.instrument].max_price_ticks
    cdef int64_t price = clamp(parcel.bankruptcy_ticks, 1, highest)
    parcel.due = NOT_DUE
    if waits(&s.ledger.instruments[parcel.instrument]):
        return OVER
    must(parcel.size_lots != 0 or c.fresh, LIQ_10, &s.log.fault)     # an opposite sibling may have closed it
    _check_order(s, parcel)
    # No order can have a bankruptcy price beyond the legal prices: such a parcel is worthless and is sold below.
    if c.fresh and (price >= parcel.bankruptcy_ticks if parcel.size_lots > 0 else price <= parcel.bankruptcy_ticks):
        _house_order(s, c.parcel, price, True)
    if parcel.size_lots == 0 or _value(s, parcel) > 0 or not s.may_cost_others:
        return OVER
    if parcel.order_id != 0:
        cancel(s, pool_find(&s.pool, parcel.order_id), UNWOUND)
    must(parcel.order_id == 0, LIQ_4, &s.log.fault)
    if not _fund_stands(s, s.ledger.instruments[parcel.instrument].currency):
        return GO_ON
    price = _fund_price(s, parcel)
    must(price >= band_price(&s.ledger.instruments[parcel.instrument], SELL, s.rules.parcel_limit_ppb) if parcel.size_lots > 0
         else price <= band_price(&s.ledger.instruments[parcel.instrument], BUY, s.rules.parcel_limit_ppb), LIQ_5, &s.log.fault)
    if 1 <= price <= highest:  # otherwise no legal price pays enough
        _house_order(s, c.parcel, price, False)
    return GO_ON if parcel.size_lots != 0 else OVER
