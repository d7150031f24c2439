"""A window for tests on the arithmetic, which is inline in money.pxd."""

from libc.stdint cimport int32_t, int64_t


def mul_div(int64_t a, int64_t b, int64_t c, str rounding):
    """Returns a * b / c with 'floor', 'ceil' or 'trunc' rounding; a window for tests.

    Raises OverflowError in the cases that halt the core: a result beyond 64 bits, or c not positive.
    """
    cdef int32_t fault = 0
    cdef int64_t result
    if rounding == "floor":
        result = mul_div_floor(a, b, c, &fault)
    elif rounding == "ceil":
        result = mul_div_ceil(a, b, c, &fault)
    else:
        result = mul_div_trunc(a, b, c, &fault)
    if fault:
        raise OverflowError(f"{a} * {b} / {c} does not fit 64 bits")
    return result
