"""What resting orders reserve; the contract is in holds.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport OpenSide, Position, Wallet, wallet_of
from solvent._core.account.margin cimport side_hold
from solvent._core.base.clauses cimport BOOK_6, MON_8, must
from solvent._core.base.money cimport add, most
from solvent._core.base.schema cimport BUY, INVERSE, REDUCE_ONLY, SELL
from solvent._core.contract.valuation cimport Instrument, loss_of, value_of
from solvent._core.market.book cimport book_price
from solvent._core.market.order_pool cimport DORMANT, DUE, Order
from solvent._core.trade.state cimport State, has_owner, order_instrument


cdef int64_t order_price(State* s, int32_t slot) noexcept nogil:
    """The limit of an order: where it rests, or of a dormant one where it would; 0 for a dormant market order."""
    if s.arena.orders[slot].state & (DORMANT | DUE):
        return s.arena.terms[slot].limit_ticks
    return book_price(&s.books[order_instrument(s, slot)], &s.arena, slot)


cdef void _exposure(Instrument* ins, Order* order, int64_t price_ticks, int64_t lots, OpenSide* exposure, int32_t* fault) noexcept nogil:
    """What so many lots of an order add to its side."""
    exposure.lots = lots
    exposure.value_units = value_of(ins, lots, price_ticks, False, fault)
    exposure.loss_units = loss_of(ins, order.side, lots, price_ticks, order.open_loss_ticks, fault)
    must(lots >= 0 and exposure.value_units >= 0 and exposure.loss_units >= 0, MON_8, fault)
    must(lots != 0 or (exposure.value_units == 0 and exposure.loss_units == 0), MON_8, fault)


cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil:
    """What the remaining lots of a resting order that may open add to its side."""
    cdef Order* order = &s.arena.orders[slot]
    cdef uint32_t instrument = s.ledger.positions[order.holder].instrument
    _exposure(&s.ledger.instruments[instrument], order, book_price(&s.books[instrument], &s.arena, slot),
              order.remaining_lots, exposure, &s.log.fault)


cdef void reserve(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after) noexcept nogil:
    """A resting order has other lots than before; what its position has in the book follows, to the unit."""
    cdef Position* p
    cdef Instrument* ins
    cdef OpenSide* side
    cdef OpenSide old, new
    cdef int64_t lots
    cdef int32_t* fault = &s.log.fault
    if not has_owner(order):
        return
    p = &s.ledger.positions[order.holder]
    must((p.account == order.account) & (before >= 0) & (after >= 0), BOOK_6, fault)
    side = &p.open[order.side]
    if order.flags & REDUCE_ONLY:
        side = &p.reduce
        p.reduce_side = order.side
    ins = &s.ledger.instruments[p.instrument]
    side.lots += after - before
    if ins.kind != INVERSE:         # as many lots more are worth as much more, to the unit
        lots = after - before
        side.value_units = add(side.value_units, value_of(ins, lots, price_ticks, False, fault), fault)
        side.loss_units = add(side.loss_units, loss_of(ins, order.side, lots, price_ticks, order.open_loss_ticks, fault), fault)
    else:
        _exposure(ins, order, price_ticks, before, &old, fault)
        _exposure(ins, order, price_ticks, after, &new, fault)
        side.value_units = add(side.value_units, new.value_units - old.value_units, fault)
        side.loss_units = add(side.loss_units, new.loss_units - old.loss_units, fault)
    must((side.lots >= 0) & (side.value_units >= 0) & (side.loss_units >= 0)
         & ((side.lots != 0) | ((side.value_units | side.loss_units) == 0)), MON_8, fault)


cdef inline void _hold(State* s, Position* p) noexcept nogil:
    """What a position reserves follows what its sides do."""
    cdef Wallet* wallet = wallet_of(&s.ledger, p.account, s.ledger.instruments[p.instrument].currency)
    cdef int64_t held = most(p.side_holds[BUY], p.side_holds[SELL])
    wallet.hold_units = add(wallet.hold_units, held - p.hold_units, &s.log.fault)
    p.hold_units = held
    must((p.side_holds[BUY] >= 0) & (p.side_holds[SELL] >= 0) & (held >= p.side_holds[BUY]) & (held >= p.side_holds[SELL])
         & (wallet.hold_units >= held), MON_8, &s.log.fault)


cdef void refresh_side(State* s, Order* order) noexcept nogil:
    """Recomputes what a position reserves after one of its orders changed. A reduce-only one counts on both sides while it is
    to be cut: its position has turned then."""
    cdef Position* p = &s.ledger.positions[order.holder]
    if order.flags & REDUCE_ONLY:
        refresh_hold(s, order.holder)
        return
    p.side_holds[order.side] = side_hold(&s.ledger, p, NULL, order.side)
    _hold(s, p)


cdef void refresh_hold(State* s, int32_t position) noexcept nogil:
    """The same after its size changed, or its leverage."""
    cdef Position* p = &s.ledger.positions[position]
    p.side_holds[BUY] = side_hold(&s.ledger, p, NULL, BUY)
    p.side_holds[SELL] = side_hold(&s.ledger, p, NULL, SELL)
    _hold(s, p)
    must((p.open[BUY].lots + p.open[SELL].lots + p.reduce.lots > 0) | (p.hold_units == 0), MON_8, &s.log.fault)
