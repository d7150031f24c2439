"""The memory of the slots; the contract is in order_pool.pxd."""

from libc.stdint cimport int32_t
from solvent._core.base.pool cimport doubled, grown, released

cdef enum:
    FIRST = 32


cdef bint pool_grow(OrderPool* pool) noexcept nogil:
    """Doubles the slots. Returns False, all unchanged, at the limit or when memory is gone."""
    cdef int32_t larger = doubled(pool.capacity, pool.capacity + 1, FIRST, ORDERS_MAX)
    if larger == 0 or not (
            grown(<void**>&pool.orders, larger, sizeof(Order)) and grown(<void**>&pool.terms, larger, sizeof(ExtendedTerms))
            and grown(<void**>&pool.own, larger, sizeof(Links)) and grown(<void**>&pool.reduce, larger, sizeof(Links))
            and grown(<void**>&pool.free_stack, larger, sizeof(int32_t))):
        return False
    pool.capacity = larger
    return True


cdef void pool_close(OrderPool* pool) noexcept nogil:
    released(pool.orders)
    released(pool.terms)
    released(pool.own)
    released(pool.reduce)
    released(pool.free_stack)
