"""Contracts: what is traded, in which steps, at which fees and tiers. Immutable and validated."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from functools import cached_property

from solvent.codes import InputError
from solvent.limits import MONEY_MAX, PRICE_TICKS_MAX, RATE
from solvent.money import Dec, decimal, to_units
from solvent.tiers import Tier, compile_tiers, okex_btc_2019, rate_ppb


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """An instrument in the core's integers."""

    units_per_tick_lot: int
    max_price_ticks: int
    max_size_lots: int
    maker_fee_ppb: int
    taker_fee_ppb: int
    liquidation_fee_ppb: int
    default_leverage: int
    tiers: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Instrument:
    """A linear perpetual contract.

    name: as in commands and views. settle: the currency of margin and profit, counted in units of
    10**-settle_decimals. contract_size: base units per contract. tick: price step, in currency. lot: size
    step, in contracts. tiers: position tiers (default: OKEx BTC, September 2019). maker_fee, taker_fee,
    liquidation_fee: rates of a fill's value; a negative maker fee is a rebate, at most the taker fee; the
    liquidation fee defaults to the taker fee. max_price: highest legal price (default 2**24 - 1 ticks); the
    highest size is the last tier's. default_leverage: of accounts that never set one (they are cross), capped
    by the first tier.

    Raises InputError for anything that does not fit together: tick * contract_size * lot must be a whole
    number of units, and the highest price times the highest size must stay below 2**62 units.

    >>> Instrument("BTC-USDT-SWAP").spec.units_per_tick_lot
    1000
    """

    name: str
    _: KW_ONLY
    settle: str = "USDT"
    contract_size: Dec = "0.01"
    tick: Dec = "0.1"
    lot: Dec = 1
    tiers: Sequence[Tier] = field(default_factory=okex_btc_2019)
    maker_fee: Dec = "0.0002"
    taker_fee: Dec = "0.0005"
    liquidation_fee: Dec | None = None
    max_price: Dec | None = None
    default_leverage: int = 10
    settle_decimals: int = 6
    spec: Spec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for what in (self.name, self.settle):
            if not isinstance(what, str) or not what:
                raise InputError(f"an instrument and its currency need a name, not {what!r}")
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

    def _compile(self) -> Spec:
        if type(self.settle_decimals) is not int or not 0 <= self.settle_decimals <= 18:
            raise InputError(f"settle_decimals {self.settle_decimals!r} is not an int from 0 to 18")
        steps = [self.tick_size, self.lot_size, decimal(self.contract_size, "contract size")]
        if min(steps) <= 0:
            raise InputError("tick, lot and contract size are positive")
        units = to_units(steps[0] * steps[1] * steps[2], self.unit, "value of a tick and lot")
        if not units:
            raise InputError(
                f"{self.name}: one tick of one lot is {steps[0] * steps[1] * steps[2]} {self.settle}, not a whole "
                f"number of units of 10**-{self.settle_decimals}; raise settle_decimals"
            )
        tiers = compile_tiers(self.tiers, self.lot_size)
        highest = 2**24 - 1 if self.max_price is None else to_units(self.max_price, self.tick_size, "max_price")
        if highest is None or not 1 <= highest <= PRICE_TICKS_MAX:
            raise InputError(f"{self.name}: max_price {self.max_price} is not a positive number of ticks")
        if highest * tiers[-1][0] * units > MONEY_MAX:
            raise InputError(f"{self.name}: highest price times highest size reaches 2**62 units")
        fees = self._fees()
        if max(fees) >= 10**9 // 2 or any(rate + fees[2] > 10**9 for _, rate, _ in tiers):
            raise InputError(f"{self.name}: fees and maintenance rates must leave something of the value")
        if type(self.default_leverage) is not int or self.default_leverage < 1:
            raise InputError(f"default_leverage {self.default_leverage!r} is not a whole number from 1 up")
        return Spec(
            units_per_tick_lot=units,
            max_price_ticks=highest,
            max_size_lots=tiers[-1][0],
            maker_fee_ppb=fees[0],
            taker_fee_ppb=fees[1],
            liquidation_fee_ppb=fees[2],
            default_leverage=min(self.default_leverage, tiers[0][2]),
            tiers=tiers,
        )
