"""The bytes behind the digest; the contract is in canonical.pxd."""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.long cimport PyLong_AsUnsignedLongLongMask
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset
from solvent._core.account.fees cimport VOLUME_DAYS, Volume, volume_at
from solvent._core.account.ledger cimport FIRST_USER, Ledger, Parcel, Position, wallet_of
from solvent._core.account.parcels cimport parcels_left
from solvent._core.base.pool cimport taken
from solvent._core.base.schema cimport AT_PREVIOUS, BY_DRAWDOWN, BY_FRACTION, NAME_BYTES, REDUCE_ONLY, SHAPED_ORDER
from solvent._core.contract.order_limits cimport OrderLimits, Pace
from solvent._core.contract.price_model cimport prices_state
from solvent._core.contract.valuation cimport Instrument, in_call
from solvent._core.market.book cimport Book
from solvent._core.market.peaks cimport Steps, is_pegged, steps_begin, steps_next
from solvent._core.market.client_ids cimport CLIENT_ID_WINDOW, ClientKey
from solvent._core.market.order_pool cimport DORMANT, EXTENDED, PARKED, ExtendedTerms, Order, pool_find
from solvent._core.market.brackets cimport Bracket
from solvent._core.market.timers cimport Timer, Timers, timer_before
from solvent._core.trade.linked cimport size_of
from solvent._core.trade.holds cimport order_price
from solvent._core.trade.state cimport State, order_instrument

cdef enum:
    CHUNK_WORDS = 8192


cdef class Writer:
    """Numbers as little-endian words, handed on in chunks."""

    def __init__(self, take):
        self.take = take
        self.chunk = bytearray(CHUNK_WORDS * sizeof(int64_t))
        self.words = <int64_t*>PyByteArray_AS_STRING(self.chunk)

    cdef int put(self, int64_t number) except -1:
        self.words[self.count] = number
        self.count += 1
        if self.count == CHUNK_WORDS:
            self.flush()
        return 0

    cdef int put_all(self, numbers) except -1:
        for number in numbers:
            self.put(number)
        return 0

    cdef int flush(self) except -1:
        """Hands on what has been written so far."""
        if self.count:
            self.take(memoryview(self.chunk)[:self.count * sizeof(int64_t)])
            self.count = 0
        return 0


cdef void order_words(State* s, int32_t slot, int64_t* row) noexcept nogil:
    """Finds the numbers of a live order."""
    cdef Order* o = &s.pool.orders[slot]
    cdef ExtendedTerms* t = &s.pool.terms[slot]
    row[0], row[1], row[2], row[3] = <int64_t>o.order_id, o.account, order_instrument(s, slot), o.side
    row[4], row[5], row[6], row[7] = order_price(s, slot), o.remaining_lots, o.size_lots, <int64_t>o.client_id
    row[8], row[9], row[10], row[11] = o.flags, o.tif, o.open_loss_ticks, 1 if o.state & DORMANT else 0
    memset(&row[12], 0, (ORDER_WORDS - 12) * sizeof(int64_t))
    if o.state & EXTENDED:
        row[12], row[13], row[14], row[15] = t.trigger_ticks, t.trail, t.extreme_ticks, t.slippage_ppb
        row[16], row[17], row[18], row[19] = t.expiry_ns, t.stp_group, t.source, t.kind
        row[20], row[21], row[22] = t.trigger_flags, t.stp_mode, t.leg
        if t.bracket and o.state & DORMANT and o.flags & REDUCE_ONLY:      # a child shows the size that it has now
            row[5] = row[6] = size_of(s, slot)


cdef bint is_shaped(State* s, int32_t slot) noexcept nogil:
    """True if an order has a shape, or waits for its activation, or did."""
    cdef Order* o = &s.pool.orders[slot]
    return o.state & EXTENDED != 0 and (o.flags & SHAPED_ORDER != 0 or s.pool.terms[slot].activation_ticks != 0)


cdef void shape_words(State* s, int32_t slot, int64_t* row) noexcept nogil:
    """Finds the numbers of a live order's shape; zeros for one that has none."""
    cdef ExtendedTerms* t = &s.pool.terms[slot]
    memset(row, 0, SHAPE_WORDS * sizeof(int64_t))
    if s.pool.orders[slot].state & EXTENDED:
        row[0], row[1], row[2], row[3], row[4] = t.activation_ticks, t.step_ticks, t.offset_ticks, t.peg, t.shape_flags
        row[5], row[6], row[7] = t.rises, t.display_lots, t.hidden_lots


cdef int _put_order(State* s, int32_t slot, Writer out) except -1:
    """Writes an order, and its shape if it has one."""
    cdef int64_t row[ORDER_WORDS + SHAPE_WORDS]
    cdef int i
    if is_shaped(s, slot):
        order_words(s, slot, row)
        shape_words(s, slot, row + ORDER_WORDS)
        for i in range(ORDER_WORDS + SHAPE_WORDS):
            out.put(row[i])
        if is_pegged(&s.pool, slot):
            out.put(s.pool.terms[slot].limit_ticks)
        return 0
    if out.count + ORDER_WORDS <= CHUNK_WORDS - 1:
        order_words(s, slot, out.words + out.count)
        out.count += ORDER_WORDS
        return 0
    order_words(s, slot, row)
    for i in range(ORDER_WORDS):
        out.put(row[i])
    return 0


cdef int _put_resting(State* s, uint32_t instrument, Writer out) except -1:
    """Bids best first and in time order, then asks."""
    cdef Book* book = &s.books[instrument]
    cdef int64_t count = 0
    cdef int32_t slot
    cdef int side
    cdef Steps steps
    for side in range(2):
        steps_begin(book, side, &steps)
        while steps_next(book, &steps):
            count += steps.book.levels[steps.level].count
    out.put(count)
    for side in range(2):
        steps_begin(book, side, &steps)
        while steps_next(book, &steps):
            slot = steps.book.levels[steps.level].head
            while slot >= 0:
                _put_order(s, slot, out)
                slot = s.pool.orders[slot].next
    return 0


cdef int64_t unqueued(State* s, uint32_t instrument) noexcept nogil:
    """Returns the number of an instrument's dormant and parked orders."""
    cdef int64_t count = s.triggers[instrument].count
    cdef int32_t i
    for i in range(s.triggers[instrument].pegged_count):
        count += s.pool.orders[pool_find(&s.pool, s.triggers[instrument].pegged[i])].state & PARKED != 0
    return count


cdef int _by_id(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<uint64_t*>left)[0]
    cdef uint64_t b = (<uint64_t*>right)[0]
    return -1 if a < b else (1 if a > b else 0)


cdef int _put_dormant(State* s, uint32_t instrument, Writer out) except -1:
    """Dormant and parked orders by id. An order's id ends with its slot."""
    cdef int64_t count = unqueued(s, instrument)
    cdef int64_t found = 0
    cdef uint64_t* ids
    cdef int32_t slot
    out.put(count)
    if count == 0:
        return 0
    ids = <uint64_t*>taken(count * sizeof(uint64_t))
    if ids == NULL:
        raise MemoryError
    try:
        for slot in range(s.pool.high_water):
            if s.pool.orders[slot].state & (DORMANT | PARKED) and order_instrument(s, slot) == instrument:
                ids[found] = s.pool.orders[slot].order_id
                found += 1
        qsort(ids, found, sizeof(uint64_t), &_by_id)
        for found in range(count):
            _put_order(s, pool_find(&s.pool, ids[found]), out)
    finally:
        free(ids)
    return 0


cdef int _put_volumes(State* s, Writer out) except -1:
    """The volumes of every account and currency that has traded: account, currency, day, today, the days oldest first. All are
    of the clock's day: who looked at one since its last trade makes no difference."""
    cdef uint32_t account, currency
    cdef Volume* v
    cdef int i
    for account in range(s.fees.accounts if s.fees.accounts < s.ledger.account_count else s.ledger.account_count):
        for currency in range(s.ledger.currency_count):
            v = &s.fees.volumes[<size_t>account * s.ledger.currency_count + currency]
            if v.today or v.total:
                v = volume_at(&s.fees, &s.ledger, account, currency, s.clock_ns)
            if v.today or v.total:
                out.put(account)
                out.put(currency)
                out.put(v.day)
                out.put(v.today)
                for i in range(VOLUME_DAYS):
                    out.put(v.days[(v.next + i) % VOLUME_DAYS])
    return 0


cdef int _put_messages(OrderLimits* limits, Writer out) except -1:
    """The messages that count, by account: how many, and their window; rolling: their times, oldest first."""
    cdef int64_t k, account
    cdef int64_t* ring
    cdef Pace* pace
    for account in range(limits.pace_capacity):
        pace = &limits.paces[account]
        if pace.count == 0:
            continue
        out.put(account)
        out.put(pace.count)
        if not limits.rolling:
            out.put(pace.window)
            continue
        ring = &limits.times[(pace.ring - 1) * <int64_t>limits.rate_limit]
        for k in range(pace.window, pace.window + pace.count):
            out.put(ring[k if k < limits.rate_limit else k - limits.rate_limit])
    return 0


cdef int _put_ledger(State* s, Writer out) except -1:
    """Masters, cash, prices and positions."""
    cdef Ledger* l = &s.ledger
    cdef Instrument* ins
    cdef Position* p
    cdef uint32_t account, i
    cdef int32_t index
    for account in range(FIRST_USER, l.account_count):
        out.put(l.accounts[account].parent)
    if s.rules.partial == BY_FRACTION:
        for account in range(FIRST_USER, l.account_count):
            out.put(l.accounts[account].cooling_ns)
    if s.rules.adl_trigger == BY_DRAWDOWN:
        out.put(l.past.count)
        for index in range(l.past.count):
            out.put_all((l.past.values[index].currency, l.past.values[index].since_ns, l.past.values[index].end_ns))
            out.put(l.past.values[index].units)
    for account in range(l.account_count):
        for i in range(l.currency_count):
            out.put(wallet_of(l, account, i).cash_units)
    for i in range(l.instrument_count):
        ins = &l.instruments[i]
        out.put_all((ins.mark_ticks, ins.last_ticks, ins.index_ticks, <int64_t>ins.funding_period, ins.listing))
        if s.rules.adl_price == AT_PREVIOUS:
            out.put(ins.prior_mark_ticks)
        if in_call(ins):
            out.put_all((ins.ends_ns, ins.then_listing, ins.extensions, ins.told.price_ticks, ins.told.lots))
            out.put(ins.told.surplus_lots)
        if s.prices[i].sample_ns:
            for number in prices_state(&s.prices[i]):
                out.put(<int64_t>PyLong_AsUnsignedLongLongMask(number))
        if ins.limits != NULL:
            _put_messages(ins.limits, out)
    for account in range(FIRST_USER, l.account_count):
        index = l.accounts[account].first_position
        while index >= 0:
            p = &l.positions[index]
            out.put(account)
            out.put(p.instrument)
            out.put(p.leg)
            out.put(p.size_lots)
            out.put(p.cost_units)
            out.put(p.margin_units)
            out.put(p.leverage.times)
            out.put(p.leverage.parts)
            out.put(p.chosen_tier)
            out.put(p.mode)
            out.put(p.stuck)
            out.put(p.hedged)
            index = p.next
    return 0


cdef int _due_first(const void* left, const void* right) noexcept nogil:
    cdef Timer* a = <Timer*>left
    cdef Timer* b = <Timer*>right
    if a.deadline_ns != b.deadline_ns:
        return -1 if a.deadline_ns < b.deadline_ns else 1
    return -1 if timer_before(a, b) else 1


cdef list timer_rows(State* s):
    """Returns (deadline, account, instrument, tag, spares) of each timer, in the order in which they are due."""
    cdef Timers* timers = &s.expiries.timers
    cdef Timer* found = <Timer*>taken((timers.used + 1) * sizeof(Timer))
    cdef int32_t i, count = 0
    if found == NULL:
        raise MemoryError
    try:
        for i in range(timers.used):
            if timers.items[i].place >= 0:
                found[count] = timers.items[i]
                count += 1
        qsort(found, count, sizeof(Timer), &_due_first)
        return [(found[i].deadline_ns, found[i].account, found[i].instrument, found[i].tag, found[i].spares) for i in range(count)]
    finally:
        free(found)


cdef list bracket_rows(State* s):
    """Returns (entry, target, stop, filled lots, closed lots, most lots, arm) of each bracket, in this order."""
    cdef Bracket* each
    cdef int32_t i
    rows = []
    for i in range(s.brackets.used):
        each = &s.brackets.items[i]
        if each.used:
            rows.append((each.entry_id, each.target_id, each.stop_id, each.filled_lots, each.closed_lots, each.most_lots, each.arm))
    return sorted(rows)


cdef int _put_links(State* s, Writer out) except -1:
    """Writes timers in the order in which they are due, tags by order, and brackets; nothing where there are none."""
    cdef list timers = timer_rows(s)
    cdef list tags = []
    cdef int32_t slot
    for slot in range(s.pool.terms_high_water):
        if s.pool.orders[slot].state & EXTENDED and s.pool.terms[slot].tag:
            tags.append((s.pool.orders[slot].order_id, s.pool.terms[slot].tag))
    if not (timers or tags or s.brackets.count):
        return 0
    out.put(len(timers))
    for row in timers:
        out.put_all(row)
    out.put(len(tags))
    for row in sorted(tags):
        out.put_all(row)
    if s.brackets.count:
        out.put(s.brackets.count)
        for row in bracket_rows(s):
            out.put_all(row)
    return 0


cdef int write_state(State* s, bytes config, list names, Writer out) except -1:
    """Writes the configuration, the names, and all numbers."""
    cdef uint32_t i
    cdef int64_t k
    cdef Parcel* parcel
    cdef ClientKey* key
    cdef bytes name
    out.take(config)
    for name in names:
        out.take(name.ljust(NAME_BYTES, b"\0"))
    out.put(s.clock_ns)
    out.put(<int64_t>s.order_count)
    out.put(s.ledger.next_parcel_id)
    out.put(len(names))
    _put_ledger(s, out)
    for i in range(s.ledger.instrument_count):
        _put_resting(s, i, out)
        _put_dormant(s, i, out)
    out.put(parcels_left(&s.ledger))
    for k in range(s.ledger.parcel_count):
        parcel = &s.ledger.parcels[k]
        if parcel.size_lots == 0:
            continue
        out.put_all((parcel.parcel_id, parcel.instrument, parcel.size_lots, parcel.cost_units, parcel.bankruptcy_ticks))
        out.put(<int64_t>parcel.order_id)
        out.put(parcel.origin)
    _put_volumes(s, out)
    out.put(s.pool.high_water)
    out.put(s.pool.free_count)
    for k in range(s.pool.free_count):
        out.put(s.pool.free_stack[k])
    out.put(s.client_ids.count)
    for k in range(s.client_ids.count):
        key = &s.client_ids.finished[(s.client_ids.first + k) & (CLIENT_ID_WINDOW - 1)]
        out.put(key.account)
        out.put(<int64_t>key.client_id)
        out.put(<int64_t>key.order_id)
    _put_links(s, out)
    return out.flush()
