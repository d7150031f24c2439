"""Decimal text to integer units and back, and lists, at the edge only. Floats and bools are refused here.

Owns every computation with decimals. Never depends on the caller's decimal context: it computes in integers and fractions,
where a context is needed in its own. Cost: a number of a thousandfold length or exponent is refused unread.
"""

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import TypeVar

from solvent.schema.codes import InputError, WrongType, shown

Dec = int | str | Decimal
"""What the face takes for prices, sizes and amounts."""


_Member = TypeVar("_Member")
PPB = Decimal("1e-9")
"""The step of rates."""
_READING = Context(traps=[InvalidOperation])
_FAR = 40
"""Powers of ten: a number farther from 1 than this is beyond every limit, and below every unit."""
_LENGTH = 4_000
"""Characters of a number that is looked at; none that is meant has so many."""


def many(values: object, kind: type[_Member], what: str) -> tuple[_Member, ...]:
    """The members of a list, all of one type. Raises WrongType for anything else.

    >>> many([1, 2], int, "weights")
    (1, 2)
    """
    found = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) else None
    if found is None or not all(isinstance(each, kind) for each in found):
        raise WrongType(f"{what} is a list of {'values' if kind is object else kind.__name__}, not {shown(values)}")
    return found


def decimal(value: object, what: str) -> Decimal:
    """The exact number behind an int, a str or a Decimal.

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
    """Numerator and denominator of the exact number; None where it is far beyond any limit, or finer than any unit."""
    if type(value) is int:
        return value, 1
    number = decimal(value, what)
    if not number:
        return 0, 1
    if not -_FAR <= number.adjusted() <= _FAR or len(str(number)) > _LENGTH:
        return None
    return number.as_integer_ratio()


def fraction(value: object, what: str) -> Fraction:
    """The exact number as a fraction. Raises as `decimal` does, and InputError for one that is far beyond any limit.

    >>> fraction("0.25", "rate")
    Fraction(1, 4)
    """
    found = _ratio(value, what)
    if found is None or abs(found[0]) > 10**_FAR * found[1]:
        raise InputError(f"{what}: {shown(value)} is far beyond any limit")
    return Fraction(*found)


def to_units(value: object, unit: Decimal, what: str) -> int | None:
    """How many units a value is, or None when it is not a whole number of them (or far beyond any limit).

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
    """How many units, or so many parts of one, a value is, rounded half to even (marks, semantics §1); None far beyond any
    limit.

    >>> nearest_even("0.25", Decimal("0.1"), "mark"), nearest_even("0.35", Decimal("0.1"), "mark")
    (2, 4)
    """
    found = _ratio(value, what)
    if found is None:
        return None
    up, down = unit.as_integer_ratio()
    return half_even(found[0] * down * parts, found[1] * up)


def half_even(numerator: int, denominator: int) -> int:
    """A quotient, of a denominator above 0, rounded half to even.

    >>> half_even(5, 2), half_even(-3, 2), half_even(8, 3)
    (2, -2, 3)
    """
    count, rest = divmod(numerator, denominator)
    twice = 2 * rest - denominator
    return count + (twice > 0 or (twice == 0 and count % 2 == 1))


def unit_of(decimals: object) -> Decimal:
    """The unit of a currency with so many decimals.

    >>> unit_of(6)
    Decimal('0.000001')
    """
    if type(decimals) is not int or not 0 <= decimals <= 18:
        raise InputError(f"decimals {shown(decimals)} is not an int from 0 to 18")
    return Decimal((0, (1,), -decimals))


@cache
def _parts(unit: Decimal) -> tuple[int, int]:
    """A unit as (digits, exponent of ten)."""
    _, digits, exponent = unit.as_tuple()
    assert isinstance(exponent, int)
    return int("".join(map(str, digits))), exponent


def from_units(count: int, unit: Decimal) -> Decimal:
    """The exact decimal of so many units, without trailing zeros or exponent.

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
    """The decimal of a fraction that has one: its denominator is of twos and fives.

    >>> from_fraction(Fraction(3, 40))
    Decimal('0.075')
    """
    places = 0
    while exact.numerator * 10**places % exact.denominator:
        places += 1
    return from_units(exact.numerator * 10**places // exact.denominator, Decimal((0, (1,), -places)))


def plain(number: Decimal) -> str:
    """All digits of a number, without an exponent.

    >>> plain(Decimal("1E-8"))
    '0.00000001'
    """
    return format(number, "f")
