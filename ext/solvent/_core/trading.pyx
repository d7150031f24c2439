"""Acceptance, execution, resting, cutting and cancelling of orders; the contract is in trading.pxd."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset
from solvent._core.arena cimport SLOT_BITS, Order, arena_give, arena_take
from solvent._core.book cimport Book, book_add, book_price, book_remove, book_shrink, book_worse
from solvent._core.clientids cimport clients_add, clients_finish
from solvent._core.ledger cimport (
    NOBODY, FillTerms, Instrument, OpenSide, Parcel, Position, Wallet, parcel_fill, parcel_find, position_fill,
    wallet_of,
)
from solvent._core.margin cimport fee_units, hold_units
from solvent._core.matching cimport NOTHING, OWN_ORDER, Fill, match_next
from solvent._core.money cimport add, least, magnitude, mul
from solvent._core.records cimport (
    ACCEPTED, BUY, DONE, FILLED, FILLED_BY_BOOK, FILLED_BY_FUND, GTC, HOUSE_ORDER, LIQUIDATION_FEE, MAKER_FEE,
    REDUCED, REDUCE_ONLY, REDUCE_ONLY_CUT, REPLACED, RESTED, SELF_TRADE, SELL, TAKER_FEE, TRADE, UNFILLED,
    Command, Event, emit,
)


# --- What resting orders reserve -----------------------------------------------------------------------

cdef inline bint _owned(Order* order) noexcept nogil:
    """Whether a position stands behind an order; none does in a Book alone, and the house has parcels."""
    return order.holder >= 0 and not order.flags & HOUSE_ORDER


cdef uint32_t order_instrument(State* s, int32_t slot) noexcept nogil:
    cdef Order* order = &s.arena.orders[slot]
    if order.flags & HOUSE_ORDER:
        return s.ledger.parcels[parcel_find(&s.ledger, order.holder)].instrument
    return s.ledger.positions[order.holder].instrument if order.holder >= 0 else 0


cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil:
    """What the remaining lots of a resting order that may open add to its side."""
    cdef Order* order = &s.arena.orders[slot]
    cdef uint32_t instrument = s.ledger.positions[order.holder].instrument
    cdef int64_t units = s.ledger.instruments[instrument].units_per_tick_lot
    exposure.lots = order.remaining_lots
    exposure.value_units = mul(order.remaining_lots, book_price(&s.books[instrument], &s.arena, slot) * units, &s.log.fault)
    exposure.loss_units = mul(order.remaining_lots, order.open_loss_ticks * units, &s.log.fault)


cdef void _reserve(State* s, Order* order, int64_t price_ticks, int64_t lots) noexcept nogil:
    """Adds lots of a resting order to what its position has in the book; negative lots take them off."""
    cdef Position* p
    cdef OpenSide* side
    cdef int32_t* fault = &s.log.fault
    cdef int64_t units
    if not _owned(order):
        return
    p = &s.ledger.positions[order.holder]
    side = &p.open[order.side]
    if order.flags & REDUCE_ONLY:
        side = &p.reduce
        p.reduce_side = order.side
    units = s.ledger.instruments[p.instrument].units_per_tick_lot
    side.lots += lots
    side.value_units = add(side.value_units, mul(lots, mul(price_ticks, units, fault), fault), fault)
    side.loss_units = add(side.loss_units, mul(lots, mul(order.open_loss_ticks, units, fault), fault), fault)


cdef void refresh_hold(State* s, int32_t position) noexcept nogil:
    """Recomputes a position's hold after its size or its resting orders changed."""
    cdef Position* p = &s.ledger.positions[position]
    cdef Wallet* wallet = wallet_of(&s.ledger, p.account, s.ledger.instruments[p.instrument].currency)
    cdef int64_t held = hold_units(&s.ledger, p, NULL, BUY)
    wallet.hold_units = add(wallet.hold_units, held - p.hold_units, &s.log.fault)
    p.hold_units = held


# --- The life of an order ------------------------------------------------------------------------------

cdef void ticket_of_command(const Command* c, int64_t price_ticks, Ticket* t) noexcept nogil:
    """An ORDER as a ticket; whose position it belongs to is the caller's to say."""
    memset(t, 0, sizeof(Ticket))
    t.client_id = c.client_id
    t.account = c.account
    t.instrument = c.instrument
    t.side = c.side
    t.tif = c.tif
    t.flags = c.flags
    t.size_lots = c.size_lots
    t.remaining_lots = c.size_lots
    t.price_ticks = price_ticks
    t.limit_ticks = price_ticks
    t.ending = 0 if c.tif == GTC else UNFILLED
    t.fee_reason = TAKER_FEE


cdef void ticket_of_order(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Ticket* t) noexcept nogil:
    """A resting order as a ticket with other terms, before anything is changed."""
    cdef Order* order = &s.arena.orders[slot]
    memset(t, 0, sizeof(Ticket))
    t.order_id = order.order_id
    t.client_id = order.client_id
    t.slot = slot
    t.holder = order.holder
    t.account = order.account
    t.instrument = order_instrument(s, slot)
    t.side = order.side
    t.flags = order.flags
    t.tif = GTC
    t.fee_reason = TAKER_FEE
    t.price_ticks = price_ticks
    t.limit_ticks = price_ticks
    t.remaining_lots = remaining_lots
    t.size_lots = order.size_lots - order.remaining_lots + remaining_lots


cdef void reenter(State* s, Ticket* t) noexcept nogil:
    """Takes a resting order out of its queue with the ticket's terms and says REPLACED; execute comes next."""
    cdef Order* order = &s.arena.orders[t.slot]
    cdef Event* event
    unlist(s, t.slot)
    order.size_lots = t.size_lots
    order.remaining_lots = t.remaining_lots
    order.open_loss_ticks = t.open_loss_ticks
    event = emit(&s.log, REPLACED, t.account, t.instrument)
    event.side = t.side
    event.a = <int64_t>t.order_id
    event.b = t.price_ticks
    event.c = t.remaining_lots
    event.d = t.size_lots


cdef uint64_t accept(State* s, Ticket* t) noexcept nogil:
    """Gives the order its number and slot and says ACCEPTED. arena_reserve, book_reserve were called."""
    cdef Order* order
    cdef Event* event
    t.slot = arena_take(&s.arena)
    s.order_count += 1
    t.order_id = (s.order_count << SLOT_BITS) | <uint64_t>t.slot
    order = &s.arena.orders[t.slot]
    order.order_id = t.order_id
    order.client_id = t.client_id
    order.size_lots = t.size_lots
    order.remaining_lots = t.remaining_lots
    order.open_loss_ticks = t.open_loss_ticks
    order.account = t.account
    order.holder = t.holder
    order.level = -1
    order.side = t.side
    order.flags = t.flags
    order.tif = t.tif
    _list(s, t.slot)
    if t.client_id != 0:
        clients_add(&s.clients, t.account, t.client_id, t.order_id)
    event = emit(&s.log, ACCEPTED, t.account, t.instrument)
    event.side = t.side
    event.code = t.flags
    event.reason = t.tif
    event.a = <int64_t>t.order_id
    event.b = t.price_ticks
    event.c = t.size_lots
    event.d = <int64_t>t.client_id
    event.e = t.limit_ticks
    return t.order_id


cdef void _finish(State* s, int32_t slot, uint32_t instrument, uint16_t reason) noexcept nogil:
    """The final event of an order that is in no queue any more; its slot and client id are returned."""
    cdef Order* order = &s.arena.orders[slot]
    cdef Event* event = emit(&s.log, DONE, order.account, instrument)
    event.side = order.side
    event.reason = reason
    event.a = <int64_t>order.order_id
    event.b = order.remaining_lots
    event.c = order.size_lots - order.remaining_lots
    event.d = <int64_t>order.client_id
    _unlink(s, slot)
    if order.client_id != 0:
        clients_finish(&s.clients, order.account, order.client_id, order.order_id)
    arena_give(&s.arena, slot)


cdef void _list(State* s, int32_t slot) noexcept nogil:
    """Links an order into its position's own orders: newest first, an amended one in its old place."""
    cdef Order* order = &s.arena.orders[slot]
    cdef Position* p
    if not _owned(order):
        return
    p = &s.ledger.positions[order.holder]
    p.reduce_count += order.flags & REDUCE_ONLY != 0
    s.arena.own[slot].prev = -1
    s.arena.own[slot].next = p.first_order
    if p.first_order >= 0:
        s.arena.own[p.first_order].prev = slot
    p.first_order = slot


cdef void _unlink(State* s, int32_t slot) noexcept nogil:
    cdef Order* order = &s.arena.orders[slot]
    cdef int32_t prev = s.arena.own[slot].prev
    cdef int32_t next = s.arena.own[slot].next
    if order.flags & HOUSE_ORDER:
        s.ledger.parcels[parcel_find(&s.ledger, order.holder)].order_id = 0
    if not _owned(order):
        return
    s.ledger.positions[order.holder].reduce_count -= order.flags & REDUCE_ONLY != 0
    if prev >= 0:
        s.arena.own[prev].next = next
    else:
        s.ledger.positions[order.holder].first_order = next
    if next >= 0:
        s.arena.own[next].prev = prev


cdef void unlist(State* s, int32_t slot) noexcept nogil:
    """Takes a resting order out of the book and out of its owner's reserve; the order stays alive."""
    cdef Order* order = &s.arena.orders[slot]
    cdef Book* book = &s.books[order_instrument(s, slot)]
    _reserve(s, order, book_price(book, &s.arena, slot), -order.remaining_lots)
    book_remove(book, &s.arena, slot)
    if _owned(order):
        refresh_hold(s, order.holder)


cdef void cancel(State* s, int32_t slot, uint16_t reason) noexcept nogil:
    """Ends a resting order."""
    cdef uint32_t instrument = order_instrument(s, slot)
    unlist(s, slot)
    _finish(s, slot, instrument, reason)


cdef void cancel_all(State* s, int32_t position, uint16_t reason) noexcept nogil:
    """Ends every order of a position, newest first; none is on its way through the book."""
    while s.ledger.positions[position].first_order >= 0:
        cancel(s, s.ledger.positions[position].first_order, reason)


cdef void shrink(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil:
    """Takes lots off a resting order, which keeps its place and keeps some lots."""
    cdef Order* order = &s.arena.orders[slot]
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef Book* book = &s.books[instrument]
    cdef Event* event
    _reserve(s, order, book_price(book, &s.arena, slot), -lots)
    book_shrink(book, &s.arena, slot, lots)
    order.size_lots -= lots
    if _owned(order):
        refresh_hold(s, order.holder)
    event = emit(&s.log, REDUCED, order.account, instrument)
    event.side = order.side
    event.reason = reason
    event.a = <int64_t>order.order_id
    event.b = lots
    event.c = order.remaining_lots


cdef void cut_reduce_only(State* s, int32_t position) noexcept nogil:
    """Reduce-only orders never exceed the position: the worst price is cut first, then the newest."""
    cdef Position* p = &s.ledger.positions[position]
    cdef Book* book = &s.books[p.instrument]
    cdef int64_t allowed, price, worst_price
    cdef int32_t slot, worst
    while p.reduce.lots > 0:
        allowed = p.size_lots if p.reduce_side == SELL else -p.size_lots
        if allowed < 0:
            allowed = 0
        if p.reduce.lots <= allowed:
            return
        worst = -1
        worst_price = 0
        slot = p.first_order
        while slot >= 0:
            if s.arena.orders[slot].flags & REDUCE_ONLY and s.arena.orders[slot].level >= 0:
                price = book_price(book, &s.arena, slot)
                if p.reduce_side == BUY:
                    price = -price
                if worst < 0 or price > worst_price or (
                        price == worst_price and s.arena.orders[slot].order_id > s.arena.orders[worst].order_id):
                    worst = slot
                    worst_price = price
            slot = s.arena.own[slot].next
        if s.arena.orders[worst].remaining_lots <= p.reduce.lots - allowed:
            cancel(s, worst, REDUCE_ONLY_CUT)
        else:
            shrink(s, worst, p.reduce.lots - allowed, REDUCE_ONLY_CUT)


# --- Fills ---------------------------------------------------------------------------------------------

cdef void _settle_user(State* s, int32_t position, int side, Fill* fill, int64_t fee_ppb, uint16_t fee_reason, uint64_t order_id) noexcept nogil:
    cdef FillTerms terms
    cdef int32_t* fault = &s.log.fault
    cdef int64_t units = s.ledger.instruments[s.ledger.positions[position].instrument].units_per_tick_lot
    cdef int64_t value = fill.lots * (fill.price_ticks * units)
    terms.size_delta = fill.lots if side == BUY else -fill.lots
    terms.cost_delta = value if side == BUY else -value
    terms.fee_units = fee_units(value, fee_ppb, fault)
    terms.fee_reason = fee_reason
    terms.keep_margin = fee_reason == LIQUIDATION_FEE
    terms.deleveraged = 0
    terms.ref = order_id
    position_fill(&s.ledger, position, &terms)


cdef void _settle_house(State* s, int64_t parcel_id, int side, Fill* fill, uint64_t order_id) noexcept nogil:
    cdef int32_t index = parcel_find(&s.ledger, parcel_id)
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef int64_t value = fill.lots * (fill.price_ticks * s.ledger.instruments[parcel.instrument].units_per_tick_lot)
    cdef bint worse
    if side == BUY:
        worse = fill.price_ticks > parcel.bankruptcy_ticks
    else:
        worse = fill.price_ticks < parcel.bankruptcy_ticks
        value = -value
    parcel_fill(&s.ledger, index, fill.lots, value, FILLED_BY_FUND if worse else FILLED_BY_BOOK, order_id)


cdef void _settle_maker(State* s, uint32_t instrument, Fill* fill) noexcept nogil:
    cdef Order* maker = &s.arena.orders[fill.slot]
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int32_t holder = maker.holder
    cdef bint owned = _owned(maker)
    _reserve(s, maker, fill.price_ticks, -fill.lots)
    if maker.flags & HOUSE_ORDER:
        _settle_house(s, holder, maker.side, fill, maker.order_id)
    elif owned:
        _settle_user(s, holder, maker.side, fill, ins.maker_fee_ppb, MAKER_FEE, maker.order_id)
    if maker.remaining_lots == 0:
        _finish(s, fill.slot, instrument, FILLED)
    if owned:
        refresh_hold(s, holder)
        cut_reduce_only(s, holder)


cdef void execute(State* s, Ticket* t) noexcept nogil:
    """Trades the ticket as far as its limit reaches. Own orders in the way are cancelled (not the house's)."""
    cdef Book* book = &s.books[t.instrument]
    cdef Instrument* ins = &s.ledger.instruments[t.instrument]
    cdef bint house = t.flags & HOUSE_ORDER != 0
    cdef Fill fill
    cdef Event* event
    cdef int met
    while t.remaining_lots > 0:
        met = match_next(book, &s.arena, t.side, t.limit_ticks, t.remaining_lots, NOBODY if house else t.account, &fill)
        if met == NOTHING:
            break
        if met == OWN_ORDER:
            cancel(s, fill.slot, SELF_TRADE)
            continue
        t.remaining_lots -= fill.lots
        s.arena.orders[t.slot].remaining_lots = t.remaining_lots
        event = emit(&s.log, TRADE, t.account, t.instrument)
        event.side = t.side
        event.a = <int64_t>s.arena.orders[fill.slot].order_id
        event.b = <int64_t>t.order_id
        event.c = fill.price_ticks
        event.d = fill.lots
        event.e = s.arena.orders[fill.slot].account
        _settle_maker(s, t.instrument, &fill)
        if house:
            _settle_house(s, t.holder, t.side, &fill, t.order_id)
        elif t.holder >= 0:
            _settle_user(s, t.holder, t.side, &fill, ins.liquidation_fee_ppb if t.fee_reason == LIQUIDATION_FEE else ins.taker_fee_ppb,
                         t.fee_reason, t.order_id)
            refresh_hold(s, t.holder)
            cut_reduce_only(s, t.holder)


cdef void conclude(State* s, Ticket* t) noexcept nogil:
    """What is left of a ticket rests or ends."""
    cdef Order* order = &s.arena.orders[t.slot]
    cdef Event* event
    if t.remaining_lots == 0:
        _finish(s, t.slot, t.instrument, FILLED)
    elif t.ending != 0:
        _finish(s, t.slot, t.instrument, t.ending)
    else:
        book_add(&s.books[t.instrument], &s.arena, t.slot, t.side, t.price_ticks)
        _reserve(s, order, t.price_ticks, t.remaining_lots)
        event = emit(&s.log, RESTED, t.account, t.instrument)
        event.side = t.side
        event.a = <int64_t>t.order_id
        event.b = t.price_ticks
        event.c = t.remaining_lots
        if t.flags & HOUSE_ORDER:
            s.ledger.parcels[parcel_find(&s.ledger, t.holder)].order_id = t.order_id
        elif t.holder >= 0:
            refresh_hold(s, t.holder)


cdef int64_t dry_run(State* s, Ticket* t, int64_t* reached_ticks) noexcept nogil:
    """execute without doing it: how many lots would stay unfilled, and the last price it would pay.

    Skips own orders and counts reduce-only makers only as far as they would survive the fills before them.
    """
    cdef Book* book = &s.books[t.instrument]
    cdef int other = 1 - t.side
    cdef int32_t level = book.side[other].best
    cdef int32_t slot
    cdef int64_t wanted = t.remaining_lots
    cdef int64_t lots
    cdef Order* maker
    cdef Position* p
    s.dry_run += 1
    while level >= 0 and wanted > 0:
        if (book.levels[level].price_ticks > t.limit_ticks if t.side == BUY
                else book.levels[level].price_ticks < t.limit_ticks):
            break
        slot = book.levels[level].head
        while slot >= 0 and wanted > 0:
            maker = &s.arena.orders[slot]
            slot = maker.next
            if maker.account == t.account:
                continue
            lots = least(maker.remaining_lots, wanted)
            if _owned(maker):
                p = &s.ledger.positions[maker.holder]
                if p.dry_run != s.dry_run:
                    p.dry_run = s.dry_run
                    p.dry_lots = 0
                if maker.flags & REDUCE_ONLY:
                    lots = least(lots, magnitude(p.size_lots) - p.dry_lots)
                    if lots <= 0:
                        continue
                p.dry_lots += lots
            wanted -= lots
            reached_ticks[0] = book.levels[level].price_ticks
        level = book_worse(book, other, level)
    return wanted
