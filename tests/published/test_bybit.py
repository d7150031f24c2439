"""Bybit: bankruptcy and liquidation prices, initial margin, the fee of closing at bankruptcy (Y1 to Y11).

Some numbers are those that freqtrade and jesse hold their code to. Bybit fixes maintenance margin when a position is opened.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Instrument, Tier
from support.published import (
    BARE,
    FREE,
    INVERSE,
    Need,
    Row,
    X,
    agree,
    balance,
    begin,
    check_at_entry,
    check_bankruptcy,
    check_closing,
    check_requirement,
    entry_id,
    exact_at_entry,
    fires,
    flat,
    held_at_entry,
    inverse,
    trade,
)

BYBIT = "Bybit help, MCS and UTA pages"
BANKRUPT = [
    Row(**INVERSE, id="Y2", source=BYBIT, decimals=10, size="5000", entry="7890.08", leverage=50, bankruptcy="7735.372549"),
    Row(id="Y3", source=BYBIT, tick="0.01", decimals=2, size="1", entry="10000", leverage=50, bankruptcy="9800"),
    Row(**INVERSE, id="Y4", source=BYBIT, decimals=11, size="1000", entry="11383.5", leverage=10, bankruptcy="10348.64"),
    Row(
        id="Y8", source="wuyelx, of Bybit", tick="0.01", decimals=2, size="100", entry="500", leverage=50, margin="1100",
        mode="cross", bankruptcy="489",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(strict_exchange, row):
    check_bankruptcy(strict_exchange, row)


CLOSING = [
    Row(
        id="Y1", source=BYBIT, kind="inverse", tick="0.01", decimals=12, size="10000", entry="8000", leverage=10, margin="0.5",
        mode="cross", fee="0.00075", closing="5718.57",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", CLOSING, ids=lambda row: row.id)
def test_bankruptcy_price_that_pays_the_fee(strict_exchange, row):
    check_closing(strict_exchange, row)


def test_a_bybit_bankruptcy_price_at_the_venues_own_tick(strict_exchange):
    """Y2: 7,735.372549 -> 7,735.50. An entry of 7,890.08 is 4,200 at 7,890 and 800 at 7,890.5: a tick is 0.5."""
    tiers = flat(5_000, "0.005", 50)
    terms = Instrument(X, kind="inverse", settle="COIN", contract_size=1, tick="0.5", tiers=tiers, maker_fee=0, taker_fee=0,
                       settle_decimals=12, max_price=20_000)  # fmt: skip
    ex = begin(strict_exchange, [terms])
    trade(ex, X, 1, 4_200, 7_890, 50, "isolated")
    trade(ex, X, 1, 800, "7890.5", 50, "isolated")
    p = ex.position("poor", X)
    assert (round(p.entry_price, 2), p.bankruptcy_price) == (Decimal("7890.08"), Decimal("7735.5"))


NEEDS = [
    Need(id="Y6", source="Bybit help", terms=inverse("12000", "0.005", 50), size="12000", price="8000", leverage=50,
         want={"initial": "0.03"}),
    Need(id="Y7", source="Bybit help", terms=inverse("60000", "0.005", 10), size="60000", price="50000", leverage=10,
         want={"value": "1.2", "initial": "0.12"}),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)


# id, source, kind, entry, leverage, maintenance rate, side, printed price, how far the print may be off
MCS, JESSE = "Bybit help, MCS pages", "freqtrade and jesse-ai/jesse tests"
OF_BYBIT = "freqtrade, tests/exchange/test_exchange.py, of Bybit"
AT_ENTRY = [
    ("Y4", MCS, "inverse", "11383.5", 10, "0.005", 1, "10395.89", None),
    ("Y5", MCS, "inverse", "11383.5", 25, "0.005", 1, "10998.55", None),
    ("Y7 ours", MCS, "inverse", "50000", 10, "0.005", 1, "45662.10", None),
    ("Y7 ours", MCS, "inverse", "50000", 10, "0.005", -1, "55248.62", None),
    ("Y10 1x", JESSE, "linear", "10", 1, "0.01", 1, "0.1", None),
    ("Y10 3x", JESSE, "linear", "10", 3, "0.01", 1, "6.7666666", "0.0000001"),  # cut, not rounded
    ("Y10 5x", JESSE, "linear", "10", 5, "0.01", 1, "8.1", None),
    ("Y10 10x", JESSE, "linear", "10", 10, "0.01", 1, "9.1", None),
    ("Y11 1x", OF_BYBIT, "linear", "10", 1, "0.01", -1, "19.9", None),
    ("Y11 3x", OF_BYBIT, "linear", "10", 3, "0.01", -1, "13.233333", None),
    ("Y11 5x", OF_BYBIT, "linear", "10", 5, "0.01", -1, "11.9", None),
    ("Y11 10x", OF_BYBIT, "linear", "10", 10, "0.01", -1, "10.9", None),
]  # fmt: skip


@pytest.mark.parametrize("row", AT_ENTRY, ids=entry_id)
def test_liquidation_price_with_the_margin_of_entry(strict_exchange, row):
    check_at_entry(strict_exchange, row)


@pytest.mark.parametrize("leverage,printed", [(10, "10396.00"), (25, "10999")], ids=["Y4", "Y5"])
def test_a_bybit_liquidation_price_at_the_venues_own_tick(strict_exchange, leverage, printed):
    """Y4: 10,395.89, printed 10,396.00; Y5: 10,998.55, printed 10,999. A tick is 0.5, and Bybit rounds a long's price up.

    That tick is the last one of ours that is safe: there the margin is still there, so ours is a tick lower.
    """
    price = exact_at_entry("inverse", "11383.5", leverage, "0.005", 1)
    traded = held_at_entry("inverse", "11383.5", "0.005", leverage, "0.5")
    ex = begin(strict_exchange, [traded])
    trade(ex, X, 1, traded.max_size, "11383.5", leverage, "isolated")
    found = ex.position("poor", X).liquidation_price
    assert found < price < found + traded.tick_size == Decimal(printed)
    fires(ex, X, found, 1)


def test_bybit_keeps_the_fee_of_closing_at_bankruptcy(strict_exchange):
    """Y1: cross inverse long of 10,000 USD at 8,000 on 0.5: bankrupt at 5,718.57 (with the fee of closing there), liquidated
    at 5,739.08, on ticks of 0.5 at 5,739.50 for the venue, which rounds up: the last tick of ours that is safe.

    Asked are .5 % of the entry value, .00625, and .075 % of what closing at 5,718.57 is worth, .00131.
    """
    rule_set = replace(BARE, fee_isolated_low=True, fee_cross_low=True, fee_at="bankruptcy", funding_cap=False)
    bankrupt = Fraction("1.00075") * 10_000 / (Fraction(10_000, 8_000) + Fraction("0.5"))
    agree(bankrupt, "5718.57")
    asked = Fraction("1.25") * Fraction("0.005") + 10_000 / bankrupt * Fraction("0.00075")
    root = 10_000 / (Fraction("1.25") + Fraction("0.5") - asked)
    agree(root, "5739.08")
    for tick, printed in (("0.01", "5739.08"), ("0.5", "5739")):
        terms = Instrument(
            X, kind="inverse", contract_size=1, tick=tick, lot=100, max_size=10_000, settle_decimals=10, max_price=24_000,
            tiers=[Tier(10_000, "0.005", "0.01")], maintenance_at="entry", **FREE | {"liquidation_fee": "0.00075"},
        )  # fmt: skip
        ex = begin(strict_exchange, [terms], rule_set)
        trade(ex, X, 1, 10_000, 8_000, 50, "cross")
        balance(ex, "0.5")
        p = ex.position("poor", X)
        agree(Fraction(p.maintenance), str(round(float(asked), 10)), "0.000000001")
        assert p.liquidation_price == Decimal(printed) and root - Fraction(p.liquidation_price) <= Fraction(tick)
        if tick == "0.5":
            assert p.liquidation_price + Decimal(tick) == Decimal("5739.50")
        fires(ex, X, p.liquidation_price, 1)


@pytest.mark.parametrize("extra", ["0", "0.05"])
@pytest.mark.parametrize("leverage", [5, 20])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("size", [30_000, 100_000], ids=["first tier", "with a deduction"])
def test_bybit_divides_what_was_added_to_an_inverse_position(strict_exchange, size, side, leverage, extra):
    """Bybit help, UTA pages, inverse isolated: a long's is size (1 + mmr) / (size / E + size / (E L) + extra / (1 + fee) + D),
    a short's with the signs turned.

    It is what keeping the fee of closing at bankruptcy comes to, where the margin is the initial one, the fee of closing at
    its bankruptcy price, E L / (L + 1), and `extra`: what is added moves bankruptcy, and the fee with it.
    """
    rule_set = replace(BARE, fee_isolated_low=True, fee_at="bankruptcy", funding_cap=False)
    fee, entry = Fraction("0.0006"), 50_300
    terms = Instrument(
        X, kind="inverse", contract_size=1, tick="0.5", settle_decimals=12, max_price=200_000, basis="notional",
        max_size=10**6, scheme="deduction", tiers=[Tier(1, "0.005", "0.01"), Tier(20, "0.01", "0.02")],
        **FREE | {"liquidation_fee": "0.0006"},
    )  # fmt: skip
    ex = begin(strict_exchange, [terms], rule_set)
    trade(ex, X, side, size, entry, leverage, "isolated")
    initial = Fraction(size, entry * leverage)
    closing = fee * size * (leverage + side) / (entry * leverage)  # at bankruptcy by the initial margin alone
    ex.move_margin("poor", X, Decimal(round((closing + Fraction(extra)) * 10**12)) / 10**12)
    mmr, deduction = (Fraction("0.005"), 0) if size == 30_000 else (Fraction("0.01"), Fraction("0.005"))
    added = initial + Fraction(extra) / (1 + side * fee) + deduction
    root = size * (1 + side * mmr) / (Fraction(size, entry) + side * added)
    price = ex.position("poor", X).liquidation_price
    assert 0 < side * (root - Fraction(price)) <= Fraction("0.5")
    fires(ex, X, price, side)
