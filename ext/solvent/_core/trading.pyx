"""What only some orders need on their way: owners, money, terms, cutting; the contract is in trading.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy
from solvent._core.arena cimport DORMANT, DUE, EXTENDED, LIVE, Links, Order, Terms
from solvent._core.book cimport Book, book_price, book_shrink, book_worse
from solvent._core.fees cimport fee_rate, fees_add, liquidation_rate
from solvent._core.ledger cimport (
    FillTerms, OpenSide, Parcel, Position, Wallet, parcel_fill, parcel_find, position_fill, position_new, wallet_of,
)
from solvent._core.margin cimport hold_units
from solvent._core.matching cimport Fill, same_owner
from solvent._core.money cimport add, least, magnitude, most
from solvent._core.records cimport (
    ALLOW, BUY, CANCEL_BOTH, CANCEL_MAKER, CANCEL_TAKER, CONTINUED, DECREMENT, EXPIRED, FILLED, FILLED_BY_BOOK, FILLED_BY_FUND,
    HOUSE_ORDER, LIQUIDATION_FEE, MAKER_FEE, NO_TRIGGER, OK, REDUCED, REDUCE_ONLY, REDUCE_ONLY_CUT, REPLACED, SELF_TRADE, SELL,
    TAKER_FEE, AcceptedTerms, Event, log_next, say,
)
from solvent._core.timers cimport timers_add, timers_due
from solvent._core.triggers cimport triggers_observe
from solvent._core.valuation cimport Instrument, cost_delta, fee_units, loss_of, value_of


cdef int32_t position_begin(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    """A flat position, with the rate at which it would be liquidated; after positions_reserve."""
    cdef int32_t index = position_new(&s.ledger, account, instrument, leg)
    s.ledger.positions[index].liquidation_fee_ppb = liquidation_rate(&s.fees, &s.ledger, &s.ledger.positions[index], s.clock_ns)
    return index


# --- What resting orders reserve -----------------------------------------------------------------------

cdef inline bint _owned(Order* order) noexcept nogil:
    """Whether a position stands behind an order; none does in a Book alone, and the house has parcels."""
    return order.holder >= 0 and not order.flags & HOUSE_ORDER


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


cdef void order_exposure(State* s, int32_t slot, OpenSide* exposure) noexcept nogil:
    """What the remaining lots of a resting order that may open add to its side."""
    cdef Order* order = &s.arena.orders[slot]
    cdef uint32_t instrument = s.ledger.positions[order.holder].instrument
    _exposure(&s.ledger.instruments[instrument], order, book_price(&s.books[instrument], &s.arena, slot),
              order.remaining_lots, exposure, &s.log.fault)


cdef void reserve(State* s, Order* order, int64_t price_ticks, int64_t before, int64_t after) noexcept nogil:
    """A resting order has other lots than before; what its position has in the book follows, to the unit."""
    cdef Position* p
    cdef OpenSide* side
    cdef OpenSide old, new
    cdef int32_t* fault = &s.log.fault
    if not _owned(order):
        return
    p = &s.ledger.positions[order.holder]
    side = &p.open[order.side]
    if order.flags & REDUCE_ONLY:
        side = &p.reduce
        p.reduce_side = order.side
    _exposure(&s.ledger.instruments[p.instrument], order, price_ticks, before, &old, fault)
    _exposure(&s.ledger.instruments[p.instrument], order, price_ticks, after, &new, fault)
    side.lots += after - before
    side.value_units = add(side.value_units, new.value_units - old.value_units, fault)
    side.loss_units = add(side.loss_units, new.loss_units - old.loss_units, fault)


cdef void refresh_hold(State* s, int32_t position) noexcept nogil:
    """Recomputes a position's hold after its size or its resting orders changed."""
    cdef Position* p = &s.ledger.positions[position]
    cdef Wallet* wallet = wallet_of(&s.ledger, p.account, s.ledger.instruments[p.instrument].currency)
    cdef int64_t held = hold_units(&s.ledger, p, NULL, BUY)
    wallet.hold_units = add(wallet.hold_units, held - p.hold_units, &s.log.fault)
    p.hold_units = held


# --- The life of an order ------------------------------------------------------------------------------

cdef void ticket_of_order(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Ticket* t) noexcept nogil:
    """A live order as a ticket with other terms, before anything is changed."""
    cdef Order* order = &s.arena.orders[slot]
    t.order_id = order.order_id
    t.client_id = order.client_id
    t.slot = slot
    t.holder = order.holder
    t.account = order.account
    ticket_at(s, t, order_instrument(s, slot))
    t.side = order.side
    t.flags = order.flags
    t.tif = order.tif
    t.ending = 0
    t.fee_reason = TAKER_FEE
    t.closes = False
    t.price_ticks = price_ticks
    t.limit_ticks = price_ticks
    t.open_loss_ticks = 0
    t.remaining_lots = remaining_lots
    t.size_lots = order.size_lots - order.remaining_lots + remaining_lots
    t.terms = &s.arena.terms[slot] if order.state & EXTENDED else NULL
    t.stp_mode = t.terms.stp_mode if t.terms != NULL else CANCEL_MAKER
    t.stp_group = t.terms.stp_group if t.terms != NULL else 0


cdef void reenter(State* s, Ticket* t) noexcept nogil:
    """Takes a resting order out of its queue with the ticket's terms and says REPLACED; execute comes next."""
    cdef Order* order = &s.arena.orders[t.slot]
    unlist(s, t.slot)
    order.size_lots = t.size_lots
    order.remaining_lots = t.remaining_lots
    order.open_loss_ticks = t.open_loss_ticks
    say(&s.log, REPLACED, t.side, t.account, t.instrument, 0, 0,
        <int64_t>t.order_id, t.price_ticks, t.remaining_lots, t.size_lots, 0)


cdef void extend(State* s, Ticket* t) noexcept nogil:
    """Keeps what only few orders have, and starts the clock of one that expires."""
    s.arena.orders[t.slot].state = LIVE | EXTENDED
    s.arena.terms[t.slot] = t.terms[0]
    t.terms = &s.arena.terms[t.slot]
    t.terms.timer = -1
    t.terms.trailing = -1
    if t.slot >= s.arena.terms_high_water:
        s.arena.terms_high_water = t.slot + 1
    if t.holder >= 0 and t.terms.kind != NO_TRIGGER:
        s.ledger.positions[t.holder].trigger_count += 1
    if t.terms.expiry_ns != 0:
        timers_add(&s.timers, &s.arena, t.slot)


cdef void say_terms(State* s, Terms* terms, Event* accepted) noexcept nogil:
    """The second record of ACCEPTED."""
    cdef AcceptedTerms record
    if accepted == NULL:
        return
    accepted.records = 2
    record.type = CONTINUED
    record.records = 0
    record.trigger_ticks = terms.trigger_ticks
    record.trail = terms.trail
    record.expiry_ns = terms.expiry_ns
    record.stp_group = terms.stp_group
    record.reference_ticks = terms.extreme_ticks
    record.slippage_ppb = terms.slippage_ppb
    record.hedge_side = terms.leg
    record.trigger_source = terms.source
    record.trigger_kind = terms.kind
    record.trigger_flags = terms.trigger_flags
    record.stp_mode = terms.stp_mode
    record.spare_too = 0
    memcpy(log_next(&s.log), &record, sizeof(AcceptedTerms))


cdef inline void _link(Links* links, int32_t* first, int32_t slot) noexcept nogil:
    links[slot].prev = -1
    links[slot].next = first[0]
    if first[0] >= 0:
        links[first[0]].prev = slot
    first[0] = slot


cdef inline void _unlink(Links* links, int32_t* first, int32_t slot) noexcept nogil:
    if links[slot].prev >= 0:
        links[links[slot].prev].next = links[slot].next
    else:
        first[0] = links[slot].next
    if links[slot].next >= 0:
        links[links[slot].next].prev = links[slot].prev


cdef void list_own(State* s, int32_t slot) noexcept nogil:
    """Links an order into its position's own orders: newest first, an amended one in its old place."""
    cdef Order* order = &s.arena.orders[slot]
    cdef Position* p
    if not _owned(order):
        return
    p = &s.ledger.positions[order.holder]
    _link(s.arena.own, &p.first_order, slot)
    if order.flags & REDUCE_ONLY:
        p.reduce_count += 1
        _link(s.arena.reduce, &p.first_reduce, slot)


cdef void unlink_own(State* s, int32_t slot) noexcept nogil:
    cdef Order* order = &s.arena.orders[slot]
    cdef Position* p
    if order.flags & HOUSE_ORDER:
        s.ledger.parcels[parcel_find(&s.ledger, order.holder)].order_id = 0
    if not _owned(order):
        return
    p = &s.ledger.positions[order.holder]
    _unlink(s.arena.own, &p.first_order, slot)
    if order.flags & REDUCE_ONLY:
        p.reduce_count -= 1
        _unlink(s.arena.reduce, &p.first_reduce, slot)
    if order.state & EXTENDED and s.arena.terms[slot].kind != NO_TRIGGER:
        p.trigger_count -= 1


cdef void expire(State* s) noexcept nogil:
    """Ends what has expired by the clock, first expiry first, then by order id."""
    cdef int32_t slot = timers_due(&s.timers, &s.arena, s.clock_ns)
    while slot >= 0:
        cancel(s, slot, EXPIRED)
        slot = timers_due(&s.timers, &s.arena, s.clock_ns)


cdef void observe(State* s, uint32_t instrument, int source, int64_t price_ticks) noexcept nogil:
    """A price that triggers may watch."""
    if not triggers_observe(&s.triggers[instrument], &s.arena, &s.due, source, price_ticks):
        s.log.fault = 2


cdef void cancel_all(State* s, int32_t position, uint16_t reason) noexcept nogil:
    """Ends every order of a position, newest first; none is on its way through the book."""
    while s.ledger.positions[position].first_order >= 0:
        cancel(s, s.ledger.positions[position].first_order, reason)


cdef void shrink(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil:
    """Takes lots off a resting order, which keeps its place and keeps some lots."""
    cdef Order* order = &s.arena.orders[slot]
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef Book* book = &s.books[instrument]
    reserve(s, order, book_price(book, &s.arena, slot), order.remaining_lots, order.remaining_lots - lots)
    book_shrink(book, &s.arena, slot, lots)
    order.size_lots -= lots
    if _owned(order):
        refresh_hold(s, order.holder)
    say(&s.log, REDUCED, order.side, order.account, instrument, 0, reason,
        <int64_t>order.order_id, lots, order.remaining_lots, 0, 0)


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
        slot = p.first_reduce
        while slot >= 0:
            if s.arena.orders[slot].level >= 0 and not s.arena.orders[slot].state & DORMANT:
                price = book_price(book, &s.arena, slot)
                if p.reduce_side == BUY:
                    price = -price
                if worst < 0 or price > worst_price or (
                        price == worst_price and s.arena.orders[slot].order_id > s.arena.orders[worst].order_id):
                    worst = slot
                    worst_price = price
            slot = s.arena.reduce[slot].next
        if s.arena.orders[worst].remaining_lots <= p.reduce.lots - allowed:
            cancel(s, worst, REDUCE_ONLY_CUT)
        else:
            shrink(s, worst, p.reduce.lots - allowed, REDUCE_ONLY_CUT)


# --- Fills ---------------------------------------------------------------------------------------------

cdef void _settle_user(State* s, int32_t position, int side, int64_t lots, int64_t value, uint16_t fee_reason, uint64_t order_id) noexcept nogil:
    cdef uint32_t account = s.ledger.positions[position].account
    cdef Instrument* ins = &s.ledger.instruments[s.ledger.positions[position].instrument]
    cdef int64_t fee_ppb = s.ledger.positions[position].liquidation_fee_ppb
    cdef FillTerms terms
    if fee_reason != LIQUIDATION_FEE:
        fee_ppb = fee_rate(&s.fees, &s.ledger, ins, account, fee_reason == MAKER_FEE, s.clock_ns)
    fees_add(&s.fees, &s.ledger, ins, account, value, s.clock_ns)
    terms.size_delta = lots if side == BUY else -lots
    terms.cost_delta = cost_delta(ins, side, value)
    terms.fee_units = fee_units(value, fee_ppb, &s.log.fault)
    terms.fee_reason = fee_reason
    terms.keep_margin = fee_reason == LIQUIDATION_FEE
    terms.deleveraged = 0
    terms.ref = order_id
    position_fill(&s.ledger, position, &terms)


cdef void _settle_house(State* s, int64_t parcel_id, int side, Fill* fill, int64_t value, uint64_t order_id) noexcept nogil:
    cdef int32_t index = parcel_find(&s.ledger, parcel_id)
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef bint worse = (fill.price_ticks > parcel.bankruptcy_ticks if side == BUY else fill.price_ticks < parcel.bankruptcy_ticks)
    parcel_fill(&s.ledger, index, fill.lots, cost_delta(&s.ledger.instruments[parcel.instrument], side, value),
                FILLED_BY_FUND if worse else FILLED_BY_BOOK, order_id)


cdef int64_t settle_maker(State* s, Ticket* t, Fill* fill) noexcept nogil:
    """Books a fill on whoever stands behind a resting order; it is finished there when nothing remains of it.

    Returns the fill's value, one integer for both sides: an inverse one is floored, but rounded up where the house alone
    buys.
    """
    cdef Order* maker = &s.arena.orders[fill.slot]
    cdef int32_t holder = maker.holder
    cdef bint owned = _owned(maker)
    cdef uint8_t buyer = t.flags if t.side == BUY else maker.flags
    cdef uint8_t seller = maker.flags if t.side == BUY else t.flags
    cdef int64_t value = value_of(t.ins, fill.lots, fill.price_ticks, buyer & ~seller & HOUSE_ORDER, &s.log.fault)
    reserve(s, maker, fill.price_ticks, maker.remaining_lots + fill.lots, maker.remaining_lots)
    if owned:
        _settle_user(s, holder, maker.side, fill.lots, value, MAKER_FEE, maker.order_id)
    else:
        _settle_house(s, holder, maker.side, fill, value, maker.order_id)
    if maker.remaining_lots == 0:
        finish(s, fill.slot, t.instrument, FILLED, OK)
    if owned:
        refresh_hold(s, holder)
        cut_reduce_only(s, holder)
    return value


cdef void settle_taker(State* s, Ticket* t, Fill* fill, int64_t value) noexcept nogil:
    """Books a fill on whoever stands behind an order on its way."""
    if t.flags & HOUSE_ORDER:
        _settle_house(s, t.holder, t.side, fill, value, t.order_id)
    else:
        _settle_user(s, t.holder, t.side, fill.lots, value, t.fee_reason, t.order_id)
        refresh_hold(s, t.holder)
        cut_reduce_only(s, t.holder)


cdef bint self_trade(State* s, Ticket* t, int32_t slot) noexcept nogil:
    """Two orders of one owner meet: what the taker's mode says. False when the taker has ended by it."""
    cdef Order* maker = &s.arena.orders[slot]
    cdef Order* taker = &s.arena.orders[t.slot]
    cdef int64_t lots = least(maker.remaining_lots, t.remaining_lots)
    cdef bint taker_ends = t.stp_mode == CANCEL_TAKER or t.stp_mode == CANCEL_BOTH
    if t.stp_mode == DECREMENT:
        taker_ends = lots == t.remaining_lots
        if lots < maker.remaining_lots:
            shrink(s, slot, lots, SELF_TRADE)
        else:
            cancel(s, slot, SELF_TRADE)
        if not taker_ends:
            t.remaining_lots -= lots
            t.size_lots -= lots
            taker.remaining_lots -= lots
            taker.size_lots -= lots
            say(&s.log, REDUCED, t.side, t.account, t.instrument, 0, SELF_TRADE,
                <int64_t>t.order_id, lots, t.remaining_lots, 0, 0)
    elif t.stp_mode != CANCEL_TAKER:
        cancel(s, slot, SELF_TRADE)
    if taker_ends:
        t.ending = SELF_TRADE
    return not taker_ends


cdef int64_t dry_run(State* s, Ticket* t, int64_t* reached_ticks) noexcept nogil:
    """execute without doing it: how many lots would stay unfilled, and the last price it would pay.

    Own orders are met as the ticket's self-trade mode says; reduce-only makers count only as far as they would
    survive the fills before them.
    """
    cdef Book* book = t.book
    cdef int other = 1 - t.side
    cdef int32_t level = book.side[other].best
    cdef int32_t slot, level_slot
    cdef int64_t wanted = t.remaining_lots
    cdef int64_t lots
    cdef int64_t held = 0          # of the taker's own position, what its reduce-only orders on the other side close
    cdef int64_t own_lots = 0      # those orders' lots
    cdef bint own
    cdef Order* maker
    cdef Position* p
    s.dry_run += 1
    if t.holder >= 0:
        held = magnitude(s.ledger.positions[t.holder].size_lots)
        own_lots = s.ledger.positions[t.holder].reduce.lots
    while level >= 0 and wanted > 0:
        if (book.levels[level].price_ticks > t.limit_ticks if t.side == BUY
                else book.levels[level].price_ticks < t.limit_ticks):
            break
        slot = book.levels[level].head
        while slot >= 0 and wanted > 0:
            maker = &s.arena.orders[slot]
            level_slot = slot
            slot = maker.next
            if t.stp_mode == ALLOW:
                if t.closes and maker.account == t.account:
                    continue
            elif same_owner(&s.arena, level_slot, t.account, t.stp_group):
                if t.stp_mode == CANCEL_MAKER:
                    continue
                return wanted      # the taker ends here, or loses lots that it does not trade
            lots = least(maker.remaining_lots, wanted)
            own = _owned(maker) and maker.holder == t.holder
            if own:
                # Both sides are the taker's: its position is smaller only until the taker's half is booked.
                if maker.flags & REDUCE_ONLY:
                    lots = least(lots, own_lots)
                    if lots <= 0:
                        continue
                    own_lots -= lots
                else:
                    own_lots = least(own_lots, most(0, held - lots))
            elif _owned(maker):
                p = &s.ledger.positions[maker.holder]
                if p.dry_run != s.dry_run:
                    p.dry_run = s.dry_run
                    p.dry_lots = 0
                if maker.flags & REDUCE_ONLY:
                    lots = least(lots, magnitude(p.size_lots) - p.dry_lots)
                    if lots <= 0:
                        continue
                p.dry_lots += lots
            if not own:
                held += lots
            wanted -= lots
            reached_ticks[0] = book.levels[level].price_ticks
        level = book_worse(book, other, level)
    return wanted
