"""An instrument in integers: the form that kernels take, the bounds within which nothing overflows, and its records.

Owns Spec, its validation and the words of ADD_INSTRUMENT (docs/reference/records.md). Never sees a decimal: `instrument` makes
specs from what people write. Checks everything that a kernel relies on, whoever made the spec.
"""

import struct
from dataclasses import dataclass, replace
from typing import Any

from solvent.schema.codes import InputError
from solvent.schema.layouts import RECORD_BYTES
from solvent.schema.limits import (
    DAY_NS,
    MESSAGES_MAX,
    MODEL_PRICE_TICKS,
    MONEY_MAX,
    NAME_BYTES,
    ORDERS_MAX,
    PREMIUM_BOUND,
    PREMIUMS_MAX,
    PRICE_TICKS_MAX,
    RATE,
    RECORDS_MAX,
    SIZE_LOTS_MAX,
    SOURCES_MAX,
    WINDOW_MAX,
)
from solvent.schema.terms import CallTerms, InstrumentTerms, LimitTerms, ModelTerms, names_of, plain_of, values_of
from solvent.schema.words import Basis, Component, Kind, Leg, Premium, Scheme, Weighting
from solvent.terms.calls import failures
from solvent.terms.names import readable

INVERSE_LOT_UNITS = 10**4
"""The least worth of one lot of an inverse contract at its highest price: a rounded value stays exact to 0.01 %."""
INDEX_SAMPLES = 2**15
"""Premiums of a period whose weights are indices: their sum fits in 64 bits."""
TIME_MAX = 2**62
ALPHA_LEAST = RATE // 1_000
"""The smallest weight of a moving average. No venue remembers more than about a thousand samples, and more are slow to catch
up.
"""


def highest_power_curve(decimals: int, value: int) -> int:
    """Returns the largest coefficient of notional**0.8 for which the rate's products fit in 128 bits up to a value in units.

    twin/contract/valuation.py has the formula.
    """
    digits = -(-decimals // 5)
    whole, shift = int(value * 10 ** (5 * digits - decimals)), 0
    while whole << 5 * (shift + 1) < 2**127:
        shift += 1
    return min(2**62, 2**127 // int(2 * value * 2**shift * 10**digits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec(InstrumentTerms):
    """Holds an instrument in the core's integers, with everything that a kernel relies on.

    units: linear and quanto: the worth of a tick and lot; inverse: the worth of a lot, times its price in ticks. Curves are
    over 10**18. at_entry: maintenance margin is computed from the value at entry, not at mark. tier_group: instruments of one
    group add up their nets for tiers; 0: none. larger_leg: a cross hedge pays margin only for its larger leg. own_fee: the
    liquidation fee is the liquidated account's own taker fee, by volume. rates: replace the tiers' own for positions of a side
    or up to a leverage; the first that fits applies. currency: the number of the settlement currency in an exchange. limits:
    on orders, None for none. calls: how calls end and what the band does, None for the usual.
    """

    def settled_in(self, currency: int) -> "Spec":
        """Returns the same spec for an exchange in which its settlement currency has this number."""
        return replace(self, currency=currency)

    @property
    def highest_value(self) -> int:
        """Returns the highest value of the highest size, in units."""
        return self.max_size_lots * self.units * (1 if self.kind == Kind.INVERSE else self.max_price_ticks)

    @property
    def adds_up(self) -> bool:
        """True if every tier leaves room for maintenance and liquidation fee, and both sides of a hedge are margined.

        In each tier maintenance rate plus liquidation fee is at most the initial rate. Only such contracts may settle in a
        currency that is collateral for another.
        """
        tables = [[row[1] for row in self.tiers], *(each for _, _, each in self.rates)]
        bounded = all(
            rate + self.liquidation_fee_ppb <= row[3] for each in tables for rate, row in zip(each, self.tiers, strict=True)
        )
        return bounded and not self.larger_leg

    def check(self, name: str) -> None:
        """Raises InputError for a spec that a kernel could not compute with. Each part relies on those before."""
        parts = self._failures, self._tier_failures, self._asked_failures, self._curve_failures, self._time_failures
        for part in (*parts, self._limit_failures, lambda: failures(self.calls, TIME_MAX)):
            for failure in part():
                raise InputError(f"{name}: {failure}")

    def _failures(self) -> list[str]:
        maker, taker, liquidation = self.maker_fee_ppb, self.taker_fee_ppb, self.liquidation_fee_ppb
        shortest = INVERSE_LOT_UNITS * self.max_price_ticks if self.kind == Kind.INVERSE else 1
        checks = {
            "kind, basis and scheme have numbers of their own": self.kind in list(Kind) and self.basis in list(Basis)
            and self.scheme in list(Scheme) and 0 <= self.decimals <= 18,
            "max_price is not a positive number of ticks": 1 <= self.max_price_ticks <= PRICE_TICKS_MAX,
            f"max_size is not a number of lots from 1 to {SIZE_LOTS_MAX}": 1 <= self.max_size_lots <= SIZE_LOTS_MAX,
            f"one lot at the highest price is below {INVERSE_LOT_UNITS} units of 10**-{self.decimals}; raise settle_decimals "
            "or lower max_price": self.units >= shortest,
            "the highest value of the highest size reaches 2**62 units": self.highest_value <= MONEY_MAX,
            "the maker rebate is more than the taker fee": maker + taker >= 0,
            "the maker fee is above the taker fee, which is what orders reserve": maker <= taker,
            "fees leave half of the value": max(maker, taker, liquidation) < RATE // 2 and min(taker, liquidation) >= 0,
            "who pays his own taker fee when liquidated pays at most the base one": not self.own_fee or taker == liquidation,
        }  # fmt: skip
        rows = [(0, maker, taker), *self.fee_tiers]
        checks["fee tiers rise in volume, fall in fees, and no rebate is more than any taker pays"] = all(
            low[0] < high[0] <= MONEY_MAX and low[1] >= high[1] and low[2] >= high[2] >= 0
            for low, high in zip(rows, rows[1:], strict=False)
        ) and rows[-1][1] + rows[-1][2] >= 0  # fmt: skip
        return [what for what, holds in checks.items() if not holds]

    def _tier_failures(self) -> list[str]:
        rows = self.tiers
        if not rows:
            return ["an instrument needs at least one tier"]
        pairs = list(zip(rows, rows[1:], strict=False))
        checks = {
            "a tier has a top, and 0 < maintenance <= initial <= 1 and leverage * initial <= 1": all(
                1 <= top <= MONEY_MAX and 0 < rate <= initial <= RATE and most >= 100 and most * initial <= 100 * RATE
                for top, rate, most, initial in rows
            ),
            "tiers must rise in size and rate and fall in leverage": all(
                low[0] < high[0] and low[1] <= high[1] and low[2] >= high[2] for low, high in pairs
            ),
            "other rates have one for each tier, above 0, rising, and none above its tier's initial rate": all(
                len(each) == len(rows) and each[0] > 0 and list(each) == sorted(each)
                and all(rate <= row[3] for rate, row in zip(each, rows, strict=True))
                and side in list(Leg) and 0 <= leverage <= RATE
                for side, leverage, each in self.rates
            ),
            "the default leverage is not one of the first tier": 1 <= self.default_leverage <= rows[0][2] // 100,
            "a tier group adds up nets: basis 'net' goes with it, and a number below 2**31": not self.tier_group
            or (self.basis == Basis.NET and 0 < self.tier_group < 2**31),
            "a deduction by the notional at mark has no meaning for maintenance of the entry value; use basis entry": not (
                self.at_entry and self.scheme == Scheme.DEDUCTION and self.basis == Basis.NOTIONAL
            ),
            "deductions of a netted size are not defined; use contracts or notional": not (
                self.scheme == Scheme.DEDUCTION and self.basis == Basis.NET
            ),
        }  # fmt: skip
        return [what for what, holds in checks.items() if not holds]

    def _asked_failures(self) -> list[str]:
        """Checks that rates and fees leave something of the value. Divides by initial rates."""
        left = all(each + self.liquidation_fee_ppb <= RATE for each in _highest(self))
        return [] if left else ["fees and maintenance rates must leave something of the value"]

    def _curve_failures(self) -> list[str]:
        curved = self.scheme in (Scheme.SLOPE, Scheme.POWER)
        highest = 0
        if self.scheme == Scheme.SLOPE:
            highest = min(MONEY_MAX, MONEY_MAX * RATE // self.max_size_lots)
        elif curved:
            highest = highest_power_curve(self.decimals, max(1, self.highest_value))
        checks = {
            "a curve starts from one tier": not curved or len(self.tiers) == 1,
            "at_entry, larger_leg and own_fee are 0 or 1": {self.at_entry, self.larger_leg, self.own_fee} <= {0, 1},
            f"a curve is a number of 10**-18 from 0 to {highest}": 0 <= self.initial_curve <= highest,
            "the maintenance curve is not from 0 to the initial one": 0 <= self.maintenance_curve <= self.initial_curve,
        }  # fmt: skip
        return [what for what, holds in checks.items() if not holds]

    def _time_failures(self) -> list[str]:
        checks = {
            "expiry_ns and settle_window_ns are from 0, the window not longer than till then": 0 <= self.settle_window_ns
            <= self.expiry_ns < TIME_MAX,
            "a dated contract settles at its index; it needs a price model": not self.expiry_ns or self.prices is not None,
        }  # fmt: skip
        if self.prices is not None:
            checks |= _model_checks(self.prices, self)
        return [what for what, holds in checks.items() if not holds]

    def _limit_failures(self) -> list[str]:
        m = self.limits
        if m is None:
            return []
        sizes = (
            (m.least_limit_lots, m.most_limit_lots), (m.least_market_lots, m.most_market_lots),
            (m.least_trigger_lots, m.most_trigger_lots),
        )  # fmt: skip
        checks = {
            "limits of orders limit something; without any there are none": m != LimitTerms(),
            "the least notional is a number of units from 0": 0 <= m.least_notional_units <= MONEY_MAX,
            "the least size of a type of orders is a number of lots, at most the greatest, which is at most max_size": all(
                0 <= least <= (most or self.max_size_lots) and 0 <= most <= self.max_size_lots for least, most in sizes
            ),
            f"an account's live orders are limited to a number from 1 to {ORDERS_MAX}": 0 <= m.most_orders <= ORDERS_MAX,
            f"messages are limited to a number from 1 to {MESSAGES_MAX} in a window of at most a day": m.rolling in (0, 1)
            and (1 <= m.rate_limit <= MESSAGES_MAX and 1 <= m.window_ns <= DAY_NS
                 or (m.rate_limit, m.window_ns, m.rolling) == (0, 0, 0)),
        }  # fmt: skip
        return [what for what, holds in checks.items() if not holds]

    # --- as records

    def words(self, currency: int) -> list[int]:
        """Returns the spec as whole numbers of 64 bits, from which from_records makes it again."""
        out = [currency, *(getattr(self, name) for name in _PLAIN)]
        out += [len(self.fee_tiers), *(number for fees in self.fee_tiers for number in fees)]
        out += [len(self.tiers), *(number for row in self.tiers for number in row)]
        out += [len(self.rates), *(number for side, most, each in self.rates for number in (side, most, *each))]
        out.append(int(self.prices is not None))
        for name in names_of(ModelTerms) if self.prices else ():
            value = getattr(self.prices, name)
            out += [len(value), *(number for pair in value for number in pair)] if name == "sources" else [value]
        if self.limits or self.calls:  # without them not a word: as before there were any
            out += [1, *values_of(self.limits)] if self.limits else [0]
        return out + [1, *values_of(self.calls)] if self.calls else out


_PLAIN = tuple(name for name in plain_of(InstrumentTerms) if name != "currency")


def _highest(spec: Spec) -> list[int]:
    """Returns the highest rates that tiers may charge; for scheme "factor" those at leverage 1."""
    tables = [[row[1] for row in spec.tiers], *(list(each) for _, _, each in spec.rates)]
    found = [(rate, row[3]) for each in tables for rate, row in zip(each, spec.tiers, strict=False)]
    return [-(-rate * RATE // initial) if spec.scheme == Scheme.FACTOR else rate for rate, initial in found]


def _model_checks(m: ModelTerms, spec: Spec) -> dict[str, bool]:
    lots = spec.units if spec.kind == Kind.INVERSE else 1
    return {
        f"a price model takes at most {MODEL_PRICE_TICKS} ticks as the highest price":
        spec.max_price_ticks <= MODEL_PRICE_TICKS,
        "components, window, alpha, band or sample_ns of the price model is out of bounds":
        0 < m.components < 2 * Component.BASIS_ANNUAL and 1 <= m.window <= WINDOW_MAX and ALPHA_LEAST <= m.alpha_ppb <= RATE
        and 0 <= m.band_ppb < RATE and 10**6 <= m.sample_ns <= DAY_NS,
        "an index has few constituents with weights from 1 to 2**20":
        len(m.sources) <= SOURCES_MAX and all(1 <= weight <= 2**20 and group in (0, 1) for weight, group in m.sources)
        and not (m.components & Component.EXTERNAL and not any(group for _, group in m.sources)),
        "an annualised basis needs an expiry": not m.components & Component.BASIS_ANNUAL or spec.expiry_ns > 0,
        "stale_ns, outlier, wild, least or method of the index is out of bounds":
        1 <= m.stale_ns <= TIME_MAX and 0 < m.outlier_ppb <= RATE and m.clips in (0, 1)
        and 1 <= m.least <= max(1, len(m.sources)) and m.takes_median in (0, 1),
        "a funding interval is at least a second, at most a day, and at least one sample":
        not m.interval_ns or (max(10**9, m.sample_ns) <= m.interval_ns <= DAY_NS and 0 <= m.cutoff_ns < m.interval_ns),
        "terms of the funding rate are out of bounds":
        m.premium in list(Premium) and m.weighting in list(Weighting) and m.delayed in (0, 1)
        and -RATE <= m.interest_ppb <= RATE and -RATE <= m.lowest_ppb <= m.highest_ppb <= RATE and 0 <= m.cap_ppb < RATE
        and min(m.share_up, m.share_down) >= 1 and max(m.share_up, m.share_down) <= 10**6 and m.at_index in (0, 1),
        "a trailing mean is of few samples of equal weight":
        0 <= m.trailing <= PREMIUMS_MAX and not (m.trailing and m.weighting),
        f"premiums weighted by the index have no bound, and are at most {INDEX_SAMPLES} a period":
        m.weighting != Weighting.INDEX_WEIGHTS or (m.bound_ppb == RATE and m.interval_ns < (INDEX_SAMPLES + 1) * m.sample_ns),
        f"a premium is bounded by {PREMIUM_BOUND} times the index, or less": 0 < m.bound_ppb <= PREMIUM_BOUND * RATE,
        "what accrued funding asks, fees and maintenance rates must leave something of the value": 0 <= m.margin_ppb <= RATE
        and m.margin_ppb * m.cap_ppb // RATE + spec.liquidation_fee_ppb + max(_highest(spec)) <= RATE,
        "the impact amount is not a positive number of units (inverse: of lots)": 1 <= m.impact <= MONEY_MAX // lots,
    }  # fmt: skip


def to_records(name: str, spec: Spec, currency: int) -> bytes:
    """Returns the records that follow the header of an ADD_INSTRUMENT: the name, and the words.

    Raises InputError if they are too many.
    """
    words = spec.words(currency)
    data = name.encode().ljust(NAME_BYTES, b"\0") + struct.pack(f"<{len(words)}q", *words)
    data += bytes(-len(data) % RECORD_BYTES)
    if len(data) // RECORD_BYTES >= RECORDS_MAX:
        raise InputError(f"{name}: its tiers take more than {RECORDS_MAX} records")
    return data


def _model_of(numbers: list[int]) -> ModelTerms:
    """Takes the words of a price model from the front of `numbers`. Raises IndexError if they are too few."""
    found: dict[str, Any] = {}
    for name in names_of(ModelTerms):
        first = numbers.pop(0)
        found[name] = first
        if name == "sources":
            found[name] = tuple((numbers.pop(0), numbers.pop(0)) for _ in range(min(first, len(numbers))))
    return ModelTerms(**found)


def from_records(data: bytes) -> tuple[bytes, int, Spec] | None:
    """Returns (name, currency, spec) from the records after the header, or None if to_records would not have written them."""
    name, body = data[:NAME_BYTES].rstrip(b"\0"), data[NAME_BYTES:]
    if not readable(name):
        return None
    numbers = list(struct.unpack(f"<{len(body) // 8}q", body))
    try:
        currency, *plain = (numbers.pop(0) for _ in ("currency", *_PLAIN))
        fee_tiers, tiers = (
            tuple(tuple(numbers.pop(0) for _ in range(width)) for _ in range(min(numbers.pop(0), len(numbers))))
            for width in (3, 4)
        )
        width = len(tiers)
        rates = tuple(
            (numbers.pop(0), numbers.pop(0), tuple(numbers.pop(0) for _ in range(width)))
            for _ in range(min(numbers.pop(0), len(numbers)))
        )
        prices = _model_of(numbers) if numbers.pop(0) else None
        limits = calls = None
        if numbers and numbers.pop(0):
            limits = LimitTerms(**{name: numbers.pop(0) for name in names_of(LimitTerms)})
        if numbers and numbers.pop(0):
            calls = CallTerms(**{name: numbers.pop(0) for name in names_of(CallTerms)})
        rows: dict[str, Any] = {"fee_tiers": fee_tiers, "tiers": tiers, "rates": rates, "prices": prices}
        rows |= {"limits": limits, "calls": calls}
        spec = Spec(**dict(zip(_PLAIN, plain, strict=True)), **rows)
        spec.check("")
        written = to_records(name.decode(), spec, currency)
    except (IndexError, InputError):
        return None
    return (name, currency, spec) if written == data else None
