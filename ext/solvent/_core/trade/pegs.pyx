"""The pass over pegged orders; the contract is in pegs.pxd, the readable twin in twin/trade/pegs.py."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy
from solvent._core.account.ledger cimport OpenSide, Position
from solvent._core.base.clauses cimport BOOK_5, ORD_1, ORD_3, must
from solvent._core.base.schema cimport BUY, BY_ASK, BY_BID, OK, PEG_REFUSED, SELL, TOO_MANY_ORDERS, TRADING
from solvent._core.market.order_pool cimport PARKED, Order, pool_find
from solvent._core.market.peaks cimport is_pegged, peaks_room, touch_ticks
from solvent._core.market.triggers cimport PEGGED_MAX, Triggers
from solvent._core.trade.extended cimport park
from solvent._core.trade.holds cimport order_exposure, order_price
from solvent._core.trade.lifecycle cimport finish, leave_book, replaced_event, requeue, ticket_of_order
from solvent._core.trade.placement cimport admit, execute_and_rest
from solvent._core.trade.shapes cimport pegged_ticks
from solvent._core.trade.state cimport WAITS, Receipt, State, Ticket
from solvent._core.trade.watching cimport watched_ticks


cdef void _move_to(State* s, int32_t slot, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    """Gives a pegged order another price, as an amendment does. It comes to rest without a trade, or ends."""
    cdef Order* order = &s.pool.orders[slot]
    cdef bint parked = order.state & PARKED != 0
    cdef Position* p = NULL
    cdef OpenSide standing
    cdef Receipt nobody
    cdef Ticket t
    cdef int code
    ticket_of_order(s, slot, order.remaining_lots, price_ticks, &t)
    t.way = WAITS
    if not s.bare:
        p = &s.ledger.positions[order.holder]
        if not parked:
            order_exposure(s, slot, &standing)
    code = admit(s, &t, p, NULL if parked or s.bare else &standing)
    if code == OK and not peaks_room(t.book, t.ins.max_price_ticks, t.terms):
        code = TOO_MANY_ORDERS
    must(t.order_id == order.order_id and t.remaining_lots == order.remaining_lots, ORD_3, &s.log.fault)
    must(is_pegged(&s.pool, slot), ORD_1, &s.log.fault)
    if code != OK:
        if not parked:
            leave_book(s, slot)
        finish(s, slot, instrument, PEG_REFUSED, <uint16_t>code)
        return
    if parked:
        order.state &= ~PARKED
        order.open_loss_ticks = t.open_loss_ticks
        replaced_event(s, &t)
    else:
        requeue(s, &t)
    execute_and_rest(s, &t, &nobody)


cdef bint _pass_over(State* s, uint32_t instrument) noexcept nogil:
    """Looks at each pegged order of an instrument once, the oldest first. Returns True if one has moved."""
    cdef Triggers* triggers = &s.triggers[instrument]
    cdef uint64_t ids[PEGGED_MAX]
    cdef int32_t count = triggers.pegged_count
    cdef int32_t i, slot
    cdef int64_t price
    cdef bint moved = False
    must(0 < count <= PEGGED_MAX, BOOK_5, &s.log.fault)
    memcpy(ids, triggers.pegged, count * sizeof(uint64_t))
    for i in range(count):
        slot = pool_find(&s.pool, ids[i])
        if slot < 0 or s.ledger.instruments[instrument].listing != TRADING:     # an earlier one has ended it
            continue
        price = pegged_ticks(s, instrument, s.pool.orders[slot].side, &s.pool.terms[slot])
        if price == order_price(s, slot):
            continue
        moved = True
        if price != 0:
            _move_to(s, slot, instrument, price)
        else:
            leave_book(s, slot)
            park(s, slot, instrument)
    must(triggers.pegged_count <= count, BOOK_5, &s.log.fault)
    return moved


cdef bint pass_over_pegs(State* s) noexcept nogil:
    """Looks at the pegged orders of every instrument where trading is continuous. Returns True if one has moved."""
    cdef Triggers* triggers
    cdef int64_t now[5]
    cdef bint moved = False
    cdef uint32_t i
    for i in range(s.ledger.instrument_count):
        triggers = &s.triggers[i]
        if triggers.pegged_count == 0 or s.ledger.instruments[i].listing != TRADING:
            continue
        now[0] = watched_ticks(s, i, BY_BID)
        now[1] = watched_ticks(s, i, BY_ASK)
        now[2] = s.ledger.instruments[i].mark_ticks
        now[3] = touch_ticks(&s.books[i], SELL, 1)
        now[4] = touch_ticks(&s.books[i], BUY, INT64_MAX)
        must(now[0] >= 0 and now[1] >= 0 and now[2] >= 0, ORD_1, &s.log.fault)
        if memcmp(now, triggers.seen, sizeof(now)) == 0:
            continue
        memcpy(triggers.seen, now, sizeof(now))
        if _pass_over(s, i):
            triggers.seen[0] = -1
            moved = True
    return moved
