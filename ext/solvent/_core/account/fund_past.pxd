# fund_past: the values of insurance funds of late, so that ADL may begin when one has lost too much (semantics §5).
#
# Owns: the values that may still be the highest of the window. Read twin/account/fund_past.py first.
# Never: moves money.
# Invariant: a value counts from the moment of its posting to that of the next one. A value within a moment is forgotten.
# Cost: O(values of the window) a change.

from libc.stdint cimport int32_t, int64_t, uint32_t

cdef struct FundValue:             # of a currency's fund, for some time
    int64_t since_ns
    int64_t end_ns                 # INT64_MAX: now
    int64_t units
    uint32_t currency

cdef struct FundPast:
    FundValue* values              # by the time when they began
    int32_t count
    int32_t capacity
    int64_t window_ns              # 0: nothing is remembered
    int64_t* clock_ns              # the exchange's

cdef bint fund_note(FundPast* past, uint32_t currency, int64_t units, int32_t* fault) noexcept nogil
cdef int64_t fund_highest(const FundPast* past, uint32_t currency, int32_t* fault) noexcept nogil
