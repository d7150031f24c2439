"""Values of funds; the contract is in fund_past.pxd, the readable twin in twin/account/fund_past.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.base.clauses cimport LIQ_7, must
from solvent._core.base.money cimport INT64_MAX, max64
from solvent._core.base.pool cimport room


cdef int32_t _last(const FundPast* past, uint32_t currency) noexcept nogil:
    """Returns the place of a fund's value of now, -1 where it never had any."""
    cdef int32_t i = past.count - 1
    while i >= 0 and past.values[i].currency != currency:
        i -= 1
    return i


cdef void _drop(FundPast* past, int32_t last, int32_t* fault) noexcept nogil:
    """Drops values of a fund that are too old, or not above the one at `last`, which came later."""
    cdef FundValue than = past.values[last]
    cdef int64_t begin = past.clock_ns[0] - past.window_ns
    cdef int32_t kept = 0
    cdef int32_t i
    for i in range(past.count):
        must(past.values[i].currency != than.currency or i <= last, LIQ_7, fault)
        if i == last or past.values[i].currency != than.currency or (
                past.values[i].units > than.units and past.values[i].end_ns > begin):
            past.values[kept] = past.values[i]
            kept += 1
    must(0 < kept <= past.count, LIQ_7, fault)
    past.count = kept


cdef bint fund_note(FundPast* past, uint32_t currency, int64_t units, int32_t* fault) noexcept nogil:
    """Notes that a fund is worth so much from now on. False when memory is gone."""
    cdef int32_t last = _last(past, currency)
    cdef int64_t now_ns = past.clock_ns[0]
    must(units >= 0 and past.window_ns > 0, LIQ_7, fault)
    if units == (past.values[last].units if last >= 0 else 0):
        return True
    if last >= 0 and past.values[last].since_ns == now_ns:
        past.values[last].units = units
        return True
    if last >= 0:
        must(past.values[last].since_ns < now_ns and past.values[last].end_ns == INT64_MAX, LIQ_7, fault)
        past.values[last].end_ns = now_ns
        _drop(past, last, fault)
    if not room(<void**>&past.values, past.count, &past.capacity, sizeof(FundValue)):
        return False
    past.values[past.count].since_ns = now_ns
    past.values[past.count].end_ns = INT64_MAX
    past.values[past.count].units = units
    past.values[past.count].currency = currency
    past.count += 1
    return True


cdef int64_t fund_highest(const FundPast* past, uint32_t currency, int32_t* fault) noexcept nogil:
    """Returns the highest value of a fund in the window that ends now; 0 where it never had any."""
    cdef int64_t begin = past.clock_ns[0] - past.window_ns
    cdef int64_t highest = 0
    cdef int32_t i
    for i in range(past.count):
        if past.values[i].currency == currency and past.values[i].end_ns > begin:
            highest = max64(highest, past.values[i].units)
    must(highest >= 0, LIQ_7, fault)
    return highest
