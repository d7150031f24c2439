"""Postings and fills; the contract is in ledger.pxd."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset
from solvent._core.account.fund_past cimport fund_note
from solvent._core.base.clauses cimport (
    LIQ_1, LIQ_6, LIQ_7, MAR_1, MAR_2, MAR_3, MAR_4, MON_1, MON_2, MON_3, MON_6, MON_7, MON_8, is_floor,
    is_trunc, must,
)
from solvent._core.base.ladder cimport ladder_close
from solvent._core.base.money cimport RATE, add, clamp, int128, min64, magnitude, max64, mul_div_floor, mul_div_trunc, sub
from solvent._core.base.pool cimport resized, room, rooms, zeroed
from solvent._core.base.schema cimport (
    ADL_TOP_UP, CLEARING, DEFICIT, DEFICIT_REPAID, FEES, FUND, LIQUIDATION_FEE, LONG, MARGIN_ASSIGNED, MARGIN_RELEASED,
    NO_INSTRUMENT, POSITION, REALISED, SHORT, SHORTFALL,
)
from solvent._core.base.event_log cimport EventLog
from solvent._core.contract.order_limits cimport limits_close
from solvent._core.contract.valuation cimport Held, Instrument
from solvent._core.base.emit cimport emit_ledger, emit_position


cdef int ledger_open(Ledger* ledger, EventLog* log, uint32_t currencies) noexcept nogil:
    memset(ledger, 0, sizeof(Ledger))
    ledger.log = log
    ledger.currency_count = currencies
    ledger.next_parcel_id = 1
    ledger.costs = <int64_t*>zeroed(currencies + 1, sizeof(int64_t))
    if ledger.costs == NULL:
        return 0
    ledger.moves = 1
    ledger.notes.readings = 1
    while ledger.account_count < FIRST_USER:
        if not accounts_reserve(ledger):
            return 0
        account_new(ledger, 0)
    return 1


cdef void ledger_close(Ledger* ledger) noexcept nogil:
    cdef uint32_t i
    if ledger.instruments != NULL:
        for i in range(ledger.instrument_count):
            instrument_close(&ledger.instruments[i])
    free(ledger.instruments)
    free(ledger.accounts)
    free(ledger.wallets)
    free(ledger.positions)
    free(ledger.parcels)
    free(ledger.past.values)
    ladder_close(&ledger.due.now)
    ladder_close(&ledger.due.later)
    free(ledger.touched)
    free(ledger.notes.owners)
    free(ledger.costs)
    free(ledger.collateral)


# --- Pools ---------------------------------------------------------------------------------------------

cdef int instrument_reserve(Ledger* ledger) noexcept nogil:
    """Makes room for one more instrument and clears it; returns 0 when memory is gone. May move them all."""
    if not room(<void**>&ledger.instruments, <int32_t>ledger.instrument_count, &ledger.instrument_capacity, sizeof(Instrument)):
        return 0
    memset(&ledger.instruments[ledger.instrument_count], 0, sizeof(Instrument))
    unlisted(&ledger.instruments[ledger.instrument_count])
    return 1


cdef void instrument_close(Instrument* ins) noexcept nogil:
    free(ins.tiers)
    free(ins.rates)
    free(ins.fee_tiers)
    free(ins.members)
    limits_close(ins.limits)


cdef int accounts_reserve(Ledger* ledger) noexcept nogil:
    """Makes room for one more account; returns 0 at the limit or when memory is gone."""
    cdef uint32_t capacity = ledger.account_capacity * 2 if ledger.account_capacity else 64
    if ledger.account_count < ledger.account_capacity:
        return 1
    if (ledger.account_count >= ACCOUNTS_MAX or not resized(<void**>&ledger.accounts, capacity, sizeof(Account))
            or not resized(<void**>&ledger.wallets, capacity, ledger.currency_count * sizeof(Wallet))
            or not resized(<void**>&ledger.touched, capacity, sizeof(uint32_t))):
        return 0
    ledger.account_capacity = capacity
    return 1


cdef uint32_t account_new(Ledger* ledger, uint32_t parent) noexcept nogil:
    cdef uint32_t account = ledger.account_count
    ledger.account_count += 1
    memset(&ledger.accounts[account], 0, sizeof(Account))
    ledger.accounts[account].first_position = -1
    ledger.accounts[account].parent = parent
    memset(wallet_of(ledger, account, 0), 0, ledger.currency_count * sizeof(Wallet))
    must(parent < account or account == 0, MON_7, &ledger.log.fault)
    must(ledger.account_count <= ledger.account_capacity, MON_7, &ledger.log.fault)
    return account


cdef int positions_reserve(Ledger* ledger, uint32_t instrument, int32_t more) noexcept nogil:
    """Makes room for `more` positions; returns 0 when memory is gone. May move the pool."""
    cdef Instrument* ins = &ledger.instruments[instrument]
    return (rooms(<void**>&ledger.positions, ledger.position_count, more, &ledger.position_capacity, sizeof(Position))
            and rooms(<void**>&ins.members, ins.member_count, more, &ins.member_capacity, sizeof(int32_t)))


cdef void _cross_lots(Ledger* ledger, Position* p, int64_t* longs, int64_t* shorts) noexcept nogil:
    """Adds up the cross rows of a position's instrument. An open row has at most its other leg beside it; a flat one any."""
    cdef int32_t index = p.other_leg
    longs[0] = max64(0, p.size_lots)
    shorts[0] = max64(0, -p.size_lots)
    if p.hedged or (p.leg != 0 and (index < 0 or p.size_lots == 0)):
        index = ledger.accounts[p.account].first_position
    while index >= 0:
        if (&ledger.positions[index] != p and ledger.positions[index].instrument == p.instrument
                and ledger.positions[index].leg != p.leg and not ledger.positions[index].mode):
            longs[0] += max64(0, ledger.positions[index].size_lots)
            shorts[0] += max64(0, -ledger.positions[index].size_lots)
        index = ledger.positions[index].next if index != p.other_leg or p.size_lots == 0 else -1
    must(longs[0] >= 0 and shorts[0] >= 0, MAR_1, &ledger.log.fault)


cdef void _sum_group(Ledger* ledger, Position* p, GroupSums* sums) noexcept nogil:
    """Adds up a tier group in the cross domain of a position."""
    cdef uint32_t tier_group = ledger.instruments[p.instrument].tier_group
    cdef int32_t index = ledger.accounts[p.account].first_position
    cdef uint32_t instrument = NO_INSTRUMENT
    cdef int64_t net = 0
    cdef Position* other
    sums.tier_group = tier_group
    sums.currency = ledger.instruments[p.instrument].currency
    sums.net_lots = sums.long_lots = sums.short_lots = 0
    while index >= 0:
        other = &ledger.positions[index]
        if (not other.mode and ledger.instruments[other.instrument].tier_group == tier_group
                and ledger.instruments[other.instrument].currency == sums.currency):
            if other.instrument != instrument:      # the rows are sorted by instrument
                sums.net_lots += magnitude(net)
                net = 0
                instrument = other.instrument
            net += other.size_lots
            sums.long_lots += max64(0, other.size_lots)
            sums.short_lots += max64(0, -other.size_lots)
        must(other.account == p.account, MON_7, &ledger.log.fault)
        index = other.next
    sums.net_lots += magnitude(net)
    must(sums.net_lots >= 0 and sums.net_lots <= sums.long_lots + sums.short_lots, MAR_1, &ledger.log.fault)


cdef inline void _group(Ledger* ledger, Position* p, GroupSums* sums) noexcept nogil:
    """Finds the sums of a position's tier group: those of the walk, if its account's rows are walked."""
    if ledger.sums.account != p.account:
        _sum_group(ledger, p, sums)
        return
    if (ledger.sums.tier_group != ledger.instruments[p.instrument].tier_group
            or ledger.sums.currency != ledger.instruments[p.instrument].currency):
        _sum_group(ledger, p, &ledger.sums)
    sums[0] = ledger.sums
    must(sums.tier_group != 0, MAR_1, &ledger.log.fault)
    must(sums.currency == ledger.instruments[p.instrument].currency, MAR_1, &ledger.log.fault)


cdef int64_t group_net_lots(Ledger* ledger, Position* p) noexcept nogil:
    """Adds up the absolute net sizes of the other instruments of a cross position's tier group."""
    cdef GroupSums sums
    cdef int64_t longs, shorts
    if p.mode:
        return 0
    _group(ledger, p, &sums)
    _cross_lots(ledger, p, &longs, &shorts)
    must(sums.net_lots >= magnitude(longs - shorts), MAR_1, &ledger.log.fault)
    return sums.net_lots - magnitude(longs - shorts)


cdef void sides_of(Ledger* ledger, Position* p, Held* held) noexcept nogil:
    """Finds the lots long and short of a position's instrument, or tier group, in one margin domain."""
    cdef GroupSums sums
    if ledger.instruments[p.instrument].tier_group and not p.mode:
        _group(ledger, p, &sums)
        held.long_lots, held.short_lots = sums.long_lots, sums.short_lots
    elif not p.mode:
        _cross_lots(ledger, p, &held.long_lots, &held.short_lots)
    else:
        held.long_lots = max64(0, p.size_lots)
        held.short_lots = max64(0, -p.size_lots)
    must(held.long_lots >= max64(0, p.size_lots) and held.short_lots >= max64(0, -p.size_lots), MAR_1, &ledger.log.fault)


cdef void position_default(Ledger* ledger, uint32_t account, uint32_t instrument, uint8_t leg, Position* position) noexcept nogil:
    """Sets a new position: flat, cross, the default leverage."""
    memset(position, 0, sizeof(Position))
    position.account = account
    position.instrument = instrument
    position.leg = leg
    position.leverage.times = ledger.instruments[instrument].default_leverage
    position.leverage.parts = 1
    position.next = -1
    position.other_leg = -1
    position.first_order = -1
    position.first_reduce = -1


cdef int32_t position_new(Ledger* ledger, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil:
    """Adds a flat position, after positions_reserve."""
    cdef Instrument* ins = &ledger.instruments[instrument]
    cdef int32_t index = ledger.position_count
    cdef int32_t* link = &ledger.accounts[account].first_position
    position_default(ledger, account, instrument, leg, &ledger.positions[index])
    while link[0] >= 0 and comes_before(&ledger.positions[link[0]], instrument, leg):
        link = &ledger.positions[link[0]].next
    ledger.positions[index].next = link[0]
    link[0] = index
    ledger.position_count += 1
    ins.members[ins.member_count] = index
    ins.member_count += 1
    must(position_find(ledger, account, instrument, leg) == index, MON_7, &ledger.log.fault)
    must(ledger.positions[index].size_lots == 0 and ledger.positions[index].cost_units == 0, MON_3, &ledger.log.fault)
    return index


cdef void note_anew(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil:
    """Writes an account down; without memory, that one is missing."""
    cdef Notes* notes = &ledger.notes
    wallet_of(ledger, account, currency).noted_at = notes.readings
    if not room(<void**>&notes.owners, notes.count, &notes.capacity, sizeof(Owner)):
        notes.lost = True
        notes.lost_count += 1
        return
    notes.owners[notes.count].account = account
    notes.owners[notes.count].currency = currency
    notes.count += 1


cdef void position_forget(Ledger* ledger) noexcept nogil:
    """Removes the position that was added last."""
    cdef int32_t index = ledger.position_count - 1
    cdef Position* p = &ledger.positions[index]
    cdef int32_t* link = &ledger.accounts[p.account].first_position
    while link[0] != index:
        link = &ledger.positions[link[0]].next
    must(p.size_lots == 0 and p.cost_units == 0 and p.margin_units == 0, MON_3, &ledger.log.fault)
    must(p.first_order < 0 and p.hold_units == 0, MON_8, &ledger.log.fault)
    link[0] = p.next
    ledger.instruments[p.instrument].member_count -= 1
    ledger.position_count -= 1


cdef int _by_account(const void* left, const void* right) noexcept nogil:
    cdef uint32_t a = (<uint32_t*>left)[0]
    cdef uint32_t b = (<uint32_t*>right)[0]
    return -1 if a < b else (1 if a > b else 0)


cdef bint _overdrawn(Ledger* l) noexcept nogil:
    """True if a touched account has a wallet below zero, which collateral or the fund may have to cover."""
    cdef uint32_t i, currency
    for i in range(l.touched_count):
        for currency in range(l.currency_count):
            if wallet_of(l, l.touched[i], currency).cash_units < 0:
                return True
    return False


cdef void order_touched(Ledger* ledger) noexcept nogil:
    """Sorts the touched accounts where their order may change a result."""
    if ledger.touched_count > 1 and _overdrawn(ledger):
        qsort(ledger.touched, ledger.touched_count, sizeof(uint32_t), &_by_account)
    must(ledger.touched_count <= ledger.account_count, LIQ_1, &ledger.log.fault)


# --- Postings ------------------------------------------------------------------------------------------

cdef inline int64_t* _balance(Ledger* ledger, Purse* purse) noexcept nogil:
    if purse.position >= 0:
        return &ledger.positions[purse.position].margin_units
    return &wallet_of(ledger, purse.account, purse.currency).cash_units


cdef void pay(Ledger* ledger, uint16_t reason, Purse payer, Purse receiver, int64_t amount, uint64_t ref) noexcept nogil:
    """Moves money from one purse to another. A negative amount moves it back, and zero emits no event."""
    cdef int64_t* source
    cdef int64_t* target
    cdef uint32_t instrument = NO_INSTRUMENT
    cdef uint8_t margin_of = 0
    cdef uint64_t both
    if amount == 0:
        return
    if amount < 0:
        payer, receiver = receiver, payer
        amount = sub(0, amount, &ledger.log.fault)
    source = _balance(ledger, &payer)
    target = _balance(ledger, &receiver)
    both = <uint64_t>source[0] + <uint64_t>target[0]
    source[0] = sub(source[0], amount, &ledger.log.fault)
    target[0] = add(target[0], amount, &ledger.log.fault)
    must((amount > 0) & (source != target) & (payer.currency == receiver.currency), MON_7, &ledger.log.fault)
    must(<uint64_t>source[0] + <uint64_t>target[0] == both, MON_1, &ledger.log.fault)
    note(ledger, payer.account, payer.currency)
    note(ledger, receiver.account, receiver.currency)
    if payer.position >= 0:
        instrument = ledger.positions[payer.position].instrument
        margin_of = 1 | ledger.positions[payer.position].leg << 2
    elif receiver.position >= 0:
        instrument = ledger.positions[receiver.position].instrument
        margin_of = 2 | ledger.positions[receiver.position].leg << 2
    emit_ledger(
        ledger.log, instrument=instrument, payer=payer.account, receiver=receiver.account, amount_units=amount,
        payer_after=source[0], receiver_after=target[0], ref=ref, currency=payer.currency, posting=reason,
        margin_of=margin_of)


cdef inline void _waterfall(Ledger* ledger, uint32_t currency, bint grown) noexcept nogil:
    """States that fund and deficit have their signs, and that the deficit is repaid before the fund grows."""
    must(wallet_of(ledger, FUND, currency).cash_units >= 0, LIQ_7, &ledger.log.fault)
    must(wallet_of(ledger, DEFICIT, currency).cash_units <= 0, LIQ_6, &ledger.log.fault)
    must(not grown or wallet_of(ledger, DEFICIT, currency).cash_units == 0, LIQ_6, &ledger.log.fault)


cdef void fund_moved(Ledger* ledger, uint32_t currency) noexcept nogil:
    """Remembers what the fund is worth now, if the rule set asks for it."""
    cdef int64_t units = wallet_of(ledger, FUND, currency).cash_units
    must(units >= 0, LIQ_7, &ledger.log.fault)
    if ledger.past.window_ns and not fund_note(&ledger.past, currency, units, &ledger.log.fault):
        ledger.log.fault = 2


cdef void fund_receives(Ledger* ledger, uint16_t reason, Purse payer, int64_t amount, uint64_t ref) noexcept nogil:
    """Pays income to the insurance fund; an open deficit is repaid first (semantics §5)."""
    cdef int64_t owed = -wallet_of(ledger, DEFICIT, payer.currency).cash_units
    cdef int64_t repaid = min64(amount, owed)
    cdef int128 after = insurance(ledger, payer.currency) + amount
    pay(ledger, DEFICIT_REPAID, payer, wallet_purse(DEFICIT, payer.currency), repaid, ref)
    pay(ledger, reason, payer, wallet_purse(FUND, payer.currency), amount - repaid, ref)
    must(amount >= 0 and insurance(ledger, payer.currency) == after, MON_1, &ledger.log.fault)
    _waterfall(ledger, payer.currency, amount != repaid)
    fund_moved(ledger, payer.currency)


cdef void fund_pays(Ledger* ledger, uint16_t reason, Purse receiver, int64_t amount, uint64_t ref) noexcept nogil:
    """Pays from the insurance fund as far as it reaches, then from the deficit."""
    cdef int64_t paid = min64(amount, wallet_of(ledger, FUND, receiver.currency).cash_units)
    cdef int128 after = insurance(ledger, receiver.currency) - amount
    pay(ledger, reason, wallet_purse(FUND, receiver.currency), receiver, paid, ref)
    pay(ledger, reason, wallet_purse(DEFICIT, receiver.currency), receiver, amount - paid, ref)
    must(amount >= 0 and insurance(ledger, receiver.currency) == after, MON_1, &ledger.log.fault)
    must(paid == amount or wallet_of(ledger, FUND, receiver.currency).cash_units == 0, LIQ_6, &ledger.log.fault)
    _waterfall(ledger, receiver.currency, False)
    fund_moved(ledger, receiver.currency)


# --- Fills ---------------------------------------------------------------------------------------------

cdef void position_event(Ledger* ledger, int32_t index) noexcept nogil:
    cdef Position* p = &ledger.positions[index]
    must((p.size_lots != 0) | ((p.cost_units | p.margin_units) == 0), MON_3, &ledger.log.fault)
    if p.leg != 0 or p.hedged:
        must((p.size_lots >= 0 if p.leg == LONG else p.leg != SHORT or p.size_lots <= 0) and not (p.hedged and p.size_lots != 0), MAR_2,
             &ledger.log.fault)
    domain_forget(ledger, p)
    emit_position(
        ledger.log, account=p.account, instrument=p.instrument, mode=p.mode, size_lots=p.size_lots,
        cost_units=p.cost_units, margin_units=p.margin_units, leverage=p.leverage.times, leg=p.leg,
        leverage_parts=p.leverage.parts, chosen_tier=p.chosen_tier)


cdef inline void _pay_any(Ledger* ledger, uint16_t reason, Purse payer, Purse receiver, int64_t amount, uint64_t ref) noexcept nogil:
    """Pays, if there is an amount: most fills leave most of their postings at zero."""
    if amount != 0:
        pay(ledger, reason, payer, receiver, amount, ref)


cdef inline void _fee(Ledger* ledger, Fill* terms, Purse payer, int64_t rest) noexcept nogil:
    cdef int64_t share
    if terms.fee_reason == LIQUIDATION_FEE:
        share = mul_div_floor(rest, ledger.fund_share_ppb, RATE, &ledger.log.fault)
        must(is_floor(share, rest, ledger.fund_share_ppb, RATE), MON_6, &ledger.log.fault)
        fund_receives(ledger, LIQUIDATION_FEE, payer, share, terms.ref)
        rest -= share
        must(rest >= 0, MON_7, &ledger.log.fault)
    _pay_any(ledger, terms.fee_reason, payer, wallet_purse(FEES, payer.currency), rest, terms.ref)


cdef inline void _close_isolated(Position* p, Fill* terms, Effect* e, int64_t margin_share, bint whole, int32_t* fault) noexcept nogil:
    """Computes the isolated margin after a reduction: it bears the profit and the fee of a fill that only reduces.

    Its share is then released, or nothing where a loss has consumed it. A loss beyond the margin never reaches the wallet
    (MAR-3).
    """
    cdef int64_t released = add(margin_share, sub(e.realised_units, e.margin_fee_units, fault), fault)
    e.margin_units = add(e.margin_units, sub(e.realised_units, e.margin_fee_units, fault), fault)
    if whole:
        e.shortfall_units = max64(0, -e.margin_units)
        e.released_units = max64(0, e.margin_units)
    elif not terms.keep_margin:
        e.released_units = clamp(released, 0, max64(0, e.margin_units))
    e.margin_units = e.margin_units + e.shortfall_units - e.released_units


cdef void fill_effect(Ledger* ledger, int32_t index, Fill* terms, Effect* e) noexcept nogil:
    """Computes the effect of a fill: closes trunc(cost * lots / size) of the cost, then opens the rest (semantics §1).

    Nothing is assigned yet.
    """
    cdef Position* p = &ledger.positions[index]
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t held = magnitude(p.size_lots)
    cdef int64_t moved = magnitude(terms.size_delta)
    cdef int64_t paid, share, lots
    e.closed_lots = e.realised_units = e.margin_fee_units = e.cash_units = 0
    e.shortfall_units = e.released_units = e.assigned_units = 0
    e.known = e.stands = e.tight = False
    e.size_lots, e.cost_units, e.margin_units = p.size_lots, p.cost_units, p.margin_units
    e.opened_cost = terms.cost_delta
    if p.size_lots != 0 and (p.size_lots > 0) != (terms.size_delta > 0):
        lots = e.closed_lots = min64(held, moved)
        paid = terms.cost_delta if lots == moved else mul_div_trunc(terms.cost_delta, lots, moved, fault)
        share = p.cost_units if lots == held else mul_div_trunc(p.cost_units, lots, held, fault)
        e.realised_units = sub(-paid, share, fault)
        e.size_lots += lots if p.size_lots < 0 else -lots
        e.cost_units -= share
        e.opened_cost -= paid
        if p.mode:
            e.margin_fee_units = terms.fee_units if lots == moved else 0
            _close_isolated(p, terms, e, p.margin_units if lots == held else mul_div_floor(p.margin_units, lots, held, fault),
                            lots == held, fault)
        else:
            e.cash_units = e.realised_units
    lots = moved - e.closed_lots
    e.opened_lots = lots if terms.size_delta > 0 else -lots
    e.size_lots += e.opened_lots
    e.cost_units = add(e.cost_units, e.opened_cost, fault)
    e.wallet_fee_units = terms.fee_units - e.margin_fee_units
    e.cash_units = sub(add(e.cash_units, e.released_units, fault), e.wallet_fee_units, fault)


cdef inline void _check_effect(Position* p, Fill* terms, Effect* e, int32_t* fault) noexcept nogil:
    """States the size and cost after a fill: the closed part's share of both costs, cut to a unit."""
    cdef int64_t held = magnitude(p.size_lots)
    cdef int64_t moved = magnitude(terms.size_delta)
    cdef int64_t paid = terms.cost_delta - e.opened_cost
    cdef bint against = p.size_lots != 0 and (p.size_lots > 0) != (terms.size_delta > 0)
    must((e.size_lots == p.size_lots + terms.size_delta) & (e.closed_lots == (min64(held, moved) if against else 0))
         & (e.closed_lots + magnitude(e.opened_lots) == moved), MON_2, fault)
    must((e.cost_units == p.cost_units + terms.cost_delta + e.realised_units) & ((e.size_lots != 0) | (e.cost_units == 0)), MON_3, fault)
    must(e.margin_fee_units + e.wallet_fee_units == terms.fee_units, MON_7, fault)
    if e.closed_lots != 0:
        must(is_trunc(paid, terms.cost_delta, e.closed_lots, moved), MON_6, fault)
        must(is_trunc(-paid - e.realised_units, p.cost_units, e.closed_lots, held), MON_6, fault)
    else:
        must((paid == 0) & (e.realised_units == 0), MON_3, fault)


cdef inline void _check_margin(Position* p, Fill* terms, Effect* e, int32_t* fault) noexcept nogil:
    """States the isolated margin after a fill, and that a cross position has none."""
    cdef int64_t left = p.margin_units + e.realised_units - e.margin_fee_units      # before anything is released
    cdef bint whole = e.closed_lots != 0 and e.closed_lots == magnitude(p.size_lots)
    if not p.mode:
        must((e.margin_units | e.released_units | e.assigned_units | e.shortfall_units) == 0, MAR_3, fault)
        must((e.margin_fee_units == 0) & (e.cash_units == e.realised_units - e.wallet_fee_units), MON_7, fault)
        return
    must(e.margin_units == left + e.shortfall_units - e.released_units + e.assigned_units, MAR_3, fault)
    must(e.cash_units == e.released_units - e.wallet_fee_units - e.assigned_units, MAR_3, fault)
    must(e.released_units >= 0 and e.assigned_units >= 0, MON_7, fault)
    must(e.shortfall_units == (max64(0, -left) if whole else 0), MAR_3, fault)
    must(e.released_units <= max64(0, left) and (e.closed_lots != 0 or e.released_units == 0), MAR_3, fault)
    must(not whole or e.opened_lots != 0 or e.margin_units == 0, MAR_3, fault)
    must(not terms.keep_margin or whole or e.released_units == 0, MAR_3, fault)
    must(e.margin_fee_units == (terms.fee_units if e.closed_lots != 0 and e.opened_lots == 0 else 0), MON_7, fault)


cdef void fill_post(Ledger* ledger, int32_t index, Fill* terms, Effect* e) noexcept nogil:
    """Posts the effect of a fill on a position as it is: close, fee, open, POSITION."""
    cdef Position* p = &ledger.positions[index]
    cdef uint32_t currency = ledger.instruments[p.instrument].currency
    cdef Purse wallet = wallet_purse(p.account, currency)
    cdef Purse margin
    cdef int64_t cash = wallet_of(ledger, p.account, currency).cash_units
    _check_effect(p, terms, e, &ledger.log.fault)
    _check_margin(p, terms, e, &ledger.log.fault)
    ledger.costs[currency] += e.cost_units - p.cost_units
    ledger.instruments[p.instrument].net_lots += e.size_lots - p.size_lots
    if e.closed_lots != 0 and e.closed_lots == magnitude(p.size_lots):
        p.stuck = 0
    p.size_lots = e.size_lots
    p.cost_units = e.cost_units
    if p.mode:
        margin = margin_purse(ledger, index)
        _pay_any(ledger, REALISED, wallet_purse(CLEARING, currency), margin, e.realised_units, terms.ref)
        _fee(ledger, terms, margin, e.margin_fee_units)
        if e.shortfall_units != 0 and terms.deleveraged:
            pay(ledger, ADL_TOP_UP, wallet_purse(DEFICIT, currency), margin, e.shortfall_units, terms.ref)
        elif e.shortfall_units != 0:
            fund_pays(ledger, SHORTFALL, margin, e.shortfall_units, terms.ref)
        _pay_any(ledger, MARGIN_RELEASED, margin, wallet, e.released_units, terms.ref)
    else:
        _pay_any(ledger, REALISED, wallet_purse(CLEARING, currency), wallet, e.realised_units, terms.ref)
    _fee(ledger, terms, wallet, e.wallet_fee_units)
    if e.assigned_units != 0:
        pay(ledger, MARGIN_ASSIGNED, wallet, margin_purse(ledger, index), e.assigned_units, terms.ref)
    must(p.margin_units == e.margin_units, MAR_3, &ledger.log.fault)
    must(wallet_of(ledger, p.account, currency).cash_units == cash + e.cash_units, MON_7, &ledger.log.fault)
    position_event(ledger, index)


cdef void position_fill(Ledger* ledger, int32_t index, Fill* terms) noexcept nogil:
    """Posts a fill that opens nothing and needs no judgement: deleveraging, netting, a settlement."""
    cdef Effect e
    fill_effect(ledger, index, terms, &e)
    must(e.opened_lots == 0, MAR_4, &ledger.log.fault)
    fill_post(ledger, index, terms, &e)
    touch(ledger, ledger.positions[index].account)
    must(ledger.accounts[ledger.positions[index].account].touched, LIQ_1, &ledger.log.fault)
