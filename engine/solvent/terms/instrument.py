"""Instruments: contracts with their steps, fees, tiers and price model. Immutable and validated."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import GROUP_MAX, RATE
from solvent.schema.terms import CallTerms, FeeRow, LimitTerms, ModelTerms, RateRow, Row
from solvent.schema.words import Basis, Kind, Scheme
from solvent.terms.calls import Calls
from solvent.terms.decimals import Dec, decimal, fraction, members_of, to_units
from solvent.terms.names import check_name
from solvent.terms.order_limits import OrderLimits
from solvent.terms.price_model import PriceModel
from solvent.terms.spec import Spec
from solvent.terms.tiers import Rates, Tier, check_deductions, compile_tiers, curve_e18, okex_btc_2019, rate_ppb

_KINDS = {"linear": Kind.LINEAR, "inverse": Kind.INVERSE, "quanto": Kind.QUANTO}
_BASES = {"contracts": Basis.CONTRACTS, "notional": Basis.NOTIONAL, "entry": Basis.ENTRY, "net": Basis.NET}
_SCHEMES = {each.name.lower(): each for each in Scheme}
_HEDGES = {"both": 0, "larger": 1}


@dataclass(frozen=True)
class Instrument:
    """Describes a perpetual or dated contract.

    name: as in commands and views. settle: the currency of margin and profit, counted in units of 10**-settle_decimals. kind:
    "linear" (contract_size is in base currency), "inverse" (in quote currency, settled in base) or "quanto" (contract_size is
    settlement currency per point of price). tick: price step. lot: size step, in contracts. max_price: highest legal price
    (default 2**24 - 1 ticks). max_size: highest position, in contracts, below 2**39 lots. It defaults to the last tier's top,
    and is required where tiers measure money.

    tiers: position tiers (default: OKEx BTC, September 2019). basis: what tiers measure. "contracts", "notional" (value at
    mark), "entry" (value at entry) or "net" (contracts, the two legs of a hedge netted). scheme: how a tier's rate becomes a
    maintenance margin.

    - "whole": the whole position pays its tier's rate.
    - "deduction": each slab pays its own rate, so that nothing jumps.
    - "slope": the rate rises by maintenance_curve a contract, the initial rate by initial_curve.
    - "power": the rates are at least curve * notional**0.8, notional in settlement currency.
    - "factor": a share of the initial margin at the position's own leverage: its maintenance / its initial rate (HTX).

    maintenance_at: "mark", or "entry": maintenance margin then stays as it was when the position was opened (old Bybit,
    Phemex). rates: other maintenance rates of the same tiers for positions of one side or up to a leverage (solvent.Rates;
    Vega, HTX). The first entry that fits applies. hedge: a cross hedge pays margin for "both" sides, or only for the "larger"
    one, of its tier group if it has one (Kraken). tier_group: a whole number, 0 for none. Instruments of one group that settle
    in the same currency add up the nets of an account's cross positions for their tiers (HTX: all contracts of a coin).

    maker_fee, taker_fee, liquidation_fee: rates of a fill's value. A negative maker fee is a rebate, at most the taker fee.
    The liquidation fee defaults to the taker fee; "own" is the liquidated account's own taker fee by volume (OKX). fee_tiers:
    rows (volume, maker, taker): fees of accounts that traded this volume in the settlement currency over the last thirty whole
    days. Sub-accounts count with their master.

    default_leverage: the leverage of accounts that never set one (they are cross), capped by the first tier. prices: a
    PriceModel that computes mark and funding (None: both are handed in). order_limits: least notional, sizes, live orders and
    messages (None: no such limits). calls: how its calls end and what its band does (None: as Calls() says). expiry_ns: the
    time when a dated contract settles, 0 for a perpetual. It settles at its index, averaged over the samples of
    settle_window_ns before.

    Raises InputError for terms that do not fit together. The worth of a tick and lot is a whole number of units; for an
    inverse contract that holds for a lot times a tick. The highest value of the highest size stays below 2**62 units. One lot
    of an inverse contract is worth at least 10**4 units at the highest price.

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
    maintenance_at: str = "mark"
    maker_fee: Dec = "0.0002"
    taker_fee: Dec = "0.0005"
    liquidation_fee: Dec | None = None
    fee_tiers: Sequence[tuple[Dec, Dec, Dec]] = ()
    rates: Sequence[Rates] = ()
    max_price: Dec | None = None
    max_size: Dec | None = None
    default_leverage: int = 10
    settle_decimals: int = 6
    prices: PriceModel | None = None
    expiry_ns: int = 0
    settle_window_ns: int = 0
    tier_group: int = 0
    hedge: str = "both"
    order_limits: OrderLimits | None = None
    calls: Calls | None = None
    spec: Spec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name(self.name, "an instrument")
        check_name(self.settle, "a currency")
        places = {"mark": 0, "entry": 1}
        words = (
            (self.kind, _KINDS), (self.basis, _BASES), (self.scheme, _SCHEMES), (self.maintenance_at, places),
            (self.hedge, _HEDGES),
        )  # fmt: skip
        for word, table in words:
            if not isinstance(word, str) or word not in table:
                raise InputError(f"{self.name}: {shown(word)} is none of {', '.join(table)}")
        for name, kind in (("tiers", Tier), ("rates", Rates), ("fee_tiers", object)):
            object.__setattr__(self, name, members_of(getattr(self, name), kind, f"{self.name}: {name}"))
        object.__setattr__(self, "spec", self._compile())

    @cached_property
    def tick_size(self) -> Decimal:
        """Returns the price step."""
        return decimal(self.tick, "tick")

    @cached_property
    def lot_size(self) -> Decimal:
        """Returns the size step, in contracts."""
        return decimal(self.lot, "lot")

    @cached_property
    def unit(self) -> Decimal:
        """Returns one unit of the settlement currency."""
        return Decimal((0, (1,), -self.settle_decimals))

    def _fees(self) -> tuple[int, int, int]:
        """Returns maker, taker and liquidation fee over 10**9. A rebate never exceeds what its taker pays."""
        maker, taker = rate_ppb(self.maker_fee, "maker fee", lowest=-RATE), rate_ppb(self.taker_fee, "taker fee")
        follows = self.liquidation_fee is None or self._own_fee()
        return maker, taker, taker if follows else rate_ppb(self.liquidation_fee, "liquidation fee")

    def _own_fee(self) -> bool:
        return isinstance(self.liquidation_fee, str) and self.liquidation_fee == "own"

    def _fee_tiers(self) -> tuple[FeeRow, ...]:
        rows = []
        for row in self.fee_tiers:
            if not isinstance(row, list | tuple) or len(row) != 3:
                raise InputError(f"{self.name}: a fee tier is (volume, maker fee, taker fee), not {shown(row)}")
            volume, maker, taker = row
            units = to_units(volume, self.unit, "volume") or 0
            rows.append((units, rate_ppb(maker, "maker fee", lowest=-RATE), rate_ppb(taker, "taker fee")))
        return tuple(rows)

    def _units(self) -> int:
        tick, lot = fraction(self.tick, "tick"), fraction(self.lot, "lot")
        size = fraction(self.contract_size, "contract size")
        if min(tick, lot, size) <= 0:
            raise InputError("tick, lot and contract size are positive")
        inverse = self.kind == "inverse"
        exact = lot * size * (1 / tick if inverse else tick) / Fraction(self.unit)
        if exact.denominator != 1:
            what = "one lot, times a price of one tick," if inverse else "one tick of one lot"
            raise InputError(
                f"{self.name}: {what} is {exact} units of 10**-{self.settle_decimals} {self.settle}, "
                f"not a whole number of units; raise settle_decimals"
            )
        return int(exact)

    def _tiers(self) -> tuple[Row, ...]:
        by_money = self.basis in ("notional", "entry")
        if not by_money and any(tier.deduction is not None for tier in self.tiers):
            raise InputError(f"{self.name}: a printed deduction is money, so tiers measure it: basis='notional', or 'entry'")
        if self.scheme == "deduction":
            check_deductions(self.tiers, self.name)
        elif any(tier.deduction for tier in self.tiers):
            raise InputError(f"{self.name}: tiers with deductions need scheme='deduction'")
        return compile_tiers(self.tiers, self.unit if by_money else self.lot_size, "units" if by_money else "lots")

    def _rates(self) -> tuple[RateRow, ...]:
        return tuple(each.compiled() for each in self.rates)

    def _curves(self) -> tuple[int, int]:
        per = Fraction(self.lot_size) if self.scheme == "slope" else Fraction(1)
        maintenance, initial = self.maintenance_curve, self.initial_curve
        return curve_e18(maintenance, "maintenance curve", per), curve_e18(initial, "initial curve", per)

    def _bounds(self, tiers: tuple[Row, ...]) -> tuple[int, int]:
        """Returns the highest price in ticks and the highest size in lots; 0 for one that is no whole number of them."""
        highest = 2**24 - 1 if self.max_price is None else to_units(self.max_price, self.tick_size, "max_price")
        lots: int | None = tiers[-1][0]
        if self.max_size is not None:
            lots = to_units(self.max_size, self.lot_size, "max_size")
        elif self.basis in ("notional", "entry"):
            raise InputError(f"{self.name}: tiers that measure money do not bound contracts; say max_size")
        return highest or 0, lots or 0

    def _prices(self) -> ModelTerms | None:
        if self.prices is None:
            return None
        if not isinstance(self.prices, PriceModel):
            raise InputError(f"{self.name}: prices is a PriceModel or None")
        impact: int | None = 1
        if self.prices.funding:
            step = self.lot_size if self.kind == "inverse" else self.unit
            impact = to_units(self.prices.funding.impact, step, "impact")
        return self.prices.compiled(impact or 0)

    def _limits(self) -> LimitTerms | None:
        if not isinstance(self.order_limits, OrderLimits | None):
            raise InputError(f"{self.name}: order_limits is an OrderLimits or None")
        return self.order_limits.compiled(self.lot_size, self.unit) if self.order_limits else None

    def _calls(self) -> CallTerms | None:
        if not isinstance(self.calls, Calls | None):
            raise InputError(f"{self.name}: calls is a Calls or None")
        return self.calls.compiled() if self.calls else None

    def _compile(self) -> Spec:
        if type(self.settle_decimals) is not int or not 0 <= self.settle_decimals <= 18:
            raise InputError(f"settle_decimals {shown(self.settle_decimals)} is not an int from 0 to 18")
        for what in ("default_leverage", "expiry_ns", "settle_window_ns", "tier_group"):
            if type(getattr(self, what)) is not int or getattr(self, what) < (what == "default_leverage"):
                raise InputError(f"{what} {shown(getattr(self, what))} is not a whole number, or too small")
        units, tiers, fees, curves = self._units(), self._tiers(), self._fees(), self._curves()
        highest, lots = self._bounds(tiers)
        spec = Spec(
            kind=_KINDS[self.kind], units=units, decimals=self.settle_decimals, max_price_ticks=highest, max_size_lots=lots,
            maker_fee_ppb=fees[0], taker_fee_ppb=fees[1], liquidation_fee_ppb=fees[2],
            default_leverage=min(self.default_leverage, tiers[0][2] // 100), basis=_BASES[self.basis],
            scheme=_SCHEMES[self.scheme], maintenance_curve=curves[0], initial_curve=curves[1], tiers=tiers,
            at_entry=int(self.maintenance_at == "entry"),
            fee_tiers=self._fee_tiers(), prices=self._prices(), expiry_ns=self.expiry_ns,
            settle_window_ns=self.settle_window_ns, tier_group=self.tier_group, larger_leg=_HEDGES[self.hedge],
            rates=self._rates(), own_fee=int(self._own_fee()), limits=self._limits(), calls=self._calls(),
        )  # fmt: skip
        spec.check(self.name)
        return spec


def check_groups(instruments: Iterable[Instrument]) -> None:
    """Checks tier groups as a whole. Raises InputError for a group that is too large, or has several lot sizes."""
    groups: dict[int, dict[str, Decimal]] = {}
    for each in instruments:
        if each.tier_group:
            groups.setdefault(each.tier_group, {})[each.name] = each.lot_size
    for lots in groups.values():
        if len(lots) > GROUP_MAX or len(set(lots.values())) > 1:
            raise InputError(f"{min(lots)}: a tier group is at most {GROUP_MAX} instruments, all of one lot size")
