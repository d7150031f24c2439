"""Published prices of venues whose maintenance margin is fixed when the position is opened, driven through the engine.

Owns the numbers of liquidation rules, sections 3 to 11, that follow from a requirement on the value at entry
(Instrument(maintenance_at="entry")): one tick before the price nothing happens, at it the position goes; Delta's slice and
the rest of it. Y1 is in test_published_rules.py: its 5,739.08 adds the fee of closing at the bankruptcy price.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Instrument
from test_published import X, agree, balance, begin, fires, flat, trade
from test_published_more import DELTA_TERMS, FREE

BYBIT, JESSE = "Bybit help, MCS pages", "freqtrade and jesse-ai/jesse tests"
FREQTRADE = "freqtrade, tests/exchange/test_exchange.py, of Bybit"
# id, source, kind, entry, leverage, maintenance rate, side, printed price, how far the print may be off
ROWS = [
    ("Y4", BYBIT, "inverse", "11383.5", 10, "0.005", 1, "10395.89", None),
    ("Y5", BYBIT, "inverse", "11383.5", 25, "0.005", 1, "10998.55", None),
    ("Y7 ours", BYBIT, "inverse", "50000", 10, "0.005", 1, "45662.10", None),
    ("Y7 ours", BYBIT, "inverse", "50000", 10, "0.005", -1, "55248.62", None),
    ("Y10 1x", JESSE, "linear", "10", 1, "0.01", 1, "0.1", None),
    ("Y10 3x", JESSE, "linear", "10", 3, "0.01", 1, "6.7666666", "0.0000001"),  # cut, not rounded
    ("Y10 5x", JESSE, "linear", "10", 5, "0.01", 1, "8.1", None),
    ("Y10 10x", JESSE, "linear", "10", 10, "0.01", 1, "9.1", None),
    ("Y11 1x", FREQTRADE, "linear", "10", 1, "0.01", -1, "19.9", None),
    ("Y11 3x", FREQTRADE, "linear", "10", 3, "0.01", -1, "13.233333", None),
    ("Y11 5x", FREQTRADE, "linear", "10", 5, "0.01", -1, "11.9", None),
    ("Y11 10x", FREQTRADE, "linear", "10", 10, "0.01", -1, "10.9", None),
    ("10101", "get10101/10101, cfd.rs", "inverse", "30000", 2, "0.1", 1, "21428.5714", None),
    ("10101", "get10101/10101, cfd.rs", "inverse", "30000", 2, "0.1", -1, "50000", None),
    ("B10", "affmiss", "linear", "100000", 20, "0.005", 1, "95500", None),
]


def instrument(kind: str, entry: str, mmr: str, leverage: int, tick: str | None = None) -> Instrument:
    inverse = kind == "inverse"
    size = 6_000 if inverse else 1
    tick = tick or ("0.0001" if inverse else "0.00001")
    return Instrument(
        X, kind=kind, settle="COIN", contract_size=1, tick=tick, lot=size, max_size=size,
        settle_decimals=10 if inverse else 9, tiers=flat(size, mmr, leverage), maintenance_at="entry", maker_fee=0,
        taker_fee=0, liquidation_fee=0, max_price=3 * Decimal(entry),
    )  # fmt: skip


def exact(kind: str, entry: str, leverage: int, mmr: str, side: int) -> Decimal:
    """Margin and profit are what was asked at entry: E * (1 -+ (1/L - mmr)), or of an inverse contract E over it."""
    share = 1 + side * (1 / Decimal(leverage) - Decimal(mmr)) * (1 if kind == "inverse" else -1)
    return Decimal(entry) / share if kind == "inverse" else Decimal(entry) * share


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{'long' if row[6] > 0 else 'short'}")
def test_liquidation_price_with_the_margin_of_entry(make, row):
    _, _, kind, entry, leverage, mmr, side, printed, off = row
    price = exact(kind, entry, leverage, mmr, side)
    agree(Fraction(price), printed, off)
    traded = instrument(kind, entry, mmr, leverage)
    ex = begin(make, [traded])
    trade(ex, X, side, traded.max_size, entry, leverage, "isolated")
    p = ex.position("poor", X)
    assert abs(p.liquidation_price - price) <= traded.tick_size
    assert p.maintenance == -(-abs(p.cost_units) * int(Decimal(mmr) * 10**9) // 10**9) * traded.unit
    ex.mark(X, p.liquidation_price + side * traded.tick_size)
    assert ex.position("poor", X).maintenance == p.maintenance  # whatever the mark
    fires(ex, X, p.liquidation_price, side)


@pytest.mark.parametrize("leverage,printed", [(10, "10396.00"), (25, "10999")], ids=["Y4", "Y5"])
def test_a_bybit_liquidation_price_at_the_venues_own_tick(make, leverage, printed):
    """Y4: 10,395.89, printed 10,396.00; Y5: 10,998.55, printed 10,999. A tick is 0.5, and Bybit rounds a long's price up.

    That tick is the last one of ours that is safe: there the margin is still there, so ours is a tick lower.
    """
    price = exact("inverse", "11383.5", leverage, "0.005", 1)
    traded = instrument("inverse", "11383.5", "0.005", leverage, "0.5")
    ex = begin(make, [traded])
    trade(ex, X, 1, traded.max_size, "11383.5", leverage, "isolated")
    found = ex.position("poor", X).liquidation_price
    assert found < price < found + traded.tick_size == Decimal(printed)
    fires(ex, X, found, 1)


def test_the_slice_of_delta_and_its_rest(make):
    """Delta's guide: of 200,000 at 10,000 on .65, mark 9,840, 137,389 go at 9,728; the 62,611 that stay are liquidated at
    9,648 (9,647.7) and bankrupt at 9,593 (9,592.7).

    What stays, on its share of .65, is liquidated 1 % from the mark: 9,741.3 (exactly 1 % are 62,994). The slice's price is
    its rate, 1.1554 %, from the mark: 9,727.6, on ticks of 0.5 up. It loses .384146 (cut), the rest of its share stays.
    """
    terms = Instrument(X, **FREE, **DELTA_TERMS, maintenance_at="entry")
    alone = begin(make, [terms])
    trade(alone, X, 1, 137_389, 10_000, 100, "isolated")
    p = alone.position("poor", X)
    rate = Fraction(p.maintenance) / Fraction(p.value)
    agree(rate, "0.0116")
    assert Decimal("9727.5") < 9_840 / (1 + rate) < 9_728
    ex = begin(make, [terms])
    trade(ex, X, 1, 200_000, 10_000, 100, "isolated")
    assert ex.position("poor", X).margin == Decimal("0.65")
    ex.mark(X, 9_841)  # at 9,840 it would be all of it
    cash = ex.account("poor").cash
    ex.order("rich", X, "buy", 137_389, price=9_728).ok()
    assert ex.order("poor", X, "sell", 137_389, price=9_728).filled == 137_389
    rest = ex.position("poor", X)
    assert abs(rest.liquidation_price / 9_840 - Decimal("0.99")) < Decimal("0.00003")
    returned = ex.account("poor").cash - cash
    agree(Fraction(rest.margin + returned), "0.265854", "0.000001")
    ex.move_margin("poor", X, returned)
    rest = ex.position("poor", X)
    for found, printed in ((rest.liquidation_price, "9648"), (rest.bankruptcy_price, "9593")):
        agree(Fraction(found), printed)
    fires(ex, X, rest.liquidation_price, 1)


def test_kraken_with_the_margin_of_entry(make):
    """K2: 1,000 contracts at 8,000, balance .01, margin of entry .00125: 7,476.64, not the 7,481 that Kraken prints."""
    traded = Instrument(
        X, kind="inverse", settle="COIN", contract_size=1, tick="0.01", lot=1_000, settle_decimals=10, max_price=24_000,
        tiers=flat(1_000, "0.01", 50), maintenance_at="entry", maker_fee=0, taker_fee=0, liquidation_fee=0,
    )  # fmt: skip
    ex = begin(make, [traded])
    trade(ex, X, 1, 1_000, 8_000, 50, "cross")
    balance(ex, "0.01")
    p = ex.position("poor", X)
    assert (p.maintenance, p.liquidation_price) == (Decimal("0.00125"), Decimal("7476.63"))
    fires(ex, X, p.liquidation_price, 1)
