"""Order entry; the contract is in entry.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.arena cimport REDUCE_ONLY_MAX, Order, arena_find, arena_reserve
from solvent._core.book cimport book_price, book_reserve
from solvent._core.clientids cimport clients_find, clients_reserve
from solvent._core.ledger cimport (
    FIRST_USER, Instrument, Ledger, OpenSide, Position, position_default, position_find, position_new,
    position_reserve,
)
from solvent._core.margin cimport (
    band_price, bankruptcy_cost, free_units, hold_units, opening_lots, price_paying, tier_of,
)
from solvent._core.matching cimport crosses
from solvent._core.money cimport clamp, least, magnitude, most, mul, sub
from solvent._core.records cimport (
    AMENDED, AMEND_BELOW_FILLED, AMEND_NOTHING, BAD_CLIENT_ID, BAD_FLAGS, BAD_PRICE, BAD_SIDE, BAD_SIZE,
    BAD_TIF, BANKRUPTCY_LIMIT, BUY, CANCELLED, DUPLICATE_CLIENT_ID, FOK, FOK_UNFILLED, GTC, INSUFFICIENT_MARGIN,
    LEVERAGE_ABOVE_TIER, MARKET, NO_MARK, OK, POSITION_LIMIT, POST_ONLY, POST_ONLY_WOULD_TAKE, PRICE_BAND,
    REDUCE_ONLY, REDUCE_ONLY_WOULD_OPEN, SELL, TOO_MANY_ORDERS, UNCOVERED, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT,
    UNKNOWN_ORDER, Command,
)
from solvent._core.trading cimport (
    State, Ticket, accept, cancel, conclude, dry_run, execute, order_exposure, order_instrument, reenter,
    shrink, ticket_of_command, ticket_of_order,
)


cdef int check_names(State* s, const Command* c) noexcept nogil:
    if c.account < FIRST_USER or c.account >= s.ledger.account_count:
        return UNKNOWN_ACCOUNT
    if c.instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    return OK


cdef int check_terms(Instrument* ins, const Command* c) noexcept nogil:
    """Side, time in force, flags, size, price and client id of an ORDER."""
    if c.side > SELL:
        return BAD_SIDE
    if c.tif > FOK:
        return BAD_TIF
    if c.flags & ~(POST_ONLY | REDUCE_ONLY | MARKET):
        return BAD_FLAGS
    if c.flags & MARKET and c.tif == GTC:
        return BAD_FLAGS
    if c.flags & POST_ONLY and c.tif != GTC:
        return BAD_FLAGS
    if c.size_lots < 1 or c.size_lots > ins.max_size_lots:
        return BAD_SIZE
    if c.price_ticks > ins.max_price_ticks or c.price_ticks < (0 if c.flags & MARKET else 1):
        return BAD_PRICE
    if c.client_id >> 63:
        return BAD_CLIENT_ID
    return OK


cdef bint _beyond_band(State* s, Ticket* t) noexcept nogil:
    cdef int64_t edge = band_price(&s.ledger.instruments[t.instrument], t.side, s.rules.price_band_ppb)
    return t.price_ticks > edge if t.side == BUY else t.price_ticks < edge


cdef void _limit_to_bankruptcy(State* s, Ticket* t, Position* p) noexcept nogil:
    """An order against the position trades no further than where closing, fee paid, leaves nothing (§6)."""
    cdef Instrument* ins = &s.ledger.instruments[t.instrument]
    cdef int64_t price
    if t.holder < 0 or p.size_lots == 0 or (p.size_lots > 0) == (t.side == BUY):
        return
    price = price_paying(ins, p.size_lots, bankruptcy_cost(&s.ledger, t.holder), ins.taker_fee_ppb)
    if price < t.limit_ticks if t.side == BUY else price > t.limit_ticks:
        t.limit_ticks = clamp(price, 0, ins.max_price_ticks + 1)   # outside the legal range nothing trades
        t.ending = BANKRUPTCY_LIMIT


cdef int _check_margin(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil:
    """Tier, leverage and initial margin of what the order may open; pure reductions pass (MAR-4).

    `standing`: what the order's own earlier terms contribute already (an amendment), or NULL.
    """
    cdef Instrument* ins = &s.ledger.instruments[t.instrument]
    cdef int64_t units = ins.units_per_tick_lot
    cdef int32_t* fault = &s.log.fault
    cdef int64_t held, needed, lots
    cdef OpenSide extra
    cdef OpenSide others = p.open[t.side]
    if standing != NULL:
        others.lots -= standing.lots
    lots = opening_lots(p, t.side, others.lots + t.remaining_lots)
    if lots == opening_lots(p, t.side, others.lots):
        return OK
    held = most(0, p.size_lots if t.side == BUY else -p.size_lots)
    lots += held
    # Not netted against a position of the other side: a reduce-only order may close that first.
    if held + others.lots + t.remaining_lots > ins.max_size_lots:
        return POSITION_LIMIT
    if p.leverage > ins.tiers[tier_of(ins, lots)].max_leverage:
        return LEVERAGE_ABOVE_TIER
    extra.lots = t.remaining_lots
    extra.value_units = mul(t.remaining_lots, mul(t.limit_ticks, units, fault), fault)
    extra.loss_units = mul(t.remaining_lots, mul(t.open_loss_ticks, units, fault), fault)
    if standing != NULL:
        extra.lots -= standing.lots
        extra.value_units -= standing.value_units
        extra.loss_units -= standing.loss_units
    needed = sub(hold_units(&s.ledger, p, &extra, t.side), p.hold_units, fault)
    if needed > 0 and free_units(&s.ledger, t.account, ins.currency, p.mode) < needed:
        return INSUFFICIENT_MARGIN
    return OK


cdef int64_t _reducible(Position* p, int side) noexcept nogil:
    """How much of the position a further reduce-only order of this side may still close."""
    cdef int64_t closing = -p.size_lots if side == BUY else p.size_lots
    return closing - p.reduce.lots


cdef int _check_price(State* s, Ticket* t, Position* p) noexcept nogil:
    """Band, bankruptcy limit and post-only; settles how far the ticket may trade and its open loss."""
    cdef Instrument* ins = &s.ledger.instruments[t.instrument]
    cdef int64_t reached = t.limit_ticks
    if _beyond_band(s, t):
        return PRICE_BAND
    _limit_to_bankruptcy(s, t, p)
    if t.flags & POST_ONLY and crosses(&s.books[t.instrument], t.side, t.price_ticks):
        return POST_ONLY_WOULD_TAKE
    if t.flags & MARKET and dry_run(s, t, &reached) == 0:
        t.limit_ticks = reached
    t.open_loss_ticks = most(0, t.limit_ticks - ins.mark_ticks if t.side == BUY else ins.mark_ticks - t.limit_ticks)
    return OK


cdef bint _within_tier(Ledger* ledger, Position* p) noexcept nogil:
    """Whether the leverage is allowed in the tier that the resting orders could lead to."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t reach = most(opening_lots(p, BUY, p.open[BUY].lots) + most(0, p.size_lots),
                              opening_lots(p, SELL, p.open[SELL].lots) + most(0, -p.size_lots))
    return reach <= magnitude(p.size_lots) or p.leverage <= ins.tiers[tier_of(ins, reach)].max_leverage


cdef void _uncover(State* s, Ticket* t, int64_t free_before) noexcept nogil:
    """After an order of its own an account must still bear its other orders (decision 0004).

    A closing order is never refused for margin, but it may spend what other orders rely on, or close what
    they lean on. Where free is negative then, and lower than before, ordinary orders are cancelled: by
    instrument, newest first, until it is not.
    """
    cdef Ledger* l = &s.ledger
    cdef uint32_t currency = l.instruments[t.instrument].currency
    cdef int64_t least_free = least(0, free_before)
    cdef int32_t index = l.accounts[t.account].first_position
    cdef int32_t slot, next
    cdef bint short = free_units(l, t.account, currency, False) < least_free
    if not short and _within_tier(l, &l.positions[t.holder]):
        return
    while index >= 0:
        slot = l.positions[index].first_order if l.instruments[l.positions[index].instrument].currency == currency else -1
        while slot >= 0 and ((short and l.positions[index].hold_units > 0) or not _within_tier(l, &l.positions[index])):
            next = s.arena.own[slot].next
            if not s.arena.orders[slot].flags & REDUCE_ONLY:
                cancel(s, slot, UNCOVERED)
                short = free_units(l, t.account, currency, False) < least_free
            slot = next
        index = l.positions[index].next


cdef void _work(State* s, Ticket* t, Receipt* receipt) noexcept nogil:
    """An accepted ticket trades, rests or ends; the account's other orders are looked at again."""
    cdef int64_t free_before = free_units(&s.ledger, t.account, s.ledger.instruments[t.instrument].currency, False)
    execute(s, t)
    conclude(s, t)
    _uncover(s, t, free_before)
    receipt.order_id = t.order_id
    receipt.filled_lots = t.size_lots - t.remaining_lots
    receipt.resting_lots = 0
    if arena_find(&s.arena, t.order_id) >= 0:
        receipt.resting_lots = s.arena.orders[t.slot].remaining_lots


cdef int place(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    """ORDER: all checks, then acceptance, execution, and rest or end."""
    cdef int code = check_names(s, c)
    cdef Instrument* ins
    cdef Position fresh
    cdef Position* p = &fresh
    cdef Ticket t
    cdef int64_t price, reached
    if code != OK:
        return code
    ins = &s.ledger.instruments[c.instrument]
    code = check_terms(ins, c)
    if code != OK:
        return code
    if c.client_id != 0:
        receipt.order_id = clients_find(&s.clients, c.account, c.client_id)
        if receipt.order_id != 0:
            return DUPLICATE_CLIENT_ID
    if ins.mark_ticks == 0:
        return NO_MARK
    price = c.price_ticks
    if c.flags & MARKET and price == 0:
        price = band_price(ins, c.side, s.rules.price_band_ppb)
    ticket_of_command(c, price, &t)
    t.holder = position_find(&s.ledger, c.account, c.instrument)
    if t.holder >= 0:
        p = &s.ledger.positions[t.holder]
    else:
        position_default(&s.ledger, c.instrument, p)
    if c.flags & REDUCE_ONLY:
        t.size_lots = least(t.size_lots, _reducible(p, t.side))
        if t.size_lots <= 0:
            return REDUCE_ONLY_WOULD_OPEN
        if p.reduce_count >= REDUCE_ONLY_MAX:
            return TOO_MANY_ORDERS
        t.remaining_lots = t.size_lots
    code = _check_price(s, &t, p)
    if code != OK:
        return code
    if not c.flags & REDUCE_ONLY:
        code = _check_margin(s, &t, p, NULL)
        if code != OK:
            return code
    if c.tif == FOK and dry_run(s, &t, &reached) > 0:
        return FOK_UNFILLED
    if not (arena_reserve(&s.arena) and book_reserve(&s.books[c.instrument]) and clients_reserve(&s.clients)
            and position_reserve(&s.ledger, c.instrument)):
        return TOO_MANY_ORDERS
    if t.holder < 0:
        t.holder = position_new(&s.ledger, c.account, c.instrument)
    accept(s, &t)
    _work(s, &t, receipt)
    return OK


cdef int32_t find_own(State* s, const Command* c) noexcept nogil:
    """The slot of the sender's live order, by order id, else by client id; -1 when there is none."""
    cdef uint64_t order_id = c.order_id
    cdef int32_t slot
    if order_id == 0 and c.client_id != 0:
        order_id = clients_find(&s.clients, c.account, c.client_id)
    slot = arena_find(&s.arena, order_id)
    if slot >= 0 and s.arena.orders[slot].account != c.account:
        return -1
    return slot


cdef int withdraw_order(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    """CANCEL."""
    if c.account < FIRST_USER or c.account >= s.ledger.account_count:
        return UNKNOWN_ACCOUNT
    return cancel_own(s, c, receipt)


cdef int cancel_own(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    """Ends the order that a CANCEL names."""
    cdef int32_t slot = find_own(s, c)
    if slot < 0:
        return UNKNOWN_ORDER
    receipt.order_id = s.arena.orders[slot].order_id
    receipt.filled_lots = s.arena.orders[slot].size_lots - s.arena.orders[slot].remaining_lots
    cancel(s, slot, CANCELLED)
    return OK


cdef int _replace(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Receipt* receipt) noexcept nogil:
    """A resting order leaves the queue and comes in again under its id with other terms, if they are allowed."""
    cdef Order* order = &s.arena.orders[slot]
    cdef Position* p = &s.ledger.positions[order.holder]
    cdef OpenSide standing
    cdef Ticket t
    cdef int code
    ticket_of_order(s, slot, remaining_lots, price_ticks, &t)
    if t.flags & REDUCE_ONLY and t.remaining_lots > _reducible(p, t.side) + order.remaining_lots:
        ticket_of_order(s, slot, _reducible(p, t.side) + order.remaining_lots, price_ticks, &t)
    order_exposure(s, slot, &standing)
    code = _check_price(s, &t, p)
    if code == OK and not t.flags & REDUCE_ONLY:
        code = _check_margin(s, &t, p, &standing)
    if code == OK and not book_reserve(&s.books[t.instrument]):
        code = TOO_MANY_ORDERS
    if code != OK:
        return code
    reenter(s, &t)
    _work(s, &t, receipt)
    return OK


cdef int check_amendment(State* s, const Command* c, int32_t slot, int64_t* price_ticks, int64_t* size_lots) noexcept nogil:
    """The price and total size that an AMEND asks for, 0 meaning as it is, if they are legal and new."""
    cdef Order* order = &s.arena.orders[slot]
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t price = book_price(&s.books[instrument], &s.arena, slot)
    size_lots[0] = c.size_lots if c.size_lots != 0 else order.size_lots
    price_ticks[0] = c.price_ticks if c.price_ticks != 0 else price
    if size_lots[0] < 0 or size_lots[0] > ins.max_size_lots:
        return BAD_SIZE
    if price_ticks[0] < 1 or price_ticks[0] > ins.max_price_ticks:
        return BAD_PRICE
    if size_lots[0] <= order.size_lots - order.remaining_lots:
        return AMEND_BELOW_FILLED
    if price_ticks[0] == price and size_lots[0] == order.size_lots:
        return AMEND_NOTHING
    return OK


cdef int shrink_to(State* s, int32_t slot, int64_t size_lots, Receipt* receipt) noexcept nogil:
    """The amendment that keeps its place: a smaller total size at the same price."""
    cdef Order* order = &s.arena.orders[slot]
    shrink(s, slot, order.size_lots - size_lots, AMENDED)
    receipt.order_id = order.order_id
    receipt.filled_lots = order.size_lots - order.remaining_lots
    receipt.resting_lots = order.remaining_lots
    return OK


cdef int amend(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    """AMEND: a smaller size keeps its place; anything else leaves the queue and comes in again."""
    cdef Order* order
    cdef int64_t price, size
    cdef int32_t slot
    cdef int code
    if c.account < FIRST_USER or c.account >= s.ledger.account_count:
        return UNKNOWN_ACCOUNT
    slot = find_own(s, c)
    if slot < 0:
        return UNKNOWN_ORDER
    code = check_amendment(s, c, slot, &price, &size)
    if code != OK:
        return code
    order = &s.arena.orders[slot]
    if size > order.size_lots or price != book_price(&s.books[order_instrument(s, slot)], &s.arena, slot):
        return _replace(s, slot, size - order.size_lots + order.remaining_lots, price, receipt)
    return shrink_to(s, slot, size, receipt)
