"""A liquidation fee that is the taker fee of who is liquidated, by his volume (OKX: liquidation rules, 1.7)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, EventType, InputError, Instrument, Rates, Tier, rules
from solvent.limits import DAY_NS
from solvent.records import CommandType, Posting, command

X = "X"
BASE, LOWER = "0.02", "0.005"  # taker fees: of everybody, and of who has traded 20,000
TERMS = {"contract_size": 1, "tick": "0.01", "max_price": 5_000, "maker_fee": 0, "taker_fee": BASE}
OKX = Instrument(X, **TERMS, liquidation_fee="own", fee_tiers=[(20_000, 0, LOWER)], tiers=[Tier(1_000, "0.05", "0.1")])
SAME = rules.find("okx_consistent")


def market(make, instrument=OKX, **terms):
    """a has traded 20,000 on day 0, b next to nothing; it is day 1, and both are long 10 at 1,000."""
    ex = make([instrument], rules=SAME, **terms)
    for name in ("a", "b", "m", "n"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 1_000)
    buy(ex, "a", 20)
    buy(ex, "a", -20)
    ex.advance(DAY_NS)
    return ex


def buy(ex, who, size, mode=None):
    if mode:
        ex.set_leverage(who, X, 10, mode=mode)
    ex.order("m", X, "sell" if size > 0 else "buy", abs(size), price=1_000).ok()
    assert ex.order(who, X, "buy" if size > 0 else "sell", abs(size), price=1_000, tif="ioc").filled == abs(size)


def first_tick_below(rate):
    """1,000 of margin and 10 contracts from 1,000: 10 x - 9,000 < 10 x (.05 + rate)."""
    at = Decimal(9_000) / (Decimal("9.5") - 10 * Decimal(rate))
    return at.quantize(Decimal("0.01"), rounding="ROUND_UP") - Decimal("0.01")


@pytest.mark.parametrize("who,rate", [("a", LOWER), ("b", BASE)])
def test_the_threshold_asks_for_the_own_fee(make, who, rate):
    """At the tick before its liquidation price nothing happens, there it does; explain says the rate."""
    ex = market(make)
    buy(ex, who, 10, "isolated")
    price = first_tick_below(rate)
    assert ex.position(who, X).liquidation_price == price
    assert ex.explain(who).domains[0].rates == ((Decimal("0.05") + Decimal(rate),) * 2,)
    ex.mark(X, price + Decimal("0.01"))
    assert ex.position(who, X).size == 10
    ex.mark(X, price)
    assert ex.position(who, X).size == 0


def test_a_cross_account_is_asked_its_own_fee_too(make):
    ex = market(make)
    for who, rate in (("a", LOWER), ("b", BASE)):
        ex.withdraw(who, "USDT", ex.account(who).withdrawable - 3_000)
        buy(ex, who, 10, "cross")
        domain = ex.explain(who).domains[0]
        assert domain.own == 10_000 * (Decimal("0.05") + Decimal(rate))


@pytest.mark.parametrize("how", ["advance", "a refused command", "a deposit"])
def test_a_rate_that_rises_at_midnight_liquidates(make, how):
    """The volume of day 0 leaves the thirty days at the turn of day 31: the mark stands where it stood."""
    ex = market(make)
    buy(ex, "a", 10, "isolated")
    between = (first_tick_below(LOWER) + first_tick_below(BASE)) / 2
    ex.advance(31 * DAY_NS - 1)
    ex.mark(X, between.quantize(Decimal("0.01")))
    assert ex.position("a", X).size == 10
    if how == "advance":
        ex.advance(31 * DAY_NS)
    elif how == "a refused command":
        record = command(CommandType.CANCEL, time_ns=31 * DAY_NS, account=ex.open_account("z"), order_id=99)
        assert ex._kernel.apply(record) == Code.UNKNOWN_ORDER
    else:
        ex.advance(31 * DAY_NS)
        ex.deposit("b", "USDT", 1)
    assert ex.position("a", X).size == 0


def test_a_rate_that_falls_at_midnight_saves(make):
    """b trades 20,000 on day 1; at a mark that would have taken it that day it stands on day 2."""
    for day, size in ((1, 0), (2, 10)):
        ex = market(make)
        buy(ex, "b", 20)
        buy(ex, "b", -10)
        buy(ex, "b", -10)
        buy(ex, "b", 10, "isolated")
        ex.advance(day * DAY_NS)
        ex.mark(X, first_tick_below(BASE))
        assert ex.position("b", X).size == size


@pytest.mark.parametrize("who,rate", [("a", LOWER), ("b", BASE)])
def test_a_step_down_pays_the_own_fee(make, who, rate):
    """A position of tier 3 is sold back to tier 1 in the book: the fee of what traded is its owner's rate of it."""
    table = [Tier(4, "0.01", "0.1"), Tier(6, "0.03", "0.1"), Tier(100, "0.05", "0.1")]
    ex = market(make, replace(OKX, tiers=table))
    buy(ex, who, 10, "isolated")
    price = first_tick_below(rate)
    ex.order("n", X, "buy", 100, price=price).ok()
    start = ex._kernel.next_seq
    ex.mark(X, price)
    assert ex.position(who, X).size == 4
    fees = [e.amount_units for e in ex._slice(start, ex._kernel.next_seq)
            if e.type == EventType.LEDGER and e.posting == Posting.LIQUIDATION_FEE]  # fmt: skip
    assert sum(fees) == 6 * price * Decimal(rate) * 10**6


def test_orders_that_count_ask_at_the_own_fee(make):
    """Where resting orders count by notional, one of a flat position asks its owner's rate from its first command on."""
    ex = make([OKX], rules=replace(SAME, orders="notional"))
    for name in ("a", "m"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 1_000)
    buy(ex, "a", 20)
    buy(ex, "a", -20)
    ex.advance(DAY_NS)
    ex.deposit("m", "USDT", 1)
    ex.add_instrument(replace(OKX, name="Y"))
    ex.mark("Y", 1_000)
    buy(ex, "a", 1)
    ex.order("a", "Y", "buy", 10, price=1_000).ok()
    expected = 11_000 * (Decimal("0.05") + Decimal(LOWER))
    assert ex.explain("a").domains[0].own == expected


def test_without_fee_tiers_it_is_the_taker_fee(make):
    ex = market(make, replace(OKX, fee_tiers=()))
    buy(ex, "a", 10, "isolated")
    assert ex.position("a", X).liquidation_price == first_tick_below(BASE)


def test_what_it_cannot_be():
    """An instrument as records whose liquidation fee is not the base taker fee and yet its owner's; a word that is none."""
    with pytest.raises(InputError, match="own taker fee"):
        replace(OKX.spec, liquidation_fee_ppb=1).check("X")
    with pytest.raises(InputError):
        replace(OKX, liquidation_fee="his")
    with pytest.raises(InputError):
        replace(OKX, rates=[Rates(["0.99"])])
