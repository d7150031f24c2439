"""Values, tiers and prices of one contract; the contract of this floor is in valuation.pxd."""

from libc.stdint cimport int32_t, int64_t
from solvent._core.base.money cimport (
    INT64_MAX, RATE, add, ceil128, clamp, floor128, int128, least, magnitude, most, mul_div_ceil, narrow, power10, saturate, sub,
)
from solvent._core.base.schema cimport (
    BUY, CONTRACTS, DEDUCTION, ENTRY, FACTOR, INVERSE, LONG, NET, NOTIONAL, POWER, SELL, SHORT, SLOPE, WHOLE,
)

cdef enum:
    ROOT_BITS = 26


cdef int64_t losing(Instrument* ins, int side, int64_t lots, int64_t price_ticks, int64_t loss_ticks, int32_t* fault) noexcept nogil:
    """Returns loss_of where there is a loss."""
    cdef int64_t cost = cost_delta(ins, side, value_of(ins, lots, price_ticks, False, fault))
    if side == SELL:
        return sub(cost, worth(ins, -lots, price_ticks + loss_ticks, fault), fault)
    return sub(cost, worth(ins, lots, price_ticks - loss_ticks, fault), fault)


cdef int64_t price_paying(Instrument* ins, int64_t size_lots, int128 cost_units, int64_t fee_ppb) noexcept nogil:
    """Returns the first tick, from the bad side, at which closing the whole size pays its cost and a fee.

    These are the closed forms of the bankruptcy price, rounded to the safe side: long up, short down. The result saturates,
    and the caller clamps it. It is zero or less where a linear long cannot go bankrupt. It is INT64_MAX where an inverse short
    cannot, or where no price is high enough for an inverse long.
    """
    cdef int128 lots = magnitude(size_lots)
    cdef int128 units = ins.units
    cdef int128 bound
    if ins.kind != INVERSE:
        if size_lots > 0:
            return saturate(ceil128(cost_units * RATE, lots * units * (RATE - fee_ppb)))
        return saturate(floor128(-cost_units * RATE, lots * units * (RATE + fee_ppb)))
    if size_lots > 0:    # `bound`: the largest value at which the long can be closed
        bound = floor128(-cost_units * RATE, RATE + fee_ppb)
        return saturate(ceil128(lots * units, bound)) if bound > 0 else INT64_MAX
    bound = ceil128(cost_units * RATE, RATE - fee_ppb)
    return saturate(floor128(lots * units, bound)) if bound > 0 else INT64_MAX


cdef int64_t closing_fee(Instrument* ins, int64_t size_lots, int128 cost_units, int64_t fee_ppb) noexcept nogil:
    """Returns the fee f * V of closing the whole position at the price that leaves exactly nothing. V solves V - f * V = cost
    when selling and V + f * V = -cost when buying."""
    if (size_lots > 0) == (ins.kind != INVERSE):
        return saturate(ceil128(cost_units * fee_ppb, RATE - fee_ppb)) if cost_units > 0 else 0
    return saturate(ceil128(-cost_units * fee_ppb, RATE + fee_ppb)) if cost_units < 0 else 0


# --- Tiers ---------------------------------------------------------------------------------------------

cdef int64_t measure_of(Instrument* ins, Held* held, int32_t* fault) noexcept nogil:
    """Returns the position's measure in the tiers: lots, or units of value."""
    if ins.basis == NOTIONAL:
        return value_at_mark(ins, held.size_lots, fault)
    if ins.basis == ENTRY:
        return magnitude(held.cost_units)
    return magnitude(held.size_lots + held.other_lots) + held.kin_lots if ins.basis == NET else magnitude(held.size_lots)


cdef int64_t measure_with(Instrument* ins, Held* held, int side, int64_t lots, int32_t* fault) noexcept nogil:
    """Returns the measure of this position alone after opening `lots` more on `side`. The other leg of a hedge is not
    netted."""
    cdef int64_t size = most(0, held.size_lots if side == BUY else -held.size_lots)
    cdef int64_t entered
    if ins.basis != NOTIONAL and ins.basis != ENTRY:
        return size + lots
    if size > 0 and ins.basis == ENTRY:
        entered = magnitude(held.cost_units)
    else:
        entered = value_of(ins, size, ins.mark_ticks, True, fault)
    return add(entered, value_of(ins, lots, ins.mark_ticks, True, fault), fault)


cdef int tier_of(Instrument* ins, Held* held, int32_t* fault) noexcept nogil:
    return tier_at(ins, measure_of(ins, held, fault), held.chosen_tier)


cdef int64_t lots_within(Instrument* ins, Held* held, int k) noexcept nogil:
    """Returns how many of a position's lots fit into tier k."""
    cdef int128 top = ins.tiers[k].top
    if ins.basis == NOTIONAL:
        if ins.kind == INVERSE:
            return saturate(floor128(top * ins.mark_ticks, ins.units))
        return saturate(floor128(top, <int128>ins.mark_ticks * ins.units))
    if ins.basis == ENTRY:
        return saturate(floor128(top * magnitude(held.size_lots), magnitude(held.cost_units)))
    return most(0, ins.tiers[k].top - held.kin_lots) if ins.basis == NET else ins.tiers[k].top


cdef int64_t _fifth_root(int128 n, int32_t decimals, int64_t* scale) noexcept nogil:
    """Returns the fifth root of a notional in whole currency, times scale: 24 binary digits, rounded down.

    It is the largest root with root**5 <= n * 10**e * 2**(5j) below 2**127, the bound of 128-bit integers.
    """
    cdef int128 limit = (<int128>1) << 126
    cdef int128 square
    cdef int64_t root = 0
    cdef int64_t trial
    cdef int digits = <int>floor128(decimals + 4, 5)
    cdef int shift = 0
    cdef int bit
    limit = limit - 1 + limit      # 2**127 - 1
    n = n * power10(5 * digits - decimals)
    while n <= limit >> 5:
        n = n << 5
        shift += 1
    for bit in range(ROOT_BITS - 1, -1, -1):
        trial = root + (<int64_t>1 << bit)
        square = <int128>trial * trial
        if square * square <= floor128(n, trial):     # equals trial**5 <= n for whole numbers
            root = trial
    scale[0] = (<int64_t>1 << shift) * power10(digits)
    return root


cdef int64_t _rate_at(Instrument* ins, int64_t base_ppb, int64_t curve, int64_t lots, int64_t notional, int32_t* fault) noexcept nogil:
    """Returns a rate over RATE, at most one: the tier's rate, plus a rate per lot (SLOPE), or at least curve * notional**0.8
    (POWER)."""
    cdef int64_t root, scale
    cdef int128 rate
    if ins.scheme == SLOPE:
        return least(RATE, add(base_ppb, mul_div_ceil(lots, curve, RATE, fault), fault))
    if ins.scheme != POWER or notional == 0:
        return base_ppb
    root = _fifth_root(notional, ins.decimals, &scale)
    rate = ceil128(<int128>notional * scale * curve, <int128>root * power10(ins.decimals) * RATE)
    return most(base_ppb, RATE if rate > RATE else <int64_t>rate)


cdef void tiers_derive(Instrument* ins) noexcept nogil:
    """Derives the deduction of each tier in each table, `covers` and `plain`.

    The deduction is D_n = D_(n-1) + top_(n-1) * (rate_n - rate_(n-1)).
    """
    cdef int k
    ins.plain = (ins.kind != INVERSE and ins.basis == CONTRACTS and ins.scheme == WHOLE and ins.rates_count == 0
                 and not ins.at_entry and not ins.larger_leg)
    ins.covers = ins.scheme != SLOPE and ins.scheme != POWER
    for k in range(ins.tier_count * (1 + ins.rates_count)):
        ins.tiers[k].deducted = 0
        if ins.scheme == DEDUCTION and k % ins.tier_count:
            ins.tiers[k].deducted = ins.tiers[k - 1].deducted + <int128>ins.tiers[k - 1].top * (
                ins.tiers[k].maintenance_ppb - ins.tiers[k - 1].maintenance_ppb)
        ins.covers = ins.covers and ins.tiers[k].maintenance_ppb + ins.liquidation_fee_ppb <= ins.tiers[k].initial_ppb


cdef Tier* _table(Instrument* ins, bint long, Leverage leverage) noexcept nogil:
    """Returns the tiers with the rates for a side and a leverage."""
    cdef int32_t i
    for i in range(ins.rates_count):
        if ins.rates[i].side != (SHORT if long else LONG) and (
                ins.rates[i].most == 0 or leverage.times <= ins.rates[i].most * leverage.parts):
            return ins.tiers + (1 + i) * ins.tier_count
    return ins.tiers


cdef int64_t rate_of(Instrument* ins, Held* held, int k) noexcept nogil:
    """Returns the maintenance rate of tier k over RATE. With FACTOR it is its share of the initial margin, rounded up."""
    cdef Tier* tier = _table(ins, held.size_lots > 0, held.leverage) + k
    if ins.scheme != FACTOR:
        return tier.maintenance_ppb
    return saturate(ceil128(<int128>tier.maintenance_ppb * RATE * held.leverage.parts,
                            <int128>tier.initial_ppb * held.leverage.times))


cdef bint is_lesser(Instrument* ins, Held* held) noexcept nogil:
    """True if a position is on the side of a hedge that needs no margin: the smaller side, or the short if both are equal."""
    if not ins.larger_leg or held.size_lots == 0:
        return False
    return held.long_lots < held.short_lots if held.size_lots > 0 else held.short_lots <= held.long_lots


cdef int128 accrued(Instrument* ins, int64_t size_lots, int32_t* fault) noexcept nogil:
    """Returns the accrued funding that the position would pay, times RATE; 0 if it would receive."""
    if ins.accrual_ppb == 0 or (size_lots > 0) != (ins.accrual_ppb > 0):
        return 0
    return <int128>funding_value(ins, size_lots, fault) * magnitude(ins.accrual_ppb)


cdef int64_t accrued_units(Instrument* ins, int64_t size_lots, int32_t* fault) noexcept nogil:
    """Returns the accrued funding in units, rounded up."""
    return narrow(ceil128(accrued(ins, size_lots, fault), RATE), fault) if ins.accrual_ppb else 0


cdef inline int128 _by_factor(Tier* tier, int128 value, Leverage leverage) noexcept nogil:
    """Returns value times the share of the initial margin that a tier requires (FACTOR), times RATE."""
    cdef int128 over = <int128>tier.initial_ppb * leverage.times
    cdef int128 whole = floor128(value * tier.maintenance_ppb, over)       # split off, for 128 bits
    cdef int128 scale = <int128>RATE * leverage.parts
    return whole * scale + ceil128((value * tier.maintenance_ppb - whole * over) * scale, over)


cdef int64_t asked_of(
    Instrument* ins, int side, int64_t value, int k, Leverage leverage, int64_t fee_ppb, int32_t* fault
) noexcept nogil:
    """Returns the margin that tier k requires of orders of a side and value at its plain rate, rounded up."""
    cdef Tier* tier = _table(ins, side == BUY, leverage) + k
    cdef int128 margin
    if ins.scheme != FACTOR:
        return fee_units(value, tier.maintenance_ppb + fee_ppb, fault)
    margin = _by_factor(tier, value, leverage) + <int128>value * fee_ppb
    return narrow(ceil128(margin, RATE), fault)


cdef int128 asked(Instrument* ins, Held* held, int k, int64_t fee_ppb, int32_t* fault) noexcept nogil:
    """Returns the margin that tier k requires, times RATE: value * (rate + fee) less the tier's deduction, plus accrued
    funding."""
    cdef int128 value = magnitude(held.cost_units) if ins.at_entry else value_at_mark(ins, held.size_lots, fault)
    cdef int128 accrual = accrued(ins, held.size_lots, fault)
    cdef Tier* tier = (_table(ins, held.size_lots > 0, held.leverage) if ins.rates_count else ins.tiers) + k
    cdef int128 measure, weight, whole
    cdef int64_t rate
    if ins.larger_leg and is_lesser(ins, held):
        return 0
    if ins.scheme == FACTOR:
        return _by_factor(tier, value, held.leverage) + value * fee_ppb + accrual
    rate = _rate_at(ins, tier.maintenance_ppb, ins.maintenance_curve, magnitude(held.size_lots), <int64_t>value, fault)
    if tier.deducted == 0:
        return value * (rate + fee_ppb) + accrual
    measure = most(1, measure_of(ins, held, fault))
    weight = measure * (rate + fee_ppb) - tier.deducted
    whole = floor128(weight, measure)     # value * weight may exceed 128 bits: split off whole multiples of the measure
    return value * whole + ceil128(value * (weight - whole * measure), measure) + accrual


cdef int64_t initial_of(Instrument* ins, int64_t value, Leverage leverage, int64_t lots, int64_t notional, int32_t* fault) noexcept nogil:
    """Returns initial margin of a value: by leverage, or by a curve if that is more. `lots` and `notional` are those of the
    whole position. It is never below the tiers' initial rate where tiers bound the leverage."""
    cdef int64_t by_leverage = mul_div_ceil(value, leverage.parts, leverage.times, fault)
    if ins.scheme != SLOPE and ins.scheme != POWER:
        return by_leverage
    return most(by_leverage, fee_units(value, _rate_at(ins, ins.tiers[0].initial_ppb, ins.initial_curve, lots, notional, fault), fault))


cdef int64_t curved_rise(
    Instrument* ins, int64_t value, Leverage leverage, int64_t lots, int64_t held_lots, int64_t held_notional, int32_t* fault
) noexcept nogil:
    """Returns the initial margin of an addition where a curve sets it: that of the whole less that of the position before. So
    many fills need as much as one."""
    cdef int64_t by_leverage = mul_div_ceil(value, leverage.parts, leverage.times, fault)
    cdef int64_t notional = add(held_notional, value, fault)
    cdef int64_t total = initial_of(ins, notional, leverage, held_lots + lots, notional, fault)
    return most(by_leverage, total - initial_of(ins, held_notional, leverage, held_lots, held_notional, fault))


# --- Prices --------------------------------------------------------------------------------------------

cdef int64_t band_price(Instrument* ins, int side, int64_t band_ppb) noexcept nogil:
    """Returns the worst legal price of a buy (above mark) or sell (below mark) within a band, rounded inwards."""
    return band_edge(ins, ins.mark_ticks, side, band_ppb)


cdef int64_t band_edge(Instrument* ins, int64_t price_ticks, int side, int64_t band_ppb) noexcept nogil:
    """Returns the worst legal price of a buy or a sell within a band around `price_ticks`, rounded inwards."""
    cdef int128 around = price_ticks
    cdef int64_t edge
    if side == BUY:
        edge = saturate(floor128(around * (RATE + band_ppb), RATE))
    else:
        edge = saturate(ceil128(around * (RATE - band_ppb), RATE))
    return clamp(edge, 1, ins.max_price_ticks)
