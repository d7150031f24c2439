"""The blocks of the state; the contract is in walk.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset
from solvent._core.account.fees cimport Volume, fees_close
from solvent._core.account.guard cimport guards_close
from solvent._core.account.fund_past cimport FundValue
from solvent._core.account.ledger cimport Account, Collateral, Ledger, Parcel, Position, Wallet, ledger_close, notes_begin
from solvent._core.base.event_log cimport block_unpin, log_open
from solvent._core.base.pool cimport grown, taken
from solvent._core.contract.order_limits cimport OrderLimits, Pace
from solvent._core.contract.price_model cimport Prices, Ring, prices_close
from solvent._core.contract.valuation cimport FeeTier, Instrument, Rates, Tier
from solvent._core.market.book cimport Book, Level, book_close
from solvent._core.market.brackets cimport Bracket
from solvent._core.market.client_ids cimport CLIENT_ID_WINDOW, ClientIds, ClientKey, ClientText, client_ids_close
from solvent._core.market.expiries cimport expiries_close
from solvent._core.market.order_pool cimport ExtendedTerms, Links, Order, OrderPool, pool_close
from solvent._core.market.timers cimport Timer
from solvent._core.market.triggers cimport Triggers, triggers_close
from solvent._core.base.schema cimport SOURCES
from solvent._core.sound cimport (
    sound_accounts, sound_books, sound_brackets, sound_collateral, sound_heads, sound_past, sound_instruments, sound_items, sound_levels, sound_limits, sound_links, sound_members,
    sound_orders, sound_paces, sound_parcels, sound_parents, sound_places, sound_positions, sound_prices, sound_slots, sound_terms, sound_timers,
    sound_triggers, sound_wallets,
)
from solvent._core.trade.preview cimport preview_close
from solvent._core.trade.state cimport State


cdef extern from *:
    """
    #include <stdint.h>
    #include <sys/mman.h>
    /* Asks for large pages for the whole ones within a large block that is written at once. */
    static void solvent_written_at_once(void *items, size_t bytes) {
    #ifdef MADV_HUGEPAGE
        uintptr_t huge = (uintptr_t)1 << 21, begin = ((uintptr_t)items + huge - 1) & ~(huge - 1);
        if (items && bytes >= 4 * huge) madvise((void *)begin, bytes - 2 * huge, MADV_HUGEPAGE);
    #endif
    }
    """
    void written_at_once "solvent_written_at_once"(void* items, size_t bytes) noexcept nogil


cdef inline void _see(
    Walk* w, const char* name, void** items, size_t item_bytes, int64_t count, int64_t capacity, int kind, const void* owner,
    Sound sound
) noexcept nogil:
    cdef Block block
    block.name = name
    block.items = items
    block.item_bytes = item_bytes
    block.count = count
    block.capacity = capacity
    block.kind = kind
    block.owner = owner
    block.sound = sound
    w.visit(w.s, &block, w.context)


cdef void _book(Walk* w, Book* b) noexcept nogil:
    if w.tight:
        b.nodes_capacity = b.nodes_used
        b.levels_capacity = b.levels_used
    _see(w, "book.bits", <void**>&b.bits, sizeof(uint64_t), b.nodes_used, b.nodes_capacity, POOL, b, NULL)
    _see(w, "book.parent", <void**>&b.parent, sizeof(int32_t), b.nodes_used, b.nodes_capacity, POOL, b, sound_parents)
    _see(w, "book.child", <void**>&b.child, 64 * sizeof(int32_t), b.nodes_used, b.nodes_capacity, POOL, b, NULL)
    _see(w, "book.levels", <void**>&b.levels, sizeof(Level), b.levels_used, b.levels_capacity, POOL, b, sound_levels)
    if b.dark != NULL:
        _see(w, "book.dark", <void**>&b.dark, sizeof(Book), 1, 1, NESTED, b, sound_books)
    if b.dark != NULL:
        _book(w, b.dark)


cdef void _limits(Walk* w, OrderLimits* l) noexcept nogil:
    cdef int64_t each = l.rate_limit
    if w.tight:
        l.ring_capacity = l.rings
    _see(w, "limits.paces", <void**>&l.paces, sizeof(Pace), l.pace_capacity, l.pace_capacity, HEAP, l, sound_paces)
    _see(w, "limits.times", <void**>&l.times, sizeof(int64_t), l.rings * each, l.ring_capacity * each, HEAP, l, NULL)


cdef void _instrument(Walk* w, Instrument* i) noexcept nogil:
    cdef int64_t rows = <int64_t>i.tier_count * (1 + <int64_t>i.rates_count)
    if w.tight:
        i.member_capacity = i.member_count
    _see(w, "instrument.tiers", <void**>&i.tiers, sizeof(Tier), rows, rows, HEAP, i, NULL)
    _see(w, "instrument.rates", <void**>&i.rates, sizeof(Rates), i.rates_count, <int64_t>i.rates_count + 1, HEAP, i, NULL)
    _see(w, "instrument.fee_tiers", <void**>&i.fee_tiers, sizeof(FeeTier), i.fee_tier_count, <int64_t>i.fee_tier_count + 1,
         HEAP, i, NULL)
    _see(w, "instrument.members", <void**>&i.members, sizeof(int32_t), i.member_count, i.member_capacity, HEAP, i,
         sound_members)
    if i.limits != NULL:
        _see(w, "instrument.limits", <void**>&i.limits, sizeof(OrderLimits), 1, 1, NESTED, i, sound_limits)
    if i.limits != NULL:
        _limits(w, i.limits)


cdef void _triggers(Walk* w, Triggers* t) noexcept nogil:
    cdef int source
    if w.tight:
        t.trailing_capacity = t.trailing_count
        t.pegged_capacity = t.pegged_count
    _see(w, "triggers.trailing", <void**>&t.trailing, sizeof(int32_t), t.trailing_count, t.trailing_capacity, HEAP, t,
         sound_slots)
    _see(w, "triggers.pegged", <void**>&t.pegged, sizeof(uint64_t), t.pegged_count, t.pegged_capacity, HEAP, t, NULL)
    for source in range(SOURCES):
        if t.books[source] != NULL:
            _see(w, "triggers.book", <void**>&t.books[source], sizeof(Book), 1, 1, NESTED, t, sound_books)
        if t.books[source] != NULL:
            _book(w, t.books[source])


cdef void _ring(Walk* w, const char* name, Ring* r) noexcept nogil:
    if r.samples != NULL:
        _see(w, name, <void**>&r.samples, sizeof(int64_t), <int64_t>r.size + 1, <int64_t>r.size + 1, HEAP, r, NULL)


cdef void _prices(Walk* w, Prices* p) noexcept nogil:
    _ring(w, "prices.basis", &p.basis)
    _ring(w, "prices.annual", &p.annual)
    _ring(w, "prices.premiums", &p.premiums)


cdef void _ledger(Walk* w, Ledger* l) noexcept nogil:
    cdef int64_t wallets = <int64_t>l.account_count * l.currency_count
    cdef int64_t rooms
    if w.tight:
        l.instrument_capacity = <int32_t>l.instrument_count
        l.account_capacity = l.account_count
        l.position_capacity = l.position_count
        l.parcel_capacity = l.parcel_count
        l.past.capacity = l.past.count
    rooms = <int64_t>l.account_capacity * l.currency_count
    _see(w, "ledger.costs", <void**>&l.costs, sizeof(int64_t), l.currency_count, <int64_t>l.currency_count + 1, HEAP, l, NULL)
    _see(w, "ledger.collateral", <void**>&l.collateral, sizeof(Collateral), l.collateral_count,
         <int64_t>l.collateral_count + 1, HEAP, l, sound_collateral)
    _see(w, "ledger.accounts", <void**>&l.accounts, sizeof(Account), l.account_count, l.account_capacity, HEAP, l,
         sound_accounts)
    _see(w, "ledger.wallets", <void**>&l.wallets, sizeof(Wallet), wallets, rooms, HEAP, l, sound_wallets)
    _see(w, "ledger.touched", <void**>&l.touched, sizeof(uint32_t), l.touched_count, l.account_capacity, HEAP, l, NULL)
    _see(w, "ledger.positions", <void**>&l.positions, sizeof(Position), l.position_count, l.position_capacity, HEAP, l,
         sound_positions)
    _see(w, "ledger.parcels", <void**>&l.parcels, sizeof(Parcel), l.parcel_count, l.parcel_capacity, HEAP, l, sound_parcels)
    _see(w, "ledger.past", <void**>&l.past.values, sizeof(FundValue), l.past.count, l.past.capacity, HEAP, l, sound_past)
    _see(w, "ledger.instruments", <void**>&l.instruments, sizeof(Instrument), l.instrument_count, l.instrument_capacity,
         NESTED, l, sound_instruments)


cdef void _pool(Walk* w, OrderPool* p, bint bare) noexcept nogil:
    cdef int32_t linked = 0 if bare else p.high_water
    if w.tight:
        p.capacity = p.high_water
    _see(w, "pool.orders", <void**>&p.orders, sizeof(Order), p.high_water, p.capacity, POOL, p, sound_orders)
    _see(w, "pool.terms", <void**>&p.terms, sizeof(ExtendedTerms), p.terms_high_water, p.capacity, POOL, p, sound_terms)
    _see(w, "pool.own", <void**>&p.own, sizeof(Links), linked, p.capacity, POOL, p, sound_links)
    _see(w, "pool.reduce", <void**>&p.reduce, sizeof(Links), linked, p.capacity, POOL, p, sound_links)
    _see(w, "pool.free_stack", <void**>&p.free_stack, sizeof(int32_t), p.free_count, p.capacity, POOL, p, sound_slots)


cdef void _texts(Walk* w, ClientIds* c, int32_t slots) noexcept nogil:
    cdef int64_t count = c.texts_capacity if c.texts_capacity < slots else slots
    if w.tight:
        c.texts_capacity = <int32_t>count
    _see(w, "client_ids.texts", <void**>&c.texts, sizeof(ClientText), count, c.texts_capacity, POOL, c, NULL)
    if c.finished_texts != NULL:
        _see(w, "client_ids.finished_texts", <void**>&c.finished_texts, sizeof(ClientText), CLIENT_ID_WINDOW, CLIENT_ID_WINDOW, HEAP, c, NULL)


cdef void walk(Walk* w) noexcept nogil:
    """Visits every block. A visitor may replace a block's items; those that it points to are then visited in the new ones."""
    cdef State* s = w.s
    cdef int64_t volumes = <int64_t>s.fees.accounts * s.ledger.currency_count
    cdef uint32_t i
    if w.tight:
        s.books_capacity = s.triggers_capacity = s.prices_capacity = <int32_t>s.ledger.instrument_count
        s.due.capacity = s.due.count
        s.expiries.capacity = s.expiries.count
        s.brackets.capacity = s.brackets.used
    _ledger(w, &s.ledger)
    _pool(w, &s.pool, s.bare)
    _see(w, "client_ids.table", <void**>&s.client_ids.table, sizeof(uint64_t), s.client_ids.capacity, s.client_ids.capacity,
         HEAP, NULL, sound_places)
    _see(w, "client_ids.finished", <void**>&s.client_ids.finished, sizeof(ClientKey), s.client_ids.count,
         s.client_ids.finished_capacity, HEAP, NULL, NULL)
    _texts(w, &s.client_ids, s.pool.high_water)
    _see(w, "expiries.heap", <void**>&s.expiries.heap, sizeof(int32_t), s.expiries.count, s.expiries.capacity, HEAP, NULL,
         sound_items)
    _see(w, "brackets.items", <void**>&s.brackets.items, sizeof(Bracket), s.brackets.used, s.brackets.capacity, HEAP, NULL,
         sound_brackets)
    _see(w, "timers.items", <void**>&s.expiries.timers.items, sizeof(Timer), s.expiries.timers.used,
         s.expiries.timers.capacity, HEAP, NULL, sound_timers)
    _see(w, "timers.heads", <void**>&s.expiries.timers.heads, sizeof(int32_t), s.expiries.timers.capacity,
         s.expiries.timers.capacity, HEAP, NULL, sound_heads)
    _see(w, "due.order_ids", <void**>&s.due.order_ids, sizeof(uint64_t), s.due.count, s.due.capacity, HEAP, NULL, NULL)
    _see(w, "fees.volumes", <void**>&s.fees.volumes, sizeof(Volume), volumes, volumes, HEAP, NULL, NULL)
    _see(w, "books", <void**>&s.books, sizeof(Book), s.ledger.instrument_count, s.books_capacity, NESTED, NULL, sound_books)
    _see(w, "triggers", <void**>&s.triggers, sizeof(Triggers), s.ledger.instrument_count, s.triggers_capacity, NESTED, NULL,
         sound_triggers)
    _see(w, "prices", <void**>&s.prices, sizeof(Prices), s.ledger.instrument_count, s.prices_capacity, NESTED, NULL,
         sound_prices)
    for i in range(s.ledger.instrument_count):
        if s.ledger.instruments != NULL:
            _instrument(w, &s.ledger.instruments[i])
        if s.books != NULL:
            _book(w, &s.books[i])
        if s.triggers != NULL:
            _triggers(w, &s.triggers[i])
        if s.prices != NULL:
            _prices(w, &s.prices[i])


cdef void* room_for(Block* block) noexcept nogil:
    """Returns memory for a block's capacity, NULL when memory is gone. A pool's memory is zero."""
    cdef void* items = NULL
    if block.kind != POOL:
        items = taken(<size_t>block.capacity * block.item_bytes)
        written_at_once(items, <size_t>block.count * block.item_bytes)
        return items
    return items if grown(&items, block.capacity, block.item_bytes) else NULL


cdef void _copy(State* s, Block* block, void* failed) noexcept nogil:
    """Replaces a block by a copy; after a failure by nothing, so that no block has two owners."""
    cdef void* source = block.items[0]
    block.items[0] = NULL
    if block.capacity == 0 or (<bint*>failed)[0]:
        return
    block.items[0] = room_for(block)
    if block.items[0] == NULL:
        (<bint*>failed)[0] = True
    elif block.count > 0:
        memcpy(block.items[0], source, <size_t>block.count * block.item_bytes)


cdef bint state_fork(State* to, const State* source) noexcept nogil:
    """Makes a copy with an empty log. Returns False, with an empty state, when memory is gone."""
    cdef bint failed = False
    cdef Walk w
    memcpy(to, source, sizeof(State))
    memset(&to.preview, 0, sizeof(to.preview))
    to.preview.run = source.preview.run
    memset(&to.guards, 0, sizeof(to.guards))
    notes_begin(&to.ledger)
    to.ledger.log = &to.log
    to.ledger.past.clock_ns = &to.clock_ns
    to.client_ids.pool = &to.pool
    w.s = to
    w.visit = _copy
    w.context = &failed
    w.tight = False
    walk(&w)
    if not log_open(&to.log, source.log.wanted) or failed:
        state_close(to)
        memset(to, 0, sizeof(State))
        return False
    to.log.first_seq = source.log.first_seq + <uint64_t>source.log.count
    to.log.fault = source.log.fault
    return True


cdef void state_close(State* s) noexcept nogil:
    """Frees everything."""
    cdef uint32_t i
    if s.log.events != NULL:
        block_unpin(s.log.events)
    for i in range(s.ledger.instrument_count):
        if s.books != NULL:
            book_close(&s.books[i])
        if s.triggers != NULL:
            triggers_close(&s.triggers[i])
        if s.prices != NULL:
            prices_close(&s.prices[i])
    free(s.books)
    free(s.triggers)
    free(s.prices)
    free(s.due.order_ids)
    free(s.brackets.items)
    expiries_close(&s.expiries)
    pool_close(&s.pool)
    fees_close(&s.fees)
    client_ids_close(&s.client_ids)
    ledger_close(&s.ledger)
    preview_close(&s.preview)
    guards_close(&s.guards)
