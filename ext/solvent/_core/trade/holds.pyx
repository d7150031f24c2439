"""The holds of resting orders; the contract is in holds.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport OpenSide, Position, Wallet, note, wallet_of
from solvent._core.account.margin cimport side_hold
from solvent._core.base.clauses cimport BOOK_6, MON_8, must
from solvent._core.base.money cimport add, max64
from solvent._core.base.schema cimport BUY, INVERSE, REDUCE_ONLY, SELL
from solvent._core.contract.valuation cimport Instrument, loss_of, value_of
from solvent._core.market.book cimport book_price
from solvent._core.market.order_pool cimport DORMANT, DUE, PARKED, Order
from solvent._core.trade.state cimport State, Ticket, has_owner, order_instrument


cdef int64_t order_price(State* s, int32_t slot) noexcept nogil:
    """Returns the limit of an order, also of a dormant one; 0 for a dormant market order, or a parked one."""
    if s.pool.orders[slot].state & (DORMANT | DUE):
        return s.pool.terms[slot].limit_ticks
    if s.pool.orders[slot].state & PARKED:
        return 0
    return book_price(&s.books[order_instrument(s, slot)], &s.pool, slot)


cdef void _exposure(Instrument* ins, Order* order, int64_t price_ticks, int64_t lots, OpenSide* exposure, int32_t* fault) noexcept nogil:
    """Returns what `lots` of an order add to its side: lots, value, loss to mark."""
    exposure.lots = lots
    exposure.value_units = value_of(ins, lots, price_ticks, False, fault)
    exposure.loss_units = loss_of(ins, order.side, lots, price_ticks, order.open_loss_ticks, fault)
    must(lots >= 0 and exposure.value_units >= 0 and exposure.loss_units >= 0, MON_8, fault)
    must(lots != 0 or (exposure.value_units == 0 and exposure.loss_units == 0), MON_8, fault)


cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil:
    """Returns what the remaining lots of a resting order that may open add to its side."""
    cdef Order* order = &s.pool.orders[slot]
    cdef uint32_t instrument = s.ledger.positions[order.holder].instrument
    _exposure(&s.ledger.instruments[instrument], order, book_price(&s.books[instrument], &s.pool, slot),
              order.remaining_lots, exposure, &s.log.fault)


cdef inline void _change(
    State* s, Instrument* ins, Position* p, Order* order, int64_t price_ticks, int64_t before, int64_t after
) noexcept nogil:
    """Changes the lots of a resting order in its position's sums, to the unit."""
    cdef OpenSide* side = &p.open[order.side]
    cdef int32_t* fault = &s.log.fault
    cdef int64_t lots = after - before
    cdef OpenSide old, new
    if order.flags & REDUCE_ONLY:
        side = &p.reduce
        p.reduce_side = order.side
    side.lots += lots
    if ins.kind != INVERSE:         # the value is linear in the lots, to the unit
        side.value_units = add(side.value_units, value_of(ins, lots, price_ticks, False, fault), fault)
        if order.open_loss_ticks != 0:
            side.loss_units = add(side.loss_units, loss_of(ins, order.side, lots, price_ticks, order.open_loss_ticks, fault), fault)
    else:
        _exposure(ins, order, price_ticks, before, &old, fault)
        _exposure(ins, order, price_ticks, after, &new, fault)
        side.value_units = add(side.value_units, new.value_units - old.value_units, fault)
        side.loss_units = add(side.loss_units, new.loss_units - old.loss_units, fault)
    must(p.account == order.account and (before | after) >= 0, BOOK_6, fault)
    must((side.lots | side.value_units | side.loss_units) >= 0 and (side.lots != 0 or (side.value_units | side.loss_units) == 0), MON_8,
         fault)


cdef inline void _hold(State* s, Instrument* ins, Position* p) noexcept nogil:
    """Sets a position's hold by the holds of its sides."""
    cdef Wallet* wallet = wallet_of(&s.ledger, p.account, ins.currency)
    cdef int64_t held = max64(p.side_holds[BUY], p.side_holds[SELL])
    wallet.hold_units = add(wallet.hold_units, held - p.hold_units, &s.log.fault)
    p.hold_units = held
    must((p.side_holds[BUY] | p.side_holds[SELL]) >= 0 and held >= p.side_holds[BUY] and held >= p.side_holds[SELL]
         and wallet.hold_units >= held, MON_8, &s.log.fault)


cdef void reserve(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after) noexcept nogil:
    """Changes the lots of a resting order in its position's sums; its hold stays until a refresh."""
    cdef Position* p
    if has_owner(order):
        p = &s.ledger.positions[order.holder]
        _change(s, &s.ledger.instruments[p.instrument], p, order, price_ticks, before, after)


cdef inline bint _is_tested(Ticket* t, OpenSide* side) noexcept nogil:
    """True if an order rests as its checks have found it: they know the hold of its side."""
    return t != NULL and t.tested.lots == side.lots and side.lots != 0 and (
        t.tested.value_units == side.value_units and t.tested.loss_units == side.loss_units)


cdef void reserve_and_hold(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after, Ticket* t) noexcept nogil:
    """Changes the lots of a resting order that a position owns, and the hold with them. A reduce-only order counts on both
    sides until it is cut, because its position may have turned. t: the order that comes to rest, or NULL."""
    cdef Position* p = &s.ledger.positions[order.holder]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef OpenSide* open = &p.open[order.side]
    _change(s, ins, p, order, price_ticks, before, after)
    if order.flags & REDUCE_ONLY:
        p.side_holds[1 - order.side] = side_hold(&s.ledger, ins, p, &p.open[1 - order.side], 1 - order.side)
    if s.ledger.orders_count:
        note(&s.ledger, p.account, ins.currency)
    p.side_holds[order.side] = t.tested_hold if _is_tested(t, open) else side_hold(&s.ledger, ins, p, open, order.side)
    _hold(s, ins, p)


cdef void refresh_hold(State* s, int32_t position) noexcept nogil:
    """Recomputes a position's hold after its size or its leverage changed."""
    cdef Position* p = &s.ledger.positions[position]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    p.side_holds[BUY] = side_hold(&s.ledger, ins, p, &p.open[BUY], BUY)
    p.side_holds[SELL] = side_hold(&s.ledger, ins, p, &p.open[SELL], SELL)
    _hold(s, ins, p)
    must(p.hold_units == 0 or p.open[BUY].lots + p.open[SELL].lots + p.reduce.lots > 0, MON_8, &s.log.fault)
