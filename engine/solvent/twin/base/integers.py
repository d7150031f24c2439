"""Whole-number division with explicit rounding. Exact for ints of any size."""

from fractions import Fraction


def ceil_div(n: int, d: int | Fraction) -> int:
    """Returns n / d rounded up."""
    return -(-n // d)


def trunc_div(n: int, d: int) -> int:
    """Returns n / d rounded toward zero, for d > 0."""
    return n // d if n >= 0 else -(-n // d)
