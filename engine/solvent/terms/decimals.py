"""Decimal text to integer units and back, and lists, at the edge only. Refuses floats and bools.

Owns every computation with decimals. Never depends on the caller's decimal context: it computes in integers and fractions, and
uses a context of its own where it needs one. Cost: a number of a thousandfold length or exponent is refused unread.
"""

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import TypeVar

from solvent.schema.codes import InputError, WrongType, shown

Dec = int | str | Decimal
"""The types of prices, sizes and amounts that the face accepts."""


_Member = TypeVar("_Member")
PPB = Decimal("1e-9")
"""The step of rates."""
_READING = Context(traps=[InvalidOperation])
_FAR = 40
"""Powers of ten: a number farther from 1 than this is beyond every limit, or below every unit."""
_LENGTH = 4_000
"""The longest number that is read, in characters; no real number is so long."""


def members_of(values: object, kind: type[_Member], what: str) -> tuple[_Member, ...]:
    """Returns the members of a list, all of one type. Raises WrongType for anything else.

    >>> members_of([1, 2], int, "weights")
    (1, 2)
    """
    found = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) else None
    if found is None or not all(isinstance(each, kind) for each in found):
        raise WrongType(f"{what} is a list of {'values' if kind is object else kind.__name__}, not {shown(values)}")
    return found


def decimal(value: object, what: str) -> Decimal:
    """Returns the exact number behind an int, a str or a Decimal.

    Raises WrongType for any other type (float and bool by name), InputError for text that is no finite number.

    >>> decimal("50000.5", "price")
    Decimal('50000.5')
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise WrongType(f"{what}: {type(value).__name__} {shown(value)} is refused; use int, str or Decimal")
    try:
        if isinstance(value, str) and "_" in value:
            raise ValueError
        number = Decimal(value, _READING)
    except (InvalidOperation, ValueError):
        raise InputError(f"{what}: {shown(value)} is not a number") from None
    if not number.is_finite():
        raise InputError(f"{what}: {shown(value)} is not a finite number")
    return number


def _ratio(value: object, what: str) -> tuple[int, int] | None:
    """Returns numerator and denominator of the exact number; None if it is far beyond any limit, or finer than any unit."""
    if type(value) is int:
        return value, 1
    number = decimal(value, what)
    if not number:
        return 0, 1
    if not -_FAR <= number.adjusted() <= _FAR or len(str(number)) > _LENGTH:
        return None
    return number.as_integer_ratio()


def fraction(value: object, what: str) -> Fraction:
    """Returns the exact number as a fraction. Raises as `decimal` does, and InputError for a number far beyond any limit.

    >>> fraction("0.25", "rate")
    Fraction(1, 4)
    """
    found = _ratio(value, what)
    if found is None or abs(found[0]) > 10**_FAR * found[1]:
        raise InputError(f"{what}: {shown(value)} is far beyond any limit")
    return Fraction(*found)


def to_units(value: object, unit: Decimal, what: str) -> int | None:
    """Returns how many units a value is; None if it is not a whole number of them, or far beyond any limit.

    >>> to_units("0.3", Decimal("0.1"), "price"), to_units("0.35", Decimal("0.1"), "price")
    (3, None)
    """
    found = _ratio(value, what)
    if found is None:
        return None
    up, down = unit.as_integer_ratio()
    count, rest = divmod(found[0] * down, found[1] * up)
    return None if rest else count


def nearest_even(value: object, unit: Decimal, what: str, parts: int = 1) -> int | None:
    """Returns how many units, or parts of a unit, a value is, rounded half to even (marks, semantics §1).

    Returns None for a value far beyond any limit.

    >>> nearest_even("0.25", Decimal("0.1"), "mark"), nearest_even("0.35", Decimal("0.1"), "mark")
    (2, 4)
    """
    found = _ratio(value, what)
    if found is None:
        return None
    up, down = unit.as_integer_ratio()
    return half_even(found[0] * down * parts, found[1] * up)


def half_even(numerator: int, denominator: int) -> int:
    """Returns a quotient rounded half to even; the denominator is above 0.

    >>> half_even(5, 2), half_even(-3, 2), half_even(8, 3)
    (2, -2, 3)
    """
    count, rest = divmod(numerator, denominator)
    twice = 2 * rest - denominator
    return count + (twice > 0 or (twice == 0 and count % 2 == 1))


def unit_of(decimals: object) -> Decimal:
    """Returns the unit of a currency with this many decimals.

    >>> unit_of(6)
    Decimal('0.000001')
    """
    if type(decimals) is not int or not 0 <= decimals <= 18:
        raise InputError(f"decimals {shown(decimals)} is not an int from 0 to 18")
    return Decimal((0, (1,), -decimals))


@cache
def _parts(unit: Decimal) -> tuple[int, int]:
    """Returns a unit as (digits, exponent of ten)."""
    _, digits, exponent = unit.as_tuple()
    assert isinstance(exponent, int)
    return int("".join(map(str, digits))), exponent


def from_units(count: int, unit: Decimal) -> Decimal:
    """Returns the exact decimal of a number of units, without trailing zeros or exponent.

    >>> from_units(4905000, Decimal("0.01"))
    Decimal('49050')
    """
    digits, exponent = _parts(unit)
    scaled = count * digits
    if exponent >= 0 or not scaled:
        return Decimal(scaled * 10**exponent if scaled else 0)
    text = str(scaled)
    places = max(-exponent - len(text) + len(text.rstrip("0")), 0)  # that are left behind the point
    return Decimal(f"{text[: len(text) - (-exponent - places)]}E-{places}")


def from_fraction(exact: Fraction) -> Decimal:
    """Returns the decimal of a fraction whose denominator has only the factors two and five.

    >>> from_fraction(Fraction(3, 40))
    Decimal('0.075')
    """
    places = 0
    while exact.numerator * 10**places % exact.denominator:
        places += 1
    return from_units(exact.numerator * 10**places // exact.denominator, Decimal((0, (1,), -places)))


def plain(number: Decimal) -> str:
    """Returns all digits of a number, without an exponent.

    >>> plain(Decimal("1E-8"))
    '0.00000001'
    """
    return format(number, "f")
