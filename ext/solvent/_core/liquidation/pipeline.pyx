"""The liquidation pipeline; the contract is in pipeline.pxd, the readable twin in twin/liquidation."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset
from solvent._core.trade.admission cimport fit
from solvent._core.market.order_pool cimport arena_find, arena_room
from solvent._core.market.book cimport book_room
from solvent._core.liquidation.collateral cimport convert, cover_wallet
from solvent._core.account.ledger cimport (
    Collateral, Effect, FillTerms, Ledger, Parcel, Position, Purse, backs, fill_effect, fill_post, held_of,
    margin_purse, order_touched, parcel_fill, parcel_share, parcel_take, parcels_reserve, parcels_sweep, pay,
    position_event, position_fill, position_find, touch, wallet_of, wallet_purse,
)
from solvent._core.account.margin cimport (
    Requirement, adl_rank, bankruptcy_cost, cross_requirement, domain_requirement, equity_share, isolated_requirement,
    thresholds, upl,
)
from solvent._core.base.money cimport clamp, floor128, int128, least, magnitude, most, saturate
from solvent._core.base.pool cimport room, taken
from solvent._core.trade.lifecycle cimport (
    State, Ticket, accept, cancel, cancel_all, conclude, execute, refresh_hold, shrink, ticket_at,
)
from solvent._core.contract.valuation cimport (
    Held, Instrument, band_price, cost_delta, lots_within, price_paying, tier_of, upl_of, value_of,
)
from solvent._core.base.schema cimport (
    ADL_TOP_UP, BUY, CLEARING, CLOSED_BY_ADL, CLOSED_BY_OPPOSITE, DEFICIT, DELEVERAGED, FULL, FUND, GTC, HOUSE,
    HOUSE_ORDER, IGNORED, IOC, LIQUIDATED, LIQUIDATION_FEE, MAKER_FEE, NO_INSTRUMENT, PARTIAL, REDUCE_ONLY, SAFE, SELL,
    TAKEN_OVER, TAKER_FEE, UNFILLED, UNWOUND,
)
from solvent._core.base.emit cimport emit_adl, emit_liquidation, emit_netted, emit_step_down, emit_takeover

cdef struct Due:
    int128 slack               # equity - R_own
    uint32_t account
    uint32_t instrument        # NO_INSTRUMENT: the cross domain
    uint32_t currency
    uint8_t leg

cdef struct Queue:
    Due* items
    int32_t count
    int32_t capacity

cdef struct Winner:
    int64_t rank
    int32_t position
    uint32_t account
    uint8_t sound              # closing all of it at the parcel's price leaves equity >= 0


# --- Who is due (semantics §2, when) -------------------------------------------------------------------

cdef int _tier(State* s, Position* p) noexcept nogil:
    cdef Held held = held_of(&s.ledger, p)
    return tier_of(&s.ledger.instruments[p.instrument], &held, &s.log.fault)


cdef int32_t _candidate(State* s, uint32_t account, uint32_t currency, int128 equity) noexcept nogil:
    """The cross position to step down: tier >= 3 and the largest own - full; ties by instrument and leg."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[account].first_position
    cdef int32_t best = -1
    cdef int128 full, own, heaviest = -1
    cdef Position* p
    while index >= 0:
        p = &l.positions[index]
        if (p.size_lots != 0 and not p.mode and l.instruments[p.instrument].currency == currency
                and _tier(s, p) >= s.rules.step_tiers):
            thresholds(l, &s.rules, p, equity, &full, &own)
            if own - full > heaviest:
                heaviest = own - full
                best = index
        index = p.next
    return best


cdef int _verdict(State* s, int32_t candidate, Requirement* r) noexcept nogil:
    if r.equity >= r.own or (r.positions == 0 and r.orders == 0):
        return SAFE
    if r.equity < r.full:
        return FULL
    if candidate >= 0 and s.ledger.positions[candidate].stuck:
        return SAFE
    return PARTIAL          # without a candidate only orders ask for more, and they go


cdef int _judge(State* s, uint32_t account, int32_t position, uint32_t currency, Requirement* r, int32_t* candidate) noexcept nogil:
    """The verdict on one isolated position, or with position -1 on a cross domain."""
    if position >= 0:
        isolated_requirement(&s.ledger, &s.rules, position, r)
        candidate[0] = position
    else:
        cross_requirement(&s.ledger, &s.rules, account, currency, r)
        candidate[0] = -1
        if r.equity < r.own and r.equity >= r.full:
            candidate[0] = _candidate(s, account, currency, r.equity)
    return _verdict(s, candidate[0], r)


cdef bint _append(State* s, Queue* due, Due entry) noexcept nogil:
    if not room(<void**>&due.items, due.count, &due.capacity, sizeof(Due)):
        s.log.fault = 2
        return False
    due.items[due.count] = entry
    due.count += 1
    return True


cdef void _collect(State* s, Queue* due) noexcept nogil:
    """Queues all domains of the touched accounts that need action. Of the touched those are left whose collateral it had to
    convert."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index, candidate
    cdef uint32_t again = 0
    cdef uint32_t i
    cdef Due entry
    cdef Requirement r
    order_touched(l)
    for i in range(l.touched_count):
        entry.account = l.touched[i]
        l.accounts[entry.account].touched = 0
        entry.currency = 0
        entry.leg = 0
        index = l.accounts[entry.account].first_position
        while index >= 0:
            if l.positions[index].mode and l.positions[index].size_lots != 0:
                if _judge(s, entry.account, index, 0, &r, &candidate) != SAFE:
                    entry.slack = r.equity - r.own
                    entry.instrument = l.positions[index].instrument
                    entry.leg = l.positions[index].leg
                    _append(s, due, entry)
            index = l.positions[index].next
        entry.instrument = NO_INSTRUMENT
        entry.leg = 0
        for entry.currency in range(l.currency_count):
            if _judge(s, entry.account, -1, entry.currency, &r, &candidate) != SAFE:
                entry.slack = r.equity - r.own
                _append(s, due, entry)
            elif r.positions == 0 and cover_wallet(s, entry.account, entry.currency) and not l.accounts[entry.account].touched:
                l.accounts[entry.account].touched = 1
                l.touched[again] = entry.account
                again += 1
    l.touched_count = again


cdef int _by_slack(const void* left, const void* right) noexcept nogil:
    cdef Due* a = <Due*>left
    cdef Due* b = <Due*>right
    if a.slack != b.slack:
        return -1 if a.slack < b.slack else 1
    if a.account != b.account:
        return -1 if a.account < b.account else 1
    if a.instrument != b.instrument:
        return -1 if a.instrument < b.instrument else 1
    if a.leg != b.leg:
        return -1 if a.leg < b.leg else 1
    return -1 if a.currency < b.currency else (1 if a.currency > b.currency else 0)


# --- One account (semantics §2, §3) --------------------------------------------------------------------

cdef bint _cancel_domain(State* s, uint32_t account, int32_t position, uint32_t currency) noexcept nogil:
    """Isolated: that position's orders; cross: all of the account's in that currency and in those that back it. Whether
    what they held or asked for counted in the test."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = position if position >= 0 else l.accounts[account].first_position
    cdef uint32_t its
    cdef Collateral* each
    cdef bint counted = False
    while index >= 0:
        its = l.instruments[l.positions[index].instrument].currency
        each = backs(l, its) if position < 0 else NULL
        if its == currency or (each != NULL and each.of == currency):
            counted |= l.positions[index].first_order >= 0 and (its != currency or s.rules.orders != IGNORED)
            cancel_all(s, index, LIQUIDATED)
        index = -1 if position >= 0 else l.positions[index].next
    return counted


cdef void _net(State* s, int32_t long, int32_t short) noexcept nogil:
    """Closes what both legs of a hedge have in common against each other at mark: no fee, no change of equity but by
    rounding."""
    cdef Ledger* l = &s.ledger
    cdef Position* p = &l.positions[long]
    cdef Instrument* ins = &l.instruments[p.instrument]
    cdef int64_t lots = least(p.size_lots, -l.positions[short].size_lots)
    cdef int64_t value = value_of(ins, lots, ins.mark_ticks, False, &s.log.fault)
    cdef FillTerms terms
    cdef int side
    emit_netted(
        &s.log, account=p.account, instrument=p.instrument, price_ticks=ins.mark_ticks, size_lots=lots,
        value_units=value)
    for side in range(SELL, BUY - 1, -1):     # the long leg sells, then the short one buys
        terms.size_delta = -lots if side == SELL else lots
        terms.cost_delta = cost_delta(ins, side, value)
        terms.fee_units = 0
        terms.fee_reason = TAKER_FEE
        terms.keep_margin = 0
        terms.deleveraged = 0
        terms.ref = 0
        position_fill(l, long if side == SELL else short, &terms)
        refresh_hold(s, long if side == SELL else short)


cdef bint _net_pairs(State* s, uint32_t account, uint32_t currency) noexcept nogil:
    """Nets every hedge of a cross domain; whether there was one."""
    cdef Ledger* l = &s.ledger
    cdef int32_t index = l.accounts[account].first_position
    cdef Position* p
    cdef bint any = False
    while index >= 0:
        p = &l.positions[index]
        if p.size_lots > 0 and not p.mode and l.instruments[p.instrument].currency == currency and held_of(l, p).other_lots < 0:
            _net(s, index, p.twin)
            any = True
        index = l.positions[index].next
    return any


cdef bint _give_up(State* s, int32_t index) noexcept nogil:
    """A chosen tier, if there is one."""
    if s.ledger.positions[index].chosen_tier == 0:
        return False
    s.ledger.positions[index].chosen_tier = 0
    position_event(&s.ledger, index)
    return True


cdef bint _clear(State* s, Due* due, int32_t position) noexcept nogil:
    """Cancels orders, gives up chosen tiers and nets hedges; whether that may have changed the verdict."""
    cdef Ledger* l = &s.ledger
    cdef bint changed = _cancel_domain(s, due.account, position, due.currency)
    cdef int32_t index = l.accounts[due.account].first_position
    if position >= 0:
        return _give_up(s, position)
    while index >= 0:
        if not l.positions[index].mode and l.instruments[l.positions[index].instrument].currency == due.currency:
            changed |= _give_up(s, index)
        index = l.positions[index].next
    return changed or s.rules.net_hedges and _net_pairs(s, due.account, due.currency)


cdef bint _step_down(State* s, int32_t index) noexcept nogil:
    """Sells the position back by two tiers with an order of its owner; False when nothing filled."""
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef Held held = held_of(&s.ledger, p)
    cdef int k = _tier(s, p)
    cdef int64_t paying = price_paying(ins, p.size_lots, bankruptcy_cost(&s.ledger, index), p.liquidation_fee_ppb)
    cdef Ticket t
    memset(&t, 0, sizeof(Ticket))
    t.side = SELL if p.size_lots > 0 else BUY
    t.limit_ticks = band_price(ins, t.side, s.rules.step_limit_ppb)
    t.limit_ticks = most(paying, t.limit_ticks) if t.side == SELL else least(paying, t.limit_ticks)
    t.limit_ticks = clamp(t.limit_ticks, 1, ins.max_price_ticks)
    t.price_ticks = t.limit_ticks
    t.size_lots = magnitude(p.size_lots) - lots_within(ins, &held, k - s.rules.step_tiers)
    t.remaining_lots = t.size_lots
    t.holder = index
    t.account = p.account
    ticket_at(s, &t, p.instrument)
    t.tif = IOC
    t.flags = REDUCE_ONLY
    t.ending = UNFILLED
    t.fee_reason = LIQUIDATION_FEE
    if arena_room(&s.arena) and book_room(&s.books[t.instrument]):
        emit_step_down(
            &s.log, side=t.side, account=t.account, instrument=t.instrument, tier=k + 1, size_lots=t.size_lots,
            limit_ticks=t.limit_ticks, target_tier=k + 1 - s.rules.step_tiers, leg=s.ledger.positions[index].leg)
        accept(s, &t)
        execute(s, &t)
        conclude(s, &t)
    if t.remaining_lots == t.size_lots:
        s.ledger.positions[index].stuck = 1
        return False
    return True


cdef void _take_position(State* s, int32_t index, int64_t cost_units, int64_t equity) noexcept nogil:
    cdef Position* p = &s.ledger.positions[index]
    cdef Instrument* ins = &s.ledger.instruments[p.instrument]
    cdef int64_t price = price_paying(ins, p.size_lots, cost_units, 0)
    emit_takeover(
        &s.log, account=p.account, instrument=p.instrument, mode=p.mode, parcel_id=s.ledger.next_parcel_id,
        size_lots=p.size_lots, cost_units=cost_units, equity_units=equity, bankruptcy_ticks=price, leg=p.leg)
    parcel_take(&s.ledger, index, cost_units, price)
    refresh_hold(s, index)


cdef void _take_over(State* s, uint32_t account, int32_t position, uint32_t currency, Requirement* r) noexcept nogil:
    """The house receives one isolated position or all cross positions at exact cost; the trader keeps zero."""
    cdef Ledger* l = &s.ledger
    cdef int32_t first = l.parcel_count
    cdef int32_t index, i, count
    cdef int64_t* costs
    cdef int64_t cost
    cdef Purse purse
    if position >= 0:
        if not parcels_reserve(l):
            return
        cost = bankruptcy_cost(l, position)
        purse = margin_purse(l, position)
        pay(l, TAKEN_OVER, purse, wallet_purse(CLEARING, purse.currency), l.positions[position].margin_units, 0)
        _take_position(s, position, cost, saturate(r.equity))
    else:
        costs = <int64_t*>taken(<size_t>r.positions * 2 * sizeof(int64_t))
        if costs == NULL:
            s.log.fault = 2
            return
        for i in range(l.collateral_count):
            if l.collateral[i].of == currency and convert(s, account, &l.collateral[i]):
                touch(l, account)
        for i in range(2):  # first every share, from one and the same state; then the takeovers
            count = 0
            index = l.accounts[account].first_position
            while index >= 0:
                if (l.positions[index].size_lots != 0 and not l.positions[index].mode
                        and l.instruments[l.positions[index].instrument].currency == currency):
                    if i == 0:
                        costs[2 * count] = bankruptcy_cost(l, index)
                        costs[2 * count + 1] = equity_share(l, index)
                    elif parcels_reserve(l):
                        _take_position(s, index, costs[2 * count], costs[2 * count + 1])
                    count += 1
                index = l.positions[index].next
            if i == 0:
                pay(l, TAKEN_OVER, wallet_purse(account, currency), wallet_purse(CLEARING, currency),
                    wallet_of(l, account, currency).cash_units, 0)
                touch(l, account)       # what its balance backed is looked at
        free(costs)
    for i in range(first, l.parcel_count):
        _unwind(s, i, True)


cdef void _liquidate(State* s, Due* due) noexcept nogil:
    """Tests one domain again and acts until it is safe, taken over, or stuck."""
    cdef int32_t position = -1
    cdef int32_t candidate
    cdef int verdict
    cdef Requirement r
    if due.instrument != NO_INSTRUMENT:
        position = position_find(&s.ledger, due.account, due.instrument, due.leg)
    while s.log.fault == 0:
        verdict = _judge(s, due.account, position, due.currency, &r, &candidate)
        if verdict == SAFE:
            return
        if position >= 0:
            due.currency = s.ledger.instruments[due.instrument].currency
        emit_liquidation(
            &s.log, account=due.account, instrument=due.instrument, mode=1 if position >= 0 else 0, verdict=verdict,
            currency=due.currency, equity_units=saturate(r.equity), full_units=saturate(r.full),
            own_units=saturate(r.own), value_units=saturate(r.value), leg=due.leg)
        if _clear(s, due, position):
            if r.positions == 0:    # only orders asked for more; the bare wallet may be below zero
                touch(&s.ledger, due.account)
            continue        # what counted in the test is gone: look again
        if verdict == FULL:
            _take_over(s, due.account, position, due.currency, &r)
            return
        if candidate < 0 or not _step_down(s, candidate):
            return


# --- Parcels (semantics §5) ----------------------------------------------------------------------------

cdef int64_t _parcel_value(State* s, Parcel* parcel) noexcept nogil:
    return upl_of(&s.ledger.instruments[parcel.instrument], parcel.size_lots, parcel.cost_units, &s.log.fault)


cdef void _house_order(State* s, int32_t index, int64_t limit_ticks, bint may_rest) noexcept nogil:
    """Works a parcel through the book down to a price; what is left rests unless it is to be sold at once."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Ticket t
    if not arena_room(&s.arena) or not book_room(&s.books[parcel.instrument]):
        return
    memset(&t, 0, sizeof(Ticket))
    t.side = SELL if parcel.size_lots > 0 else BUY
    t.limit_ticks = limit_ticks
    t.price_ticks = limit_ticks
    t.size_lots = magnitude(parcel.size_lots)
    t.remaining_lots = t.size_lots
    t.holder = <int32_t>parcel.parcel_id
    t.account = HOUSE
    ticket_at(s, &t, parcel.instrument)
    t.flags = HOUSE_ORDER
    t.tif = GTC if may_rest else IOC
    accept(s, &t)
    execute(s, &t)
    if not may_rest or (s.may_cost_others and _parcel_value(s, &s.ledger.parcels[index]) <= 0):
        t.ending = UNWOUND
    conclude(s, &t)


cdef int64_t _fund_price(State* s, Parcel* parcel) noexcept nogil:
    """Where selling the whole remainder would exactly empty the fund, no further than the limit from mark."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef int128 left = parcel.cost_units
    cdef int64_t price
    left = left - wallet_of(&s.ledger, FUND, ins.currency).cash_units
    price = price_paying(ins, parcel.size_lots, left, 0)
    if parcel.size_lots > 0:
        return most(price, band_price(ins, SELL, s.rules.parcel_limit_ppb))
    return least(price, band_price(ins, BUY, s.rules.parcel_limit_ppb))


cdef void _unwind(State* s, int32_t index, bint at_takeover) noexcept nogil:
    """A new parcel goes through the book at its bankruptcy price. One without value goes now, whatever it takes, or waits for
    its instrument's next mark where this command may not cost others."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef int64_t highest = s.ledger.instruments[parcel.instrument].max_price_ticks
    cdef int64_t price = clamp(parcel.bankruptcy_ticks, 1, highest)
    parcel.due = 0
    # A bankruptcy price beyond every legal one cannot be had: such a parcel is under water and goes on below.
    if at_takeover and (price >= parcel.bankruptcy_ticks if parcel.size_lots > 0 else price <= parcel.bankruptcy_ticks):
        _house_order(s, index, price, True)
    parcel = &s.ledger.parcels[index]
    if parcel.size_lots == 0 or _parcel_value(s, parcel) > 0 or not s.may_cost_others:
        return
    if parcel.order_id != 0:
        cancel(s, arena_find(&s.arena, parcel.order_id), UNWOUND)
    price = _fund_price(s, parcel)
    if 1 <= price <= highest:  # else no legal price is good enough
        _house_order(s, index, price, False)
    if s.ledger.parcels[index].size_lots != 0:
        _deleverage(s, index)


cdef bint _unwind_due(State* s) noexcept nogil:
    """Looks at every parcel whose value may have changed, by id."""
    cdef bint any = False
    cdef int32_t i
    for i in range(s.ledger.parcel_count):
        if s.ledger.parcels[i].due and s.ledger.parcels[i].size_lots != 0:
            any = True
            _unwind(s, i, False)
    return any


# --- Deleveraging (semantics §5) -----------------------------------------------------------------------

cdef int _by_rank(const void* left, const void* right) noexcept nogil:
    cdef Winner* a = <Winner*>left
    cdef Winner* b = <Winner*>right
    if a.rank != b.rank:
        return -1 if a.rank > b.rank else 1
    return -1 if a.account < b.account else (1 if a.account > b.account else 0)


cdef int32_t _winners(State* s, Parcel* parcel, Winner* winners) noexcept nogil:
    """The other side's positions by rank, each with whether pass 1 may take it."""
    cdef Instrument* ins = &s.ledger.instruments[parcel.instrument]
    cdef int32_t count = 0
    cdef int32_t i
    cdef int128 share, after
    cdef Position* p
    cdef Requirement r
    for i in range(ins.member_count):
        p = &s.ledger.positions[ins.members[i]]
        if p.size_lots == 0 or (p.size_lots > 0) == (parcel.size_lots > 0):
            continue
        domain_requirement(&s.ledger, &s.rules, ins.members[i], &r)
        share = parcel.cost_units
        share = floor128(share * magnitude(p.size_lots), magnitude(parcel.size_lots))
        after = r.equity
        after = after - upl(&s.ledger, p) - share - p.cost_units
        winners[count].rank = adl_rank(&s.ledger, p, &r)
        winners[count].position = ins.members[i]
        winners[count].account = p.account
        winners[count].sound = r.equity > 0 and after >= 0
        count += 1
    qsort(winners, count, sizeof(Winner), &_by_rank)
    return count


cdef void _adl_event(State* s, uint32_t account, Parcel* parcel, int64_t lots, int64_t share, int pass_, int64_t rank) noexcept nogil:
    emit_adl(
        &s.log, account=account, instrument=parcel.instrument, adl_pass=pass_, parcel_id=parcel.parcel_id,
        closed_lots=lots, share_units=share, rank=rank)


cdef void _close_winner(State* s, int32_t index, Winner* winner, int pass_) noexcept nogil:
    """Closes a counterparty against the parcel at the parcel's cost share, the same integer on both sides."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Position* p = &s.ledger.positions[winner.position]
    cdef int64_t lots = least(magnitude(parcel.size_lots), magnitude(p.size_lots))
    cdef int64_t share = parcel_share(parcel, lots, &s.log.fault)
    cdef uint64_t ref = <uint64_t>parcel.parcel_id
    cdef uint32_t currency = s.ledger.instruments[p.instrument].currency
    cdef FillTerms terms
    cdef Effect e
    cdef Requirement r
    cancel_all(s, winner.position, DELEVERAGED)
    _adl_event(s, winner.account, parcel, lots, share, pass_, winner.rank)
    terms.size_delta = lots if p.size_lots < 0 else -lots
    terms.cost_delta = share
    terms.fee_units = 0
    terms.fee_reason = MAKER_FEE
    terms.keep_margin = 0
    terms.deleveraged = 1
    terms.ref = ref
    fill_effect(&s.ledger, winner.position, &terms, &e)
    fit(&s.ledger, &s.rules, winner.position, &e)
    fill_post(&s.ledger, winner.position, &terms, &e)
    touch(&s.ledger, winner.account)
    refresh_hold(s, winner.position)
    parcel_fill(&s.ledger, index, lots, -share, CLOSED_BY_ADL, ref)
    if pass_ == 3:
        domain_requirement(&s.ledger, &s.rules, winner.position, &r)
        if r.equity < 0:
            p = &s.ledger.positions[winner.position]
            pay(&s.ledger, ADL_TOP_UP, wallet_purse(DEFICIT, currency),
                margin_purse(&s.ledger, winner.position) if p.mode else wallet_purse(p.account, currency),
                -saturate(r.equity), ref)


cdef void _close_opposite(State* s, int32_t index, int32_t other) noexcept nogil:
    """Pass 2: another parcel of the other side closes at this one's price; its loss goes to the fund."""
    cdef Parcel* parcel = &s.ledger.parcels[index]
    cdef Parcel* opposite = &s.ledger.parcels[other]
    cdef int64_t lots = least(magnitude(parcel.size_lots), magnitude(opposite.size_lots))
    cdef int64_t share = parcel_share(parcel, lots, &s.log.fault)
    cdef int32_t slot
    if opposite.order_id != 0:
        slot = arena_find(&s.arena, opposite.order_id)
        if s.arena.orders[slot].remaining_lots > lots:
            shrink(s, slot, lots, UNWOUND)
        else:
            cancel(s, slot, UNWOUND)
    _adl_event(s, HOUSE, parcel, lots, share, 2, opposite.parcel_id)
    parcel_fill(&s.ledger, index, lots, -share, CLOSED_BY_ADL, <uint64_t>parcel.parcel_id)
    parcel_fill(&s.ledger, other, lots, share, CLOSED_BY_OPPOSITE, <uint64_t>parcel.parcel_id)


cdef void _deleverage(State* s, int32_t index) noexcept nogil:
    """Closes all that is left of a parcel: winners by rank, opposite parcels, then everybody else by rank."""
    cdef Instrument* ins = &s.ledger.instruments[s.ledger.parcels[index].instrument]
    cdef Winner* winners = <Winner*>taken(<size_t>(ins.member_count + 1) * sizeof(Winner))
    cdef int32_t count, i
    cdef int pass_
    if winners == NULL:
        s.log.fault = 2
        return
    count = _winners(s, &s.ledger.parcels[index], winners)
    for pass_ in range(1, 4):
        if pass_ == 2:
            for i in range(s.ledger.parcel_count):
                if s.ledger.parcels[index].size_lots == 0:
                    break
                if (s.ledger.parcels[i].size_lots != 0 and s.ledger.parcels[i].instrument == s.ledger.parcels[index].instrument
                        and (s.ledger.parcels[i].size_lots > 0) != (s.ledger.parcels[index].size_lots > 0)):
                    _close_opposite(s, index, i)
            continue
        for i in range(count):
            if s.ledger.parcels[index].size_lots == 0:
                break
            if winners[i].sound == (pass_ == 1):
                _close_winner(s, index, &winners[i], pass_)
    free(winners)
    if s.ledger.parcels[index].size_lots != 0:
        s.log.fault = 3


# --- The end of a command ------------------------------------------------------------------------------

cdef void settle(State* s) noexcept nogil:
    """Parcels first, then the touched accounts worst first, round after round until nobody is left."""
    cdef Queue due
    cdef int32_t i
    memset(&due, 0, sizeof(Queue))
    while s.log.fault == 0:
        while s.ledger.parcel_count and _unwind_due(s) and s.log.fault == 0:
            pass
        if s.ledger.touched_count == 0:
            break
        due.count = 0
        _collect(s, &due)
        if due.count > 1:
            qsort(due.items, due.count, sizeof(Due), &_by_slack)
        for i in range(due.count):
            _liquidate(s, &due.items[i])
    free(due.items)
    if s.ledger.parcel_count:
        parcels_sweep(&s.ledger)
