"""The preview of an order; the contract is in preview.pxd, the readable twin in twin/trade/preview.py."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.trade.admission cimport Trial, try_on
from solvent._core.market.order_pool cimport EXTENDED, Order
from solvent._core.market.book cimport Book, book_worse
from solvent._core.account.ledger cimport Ledger, Position, wallet_of
from solvent._core.account.margin cimport Requirement, domain_requirement
from solvent._core.market.matching cimport Match, same_owner
from solvent._core.market.peaks cimport Steps, is_whole, offered_lots, peak_used_up, steps_begin, steps_next
from solvent._core.base.clauses cimport BOOK_6, BOOK_7, MON_2, MON_3, MON_8, ORD_3, SAFE_2, must
from solvent._core.base.money cimport int128, min64, max64
from solvent._core.base.pool cimport room
from solvent._core.base.schema cimport ALLOW, BUY, CANCEL_BOTH, CANCEL_TAKER, DECREMENT, HOUSE_ORDER, REDUCE_ONLY
from solvent._core.trade.lifecycle cimport borne_by_maker, borne_by_taker, closing_lots, fill_side, limit_now
from solvent._core.trade.lifecycle cimport Cuts, cuts_begin, next_cut
from solvent._core.trade.holds cimport order_price, refresh_hold, reserve
from solvent._core.trade.state cimport WAITS, Deal, FillSide, KeptOrder, KeptRow, Preview, State, Ticket, has_owner


cdef void preview_close(Preview* preview) noexcept nogil:
    free(preview.rows)
    free(preview.orders)


cdef void _keep_row(State* s, int32_t position) noexcept nogil:
    """Copies a position and its owner's wallet, once a dry run."""
    cdef Preview* kept = &s.preview
    cdef Position* p = &s.ledger.positions[position]
    cdef KeptRow* row
    if p.dry_run == kept.run:
        return
    if not room(<void**>&kept.rows, kept.row_count, &kept.row_capacity, sizeof(KeptRow)):
        s.log.fault = 2
        return
    row = &kept.rows[kept.row_count]
    kept.row_count += 1
    row.position = position
    row.row = p[0]
    row.wallet = wallet_of(&s.ledger, p.account, s.ledger.instruments[p.instrument].currency)[0]
    p.dry_run = kept.run
    must(row.row.account == p.account and row.row.size_lots == p.size_lots, MON_3, &s.log.fault)
    must(row.position == position and row.wallet.hold_units >= 0, MON_8, &s.log.fault)


cdef void _leave_behind(State* s, int32_t slot, int64_t price_ticks, int64_t lots) noexcept nogil:
    """Leaves a resting order `lots` for the time of a dry run."""
    cdef Preview* kept = &s.preview
    cdef Order* order = &s.pool.orders[slot]
    if not room(<void**>&kept.orders, kept.order_count, &kept.order_capacity, sizeof(KeptOrder)):
        s.log.fault = 2
        return
    kept.orders[kept.order_count].slot = slot
    kept.orders[kept.order_count].remaining_lots = order.remaining_lots
    kept.orders[kept.order_count].hidden_lots = s.pool.terms[slot].hidden_lots if order.state & EXTENDED else 0
    kept.order_count += 1
    if has_owner(order):
        _keep_row(s, order.holder)
        reserve(s, order, price_ticks, order.remaining_lots, lots)
        refresh_hold(s, order.holder)
    order.remaining_lots = lots
    must(lots >= 0 and lots <= kept.orders[kept.order_count - 1].remaining_lots, BOOK_6, &s.log.fault)
    must(kept.orders[kept.order_count - 1].slot == slot, BOOK_6, &s.log.fault)


cdef void _cut_behind(State* s, int32_t slot, int64_t price_ticks, int64_t lots) noexcept nogil:
    """Leaves a resting order `lots` of what it had, as `shrink` does: what nobody sees goes first."""
    cdef int64_t cut = s.pool.orders[slot].remaining_lots - lots
    _leave_behind(s, slot, price_ticks, lots)
    if s.pool.orders[slot].state & EXTENDED:
        s.pool.terms[slot].hidden_lots = max64(0, s.pool.terms[slot].hidden_lots - cut)


cdef void preview_end(State* s) noexcept nogil:
    """Puts everything back."""
    cdef Preview* kept = &s.preview
    cdef KeptRow* row
    cdef int32_t i
    for i in range(kept.order_count - 1, -1, -1):
        s.pool.orders[kept.orders[i].slot].remaining_lots = kept.orders[i].remaining_lots
        if s.pool.orders[kept.orders[i].slot].state & EXTENDED:
            s.pool.terms[kept.orders[i].slot].hidden_lots = kept.orders[i].hidden_lots
    for i in range(kept.row_count - 1, -1, -1):
        row = &kept.rows[i]
        wallet_of(&s.ledger, row.row.account, s.ledger.instruments[row.row.instrument].currency)[0] = row.wallet
        s.ledger.positions[row.position] = row.row
    for i in range(kept.row_count):
        must(s.ledger.positions[kept.rows[i].position].account == kept.rows[i].row.account, MON_3, &s.log.fault)
        must(s.ledger.positions[kept.rows[i].position].size_lots == kept.rows[i].row.size_lots, MON_3, &s.log.fault)
    kept.row_count = 0
    kept.order_count = 0


cdef void _preview_cut(State* s, int32_t position) noexcept nogil:
    """Cuts reduce-only orders like cut_reduce_only, without an event."""
    cdef int64_t lots
    cdef int32_t worst
    cdef Cuts cuts
    cuts_begin(s, position, &cuts)
    worst = next_cut(s, &cuts, &lots)
    while worst >= 0:
        must(s.pool.orders[worst].holder == position, BOOK_7, &s.log.fault)
        _cut_behind(s, worst, order_price(s, worst), s.pool.orders[worst].remaining_lots - lots)
        worst = next_cut(s, &cuts, &lots)


cdef void _preview_half(State* s, int32_t position, FillSide* half) noexcept nogil:
    """Leaves one half of a fill on the rows."""
    cdef Trial before
    _keep_row(s, position)
    try_on(&s.ledger, position, &half.effect, True, &before)
    must(s.ledger.positions[position].size_lots == before.size_lots + half.terms.size_delta, MON_2, &s.log.fault)
    must(half.effect.shortfall_units == 0, SAFE_2, &s.log.fault)


cdef bint _preview_fill(State* s, Ticket* t, Match* fill) noexcept nogil:
    """Admits and books a fill like admit_fill and book_fill, without an event. Returns False when the taker ends."""
    cdef Order* maker = &s.pool.orders[fill.slot]
    cdef Deal deal
    cdef int64_t wanted = fill.lots
    cdef int64_t lots = borne_by_maker(s, t, fill, &deal)
    cdef bint owned = has_owner(maker)
    cdef bint own = owned and maker.holder == t.holder and not t.flags & HOUSE_ORDER
    must(0 <= lots <= wanted and wanted <= maker.remaining_lots, BOOK_6, &s.log.fault)
    if lots < wanted and is_whole(&s.pool, fill.slot):
        lots = 0
    fill.lots = lots
    if lots < wanted:
        _cut_behind(s, fill.slot, fill.price_ticks, lots)
        if lots == 0:
            return True
    fill.lots = borne_by_taker(s, t, fill, &deal)
    if fill.lots < maker.remaining_lots and is_whole(&s.pool, fill.slot):
        fill.lots = 0
    if fill.lots > 0:
        _leave_behind(s, fill.slot, fill.price_ticks, maker.remaining_lots - fill.lots)
        if owned:
            _preview_half(s, maker.holder, &deal.maker)
        if owned and not own:
            _preview_cut(s, maker.holder)
        if owned and maker.account == t.account:
            fill_side(s, t.holder, t.side, fill.lots, deal.value_units, t.fee_reason, t.order_id, &deal.taker)
        if not t.flags & HOUSE_ORDER:
            s.preview.fee_units += deal.taker.effect.wallet_fee_units + deal.taker.effect.margin_fee_units
            _preview_half(s, t.holder, &deal.taker)
            _preview_cut(s, t.holder)
    return not deal.taker_ends


cdef bint _preview_own(State* s, Ticket* t, Match* fill, int64_t* lost) noexcept nogil:
    """Meets an order of the taker's owner in a dry run. Returns False when the taker ends there. lost: the lots that it does
    not trade."""
    cdef int64_t left = 0
    must(0 < fill.lots <= s.pool.orders[fill.slot].remaining_lots, BOOK_6, &s.log.fault)
    if t.stp_mode == CANCEL_TAKER or t.stp_mode == CANCEL_BOTH:
        return False
    if t.stp_mode == DECREMENT:
        must(fill.lots > 0 and lost[0] >= 0, ORD_3, &s.log.fault)
        lost[0] += fill.lots
        left = s.pool.orders[fill.slot].remaining_lots - fill.lots
    _leave_behind(s, fill.slot, fill.price_ticks, left)
    return True


cdef bint _is_quiet(State* s) noexcept nogil:
    """True if the pipeline would do nothing for those whose rows a preview changed: they are sound, and nothing of theirs
    waits."""
    cdef Ledger* l = &s.ledger
    cdef Position* p
    cdef Requirement r
    cdef int32_t i, index
    for i in range(s.preview.row_count):
        p = &l.positions[s.preview.rows[i].position]
        domain_requirement(l, &s.rules, s.preview.rows[i].position, &r)
        if r.equity < r.own or wallet_of(l, p.account, l.instruments[p.instrument].currency).cash_units < 0:
            return False
        index = l.accounts[p.account].first_position
        while index >= 0:
            if l.positions[index].stuck:
                return False
            index = l.positions[index].next
    return True


cdef bint preview_order(State* s, Ticket* t, Previewed* found) noexcept nogil:
    """Trades an admitted ticket and rests what is left, on the rows, until preview_end. Returns False if more would happen."""
    cdef int64_t reached = 0
    cdef int64_t rest
    cdef Order order
    found.filled_lots = preview_execute(s, t, t.remaining_lots, &reached)
    found.value, found.fee_units = s.preview.value, s.preview.fee_units
    rest = t.remaining_lots - found.filled_lots
    if s.preview.ended or t.ending != 0 or (t.turns and closing_lots(&s.ledger.positions[t.holder], t.side) > 0):
        rest = 0
    found.resting_lots = rest
    _keep_row(s, t.holder)
    if rest > 0:
        if t.flags & REDUCE_ONLY:
            return False
        memset(&order, 0, sizeof(Order))
        order.account, order.holder, order.side, order.flags = t.account, t.holder, t.side, t.flags
        order.open_loss_ticks = t.open_loss_ticks
        reserve(s, &order, t.price_ticks, 0, rest)
    refresh_hold(s, t.holder)
    must(found.filled_lots >= 0 and found.filled_lots + rest <= t.remaining_lots, ORD_3, &s.log.fault)
    must(s.ledger.positions[t.holder].hold_units >= 0, MON_8, &s.log.fault)
    return _is_quiet(s)


cdef int64_t dry_run(State* s, Ticket* t, int64_t* reached_ticks) noexcept nogil:
    """Returns the lots that would stay unfilled, and finds the last price it would pay, by a preview."""
    cdef int64_t traded = preview_execute(s, t, t.remaining_lots, reached_ticks)
    preview_end(s)
    must(0 <= traded <= t.remaining_lots, ORD_3, &s.log.fault)
    must(s.preview.row_count == 0 and s.preview.order_count == 0, MON_3, &s.log.fault)
    return t.remaining_lots - traded


cdef inline bint _within(State* s, Ticket* t, int64_t price_ticks) noexcept nogil:
    """True if the ticket may trade at a price now."""
    cdef int64_t limit = limit_now(s, t) if t.turns else t.limit_ticks
    return price_ticks <= limit if t.side == BUY else price_ticks >= limit


cdef bint _meet(State* s, Ticket* t, Match* fill, int64_t* wanted, int64_t* lost, int64_t* reached_ticks) noexcept nogil:
    """Meets one order in a dry run. Returns False when the taker ends there."""
    cdef bint own = same_owner(&s.pool, fill.slot, t.account, t.stp_group)
    cdef bint goes_on = True
    if t.stp_mode == ALLOW:
        own = t.closes and s.pool.orders[fill.slot].account == t.account
    if own:
        fill.lots = min64(s.pool.orders[fill.slot].remaining_lots, wanted[0] - lost[0])
        return _preview_own(s, t, fill, lost)
    if t.holder >= 0:
        goes_on = _preview_fill(s, t, fill)
    elif t.book.careful:        # an iceberg may be met again
        _leave_behind(s, fill.slot, fill.price_ticks, s.pool.orders[fill.slot].remaining_lots - fill.lots)
    if fill.lots > 0:
        s.preview.value += <int128>fill.lots * fill.price_ticks
        wanted[0] -= fill.lots
        reached_ticks[0] = fill.price_ticks
    must(fill.lots >= 0 and wanted[0] >= 0, ORD_3, &s.log.fault)
    must(s.pool.orders[fill.slot].remaining_lots >= 0, BOOK_6, &s.log.fault)
    return goes_on


cdef bint _refills(State* s, int32_t slot) noexcept nogil:
    """Fills up the peak of an iceberg that is used up, where it stands: its turn comes with the next round. True if it did."""
    cdef bint used_up = peak_used_up(&s.pool, slot)
    if used_up:
        s.pool.terms[slot].hidden_lots = max64(0, s.pool.orders[slot].remaining_lots - s.pool.terms[slot].display_lots)
    return used_up


cdef bint _execute_carefully(State* s, Ticket* t, int64_t* wanted, int64_t* lost, int64_t* reached_ticks) noexcept nogil:
    """Walks the makers of a book that does not show all lots, price by price, at each price round by round: icebergs whose
    peak is used up come again in the same order. Returns False when the taker ends."""
    cdef Steps steps
    cdef Match fill
    cdef int32_t slot
    cdef bint goes_on = True
    cdef bint again
    steps_begin(t.book, 1 - t.side, &steps)
    while wanted[0] > lost[0] and goes_on and steps_next(t.book, &steps):
        fill.price_ticks = steps.book.levels[steps.level].price_ticks
        again = _within(s, t, fill.price_ticks)
        if not again:
            break
        while again and goes_on:
            again = False
            slot = steps.book.levels[steps.level].head
            while slot >= 0 and wanted[0] > lost[0] and goes_on and _within(s, t, fill.price_ticks):
                fill.slot = slot
                fill.lots = offered_lots(&s.pool, slot, wanted[0] - lost[0])
                slot = s.pool.orders[slot].next
                if fill.lots > 0:
                    goes_on = _meet(s, t, &fill, wanted, lost, reached_ticks)
                    again = _refills(s, fill.slot) or again
    must(0 <= lost[0] <= wanted[0], ORD_3, &s.log.fault)
    must(wanted[0] <= t.remaining_lots, BOOK_6, &s.log.fault)
    return goes_on


cdef int64_t preview_execute(State* s, Ticket* t, int64_t lots, int64_t* reached_ticks) noexcept nogil:
    """Trades `lots` of a ticket as execute would. Returns the traded lots and finds the last price.

    It walks the makers. The effect of their fills on positions, wallets and reduce-only orders stays on the rows until
    preview_end.
    """
    cdef Book* book = t.book
    cdef int other = 1 - t.side
    cdef int32_t level = book.side[other].best
    cdef int32_t slot
    cdef int64_t wanted = lots
    cdef int64_t lost = 0
    cdef bint goes_on = True
    cdef Match fill
    s.preview.run += 1
    s.preview.fee_units = 0
    s.preview.value = 0
    s.preview.ended = False
    if t.way == WAITS:
        return 0
    if book.careful:
        goes_on = _execute_carefully(s, t, &wanted, &lost, reached_ticks)
        level = -1
    while level >= 0 and wanted > lost and goes_on:
        fill.price_ticks = book.levels[level].price_ticks
        if not _within(s, t, fill.price_ticks):
            break
        slot = book.levels[level].head
        while slot >= 0 and wanted > lost and goes_on and _within(s, t, fill.price_ticks):
            fill.slot = slot
            fill.lots = min64(s.pool.orders[slot].remaining_lots, wanted - lost)
            slot = s.pool.orders[slot].next
            if fill.lots <= 0:          # an earlier fill has cut the order
                continue
            goes_on = _meet(s, t, &fill, &wanted, &lost, reached_ticks)
        level = book_worse(book, other, level)
    s.preview.ended = not goes_on
    must(wanted >= 0 and wanted <= lots, ORD_3, &s.log.fault)
    must(lost >= 0 and lost <= wanted, ORD_3, &s.log.fault)
    return lots - wanted
