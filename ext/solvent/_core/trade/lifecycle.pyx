"""The rarer half of an order's path: owners, money, terms, cutting; the contract is in lifecycle.pxd."""

from libc.stdlib cimport qsort
from libc.stdint cimport UINT64_MAX, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.trade.admission cimport Trial, bears, endangered, fit, put_back, try_on
from solvent._core.market.order_pool cimport DORMANT, DUE, EXTENDED, LIVE, Links, Order, pool_find
from solvent._core.market.book cimport Book, book_price, book_shrink
from solvent._core.market.brackets cimport brackets_mark_all, brackets_part, child_stands
from solvent._core.account.domain cimport domain_filled
from solvent._core.account.fees cimport fee_rate, fees_add, liquidation_rate
from solvent._core.account.ledger cimport (
    Fill, OpenSide, Parcel, Position, Wallet, backs, fill_effect, fill_post, position_new, touch, wallet_of,
)
from solvent._core.account.parcels cimport parcel_fill, parcel_find
from solvent._core.market.matching cimport Match
from solvent._core.market.peaks cimport hidden_lots, is_whole, peaks_add, peaks_refill, peaks_shrink
from solvent._core.base.clauses cimport (
    BOOK_5, BOOK_6, BOOK_7, BOOK_8, LIQ_4, MAR_3, MON_2, MON_3, MON_6, MON_7, MON_8, ORD_1, ORD_3, SAFE_1, SAFE_2,
    is_ceil, must,
)
from solvent._core.base.money cimport RATE, min64, magnitude, max64
from solvent._core.base.schema cimport (
    BANKRUPTCY_LIMIT, BUY, CANCEL_BOTH, CANCEL_MAKER, CANCEL_TAKER, CLOSE_POSITION, DECREMENT, FILLED, FILLED_BY_BOOK,
    FILLED_BY_FUND, HOUSE_ORDER, LIQUIDATION_FEE, MAKER_FEE, NO_TRIGGER, OK, POSITION_CLOSED, REDUCE_ONLY,
    REDUCE_ONLY_CUT, REPLACED, SELF_TRADE, SELL, TAKER_FEE, UNCOVERED, UNFILLED,
)
from solvent._core.contract.valuation cimport Instrument, cost_delta, fee_units, value_of
from solvent._core.trade.holds cimport check_bare, check_reduce, check_same, refresh_hold, reserve, reserve_and_hold
from solvent._core.trade.state cimport MEETS, Deal, FillSide, State, Ticket, has_owner, order_instrument
from solvent._core.base.emit cimport emit_reduced, emit_refilled, emit_replaced


cdef int32_t position_begin(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    """Adds a flat position with its liquidation fee rate, after positions_reserve."""
    cdef int32_t index = position_new(&s.ledger, account, instrument, leg)
    cdef Position* p = &s.ledger.positions[index]
    p.liquidation_fee_ppb = liquidation_rate(&s.fees, &s.ledger, p, s.clock_ns)
    must(p.account == account and p.instrument == instrument and p.leg == leg, MON_7, &s.log.fault)
    must(p.size_lots == 0 and p.margin_units == 0 and p.liquidation_fee_ppb >= 0, MON_3, &s.log.fault)
    return index


# --- The life of an order ------------------------------------------------------------------------------

cdef void ticket_of_order(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Ticket* t) noexcept nogil:
    """Returns a live order as a ticket with other terms, before anything is changed."""
    cdef Order* order = &s.pool.orders[slot]
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
    t.turns = False
    t.reached_ticks = 0
    t.way = MEETS
    t.price_ticks = price_ticks
    t.limit_ticks = price_ticks
    t.open_loss_ticks = 0
    t.tested.lots = 0
    t.remaining_lots = remaining_lots
    t.size_lots = order.size_lots - order.remaining_lots + remaining_lots
    must(order.state & LIVE and 0 <= order.remaining_lots <= order.size_lots, BOOK_6, &s.log.fault)
    must(t.size_lots - t.remaining_lots == order.size_lots - order.remaining_lots, ORD_3, &s.log.fault)
    t.terms = &s.pool.terms[slot] if order.state & EXTENDED else NULL
    t.stp_mode = t.terms.stp_mode if t.terms != NULL else CANCEL_MAKER
    t.stp_group = t.terms.stp_group if t.terms != NULL else 0


cdef void requeue(State* s, Ticket* t) noexcept nogil:
    """Takes a resting order out of its queue with the ticket's terms and emits REPLACED; execute comes next."""
    cdef Order* order = &s.pool.orders[t.slot]
    leave_book(s, t.slot)
    order.size_lots = t.size_lots
    order.remaining_lots = t.remaining_lots
    order.open_loss_ticks = t.open_loss_ticks
    must(0 < order.remaining_lots <= order.size_lots, BOOK_6, &s.log.fault)
    must(order.order_id == t.order_id and order.account == t.account, ORD_1, &s.log.fault)
    replaced_event(s, t)


cdef void replaced_event(State* s, Ticket* t) noexcept nogil:
    emit_replaced(
        &s.log, side=t.side, account=t.account, instrument=t.instrument, order_id=t.order_id,
        price_ticks=t.price_ticks, remaining_lots=t.remaining_lots, size_lots=t.size_lots)


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


cdef void link_to_position(State* s, int32_t slot) noexcept nogil:
    """Links an order into its position's own orders: the newest first, an amended one in its old place."""
    cdef Order* order = &s.pool.orders[slot]
    cdef Position* p
    if not has_owner(order):
        return
    p = &s.ledger.positions[order.holder]
    p.order_count += 1
    _link(s.pool.own, &p.first_order, slot)
    if order.flags & REDUCE_ONLY:
        p.reduce_count += 1
        _link(s.pool.reduce, &p.first_reduce, slot)
        must(p.first_reduce == slot and p.reduce_count > 0, BOOK_5, &s.log.fault)
    must(p.first_order == slot and p.account == order.account, BOOK_5, &s.log.fault)


cdef void unlink_own(State* s, int32_t slot) noexcept nogil:
    cdef Order* order = &s.pool.orders[slot]
    cdef Position* p
    if order.flags & HOUSE_ORDER:
        s.ledger.parcels[parcel_find(&s.ledger, order.holder)].order_id = 0
    if not has_owner(order):
        return
    p = &s.ledger.positions[order.holder]
    p.order_count -= 1
    _unlink(s.pool.own, &p.first_order, slot)
    if order.flags & REDUCE_ONLY:
        p.reduce_count -= 1
        _unlink(s.pool.reduce, &p.first_reduce, slot)
        must((p.reduce_count == 0) == (p.first_reduce < 0), BOOK_5, &s.log.fault)
    if order.state & EXTENDED and (s.pool.terms[slot].kind != NO_TRIGGER or (s.pool.terms[slot].bracket and order.flags & REDUCE_ONLY)):
        p.trigger_count -= 1
    if (order.state & EXTENDED or order.flags & REDUCE_ONLY) and s.brackets.count > 0:
        brackets_part(&s.brackets, &s.pool, slot, p.first_reduce)
    must(p.first_order != slot and p.first_reduce != slot and p.account == order.account, BOOK_5, &s.log.fault)
    must((p.trigger_count | p.reduce_count) >= 0, BOOK_5, &s.log.fault)


cdef void cancel_all(State* s, int32_t position, uint16_t reason) noexcept nogil:
    """Ends every order of a position, newest first; none of them is being executed."""
    while s.ledger.positions[position].first_order >= 0:
        cancel(s, s.ledger.positions[position].first_order, reason)
    check_bare(s, &s.ledger.positions[position])


cdef void shrink(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil:
    """Takes lots off a resting order, which keeps its place and at least one lot."""
    cdef Order* order = &s.pool.orders[slot]
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef Book* book = &s.books[instrument]
    cdef int64_t filled = order.size_lots - order.remaining_lots
    must(0 < lots < order.remaining_lots, BOOK_6, &s.log.fault)
    if has_owner(order):
        reserve_and_hold(s, order, book_price(book, &s.pool, slot), order.remaining_lots, order.remaining_lots - lots, NULL)
    if order.flags & SHAPED_ORDER:
        peaks_shrink(book, &s.pool, slot, lots)
    else:
        book_shrink(book, &s.pool, slot, lots)
    order.size_lots -= lots
    must(order.size_lots - order.remaining_lots == filled and order.remaining_lots > 0, ORD_3, &s.log.fault)
    emit_reduced(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id, cut_lots=lots,
        remaining_lots=order.remaining_lots, ending=reason)


cdef inline bint _cut_first(int side, int64_t price_ticks, uint64_t order_id, int64_t other_ticks, uint64_t other_id) noexcept nogil:
    """True if the first of two reduce-only orders of a side is cut first: at the worse price, else the newer one."""
    if price_ticks == other_ticks:
        return order_id > other_id
    return price_ticks > other_ticks if side == SELL else price_ticks < other_ticks


cdef inline bint _rests(State* s, int32_t slot) noexcept nogil:
    """True if an order is in the book and has lots there (in a preview it may have none left)."""
    cdef Order* order = &s.pool.orders[slot]
    return order.level >= 0 and order.remaining_lots > 0 and not order.state & DORMANT


cdef int64_t reduced_before(State* s, Ticket* t, Position* p) noexcept nogil:
    """Returns the lots of resting reduce-only orders that would be cut after this ticket if it rested."""
    cdef uint64_t order_id = t.order_id if t.order_id != 0 else UINT64_MAX
    cdef int32_t slot = p.first_reduce if p.reduce.lots > 0 else -1
    cdef int64_t lots = 0
    while slot >= 0:
        if _rests(s, slot) and s.pool.orders[slot].order_id != order_id and _cut_first(
                t.side, t.price_ticks, order_id, book_price(t.book, &s.pool, slot), s.pool.orders[slot].order_id):
            lots += s.pool.orders[slot].remaining_lots
        slot = s.pool.reduce[slot].next
    must(0 <= lots <= p.reduce.lots, BOOK_7, &s.log.fault)
    must(p.account == t.account, BOOK_5, &s.log.fault)
    return lots


cdef int _by_place(const void* one, const void* other) noexcept nogil:
    cdef const Cut* first = <const Cut*>one
    cdef const Cut* second = <const Cut*>other
    if first.place != second.place:
        return -1 if first.place > second.place else 1
    return -1 if first.order_id > second.order_id else 1


cdef void cuts_begin(State* s, int32_t position, Cuts* cuts) noexcept nogil:
    """Finds the excess of a position's resting reduce-only orders, and the order in which they are cut: O(n log n)."""
    cdef Position* p = &s.ledger.positions[position]
    cdef Book* book = &s.books[p.instrument]
    cdef int32_t slot = p.first_reduce
    cdef int64_t price_ticks
    cuts.excess_lots = p.reduce.lots - closing_lots(p, p.reduce_side) if p.reduce.lots > 0 else 0
    cuts.count = cuts.next = 0
    must(cuts.excess_lots <= p.reduce.lots, BOOK_7, &s.log.fault)
    must(p.reduce.lots == 0 or p.reduce_count > 0, BOOK_5, &s.log.fault)
    while cuts.excess_lots > 0 and slot >= 0:
        if _rests(s, slot):
            if cuts.count == REDUCE_ONLY_MAX:
                must(False, BOOK_5, &s.log.fault)
                return
            price_ticks = book_price(book, &s.pool, slot)
            cuts.items[cuts.count].place = price_ticks if p.reduce_side == SELL else -price_ticks
            cuts.items[cuts.count].order_id, cuts.items[cuts.count].slot = s.pool.orders[slot].order_id, slot
            cuts.count += 1
        slot = s.pool.reduce[slot].next
    if cuts.count > 1:
        qsort(cuts.items, cuts.count, sizeof(Cut), &_by_place)


cdef int32_t next_cut(State* s, Cuts* cuts, int64_t* lots) noexcept nogil:
    """Returns the order that is cut next, and how many of its lots; -1: none."""
    cdef int32_t slot
    if cuts.excess_lots <= 0 or cuts.next == cuts.count:
        must(cuts.excess_lots <= 0, BOOK_7, &s.log.fault)
        return -1
    slot = cuts.items[cuts.next].slot
    cuts.next += 1
    lots[0] = min64(cuts.excess_lots, s.pool.orders[slot].remaining_lots)
    cuts.excess_lots -= lots[0]
    must(lots[0] > 0 and s.pool.orders[slot].flags & REDUCE_ONLY, BOOK_7, &s.log.fault)
    must(s.pool.orders[slot].order_id == cuts.items[cuts.next - 1].order_id, ORD_3, &s.log.fault)
    return slot


cdef void cut_reduce_only(State* s, int32_t position) noexcept nogil:
    """Cuts reduce-only orders to the position's size: the worst price first, then the newest."""
    cdef int64_t lots
    cdef int32_t worst
    cdef Cuts cuts
    if s.ledger.positions[position].reduce.lots > 0:
        cuts_begin(s, position, &cuts)
        worst = next_cut(s, &cuts, &lots)
        while worst >= 0:
            if s.pool.orders[worst].remaining_lots == lots:
                cancel(s, worst, REDUCE_ONLY_CUT)
            else:
                shrink(s, worst, lots, REDUCE_ONLY_CUT)
            worst = next_cut(s, &cuts, &lots)
    check_reduce(s, &s.ledger.positions[position])


cdef void _end_with(State* s, int32_t position, int side) noexcept nogil:
    """Ends the close-position orders, and children that stand for lots, of a closed or turned position, newest first."""
    cdef int32_t slot = s.ledger.positions[position].first_reduce
    cdef int32_t next
    while slot >= 0:
        next = s.pool.reduce[slot].next
        if s.pool.orders[slot].state & (DORMANT | DUE) and s.pool.orders[slot].side == side and (
                s.pool.orders[slot].flags & CLOSE_POSITION or child_stands(&s.brackets, &s.pool, slot)):
            cancel(s, slot, POSITION_CLOSED)
        slot = next

# --- Fills ---------------------------------------------------------------------------------------------

cdef void fill_side(State* s, int32_t position, int side, int64_t lots, int64_t value, uint16_t fee_reason, uint64_t order_id,
                    FillSide* half) noexcept nogil:
    """Finds the fill and its effect on one position."""
    cdef uint32_t account = s.ledger.positions[position].account
    cdef Instrument* ins = &s.ledger.instruments[s.ledger.positions[position].instrument]
    cdef int64_t fee_ppb = s.ledger.positions[position].liquidation_fee_ppb
    cdef Fill* terms = &half.terms
    if fee_reason != LIQUIDATION_FEE:
        fee_ppb = fee_rate(&s.fees, &s.ledger, ins, account, fee_reason == MAKER_FEE, s.clock_ns)
    terms.size_delta = lots if side == BUY else -lots
    terms.cost_delta = cost_delta(ins, side, value)
    terms.fee_units = fee_units(value, fee_ppb, &s.log.fault)
    terms.fee_reason = fee_reason
    terms.keep_margin = fee_reason == LIQUIDATION_FEE
    terms.deleveraged = 0
    terms.ref = order_id
    must((lots > 0) & (value >= 0) & (magnitude(terms.cost_delta) == value), MON_3, &s.log.fault)
    must(is_ceil(terms.fee_units, value, fee_ppb, RATE), MON_6, &s.log.fault)
    fill_effect(&s.ledger, position, terms, &half.effect)
    fit(&s.ledger, &s.rules, position, &half.effect)


cdef void fill_at_limit(State* s, Ticket* t, int64_t lots, FillSide* half) noexcept nogil:
    """Finds the worst fill of `lots` that the order's own limit allows, at the base taker fee, as in every hold. Nothing is
    assigned yet."""
    cdef int64_t value = value_of(t.ins, lots, max64(1, t.limit_ticks), False, &s.log.fault)
    cdef Fill* terms = &half.terms
    terms.size_delta = lots if t.side == BUY else -lots
    terms.cost_delta = cost_delta(t.ins, t.side, value)
    terms.fee_units = fee_units(value, t.ins.taker_fee_ppb, &s.log.fault)
    terms.fee_reason = TAKER_FEE
    terms.keep_margin = 0
    terms.deleveraged = 0
    terms.ref = 0
    must(lots > 0 and magnitude(terms.cost_delta) == value, MON_3, &s.log.fault)
    must(is_ceil(terms.fee_units, value, t.ins.taker_fee_ppb, RATE), MON_6, &s.log.fault)
    fill_effect(&s.ledger, t.holder, terms, &half.effect)


cdef inline int64_t _value(State* s, Ticket* t, Match* fill) noexcept nogil:
    """Returns one value for both sides. An inverse value is rounded down, or up where only the house buys."""
    cdef uint8_t maker = s.pool.orders[fill.slot].flags
    cdef uint8_t buyer = t.flags if t.side == BUY else maker
    cdef uint8_t seller = maker if t.side == BUY else t.flags
    return value_of(t.ins, fill.lots, fill.price_ticks, buyer & ~seller & HOUSE_ORDER, &s.log.fault)


cdef bint _maker_bears(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil:
    """True if a maker's owner bears a fill; its lots do not rest during the test, where resting orders count."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef bint counts = s.ledger.orders_count or s.ledger.collateral_count
    cdef OpenSide* side = &s.ledger.positions[maker.holder].open[maker.side]
    cdef OpenSide before = side[0]
    cdef bint borne
    deal.value_units = _value(s, t, fill)
    fill_side(s, maker.holder, maker.side, fill.lots, deal.value_units, MAKER_FEE, maker.order_id, &deal.maker)
    counts = counts or deal.maker.effect.tight
    if counts:
        reserve(s, maker, fill.price_ticks, maker.remaining_lots, maker.remaining_lots - fill.lots)
    if deal.maker.effect.tight:
        fill_side(s, maker.holder, maker.side, fill.lots, deal.value_units, MAKER_FEE, maker.order_id, &deal.maker)
    borne = bears(&s.ledger, &s.rules, maker.holder, &deal.maker.terms, &deal.maker.effect, fill.price_ticks, &deal.maker.safe)
    if counts:
        reserve(s, maker, fill.price_ticks, maker.remaining_lots - fill.lots, maker.remaining_lots)
    must((side.lots == before.lots) & (side.value_units == before.value_units) & (side.loss_units == before.loss_units), MON_8,
         &s.log.fault)
    return borne


cdef bint _taker_bears(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil:
    """True if the taker bears a fill, after the maker's half where both have one account."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef bint own = has_owner(maker) and maker.account == t.account
    cdef Trial before
    cdef Position held
    cdef bint borne
    if own:
        held = s.ledger.positions[t.holder]
        reserve(s, maker, fill.price_ticks, maker.remaining_lots, maker.remaining_lots - fill.lots)
        fill_side(s, maker.holder, maker.side, fill.lots, deal.value_units, MAKER_FEE, maker.order_id, &deal.maker)
        try_on(&s.ledger, maker.holder, &deal.maker.effect, True, &before)
    fill_side(s, t.holder, t.side, fill.lots, deal.value_units, t.fee_reason, t.order_id, &deal.taker)
    borne = bears(&s.ledger, &s.rules, t.holder, &deal.taker.terms, &deal.taker.effect, 0, &deal.taker.safe)
    if own:
        put_back(&s.ledger, maker.holder, &before)
        reserve(s, maker, fill.price_ticks, maker.remaining_lots - fill.lots, maker.remaining_lots)
        check_same(s, &s.ledger.positions[t.holder], &held)
    return borne


cdef int64_t borne_by_maker(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil:
    """Returns the lots of a fill that the maker's owner bears: all, or those that close, or none."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef int64_t closing
    if not has_owner(maker):
        deal.value_units = _value(s, t, fill)
        return fill.lots
    if _maker_bears(s, t, fill, deal):
        return fill.lots
    closing = closing_lots(&s.ledger.positions[maker.holder], maker.side)
    must(closing >= 0, BOOK_6, &s.log.fault)
    fill.lots = closing if closing < fill.lots else 0
    return fill.lots if fill.lots > 0 and _maker_bears(s, t, fill, deal) else 0


cdef int64_t borne_by_taker(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil:
    """Returns the lots of a fill that the taker bears. Its earlier checks leave only roundings and jumps of tiers to find."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef int64_t closing
    deal.taker_ends = False
    if t.flags & HOUSE_ORDER or _taker_bears(s, t, fill, deal):
        return fill.lots
    closing = closing_lots(&s.ledger.positions[t.holder], t.side)
    deal.taker_ends = True
    deal.ending = UNCOVERED
    must((closing >= 0) & (fill.lots <= t.remaining_lots), BOOK_6, &s.log.fault)
    fill.lots = closing if closing < fill.lots else 0
    deal.value_units = _value(s, t, fill)
    if fill.lots == 0 or not _taker_bears(s, t, fill, deal):
        deal.ending = BANKRUPTCY_LIMIT if closing > 0 else UNCOVERED
        return 0
    if has_owner(maker):
        reserve(s, maker, fill.price_ticks, maker.remaining_lots, maker.remaining_lots - fill.lots)
        fill_side(s, maker.holder, maker.side, fill.lots, deal.value_units, MAKER_FEE, maker.order_id, &deal.maker)
        reserve(s, maker, fill.price_ticks, maker.remaining_lots - fill.lots, maker.remaining_lots)
        deal.maker.safe = False
    return fill.lots


cdef int64_t limit_now(State* s, Ticket* t) noexcept nogil:
    """Returns the present limit of an order; one that turns its position stays at the closing price until it is closed."""
    return t.closing_ticks if closing_lots(&s.ledger.positions[t.holder], t.side) > 0 else t.limit_ticks


cdef void end_closing(State* s, Ticket* t) noexcept nogil:
    """Ends the rest of an order that could not close its position."""
    if (t.remaining_lots > 0 and closing_lots(&s.ledger.positions[t.holder], t.side) > 0
            and (t.ending == 0 or t.ending == UNFILLED)):
        t.ending = BANKRUPTCY_LIMIT


cdef bint admit_fill(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil:
    """Sets how many lots both sides bear. The lots that the maker's owner does not bear, and those behind, end UNCOVERED
    before it trades. Returns False when none of its lots is left, and the next order takes its place."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef int64_t wanted = fill.lots
    fill.lots = borne_by_maker(s, t, fill, deal)
    if fill.lots < wanted and is_whole(&s.pool, fill.slot):
        fill.lots = 0
    if fill.lots == 0:
        cancel(s, fill.slot, UNCOVERED)
        return False
    if fill.lots < wanted:
        shrink(s, fill.slot, maker.remaining_lots - fill.lots, UNCOVERED)
    must((0 < fill.lots) & (fill.lots <= wanted) & (fill.lots <= maker.remaining_lots), BOOK_6, &s.log.fault)
    fill.lots = borne_by_taker(s, t, fill, deal)
    if fill.lots < maker.remaining_lots and is_whole(&s.pool, fill.slot):
        fill.lots = 0
        if deal.taker_ends and closing_lots(&s.ledger.positions[t.holder], t.side) > 0:
            deal.ending = BANKRUPTCY_LIMIT
    must((0 <= fill.lots) & (fill.lots <= wanted) & (fill.lots <= t.remaining_lots), BOOK_6, &s.log.fault)
    must((fill.lots > 0) | deal.taker_ends, SAFE_2, &s.log.fault)
    return True


cdef inline bint _safe(State* s, int32_t position) noexcept nogil:
    """True unless the domain of a cross position is known to be below R_own."""
    cdef Position* p = &s.ledger.positions[position]
    cdef Wallet* wallet = wallet_of(&s.ledger, p.account, s.ledger.instruments[p.instrument].currency)
    return p.mode or wallet.known_at != s.ledger.moves or wallet.slack_units + wallet.cash_units >= 0


cdef void book_user(State* s, int32_t position, FillSide* half) noexcept nogil:
    cdef uint32_t account = s.ledger.positions[position].account
    must((half.effect.shortfall_units == 0) & ((half.effect.margin_units >= 0) | (half.effect.size_lots != 0)), SAFE_2, &s.log.fault)
    fees_add(&s.fees, &s.ledger, &s.ledger.instruments[s.ledger.positions[position].instrument], account,
             magnitude(half.terms.cost_delta), s.clock_ns)
    fill_post(&s.ledger, position, &half.terms, &half.effect)
    domain_filled(&s.ledger, position, &half.effect)
    if not half.safe:
        touch(&s.ledger, account)
    else:
        must(_safe(s, position), SAFE_2, &s.log.fault)


cdef void book_house(State* s, int64_t parcel_id, int side, Match* fill, int64_t value, uint64_t order_id) noexcept nogil:
    cdef int32_t index = parcel_find(&s.ledger, parcel_id)
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef bint worse = (fill.price_ticks > parcel.bankruptcy_ticks if side == BUY else fill.price_ticks < parcel.bankruptcy_ticks)
    must(parcel.parcel_id == parcel_id and (parcel.size_lots > 0) == (side == SELL), LIQ_4, &s.log.fault)
    must(not worse or s.may_cost_others, SAFE_1, &s.log.fault)
    parcel_fill(&s.ledger, index, fill.lots, cost_delta(&s.ledger.instruments[parcel.instrument], side, value),
                FILLED_BY_FUND if worse else FILLED_BY_BOOK, order_id)


cdef void after_fill(State* s, int32_t position, int64_t held_lots) noexcept nogil:
    """Refreshes the orders of a fill's owner. held_lots: the position's size before the fill."""
    cdef Position* p = &s.ledger.positions[position]
    refresh_hold(s, position)
    cut_reduce_only(s, position)
    if p.trigger_count > 0:
        if held_lots != 0 and (p.size_lots == 0 or (p.size_lots > 0) != (held_lots > 0)):
            _end_with(s, position, SELL if held_lots > 0 else BUY)
        if s.brackets.count > 0:
            brackets_mark_all(&s.brackets, &s.pool, p.first_reduce)
    check_reduce(s, p)
    must(p.size_lots != 0 or (p.margin_units == 0 and p.cost_units == 0), MAR_3, &s.log.fault)


cdef void book_fill(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil:
    """Books a fill on the owner of the resting order, finishes that order when no lots remain, and books it on the taker."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef int32_t holder = maker.holder
    cdef bint owned = has_owner(maker)
    cdef bint same = owned and maker.account == t.account        # both sides of one account
    cdef bint own = owned and holder == t.holder and not t.flags & HOUSE_ORDER      # both sides of one position
    cdef int64_t held = s.ledger.positions[holder].size_lots if owned else 0
    must((fill.lots > 0) & (maker.remaining_lots >= 0) & (maker.side != t.side), BOOK_6, &s.log.fault)
    must(deal.value_units == _value(s, t, fill), BOOK_8, &s.log.fault)
    reserve(s, maker, fill.price_ticks, maker.remaining_lots + fill.lots, maker.remaining_lots)
    if owned:
        book_user(s, holder, &deal.maker)
        must(s.ledger.positions[holder].size_lots == held + (fill.lots if maker.side == BUY else -fill.lots), MON_2, &s.log.fault)
    else:
        book_house(s, holder, maker.side, fill, deal.value_units, maker.order_id)
    if maker.remaining_lots == 0:
        finish(s, fill.slot, t.instrument, FILLED, OK)
    if own:                     # the taker's half comes first
        refresh_hold(s, holder)
    elif owned:
        after_fill(s, holder, held)
    if t.flags & HOUSE_ORDER:
        book_house(s, t.holder, t.side, fill, deal.value_units, t.order_id)
        return
    if same:
        fill_side(s, t.holder, t.side, fill.lots, deal.value_units, t.fee_reason, t.order_id, &deal.taker)
    if not own:
        held = s.ledger.positions[t.holder].size_lots
    must(not owned or (deal.maker.terms.size_delta == -deal.taker.terms.size_delta)
         & (deal.maker.terms.cost_delta == -deal.taker.terms.cost_delta), MON_3, &s.log.fault)
    book_user(s, t.holder, &deal.taker)
    must(own or s.ledger.positions[t.holder].size_lots == held + (fill.lots if t.side == BUY else -fill.lots), MON_2, &s.log.fault)
    after_fill(s, t.holder, held)


cdef void execute_with_care(State* s, Ticket* t) noexcept nogil:
    """Trades up to the limit in a book with orders that do not show all of their lots."""
    execute_with(s, t, True)


cdef void rest_shaped(State* s, int32_t slot, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    """Puts a shaped order into the book, and tells how many of its lots nobody sees."""
    cdef Order* order = &s.pool.orders[slot]
    must(order.flags & SHAPED_ORDER and order.level < 0 and order.remaining_lots > 0, BOOK_5, &s.log.fault)
    peaks_add(&s.books[instrument], &s.pool, slot, order.side, price_ticks)
    must(0 <= hidden_lots(&s.pool, slot) <= order.remaining_lots, BOOK_6, &s.log.fault)
    emit_rested(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id,
        price_ticks=price_ticks, remaining_lots=order.remaining_lots, hidden_lots=hidden_lots(&s.pool, slot))


cdef void refill(State* s, uint32_t instrument, int32_t slot, int64_t price_ticks) noexcept nogil:
    """Fills up the peak of an iceberg that is used up, behind all others at its price, and tells it."""
    cdef Order* order = &s.pool.orders[slot]
    must(order.state & LIVE and order.level >= 0 and order.remaining_lots > 0, BOOK_5, &s.log.fault)
    peaks_refill(&s.books[instrument], &s.pool, slot, order.side, price_ticks)
    must(order.remaining_lots > hidden_lots(&s.pool, slot), BOOK_6, &s.log.fault)
    emit_refilled(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id, price_ticks=price_ticks,
        shown_lots=order.remaining_lots - hidden_lots(&s.pool, slot), hidden_lots=hidden_lots(&s.pool, slot))


cdef bint self_trade(State* s, Ticket* t, int32_t slot) noexcept nogil:
    """Prevents a self-trade by the taker's mode. Returns False if the taker has ended."""
    cdef Order* maker = &s.pool.orders[slot]
    cdef Order* taker = &s.pool.orders[t.slot]
    cdef int64_t lots = min64(maker.remaining_lots, t.remaining_lots)
    cdef int64_t filled = taker.size_lots - taker.remaining_lots
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
            emit_reduced(
                &s.log, side=t.side, account=t.account, instrument=t.instrument, order_id=t.order_id, cut_lots=lots,
                remaining_lots=t.remaining_lots, ending=SELF_TRADE)
    elif t.stp_mode != CANCEL_TAKER:
        cancel(s, slot, SELF_TRADE)
    if taker_ends:
        t.ending = SELF_TRADE
    must(lots > 0 and taker.remaining_lots == t.remaining_lots and t.remaining_lots > 0, BOOK_6, &s.log.fault)
    must(taker.size_lots - taker.remaining_lots == filled, ORD_3, &s.log.fault)
    return not taker_ends


cdef void look_at_rest(State* s, Ticket* t) noexcept nogil:
    """Tests an order that came to rest: its hold may be needed by another currency, and it may count in the ratio test."""
    if not s.ledger.orders_count and backs(&s.ledger, t.ins.currency) == NULL:
        return
    if pool_find(&s.pool, t.order_id) >= 0 and endangered(&s.ledger, &s.rules, t.account, t.ins.currency):
        cancel(s, t.slot, UNCOVERED)
    touch(&s.ledger, t.account)
