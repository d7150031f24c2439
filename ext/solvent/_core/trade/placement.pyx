"""Order entry; the contract is in placement.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy
from solvent._core.market.order_pool cimport DORMANT, DUE, REDUCE_ONLY_MAX, TRIGGERED_MAX, Order, ExtendedTerms, pool_find, pool_room
from solvent._core.market.book cimport Book, book_room
from solvent._core.market.brackets cimport bracket_of
from solvent._core.market.client_ids cimport client_ids_find, client_ids_reserve, client_text_number, client_text_room
from solvent._core.market.peaks cimport follows, peaks_room, shown_ticks, touch_ticks
from solvent._core.trade.linked cimport accept_all, check_entry, children_of, count_of, has_memory, has_place, release
from solvent._core.trade.shapes cimport check_shape, check_trigger, pegged_ticks, to_limit, try_wholes
from solvent._core.trade.order_margin cimport check_margin, limit_to_bankruptcy, reducible, within_band
from solvent._core.account.ledger cimport OpenSide, Position, position_find, position_forget, positions_reserve
from solvent._core.base.clauses cimport BOOK_5, BOOK_6, BOOK_7, BOOK_8, ORD_1, ORD_3, ORD_4, ORD_6, must
from solvent._core.base.money cimport RATE, clamp, min64, max64, mul_div_ceil, mul_div_floor
from solvent._core.trade.preview cimport dry_run
from solvent._core.market.expiries cimport expiries_reserve
from solvent._core.trade.lifecycle cimport (
    end_closing, rest_or_end, execute, finish, position_begin, ticket_at, ticket_of_order,
)
from solvent._core.trade.extended cimport park, terms_of
from solvent._core.trade.watching cimport watched_ticks
from solvent._core.trade.state cimport BEYOND, MEETS, WAITS, Receipt, State, Ticket, order_instrument
from solvent._core.trade.interruption cimport beyond_band, fit_state, slide_into_band, trade_beyond
from solvent._core.market.triggers cimport (
    first_trigger, pegged_room, trigger_direction, trigger_reached, triggers_add, triggers_due, triggers_put_back, triggers_reserve,
)
from solvent._core.contract.order_limits cimport OrderLimits, limits_allow, limits_count, limits_full, limits_room
from solvent._core.contract.valuation cimport Instrument, band_price, in_band, in_call, value_of
from solvent._core.base.schema cimport (
    ALLOW, ALL_OR_NONE, BAD_CLIENT_ID, BAD_EXPIRY, BAD_FLAGS, BAD_LEG, BAD_PRICE, BAD_RECORD, BAD_SELF_TRADE, BAD_SHAPE,
    BAD_SIDE, BAD_SIZE, BAD_SLIPPAGE, BAD_TIF, BUY, BY_BID, BracketTerms, CLOSE_POSITION, DUPLICATE_CLIENT_ID, Event,
    Extension, FOK, FOK_UNFILLED, GTC, GTD, LIMIT_ORDER, LINKED, LONG, MARKET, MARKET_ORDER, NAME_BYTES, NOTIONAL_TOO_SMALL,
    NOT_IN_THIS_STATE, NOT_SUPPORTED, NOT_TRADING, NO_BRACKET, NO_MARK, NO_PEG, NO_REFERENCE, NO_TRIGGER, OK, ONE_LEVEL,
    ONLY_POST, PEG_TRIGGER, POST_ONLY, POST_ONLY_WOULD_TAKE, PRICE_BAND, REDUCE_ONLY, REDUCE_ONLY_WOULD_OPEN,
    REFUSE_REACHED, SELL, SHAPED_ORDER, SHORT, SIZE_OUT_OF_BOUNDS, SLIDE, Shape, TAKER_FEE, TOO_MANY_MESSAGES,
    TOO_MANY_OPEN_ORDERS, TOO_MANY_ORDERS, TO_LIMIT, TRADING, TRIGGER_ORDER, TRIGGER_REACHED, TRIGGER_REFUSED, UNFILLED,
    BRINGS_BRACKET,
)
from solvent._core.base.emit cimport emit_client_id_named, emit_triggered
from solvent._core.base.event_log cimport log_next
from solvent._core.base.commands cimport PlaceOrder


# --- The form of a command -----------------------------------------------------------------------------

cdef inline int _check_header(State* s, Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil:
    """Checks side, time in force, flags, size, price, client id and self-trade terms of an ORDER.

    With a trigger a market order may be good till a date, which no longer applies once it fires. h: a pegged order brings no
    price, and a market order whose rest becomes a limit order may stay.
    """
    cdef bint priced = h == NULL or h.peg == NO_PEG
    cdef bint becomes_limit = h != NULL and h.shape_flags & TO_LIMIT
    cdef bint stays = c.tif == GTC or c.tif == GTD
    if c.side > SELL:
        return BAD_SIDE
    if c.tif > GTD:
        return BAD_TIF
    if c.flags != 0:
        if c.flags & ~(POST_ONLY | REDUCE_ONLY | MARKET | CLOSE_POSITION | SLIDE | SHAPED_ORDER | (LINKED if x != NULL and x.tag != 0 else 0)):
            return BAD_FLAGS
        if c.flags & SHAPED_ORDER and c.records < 3:
            return BAD_FLAGS
        if s.bare and c.flags & (REDUCE_ONLY | CLOSE_POSITION):
            return BAD_FLAGS
        if c.flags & MARKET and stays and not (becomes_limit or (x != NULL and x.trigger_kind != NO_TRIGGER and c.tif == GTD)):
            return BAD_FLAGS
        if c.flags & POST_ONLY and (not stays or c.flags & MARKET) or (c.flags & SLIDE and not c.flags & POST_ONLY):
            return BAD_FLAGS
    if c.flags & CLOSE_POSITION:
        if c.size_lots != 0:
            return BAD_SIZE
    elif c.size_lots < 1 or c.size_lots > ins.max_size_lots:
        return BAD_SIZE
    if c.price_ticks > ins.max_price_ticks or c.price_ticks < (0 if c.flags & MARKET or not priced else 1):
        return BAD_PRICE
    if c.client_id >> 63:
        return BAD_CLIENT_ID
    if c.stp_mode > ALLOW or c.stp_group < 0:
        return BAD_SELF_TRADE
    return OK


cdef inline int _check_extension(State* s, Instrument* ins, const PlaceOrder* c, const Extension* x) noexcept nogil:
    """Checks the second record of an ORDER. Reserved fields are refused with NOT_SUPPORTED."""
    if x == NULL:
        return BAD_EXPIRY if c.tif == GTD else OK
    if x.unused_lots or x.unused_ticks or x.group_id or x.unused_word or x.group_role > BRINGS_BRACKET or (x.tag and not c.flags & LINKED):
        return NOT_SUPPORTED
    if x.expiry_ns <= s.clock_ns if c.tif == GTD else x.expiry_ns != 0:
        return BAD_EXPIRY
    if x.slippage_ppb != 0 and (x.slippage_ppb < 0 or x.slippage_ppb >= RATE or not c.flags & MARKET or c.price_ticks != 0):
        return BAD_SLIPPAGE
    return check_trigger(ins, x)


# --- Tickets -------------------------------------------------------------------------------------------

cdef inline void _ticket(State* s, const PlaceOrder* c, Ticket* t) noexcept nogil:
    """Returns an ORDER as a ticket; the caller sets its position and its terms."""
    ticket_at(s, t, c.instrument)
    t.order_id = 0
    t.client_id = c.client_id
    t.price_ticks = c.price_ticks
    t.limit_ticks = c.price_ticks
    t.size_lots = c.size_lots
    t.remaining_lots = c.size_lots
    t.open_loss_ticks = 0
    t.stp_group = c.stp_group
    t.tested.lots = 0
    t.terms = NULL
    t.text = NULL
    t.holder = -1
    t.account = c.account
    t.side = c.side
    t.tif = c.tif
    t.flags = c.flags | REDUCE_ONLY if c.flags & CLOSE_POSITION else c.flags
    t.ending = 0 if (c.tif == GTC or c.tif == GTD) and not c.flags & MARKET else UNFILLED
    t.stp_mode = <uint8_t>c.stp_mode
    t.fee_reason = TAKER_FEE
    t.closes = False
    t.turns = False
    t.reached_ticks = 0
    t.way = MEETS


# --- The checks before a trade -------------------------------------------------------------------------

cdef int64_t _market_price(State* s, Ticket* t) noexcept nogil:
    """Returns the limit of a market order: its own protection price, its slippage from the best price, or the edge of the
    legal prices."""
    cdef Instrument* ins = t.ins
    cdef Book* book = t.book
    cdef int64_t edge = ins.max_price_ticks if t.side == BUY else 1
    cdef int64_t best, slipped
    if t.price_ticks != 0:
        edge = t.price_ticks
    elif not s.bare:
        edge = band_price(ins, t.side, s.rules.price_band_ppb)
    if t.terms == NULL:
        return edge
    best = shown_ticks(book, 1 - t.side)
    if best != 0 and t.terms.shape_flags & ONE_LEVEL:
        return min64(best, edge) if t.side == BUY else max64(best, edge)
    if t.terms.slippage_ppb == 0 or best == 0:
        return edge
    if t.side == BUY:
        slipped = mul_div_floor(best, RATE + t.terms.slippage_ppb, RATE, &s.log.fault)
        return min64(slipped, edge)
    slipped = mul_div_ceil(best, RATE - t.terms.slippage_ppb, RATE, &s.log.fault)
    return max64(slipped, edge)


cdef int _keep_off_the_touch(State* s, Ticket* t) noexcept nogil:
    """Refuses a post-only order that would trade, or moves it one tick behind the best price if it may slide."""
    cdef Book* book = t.book
    cdef int64_t touch = touch_ticks(book, t.side, t.price_ticks)
    if touch == 0:
        return OK
    touch += -1 if t.side == BUY else 1
    if not t.flags & SLIDE or touch < 1 or touch > t.ins.max_price_ticks:
        return POST_ONLY_WOULD_TAKE
    t.price_ticks = touch
    t.limit_ticks = min64(t.limit_ticks, touch) if t.side == BUY else max64(t.limit_ticks, touch)
    must(touch_ticks(book, t.side, t.price_ticks) == 0, BOOK_7, &s.log.fault)
    must(1 <= touch <= t.ins.max_price_ticks, BOOK_8, &s.log.fault)
    return OK


cdef int _cut_to_position(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil:
    """Cuts a reduce-only order to the lots that it may close; a close-position order takes all of them."""
    cdef int64_t filled = t.size_lots - t.remaining_lots
    cdef int64_t lots = reducible(s, t, p)
    t.remaining_lots = lots if t.flags & CLOSE_POSITION and standing == NULL else min64(t.remaining_lots, lots)
    if t.remaining_lots <= 0:
        return REDUCE_ONLY_WOULD_OPEN
    if t.order_id == 0 and not t.ending and p.reduce_count >= REDUCE_ONLY_MAX:
        return TOO_MANY_ORDERS      # an order that cannot rest needs no room
    t.size_lots = filled + t.remaining_lots
    must(t.remaining_lots <= (p.size_lots if t.side == SELL else -p.size_lots), BOOK_7, &s.log.fault)
    must(filled >= 0 and t.remaining_lots > 0, BOOK_6, &s.log.fault)
    return OK


cdef int admit(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil:
    """Runs all checks of a well-formed ticket, and fixes its price, limit and size.

    standing: the present contribution of an order that is amended, or NULL. p is not read in a Book alone.
    """
    cdef Instrument* ins = t.ins
    cdef int64_t reached
    cdef int code
    if ins.listing != TRADING:
        code = fit_state(s, t)
        if code != OK:
            return code
    if not s.bare and ins.mark_ticks == 0:
        return NO_MARK
    if t.flags & SLIDE:
        code = _keep_off_the_touch(s, t)
        if code != OK:
            return code
    if not s.bare and t.flags & REDUCE_ONLY:
        code = _cut_to_position(s, t, p, standing)
        if code != OK:
            return code
    if t.flags & MARKET:
        t.price_ticks = _market_price(s, t)
        t.limit_ticks = t.price_ticks
    if not s.bare:
        if not in_band(ins, t.price_ticks, t.side, s.rules.price_band_ppb):
            code = beyond_band(s, t)
            if code != OK:
                return code
        limit_to_bankruptcy(s, t, p)
    if t.flags & POST_ONLY and not t.flags & SLIDE:
        code = _keep_off_the_touch(s, t)
        if code != OK:
            return code
    if t.terms != NULL and t.terms.shape_flags & ALL_OR_NONE:
        if dry_run(s, t, &reached) > 0:
            t.way = WAITS
    if not s.bare:
        if t.flags & MARKET and dry_run(s, t, &reached) == 0:
            t.limit_ticks = reached
        t.open_loss_ticks = max64(0, t.limit_ticks - ins.mark_ticks if t.side == BUY else ins.mark_ticks - t.limit_ticks)
        if not t.flags & REDUCE_ONLY:
            code = check_margin(s, t, p, standing)
            if code != OK:
                return code
    if t.way == BEYOND:
        t.limit_ticks = min64(t.limit_ticks, t.edge_ticks) if t.side == BUY else max64(t.limit_ticks, t.edge_ticks)
    if t.tif == FOK and dry_run(s, t, &reached) > 0:
        return FOK_UNFILLED
    if t.flags & POST_ONLY or ins.listing == ONLY_POST:
        t.way = WAITS               # it takes nothing, not even what trades whole
    must(0 < t.remaining_lots <= t.size_lots, BOOK_6, &s.log.fault)
    must(not t.flags & POST_ONLY or touch_ticks(t.book, t.side, t.price_ticks) == 0, BOOK_7, &s.log.fault)
    return OK


# --- The limits of the instrument ----------------------------------------------------------------------

cdef int check_limits(State* s, Instrument* ins, int type, int64_t size_lots, int64_t price_ticks, uint8_t flags) noexcept nogil:
    """Checks an order's size by its type, and its value at its limit, else at the mark. An order that only closes may
    be small."""
    cdef bint closes = flags & REDUCE_ONLY != 0
    cdef int64_t price = price_ticks if price_ticks != 0 else ins.mark_ticks
    if size_lots == 0:              # a close-position order has no size
        return OK
    if not limits_allow(ins.limits, type, size_lots, closes):
        return SIZE_OUT_OF_BOUNDS
    if closes or ins.limits.least_notional_units == 0:
        return OK
    if price == 0:
        return NO_MARK
    return NOTIONAL_TOO_SMALL if value_of(ins, size_lots, price, False, &s.log.fault) < ins.limits.least_notional_units else OK


cdef int64_t _live_orders(State* s, uint32_t account, uint32_t instrument) noexcept nogil:
    """Returns the number of an account's live orders in an instrument, in all its legs."""
    cdef int32_t index = s.ledger.accounts[account].first_position
    cdef int64_t count = 0
    while index >= 0:
        if s.ledger.positions[index].instrument == instrument:
            count += s.ledger.positions[index].order_count
        index = s.ledger.positions[index].next
    must(0 <= count <= s.pool.high_water, BOOK_5, &s.log.fault)
    return count


cdef bint allows_live(State* s, Ticket* t, int more) noexcept nogil:
    """True if an account may have so many orders in an instrument besides one more."""
    cdef int64_t most = t.ins.limits.most_orders
    return most == 0 or _live_orders(s, t.account, t.instrument) + more < most


cdef int _keep_limits(State* s, Ticket* t, const PlaceOrder* c, int children) noexcept nogil:
    """Checks an order against its instrument's own limits, as the last check: what passes is accepted, and counts."""
    cdef OrderLimits* limits = t.ins.limits
    cdef bint sleeps = t.terms != NULL and t.terms.kind != NO_TRIGGER
    cdef int type = TRIGGER_ORDER if sleeps else MARKET_ORDER if t.flags & MARKET else LIMIT_ORDER
    cdef int code = check_limits(s, t.ins, type, c.size_lots, t.price_ticks if c.price_ticks or not t.flags & MARKET else 0, t.flags)
    if code != OK:
        return code
    if (sleeps or t.ending == 0 or children) and not allows_live(s, t, children):
        return TOO_MANY_OPEN_ORDERS     # an order that cannot rest needs no room
    if not limits_room(limits, t.account):
        return TOO_MANY_ORDERS
    if limits_full(limits, t.account, s.clock_ns, &s.log.fault):
        return TOO_MANY_MESSAGES
    limits_count(limits, t.account, s.clock_ns, &s.log.fault)
    must(limits.rate_limit == 0 or 0 < limits.paces[t.account].count <= limits.rate_limit, ORD_6, &s.log.fault)
    return OK


# --- The way in ----------------------------------------------------------------------------------------

cdef void execute_and_rest(State* s, Ticket* t, Receipt* receipt) noexcept nogil:
    """Executes an accepted ticket; its rest rests or ends."""
    cdef bint look_up = not s.bare or t.book.wholes != 0
    if t.way == BEYOND:
        trade_beyond(s, t)
    else:
        if t.way == MEETS:
            execute(s, t)
        elif t.turns and not in_call(t.ins):
            end_closing(s, t)
        if t.terms != NULL and t.terms.shape_flags & TO_LIMIT:
            to_limit(s, t)
        rest_or_end(s, t)
    if t.book.wholes:
        try_wholes(s, t)
    receipt.order_id = t.order_id
    receipt.filled_lots = t.size_lots - t.remaining_lots
    receipt.resting_lots = 0 if t.ending else t.remaining_lots
    if look_up and receipt.resting_lots:        # the order may have been cut, or ended
        receipt.resting_lots = s.pool.orders[t.slot].remaining_lots if s.pool.orders[t.slot].order_id == t.order_id else 0
    must((receipt.filled_lots | receipt.resting_lots) >= 0 and receipt.filled_lots + receipt.resting_lots <= t.size_lots, ORD_3,
         &s.log.fault)
    must(t.tif != FOK or t.remaining_lots == 0 or t.terms != NULL, BOOK_7, &s.log.fault)


cdef int _check_armed(State* s, Ticket* t, Position* p) noexcept nogil:
    """Checks an order that becomes dormant; all other checks come when it fires."""
    cdef Instrument* ins = t.ins
    cdef int64_t reference = watched_ticks(s, t.instrument, t.terms.source)
    cdef int64_t trigger
    if ins.listing == ONLY_POST:
        return NOT_IN_THIS_STATE
    if ins.listing != TRADING and not in_call(ins):
        return NOT_TRADING
    if t.terms.trail != 0 and reference == 0:
        return NO_REFERENCE
    if t.terms.trigger_flags & REFUSE_REACHED and trigger_reached(
            trigger_direction(t.side, t.terms.kind), t.terms.trigger_ticks, reference):
        return TRIGGER_REACHED
    trigger = first_trigger(t.terms, t.side, reference, ins.max_price_ticks)
    if t.terms.peg == PEG_TRIGGER:
        t.price_ticks = t.limit_ticks = t.terms.limit_ticks = clamp(trigger + t.terms.offset_ticks, 1, ins.max_price_ticks)
    if p != NULL and t.price_ticks != 0 and t.price_ticks != within_band(s, t, trigger):
        return PRICE_BAND
    if p != NULL and (p.trigger_count >= TRIGGERED_MAX or t.flags & REDUCE_ONLY and p.reduce_count >= REDUCE_ONLY_MAX):
        return TOO_MANY_ORDERS
    return OK


cdef void _arm(State* s, Ticket* t, const BracketTerms* b, Receipt* receipt) noexcept nogil:
    """Accepts a dormant order. If its trigger is already reached, it is due at once, or when trading is continuous."""
    cdef int64_t reference = watched_ticks(s, t.instrument, t.terms.source)
    t.terms.extreme_ticks = reference if t.terms.trail != 0 and t.terms.activation_ticks in (0, reference) else 0
    s.looks = s.looks or t.terms.source >= BY_BID
    accept_all(s, t, b)
    triggers_add(&s.triggers[t.instrument], &s.pool, t.slot, reference)
    must(s.pool.orders[t.slot].state & DORMANT and t.terms.kind != NO_TRIGGER, ORD_4, &s.log.fault)
    must(t.terms.trail == 0 or reference > 0, ORD_4, &s.log.fault)
    receipt.order_id = t.order_id
    if t.ins.listing == TRADING and t.terms.trail == 0 and trigger_reached(
            trigger_direction(t.side, t.terms.kind), t.terms.trigger_ticks, reference):
        if not triggers_due(&s.triggers[t.instrument], &s.pool, &s.due, t.slot):
            s.log.fault = 2


cdef int _check_pegged(State* s, Ticket* t, Position* p) noexcept nogil:
    """Prices a new pegged order and checks it. One without a price is checked when it has one."""
    if t.ins.listing != TRADING:
        return NOT_IN_THIS_STATE if in_call(t.ins) or t.ins.listing == ONLY_POST else NOT_TRADING
    t.way = WAITS                   # it never takes
    t.price_ticks = t.limit_ticks = pegged_ticks(s, t.instrument, t.side, t.terms)
    must(t.terms.kind == NO_TRIGGER and t.ending == 0, ORD_1, &s.log.fault)
    if t.price_ticks != 0:
        return admit(s, t, p, NULL)
    return NO_MARK if not s.bare and t.ins.mark_ticks == 0 else OK


cdef inline bint _has_room(State* s, Ticket* t) noexcept nogil:
    """Makes room in every pool that the order may need; pools may move."""
    if not (pool_room(&s.pool) and (book_room(t.book) if t.terms == NULL else peaks_room(t.book, t.ins.max_price_ticks, t.terms))):
        return False
    if t.terms != NULL and t.terms.expiry_ns != 0 and not expiries_reserve(&s.expiries):
        return False
    if follows(t.terms) and not pegged_room(&s.triggers[t.instrument]):
        return False
    if t.terms != NULL and t.terms.kind != NO_TRIGGER and not triggers_reserve(
            &s.triggers[t.instrument], t.terms.source, t.terms.trail != 0):
        return False
    return True


cdef inline int find_row(State* s, uint32_t account, uint32_t instrument, uint8_t leg, int32_t* row) noexcept nogil:
    """Checks the leg: a hedged instrument needs one, any other takes none, and a Book has none. Finds its position, -1: none."""
    cdef bint hedged
    row[0] = -1 if s.bare else position_find(&s.ledger, account, instrument, 0)
    hedged = row[0] >= 0 and s.ledger.positions[row[0]].hedged
    if leg > SHORT or (leg != 0) != hedged:
        return BAD_LEG
    if hedged:
        row[0] = position_find(&s.ledger, account, instrument, leg)
    return OK


cdef int check_leg(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    cdef int32_t row
    return find_row(s, account, instrument, leg, &row)


cdef void _name(State* s, Ticket* t) noexcept nogil:
    """Emits CLIENT_ID_NAMED with the text of the order that is accepted next."""
    cdef Event* event = emit_client_id_named(
        &s.log, account=t.account, instrument=t.instrument, client_id=<int64_t>t.client_id)
    must(t.terms != NULL and t.client_id >> 62 == 1, ORD_1, &s.log.fault)
    if event != NULL:
        event.records = 2
        memcpy(log_next(&s.log), t.text, NAME_BYTES)


cdef int place(State* s, const PlaceOrder* c, const Extension* x, Receipt* receipt) noexcept nogil:
    """Executes ORDER: all checks, then acceptance and execution, or sleep until the trigger fires."""
    cdef int code
    cdef Instrument* ins
    cdef Position* p = NULL
    cdef bint fresh = False
    cdef ExtendedTerms terms
    cdef Ticket t
    cdef uint8_t leg = x.hedge_side if x != NULL else 0
    cdef int32_t holder = -1
    cdef const Shape* h = <const Shape*>(x + 1) if c.flags & SHAPED_ORDER and c.records >= 3 else NULL
    cdef const BracketTerms* b = children_of(c, x, h != NULL)
    cdef int more = (h != NULL) + (b != NULL)
    cdef const char* text = <const char*>(x + 1 + more) if c.records == 3 + more else NULL
    code = check_names(s, c.account, c.instrument)
    if code != OK:
        return code
    ins = &s.ledger.instruments[c.instrument]
    code = _check_header(s, ins, c, x, h)
    if code == OK and c.records > 3 + more:
        code = BAD_RECORD
    if code == OK:
        code = _check_extension(s, ins, c, x)
    if code == OK and h != NULL:
        code = check_shape(ins, c, x, h)
    if code == OK and x != NULL and x.group_role != NO_BRACKET:
        code = check_entry(s, ins, c, x, b)
    if code == OK and text != NULL and (c.client_id == 0 or client_text_number(text) != c.client_id):
        code = BAD_CLIENT_ID        # the last record is no text, or not that of the number
    if code != OK:
        return code
    if c.client_id != 0:
        if not client_ids_reserve(&s.client_ids):
            return TOO_MANY_ORDERS
        receipt.order_id = client_ids_find(&s.client_ids, c.account, c.client_id)
        if receipt.order_id != 0:
            return DUPLICATE_CLIENT_ID
    if leg != 0 or not s.bare:
        code = find_row(s, c.account, c.instrument, leg, &holder)
        if code != OK:
            return code
    _ticket(s, c, &t)
    if x != NULL or c.stp_mode != 0 or c.stp_group != 0:
        terms_of(c, x, h, &terms)
        t.terms = &terms
        t.ending = 0 if terms.shape_flags & TO_LIMIT else t.ending
    if leg != 0 and leg == (LONG if c.side == SELL else SHORT):
        t.flags |= REDUCE_ONLY      # it closes its leg, and never opens the other side
        if h != NULL and h.shape_flags & ALL_OR_NONE:
            return BAD_SHAPE
    if not s.bare:
        t.holder = holder
        if holder < 0:        # the position must be in its domain when that is judged
            if not positions_reserve(&s.ledger, c.instrument, 1):
                return TOO_MANY_ORDERS
            fresh = True
            t.holder = position_begin(s, c.account, c.instrument, leg)
        p = &s.ledger.positions[t.holder]
    if x != NULL and x.trigger_kind != NO_TRIGGER:
        code = _check_armed(s, &t, p)
    elif follows(t.terms):
        code = BAD_SHAPE if t.flags & REDUCE_ONLY else _check_pegged(s, &t, p)
    elif not s.bare or c.flags != 0 or c.tif == FOK:  # a Book alone has no checks for a plain order
        code = admit(s, &t, p, NULL)
    if code == OK and (not _has_room(s, &t) or (text != NULL and not client_text_room(&s.client_ids))):
        code = TOO_MANY_ORDERS
    if code == OK and b != NULL and not (has_place(p, b) and has_memory(s, &t, b, 3)):
        code = TOO_MANY_ORDERS
    if code == OK and ins.limits != NULL:
        code = _keep_limits(s, &t, c, 0 if b == NULL else count_of(b))
    if code != OK:
        if fresh:
            position_forget(&s.ledger)
        return code
    if text != NULL:
        t.text = text
        _name(s, &t)
    if x != NULL and x.trigger_kind != NO_TRIGGER:
        _arm(s, &t, b, receipt)
    else:
        if follows(t.terms):        # its limit is told where other orders tell how far they trade
            t.limit_ticks = t.terms.limit_ticks
        accept_all(s, &t, b)
        if t.price_ticks == 0:      # pegged to what is not there
            park(s, t.slot, t.instrument)
            receipt.order_id = t.order_id
        else:
            execute_and_rest(s, &t, receipt)
    must(receipt.order_id != 0, ORD_1, &s.log.fault)
    return OK


cdef int try_place(State* s, const PlaceOrder* c, Ticket* t) noexcept nogil:
    """Checks an ORDER like place, and makes its ticket, for a preview: one record, no client id, no self-trade terms, and a
    position that exists."""
    cdef int code = _check_header(s, &s.ledger.instruments[c.instrument], c, NULL, NULL)
    if code == OK:
        code = _check_extension(s, &s.ledger.instruments[c.instrument], c, NULL)
    if code == OK:
        code = check_leg(s, c.account, c.instrument, 0)
    if code != OK:
        return code
    _ticket(s, c, t)
    t.holder = position_find(&s.ledger, c.account, c.instrument, 0)
    must(t.holder >= 0 and t.terms == NULL, ORD_1, &s.log.fault)
    code = admit(s, t, &s.ledger.positions[t.holder], NULL)
    must(code == OK or s.preview.row_count == 0, ORD_1, &s.log.fault)
    return code if code != OK or _has_room(s, t) else TOO_MANY_ORDERS


cdef bint fire_next(State* s, Receipt* receipt) noexcept nogil:
    """Places the next due order like a new one. Returns False when none is due.

    Due orders that ended meanwhile (liquidated, cancelled) are skipped. An order that is not allowed now ends with
    TRIGGER_REFUSED and the code of a new order.
    """
    cdef int32_t slot = -1
    cdef Order* order
    cdef Position* p = NULL
    cdef Receipt own
    cdef Ticket t
    cdef int code
    while slot < 0 and s.due.first < s.due.count:
        slot = pool_find(&s.pool, s.due.order_ids[s.due.first])
        s.due.first += 1
        if slot >= 0 and s.ledger.instruments[order_instrument(s, slot)].listing != TRADING:     # interrupted meanwhile
            if not triggers_put_back(&s.triggers[order_instrument(s, slot)], &s.pool, slot):
                s.log.fault = 2
            slot = -1
        elif slot >= 0 and bracket_of(&s.pool, slot) and s.pool.orders[slot].flags & REDUCE_ONLY and not release(s, slot):
            slot = -1
    if slot < 0:
        s.due.first = 0
        s.due.count = 0
        return False
    order = &s.pool.orders[slot]
    ticket_of_order(s, slot, order.remaining_lots, s.pool.terms[slot].limit_ticks, &t)
    order.state &= ~DUE
    t.ending = 0 if (t.tif == GTC or t.tif == GTD) and (not t.flags & MARKET or t.terms.shape_flags & TO_LIMIT) else UNFILLED
    if not s.bare:
        p = &s.ledger.positions[t.holder]
        slide_into_band(s, &t)
    code = admit(s, &t, p, NULL)
    if code == OK and not peaks_room(t.book, t.ins.max_price_ticks, t.terms):
        code = TOO_MANY_ORDERS
    if code == OK:
        order.size_lots = t.size_lots
        order.remaining_lots = t.remaining_lots
        order.open_loss_ticks = t.open_loss_ticks
    must(not order.state & (DUE | DORMANT) and order.account == t.account, ORD_4, &s.log.fault)
    must(code != OK or order.remaining_lots == t.remaining_lots, ORD_3, &s.log.fault)
    emit_triggered(
        &s.log, side=t.side, account=t.account, instrument=t.instrument, kind=t.terms.kind, source=t.terms.source,
        order_id=t.order_id, trigger_ticks=t.terms.trigger_ticks, size_lots=order.size_lots,
        price_ticks=t.price_ticks, limit_ticks=t.limit_ticks)
    if code != OK:
        finish(s, slot, t.instrument, TRIGGER_REFUSED, <uint16_t>code)
        return True
    execute_and_rest(s, &t, &own)
    if t.order_id == receipt.order_id:
        receipt[0] = own
    return True
