"""Requirements, shares and prices; the contract is in margin.pxd."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.ledger cimport Instrument, Ledger, OpenSide, Position, Wallet, wallet_of
from solvent._core.money cimport (
    INT64_MAX, RATE, add, ceil128, clamp, floor128, int128, magnitude, most, mul_div_ceil, narrow, saturate,
    sub,
)
from solvent._core.records cimport BUY, SELL


cdef int tier_of(Instrument* ins, int64_t lots) noexcept nogil:
    """0-based tier of so many contracts."""
    cdef int k = 0
    lots = magnitude(lots)
    while k < ins.tier_count - 1 and lots > ins.tiers[k].max_lots:
        k += 1
    return k


cdef int64_t fee_units(int64_t value, int64_t rate_ppb, int32_t* fault) noexcept nogil:
    return mul_div_ceil(value, rate_ppb, RATE, fault)


cdef int64_t upl(Ledger* ledger, Position* p) noexcept nogil:
    """Unrealised profit at mark."""
    return sub(at_mark(ledger, p.instrument, p.size_lots), p.cost_units, &ledger.log.fault)


# --- The ratio test (semantics §2) ---------------------------------------------------------------------

cdef void threshold_rates(Rules* rules, Instrument* ins, Position* p, int64_t* full, int64_t* own) noexcept nogil:
    """The two threshold rates of a position, the liquidation fee included where the rule set says so."""
    cdef int k = tier_of(ins, p.size_lots)
    cdef int64_t f = ins.liquidation_fee_ppb
    cdef int64_t mmr = ins.tiers[k].maintenance_ppb
    if k < rules.step_tiers:
        full[0] = mmr + (f if (rules.fee_isolated_low if p.mode else rules.fee_cross_low) else 0)
        own[0] = full[0]
    else:
        full[0] = ins.tiers[0].maintenance_ppb + (f if (rules.fee_isolated_full if p.mode else rules.fee_cross_full) else 0)
        own[0] = most(full[0], mmr + (f if (rules.fee_isolated_own if p.mode else rules.fee_cross_own) else 0))


cdef void isolated_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil:
    cdef Position* p = &ledger.positions[index]
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t full, own
    threshold_rates(rules, &ledger.instruments[p.instrument], p, &full, &own)
    cdef int64_t value = value_at_mark(ledger, p)
    r.value = value
    r.equity = p.margin_units
    r.equity += upl(ledger, p)
    r.full = mul_div_ceil(value, full, RATE, fault)
    r.own = mul_div_ceil(value, own, RATE, fault)
    r.positions = 1 if p.size_lots != 0 else 0


cdef void cross_requirement(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, Requirement* r) noexcept nogil:
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t value, full, own
    cdef int32_t index = ledger.accounts[account].first_position
    cdef Position* p
    r.equity = wallet_of(ledger, account, currency).cash_units
    r.full = 0
    r.own = 0
    r.value = 0
    r.positions = 0
    while index >= 0:
        p = &ledger.positions[index]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            threshold_rates(rules, &ledger.instruments[p.instrument], p, &full, &own)
            value = value_at_mark(ledger, p)
            r.equity += upl(ledger, p)
            r.value += value
            r.full += mul_div_ceil(value, full, RATE, fault)
            r.own += mul_div_ceil(value, own, RATE, fault)
            r.positions += 1
        index = p.next


# --- Bankruptcy (semantics §3, §4) ---------------------------------------------------------------------

cdef int64_t _maintenance(Ledger* ledger, Position* p) noexcept nogil:
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t mmr = ins.tiers[tier_of(ins, p.size_lots)].maintenance_ppb
    return mul_div_ceil(value_at_mark(ledger, p), mmr, RATE, &ledger.log.fault)


cdef int64_t equity_share(Ledger* ledger, int32_t index) noexcept nogil:
    """E_i = floor(E * MM_i / sum MM) of a cross position; left-over units go to the largest MM."""
    cdef int32_t* fault = &ledger.log.fault
    cdef uint32_t account = ledger.positions[index].account
    cdef uint32_t currency = ledger.instruments[ledger.positions[index].instrument].currency
    cdef int128 equity = wallet_of(ledger, account, currency).cash_units
    cdef int128 total = 0
    cdef int128 whole, part, left_over, share = 0
    cdef int64_t needed, largest_needed = -1
    cdef int32_t i, largest = -1
    cdef Position* p
    i = ledger.accounts[account].first_position
    while i >= 0:
        p = &ledger.positions[i]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            equity += upl(ledger, p)
            needed = _maintenance(ledger, p)
            total += needed
            if needed > largest_needed:
                largest_needed = needed
                largest = i
        i = p.next
    left_over = equity
    whole = floor128(equity, total)  # equity * MM may leave 128 bits: split off whole multiples of the total
    i = ledger.accounts[account].first_position
    while i >= 0:
        p = &ledger.positions[i]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            needed = _maintenance(ledger, p)
            part = whole * needed + floor128((equity - whole * total) * needed, total)
            left_over -= part
            if i == index:
                share = part
        i = p.next
    return narrow(share + left_over if index == largest else share, fault)


cdef int64_t bankruptcy_cost(Ledger* ledger, int32_t index) noexcept nogil:
    """The exact signed cost at which a position leaves nothing: what the house takes it over at."""
    cdef Position* p = &ledger.positions[index]
    cdef int32_t* fault = &ledger.log.fault
    if p.mode:
        return sub(p.cost_units, p.margin_units, fault)
    return sub(add(p.cost_units, upl(ledger, p), fault), equity_share(ledger, index), fault)


cdef int64_t price_paying(Instrument* ins, int64_t size_lots, int64_t cost_units, int64_t fee_ppb) noexcept nogil:
    """The first tick, from the bad side, at which closing the whole size pays its cost and a fee.

    Long: ceil(cost / (lots * (1 - fee))); short: floor(-cost / (lots * (1 + fee))), per tick-lot (the
    closed form of a linear contract). Saturates; may be zero or negative. The caller clamps.
    """
    cdef int128 lots = magnitude(size_lots)
    cdef int128 units = ins.units_per_tick_lot
    cdef int128 cost = cost_units
    if size_lots > 0:
        return saturate(ceil128(cost * RATE, lots * units * (RATE - fee_ppb)))
    return saturate(floor128(-cost * RATE, lots * units * (RATE + fee_ppb)))


cdef int64_t band_price(Instrument* ins, int side, int64_t band_ppb) noexcept nogil:
    """The worst legal price of a buy (above mark) or sell (below mark) within a band, rounded inwards."""
    cdef int128 mark = ins.mark_ticks
    cdef int64_t price
    if side == BUY:
        price = saturate(floor128(mark * (RATE + band_ppb), RATE))
    else:
        price = saturate(ceil128(mark * (RATE - band_ppb), RATE))
    return clamp(price, 1, ins.max_price_ticks)


# --- Before a trade ------------------------------------------------------------------------------------

cdef int64_t opening_lots(Position* p, int side, int64_t lots) noexcept nogil:
    """How many of `lots` on this side go beyond closing the position.

    What reduce-only orders may close first is not theirs to close.
    """
    cdef int64_t closing = -p.size_lots if side == BUY else p.size_lots
    return most(0, lots - most(0, closing - p.reduce.lots))


cdef int64_t _opening_loss(Ledger* ledger, Position* p, OpenSide* open, int side) noexcept nogil:
    """The share of a side's loss to mark that belongs to the lots that would open."""
    cdef int64_t lots = opening_lots(p, side, open.lots)
    return 0 if lots == 0 else mul_div_ceil(open.loss_units, lots, open.lots, &ledger.log.fault)


cdef int64_t _side_hold(Ledger* ledger, Position* p, OpenSide* open, int side) noexcept nogil:
    cdef int32_t* fault = &ledger.log.fault
    cdef int64_t lots = opening_lots(p, side, open.lots)
    cdef int64_t held = _opening_loss(ledger, p, open, side) if p.mode else open.loss_units
    cdef int64_t value
    if not p.mode and side == p.reduce_side:
        held = add(held, p.reduce.loss_units, fault)
    if lots == 0:
        return held
    value = mul_div_ceil(open.value_units, lots, open.lots, fault)
    return add(add(mul_div_ceil(value, 1, p.leverage, fault), held, fault),
               fee_units(value, ledger.instruments[p.instrument].taker_fee_ppb, fault), fault)


cdef int64_t closing_loss(Ledger* ledger, Position* p) noexcept nogil:
    """What resting orders that close an isolated position would lose against mark; its margin must bear it."""
    cdef int side = SELL if p.size_lots > 0 else BUY
    cdef int64_t loss = sub(p.open[side].loss_units, _opening_loss(ledger, p, &p.open[side], side), &ledger.log.fault)
    return add(loss, p.reduce.loss_units, &ledger.log.fault)


cdef int64_t hold_units(Ledger* ledger, Position* p, OpenSide* extra, int side) noexcept nogil:
    """What the resting orders of a position reserve: the dearer side of those that would open.

    Per side: value at limit / leverage + taker fee of the lots beyond closing the position, + loss to mark:
    of all lots for cross, of the opening ones for isolated (the others' is the margin's, closing_loss).
    `extra` adds an order that is about to come on `side`; NULL adds none.
    """
    cdef int64_t held[2]
    cdef OpenSide open
    cdef int s
    for s in range(2):
        open = p.open[s]
        if extra != NULL and s == side:
            open.lots += extra.lots
            open.value_units = add(open.value_units, extra.value_units, &ledger.log.fault)
            open.loss_units = add(open.loss_units, extra.loss_units, &ledger.log.fault)
        held[s] = _side_hold(ledger, p, &open, s)
    return most(held[BUY], held[SELL])


cdef int64_t free_units(Ledger* ledger, uint32_t account, uint32_t currency, bint spendable) noexcept nogil:
    """Cash and unrealised profit of the cross positions, less their initial margin and all holds.

    `spendable`: what may leave the wallet (withdrawals, isolated margin); unrealised profit does not count.
    """
    cdef int32_t* fault = &ledger.log.fault
    cdef Wallet* wallet = wallet_of(ledger, account, currency)
    cdef int128 profit = 0
    cdef int128 initial = 0
    cdef int32_t index = ledger.accounts[account].first_position
    cdef Position* p
    while index >= 0:
        p = &ledger.positions[index]
        if p.size_lots != 0 and not p.mode and ledger.instruments[p.instrument].currency == currency:
            profit += upl(ledger, p)
            initial += mul_div_ceil(value_at_mark(ledger, p), 1, p.leverage, fault)
        index = p.next
    if spendable and profit > 0:
        profit = 0
    return saturate(wallet.cash_units + profit - initial - wallet.hold_units)


# --- Deleveraging rank (semantics §5) ------------------------------------------------------------------

cdef int64_t adl_rank(Ledger* ledger, Position* p, Requirement* r) noexcept nogil:
    """Profit rate times effective leverage; `r` is the requirement of the position's margin domain."""
    cdef int128 rate
    cdef int128 profit = upl(ledger, p)
    cdef int64_t cost = magnitude(p.cost_units)
    if cost == 0:
        return 0
    rate = floor128(profit * 1000000, cost)
    if rate > 0:
        if r.equity <= 0:
            return INT64_MAX
        return saturate(floor128(<int128>saturate(rate) * saturate(r.value), r.equity))
    return saturate(floor128(<int128>saturate(rate) * saturate(r.equity), r.value))
