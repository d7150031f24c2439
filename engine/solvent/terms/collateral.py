"""Currencies that count as margin for another one, with a haircut. Immutable and validated."""

from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from fractions import Fraction

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import MONEY_MAX, RATE
from solvent.terms.decimals import Dec, unit_of
from solvent.terms.tiers import rate_ppb

Compiled = tuple[int, int, int, int, int]  # currency, of, instrument, numerator, denominator


@dataclass(frozen=True, slots=True)
class Collateral:
    """Makes a balance of one currency count in the cross margin of another, `of`, at a price less a haircut.

    price: the instrument whose index (its mark, while it has no index) gives the price in `of`, as ETH-USDT for ETH. decimals:
    the currency's units are 10**-decimals. If contracts settle in the currency, only what they leave counts
    (docs/explanation/semantics.md). Collateral that positions need cannot be withdrawn, and no order can reserve it.

    The house converts collateral at the price less the haircut, so that equity stays the same. It does so before a takeover,
    and before the insurance fund covers a negative wallet: the smallest haircut first, then in the given order.

    >>> Collateral("ETH", of="USDT", price="ETH-USDT-SWAP", haircut="0.1").units(Decimal("0.1"), Decimal("0.000001"))
    (9, 10000)
    """

    currency: str
    _: KW_ONLY
    of: str
    price: str
    haircut: Dec
    decimals: int = 8

    def __post_init__(self) -> None:
        if rate_ppb(self.haircut, "haircut") >= RATE:
            raise InputError("a haircut is below 1: of what counts nothing is left")
        unit_of(self.decimals)
        for what in (self.currency, self.of, self.price):
            if not isinstance(what, str) or not what:
                raise InputError(f"collateral needs the names of two currencies and an instrument, not {shown(what)}")

    @property
    def unit(self) -> Decimal:
        """Returns one unit of the currency."""
        return unit_of(self.decimals)

    def units(self, tick: Decimal, unit: Decimal) -> tuple[int, int]:
        """Returns (numerator, denominator): a unit's worth at a price of one tick, in units of `of`, less the haircut."""
        kept = Fraction(RATE - rate_ppb(self.haircut, "haircut"), RATE)
        each = Fraction(self.unit) * Fraction(tick) * kept / Fraction(unit)
        if max(each.numerator, each.denominator) > MONEY_MAX:
            raise InputError(f"collateral {self.currency}: its price has too many digits for its decimals")
        return each.numerator, each.denominator
