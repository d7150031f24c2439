# margin: what an account needs, what it has, and at which price it has nothing left.
#
# Owns: nothing; pure functions over the ledger. The twin to read first is solvent/reference/margin.py.
# Never: writes state (the one exception, a position's cached hold, is written by trading).
# Invariants: the requirement is one ceil of value * (rate + fee) per position; tiers go by contracts alone.
# Cost: isolated O(1); cross O(positions of the account).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from solvent._core.ledger cimport Instrument, Ledger, OpenSide, Position
from solvent._core.money cimport int128, magnitude, mul

cdef struct Rules:
    int64_t price_band_ppb        # how far through the mark a user's order may be priced
    int64_t step_limit_ppb        # how far from mark a step-down sells
    int64_t parcel_limit_ppb      # how far from mark the fund pays for
    int32_t step_tiers            # tiers a step-down goes back
    uint8_t fee_isolated_low      # whether the liquidation fee is part of each threshold
    uint8_t fee_isolated_full
    uint8_t fee_isolated_own
    uint8_t fee_cross_low
    uint8_t fee_cross_full
    uint8_t fee_cross_own
    uint8_t funding_cap           # funding alone never carries anybody below R_own

cdef struct Requirement:          # sums over a domain need not fit 64 bits
    int128 equity
    int128 full                   # below: takeover
    int128 own                    # below: step down
    int128 value                  # at mark
    int32_t positions

cdef int tier_of(Instrument* ins, int64_t lots) noexcept nogil
cdef int64_t fee_units(int64_t value, int64_t rate_ppb, int32_t* fault) noexcept nogil
cdef int64_t upl(Ledger* ledger, Position* p) noexcept nogil
cdef void threshold_rates(Rules* rules, Instrument* ins, Position* p, int64_t* full, int64_t* own) noexcept nogil
cdef void isolated_requirement(Ledger* ledger, Rules* rules, int32_t index, Requirement* r) noexcept nogil
cdef void cross_requirement(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, Requirement* r) noexcept nogil
cdef int64_t equity_share(Ledger* ledger, int32_t index) noexcept nogil
cdef int64_t bankruptcy_cost(Ledger* ledger, int32_t index) noexcept nogil
cdef int64_t price_paying(Instrument* ins, int64_t size_lots, int64_t cost_units, int64_t fee_ppb) noexcept nogil
cdef int64_t band_price(Instrument* ins, int side, int64_t band_ppb) noexcept nogil
cdef int64_t hold_units(Ledger* ledger, Position* p, OpenSide* extra, int side) noexcept nogil
cdef int64_t opening_lots(Position* p, int side, int64_t lots) noexcept nogil
cdef int64_t closing_loss(Ledger* ledger, Position* p) noexcept nogil
cdef int64_t free_units(Ledger* ledger, uint32_t account, uint32_t currency, bint spendable) noexcept nogil
cdef int64_t adl_rank(Ledger* ledger, Position* p, Requirement* r) noexcept nogil


cdef inline int64_t at_mark(Ledger* ledger, uint32_t instrument, int64_t lots) noexcept nogil:
    """Signed value of so many lots."""
    cdef Instrument* ins = &ledger.instruments[instrument]
    cdef int32_t* fault = &ledger.log.fault
    return mul(lots, mul(ins.mark_ticks, ins.units_per_tick_lot, fault), fault)


cdef inline int64_t value_at_mark(Ledger* ledger, Position* p) noexcept nogil:
    return magnitude(at_mark(ledger, p.instrument, p.size_lots))
