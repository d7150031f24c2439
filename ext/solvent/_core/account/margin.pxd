# margin: requirements and equity of accounts, and bankruptcy costs.
#
# Owns: nothing; pure functions over the ledger. valuation has the formulas of one contract. Read twin/account/margin.py first.
# Never: writes state (one exception: holds writes a position's cached hold).
# Invariants: the requirement is one ceil of value * (rate + fee) per position, less its tier's deduction. Orders count only
# where the rule set says so.
# Cost: isolated O(1); cross O(positions of the account), by the rows. domain remembers.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from solvent._core.account.ledger cimport Collateral, Ledger, OpenSide, Position
from solvent._core.base.clauses cimport MAR_1, MON_8, must
from solvent._core.base.money cimport RATE, int128, magnitude, max64, total
from solvent._core.contract.valuation cimport Instrument, fee_units, initial_rise, tier_at, value_at_mark, worth
from solvent._core.base.schema cimport BUY

cdef enum:
    # rendered: limits
    STEPS_MAX = 8
    # rendered: end

cdef struct Rules:
    # rendered: terms
    int64_t price_band_ppb         # how far through the mark a user's order may be priced
    int64_t step_limit_ppb         # how far from mark a step-down sells
    int64_t parcel_limit_ppb       # how far from mark the fund pays for
    int64_t fund_share_ppb         # the insurance fund's share of liquidation fees
    int64_t drawdown_ppb           # how far below its highest value the fund pays for nothing in the book
    int64_t drawdown_window_ns     # how long that value is remembered
    int64_t surplus_fee_ppb        # the part of a fill's value that the fund keeps of its surplus
    int64_t takeover_times         # below this part of R_own a domain is taken over
    int64_t takeover_parts         # 0: below the thresholds of tiers
    int64_t cure_buffer_ppb        # how far above R_own a cure goes
    int64_t partial_share_ppb      # of a position, in an order for a part
    int64_t partial_above_units    # of value; a position that is worth no more is closed wholly
    int64_t partial_cooldown_ns    # after an order for a part, in which an account's positions are closed wholly
    int32_t step_tiers             # tiers a step-down goes back
    uint8_t fee_isolated_low       # whether the liquidation fee is part of each threshold
    uint8_t fee_isolated_full
    uint8_t fee_isolated_own
    uint8_t fee_cross_low
    uint8_t fee_cross_full
    uint8_t fee_cross_own
    uint8_t funding_cap            # funding alone never carries anybody below R_own
    uint8_t net_hedges             # what both legs of a cross hedge have in common is closed first
    uint8_t orders                 # OrderRule: how resting orders count in a cross domain's test
    uint8_t funding_first          # at a modelled settlement funding is paid before the margin check
    uint8_t fee_at_bankruptcy      # the fee in a threshold is that of closing where equity is gone
    uint8_t at_threshold           # a ratio equal to a threshold is below it
    uint8_t adl_rank               # AdlRank: who is deleveraged first
    uint8_t adl_price              # AdlPrice: at which price
    uint8_t adl_share              # AdlShare: how many lots of each
    uint8_t adl_winners_first      # only positions with a profit are in the first pass of ADL
    uint8_t adl_trigger            # AdlTrigger: until when the fund pays in the book
    uint8_t surplus                # Surplus: who gets what the book pays beyond a parcel's cost
    uint8_t partial                # Partial: how many lots are closed in the trader's name
    # rendered: end
    bint ends                      # requirements of a domain are changed once they are added up
    uint8_t step_count
    uint8_t steps[STEPS_MAX]       # the steps of a liquidation, in order

cdef struct Band:                 # a threshold: the tier of its rate, and its fee
    int tier
    int64_t fee_ppb

cdef struct Requirement:          # sums over a domain need not fit 64 bits
    int128 equity
    int128 full                   # below: takeover
    int128 own                    # below: step down
    int128 value                  # at mark
    int32_t positions
    int32_t orders                # number of positions whose resting orders count

cdef struct Shares:               # of the equity of a cross domain, by maintenance margin
    int128 equity
    int128 total                  # maintenance margin of all
    int128 whole                  # units of equity for each unit of that
    int128 left_over              # units that no floor gives away; the largest has them
    int32_t count
    int32_t largest

cdef int64_t backing(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil
cdef int64_t upl(Ledger* ledger, Position* p) noexcept nogil
cdef void thresholds(Ledger* ledger, Rules* rules, Position* p, int128 equity, int128* full, int128* own) noexcept nogil
cdef void isolated_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil
cdef int128 slack_part(Ledger* ledger, Rules* rules, Position* p) noexcept nogil
cdef bint isolated_holds(Ledger* ledger, Rules* rules, int32_t index) noexcept nogil
cdef void cross_requirement(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, Requirement* r) noexcept nogil
cdef void domain_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil
cdef int128 own_part(Ledger* ledger, Rules* rules, int32_t index) noexcept nogil
cdef void threshold_rates(Ledger* ledger, Rules* rules, Position* p, int64_t* full, int64_t* own) noexcept nogil
cdef int64_t equity_share(Ledger* ledger, int32_t index) noexcept nogil
cdef int64_t bankruptcy_cost(Ledger* ledger, int32_t index) noexcept nogil
cdef void shares_of(Ledger* ledger, uint32_t account, uint32_t currency, Shares* found) noexcept nogil
cdef int64_t share_in(Ledger* ledger, Shares* shares, int32_t index) noexcept nogil
cdef int64_t bankruptcy_in(Ledger* ledger, int32_t index, Shares* shares) noexcept nogil
cdef int64_t initial_units(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t initial_part(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t hold_units(Ledger* ledger, Position* p, OpenSide* extra, int side) noexcept nogil
cdef int64_t mixed_hold(Ledger* ledger, Instrument* ins, Position* p, OpenSide* open, int side) noexcept nogil
cdef int64_t closing_loss(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t collateral_value(Ledger* ledger, uint32_t account, Collateral* each, int128 less) noexcept nogil
cdef int64_t collateral_least(Ledger* ledger, Collateral* each, int64_t value) noexcept nogil
cdef int64_t spare_units(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil
cdef int64_t free_units(Ledger* ledger, uint32_t account, uint32_t currency, bint spendable) noexcept nogil


cdef inline int64_t position_value(Ledger* ledger, Position* p) noexcept nogil:
    """Returns the position's value at mark."""
    return value_at_mark(&ledger.instruments[p.instrument], p.size_lots, &ledger.log.fault)


cdef inline int64_t opening_lots(Position* p, int side, int64_t lots) noexcept nogil:
    """Returns how many of `lots` on this side would open after closing the position.

    Lots that reduce-only orders may close first are not available for closing.
    """
    cdef int64_t closing = -p.size_lots if side == BUY else p.size_lots
    return max64(0, lots - max64(0, closing - p.reduce.lots))


cdef inline void bands(Rules* rules, Position* p, int tier, Band* full, Band* own) noexcept nogil:
    """Finds tier and fee of both thresholds: below `full` the position is taken over, below `own` stepped down."""
    cdef int64_t fee = p.liquidation_fee_ppb
    cdef bint isolated = p.mode
    own.tier = tier
    if tier < rules.step_tiers:
        own.fee_ppb = fee if (rules.fee_isolated_low if isolated else rules.fee_cross_low) else 0
        full[0] = own[0]
        return
    full.tier = 0
    full.fee_ppb = fee if (rules.fee_isolated_full if isolated else rules.fee_cross_full) else 0
    own.fee_ppb = fee if (rules.fee_isolated_own if isolated else rules.fee_cross_own) else 0


cdef inline void plain_rates(Rules* rules, Instrument* ins, Position* p, int64_t lots, int64_t* full, int64_t* own) noexcept nogil:
    """Finds the rates over RATE of a plain contract at a size: the short way of `thresholds`."""
    cdef Band low, high
    bands(rules, p, tier_at(ins, lots, p.chosen_tier), &low, &high)
    full[0] = ins.tiers[low.tier].maintenance_ppb + low.fee_ppb
    own[0] = max64(full[0], ins.tiers[high.tier].maintenance_ppb + high.fee_ppb)


cdef inline int64_t plain_maintenance(Instrument* ins, Position* p, int64_t value, int32_t* fault) noexcept nogil:
    """Returns maintenance margin of a plain position of this value, without a fee."""
    return fee_units(value, ins.tiers[tier_at(ins, magnitude(p.size_lots), p.chosen_tier)].maintenance_ppb, fault)


cdef inline bint is_plain(Rules* rules, Instrument* ins) noexcept nogil:
    """True if both thresholds are rates of the value at mark, and nothing else counts."""
    return ins.plain and ins.accrual_ppb == 0 and not rules.fee_at_bankruptcy


cdef inline bint plain_holds(
    Ledger* ledger, Rules* rules, Instrument* ins, Position* p, int64_t size_lots, int64_t cost_units, int64_t margin_units
) noexcept nogil:
    """True if a plain isolated position is at R_own or above with this size, cost and margin: equity >= ceil(own), without
    the division."""
    cdef int64_t signed = worth(ins, size_lots, ins.mark_ticks, &ledger.log.fault)
    cdef int128 equity = <int128>margin_units + signed - cost_units
    cdef int64_t low, high
    if size_lots == 0:
        return equity >= 0
    plain_rates(rules, ins, p, magnitude(size_lots), &low, &high)
    return (equity - rules.at_threshold) * RATE >= <int128>magnitude(signed) * high


cdef inline bint opens_safely(Ledger* ledger, Rules* rules, Position* p, int64_t lots) noexcept nogil:
    """True if an isolated position is known to hold after opening `lots` with their initial margin, at the mark or better.

    Both parts bear their share at the rate of the whole: the held part by its equity, the opened part by leverage.
    """
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t signed, low, high
    if not is_plain(rules, ins) or rules.at_threshold:
        return False
    plain_rates(rules, ins, p, magnitude(p.size_lots) + lots, &low, &high)
    if <int128>high * p.leverage.times > <int128>RATE * p.leverage.parts:
        return False
    signed = worth(ins, p.size_lots, ins.mark_ticks, &ledger.log.fault)
    return (<int128>p.margin_units + signed - p.cost_units) * RATE >= <int128>magnitude(signed) * high


# --- Holds, inline: every order asks twice ------------------------------------------------------------------

cdef inline int64_t opening_hold(
    Instrument* ins, Position* p, int64_t lots, int64_t value, int64_t loss, int64_t adds, int32_t* fault
) noexcept nogil:
    """Returns the hold of lots that may open: initial margin, taker fee and loss to mark.

    adds: 1 if they add to the position, whose notional is at entry, so that no mark moves a hold. A saturated hold is more
    than anybody has.
    """
    cdef int64_t initial = initial_rise(ins, value, p.leverage, lots, adds * magnitude(p.size_lots), adds * magnitude(p.cost_units), fault)
    must((initial | value | loss) >= 0, MAR_1, fault)
    return total(initial, loss, fee_units(value, ins.taker_fee_ppb, fault))


cdef inline int64_t side_hold(Ledger* ledger, Instrument* ins, Position* p, OpenSide* open, int side) noexcept nogil:
    """Returns the hold of a side whose resting orders are `open`. More orders never reserve less."""
    cdef int64_t closing = -p.size_lots if side == BUY else p.size_lots
    if closing > 0 or p.reduce.loss_units != 0:
        if p.mode and open.lots <= closing - p.reduce.lots:      # all of them close: its own margin bears their loss
            return 0
        return mixed_hold(ledger, ins, p, open, side)
    must(open.lots >= 0, MON_8, &ledger.log.fault)
    return 0 if open.lots == 0 else opening_hold(ins, p, open.lots, open.value_units, open.loss_units, 1, &ledger.log.fault)
