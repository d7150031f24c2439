"""Amendments and cancellations; the contract is in amendment.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from solvent._core.market.order_pool cimport DORMANT, EXTENDED, LIVE, ExtendedTerms, Order, pool_find
from solvent._core.market.book cimport book_room
from solvent._core.market.peaks cimport is_whole, peaks_room
from solvent._core.market.client_ids cimport client_ids_find
from solvent._core.market.triggers cimport (
    first_trigger, trigger_direction, trigger_reached, triggers_due, triggers_move, triggers_reserve,
)
from solvent._core.trade.order_margin cimport reducible, within_band
from solvent._core.trade.shapes cimport parts_fit, shows_all
from solvent._core.trade.placement cimport admit, check_limits, known_account, execute_and_rest
from solvent._core.account.ledger cimport OpenSide, Position
from solvent._core.base.clauses cimport ORD_1, ORD_3, ORD_4, ORD_6, must
from solvent._core.base.pool cimport taken
from solvent._core.base.schema cimport (
    AMENDED, AMEND_BELOW_FILLED, AMEND_NOTHING, BAD_PRICE, BAD_SHAPE, BAD_SIDE, BAD_SIZE, BAD_TRIGGER, CANCELLED, CLOSE_POSITION, HOUSE_ORDER,
    LIMIT_ORDER, MARKET, MASS_CANCELLED, NOBODY, NOT_IN_CALL, NO_INSTRUMENT, NO_PEG, OK, PRICE_BAND, REDUCE_ONLY, REFUSE_REACHED,
    SHAPED_ORDER, TOO_MANY_MESSAGES, TOO_MANY_ORDERS, TRADING, TRIGGER_ORDER, TRIGGER_REACHED, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, UNKNOWN_ORDER,
)
from solvent._core.trade.lifecycle cimport cancel, requeue, replaced_event, shrink, ticket_of_order
from solvent._core.trade.watching cimport watched_ticks
from solvent._core.trade.holds cimport order_exposure, order_price
from solvent._core.trade.state cimport Receipt, State, Ticket, order_instrument
from solvent._core.base.emit cimport emit_trigger_moved
from solvent._core.contract.order_limits cimport OrderLimits, limits_count, limits_full, limits_room
from solvent._core.contract.valuation cimport Instrument
from solvent._core.base.commands cimport AmendOrder, AmendTrigger, CancelOrder, MassCancel

cdef inline int _find_own(State* s, uint32_t account, uint64_t order_id, uint64_t client_id, int32_t* slot) noexcept nogil:
    """Returns the slot of the sender's live order, by order id, else by client id."""
    if not known_account(s, account):
        return UNKNOWN_ACCOUNT
    if order_id == 0 and client_id != 0:
        order_id = client_ids_find(&s.client_ids, account, client_id)
    slot[0] = pool_find(&s.pool, order_id)
    if slot[0] < 0 or s.pool.orders[slot[0]].account != account:
        return UNKNOWN_ORDER
    must(s.pool.orders[slot[0]].state & LIVE, ORD_1, &s.log.fault)
    return OK


# --- CANCEL, MASS_CANCEL -------------------------------------------------------------------------------

cdef int cancel_one(State* s, const CancelOrder* c, Receipt* receipt) noexcept nogil:
    cdef int32_t slot
    cdef int code = _find_own(s, c.account, c.order_id, c.client_id, &slot)
    if code != OK:
        return code
    receipt.order_id = s.pool.orders[slot].order_id
    receipt.filled_lots = s.pool.orders[slot].size_lots - s.pool.orders[slot].remaining_lots
    must(s.pool.orders[slot].account == c.account, ORD_1, &s.log.fault)
    cancel(s, slot, CANCELLED)
    must(pool_find(&s.pool, receipt.order_id) < 0, ORD_1, &s.log.fault)
    return OK


cdef int _by_id(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<uint64_t*>left)[0]
    cdef uint64_t b = (<uint64_t*>right)[0]
    return -1 if a < b else (1 if a > b else 0)


cdef struct Filter:
    uint32_t account           # NOBODY: everyone's
    uint32_t instrument        # NO_INSTRUMENT: all
    uint8_t side               # BOTH_SIDES: both
    bint house                 # the house's orders too
    bint unseen                # only resting orders that do not always show all of their lots


cdef inline void _pick(State* s, Filter* f, int32_t slot, uint64_t* found, int64_t* count) noexcept nogil:
    """Notes an order that passes the filters; `found` may be NULL, to count."""
    cdef Order* order = &s.pool.orders[slot]
    if not order.state & LIVE or (order.flags & HOUSE_ORDER and not f.house):
        return
    if f.account != NOBODY and order.account != f.account or (f.side != BOTH_SIDES and order.side != f.side):
        return
    if f.instrument != NO_INSTRUMENT and order_instrument(s, slot) != f.instrument:
        return
    if f.unseen and (order.state & DORMANT or not order.state & EXTENDED or shows_all(&s.pool.terms[slot])):
        return
    if found != NULL:
        found[count[0]] = order.order_id
    count[0] += 1


cdef int64_t _select(State* s, Filter* f, uint64_t* found) noexcept nogil:
    """Counts the orders that pass the filters."""
    cdef int64_t count = 0
    cdef int32_t index, slot
    if s.bare or f.account == NOBODY:
        for slot in range(s.pool.high_water):
            _pick(s, f, slot, found, &count)
        return count
    index = s.ledger.accounts[f.account].first_position
    while index >= 0:
        slot = s.ledger.positions[index].first_order
        while slot >= 0:
            _pick(s, f, slot, found, &count)
            slot = s.pool.own[slot].next
        index = s.ledger.positions[index].next
    return count


cdef int64_t cancel_selected(State* s, uint32_t account, uint32_t instrument, uint8_t side, uint16_t reason, bint house) noexcept nogil:
    """Ends all live orders that pass the filters, oldest first. Returns their number."""
    cdef Filter f
    f.account, f.instrument, f.side, f.house, f.unseen = account, instrument, side, house, False
    return _cancel_filtered(s, &f, reason)


cdef void cancel_unseen(State* s, uint32_t instrument) noexcept nogil:
    """Ends the resting orders of an instrument that do not always show all of their lots: a call has none."""
    cdef Filter f
    f.account, f.instrument, f.side, f.house, f.unseen = NOBODY, instrument, BOTH_SIDES, False, True
    _cancel_filtered(s, &f, NOT_IN_CALL)
    must(s.books[instrument].careful == 0, ORD_1, &s.log.fault)
    must(s.books[instrument].wholes == 0, ORD_1, &s.log.fault)


cdef int64_t _cancel_filtered(State* s, Filter* f, uint16_t reason) noexcept nogil:
    cdef int64_t i, count
    cdef uint64_t* found
    count = _select(s, f, NULL)
    if count == 0:
        return 0
    found = <uint64_t*>taken(<size_t>count * sizeof(uint64_t))
    if found == NULL:
        s.log.fault = 2
        return 0
    _select(s, f, found)
    qsort(found, count, sizeof(uint64_t), &_by_id)
    for i in range(count):
        cancel(s, pool_find(&s.pool, found[i]), reason)
        must(pool_find(&s.pool, found[i]) < 0, ORD_1, &s.log.fault)
        must(i == 0 or found[i - 1] < found[i], ORD_1, &s.log.fault)
    free(found)
    return count


cdef int cancel_many(State* s, const MassCancel* c, Receipt* receipt) noexcept nogil:
    """Executes MASS_CANCEL, oldest order first. The answer's filled_lots are the number of cancelled orders."""
    if c.account != NOBODY and not known_account(s, c.account):
        return UNKNOWN_ACCOUNT
    if c.instrument != NO_INSTRUMENT and c.instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    if c.side > BOTH_SIDES:
        return BAD_SIDE
    receipt.filled_lots = cancel_selected(s, c.account, c.instrument, c.side, MASS_CANCELLED, False)
    return OK


# --- AMEND ---------------------------------------------------------------------------------------------

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
    if price_ticks[0] < (0 if order.flags & MARKET else 1) or price_ticks[0] > ins.max_price_ticks or (
            c.price_ticks != 0 and order.state & DORMANT and (s.pool.terms[slot].slippage_ppb != 0 or s.pool.terms[slot].peg != NO_PEG)):
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
    if not s.bare:
        p = &s.ledger.positions[order.holder]
        if order.flags & REDUCE_ONLY and price_ticks == order_price(s, slot) and reducible(s, &t, p) <= order.remaining_lots:
            return AMEND_NOTHING        # a larger size would be cut to the present one: the order keeps its place
        order_exposure(s, slot, &standing)
    code = admit(s, &t, p, &standing)
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
    cdef int code = _find_own(s, c.account, c.order_id, c.client_id, &slot)
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
                       watched_ticks(s, instrument, terms.source)) and s.ledger.instruments[instrument].listing == TRADING:
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


cdef int amend(State* s, const AmendOrder* c, Receipt* receipt) noexcept nogil:
    """Executes AMEND. A smaller size keeps its place in the queue; any other change takes a new place."""
    cdef int64_t price, size
    cdef int32_t slot
    cdef int code = _find_own(s, c.account, c.order_id, c.client_id, &slot)
    if code == OK:
        code = _check_amendment(s, c, slot, &price, &size)
    if code != OK:
        return code
    must(s.pool.orders[slot].account == c.account and not s.pool.orders[slot].flags & HOUSE_ORDER, ORD_1, &s.log.fault)
    if s.ledger.instruments[order_instrument(s, slot)].limits != NULL:
        return _amend_within_limits(s, slot, size, price, receipt)
    return _amend_to(s, slot, size, price, receipt)
