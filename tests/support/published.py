"""The vocabulary of published examples: one position where an example has it, and what is held against a printed number.

A case's id is the id of its page of liquidation rules, or the venue where it has none; O6, O7, B8 and Y11 have no row there,
their numbers are freqtrade's. Every price is held to three things: the closed form of section 0 in exact fractions rounds to
the printed digits; the engine agrees with the closed form within one tick (it answers whole ticks, and its money is whole
units, rounded against the trader); and the market agrees with the engine: one tick before the liquidation price nothing
happens, at it the position goes.

A takeover is of all of a position, so a published half (D3, D4) is half of the takeover's. Gate prints formulas only, those
of section 0. Not tested: fund, queues and execution (O3, B9, Y9, M1, M2, M4, K3, section 8.3, D24, D25, V1, V2's shares, V6 to
V8, all of Drift). Rule 1.12 is in behaviour/venue/test_funding.py.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from solvent import EventType, Instrument, Tier
from solvent.records import Ending, Verdict
from solvent.rules import find

X = "X"
BARE = replace(
    find("seed"), name="published", source="liquidation rules, section 0: the trigger's rate is mmr", step_tiers=1_000,
    fee_isolated_low=False, fee_cross_low=False, price_band_ppb=10**9 - 1,
)  # fmt: skip
"""Every tier is a low one, so that the threshold is its own rate; and no band between an example's prices."""
WITH_FEE = replace(BARE, source="liquidation rules, section 0: mmr + f", fee_isolated_low=True, fee_cross_low=True)


def flat(size, mmr: str, leverage: int) -> tuple[Tier, ...]:
    """One tier that allows this leverage."""
    return (Tier(size, mmr, Decimal(10**9 // leverage).scaleb(-9), leverage),)


def deducting(mmr: str, deduction: str, top) -> tuple[Tier, ...]:
    """A tier with a printed rate and deduction. The one below it is ours: at half the rate, and as high as that asks."""
    half = Decimal(mmr) / 2
    return Tier(Decimal(deduction) / half, half, mmr), Tier(top, mmr, mmr, deduction=deduction)


def closed_form(row: "Row", rate: str | Decimal, margin: Fraction | None = None) -> Fraction:
    """Section 0: the price at which margin + deduction + profit is `rate` of the value; a deduction only with a rate."""
    margin = (row.held if margin is None else margin) + (Fraction(row.deduction) if Fraction(rate) else 0)
    q, entry, s, r = Fraction(row.c) * Fraction(row.size), Fraction(row.entry), row.side, Fraction(rate)
    if row.kind == "inverse":
        return q * (1 + s * r) / (q / entry + s * margin)
    return (q * entry - s * margin) / (q * (1 - s * r))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One position of an example. margin: isolated margin, or the cross account's balance; None: value / leverage."""

    id: str
    source: str
    kind: str = "linear"
    c: str = "1"
    tick: str
    decimals: int
    lot: str | None = None
    side: int = 1
    size: str
    entry: str
    leverage: int
    margin: str | None = None
    mode: str = "isolated"
    mmr: str = "0.001"
    fee: str = "0"
    deduction: str = "0"
    tiers: tuple[Tier, ...] | None = None
    liquidation: str | None = None
    bankruptcy: str | None = None
    closing: str | None = None  # the bankruptcy price that also pays the fee of closing there
    off: str | None = None  # how far the print may be from the exact number; else half of its last digit

    @property
    def held(self) -> Fraction:
        """The margin, exactly."""
        if self.margin is not None:
            return Fraction(self.margin)
        worth = Fraction(self.c) * Fraction(self.size)
        return (worth / Fraction(self.entry) if self.kind == "inverse" else worth * Fraction(self.entry)) / self.leverage

    @property
    def step(self) -> Fraction:
        return Fraction(self.tick)

    def instrument(self, name: str = X) -> Instrument:
        """Fees only where a number has one: what a taker pays for closing, and what a threshold counts."""
        by_value = self.tiers is not None
        return Instrument(
            name, kind=self.kind, settle="COIN", contract_size=self.c, tick=self.tick, lot=self.lot or self.size,
            settle_decimals=self.decimals, tiers=self.tiers or flat(self.size, self.mmr, self.leverage),
            basis="notional" if by_value else "contracts", scheme="deduction" if by_value else "whole", maker_fee=0,
            taker_fee=self.fee if self.closing else 0, liquidation_fee=self.fee, max_size=self.size,
            max_price=(3 * Decimal(self.entry)).quantize(Decimal(self.tick)),
        )  # fmt: skip


def agree(exact: Fraction, printed: str, off: str | None = None) -> None:
    """A printed number is the exact one, rounded to the digits it has."""
    digits = Decimal(printed).as_tuple().exponent
    assert abs(exact - Fraction(printed)) <= (Fraction(off) if off else Fraction(10) ** digits / 2), (str(exact), printed)


def begin(make, instruments, rules=BARE):
    """An exchange with a rich account that takes the other side of everything, at any leverage."""
    ex = make(instruments, rules=rules)
    ex.deposit("rich", instruments[0].settle, 2**60 * instruments[0].unit)
    ex.deposit("poor", instruments[0].settle, 2**60 * instruments[0].unit)
    return ex


def trade(ex, name, side: int, size, price, leverage: int, mode: str, leg=None) -> None:
    """Poor's order waits and rich takes it, so that poor pays the maker fee: none."""
    ex.mark(name, price)
    ex.set_leverage("rich", name, 1, mode="cross")
    ex.set_leverage("poor", name, leverage, mode=mode, leg=leg)
    sides = ("buy", "sell") if side > 0 else ("sell", "buy")
    ex.order("poor", name, sides[0], size, price=price, leg=leg).ok()
    assert ex.order("rich", name, sides[1], size, price=price).filled == Decimal(size)


def balance(ex, cash) -> None:
    """Leaves poor with this much in the wallet."""
    wallet = ex.account("poor")
    ex.withdraw("poor", next(iter(wallet.wallets)), wallet.cash - Decimal(cash))


def placed(make, row: Row, rules=BARE):
    """The exchange with the row's position, on exactly its margin."""
    ex = begin(make, [row.instrument()], rules)
    trade(ex, X, row.side, row.size, row.entry, row.leverage, row.mode)
    if row.mode == "cross":
        balance(ex, row.margin)
    elif row.margin and Decimal(row.margin) != ex.position("poor", X).margin:
        ex.move_margin("poor", X, Decimal(row.margin) - ex.position("poor", X).margin)
    return ex


def of(events, kind) -> list:
    return [e for e in events if e.type == kind]


def fires(ex, name: str, price: Decimal, side: int) -> list:
    """One tick before a liquidation price nothing happens; at it the position goes. The events of that."""
    step = next(each.tick_size for each in ex.instruments if each.name == name)
    assert not of(ex.mark(name, price + side * step).events, EventType.LIQUIDATION)
    events = ex.mark(name, price).events
    [found] = of(events, EventType.LIQUIDATION)
    assert found.account == ex.account("poor").account_id and found.verdict == Verdict.FULL
    return events


def to_tick(exact: Fraction, row: Row) -> Fraction:
    """The tick on the venue's safe side: a long's bankruptcy price up, a short's down."""
    ticks = exact / row.step
    return (-(-ticks.numerator // ticks.denominator) if row.side > 0 else ticks.numerator // ticks.denominator) * row.step


def check_liquidation(make, row: Row, fee: str = "0") -> None:
    rate = Decimal(row.mmr) + Decimal(fee)
    exact = closed_form(row, rate)
    agree(exact, row.liquidation, row.off)
    ex = placed(make, row, WITH_FEE if Decimal(fee) else BARE)
    p = ex.position("poor", X)
    assert p.mode == row.mode and p.profit_side_liquidation_price is None
    assert abs(Fraction(p.liquidation_price) - exact) <= row.step
    [taken] = of(fires(ex, X, p.liquidation_price, row.side), EventType.TAKEOVER)
    assert taken.size_lots == p.size_lots
    assert abs(taken.bankruptcy_ticks * row.step - closed_form(row, "0")) <= row.step


FREQTRADE = "freqtrade, tests/exchange/test_exchange.py"
INVERSE = {"kind": "inverse", "tick": "0.0001"}

FREE = {"settle": "COIN", "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}


# --- Requirements


@dataclass(frozen=True, kw_only=True)
class Need:
    """One position at one mark, and what it asks."""

    id: str
    source: str
    terms: dict
    size: str
    price: str
    leverage: int
    off: str | None = None
    want: dict[str, str]  # a field of the view, or of `measured`


def measured(p, price) -> dict[str, Fraction]:
    value, maintenance, initial = (Fraction(each) for each in (p.value, p.maintenance, p.initial))
    return {
        "value": value, "maintenance": maintenance, "initial": initial, "maintenance rate": maintenance / value,
        "initial rate": initial / value, "coins of maintenance": maintenance / Fraction(price),
        "coins of initial": initial / Fraction(price),
    }  # fmt: skip


def inverse(size: str, mmr: str, leverage: int, decimals: int = 9) -> dict:
    """Contracts of one dollar, and one tier."""
    return {"kind": "inverse", "contract_size": 1, "lot": size, "tick": 1, "settle_decimals": decimals,
            "tiers": flat(size, mmr, leverage), "max_price": 10**5}  # fmt: skip


def linear(size, mmr: str, leverage: int, decimals: int = 6, tick="0.1", **more) -> dict:
    return {"contract_size": 1, "lot": size, "tick": tick, "settle_decimals": decimals, "tiers": flat(size, mmr, leverage),
            "max_price": 10**6} | more  # fmt: skip


def sloped(size: str, maintenance: str, initial: str, curve: str) -> dict:
    """Deribit: both rates rise by the same a contract."""
    return {"contract_size": 1, "lot": size, "tick": 1, "settle_decimals": 6, "tiers": (Tier(size, maintenance, initial),),
            "scheme": "slope", "maintenance_curve": curve, "initial_curve": curve, "max_price": 10**6}  # fmt: skip


def powered(size: str, base: str, initial: str, factor: str) -> dict:
    """Orderly: the rate is max(base, base / initial * factor * notional**0.8)."""
    share = Fraction(base) / Fraction(initial) * Fraction(factor)
    curve = Decimal(share.numerator) / share.denominator
    return {"contract_size": 1, "lot": size, "tick": "0.01", "settle_decimals": 6, "tiers": (Tier(size, base, initial),),
            "scheme": "power", "maintenance_curve": curve, "initial_curve": factor, "max_price": 10**6}  # fmt: skip


SECOND = 10**9


def held_at_entry(kind: str, entry: str, mmr: str, leverage: int, tick: str | None = None) -> Instrument:
    inverse = kind == "inverse"
    size = 6_000 if inverse else 1
    tick = tick or ("0.0001" if inverse else "0.00001")
    return Instrument(
        X, kind=kind, settle="COIN", contract_size=1, tick=tick, lot=size, max_size=size,
        settle_decimals=10 if inverse else 9, tiers=flat(size, mmr, leverage), maintenance_at="entry", maker_fee=0,
        taker_fee=0, liquidation_fee=0, max_price=3 * Decimal(entry),
    )  # fmt: skip


def exact_at_entry(kind: str, entry: str, leverage: int, mmr: str, side: int) -> Decimal:
    """Margin and profit are what was asked at entry: E * (1 -+ (1/L - mmr)), or of an inverse contract E over it."""
    share = 1 + side * (1 / Decimal(leverage) - Decimal(mmr)) * (1 if kind == "inverse" else -1)
    return Decimal(entry) / share if kind == "inverse" else Decimal(entry) * share


def check_bankruptcy(make, row):
    """The price that leaves nothing of the margin, to the tick on the safe side; and the house takes the position there."""
    exact = closed_form(row, "0")
    agree(exact, row.bankruptcy, row.off)
    ex = placed(make, row)
    p = ex.position("poor", X)
    # Linear money is exact. An inverse value is rounded to a unit, which may carry a price over the next tick.
    assert abs(Fraction(p.bankruptcy_price) - to_tick(exact, row)) <= (row.step if row.kind == "inverse" else 0)
    [taken] = of(fires(ex, X, p.liquidation_price, row.side), EventType.TAKEOVER)
    assert taken.bankruptcy_ticks * row.step == p.bankruptcy_price


def check_closing(make, row):
    """No view shows it: it is how far an order against the position trades. A tick beyond it nothing is filled."""
    exact = closed_form(row, row.fee)
    agree(exact, row.closing, row.off)
    ex = placed(make, replace(row, lot=row.lot or str(Decimal(row.size) / 10)))
    first = Decimal(to_tick(exact, row).numerator) / to_tick(exact, row).denominator
    sides, step = ("buy", "sell") if row.side > 0 else ("sell", "buy"), row.side * Decimal(row.tick)
    part = Decimal(row.size) / 10
    for price, size in ((first + step, part), (first - step, Decimal(row.size) - part)):
        ex.order("rich", X, sides[0], size, price=price).ok()
    ack = ex.order("poor", X, sides[1], row.size, price=first - step)
    assert ack.filled == part
    assert [e.ending for e in of(ack.events, EventType.DONE) if e.order_id == ack.order_id] == [Ending.BANKRUPTCY_LIMIT]


def check_requirement(make, need):
    """Cross and rich, so that nothing but the contract decides. Printed digits, each number rounded as printed."""
    ex = begin(make, [Instrument(X, **FREE, **need.terms)])
    size = Decimal(need.size)
    trade(ex, X, 1 if size > 0 else -1, abs(size), need.price, need.leverage, "cross")
    found = measured(ex.position("poor", X), need.price)
    for what, printed in need.want.items():
        agree(found[what], printed, need.off)


def entry_id(row) -> str:
    return f"{row[0]}-{'long' if row[6] > 0 else 'short'}"


def check_at_entry(make, row):
    _, _, kind, entry, leverage, mmr, side, printed, off = row
    price = exact_at_entry(kind, entry, leverage, mmr, side)
    agree(Fraction(price), printed, off)
    traded = held_at_entry(kind, entry, mmr, leverage)
    ex = begin(make, [traded])
    trade(ex, X, side, traded.max_size, entry, leverage, "isolated")
    p = ex.position("poor", X)
    assert abs(p.liquidation_price - price) <= traded.tick_size
    assert p.maintenance == -(-abs(p.cost_units) * int(Decimal(mmr) * 10**9) // 10**9) * traded.unit
    ex.mark(X, p.liquidation_price + side * traded.tick_size)
    assert ex.position("poor", X).maintenance == p.maintenance  # whatever the mark
    fires(ex, X, p.liquidation_price, side)
