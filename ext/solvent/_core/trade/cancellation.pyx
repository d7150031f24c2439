"""Cancellations; the contract is in cancellation.pxd."""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from solvent._core.market.order_pool cimport EXTENDED, LIVE, Order, pool_find
from solvent._core.market.timers cimport TIMERS_MAX, Timer, Timers, timers_add, timers_drop, timers_find, timers_room
from solvent._core.market.expiries cimport expiries_add, expiries_due, expiries_remove, expiries_reserve
from solvent._core.base.clauses cimport BOOK_5, ORD_1, must
from solvent._core.base.money cimport max64
from solvent._core.base.pool cimport taken
from solvent._core.base.schema cimport (
    BAD_FLAGS, BAD_SIDE, BAD_TAG, BAD_TIMEOUT, CALL_FROZEN, CANCELLED, DISCONNECTED, EXPIRED, HOUSE_ORDER,
    MASS_CANCELLED, NOBODY, NO_INSTRUMENT, OK, REDUCE_ONLY, TIMEOUT, TOO_MANY_TIMERS, UNKNOWN_ACCOUNT,
    UNKNOWN_INSTRUMENT,
)
from solvent._core.trade.lifecycle cimport cancel
from solvent._core.trade.linked cimport settle
from solvent._core.trade.placement cimport known_account
from solvent._core.trade.state cimport Receipt, State, order_instrument
from solvent._core.base.commands cimport CancelOrder, Disconnect, MassCancel, SetTimer
from solvent._core.base.emit cimport emit_timed_out, emit_timer_set


# --- CANCEL, MASS_CANCEL, DISCONNECT -------------------------------------------------------------------

cdef int cancel_one(State* s, const CancelOrder* c, Receipt* receipt) noexcept nogil:
    cdef int32_t slot
    cdef int code = find_own(s, c.account, c.order_id, c.client_id, &slot)
    if code != OK:
        return code
    if is_frozen(s, slot):
        return CALL_FROZEN
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


cdef inline void _pick(State* s, const Filter* f, int32_t slot, uint64_t* found, int64_t* count) noexcept nogil:
    """Notes an order that passes the filters; `found` may be NULL, to count."""
    cdef Order* order = &s.pool.orders[slot]
    if not order.state & LIVE or order.flags & f.spares:
        return
    if f.account != NOBODY and order.account != f.account or (f.side != BOTH_SIDES and order.side != f.side):
        return
    if f.tag != 0 and not (order.state & EXTENDED and s.pool.terms[slot].tag == f.tag):
        return
    if f.instrument != NO_INSTRUMENT and order_instrument(s, slot) != f.instrument:
        return
    if f.keeps_frozen and is_frozen(s, slot):
        return
    must(order.order_id != 0 and (f.tag == 0 or s.pool.terms[slot].tag == f.tag), ORD_1, &s.log.fault)
    if found != NULL:
        found[count[0]] = order.order_id
    count[0] += 1


cdef int64_t _select(State* s, const Filter* f, uint64_t* found) noexcept nogil:
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


cdef int64_t cancel_selected(State* s, const Filter* f, uint16_t reason) noexcept nogil:
    """Ends all live orders that pass the filters, oldest first. Returns their number."""
    cdef int64_t i
    cdef int64_t count = _select(s, f, NULL)
    cdef uint64_t* found
    if count == 0:
        return 0
    must(0 < count <= s.pool.high_water, BOOK_5, &s.log.fault)
    found = <uint64_t*>taken(<size_t>count * sizeof(uint64_t))
    if found == NULL:
        s.log.fault = 2
        return 0
    _select(s, f, found)
    must(found[0] != 0 and found[count - 1] != 0, ORD_1, &s.log.fault)
    qsort(found, count, sizeof(uint64_t), &_by_id)
    for i in range(count):
        cancel(s, pool_find(&s.pool, found[i]), reason)
        must(pool_find(&s.pool, found[i]) < 0, ORD_1, &s.log.fault)
        must(i == 0 or found[i - 1] < found[i], ORD_1, &s.log.fault)
    free(found)
    return count


cdef inline void _filter(Filter* f, uint32_t account, uint32_t instrument, uint16_t tag) noexcept nogil:
    """Selects orders of both sides; the house's are left."""
    f.account = account
    f.instrument = instrument
    f.tag = tag
    f.side = BOTH_SIDES
    f.spares = HOUSE_ORDER
    f.keeps_frozen = False


cdef int _check_names(State* s, uint32_t account, uint32_t instrument) noexcept nogil:
    if account != NOBODY and not known_account(s, account):
        return UNKNOWN_ACCOUNT
    if instrument != NO_INSTRUMENT and instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    return OK


cdef int cancel_many(State* s, const MassCancel* c, Receipt* receipt) noexcept nogil:
    """Executes MASS_CANCEL, oldest order first. The answer's filled_lots are the number of cancelled orders. An owner's orders
    in a call that is about to end are passed over."""
    cdef Filter f
    cdef int code = _check_names(s, c.account, c.instrument)
    if code != OK:
        return code
    if c.side > BOTH_SIDES:
        return BAD_SIDE
    _filter(&f, c.account, c.instrument, 0)
    f.side = c.side
    f.keeps_frozen = c.account != NOBODY
    receipt.filled_lots = cancel_selected(s, &f, MASS_CANCELLED)
    must(receipt.filled_lots >= 0 and f.spares == HOUSE_ORDER, ORD_1, &s.log.fault)
    return OK


cdef int disconnect(State* s, const Disconnect* c, Receipt* receipt) noexcept nogil:
    """Executes DISCONNECT, oldest order first. The answer's filled_lots are the number of cancelled orders."""
    cdef Filter f
    cdef int code = _check_names(s, c.account, NO_INSTRUMENT)
    if code != OK:
        return code
    if c.tag == 0:
        return BAD_TAG
    _filter(&f, c.account, NO_INSTRUMENT, c.tag)
    receipt.filled_lots = cancel_selected(s, &f, DISCONNECTED)
    must(receipt.filled_lots >= 0 and f.tag != 0, ORD_1, &s.log.fault)
    return OK


# --- Time ----------------------------------------------------------------------------------------------

cdef void _stop(State* s, int32_t index) noexcept nogil:
    must(s.expiries.timers.items[index].place >= 0, ORD_1, &s.log.fault)
    expiries_remove(&s.expiries, &s.pool, ~index)
    timers_drop(&s.expiries.timers, index)


cdef int set_timer(State* s, const SetTimer* c) noexcept nogil:
    """Executes TIMER: sets one, sets it anew, or switches it off."""
    cdef Timers* timers = &s.expiries.timers
    cdef int code = UNKNOWN_ACCOUNT if c.account == NOBODY else _check_names(s, c.account, c.instrument)
    cdef int32_t index, held
    if code != OK:
        return code
    if c.spares & ~REDUCE_ONLY:
        return BAD_FLAGS
    if c.timeout_ns < 0 or c.timeout_ns > INT64_MAX - max64(0, c.time_ns):
        return BAD_TIMEOUT
    index = timers_find(timers, c.account, c.instrument, c.tag, &held)
    must(-1 <= index < timers.used and held <= TIMERS_MAX, ORD_1, &s.log.fault)
    if index < 0 and c.timeout_ns != 0:
        if held >= TIMERS_MAX or not (timers_room(timers) and expiries_reserve(&s.expiries)):
            return TOO_MANY_TIMERS
        index = timers_add(timers, c.account, c.instrument, c.tag)
    elif index >= 0 and c.timeout_ns != 0:
        expiries_remove(&s.expiries, &s.pool, ~index)
    elif index >= 0:
        _stop(s, index)
    if c.timeout_ns != 0:
        timers.items[index].deadline_ns = c.time_ns + c.timeout_ns
        timers.items[index].spares = c.spares
        expiries_add(&s.expiries, &s.pool, ~index)
        must(timers.items[index].place >= 0 and timers.items[index].deadline_ns > s.clock_ns, ORD_1, &s.log.fault)
    emit_timer_set(
        &s.log, account=c.account, instrument=c.instrument, tag=c.tag, spares=c.spares,
        deadline_ns=c.time_ns + c.timeout_ns if c.timeout_ns else 0)
    return OK


cdef void _time_out(State* s, int32_t index) noexcept nogil:
    """Cancels what a timer is set for, and forgets the timer."""
    cdef Timer timer = s.expiries.timers.items[index]
    cdef Filter f
    must(timer.deadline_ns <= s.clock_ns and timer.account != NOBODY, ORD_1, &s.log.fault)
    _stop(s, index)
    emit_timed_out(
        &s.log, account=timer.account, instrument=timer.instrument, tag=timer.tag, deadline_ns=timer.deadline_ns)
    _filter(&f, timer.account, timer.instrument, timer.tag)
    f.spares |= timer.spares
    cancel_selected(s, &f, TIMEOUT)


cdef void reach_dates(State* s) noexcept nogil:
    """Works off the dates of orders and the deadlines of timers by their instants; at one instant dates come first."""
    cdef int32_t item
    while expiries_due(&s.expiries, &s.pool, s.clock_ns):
        item = s.expiries.heap[0]
        if item < 0:
            _time_out(s, ~item)
        else:
            cancel(s, item, EXPIRED)
        settle(s)
        must(s.expiries.count == 0 or s.expiries.heap[0] != item, ORD_1, &s.log.fault)
