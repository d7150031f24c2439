"""The uncross; the contract is in uncross.pxd, the readable twin in twin/trade/uncross.py."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset
from solvent._core.base.clauses cimport BOOK_6, BOOK_8, MON_2, MON_8, ORD_3, ORD_4, must
from solvent._core.base.emit cimport emit_listing_changed, emit_trade, emit_uncrossed
from solvent._core.base.money cimport magnitude, min64
from solvent._core.base.pool cimport room, taken
from solvent._core.base.schema cimport (
    BUY, BY_LAST, FILLED, HOUSE_ORDER, MAKER_FEE, NOT_IN_CALL, OK, REDUCE_ONLY, REDUCE_ONLY_CUT, SELL, SHAPED_ORDER, TAKER_FEE, UNCOVERED,
)
from solvent._core.contract.valuation cimport Instrument, call_reference, in_call, value_of
from solvent._core.market.book cimport Book, book_price, book_remove, book_shrink, book_worse
from solvent._core.market.call_price cimport CallPrice, call_price, is_crossed
from solvent._core.market.matching cimport Match
from solvent._core.market.order_pool cimport DORMANT, DUE, EXTENDED, LIVE, PARKED, Order, pool_find
from solvent._core.market.peaks cimport gathers, is_pegged, offered_lots, peak_used_up, peaks_remove
from solvent._core.market.triggers cimport Triggers
from solvent._core.trade.admission cimport Trial, bears, put_back, try_on
from solvent._core.trade.extended cimport park
from solvent._core.trade.holds cimport refresh_hold, reserve
from solvent._core.trade.lifecycle cimport (
    after_fill, book_house, book_user, cancel, closing_lots, fill_side, finish, leave_book, refill, shrink,
)
from solvent._core.trade.watching cimport observe
from solvent._core.trade.state cimport FillSide, State, has_owner, order_instrument

cdef struct Counted:           # an order that was tried as if it were filled at its own limit
    uint64_t order_id
    int64_t price_ticks
    int64_t tried_lots         # left on the rows until the whole side is looked at
    int64_t cut_lots           # that do not count
    int32_t slot
    uint16_t reason
    Trial before

cdef struct Tally:
    Counted* items
    int32_t count
    int32_t capacity


# --- States and prices ---------------------------------------------------------------------------------

cdef void _say(State* s, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    emit_listing_changed(
        &s.log, instrument=instrument, listing=ins.listing, price_ticks=price_ticks, ends_ns=ins.ends_ns,
        extensions=ins.extensions, then_listing=ins.then_listing)


cdef int _by_id(const void* left, const void* right) noexcept nogil:
    return -1 if (<uint64_t*>left)[0] < (<uint64_t*>right)[0] else 1


cdef inline bint _all_gather(Book* book) noexcept nogil:
    """True if no order of a book is hidden or trades whole."""
    return book.wholes == 0 and (book.dark == NULL or (book.dark.side[BUY].best < 0 and book.dark.side[SELL].best < 0))


cdef void end_unseen(State* s, uint32_t instrument) noexcept nogil:
    """Ends resting orders that are hidden or trade whole, the oldest first: an uncross has none."""
    cdef int32_t most = s.books[instrument].careful
    cdef int32_t count = 0
    cdef int32_t slot, i
    cdef uint64_t* found
    if most == 0:
        return
    found = <uint64_t*>taken(<size_t>most * sizeof(uint64_t))
    if found == NULL:
        s.log.fault = 2
        return
    for slot in range(s.pool.high_water):
        if s.pool.orders[slot].state & (LIVE | EXTENDED | DORMANT | DUE) != LIVE | EXTENDED or s.pool.orders[slot].level < 0:
            continue
        if order_instrument(s, slot) == instrument and not gathers(&s.pool.terms[slot]) and count < most:
            found[count] = s.pool.orders[slot].order_id
            count += 1
    qsort(found, count, sizeof(uint64_t), &_by_id)
    for i in range(count):
        cancel(s, pool_find(&s.pool, found[i]), NOT_IN_CALL)
    free(found)
    must(_all_gather(&s.books[instrument]) and s.books[instrument].careful == most - count, ORD_3, &s.log.fault)


cdef void park_pegs(State* s, uint32_t instrument) noexcept nogil:
    """Parks the pegged orders of an instrument, the oldest first; they have prices again once trading is continuous."""
    cdef Triggers* triggers = &s.triggers[instrument]
    cdef int32_t i, slot
    for i in range(triggers.pegged_count):
        slot = pool_find(&s.pool, triggers.pegged[i])
        must(slot >= 0 and is_pegged(&s.pool, slot), ORD_3, &s.log.fault)
        if not s.pool.orders[slot].state & PARKED:
            leave_book(s, slot)
            park(s, slot, instrument)
    triggers.seen[0] = -1
    must(triggers.pegged_count >= 0, ORD_3, &s.log.fault)


cdef void enter_state(State* s, uint32_t instrument, uint8_t listing, int64_t price_ticks, int64_t ends_ns, uint8_t then) noexcept nogil:
    """Writes down the state of a market, and says so."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    s.calls -= in_call(ins)
    ins.listing = listing
    ins.ends_ns = ends_ns
    ins.then_listing = then
    ins.extensions = 0
    s.calls += in_call(ins)
    if not in_call(ins):
        memset(&ins.told, 0, sizeof(CallPrice))
    must(s.calls >= 0 and (ends_ns == 0 or ends_ns > s.clock_ns), ORD_4, &s.log.fault)
    _say(s, instrument, price_ticks)


cdef void extend_call(State* s, uint32_t instrument) noexcept nogil:
    """Lets a call go on whose price is out of range."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    ins.ends_ns += ins.calls.extension_ns
    ins.extensions += 1
    must(ins.extensions <= ins.calls.most_extensions, ORD_4, &s.log.fault)
    _say(s, instrument, 0)


cdef void price_now(State* s, uint32_t instrument, CallPrice* found) noexcept nogil:
    """Finds the price of an uncross now, of all orders."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    call_price(&s.books[instrument], &s.pool, call_reference(ins), ins.calls.tie, found)


cdef inline uint16_t _fee(Instrument* ins) noexcept nogil:
    """Returns the fee that both sides of an uncross pay."""
    return MAKER_FEE if ins.calls.maker_fees else TAKER_FEE


# --- What counts ---------------------------------------------------------------------------------------

cdef bint _bears(State* s, int32_t slot, int64_t price_ticks, int64_t lots, FillSide* half) noexcept nogil:
    """True if the owner of a resting order bears a fill at a price. The lots do not rest during the test."""
    cdef Order* order = &s.pool.orders[slot]
    cdef uint32_t instrument = s.ledger.positions[order.holder].instrument
    cdef int64_t limit = book_price(&s.books[instrument], &s.pool, slot)
    cdef int64_t value = value_of(&s.ledger.instruments[instrument], lots, price_ticks, False, &s.log.fault)
    cdef int64_t held = s.ledger.positions[order.holder].open[order.side].lots
    cdef bint borne
    reserve(s, order, limit, order.remaining_lots, order.remaining_lots - lots)
    fill_side(s, order.holder, order.side, lots, value, _fee(&s.ledger.instruments[instrument]), order.order_id, half)
    borne = bears(&s.ledger, &s.rules, order.holder, &half.terms, &half.effect, price_ticks, &half.safe)
    reserve(s, order, limit, order.remaining_lots - lots, order.remaining_lots)
    must(s.ledger.positions[order.holder].open[order.side].lots == held, MON_8, &s.log.fault)
    return borne


cdef int64_t _borne(State* s, int32_t slot, int64_t price_ticks, int64_t lots, FillSide* half) noexcept nogil:
    """Returns how many of `lots` the owner bears at a price: all, or those that close, or none."""
    cdef Order* order = &s.pool.orders[slot]
    cdef int64_t closing = closing_lots(&s.ledger.positions[order.holder], order.side)
    must(0 <= lots <= order.remaining_lots and closing >= 0, BOOK_6, &s.log.fault)
    if lots == 0 or _bears(s, slot, price_ticks, lots, half):
        return lots
    return closing if 0 < closing < lots and _bears(s, slot, price_ticks, closing, half) else 0


cdef void _try(State* s, int32_t slot, int64_t limit_ticks, int64_t lots, FillSide* half, Trial* before) noexcept nogil:
    """Leaves a fill of a resting order on the rows."""
    cdef Order* order = &s.pool.orders[slot]
    must(0 < lots <= order.remaining_lots and magnitude(half.terms.size_delta) == lots, BOOK_6, &s.log.fault)
    reserve(s, order, limit_ticks, order.remaining_lots, order.remaining_lots - lots)
    try_on(&s.ledger, order.holder, &half.effect, True, before)


cdef void _untry(State* s, int32_t slot, int64_t limit_ticks, int64_t lots, Trial* before) noexcept nogil:
    cdef Order* order = &s.pool.orders[slot]
    put_back(&s.ledger, order.holder, before)
    must(s.ledger.positions[order.holder].size_lots == before.size_lots, MON_2, &s.log.fault)
    reserve(s, order, limit_ticks, order.remaining_lots - lots, order.remaining_lots)


cdef void _count(State* s, Tally* tally, int32_t slot, int64_t price_ticks) noexcept nogil:
    """Tries a user's order at its own limit behind the better ones of its side, and notes what does not count."""
    cdef Order* order = &s.pool.orders[slot]
    cdef int64_t lots = order.remaining_lots
    cdef int64_t borne
    cdef Counted* each
    cdef FillSide half
    if not room(<void**>&tally.items, tally.count, &tally.capacity, sizeof(Counted)):
        s.log.fault = 2
        return
    each = &tally.items[tally.count]
    tally.count += 1
    if order.flags & REDUCE_ONLY:
        lots = min64(lots, closing_lots(&s.ledger.positions[order.holder], order.side))
    each.reason = REDUCE_ONLY_CUT if lots < order.remaining_lots else UNCOVERED
    borne = _borne(s, slot, price_ticks, lots, &half)
    each.reason = each.reason if borne == lots else UNCOVERED
    each.order_id, each.slot, each.price_ticks = order.order_id, slot, price_ticks
    each.tried_lots, each.cut_lots = borne, order.remaining_lots - borne
    must(0 <= borne <= lots and lots <= order.remaining_lots, BOOK_6, &s.log.fault)
    if borne:
        _try(s, slot, price_ticks, borne, &half, &each.before)


cdef void _cut(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil:
    must(0 < lots <= s.pool.orders[slot].remaining_lots and has_owner(&s.pool.orders[slot]), BOOK_6, &s.log.fault)
    if lots == s.pool.orders[slot].remaining_lots:
        cancel(s, slot, reason)
    else:
        shrink(s, slot, lots, reason)


cdef void _take_out(State* s, uint32_t instrument, int side) noexcept nogil:
    """Takes out what does not count on one side: down the side, as if each order were filled at its own limit.

    The price is never worse than that. Lots that the owner does not bear end UNCOVERED. A reduce-only order keeps what better
    orders of its position leave it to close.
    """
    cdef Book* book = &s.books[instrument]
    cdef int32_t level, slot, i
    cdef int64_t touch, turn = book.side[side].turn
    cdef Tally tally
    if not is_crossed(book):
        return
    memset(&tally, 0, sizeof(Tally))
    touch = book.levels[book.side[1 - side].best].price_ticks
    level = book.side[side].best
    while level >= 0 and book.levels[level].price_ticks ^ turn <= touch ^ turn:
        slot = book.levels[level].head
        while slot >= 0:
            if has_owner(&s.pool.orders[slot]):
                _count(s, &tally, slot, book.levels[level].price_ticks)
            slot = s.pool.orders[slot].next
        level = book_worse(book, side, level)
    for i in range(tally.count - 1, -1, -1):
        if tally.items[i].tried_lots:
            _untry(s, tally.items[i].slot, tally.items[i].price_ticks, tally.items[i].tried_lots, &tally.items[i].before)
    for i in range(tally.count):
        if tally.items[i].cut_lots:
            must(pool_find(&s.pool, tally.items[i].order_id) == tally.items[i].slot, ORD_3, &s.log.fault)
            _cut(s, tally.items[i].slot, tally.items[i].cut_lots, tally.items[i].reason)
    free(tally.items)


# --- Pairs ---------------------------------------------------------------------------------------------

cdef bint _judge(State* s, int32_t bid, int32_t ask, int64_t price_ticks, int64_t lots) noexcept nogil:
    """True if both owners bear a pair. Lots that one does not bear, and those behind, end UNCOVERED otherwise."""
    cdef bint own = s.pool.orders[bid].account == s.pool.orders[ask].account
    cdef int64_t borne = lots
    cdef int64_t limit = 0
    cdef FillSide half
    cdef Trial before
    cdef bint owned = has_owner(&s.pool.orders[bid])
    must(0 < lots <= s.pool.orders[bid].remaining_lots and lots <= s.pool.orders[ask].remaining_lots, BOOK_6, &s.log.fault)
    must(s.pool.orders[bid].side == BUY and s.pool.orders[ask].side == SELL, BOOK_8, &s.log.fault)
    if owned:
        borne = _borne(s, bid, price_ticks, lots, &half)
        if borne < lots:
            _cut(s, bid, s.pool.orders[bid].remaining_lots - borne, UNCOVERED)
            return False
    if not has_owner(&s.pool.orders[ask]):
        return True
    if owned and own:           # the other half of a trade of an account with itself comes after this one
        limit = book_price(&s.books[s.ledger.positions[s.pool.orders[bid].holder].instrument], &s.pool, bid)
        _try(s, bid, limit, lots, &half, &before)
    borne = _borne(s, ask, price_ticks, lots, &half)
    if owned and own:
        _untry(s, bid, limit, lots, &before)
    if borne < lots:
        _cut(s, ask, s.pool.orders[ask].remaining_lots - borne, UNCOVERED)
    return borne == lots


cdef void _take(State* s, uint32_t instrument, int32_t slot, int64_t lots) noexcept nogil:
    """Takes traded lots off a resting order, in the book and in its owner's reserve."""
    cdef Book* book = &s.books[instrument]
    cdef Order* order = &s.pool.orders[slot]
    cdef int64_t limit = book_price(book, &s.pool, slot)
    if lots < order.remaining_lots:
        book_shrink(book, &s.pool, slot, lots)
    elif order.flags & SHAPED_ORDER:
        peaks_remove(book, &s.pool, slot, order.side)
        order.remaining_lots = 0
    else:
        book_remove(book, &s.pool, slot, order.side)
        order.remaining_lots = 0
    must(order.remaining_lots >= 0, ORD_3, &s.log.fault)
    reserve(s, order, limit, order.remaining_lots + lots, order.remaining_lots)


cdef void _book_half(State* s, uint32_t instrument, int32_t slot, Match* fill, int64_t value, int64_t held, bint settles) noexcept nogil:
    """Books one half of a pair. settles: the owner's orders follow; otherwise the other half comes first."""
    cdef Order* order = &s.pool.orders[slot]
    cdef int32_t holder = order.holder
    cdef bint owned = has_owner(order)
    cdef FillSide half
    if owned:
        fill_side(s, holder, order.side, fill.lots, value, _fee(&s.ledger.instruments[instrument]), order.order_id, &half)
        half.safe = False
        book_user(s, holder, &half)
    else:
        book_house(s, holder, order.side, fill, value, order.order_id)
    must(order.remaining_lots >= 0 and fill.lots > 0, ORD_3, &s.log.fault)
    if order.remaining_lots == 0:
        finish(s, slot, instrument, FILLED, OK)
    if owned and settles:
        after_fill(s, holder, held)
    elif owned:
        refresh_hold(s, holder)


cdef void _fill_up(State* s, uint32_t instrument, int32_t slot, uint64_t order_id) noexcept nogil:
    """Fills up the peak of an iceberg that a pair has used up, if it is still there."""
    if s.pool.orders[slot].order_id == order_id and peak_used_up(&s.pool, slot):
        refill(s, instrument, slot, book_price(&s.books[instrument], &s.pool, slot))


cdef void _trade(State* s, uint32_t instrument, int32_t bid, int32_t ask, int64_t price_ticks, int64_t lots) noexcept nogil:
    """Books a pair, the older order first; both pay the same fee. Peaks that it used up are filled up."""
    cdef bint bid_first = s.pool.orders[bid].order_id < s.pool.orders[ask].order_id
    cdef int32_t first = bid if bid_first else ask
    cdef int32_t second = ask if bid_first else bid
    cdef Order* older = &s.pool.orders[first]
    cdef Order* newer = &s.pool.orders[second]
    cdef bint same = has_owner(older) and has_owner(newer) and older.holder == newer.holder
    cdef int64_t held_older = s.ledger.positions[older.holder].size_lots if has_owner(older) else 0
    cdef int64_t held_newer = s.ledger.positions[newer.holder].size_lots if has_owner(newer) else 0
    cdef uint8_t house = s.pool.orders[bid].flags & ~s.pool.orders[ask].flags & HOUSE_ORDER
    cdef int64_t value = value_of(&s.ledger.instruments[instrument], lots, price_ticks, house, &s.log.fault)
    cdef uint64_t older_id = older.order_id
    cdef uint64_t newer_id = newer.order_id
    cdef Match fill
    fill.price_ticks, fill.lots, fill.slot = price_ticks, lots, first
    must(lots > 0 and book_price(&s.books[instrument], &s.pool, bid) >= price_ticks, BOOK_8, &s.log.fault)
    must(book_price(&s.books[instrument], &s.pool, ask) <= price_ticks, BOOK_8, &s.log.fault)
    emit_trade(
        &s.log, side=newer.side, instrument=instrument, maker_order_id=older.order_id, taker_order_id=newer.order_id,
        price_ticks=price_ticks, size_lots=lots, maker=older.account, taker=newer.account)
    _take(s, instrument, first, lots)
    _take(s, instrument, second, lots)
    _book_half(s, instrument, first, &fill, value, held_older, not same)
    _book_half(s, instrument, second, &fill, value, held_newer, True)
    _fill_up(s, instrument, first, older_id)
    _fill_up(s, instrument, second, newer_id)


cdef bint _pair(State* s, uint32_t instrument, int64_t price_ticks, int64_t* last_ticks) noexcept nogil:
    """Looks at the first orders of both sides, and trades what they show if their owners bear it. Returns False when none are
    left."""
    cdef Book* book = &s.books[instrument]
    cdef int32_t bid = book.side[BUY].best
    cdef int32_t ask = book.side[SELL].best
    cdef int64_t lots
    if bid < 0 or ask < 0 or book.levels[bid].price_ticks < price_ticks or book.levels[ask].price_ticks > price_ticks:
        return False
    bid, ask = book.levels[bid].head, book.levels[ask].head
    lots = offered_lots(&s.pool, ask, offered_lots(&s.pool, bid, INT64_MAX))
    if _judge(s, bid, ask, price_ticks, lots):
        if not (s.pool.orders[bid].flags | s.pool.orders[ask].flags) & HOUSE_ORDER:
            last_ticks[0] = price_ticks
        _trade(s, instrument, bid, ask, price_ticks, lots)
    return True


cdef void uncross(State* s, uint32_t instrument) noexcept nogil:
    """Trades a crossed book at one price, and leaves it uncrossed."""
    cdef int64_t reference_ticks = call_reference(&s.ledger.instruments[instrument])
    cdef int64_t last_ticks = 0
    cdef CallPrice found
    _take_out(s, instrument, BUY)
    _take_out(s, instrument, SELL)
    price_now(s, instrument, &found)
    if found.lots == 0:
        return
    must(_all_gather(&s.books[instrument]), ORD_3, &s.log.fault)
    emit_uncrossed(
        &s.log, instrument=instrument, price_ticks=found.price_ticks, size_lots=found.lots, surplus_lots=found.surplus_lots,
        reference_ticks=reference_ticks)
    must(found.price_ticks > 0 and is_crossed(&s.books[instrument]), BOOK_8, &s.log.fault)
    while s.log.fault == 0 and _pair(s, instrument, found.price_ticks, &last_ticks):
        pass
    must(not is_crossed(&s.books[instrument]), BOOK_8, &s.log.fault)
    if last_ticks != 0:
        s.ledger.instruments[instrument].last_ticks = last_ticks
        observe(s, instrument, BY_LAST, last_ticks)
