# valuation: value of a contract at a price, and the margin that its tiers require.
#
# Owns: the terms of an instrument, its three kinds of value (linear, inverse, quanto) with their rounding, the tiers with
# their basis and scheme. Owns the prices at which a position leaves nothing. Read twin/contract/valuation.py first.
# Never: knows an account; writes anything. A quanto contract is a linear one in settlement currency per point of price, so no
# function here has a case for it.
# Invariants: a position's worth less its cost is its profit, for every kind; a requirement is rounded up once.
# Cost: a value is two multiplications, or one division (inverse); a tier is a walk up the table.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from solvent._core.base.money cimport RATE, int128, magnitude, mul, mul_div_ceil, mul_div_floor
from solvent._core.base.schema cimport AUCTION, BUY, BY_LAST, BY_MARK, HALTED, INVERSE, POWER, PRE_OPEN, SLOPE, TRADING
from solvent._core.contract.order_limits cimport OrderLimits
from solvent._core.market.call_price cimport CallPrice

cdef struct Leverage:              # a fraction in lowest terms
    int64_t times
    int64_t parts

cdef struct Tier:
    int128 deducted                # in the tiers' measure, times RATE; 0 unless the scheme deducts
    int64_t top                    # lots, or units of value where the basis is a notional
    int64_t maintenance_ppb
    int64_t max_leverage           # in hundredths
    int64_t initial_ppb

cdef struct Rates:                 # the positions that have this table of rates
    int64_t most                   # leverage; 0: any
    uint8_t side                   # a leg; ONE_WAY: both

cdef struct FeeTier:
    int64_t volume_units           # traded in thirty days
    int64_t maker_fee_ppb
    int64_t taker_fee_ppb

cdef struct Calls:                 # how calls end and what the band does; all 0: the usual
    # rendered: calls
    int64_t range_ppb              # how far an uncross may be from the reference; 0: as far as it is
    int64_t extension_ns           # by which a call goes on that is out of range
    int64_t freeze_ns              # before the end of a call, in which no order is amended or cancelled
    int64_t call_ns                # of an auction that an order beyond the band begins
    int32_t most_extensions
    uint8_t tie                    # CallTie
    uint8_t reference              # Source: the price that decides and from which the range is measured
    uint8_t maker_fees             # both sides of an uncross pay the maker fee, not the taker fee
    uint8_t silent                 # no indications
    uint8_t halts                  # a call that stays out of range ends in a halt, not in an uncross
    uint8_t beyond_band            # BandEffect
    uint8_t deferred               # outside continuous trading nobody is liquidated
    # rendered: end

cdef struct Instrument:
    # rendered: terms
    int64_t units                  # linear: of a tick and lot; inverse: of a lot, times its price in ticks
    int64_t max_price_ticks
    int64_t max_size_lots
    int64_t maker_fee_ppb
    int64_t taker_fee_ppb
    int64_t liquidation_fee_ppb
    int64_t default_leverage
    int64_t maintenance_curve      # a lot (SLOPE), or of notional**0.8 in whole currency (POWER)
    int64_t initial_curve
    int64_t expiry_ns              # 0: a perpetual
    int64_t settle_window_ns
    int32_t decimals               # of the settlement currency
    int32_t tier_group             # of instruments whose nets add up for tiers; 0: none
    uint32_t currency
    uint8_t kind
    uint8_t basis
    uint8_t scheme
    uint8_t at_entry               # maintenance is asked of the value at entry
    uint8_t larger_leg             # of a cross hedge only the larger side is asked for
    uint8_t own_fee                # the liquidation fee is the taker fee of who is liquidated, by his volume
    # rendered: end
    int64_t mark_ticks             # written by the kernel alone; 0 before the first mark
    int64_t prior_mark_ticks       # the mark before the last one; the first mark itself at first
    int64_t index_ticks            # likewise
    int64_t last_ticks             # price of the last trade between users; 0 before the first
    int64_t accrual_ppb            # written by marks: rate that accrued funding adds to requirements of longs; negative: of shorts
    uint64_t funding_period        # the last period settled; 0 before the first
    Tier* tiers                    # tier_count rows, and as many again for each of the rates
    Rates* rates
    FeeTier* fee_tiers             # tiers above the fees of the terms
    OrderLimits* limits            # on orders; NULL: none
    int32_t tier_count
    int32_t rates_count
    int32_t fee_tier_count
    uint8_t modelled               # a price model computes its marks
    uint8_t funds_at_index         # funding is paid on the value at the index
    uint8_t covers                 # in every tier maintenance with the fee is at most the initial rate
    uint8_t plain                  # maintenance is the tier's rate of the value at mark; tiers go by lots alone
    uint8_t listing                # written by market_state alone
    uint8_t then_listing           # of a call: the state after it
    int32_t extensions             # of a call
    int64_t ends_ns                # of a call: when it ends by itself; 0: never
    CallPrice told                 # of a call: its last indication
    Calls calls
    int32_t first_parcel[2]        # of the house's long parcels and of its short ones, by id; -1: none
    int32_t last_parcel[2]
    int32_t* members               # every position ever opened here
    int64_t net_lots               # of all positions and parcels together: none
    int32_t member_count
    int32_t member_capacity

cdef struct Held:                  # the fields of a position that values and tiers read
    int64_t size_lots
    int64_t cost_units
    Leverage leverage
    int32_t chosen_tier            # 1-based lower bound of its tier; 0: none
    int64_t other_lots             # size of the other leg in the same margin domain
    int64_t group_net_lots               # absolute net sizes of the tier group's other instruments, added up
    int64_t long_lots              # lots of its instrument or tier group in that domain; set only with larger_leg
    int64_t short_lots

cdef int64_t losing(Instrument* ins, int side, int64_t lots, int64_t price_ticks, int64_t loss_ticks, int32_t* fault) noexcept nogil
cdef int64_t price_paying(Instrument* ins, int64_t size_lots, int128 cost_units, int64_t fee_ppb) noexcept nogil
cdef int64_t closing_fee(Instrument* ins, int64_t size_lots, int128 cost_units, int64_t fee_ppb) noexcept nogil
cdef int64_t measure_of(Instrument* ins, Held* held, int32_t* fault) noexcept nogil
cdef int64_t measure_with(Instrument* ins, Held* held, int side, int64_t lots, int32_t* fault) noexcept nogil
cdef int tier_of(Instrument* ins, Held* held, int32_t* fault) noexcept nogil
cdef int64_t lots_within(Instrument* ins, Held* held, int k) noexcept nogil
cdef int128 accrued(Instrument* ins, int64_t size_lots, int32_t* fault) noexcept nogil
cdef int64_t accrued_units(Instrument* ins, int64_t size_lots, int32_t* fault) noexcept nogil
cdef int64_t asked_of(
    Instrument* ins, int side, int64_t value, int k, Leverage leverage, int64_t fee_ppb, int32_t* fault
) noexcept nogil
cdef bint is_lesser(Instrument* ins, Held* held) noexcept nogil
cdef int128 asked(Instrument* ins, Held* held, int k, int64_t fee_ppb, int32_t* fault) noexcept nogil
cdef int64_t curved_rise(
    Instrument* ins, int64_t value, Leverage leverage, int64_t lots, int64_t held_lots, int64_t held_notional, int32_t* fault
) noexcept nogil
cdef int64_t initial_of(Instrument* ins, int64_t value, Leverage leverage, int64_t lots, int64_t notional, int32_t* fault) noexcept nogil
cdef int64_t rate_of(Instrument* ins, Held* held, int k) noexcept nogil
cdef int64_t band_price(Instrument* ins, int side, int64_t band_ppb) noexcept nogil
cdef int64_t band_edge(Instrument* ins, int64_t price_ticks, int side, int64_t band_ppb) noexcept nogil
cdef void tiers_derive(Instrument* ins) noexcept nogil


cdef inline int64_t value_of(Instrument* ins, int64_t lots, int64_t price_ticks, bint up, int32_t* fault) noexcept nogil:
    """Returns the value of `lots` in a trade: exact if linear; inverse rounded down, or up."""
    if ins.kind != INVERSE:
        return mul(lots, mul(price_ticks, ins.units, fault), fault)
    if lots == 0:                             # without lots the price may be 0
        return 0
    if up:
        return mul_div_ceil(lots, ins.units, price_ticks, fault)
    return mul_div_floor(lots, ins.units, price_ticks, fault)


cdef inline int64_t fee_units(int64_t value, int64_t rate_ppb, int32_t* fault) noexcept nogil:
    """Returns a share of a value, rounded up."""
    return mul_div_ceil(value, rate_ppb, RATE, fault)


cdef inline int tier_at(Instrument* ins, int64_t measure, int32_t chosen) noexcept nogil:
    """Returns the 0-based tier of a measure, at least the chosen one, at most the last."""
    cdef int k = 0 if chosen == 0 else chosen - 1
    while k < ins.tier_count - 1 and measure > ins.tiers[k].top:
        k += 1
    return k


cdef inline int64_t initial_rise(
    Instrument* ins, int64_t value, Leverage leverage, int64_t lots, int64_t held_lots, int64_t held_notional, int32_t* fault
) noexcept nogil:
    """Returns the initial margin of an addition to a position."""
    if ins.scheme == SLOPE or ins.scheme == POWER:
        return curved_rise(ins, value, leverage, lots, held_lots, held_notional, fault)
    return mul_div_ceil(value, leverage.parts, leverage.times, fault)


cdef inline int64_t worth(Instrument* ins, int64_t size_lots, int64_t price_ticks, int32_t* fault) noexcept nogil:
    """Returns the signed value of a position; worth less cost is its profit.

    A linear value is exact. An inverse long is worth minus its value, so that rising prices gain. Its value is rounded once:
    up for a long, down for a short.
    """
    if ins.kind != INVERSE:
        return mul(size_lots, mul(price_ticks, ins.units, fault), fault)
    if size_lots == 0:
        return 0
    return mul_div_floor(-size_lots, ins.units, price_ticks, fault)


cdef inline int64_t loss_of(
    Instrument* ins, int side, int64_t lots, int64_t price_ticks, int64_t loss_ticks, int32_t* fault
) noexcept nogil:
    """Returns the immediate loss of lots bought `loss_ticks` above mark, or sold as much below."""
    return 0 if loss_ticks == 0 else losing(ins, side, lots, price_ticks, loss_ticks, fault)


cdef inline bint allows(Instrument* ins, int k, Leverage leverage) noexcept nogil:
    """True if tier k allows a leverage."""
    return <int128>leverage.times * 100 <= <int128>leverage.parts * ins.tiers[k].max_leverage


cdef inline bint pays(Instrument* ins, int64_t size_lots, int64_t cost_units, int64_t fee_ppb, int64_t price_ticks) noexcept nogil:
    """True if closing a whole size at a price is known to pay its cost and a fee: price_paying without its division."""
    cdef int128 value = <int128>magnitude(size_lots) * ins.units * price_ticks
    if ins.kind == INVERSE:
        return False
    if size_lots > 0:
        return value * (RATE - fee_ppb) >= <int128>cost_units * RATE
    return value * (RATE + fee_ppb) <= -<int128>cost_units * RATE


cdef inline bint in_band(Instrument* ins, int64_t price_ticks, int side, int64_t band_ppb) noexcept nogil:
    """True if a legal price is not beyond band_price."""
    cdef int128 edge = <int128>ins.mark_ticks * (RATE + band_ppb if side == BUY else RATE - band_ppb)
    return <int128>price_ticks * RATE <= edge if side == BUY else <int128>price_ticks * RATE >= edge


cdef inline int64_t cost_delta(Instrument* ins, int side, int64_t value) noexcept nogil:
    """Returns the change of the signed cost by a fill of this value."""
    return value if (side == BUY) == (ins.kind != INVERSE) else -value


cdef inline int64_t value_at_mark(Instrument* ins, int64_t size_lots, int32_t* fault) noexcept nogil:
    return magnitude(worth(ins, size_lots, ins.mark_ticks, fault))


cdef inline int64_t funding_value(Instrument* ins, int64_t size_lots, int32_t* fault) noexcept nogil:
    """Returns the value on which funding is paid."""
    return magnitude(worth(ins, size_lots, ins.index_ticks if ins.funds_at_index else ins.mark_ticks, fault))


cdef inline bint in_call(Instrument* ins) noexcept nogil:
    """True if orders gather and nothing trades before an uncross."""
    return ins.listing == PRE_OPEN or ins.listing == AUCTION


cdef inline int64_t call_reference(Instrument* ins) noexcept nogil:
    """Returns the price that decides an uncross; the mark where it is not there yet."""
    cdef int64_t price = ins.mark_ticks
    if ins.calls.reference != BY_MARK:
        price = ins.last_ticks if ins.calls.reference == BY_LAST else ins.index_ticks
    return price if price != 0 else ins.mark_ticks


cdef inline bint waits(Instrument* ins) noexcept nogil:
    """True if nobody is liquidated here now."""
    return ins.calls.deferred and ins.listing != TRADING


cdef inline bint frozen(Instrument* ins, int64_t now_ns) noexcept nogil:
    """True if a call is about to end: its orders stay as they are."""
    return ins.calls.freeze_ns > 0 and 0 < ins.ends_ns <= now_ns + ins.calls.freeze_ns


cdef inline bint meets(Instrument* ins) noexcept nogil:
    """True if an order that is admitted meets the book; in a halt only those of liquidations are."""
    return ins.listing == TRADING or ins.listing == HALTED


cdef inline int64_t upl_of(Instrument* ins, int64_t size_lots, int64_t cost_units, int32_t* fault) noexcept nogil:
    """Returns unrealised profit at mark."""
    return worth(ins, size_lots, ins.mark_ticks, fault) - cost_units
