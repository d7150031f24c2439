"""The exact-integer gate; the arithmetic itself is inline in money.pxd.

C integer parameters would take 1.9 as 1 and True as 1; `exact` takes only an int that fits 64 bits.
"""

from libc.stdint cimport int32_t, int64_t


cdef int64_t exact(object value) except? -1:
    """The int as a C integer. TypeError for anything but an int; OverflowError beyond 64 bits."""
    if type(value) is not int:
        raise TypeError(f"an int is needed here, not {type(value).__name__} {value!r}")
    return <int64_t>value


def mul_div(int64_t a, int64_t b, int64_t c, str rounding):
    """a * b / c with 'floor', 'ceil' or 'trunc' rounding; a window for tests.

    Raises OverflowError where the core would halt (result beyond 64 bits, or c not positive).
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
