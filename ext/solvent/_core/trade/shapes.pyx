"""The shapes of orders; the contract is in shapes.pxd, the readable twin in twin/trade/shapes.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.base.clauses cimport BOOK_6, BOOK_8, ORD_1, must
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.money cimport RATE, max64, min64
from solvent._core.base.schema cimport (
    ALL_OR_NONE, BAD_SHAPE, BAD_TRIGGER, BUY, BY_ASK, BY_BID, CLOSE_POSITION, GTC, GTD, HIDDEN, INWARDS, LINKED, MARKET,
    NOT_SUPPORTED, NO_PEG, NO_TRIGGER, OK, ONE_LEVEL, PEG_BID, PEG_MARK, PEG_MID, PEG_TRIGGER, POST_ONLY, REDUCE_ONLY,
    REFUSE_REACHED, SELL, SHAPED_ORDER, SOURCES, TAKE_PROFIT, TO_LIMIT, TRADING, TRAIL_RATE, TRAIL_TICKS, UNFILLED,
    Extension, Shape,
)
from solvent._core.contract.valuation cimport Instrument, band_price
from solvent._core.market.book cimport Book, book_price, book_worse
from solvent._core.market.order_pool cimport ExtendedTerms, Order, pool_find
from solvent._core.market.peaks cimport follows, is_whole, touch_ticks
from solvent._core.trade.lifecycle cimport execute, leave_book, rest_or_end, ticket_of_order
from solvent._core.trade.order_margin cimport limit_to_bankruptcy
from solvent._core.trade.preview cimport dry_run
from solvent._core.trade.state cimport State, Ticket
from solvent._core.trade.watching cimport watched_ticks

cdef enum:
    # rendered: limits
    PARTS_MAX = 100
    ALL_OR_NONE_MAX = 1000
    # rendered: end


# --- The form of a command -----------------------------------------------------------------------------

cdef int check_trigger(Instrument* ins, const Extension* x) noexcept nogil:
    """Checks the trigger: a fixed one has a price, a trailing one a distance, an order without trigger neither."""
    cdef int64_t highest_trail = 0
    if x.trigger_kind > TRAIL_RATE or x.trigger_source >= SOURCES or x.trigger_flags & ~REFUSE_REACHED:
        return BAD_TRIGGER
    if x.trigger_kind == NO_TRIGGER:
        return BAD_TRIGGER if x.trigger_ticks or x.trail or x.trigger_source or x.trigger_flags else OK
    if x.trigger_kind <= TAKE_PROFIT:
        return BAD_TRIGGER if x.trigger_ticks < 1 or x.trigger_ticks > ins.max_price_ticks or x.trail else OK
    if x.trigger_ticks < 0 or x.trigger_ticks > ins.max_price_ticks:      # of a trailing order its activation
        return BAD_TRIGGER
    highest_trail = ins.max_price_ticks if x.trigger_kind == TRAIL_TICKS else RATE - 1
    return BAD_TRIGGER if x.trail < 1 or x.trail > highest_trail or x.trigger_flags else OK


cdef int _check_peg(Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil:
    """Checks what the price keeps its distance from. The limit of a trailing order brings no price of its own."""
    cdef bint inwards = h.shape_flags & INWARDS
    if h.peg == NO_PEG:
        return OK if h.offset_ticks == 0 and not inwards else BAD_SHAPE
    if h.peg < PEG_TRIGGER:         # its price is a limit, and it brings nothing else
        if (c.flags & ~(SHAPED_ORDER | LINKED) or x.trigger_kind != NO_TRIGGER or h.display_lots or h.shape_flags & ~INWARDS
                or (c.tif != GTC and c.tif != GTD) or (inwards and h.peg != PEG_MID)):
            return BAD_SHAPE
    elif h.peg > PEG_TRIGGER or inwards or x.trigger_kind < TRAIL_TICKS or c.flags & MARKET or c.price_ticks != 0:
        return BAD_SHAPE
    return OK if -ins.max_price_ticks <= h.offset_ticks <= ins.max_price_ticks else BAD_SHAPE


cdef int _check_kind(const PlaceOrder* c, const Shape* h) noexcept nogil:
    """Checks what excludes what: market to limit, all or none, hidden, iceberg."""
    cdef bint stays = c.tif == GTC or c.tif == GTD
    cdef int flags = h.shape_flags & ~INWARDS
    cdef bint alone = h.display_lots == 0 and flags & (flags - 1) == 0
    if flags & (TO_LIMIT | ONE_LEVEL):
        alone = h.display_lots == 0 and flags in (TO_LIMIT, TO_LIMIT | ONE_LEVEL)
        return OK if alone and c.flags & MARKET and stays else BAD_SHAPE
    if (flags or h.display_lots) and c.flags & MARKET:
        return BAD_SHAPE
    if h.shape_flags & ALL_OR_NONE and not (
            alone and stays and h.peg == NO_PEG and not c.flags & (POST_ONLY | REDUCE_ONLY | CLOSE_POSITION)):
        return BAD_SHAPE            # what is cut is not all
    if h.shape_flags & HIDDEN and not alone:
        return BAD_SHAPE
    if h.display_lots == 0:
        return OK
    if h.display_lots < 0 or h.display_lots > c.size_lots or c.size_lots > PARTS_MAX * h.display_lots:
        return BAD_SHAPE
    return OK


cdef int check_shape(Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil:
    """Checks the record of an ORDER's shape. Reserved fields are refused with NOT_SUPPORTED."""
    cdef int code
    if (h.unused_first or h.unused_second or h.unused_third or h.unused_short or h.unused_int or h.display_most_lots
            or h.shape_flags > (ALL_OR_NONE | TO_LIMIT | ONE_LEVEL | HIDDEN | INWARDS)):
        return NOT_SUPPORTED
    if h.step_ticks != 0 and (x.trigger_kind < TRAIL_TICKS or h.step_ticks < 0 or h.step_ticks > ins.max_price_ticks):
        return BAD_TRIGGER
    code = _check_peg(ins, c, x, h)
    return code if code != OK else _check_kind(c, h)


cdef bint parts_fit(const ExtendedTerms* terms, int64_t size_lots) noexcept nogil:
    """True if an order of this size would have no more peaks than an iceberg may have."""
    return terms.display_lots == 0 or size_lots <= PARTS_MAX * terms.display_lots


# --- Pegs ----------------------------------------------------------------------------------------------

cdef int64_t _reference(State* s, uint32_t instrument, int side, const ExtendedTerms* terms) noexcept nogil:
    """Returns the price from which an order keeps its distance; 0: there is none."""
    cdef int64_t bid, ask
    if terms.peg == PEG_MARK:
        return s.ledger.instruments[instrument].mark_ticks
    if terms.peg != PEG_MID:
        return watched_ticks(s, instrument, BY_BID if terms.peg == PEG_BID else BY_ASK)
    bid = watched_ticks(s, instrument, BY_BID)
    ask = watched_ticks(s, instrument, BY_ASK)
    if bid == 0 or ask == 0:
        return 0
    # An odd sum: buys down, sells up; inwards the other way round.
    return (bid + ask + ((side == SELL) != (terms.shape_flags & INWARDS != 0))) >> 1


cdef int64_t pegged_ticks(State* s, uint32_t instrument, int side, const ExtendedTerms* terms) noexcept nogil:
    """Returns the price that a pegged order has now: within its limit and the band, behind the best opposite price; 0: none
    is legal."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t price = _reference(s, instrument, side, terms)
    cdef int64_t touch
    must(follows(terms), ORD_1, &s.log.fault)
    if price == 0:
        return 0
    price += terms.offset_ticks
    if terms.limit_ticks != 0:
        price = min64(price, terms.limit_ticks) if side == BUY else max64(price, terms.limit_ticks)
    if not s.bare and ins.mark_ticks != 0:
        touch = band_price(ins, side, s.rules.price_band_ppb)
        price = min64(price, touch) if side == BUY else max64(price, touch)
    touch = touch_ticks(&s.books[instrument], side, price)
    if touch != 0:
        price = touch - 1 if side == BUY else touch + 1
    must(price < 1 or touch_ticks(&s.books[instrument], side, price) == 0, BOOK_8, &s.log.fault)
    return price if 1 <= price <= ins.max_price_ticks else 0


# --- Market to limit -----------------------------------------------------------------------------------

cdef void to_limit(State* s, Ticket* t) noexcept nogil:
    """Makes the rest of a market order a limit order at the price of its last fill; without a fill it ends."""
    cdef Order* order = &s.pool.orders[t.slot]
    cdef int64_t mark = t.ins.mark_ticks
    if t.remaining_lots == 0 or t.ending != 0:
        return
    if t.reached_ticks == 0:
        t.ending = UNFILLED
        return
    must(t.reached_ticks <= t.limit_ticks if t.side == BUY else t.reached_ticks >= t.limit_ticks, BOOK_8, &s.log.fault)
    must(order.remaining_lots == t.remaining_lots and order.order_id == t.order_id, ORD_1, &s.log.fault)
    t.price_ticks = t.limit_ticks = t.reached_ticks
    t.tested.lots = 0
    if not s.bare:
        t.open_loss_ticks = max64(0, t.price_ticks - mark if t.side == BUY else mark - t.price_ticks)
    order.open_loss_ticks = t.open_loss_ticks
    order.flags &= ~MARKET
    t.flags &= ~MARKET
    t.terms.shape_flags = 0


# --- All or none ---------------------------------------------------------------------------------------

cdef int32_t _wholes_within(State* s, Ticket* t, uint64_t* found) noexcept nogil:
    """Finds the orders that trade whole and that a resting order's price reaches, by price, then by time."""
    cdef Book* book = t.book
    cdef int other = 1 - t.side
    cdef int32_t level = book.side[other].best
    cdef int32_t count = 0
    cdef int32_t slot
    while level >= 0 and (book.levels[level].price_ticks <= t.price_ticks if t.side == BUY
                          else book.levels[level].price_ticks >= t.price_ticks):
        slot = book.levels[level].head
        while slot >= 0 and count < ALL_OR_NONE_MAX:
            if is_whole(&s.pool, slot):
                found[count] = s.pool.orders[slot].order_id
                count += 1
            slot = s.pool.orders[slot].next
        level = book_worse(book, other, level)
    must(count <= book.wholes, BOOK_6, &s.log.fault)
    must(book.wholes <= ALL_OR_NONE_MAX, BOOK_6, &s.log.fault)
    return count


cdef void try_wholes(State* s, Ticket* t) noexcept nogil:
    """Looks again at orders that trade whole, after an order came to rest opposite: one that it now can fill takes its lots."""
    cdef uint64_t found[ALL_OR_NONE_MAX]
    cdef int32_t slot = pool_find(&s.pool, t.order_id)
    cdef int32_t i, count
    cdef int64_t reached = 0
    cdef Ticket whole
    if slot < 0 or s.pool.orders[slot].level < 0 or is_whole(&s.pool, slot) or t.ins.listing != TRADING:
        return
    count = _wholes_within(s, t, found)
    for i in range(count):
        slot = pool_find(&s.pool, found[i])
        if slot < 0:                # an earlier one has ended it
            continue
        ticket_of_order(s, slot, s.pool.orders[slot].remaining_lots, book_price(t.book, &s.pool, slot), &whole)
        if not s.bare:
            limit_to_bankruptcy(s, &whole, &s.ledger.positions[whole.holder])
        if dry_run(s, &whole, &reached) == 0:
            leave_book(s, slot)
            execute(s, &whole)
            must(whole.remaining_lots == 0, BOOK_6, &s.log.fault)
            rest_or_end(s, &whole)
    must(t.order_id != 0, ORD_1, &s.log.fault)
