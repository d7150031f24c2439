"""Ranges of a state from outside; the contract is in sound.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from solvent._core.account.fund_past cimport FundValue
from solvent._core.account.ledger cimport ACCOUNTS_MAX, FIRST_USER, Account, Collateral, Ledger, Parcel, Position, Wallet
from solvent._core.account.margin cimport STEPS_MAX
from solvent._core.base.schema cimport (
    ALLOW, BUY, BY_INDEX, CALL_BEYOND, FACTOR, FOLLOWS, HIDDEN, HOUSE_ORDER, ISOLATED, MIDWAY, NET, OK, ONLY_CANCEL, PEG_TRIGGER,
    QUANTO, REDUCE_ONLY, SELL, SHAPED_ORDER, SHORT, SOURCES, TRAIL_RATE,
)
from solvent._core.contract.order_limits cimport MESSAGES_MAX, OrderLimits, Pace
from solvent._core.contract.price_model cimport SOURCES_MAX, Prices, Ring
from solvent._core.contract.valuation cimport Instrument, in_call
from solvent._core.liquidation.case cimport RESIDUAL
from solvent._core.market.book cimport BOOK_ITEMS_MAX, CACHE, NONE, Book, Half, Level, lowest_bit
from solvent._core.market.client_ids cimport FINISHED_PLACE, CLIENT_ID_WINDOW, ClientIds
from solvent._core.market.order_pool cimport DORMANT, DUE, EXTENDED, LIVE, ORDERS_MAX, PARKED, ExtendedTerms, Links, Order
from solvent._core.market.order_pool cimport DORMANT, DUE, EXTENDED, LIVE, ORDERS_MAX, PARKED, UNARMED, ExtendedTerms, Links, Order
from solvent._core.market.brackets cimport Bracket, Brackets
from solvent._core.market.timers cimport Timer, Timers
from solvent._core.market.triggers cimport PEGGED_MAX, TRAILING_MAX, Triggers
from solvent._core.trade.state cimport State, order_instrument

cdef enum:
    # rendered: limits
    INSTRUMENTS_MAX = 4096
    CURRENCIES_MAX = 65536
    # rendered: end
    DECIMALS_MAX = 18


cdef inline bint _in(int64_t number, int64_t lowest, int64_t highest) noexcept nogil:
    return lowest <= number <= highest


cdef inline bint _index(int64_t number, int64_t count) noexcept nogil:
    """True if a number is an index below `count`, or -1: none."""
    return -1 <= number < count


# --- Before the blocks ---------------------------------------------------------------------------------

cdef bint _sound_client_ids(ClientIds* ids) noexcept nogil:
    return (_in(ids.capacity, 64, <int64_t>1 << 40) and ids.capacity & (ids.capacity - 1) == 0
            and _in(ids.used, 0, ids.capacity >> 2) and _in(ids.count, 0, ids.used) and ids.count <= CLIENT_ID_WINDOW
            and _in(ids.finished_capacity, 0, CLIENT_ID_WINDOW) and _in(ids.room, ids.used, ids.capacity >> 2)
            and (ids.finished_capacity == CLIENT_ID_WINDOW or ids.room <= ids.finished_capacity)
            and _in(ids.first, 0, CLIENT_ID_WINDOW - 1) and (ids.first == 0 or ids.count == CLIENT_ID_WINDOW)
            and _in(ids.texts_capacity, 0, ORDERS_MAX))


cdef bint _sound_timers(Timers* t) noexcept nogil:
    return (_in(t.capacity, 0, 1 << 28) and t.capacity & (t.capacity - 1) == 0 and _in(t.used, 0, t.capacity)
            and _in(t.free, 0, t.used))


cdef bint sound_head(State* s) noexcept nogil:
    """True if the counts of a state that has no blocks yet are within their limits."""
    cdef Ledger* l = &s.ledger
    cdef int i
    if not (_in(s.bare, 0, 1) and _in(s.modelled, 0, 1) and _in(s.fees.counts, 0, 1) and _in(s.looks, 0, 1) and s.log.fault == 0):
        return False
    if s.due.first or s.due.count or l.touched_count or not _sound_client_ids(&s.client_ids):
        return False
    if not (_in(l.currency_count, 1, CURRENCIES_MAX) and _in(l.instrument_count, 0, INSTRUMENTS_MAX)
            and _in(l.account_count, FIRST_USER, ACCOUNTS_MAX) and _in(l.collateral_count, 0, CURRENCIES_MAX)
            and l.position_count >= 0 and l.parcel_count >= 0 and l.past.count >= 0 and s.fees.accounts <= 2 * ACCOUNTS_MAX):
        return False
    if not (_in(s.pool.high_water, 0, ORDERS_MAX) and _in(s.pool.terms_high_water, 0, s.pool.high_water)
            and _in(s.pool.free_count, 0, s.pool.high_water)
            and _in(s.brackets.used, 0, ORDERS_MAX) and _in(s.brackets.count, 0, s.brackets.used)
            and _in(s.brackets.free, 0, s.brackets.used) and s.brackets.first == 0
            and _in(s.expiries.count, 0, <int64_t>s.pool.high_water + s.expiries.timers.used) and _sound_timers(&s.expiries.timers)):
        return False
    for i in range(STEPS_MAX):
        if s.rules.steps[i] > RESIDUAL:
            return False
    return s.rules.step_count <= STEPS_MAX and (not s.bare or l.instrument_count == 1)


# --- Blocks --------------------------------------------------------------------------------------------

cdef bint sound_accounts(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Account* a = <const Account*>items
    cdef int64_t i
    for i in range(count):
        if not _index(a[i].first_position, s.ledger.position_count) or a[i].parent >= s.ledger.account_count or a[i].touched:
            return False
        if not _in(a[i].cooling_ns, 0, s.clock_ns + s.rules.partial_cooldown_ns):
            return False
    return True


cdef bint sound_wallets(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Wallet* wallet = <const Wallet*>items
    cdef int64_t i
    for i in range(count):
        if wallet[i].noted_at > s.ledger.notes.readings:
            return False
    return True


cdef bint sound_positions(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Position* p = <const Position*>items
    cdef int64_t i
    for i in range(count):
        if p[i].account >= s.ledger.account_count or p[i].instrument >= s.ledger.instrument_count:
            return False
        if not (_index(p[i].next, s.ledger.position_count) and _index(p[i].other_leg, s.ledger.position_count)
                and _index(p[i].first_order, s.pool.high_water) and _index(p[i].first_reduce, s.pool.high_water)):
            return False
        if p[i].leg > SHORT or p[i].mode > ISOLATED or p[i].reduce_side > SELL or p[i].hedged > 1 or p[i].stuck > 1:
            return False
        if p[i].leverage.times < 1 or p[i].leverage.parts < 1 or p[i].chosen_tier < 0:
            return False
    return True


cdef bint sound_parcels(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Parcel* p = <const Parcel*>items
    cdef int64_t i
    for i in range(count):
        if p[i].instrument >= s.ledger.instrument_count or p[i].origin >= s.ledger.account_count or p[i].size_lots == 0:
            return False
    return True


cdef bint sound_collateral(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Collateral* c = <const Collateral*>items
    cdef int64_t i
    for i in range(count):
        if (c[i].currency >= s.ledger.currency_count or c[i].of >= s.ledger.currency_count or c[i].denominator < 1
                or c[i].instrument >= s.ledger.instrument_count):
            return False
    return True


cdef bint sound_past(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const FundValue* v = <const FundValue*>items
    cdef int64_t i
    for i in range(count):
        if (v[i].currency >= s.ledger.currency_count or v[i].units < 0 or v[i].since_ns > s.clock_ns or v[i].since_ns >= v[i].end_ns):
            return False
    return True


cdef bint sound_instruments(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Instrument* ins = <const Instrument*>items
    cdef int64_t i
    for i in range(count):
        if not (_in(ins[i].tier_count, 1, 1 << 20) and _in(ins[i].rates_count, 0, 1 << 8) and ins[i].fee_tier_count >= 0
                and ins[i].member_count >= 0 and ins[i].currency < s.ledger.currency_count and ins[i].units > 0):
            return False
        if ins[i].kind > QUANTO or ins[i].basis > NET or ins[i].scheme > FACTOR or ins[i].listing > ONLY_CANCEL or ins[i].then_listing > ONLY_CANCEL:
            return False
        if ins[i].calls.reference > BY_INDEX or ins[i].calls.tie > MIDWAY or ins[i].calls.beyond_band > CALL_BEYOND:
            return False
        if not (ins[i].max_price_ticks > 0 and ins[i].max_size_lots > 0 and _in(ins[i].decimals, 0, DECIMALS_MAX)
                and ins[i].mark_ticks >= 0 and ins[i].index_ticks >= 0 and ins[i].last_ticks >= 0):
            return False
    return True


cdef bint sound_limits(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const OrderLimits* l = <const OrderLimits*>items
    cdef bint windowed = l.rate_limit > 0
    if not (_in(l.rate_limit, 0, MESSAGES_MAX) and l.rolling <= 1 and l.most_orders >= 0 and (l.window_ns > 0) == windowed):
        return False
    return (_in(l.pace_capacity, 0, ACCOUNTS_MAX if windowed else 0) and _in(l.rings, 0, l.pace_capacity if l.rolling else 0)
            and _in(l.ring_capacity, l.rings, ACCOUNTS_MAX))


cdef bint sound_paces(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const OrderLimits* l = <const OrderLimits*>owner
    cdef const Pace* p = <const Pace*>items
    cdef int64_t i
    for i in range(count):
        if not (_in(p[i].count, 0, l.rate_limit) and p[i].window >= 0 and _in(p[i].ring, 0, l.rings)):
            return False
        if l.rolling and (p[i].window >= (l.rate_limit if p[i].count == l.rate_limit else 1) or (p[i].count > 0 and p[i].ring == 0)):
            return False
    return True


cdef bint sound_members(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const int32_t* index = <const int32_t*>items
    cdef int64_t i
    for i in range(count):
        if not _in(index[i], 0, s.ledger.position_count - 1):
            return False
    return True


cdef bint sound_slots(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const int32_t* slot = <const int32_t*>items
    cdef int64_t i
    for i in range(count):
        if not _in(slot[i], 0, s.pool.high_water - 1):
            return False
    return True


cdef bint sound_items(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const int32_t* item = <const int32_t*>items
    cdef int64_t i
    for i in range(count):
        if not _in(item[i], -<int64_t>s.expiries.timers.used, s.pool.high_water - 1):
            return False
    return True


cdef bint sound_heads(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const int32_t* head = <const int32_t*>items
    cdef int64_t i
    for i in range(count):
        if not _in(head[i], 0, s.expiries.timers.used):
            return False
    return True


cdef bint sound_timers(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Timer* t = <const Timer*>items
    cdef int64_t i
    for i in range(count):
        if not (_index(t[i].next, s.expiries.timers.used) and _index(t[i].place, s.expiries.count)
                and (t[i].spares & ~REDUCE_ONLY) == 0):
            return False
    return True


cdef bint sound_brackets(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Bracket* each = <const Bracket*>items
    cdef int64_t i
    for i in range(count):
        if not _in(each[i].next, 0, s.brackets.used) or each[i].arm > FOLLOWS or each[i].marked or each[i].used > 1:
            return False
    return True


cdef bint sound_orders(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Order* o = <const Order*>items
    cdef int64_t i
    for i in range(count):
        if o[i].state & LIVE and not (
                o[i].side <= SELL and _index(o[i].prev, s.pool.high_water) and _index(o[i].next, s.pool.high_water)
                and 0 <= o[i].remaining_lots <= o[i].size_lots and o[i].order_id & (ORDERS_MAX - 1) == <uint64_t>(first + i)
                and (o[i].flags & HOUSE_ORDER or _index(o[i].holder, s.ledger.position_count))
                and (s.bare or o[i].account < s.ledger.account_count) and (o[i].holder >= 0 or s.bare)):
            return False
    return True


cdef bint sound_terms(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const ExtendedTerms* t = <const ExtendedTerms*>items
    cdef int64_t i
    for i in range(count):
        if t[i].source >= SOURCES or t[i].kind > TRAIL_RATE or t[i].stp_mode > ALLOW or t[i].leg > SHORT:
            return False
        if t[i].timer < -1 or t[i].trailing < -1 or t[i].peg > PEG_TRIGGER or t[i].rises > 1 or t[i].hidden_lots < 0:
            return False
        if not _in(t[i].bracket, 0, s.brackets.used):
            return False
    return True


cdef bint sound_links(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Links* links = <const Links*>items
    cdef int64_t i
    for i in range(count):
        if not (_index(links[i].prev, s.pool.high_water) and _index(links[i].next, s.pool.high_water)):
            return False
    return True


cdef bint sound_places(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    """Counts the entries in `vacant`, which the next search overwrites."""
    cdef const uint64_t* entry = <const uint64_t*>items
    cdef uint64_t place
    cdef int64_t i
    if first == 0:
        s.client_ids.vacant = 0
    for i in range(count):
        if entry[i] != 0:
            place = <uint32_t>entry[i]
            s.client_ids.vacant += 1
            if place & FINISHED_PLACE:
                if <int64_t>(place ^ FINISHED_PLACE) >= s.client_ids.count:
                    return False
            elif not _in(<int64_t>place, 1, s.pool.high_water):
                return False
    return True


cdef bint sound_parents(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const int32_t* parent = <const int32_t*>items
    cdef int64_t i
    for i in range(count):
        if not _index(parent[i], (<const Book*>owner).nodes_used):
            return False
    return True


cdef bint sound_levels(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Level* level = <const Level*>items
    cdef const Book* b = <const Book*>owner
    cdef int64_t i
    for i in range(count):
        if not (_in(level[i].head, 0, s.pool.high_water - 1) and _in(level[i].tail, 0, s.pool.high_water - 1)
                and level[i].leaf >= NONE and level[i].leaf < (
                    b.nodes_used if b.nodes_used > b.levels_used else b.levels_used)):
            return False
    return True


cdef bint sound_books(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Book* b = <const Book*>items
    cdef const Half* half
    cdef int64_t i
    cdef int side, k
    for i in range(count):
        if not (_in(b[i].nodes_used, 2, BOOK_ITEMS_MAX) and _in(b[i].levels_used, 0, BOOK_ITEMS_MAX)
                and _in(b[i].depth, 1, 10) and _index(b[i].nodes_free, b[i].nodes_used)
                and _index(b[i].levels_free, b[i].levels_used) and _in(b[i].nodes_spare, 0, b[i].nodes_used)
                and _in(b[i].levels_spare, 0, b[i].levels_used) and b[i].careful >= 0
                and _in(b[i].wholes, 0, b[i].careful)):
            return False
        for side in range(2):
            half = &b[i].side[side]
            if not (_in(half.root, 0, b[i].nodes_used - 1) and _index(half.best, b[i].levels_used)
                    and half.turn == ((<int64_t>1 << (6 * b[i].depth)) - 1 if side == BUY else 0)):
                return False
            for k in range(CACHE):
                if half.cache[k].key != NONE and not _in(half.cache[k].node, 0, b[i].nodes_used - 1):
                    return False
    return True


cdef bint sound_triggers(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Triggers* t = <const Triggers*>items
    cdef int64_t i
    for i in range(count):
        if not (_in(t[i].trailing_count, 0, TRAILING_MAX) and _in(t[i].count, 0, s.pool.high_water) and _in(t[i].watches, 0, t[i].count)
                and _in(t[i].pegged_count, 0, PEGGED_MAX) and t[i].max_price_ticks > 0):
            return False
    return True


cdef bint _sound_ring(const Ring* r) noexcept nogil:
    return _in(r.size, 0, 1 << 24) and _in(r.count, 0, r.size) and (_in(r.next, 0, r.size - 1) or r.next == 0) and (
        r.count == r.size or r.next == r.count)


cdef bint sound_prices(State* s, const void* owner, const void* items, int64_t first, int64_t count) noexcept nogil:
    cdef const Prices* p = <const Prices*>items
    cdef int64_t i, k
    for i in range(count):
        if not (_sound_ring(&p[i].basis) and _sound_ring(&p[i].annual) and _sound_ring(&p[i].premiums)
                and _in(p[i].source_count, 0, SOURCES_MAX) and p[i].sample_ns >= 0 and p[i].interval_ns >= 0):
            return False
        if p[i].sample_ns and (p[i].basis.samples == NULL or p[i].annual.samples == NULL or p[i].premiums.samples == NULL):
            return False
        for k in range(p[i].source_count):
            if p[i].sources[k].group > 1 or p[i].sources[k].weight < 1:
                return False
    return True


# --- After the blocks ----------------------------------------------------------------------------------

cdef bint _sound_node(Book* b, int32_t node, int64_t key, int shift, int64_t* left) noexcept nogil:
    """True if the tree below a node is one: each node has one parent, each level stands at its key."""
    cdef uint64_t bits = b.bits[node]
    cdef int64_t below
    cdef int32_t child
    left[0] -= 1
    while bits != 0 and left[0] >= 0:
        below = key << 6 | lowest_bit(bits)
        child = b.child[node * <int64_t>64 + lowest_bit(bits)]
        bits &= bits - 1
        if shift == 0:
            if not _in(child, 0, b.levels_used - 1) or b.levels[child].leaf != node or b.levels[child].count < 1:
                return False
            if b.levels[child].price_ticks != below ^ b.side[0].turn and b.levels[child].price_ticks != below:
                return False
        elif not _in(child, 0, b.nodes_used - 1) or b.parent[child] != node:
            return False
        elif not _sound_node(b, child, below, shift - 6, left):
            return False
    return left[0] >= 0


cdef bint _sound_book(Book* b) noexcept nogil:
    cdef int64_t left = b.nodes_used
    cdef int32_t free
    cdef int side, steps = 0
    for side in range(2):
        if b.parent[b.side[side].root] != NONE or not _sound_node(b, b.side[side].root, 0, 6 * (b.depth - 1), &left):
            return False
    free = b.levels_free
    while free != NONE:
        steps += 1
        if steps > b.levels_spare or not _in(free, 0, b.levels_used - 1):
            return False
        free = b.levels[free].leaf
    if steps != b.levels_spare:
        return False
    free = b.nodes_free
    steps = 0
    while free != NONE:
        steps += 1
        if steps > b.nodes_spare:
            return False
        free = b.parent[free]
    return steps == b.nodes_spare


cdef bint _sound_order(State* s, int32_t slot) noexcept nogil:
    """True if a live order stands in a queue of its instrument, and its terms in the lists that they name."""
    cdef Order* o = &s.pool.orders[slot]
    cdef ExtendedTerms* terms = &s.pool.terms[slot]
    cdef uint32_t instrument
    cdef bint waits, dark
    cdef Book* book
    if (o.flags & HOUSE_ORDER and s.ledger.parcel_count == 0) or (o.state & EXTENDED and slot >= s.pool.terms_high_water):
        return False
    instrument = order_instrument(s, slot)
    if instrument >= s.ledger.instrument_count or o.state & DUE:
        return False
    waits = o.state & DORMANT and (o.state & UNARMED or terms.trail != 0 and terms.extreme_ticks == 0)     # in no book
    dark = o.flags & SHAPED_ORDER and o.state & EXTENDED and terms.shape_flags & HIDDEN
    book = s.triggers[instrument].books[terms.source] if o.state & DORMANT else s.books[instrument].dark if dark else &s.books[instrument]
    if o.state & PARKED and (o.state & DORMANT or o.level >= 0 or not o.flags & SHAPED_ORDER):
        return False
    if o.state & EXTENDED and terms.bracket and not s.brackets.items[terms.bracket - 1].used:
        return False
    if book == NULL or (o.flags & SHAPED_ORDER and not o.state & EXTENDED) or not _in(o.level, -1 if waits or o.state & PARKED else 0, book.levels_used - 1) or (o.state & DORMANT and not o.state & EXTENDED):
        return False
    if o.state & EXTENDED and terms.expiry_ns != 0 and not (
            _in(terms.timer, 0, s.expiries.count - 1) and s.expiries.heap[terms.timer] == slot):
        return False
    return not (o.state & DORMANT and terms.trailing >= 0 and not (
        terms.trailing < s.triggers[instrument].trailing_count
        and s.triggers[instrument].trailing[terms.trailing] == slot))


cdef bint _sound_chains(Timers* t) noexcept nogil:
    """True if the chains of the timers and the list of free ones end, and have each item once."""
    cdef int64_t left = t.used
    cdef int32_t i, index
    for i in range(t.capacity + 1):
        index = t.free - 1 if i == t.capacity else t.heads[i] - 1
        while index >= 0:
            left -= 1
            if left < 0 or (t.items[index].place < 0) != (i == t.capacity):
                return False
            if i < t.capacity and <int32_t>(t.items[index].account & <uint32_t>(t.capacity - 1)) != i:
                return False
            index = t.items[index].next
    return left == 0


cdef bint _sound_brackets(Brackets* b) noexcept nogil:
    """True if the list of free places ends, and has each place that is not used."""
    cdef int32_t left = b.used - b.count
    cdef int32_t place = b.free
    while place:
        left -= 1
        if left < 0 or b.items[place - 1].used:
            return False
        place = b.items[place - 1].next
    return left == 0


cdef bint sound_whole(State* s) noexcept nogil:
    """True if what points from one block into another stays within it."""
    cdef uint32_t i
    cdef int32_t slot, item
    cdef int32_t calls = 0
    cdef int source
    if s.client_ids.vacant != s.client_ids.used or (s.bare and s.pool.terms == NULL and s.pool.high_water):
        return False
    for i in range(s.ledger.instrument_count):
        calls += in_call(&s.ledger.instruments[i])
        if not _sound_book(&s.books[i]) or (s.books[i].dark != NULL and (
                s.books[i].dark.dark != NULL or not _sound_book(s.books[i].dark))):
            return False
        for source in range(SOURCES):
            if s.triggers[i].books[source] != NULL and not _sound_book(s.triggers[i].books[source]):
                return False
    if not (_sound_chains(&s.expiries.timers) and _sound_brackets(&s.brackets)):
        return False
    for slot in range(s.expiries.count):
        item = s.expiries.heap[slot]
        if (s.pool.terms[item].timer if item >= 0 else s.expiries.timers.items[~item].place) != slot:
            return False
    for slot in range(s.pool.high_water):
        if s.pool.orders[slot].state & LIVE and not _sound_order(s, slot):
            return False
    return s.log.fault == OK and calls == s.calls
