"""Shares of a parcel; the contract is in allocation.pxd, the readable twin in twin/liquidation/allocation.py."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport qsort
from solvent._core.base.clauses cimport LIQ_8, must
from solvent._core.base.money cimport floor128, int128, min64
from solvent._core.base.schema cimport IN_QUEUE, MINMAX, PRO_RATA


cdef inline bint _larger(Part* a, Part* b) noexcept nogil:
    """Decides ties: the larger size, then the lower account."""
    return a.size_lots > b.size_lots if a.size_lots != b.size_lots else a.account < b.account


cdef int _by_rest(const void* left, const void* right) noexcept nogil:
    cdef Part* a = <Part*>left
    cdef Part* b = <Part*>right
    if a.rest != b.rest:
        return -1 if a.rest > b.rest else 1
    return -1 if _larger(a, b) else 1


cdef int _by_place(const void* left, const void* right) noexcept nogil:
    return -1 if (<Part*>left).place < (<Part*>right).place else 1


cdef int64_t _spread(int64_t lots, Part* parts, int32_t count, int128 total, int32_t* fault) noexcept nogil:
    """Gives each the floor of its part by size. Returns the lots that this leaves."""
    cdef int64_t left = lots
    cdef int128 product
    cdef int32_t i
    must(0 < lots < total, LIQ_8, fault)
    for i in range(count):
        product = <int128>lots * parts[i].size_lots
        parts[i].lots = <int64_t>floor128(product, total)
        parts[i].rest = product - parts[i].lots * total
        parts[i].place = i
        left -= parts[i].lots
        must(0 <= parts[i].rest < total and parts[i].lots <= parts[i].size_lots, LIQ_8, fault)
    must(0 <= left <= count, LIQ_8, fault)
    return left


cdef inline bint _before(Part* a, Part* b) noexcept nogil:
    """True if a would have lost the smaller part after one lot more."""
    cdef int128 first = <int128>(a.lots + 1) * b.size_lots
    cdef int128 second = <int128>(b.lots + 1) * a.size_lots
    return first < second if first != second else _larger(a, b)


cdef void _sink(Part* parts, int32_t at, int32_t count, int32_t* fault) noexcept nogil:
    """Moves a part down the heap to below all that come before it."""
    cdef int32_t child = 2 * at + 1
    cdef Part held = parts[at]
    while child < count:
        if child + 1 < count and _before(&parts[child + 1], &parts[child]):
            child += 1
        if not _before(&parts[child], &held):
            break
        parts[at] = parts[child]
        at = child
        child = 2 * at + 1
    parts[at] = held
    must(0 <= at < count and parts[at].place == held.place, LIQ_8, fault)
    must(2 * at + 1 >= count or not _before(&parts[2 * at + 1], &held), LIQ_8, fault)


cdef void _lot_by_lot(int64_t left, Part* parts, int32_t count, int32_t* fault) noexcept nogil:
    """Gives lot after lot to whoever then has lost the smallest part."""
    cdef int32_t i
    for i in range((count >> 1) - 1, -1, -1):
        _sink(parts, i, count, fault)
    while left > 0:
        must(parts[0].lots < parts[0].size_lots, LIQ_8, fault)
        must(count == 1 or not _before(&parts[1], &parts[0]), LIQ_8, fault)
        parts[0].lots += 1
        _sink(parts, 0, count, fault)
        left -= 1


cdef void allocate(int rule, int64_t lots, Part* parts, int32_t count, int32_t* fault) noexcept nogil:
    """Sets the lots that each counterparty loses. The parts are in the order of rank, and stay so."""
    cdef int128 total = 0
    cdef int64_t left = lots
    cdef int32_t i
    must(lots > 0 and count >= 0, LIQ_8, fault)
    for i in range(count):
        must(parts[i].size_lots > 0, LIQ_8, fault)
        total += parts[i].size_lots
    if rule == IN_QUEUE or lots >= total:
        for i in range(count):
            parts[i].lots = min64(left, parts[i].size_lots)
            left -= parts[i].lots
        return
    left = _spread(lots, parts, count, total, fault)
    if rule == MINMAX:
        _lot_by_lot(left, parts, count, fault)
    else:
        must(rule == PRO_RATA, LIQ_8, fault)
        qsort(parts, count, sizeof(Part), &_by_rest)
        for i in range(<int32_t>left):
            parts[i].lots += 1
    qsort(parts, count, sizeof(Part), &_by_place)
    left = lots
    for i in range(count):
        must(parts[i].place == i and 0 <= parts[i].lots <= parts[i].size_lots, LIQ_8, fault)
        left -= parts[i].lots
    must(left == 0, LIQ_8, fault)
