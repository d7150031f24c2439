"""Brackets at work; the contract is in linked.pxd, the readable twin in twin/trade/linked.py."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from solvent._core.account.ledger cimport Position
from solvent._core.base.clauses cimport ORD_8, must
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.emit cimport emit_linked_to
from solvent._core.base.money cimport max64, min64
from solvent._core.base.schema cimport (
    AT_FIRST_FILL, BAD_BRACKET, BRACKET_DONE, BUY, BY_BID, CLOSE_POSITION, FOLLOWS, GTC, IOC, LINKED, LONG, MARKET,
    NOT_SUPPORTED, NO_TRIGGER, OK, PRICE_BAND, REDUCE_ONLY, SELL, SHORT,
    SIBLING_FIRED, SOURCES, STOP, TAKE_PROFIT, TRADING, BracketTerms, Extension,
)
from solvent._core.contract.valuation cimport Instrument, band_edge
from solvent._core.market.brackets cimport (
    Bracket, bracket_of, brackets_give, brackets_next, brackets_room,
    brackets_take, stands_for,
)
from solvent._core.market.order_pool cimport (
    DORMANT, DUE, PARKED, UNARMED, REDUCE_ONLY_MAX, TRIGGERED_MAX, ExtendedTerms, Order, pool_find, pool_grow,
)
from solvent._core.market.triggers cimport (
    trigger_direction, trigger_reached, triggers_due, triggers_unarm, triggers_reserve, triggers_wake,
)
from solvent._core.trade.holds cimport check_reduce, order_price
from solvent._core.trade.lifecycle cimport (
    accept, cancel, closing_lots, reduced_before, requeue, rest_or_end, ticket_of_order,
)
from solvent._core.trade.state cimport State, Ticket
from solvent._core.trade.watching cimport watched_ticks


# --- The way in ----------------------------------------------------------------------------------------

cdef bint _beyond(State* s, Instrument* ins, int side, int64_t trigger_ticks, int64_t price_ticks) noexcept nogil:
    """True if the limit of a child is beyond the band around its trigger."""
    cdef int64_t edge
    if trigger_ticks == 0 or price_ticks == 0:
        return False
    edge = band_edge(ins, trigger_ticks, side, s.rules.price_band_ppb)
    return price_ticks > edge if side == BUY else price_ticks < edge


cdef int check_bracket(State* s, Instrument* ins, int side, const BracketTerms* h) noexcept nogil:
    """Checks the record of a target and a stop, which close on `side`."""
    cdef int64_t highest = ins.max_price_ticks
    if h.unused_first or h.unused_second or h.unused_third or h.unused_byte or h.unused_int:
        return NOT_SUPPORTED
    if h.stop_trigger_ticks == 0 and (h.stop_ticks or h.stop_source) or h.target_trigger_ticks == 0 and h.target_source:
        return BAD_BRACKET
    if h.target_source >= SOURCES or h.stop_source >= SOURCES or h.arm > AT_FIRST_FILL or count_of(h) == 0:
        return BAD_BRACKET
    if not (0 <= h.target_trigger_ticks <= highest and 0 <= h.target_ticks <= highest):
        return BAD_BRACKET
    if not (0 <= h.stop_trigger_ticks <= highest and 0 <= h.stop_ticks <= highest):
        return BAD_BRACKET
    if _beyond(s, ins, side, h.target_trigger_ticks, h.target_ticks) or _beyond(s, ins, side, h.stop_trigger_ticks, h.stop_ticks):
        return PRICE_BAND
    return OK


cdef int check_entry(State* s, Instrument* ins, const PlaceOrder* c, const Extension* x, const BracketTerms* b) noexcept nogil:
    """Checks a bracket: its record is there, its entry may open, and its children are well-formed."""
    if b == NULL:
        return NOT_SUPPORTED
    if s.bare or c.flags & (REDUCE_ONLY | CLOSE_POSITION) or x.hedge_side == (LONG if c.side == SELL else SHORT):
        return BAD_BRACKET
    return check_bracket(s, ins, 1 - c.side, b)


cdef bint has_place(Position* p, const BracketTerms* h) noexcept nogil:
    """True if a position may have the children as well."""
    return p.trigger_count + count_of(h) <= TRIGGERED_MAX and p.reduce_count + count_of(h) <= REDUCE_ONLY_MAX


cdef bint has_memory(State* s, Ticket* t, const BracketTerms* h, int orders) noexcept nogil:
    """Makes room for so many orders, and for their bracket; pools may move."""
    must(t.holder >= 0 and orders > 1, ORD_8, &s.log.fault)
    while s.pool.free_count + s.pool.capacity - s.pool.high_water < orders:
        if not pool_grow(&s.pool):
            return False
    if not (brackets_room(&s.brackets) and triggers_reserve(&s.triggers[t.instrument], h.target_source, False)):
        return False
    return triggers_reserve(&s.triggers[t.instrument], h.stop_source, False)


cdef uint64_t _child(
    State* s, Ticket* t, int32_t place, int64_t price_ticks, int64_t trigger_ticks, uint8_t source, uint8_t kind
) noexcept nogil:
    """Accepts a child without a size, and lets it wait. Returns its id."""
    cdef ExtendedTerms terms
    cdef Ticket child = t[0]
    memset(&terms, 0, sizeof(ExtendedTerms))
    terms.trigger_ticks = trigger_ticks
    terms.limit_ticks = price_ticks
    terms.source = source
    terms.kind = kind if trigger_ticks else NO_TRIGGER
    terms.bracket = place
    terms.stp_mode = t.stp_mode
    terms.stp_group = t.stp_group
    if t.terms != NULL:
        terms.leg = t.terms.leg
        terms.tag = t.terms.tag
    child.terms = &terms
    child.text = NULL
    child.client_id = 0
    child.price_ticks = child.limit_ticks = price_ticks
    child.size_lots = child.remaining_lots = child.open_loss_ticks = 0
    child.flags = REDUCE_ONLY | (0 if price_ticks else MARKET) | (LINKED if terms.tag else 0)
    child.tif = GTC if price_ticks else IOC
    accept(s, &child)
    if terms.kind == NO_TRIGGER:
        s.ledger.positions[t.holder].trigger_count += 1     # extend counts those that have a trigger
    triggers_unarm(&s.triggers[t.instrument], &s.pool, child.slot)
    s.looks = s.looks or source >= BY_BID
    must(child.order_id != 0 and s.pool.orders[child.slot].state & UNARMED, ORD_8, &s.log.fault)
    return child.order_id


cdef uint64_t bring(State* s, Ticket* t, const BracketTerms* h, int32_t place) noexcept nogil:
    """Accepts the children of an entry, or of a pair: their ticket has its side, owner and connection. Returns the id of the
    first one."""
    cdef Bracket* each = &s.brackets.items[place - 1]
    if h.target_ticks or h.target_trigger_ticks:
        each.target_id = _child(s, t, place, h.target_ticks, h.target_trigger_ticks, h.target_source, TAKE_PROFIT)
    if h.stop_trigger_ticks:
        each.stop_id = _child(s, t, place, h.stop_ticks, h.stop_trigger_ticks, h.stop_source, STOP)
    must(each.used and not each.marked and s.brackets.count > 0, ORD_8, &s.log.fault)
    emit_linked_to(
        &s.log, side=t.side, account=t.account, instrument=t.instrument, arm=each.arm,
        leg=t.terms.leg if t.terms != NULL else 0, entry_id=<int64_t>each.entry_id, target_id=<int64_t>each.target_id,
        stop_id=<int64_t>each.stop_id, size_lots=each.filled_lots)
    must(each.target_id != 0 or each.stop_id != 0, ORD_8, &s.log.fault)
    return each.target_id if each.target_id else each.stop_id


cdef void accept_all(State* s, Ticket* t, const BracketTerms* b) noexcept nogil:
    """Accepts an order, and its children behind it."""
    cdef Ticket closing
    accept(s, t)
    if b != NULL:
        closing = t[0]
        closing.side = 1 - t.side
        t.terms.bracket = brackets_take(&s.brackets)
        s.brackets.items[t.terms.bracket - 1].entry_id = t.order_id
        s.brackets.items[t.terms.bracket - 1].arm = b.arm
        bring(s, &closing, b, t.terms.bracket)
        must(not t.flags & REDUCE_ONLY and bracket_of(&s.pool, t.slot) == t.terms.bracket, ORD_8, &s.log.fault)


# --- Sizes ---------------------------------------------------------------------------------------------

cdef int64_t _closed(State* s, Bracket* each) noexcept nogil:
    cdef int32_t target = pool_find(&s.pool, each.target_id)
    must(each.closed_lots >= 0 and (target < 0 or s.pool.orders[target].flags & REDUCE_ONLY), ORD_8, &s.log.fault)
    if target < 0:
        return each.closed_lots
    return each.closed_lots + s.pool.orders[target].size_lots - s.pool.orders[target].remaining_lots


cdef int64_t left_to_close(State* s, int32_t place) noexcept nogil:
    """Returns the lots for which the children stand and that they have not closed."""
    return stands_for(&s.brackets, &s.pool, place) - _closed(s, &s.brackets.items[place - 1])


cdef int64_t size_of(State* s, int32_t slot) noexcept nogil:
    """Returns the lots that a child may close now: what is left of its entry, no more than its position has, nor than it was
    amended to."""
    cdef Order* order = &s.pool.orders[slot]
    cdef int32_t place = bracket_of(&s.pool, slot)
    cdef Bracket* each = &s.brackets.items[place - 1]
    cdef int64_t lots = closing_lots(&s.ledger.positions[order.holder], order.side)
    must(place > 0 and each.used and order.flags & REDUCE_ONLY, ORD_8, &s.log.fault)
    if each.arm != FOLLOWS:
        lots = min64(lots, left_to_close(s, place))
    if order.order_id == each.target_id and each.most_lots:
        lots = min64(lots, each.most_lots - order.size_lots + order.remaining_lots)
    elif order.state & (DORMANT | DUE) and order.remaining_lots:
        lots = min64(lots, order.remaining_lots)
    return max64(0, lots)


cdef int64_t _shown(State* s, int32_t slot) noexcept nogil:
    """Returns the lots that a target may show: no more than better reduce-only orders leave."""
    cdef Order* order = &s.pool.orders[slot]
    cdef Position* p = &s.ledger.positions[order.holder]
    cdef Ticket t
    ticket_of_order(s, slot, order.remaining_lots, order_price(s, slot), &t)
    must(s.pool.terms[slot].kind == NO_TRIGGER and t.price_ticks > 0, ORD_8, &s.log.fault)
    return max64(0, min64(size_of(s, slot), closing_lots(p, order.side) - reduced_before(s, &t, p)))


# --- Settlement ----------------------------------------------------------------------------------------

cdef bint _is_over(State* s, int32_t place, int32_t slot) noexcept nogil:
    """True if the children have closed all for which they stand, or if nothing is left that they could close. slot: that of an
    order of the bracket."""
    cdef Bracket* each = &s.brackets.items[place - 1]
    cdef Order* order = &s.pool.orders[slot]
    cdef int side = order.side if order.flags & REDUCE_ONLY else 1 - order.side
    cdef int64_t held = closing_lots(&s.ledger.positions[order.holder], side)
    cdef int64_t lots, closed
    must(held >= 0 and bracket_of(&s.pool, slot) == place, ORD_8, &s.log.fault)
    if each.arm == FOLLOWS:
        return held == 0
    lots = stands_for(&s.brackets, &s.pool, place)
    closed = _closed(s, each)
    if closed and (closed >= lots or (held == 0 and each.arm == AT_FIRST_FILL)):
        return True
    return each.entry_id == 0 and (lots == 0 or held == 0)


cdef void _grow(State* s, int32_t slot, int64_t lots) noexcept nogil:
    """Takes a resting target to the back of its queue with more lots."""
    cdef Ticket t
    ticket_of_order(s, slot, lots, order_price(s, slot), &t)
    t.open_loss_ticks = max64(0, t.price_ticks - t.ins.mark_ticks if t.side == BUY else t.ins.mark_ticks - t.price_ticks)
    must(lots > s.pool.orders[slot].remaining_lots, ORD_8, &s.log.fault)
    requeue(s, &t)
    rest_or_end(s, &t)
    check_reduce(s, &s.ledger.positions[t.holder])


cdef void _resize(State* s, int32_t slot) noexcept nogil:
    """Wakes a child that has something to close, and lets a resting target grow."""
    cdef Order* order = &s.pool.orders[slot]
    cdef ExtendedTerms* terms = &s.pool.terms[slot]
    cdef uint32_t instrument = s.ledger.positions[order.holder].instrument
    cdef bint trades = s.ledger.instruments[instrument].listing == TRADING
    cdef int64_t lots
    must(terms.bracket > 0 and order.flags & REDUCE_ONLY, ORD_8, &s.log.fault)
    if terms.kind != NO_TRIGGER:
        if not order.state & UNARMED or size_of(s, slot) == 0:
            return
        if not triggers_wake(&s.triggers[instrument], &s.pool, slot):
            s.log.fault = 2
            return
        if not trades or not trigger_reached(
                trigger_direction(order.side, terms.kind), terms.trigger_ticks, watched_ticks(s, instrument, terms.source)):
            return
    elif order.state & UNARMED:
        if not trades or _shown(s, slot) == 0:
            return
    else:
        lots = _shown(s, slot) if not order.state & DUE else 0
        if lots > order.remaining_lots:
            _grow(s, slot, lots)
        return
    if not triggers_due(&s.triggers[instrument], &s.pool, &s.due, slot):
        s.log.fault = 2


cdef bint _is_later(State* s, uint64_t target_id, uint64_t stop_id) noexcept nogil:
    """True if a target wakes after the stop: one that rests does, and one that fires on a rise."""
    cdef int32_t slot = pool_find(&s.pool, target_id)
    if slot < 0 or stop_id == 0:
        return False
    return s.pool.terms[slot].kind == NO_TRIGGER or trigger_direction(s.pool.orders[slot].side, s.pool.terms[slot].kind) == 1


cdef void _settle(State* s, int32_t place) noexcept nogil:
    """Ends a bracket, or sets the sizes of its children."""
    cdef Bracket each = s.brackets.items[place - 1]
    cdef uint64_t ids[3]
    cdef int32_t slot
    cdef int i
    cdef bint over
    ids[0] = each.target_id
    ids[1] = each.stop_id
    ids[2] = each.entry_id
    slot = pool_find(&s.pool, ids[0] if ids[0] else ids[1] if ids[1] else ids[2])
    over = slot >= 0 and _is_over(s, place, slot)
    must(each.used and not s.brackets.items[place - 1].marked, ORD_8, &s.log.fault)
    if not over and ids[0] == 0 and ids[1] == 0:
        if slot >= 0:
            s.pool.terms[slot].bracket = 0
        brackets_give(&s.brackets, place)
        return
    if not over and _is_later(s, ids[0], ids[1]):
        ids[0], ids[1] = ids[1], ids[0]
    for i in range(3 if over else 2):
        if ids[i] == 0:
            continue
        slot = pool_find(&s.pool, ids[i])
        must(slot >= 0 and bracket_of(&s.pool, slot) == place, ORD_8, &s.log.fault)
        if over:
            cancel(s, slot, BRACKET_DONE)
        else:
            _resize(s, slot)


cdef void settle(State* s) noexcept nogil:
    """Looks at every bracket that a fill or the end of an order has marked, once the books are at rest."""
    cdef int32_t place = brackets_next(&s.brackets)
    while place:
        _settle(s, place)
        place = brackets_next(&s.brackets)
    must(s.brackets.first == 0 and s.brackets.count >= 0, ORD_8, &s.log.fault)


cdef void _end(State* s, uint64_t order_id, uint8_t reason) noexcept nogil:
    """Ends an order that has left its bracket."""
    cdef int32_t slot = pool_find(&s.pool, order_id)
    if slot < 0:
        return
    if s.pool.terms[slot].kind == NO_TRIGGER and s.pool.orders[slot].flags & REDUCE_ONLY:
        s.ledger.positions[s.pool.orders[slot].holder].trigger_count -= 1      # as a child it was counted
    s.pool.terms[slot].bracket = 0
    must(s.pool.orders[slot].state & (DORMANT | DUE | PARKED) or s.pool.orders[slot].level >= 0, ORD_8, &s.log.fault)
    cancel(s, slot, reason)
    must(pool_find(&s.pool, order_id) < 0, ORD_8, &s.log.fault)


cdef bint release(State* s, int32_t slot) noexcept nogil:
    """Gives a due child the size with which it is placed; False if it has none, and waits on. One that fires leaves its
    bracket, whose other orders end before it trades."""
    cdef Order* order = &s.pool.orders[slot]
    cdef ExtendedTerms* terms = &s.pool.terms[slot]
    cdef int32_t place = terms.bracket
    cdef Bracket each = s.brackets.items[place - 1]
    cdef int64_t lots = size_of(s, slot) if terms.kind != NO_TRIGGER else _shown(s, slot)
    must(order.state & DUE and order.flags & REDUCE_ONLY, ORD_8, &s.log.fault)
    if terms.kind == NO_TRIGGER:
        if lots == 0:
            order.state &= ~DUE
            triggers_unarm(&s.triggers[s.ledger.positions[order.holder].instrument], &s.pool, slot)
            return False
        if each.most_lots == 0:
            s.brackets.items[place - 1].most_lots = order.remaining_lots
        order.size_lots = order.remaining_lots = lots
        return True
    order.size_lots = order.remaining_lots = lots
    terms.bracket = 0
    brackets_give(&s.brackets, place)
    _end(s, each.stop_id if order.order_id == each.target_id else each.target_id, SIBLING_FIRED)
    _end(s, each.entry_id, BRACKET_DONE)
    must(pool_find(&s.pool, each.entry_id) < 0 and lots >= 0, ORD_8, &s.log.fault)
    return True
