# price_model: the models of one instrument's prices: index, mark and funding rate.
#
# Owns: the constituents, the samples of the basis, the premiums of the running period and the rates. Read
# twin/contract/price_model.py first.
# Never: moves money or sets a mark; venue/marks does, with the model's results.
# Invariants: prices are FINE parts of a tick. Every quotient is rounded half to even, once. The book does not change between
# two commands, so one look serves all sample instants between them.
# Cost: a mark is O(window of the mean), at most once a sample. The constituents are sorted at each of their prices. An impact
# price walks the levels that the impact amount takes.

from libc.stdint cimport int32_t, int64_t, uint8_t
from solvent._core.market.book cimport Book
from solvent._core.base.money cimport int128
from solvent._core.contract.valuation cimport Instrument

cdef enum:
    # rendered: limits
    FINE = 1000000
    SOURCES_MAX = 32
    CATCH_UP_MAX = 256
    # rendered: end

cdef struct Constituent:
    int64_t price                  # fine; 0 before the first one
    int64_t time_ns
    int64_t weight
    uint8_t group                  # 0 the index, 1 the external set
    uint8_t state                  # SourceState

cdef struct Ring:                  # the last samples
    int64_t* samples
    int64_t sum
    int32_t size
    int32_t count
    int32_t next                   # place of the next sample

cdef struct Prices:                # no model where sample_ns is 0
    # rendered: terms
    int64_t sample_ns              # 0: no model
    int64_t alpha_ppb
    int64_t band_ppb
    int64_t stale_ns
    int64_t outlier_ppb
    int64_t interval_ns            # 0: funding rates are handed in
    int64_t cutoff_ns
    int64_t impact                 # units, or lots of an inverse contract
    int64_t bound_ppb              # of a premium
    int64_t interest_ppb
    int64_t lowest_ppb             # of interest less premium
    int64_t highest_ppb
    int64_t cap_ppb
    int64_t share_up
    int64_t share_down
    int64_t margin_ppb             # of accrued funding that requirements ask for
    int32_t components
    int32_t window                 # samples of the mean of the basis
    int32_t least
    int32_t trailing               # samples of the mean premium; 0: those of the period
    uint8_t clips
    uint8_t takes_median
    uint8_t premium
    uint8_t weighting
    uint8_t delayed
    uint8_t at_index               # funding is paid on the value at the index
    # rendered: end
    # state
    uint8_t ema_seen
    uint8_t fixed
    int32_t source_count
    Ring basis                     # samples of the mean
    Ring annual                    # the basis as a rate a year
    Ring premiums                  # samples of a trailing mean
    int128 stale_at                # time at which the first live constituent becomes stale; derived
    int64_t index                  # fine
    int64_t external
    int64_t ema
    int64_t sampled                # number of the last sample instant
    int128 premium_sum
    int64_t premium_weight
    int64_t premium_count
    int64_t period                 # the next period to settle
    int128 expiry_sum              # sum of the index over the window before expiry
    int64_t expiry_count
    int64_t next_rate
    int64_t rate
    Constituent sources[SOURCES_MAX]

cdef struct View:                  # prices of a book at one moment; 0 where there is none
    int64_t bid
    int64_t ask
    int64_t impact_bid
    int64_t impact_ask

cdef struct Chosen:                # the constituents of an index
    int64_t prices[SOURCES_MAX]
    int64_t weights[SOURCES_MAX]
    int32_t count

cdef int prices_open(Prices* p, Instrument* ins, model, int64_t clock_ns) except -1
cdef void prices_close(Prices* p) noexcept nogil
cdef void prices_live(Prices* p, int64_t now_ns, int group, Chosen* chosen, uint8_t* states) noexcept nogil
cdef void prices_stale(Prices* p) noexcept nogil
cdef int64_t prices_index(Prices* p, Chosen* chosen) noexcept nogil
cdef int64_t weighted_median(Chosen* chosen) noexcept nogil
cdef void prices_view(Prices* p, Instrument* ins, Book* book, View* view, int32_t* fault) noexcept nogil
cdef void prices_sample(Prices* p, Instrument* ins, int64_t until_ns, View* view) noexcept nogil
cdef void prices_forget(Prices* p) noexcept nogil
cdef int64_t prices_accrued(Prices* p) noexcept nogil
cdef int64_t prices_fix(Prices* p) noexcept nogil
cdef int64_t prices_settlement(Prices* p, Instrument* ins) noexcept nogil
cdef int64_t prices_charge(Prices* p) noexcept nogil
cdef int64_t prices_fair(Prices* p, int64_t left_ns) noexcept nogil
cdef int64_t prices_basis(Prices* p) noexcept nogil
cdef int64_t prices_mark(Prices* p, Instrument* ins, View* view, int64_t left_ns, int64_t now_ns) noexcept nogil
cdef list prices_state(Prices* p)
