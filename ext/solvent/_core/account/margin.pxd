# margin: requirements and equity of accounts, and bankruptcy costs.
#
# Owns: nothing; pure functions over the ledger. valuation has the formulas of one contract. Read twin/account/margin.py first.
# Never: writes state (one exception: holds writes a position's cached hold).
# Invariants: the requirement is one ceil of value * (rate + fee) per position, less its tier's deduction. Orders count only
# where the rule set says so.
# Cost: isolated O(1); cross O(positions of the account), by the rows. domain remembers.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from solvent._core.account.ledger cimport Collateral, Ledger, OpenSide, Position
from solvent._core.base.money cimport int128, max64
from solvent._core.contract.valuation cimport Instrument, tier_at, value_at_mark
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
    # rendered: end
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

cdef int64_t backing(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil
cdef int64_t upl(Ledger* ledger, Position* p) noexcept nogil
cdef void thresholds(Ledger* ledger, Rules* rules, Position* p, int128 equity, int128* full, int128* own) noexcept nogil
cdef void isolated_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil
cdef bint isolated_holds(Ledger* ledger, Rules* rules, int32_t index) noexcept nogil
cdef bint opens_safely(Ledger* ledger, Rules* rules, Position* p, int64_t lots) noexcept nogil
cdef void cross_requirement(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, Requirement* r) noexcept nogil
cdef void domain_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil
cdef int128 own_part(Ledger* ledger, Rules* rules, int32_t index) noexcept nogil
cdef void threshold_rates(Ledger* ledger, Rules* rules, Position* p, int64_t* full, int64_t* own) noexcept nogil
cdef int64_t equity_share(Ledger* ledger, int32_t index) noexcept nogil
cdef int64_t bankruptcy_cost(Ledger* ledger, int32_t index) noexcept nogil
cdef int64_t initial_units(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t initial_part(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t hold_units(Ledger* ledger, Position* p, OpenSide* extra, int side) noexcept nogil
cdef int64_t side_hold(Ledger* ledger, Position* p, OpenSide* extra, int side) noexcept nogil
cdef int64_t closing_loss(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t collateral_value(Ledger* ledger, uint32_t account, Collateral* each, int128 less) noexcept nogil
cdef int64_t collateral_least(Ledger* ledger, Collateral* each, int64_t value) noexcept nogil
cdef int64_t spare_units(Ledger* ledger, uint32_t account, uint32_t currency) noexcept nogil
cdef int64_t free_units(Ledger* ledger, uint32_t account, uint32_t currency, bint spendable) noexcept nogil
cdef int64_t adl_rank(Ledger* ledger, Position* p, Requirement* r) noexcept nogil


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


cdef inline bint is_plain(Rules* rules, Instrument* ins) noexcept nogil:
    """True if both thresholds are rates of the value at mark, and nothing else counts."""
    return ins.plain and ins.accrual_ppb == 0 and not rules.fee_at_bankruptcy
