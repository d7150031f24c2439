"""Decimal text to integer units and back, and lists, at the edge only. Floats and bools are refused here."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from solvent.codes import InputError, WrongType

Dec = int | str | Decimal
"""What the face takes for prices, sizes and amounts."""


_Member = TypeVar("_Member")


def many(values: object, kind: type[_Member], what: str) -> tuple[_Member, ...]:
    """The members of a list, all of one type. Raises WrongType for anything else.

    >>> many([1, 2], int, "weights")
    (1, 2)
    """
    found = tuple(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) else None
    if found is None or not all(isinstance(each, kind) for each in found):
        raise WrongType(f"{what} is a list of {'values' if kind is object else kind.__name__}, not {values!r}")
    return found


def decimal(value: object, what: str) -> Decimal:
    """The exact number behind an int, a str or a Decimal.

    Raises WrongType for any other type (float and bool by name), InputError for text that is no finite number.

    >>> decimal("50000.5", "price")
    Decimal('50000.5')
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise WrongType(f"{what}: {type(value).__name__} {value!r} is refused; use int, str or Decimal")
    try:
        if isinstance(value, str) and "_" in value:
            raise ValueError
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        raise InputError(f"{what}: {value!r} is not a number") from None
    if not number.is_finite():
        raise InputError(f"{what}: {value!r} is not a finite number")
    return number


def to_units(value: object, unit: Decimal, what: str) -> int | None:
    """How many units a value is, or None when it is not a whole number of them (or far beyond any limit).

    >>> to_units("0.3", Decimal("0.1"), "price"), to_units("0.35", Decimal("0.1"), "price")
    (3, None)
    """
    if type(value) is int:
        numerator, denominator = value, 1
    else:
        number = decimal(value, what)
        if number and (number.adjusted() > 40 or number.adjusted() < -40):
            return None
        numerator, denominator = number.as_integer_ratio()
    up, down = unit.as_integer_ratio()
    count, rest = divmod(numerator * down, denominator * up)
    return None if rest else count


def nearest_even(value: object, unit: Decimal, what: str) -> int | None:
    """How many units a value is, rounded half to even (marks, semantics §1); None far beyond any limit.

    >>> nearest_even("0.25", Decimal("0.1"), "mark"), nearest_even("0.35", Decimal("0.1"), "mark")
    (2, 4)
    """
    number = decimal(value, what)
    if number and number.adjusted() > 40:
        return None
    if number and number.adjusted() < -40:
        return 0
    numerator, denominator = number.as_integer_ratio()
    up, down = unit.as_integer_ratio()
    count, rest = divmod(numerator * down, denominator * up)
    twice = 2 * rest - denominator * up
    return count + (twice > 0 or (twice == 0 and count % 2 == 1))


def unit_of(decimals: object) -> Decimal:
    """The unit of a currency with so many decimals.

    >>> unit_of(6)
    Decimal('0.000001')
    """
    if type(decimals) is not int or not 0 <= decimals <= 18:
        raise InputError(f"decimals {decimals!r} is not an int from 0 to 18")
    return Decimal((0, (1,), -decimals))


def from_units(count: int, unit: Decimal) -> Decimal:
    """The exact decimal of so many units, without trailing zeros or exponent.

    >>> from_units(4905000, Decimal("0.01"))
    Decimal('49050')
    """
    digits = unit.as_tuple()
    assert isinstance(digits.exponent, int)
    scaled = count * int("".join(map(str, digits.digits)))
    exponent = digits.exponent
    while exponent < 0 and scaled % 10 == 0:
        scaled //= 10
        exponent += 1
    if exponent > 0:
        scaled, exponent = scaled * 10**exponent, 0
    sign, text = (1, str(-scaled)) if scaled < 0 else (0, str(scaled))
    return Decimal((sign, tuple(map(int, text)), exponent))
