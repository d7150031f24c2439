"""Hyperliquid's 62 liquidations of 2023, reconstructed from its users' fills, and played on an engine with its margin rates.

A record says when, who, the notional at mark and the account value. The fills before it tell the positions, the fills at that
time how they were closed. Fills are printed with six digits, cut off below. The recorded data is not in the project; every
test skips where it is absent. docs/explanation/liquidation-evidence.md says what comes out.
"""

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest

from solvent import EventType, Instrument, Tier
from solvent.records import Verdict
from support.places import DATA
from support.published import BARE

RATE = Fraction(1, 100)  # of maintenance: half the initial margin at 50x, the most that this venue gave then
DIGITS = 6
UNITS = 11  # decimals of the currency: no product of a size and a price is rounded


def rows(name: str) -> list[dict]:
    path = DATA / "liquidations" / f"hyperliquid_2023_{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"the recorded data {path.name} is not here; it may not be redistributed")
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Liquidation:
    """positions: signed sizes by coin before it. fills: (coin, buys, price, size, value of the last printed digit)."""

    time: str
    user: str
    cross: bool
    notional: Fraction
    value: Fraction
    positions: dict[str, Fraction]
    fills: tuple[tuple[str, bool, Fraction, Fraction, Fraction], ...]

    @property
    def below(self) -> bool:
        """The account value is below what maintenance asks: strictly, as the venue says."""
        return self.value < RATE * self.notional

    @property
    def whole(self) -> bool:
        """Each fill closes all of a position; in a cross account all positions are closed."""
        sizes = {coin: -size if buys else size for coin, buys, _, size, _ in self.fills}
        held = {coin: self.positions.get(coin) for coin in sizes}
        return bool(sizes) and sizes == held and (not self.cross or sizes.keys() == self.positions.keys())

    def notional_of(self, fill) -> Fraction:
        """What a fill says about its position's notional, if it was closed where its share of the account value is gone."""
        _, buys, price, size, _ = fill
        return price * size / (1 - (-1 if buys else 1) * self.value / self.notional)

    @property
    def at_zero(self) -> bool:
        """The fills are at bankruptcy prices, cut to the printed digits, and the notionals that they tell add up."""
        less = self.notional - sum(self.notional_of(fill) for fill in self.fills)
        digits = sum(size * digit / (1 - self.value / self.notional) for *_, size, digit in self.fills)
        return 0 <= less <= digits * Fraction(102, 100)

    @property
    def explained(self) -> bool:
        return self.below and self.whole and self.at_zero


def last_digit(price: str) -> Fraction:
    """The value of the last digit of a printed price, its zeros included: the sixth digit, at most the sixth decimal."""
    return Fraction(10) ** max(-DIGITS, Decimal(price).adjusted() - DIGITS + 1)


@cache
def all_of_them() -> tuple[Liquidation, ...]:
    fills, found = rows("non_mm_trades"), []
    for each in rows("liquidations"):
        positions: defaultdict[str, Fraction] = defaultdict(Fraction)
        mine = [fill for fill in fills if fill["user"] == each["user"]]
        for fill in mine:
            if fill["time"] < each["time"]:
                positions[fill["coin"]] += Fraction(fill["sz"]) * (1 if fill["side"] == "Bid" else -1)
        at_once = tuple(
            (fill["coin"], fill["side"] == "Bid", Fraction(fill["px"]), Fraction(fill["sz"]), last_digit(fill["px"]))
            for fill in mine if fill["time"] == each["time"]
        )  # fmt: skip
        found.append(Liquidation(
            each["time"], each["user"], each["leverage_type"] == "Cross", Fraction(each["liquidated_ntl_pos"]),
            Fraction(each["liquidated_account_value"]), {coin: size for coin, size in positions.items() if size}, at_once,
        ))  # fmt: skip
    return tuple(found)


def test_how_many_the_rules_explain():
    """The figures of the page, and what is left: the isolated positions of two users, on more than maintenance asks."""
    found = all_of_them()
    left = [each for each in found if not each.explained]
    assert (len(found), sum(each.cross for each in found)) == (62, 54)
    assert [sum(getattr(each, name) for each in found) for name in ("below", "whole", "at_zero", "explained")] == FIGURES
    assert {(each.user, each.cross) for each in left} == {("9", False), ("17", False)} and not any(each.below for each in left)
    assert sum(len(each.fills) > 1 for each in found if each.explained) == 5, "accounts with several positions"
    assert sum(3 * each.value < 2 * RATE * each.notional for each in found) == 7, "today's vault would take these"


FIGURES = [58, 62, 60, 58]


@pytest.mark.parametrize("number", range(62))
def test_the_engine_does_the_same(strict_exchange, number):
    """The positions, at marks that give the notional, with the account value as equity: taken over whole, at the price of the
    fill. On a unit more than maintenance asks nothing happens."""
    each = all_of_them()[number]
    if not each.explained:
        pytest.skip("on more than maintenance asks: isolated, and no fill tells its own margin")
    for equity, taken in ((each.value, True), (RATE * each.notional, False)):
        ex, marks = market(strict_exchange, each, equity)
        events = [e for coin, mark in marks.items() for e in ex.mark(coin, mark).events]
        verdicts = [e for e in events if e.type == EventType.LIQUIDATION]
        assert bool(verdicts) is taken
        if taken:
            assert verdicts[0].verdict == Verdict.FULL
            prices = {ex.instruments[e.instrument].name: e for e in events if e.type == EventType.TAKEOVER}
            for coin, _, price, size, digit in each.fills:
                cost = abs(Fraction(prices[coin].cost_units, 10**UNITS)) / size
                alone = len(each.fills) == 1  # else the marks are those that the cut prices tell
                assert (0 if alone else -digit) <= cost - price <= digit * Fraction(102, 100)
            assert ex.account("user").equity == 0


def market(make, each: Liquidation, equity: Fraction):
    """The user's positions, opened a tenth before, in a cross account; the marks at which so much equity is left."""
    marks, terms = {}, []
    for fill in each.fills:
        coin, _, price, size, _ = fill
        exact = (each.notional if len(each.fills) == 1 else each.notional_of(fill)) / size
        marks[coin] = Decimal(round(exact * 10**6)).scaleb(-6)
        terms.append(Instrument(
            coin, contract_size="0.00001", tick="0.000001", max_price=int(2 * marks[coin]) + 1, settle_decimals=UNITS,
            max_size=int(size * 10**5), tiers=[Tier(int(size * 10**5), "0.01", "0.02")], maker_fee=0, taker_fee=0,
            liquidation_fee=0,
        ))  # fmt: skip
    rules = replace(BARE, name="hyperliquid 2023", source="maintenance is half of the initial margin at the most leverage")
    ex = make(terms, rules=rules)
    ex.deposit("other", "USDT", 10**5)
    sizes = {coin: (-size if buys else size) for coin, buys, _, size, _ in each.fills}
    begun = {coin: marks[coin] * (Decimal("1.1") if size > 0 else Decimal("0.9")) for coin, size in sizes.items()}
    begun = {coin: Decimal(round(price * 10**6)).scaleb(-6) for coin, price in begun.items()}
    profit = sum(size * (Fraction(marks[coin]) - Fraction(begun[coin])) for coin, size in sizes.items())
    notional = sum(abs(size) * Fraction(marks[coin]) for coin, size in sizes.items())
    wanted = equity if equity == each.value else -(-RATE * notional * 10**UNITS // 1) / Fraction(10**UNITS)
    cash = wanted - profit
    assert 10**UNITS % cash.denominator == 0
    ex.deposit("user", "USDT", Decimal(cash.numerator * (10**UNITS // cash.denominator)).scaleb(-UNITS))
    for coin, size in sizes.items():
        ex.mark(coin, begun[coin])
        ex.set_leverage("user", coin, 50)
        lots = int(abs(size) * 10**5)
        ex.order("other", coin, "sell" if size > 0 else "buy", lots, price=begun[coin]).ok()
        assert ex.order("user", coin, "buy" if size > 0 else "sell", lots, price=begun[coin]).ok().filled == lots
    return ex, marks
