"""Contracts: what is traded, in which steps, at which fees and tiers. Immutable and validated."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, astuple, dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from solvent.codes import InputError
from solvent.limits import MONEY_MAX, PRICE_TICKS_MAX, RATE
from solvent.money import Dec, decimal, to_units
from solvent.prices import PriceModel
from solvent.records import Basis, Kind, Scheme
from solvent.tiers import Row, Tier, check_deductions, compile_tiers, curve_e18, highest_power_curve, okex_btc_2019, rate_ppb

_KINDS = {"linear": Kind.LINEAR, "inverse": Kind.INVERSE, "quanto": Kind.QUANTO}
_BASES = {"contracts": Basis.CONTRACTS, "notional": Basis.NOTIONAL, "entry": Basis.ENTRY, "net": Basis.NET}
_SCHEMES = {"whole": Scheme.WHOLE, "deduction": Scheme.DEDUCTION, "slope": Scheme.SLOPE, "power": Scheme.POWER}
INVERSE_LOT_UNITS = 10**4
"""What one lot of an inverse contract is worth at least, at its highest price: a rounded value stays exact to 0.01 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """An instrument in the core's integers, in the order in which a kernel takes them (its currency comes last).

    units: linear and quanto: of a tick and lot; inverse: of a lot, times its price in ticks.
    """

    kind: int
    units: int
    decimals: int
    max_price_ticks: int
    max_size_lots: int
    maker_fee_ppb: int
    taker_fee_ppb: int
    liquidation_fee_ppb: int
    default_leverage: int
    basis: int
    scheme: int
    maintenance_curve: int
    initial_curve: int
    tiers: tuple[Row, ...]
    prices: tuple[object, ...] | None

    def compiled(self, currency: int) -> tuple[object, ...]:
        """The tuple that a kernel takes: all of this but the price model, the currency, the model."""
        terms = astuple(self)
        return (*terms[:-1], currency, terms[-1])


@dataclass(frozen=True)
class Instrument:
    """A perpetual contract.

    name: as in commands and views. settle: the currency of margin and profit, counted in units of
    10**-settle_decimals. kind: "linear" (contract_size is in base currency), "inverse" (in quote currency, settled in
    base) or "quanto" (in settlement currency a point of price). tick: price step. lot: size step, in contracts.

    tiers: position tiers (default: OKEx BTC, September 2019). basis: what they measure: "contracts", "notional" (value
    at mark), "entry" (value at entry) or "net" (contracts, the two legs of a hedge netted). scheme: "whole" (the whole
    position at its tier's rate), "deduction" (each slab at its own rate, so that nothing jumps), "slope" (the rate rises by
    maintenance_curve a contract, the initial one by initial_curve) or "power" (the rates are at least curve *
    notional**0.8, notional in settlement currency). max_size: highest position, in contracts; default: the last tier's
    top, needed where tiers measure money.

    maker_fee, taker_fee, liquidation_fee: rates of a fill's value; a negative maker fee is a rebate, at most the taker
    fee; the liquidation fee defaults to the taker fee. max_price: highest legal price (default 2**24 - 1 ticks).
    default_leverage: of accounts that never set one (they are cross), capped by the first tier. prices: a model that
    computes the mark, and funding (None: both are handed in).

    Raises InputError for anything that does not fit together: the worth of a tick and lot (inverse: of a lot times a
    tick) must be a whole number of units, the highest value of the highest size stays below 2**62 units, and one lot of
    an inverse contract is worth at least 10**4 units at the highest price.

    >>> Instrument("BTC-USDT-SWAP").spec.units
    1000
    >>> xbt = Instrument("XBTUSD", kind="inverse", settle="XBT", contract_size=1, tick="0.5", settle_decimals=12)
    >>> xbt.spec.units  # a contract is worth this many units of 10**-12 XBT, divided by its price in ticks
    2000000000000
    """

    name: str
    _: KW_ONLY
    settle: str = "USDT"
    kind: str = "linear"
    contract_size: Dec = "0.01"
    tick: Dec = "0.1"
    lot: Dec = 1
    tiers: Sequence[Tier] = field(default_factory=okex_btc_2019)
    basis: str = "contracts"
    scheme: str = "whole"
    maintenance_curve: Dec = 0
    initial_curve: Dec = 0
    maker_fee: Dec = "0.0002"
    taker_fee: Dec = "0.0005"
    liquidation_fee: Dec | None = None
    max_price: Dec | None = None
    max_size: Dec | None = None
    default_leverage: int = 10
    settle_decimals: int = 6
    prices: PriceModel | None = None
    spec: Spec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for what in (self.name, self.settle):
            if not isinstance(what, str) or not what:
                raise InputError(f"an instrument and its currency need a name, not {what!r}")
        for word, words in ((self.kind, _KINDS), (self.basis, _BASES), (self.scheme, _SCHEMES)):
            if word not in words:
                raise InputError(f"{self.name}: {word!r} is none of {', '.join(words)}")
        object.__setattr__(self, "spec", self._compile())

    @cached_property
    def tick_size(self) -> Decimal:
        return decimal(self.tick, "tick")

    @cached_property
    def lot_size(self) -> Decimal:
        return decimal(self.lot, "lot")

    @cached_property
    def unit(self) -> Decimal:
        """One unit of the settlement currency."""
        return Decimal((0, (1,), -self.settle_decimals))

    def _fees(self) -> tuple[int, int, int]:
        """Maker, taker and liquidation fee over 10**9. A rebate never exceeds what the taker of the same trade pays."""
        maker, taker = rate_ppb(self.maker_fee, "maker fee", lowest=-RATE), rate_ppb(self.taker_fee, "taker fee")
        if maker + taker < 0:
            raise InputError(f"{self.name}: the maker rebate {self.maker_fee} is more than the taker fee {self.taker_fee}")
        return maker, taker, taker if self.liquidation_fee is None else rate_ppb(self.liquidation_fee, "liquidation fee")

    def _units(self) -> int:
        tick, lot, size = self.tick_size, self.lot_size, decimal(self.contract_size, "contract size")
        if min(tick, lot, size) <= 0:
            raise InputError("tick, lot and contract size are positive")
        inverse = self.kind == "inverse"
        exact = Fraction(lot) * Fraction(size) * (1 / Fraction(tick) if inverse else Fraction(tick)) / Fraction(self.unit)
        if exact.denominator != 1:
            what = "one lot, times a price of one tick," if inverse else "one tick of one lot"
            raise InputError(
                f"{self.name}: {what} is {exact} units of 10**-{self.settle_decimals} {self.settle}, "
                f"not a whole number of units; raise settle_decimals"
            )
        return int(exact)

    def _tiers(self) -> tuple[Row, ...]:
        by_money = self.basis in ("notional", "entry")
        if self.scheme == "deduction" and self.basis == "net":
            raise InputError(f"{self.name}: deductions of a netted size are not defined; use contracts or notional")
        if self.scheme in ("slope", "power") and len(self.tiers) != 1:
            raise InputError(f"{self.name}: the curve of scheme {self.scheme!r} starts from one tier, not {len(self.tiers)}")
        if self.scheme == "deduction":
            check_deductions(self.tiers, self.name)
        elif any(tier.deduction for tier in self.tiers):
            raise InputError(f"{self.name}: tiers with deductions need scheme='deduction'")
        return compile_tiers(self.tiers, self.unit if by_money else self.lot_size, "units" if by_money else "lots")

    def _curves(self, max_lots: int, max_value: int) -> tuple[int, int]:
        values = (self.maintenance_curve, "maintenance curve"), (self.initial_curve, "initial curve")
        if self.scheme not in ("slope", "power") and any(decimal(value, what) for value, what in values):
            raise InputError(f"{self.name}: a curve needs scheme 'slope' or 'power'")
        per, highest = Fraction(1), highest_power_curve(self.settle_decimals, max_value)
        if self.scheme == "slope":
            per, highest = Fraction(self.lot_size), min(MONEY_MAX, MONEY_MAX * RATE // max_lots)
        maintenance, initial = (curve_e18(value, what, per, highest) for value, what in values)
        if maintenance > initial:
            raise InputError(f"{self.name}: the maintenance curve is above the initial one")
        return maintenance, initial

    def _bounds(self, units: int, tiers: tuple[Row, ...]) -> tuple[int, int]:
        """Highest price in ticks and highest size in lots, within which every value fits."""
        highest = 2**24 - 1 if self.max_price is None else to_units(self.max_price, self.tick_size, "max_price")
        if highest is None or not 1 <= highest <= PRICE_TICKS_MAX:
            raise InputError(f"{self.name}: max_price {self.max_price} is not a positive number of ticks")
        lots: int | None = tiers[-1][0]
        if self.max_size is not None:
            lots = to_units(self.max_size, self.lot_size, "max_size")
        elif self.basis in ("notional", "entry"):
            raise InputError(f"{self.name}: tiers that measure money do not bound contracts; say max_size")
        if lots is None or not 1 <= lots <= MONEY_MAX:
            raise InputError(f"{self.name}: max_size {self.max_size} is not a positive number of lots")
        if lots * units * (1 if self.kind == "inverse" else highest) > MONEY_MAX:
            raise InputError(f"{self.name}: the highest value of the highest size reaches 2**62 units")
        if self.kind == "inverse" and units < INVERSE_LOT_UNITS * highest:
            raise InputError(
                f"{self.name}: one lot at the highest price is below {INVERSE_LOT_UNITS} units of "
                f"10**-{self.settle_decimals}; raise settle_decimals or lower max_price"
            )
        return highest, lots

    def _prices(self, highest: int, units: int) -> tuple[object, ...] | None:
        if self.prices is None:
            return None
        if not isinstance(self.prices, PriceModel):
            raise InputError(f"{self.name}: prices is a PriceModel or None")
        impact: int | None = 1
        if self.prices.funding:
            step = self.lot_size if self.kind == "inverse" else self.unit
            impact = to_units(self.prices.funding.impact, step, "impact")
        if impact is None or not 1 <= impact <= MONEY_MAX // (units if self.kind == "inverse" else 1):
            raise InputError(f"{self.name}: the impact amount is not a positive number of units (inverse: of lots)")
        return self.prices.compiled(highest, impact)

    def _compile(self) -> Spec:
        if type(self.settle_decimals) is not int or not 0 <= self.settle_decimals <= 18:
            raise InputError(f"settle_decimals {self.settle_decimals!r} is not an int from 0 to 18")
        units, tiers, fees = self._units(), self._tiers(), self._fees()
        highest, lots = self._bounds(units, tiers)
        curves = self._curves(lots, lots * units * (1 if self.kind == "inverse" else highest))
        if max(fees) >= 10**9 // 2 or any(rate + fees[2] > 10**9 for _, rate, _, _ in tiers):
            raise InputError(f"{self.name}: fees and maintenance rates must leave something of the value")
        if type(self.default_leverage) is not int or self.default_leverage < 1:
            raise InputError(f"default_leverage {self.default_leverage!r} is not a whole number from 1 up")
        return Spec(
            kind=_KINDS[self.kind], units=units, decimals=self.settle_decimals, max_price_ticks=highest, max_size_lots=lots,
            maker_fee_ppb=fees[0], taker_fee_ppb=fees[1], liquidation_fee_ppb=fees[2],
            default_leverage=min(self.default_leverage, tiers[0][2]), basis=_BASES[self.basis],
            scheme=_SCHEMES[self.scheme], maintenance_curve=curves[0], initial_curve=curves[1], tiers=tiers,
            prices=self._prices(highest, units),
        )  # fmt: skip
