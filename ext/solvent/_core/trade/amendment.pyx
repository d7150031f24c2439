"""Amendments; the contract is in amendment.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport DORMANT, PARKED, UNARMED, ExtendedTerms, Order, pool_find
from solvent._core.market.brackets cimport bracket_of
from solvent._core.market.book cimport book_room
from solvent._core.market.peaks cimport is_pegged, is_whole, peaks_room
from solvent._core.market.triggers cimport (
    first_trigger, trigger_direction, trigger_reached, triggers_due, triggers_move, triggers_reserve,
)
from solvent._core.trade.linked cimport left_to_close
from solvent._core.trade.order_margin cimport reducible, within_band
from solvent._core.trade.shapes cimport parts_fit
from solvent._core.trade.placement cimport admit, check_limits, execute_and_rest
from solvent._core.account.ledger cimport OpenSide, Position
from solvent._core.base.clauses cimport ORD_1, ORD_3, ORD_4, ORD_6, must
from solvent._core.base.schema cimport (
    AMENDED, AMEND_BELOW_FILLED, AMEND_NOTHING, BAD_PRICE, BAD_SHAPE, BAD_SIZE, BAD_TRIGGER, CALL_FROZEN, CHILD_TOO_LARGE,
    CLOSE_POSITION, FOLLOWS, HOUSE_ORDER, LIMIT_ORDER, MARKET, NO_PEG, OK, PRICE_BAND, REDUCE_ONLY, REFUSE_REACHED, SHAPED_ORDER,
    TOO_MANY_MESSAGES, TOO_MANY_ORDERS, TRADING, TRIGGER_ORDER, TRIGGER_REACHED,
)
from solvent._core.trade.cancellation cimport find_own, is_frozen
from solvent._core.trade.lifecycle cimport requeue, replaced_event, shrink, ticket_of_order
from solvent._core.trade.watching cimport watched_ticks
from solvent._core.trade.holds cimport order_exposure, order_price
from solvent._core.trade.extended cimport park
from solvent._core.trade.state cimport MEETS, WAITS, Receipt, State, Ticket, order_instrument
from solvent._core.base.emit cimport emit_trigger_moved
from solvent._core.contract.order_limits cimport OrderLimits, limits_count, limits_full, limits_room
from solvent._core.contract.valuation cimport Instrument
from solvent._core.base.commands cimport AmendOrder, AmendTrigger


cdef inline int64_t _trigger(State* s, int32_t slot) noexcept nogil:
    """Returns the trigger of a dormant order, of one that waits for its activation the one that it will have there."""
    cdef ExtendedTerms* terms = &s.pool.terms[slot]
    must(s.pool.orders[slot].state & DORMANT, ORD_4, &s.log.fault)
    if terms.trail == 0 or terms.extreme_ticks != 0:
        return terms.trigger_ticks
    return first_trigger(terms, s.pool.orders[slot].side, 0, s.ledger.instruments[order_instrument(s, slot)].max_price_ticks)


cdef int _check_amendment(State* s, const AmendOrder* c, int32_t slot, int64_t* price_ticks, int64_t* size_lots) noexcept nogil:
    """Finds the price and total size of an AMEND, if they are legal and new; a field of 0 keeps the present one."""
    cdef Order* order = &s.pool.orders[slot]
    cdef Instrument* ins = &s.ledger.instruments[order_instrument(s, slot)]
    cdef int64_t price = order_price(s, slot)
    cdef Ticket t
    size_lots[0] = c.size_lots if c.size_lots != 0 else order.size_lots
    price_ticks[0] = c.price_ticks if c.price_ticks != 0 else price
    if size_lots[0] < 0 or size_lots[0] > ins.max_size_lots or (
            c.size_lots != 0 and order.flags & CLOSE_POSITION and order.state & DORMANT):
        return BAD_SIZE
    if price_ticks[0] < (0 if order.flags & MARKET or order.state & PARKED else 1) or price_ticks[0] > ins.max_price_ticks or (
            c.price_ticks != 0 and (is_pegged(&s.pool, slot) or order.state & DORMANT and (
                s.pool.terms[slot].slippage_ppb != 0 or s.pool.terms[slot].peg != NO_PEG))):
        return BAD_PRICE        # the last test: a slippage or a peg excludes a price
    if size_lots[0] < order.size_lots and size_lots[0] <= order.size_lots - order.remaining_lots:
        return AMEND_BELOW_FILLED
    if price_ticks[0] == price and size_lots[0] == order.size_lots:
        return AMEND_NOTHING
    if order.flags & SHAPED_ORDER and not parts_fit(&s.pool.terms[slot], size_lots[0]):
        return BAD_SHAPE
    if not s.bare and order.state & DORMANT and price_ticks[0] != price:       # the same test as for a new order
        ticket_of_order(s, slot, order.remaining_lots, price_ticks[0], &t)
        if price_ticks[0] != within_band(s, &t, _trigger(s, slot)):
            return PRICE_BAND
    return OK


cdef void _amend_dormant(State* s, int32_t slot, int64_t price_ticks, int64_t size_lots) noexcept nogil:
    """Changes limit and size of a dormant order, which keeps its trigger and its place."""
    cdef Order* order = &s.pool.orders[slot]
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef Ticket t
    must(s.pool.orders[slot].state & DORMANT and order.remaining_lots == order.size_lots, ORD_4, &s.log.fault)
    if order.level >= 0:            # otherwise it waits for its activation
        s.triggers[instrument].books[s.pool.terms[slot].source].levels[order.level].total_lots += size_lots - order.size_lots
    order.remaining_lots = size_lots
    order.size_lots = size_lots
    s.pool.terms[slot].limit_ticks = price_ticks
    must(order.remaining_lots == order.size_lots and size_lots >= 0, ORD_3, &s.log.fault)
    must(order_price(s, slot) == price_ticks, ORD_3, &s.log.fault)
    ticket_of_order(s, slot, size_lots, price_ticks, &t)
    replaced_event(s, &t)


cdef int _replace(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Receipt* receipt) noexcept nogil:
    """Takes a resting order out of the queue and places it again under its id with other terms, if they are allowed."""
    cdef Order* order = &s.pool.orders[slot]
    cdef Position* p = NULL
    cdef OpenSide standing
    cdef Ticket t
    cdef int code
    ticket_of_order(s, slot, remaining_lots, price_ticks, &t)
    t.way = WAITS if is_pegged(&s.pool, slot) else MEETS
    if not s.bare:
        p = &s.ledger.positions[order.holder]
        if order.flags & REDUCE_ONLY and price_ticks == order_price(s, slot) and reducible(s, &t, p) <= order.remaining_lots:
            return AMEND_NOTHING        # a larger size would be cut to the present one: the order keeps its place
        order_exposure(s, slot, &standing)
    code = admit(s, &t, p, &standing)
    if code == OK and t.ins.limits != NULL:         # it may have slid to a price at which it is worth less
        code = check_limits(s, t.ins, LIMIT_ORDER, t.size_lots, t.price_ticks, t.flags)
    if code == OK and not (book_room(t.book) and (is_whole(&s.pool, slot) or peaks_room(t.book, t.ins.max_price_ticks, t.terms))):
        code = TOO_MANY_ORDERS
    if code != OK:
        return code
    must(t.order_id == order.order_id and t.size_lots - t.remaining_lots == order.size_lots - order.remaining_lots, ORD_3, &s.log.fault)
    must(t.account == order.account and t.side == order.side, ORD_1, &s.log.fault)
    requeue(s, &t)
    execute_and_rest(s, &t, receipt)
    return OK


cdef int _amend_to(State* s, int32_t slot, int64_t size_lots, int64_t price_ticks, Receipt* receipt) noexcept nogil:
    """Gives an order a total size and a price that are legal and new."""
    cdef Order* order = &s.pool.orders[slot]
    if order.state & DORMANT:
        _amend_dormant(s, slot, price_ticks, size_lots)
    elif order.state & PARKED:
        order.remaining_lots += size_lots - order.size_lots
        order.size_lots = size_lots
        park(s, slot, order_instrument(s, slot))
        receipt.filled_lots = size_lots - order.remaining_lots
    elif size_lots > order.size_lots or price_ticks != order_price(s, slot):
        return _replace(s, slot, size_lots - order.size_lots + order.remaining_lots, price_ticks, receipt)
    else:
        shrink(s, slot, order.size_lots - size_lots, AMENDED)
        receipt.filled_lots = order.size_lots - order.remaining_lots
        receipt.resting_lots = order.remaining_lots
        must(order.size_lots == size_lots and order.remaining_lots > 0, ORD_3, &s.log.fault)
    receipt.order_id = order.order_id
    return OK


# --- AMEND_TRIGGER -------------------------------------------------------------------------------------

cdef int _check_trigger(State* s, const AmendTrigger* c, int32_t slot) noexcept nogil:
    """Checks a new trigger like that of a new order."""
    cdef Order* order = &s.pool.orders[slot]
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef ExtendedTerms* terms = &s.pool.terms[slot]
    cdef int64_t price = order_price(s, slot)
    cdef Ticket t
    if not order.state & DORMANT or terms.trail != 0:
        return BAD_TRIGGER
    if c.trigger_ticks < 1 or c.trigger_ticks > s.ledger.instruments[instrument].max_price_ticks:
        return BAD_TRIGGER
    if c.trigger_ticks == terms.trigger_ticks:
        return AMEND_NOTHING
    if terms.trigger_flags & REFUSE_REACHED and trigger_reached(
            trigger_direction(order.side, terms.kind), c.trigger_ticks, watched_ticks(s, instrument, terms.source)):
        return TRIGGER_REACHED
    if not s.bare and price != 0:
        ticket_of_order(s, slot, order.remaining_lots, price, &t)
        if price != within_band(s, &t, c.trigger_ticks):
            return PRICE_BAND
    return OK


cdef int amend_trigger(State* s, const AmendTrigger* c, Receipt* receipt) noexcept nogil:
    """Executes AMEND_TRIGGER: the order keeps its id and its other terms, and is due at once if the new trigger is reached."""
    cdef int32_t slot
    cdef uint32_t instrument
    cdef OrderLimits* limits
    cdef ExtendedTerms* terms
    cdef int code = find_own(s, c.account, c.order_id, c.client_id, &slot)
    if code == OK:
        code = _check_trigger(s, c, slot)
    if code != OK:
        return code
    instrument = order_instrument(s, slot)
    terms = &s.pool.terms[slot]
    limits = s.ledger.instruments[instrument].limits
    if not triggers_reserve(&s.triggers[instrument], terms.source, False) or (limits != NULL and not limits_room(limits, c.account)):
        return TOO_MANY_ORDERS
    if limits != NULL:
        if limits_full(limits, c.account, s.clock_ns, &s.log.fault):
            return TOO_MANY_MESSAGES
        limits_count(limits, c.account, s.clock_ns, &s.log.fault)
    triggers_move(&s.triggers[instrument], &s.pool, slot, c.trigger_ticks)
    emit_trigger_moved(
        &s.log, side=s.pool.orders[slot].side, account=c.account, instrument=instrument, order_id=s.pool.orders[slot].order_id,
        trigger_ticks=c.trigger_ticks)
    receipt.order_id = s.pool.orders[slot].order_id
    must(s.pool.orders[slot].state & DORMANT and terms.trigger_ticks == c.trigger_ticks, ORD_4, &s.log.fault)
    if trigger_reached(trigger_direction(s.pool.orders[slot].side, terms.kind), c.trigger_ticks,
                       watched_ticks(s, instrument, terms.source)) and (
            s.ledger.instruments[instrument].listing == TRADING and not s.pool.orders[slot].state & UNARMED):
        if not triggers_due(&s.triggers[instrument], &s.pool, &s.due, slot):
            s.log.fault = 2
    return OK


cdef int _amend_within_limits(State* s, int32_t slot, int64_t size_lots, int64_t price_ticks, Receipt* receipt) noexcept nogil:
    """Amends an order of an instrument that has limits; an accepted amendment counts as a message."""
    cdef Order* order = &s.pool.orders[slot]
    cdef Instrument* ins = &s.ledger.instruments[order_instrument(s, slot)]
    cdef uint32_t account = order.account
    cdef int type = TRIGGER_ORDER if order.state & DORMANT else LIMIT_ORDER
    cdef int code = check_limits(s, ins, type, size_lots, price_ticks, order.flags)
    if code == OK and not limits_room(ins.limits, account):
        code = TOO_MANY_ORDERS
    if code == OK and limits_full(ins.limits, account, s.clock_ns, &s.log.fault):
        code = TOO_MANY_MESSAGES
    if code == OK:
        code = _amend_to(s, slot, size_lots, price_ticks, receipt)
    if code == OK:
        limits_count(ins.limits, account, s.clock_ns, &s.log.fault)
    must(code != OK or ins.limits.rate_limit == 0 or ins.limits.paces[account].count > 0, ORD_6, &s.log.fault)
    return code


cdef bint _child_may_have(State* s, int32_t slot, int64_t size_lots) noexcept nogil:
    """True if a child of a total size would close no more than its entry has filled."""
    cdef Order* order = &s.pool.orders[slot]
    cdef int32_t place = bracket_of(&s.pool, slot)
    if place == 0 or not order.flags & REDUCE_ONLY or s.brackets.items[place - 1].arm == FOLLOWS:
        return True
    return size_lots - (order.size_lots - order.remaining_lots) <= left_to_close(s, place)


cdef void _bound(State* s, uint64_t order_id, int64_t size_lots) noexcept nogil:
    """Lets a resting target grow to the total size to which it was amended."""
    cdef int32_t slot = pool_find(&s.pool, order_id)
    cdef int32_t place = bracket_of(&s.pool, slot) if slot >= 0 else 0
    must(size_lots > 0 or s.pool.orders[slot].state & DORMANT, ORD_3, &s.log.fault)
    if place and s.brackets.items[place - 1].target_id == order_id and not s.pool.orders[slot].state & DORMANT:
        s.brackets.items[place - 1].most_lots = size_lots


cdef int amend(State* s, const AmendOrder* c, Receipt* receipt) noexcept nogil:
    """Executes AMEND. A smaller size keeps its place in the queue; any other change takes a new place."""
    cdef int64_t price, size
    cdef int32_t slot
    cdef int code = find_own(s, c.account, c.order_id, c.client_id, &slot)
    if code == OK:
        code = CALL_FROZEN if is_frozen(s, slot) else _check_amendment(s, c, slot, &price, &size)
    if code != OK:
        return code
    if c.size_lots != 0 and not _child_may_have(s, slot, size):
        return CHILD_TOO_LARGE
    must(s.pool.orders[slot].account == c.account and not s.pool.orders[slot].flags & HOUSE_ORDER, ORD_1, &s.log.fault)
    if s.ledger.instruments[order_instrument(s, slot)].limits != NULL:
        code = _amend_within_limits(s, slot, size, price, receipt)
    else:
        code = _amend_to(s, slot, size, price, receipt)
    if code == OK and s.brackets.count > 0:
        _bound(s, receipt.order_id, size)
    return code
