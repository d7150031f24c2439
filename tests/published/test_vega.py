"""Vega: margin factors, order margins, accrued funding, averages and bounds of funding (V2, V9 to V20).

A margin factor that is no 1 / n (0.9 and 0.7) is asked as a maintenance rate: leverage is a whole number here. Only one of
the two means of V10 can be tested, and not its payment: how the other window lies is not on the page.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, Funding, Instrument, PriceModel, Tier
from support.models import TIERS, WIDE, build, mark, passing, quote, rated, rates, trade_at
from support.published import FREE, SECOND, Need, X, agree, begin, check_requirement, linear, of, trade
from support.venues import CAPPED, VEGA_FUNDING

SPECS = "vegaprotocol/specs, 0019-MCAL"
V18 = [
    ("57500", "1", "0.11", "6325"), ("15900", "1", "0.9", "14310"), ("15900", "1", "0.7", "11130"),
    ("15910", "10", "0.9", "143190"), ("15912", "5", "0.9", "71604"), ("15912", "3", "0.9", "42962"),
    ("15912", "2", "0.9", "28642"), ("145000", "7", "0.9", "913500"),
]  # fmt: skip
NEEDS = [
    Need(id="V2", source="vega, core/integration", terms=linear("250", "0.25", 4, 0, 1), size="250", price="145", leverage=1,
         off="0", want={"maintenance": "9063"}),  # 9,062.5, rounded up
    Need(id="V13", source=SPECS, terms=linear("1", "0.35", 2), size="1", price="15900", leverage=1,
         want={"maintenance": "5565"}),
    Need(id="V15 long", source=SPECS, terms=linear("1", "0.35", 2), size="1", price="1500", leverage=1,
         want={"maintenance": "525"}),
    Need(id="V16 short", source=SPECS, terms=linear("1", "0.35", 2), size="-1", price="1700", leverage=1,
         want={"maintenance": "595"}),
    *(Need(id=f"V18 {price}*{size}*{rate}", source=SPECS, terms=linear(size, rate, 1), size=size, price=price, leverage=1,
           want={"maintenance": printed}) for price, size, rate, printed in V18),
]  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.id)
def test_requirement(strict_exchange, need):
    check_requirement(strict_exchange, need)


def test_an_order_margin_of_vega(strict_exchange):
    """V19: an order to buy 10 at 30 asks 300, all of its value."""
    ex = begin(strict_exchange, [Instrument(X, **FREE, **CAPPED)])
    ex.mark(X, 50)
    ex.set_leverage("poor", X, 1, mode="isolated")
    ex.order("poor", X, "buy", 10, price=30).ok()
    assert ex.account("poor").hold == 300


@pytest.mark.parametrize("side,opened,both", [(-1, 1_100, 1_180), (1, 700, 1_180)], ids=["V19", "sides swapped"])
def test_order_margins_of_vega(strict_exchange, side, opened, both):
    """V19: 10 * 70 + 5 * 80 = 1,100; 700 + max(400, 480) = 1,180; 700 + 120 = 820 when the position is closed.

    It is short 10 with an order to sell 5 (at 30 and 20 below a cap of 100: 70 and 80 here) and bids for 30 at 16. The other
    way round the 5 would close and hold nothing: 700, not 1,100. There the first bids to trade (10 at 18) close and are free;
    here a side's closing lots are not the first but any, so what closes is said to be reduce-only. It gains 12 each.
    """
    ex = begin(strict_exchange, [Instrument(X, **FREE, **CAPPED)])
    trade(ex, X, side, 10, 70, 1, "isolated")

    def asked():
        return ex.position("poor", X).margin + ex.account("poor").hold

    assert asked() == 700
    ex.order("poor", X, "sell", 5, price=80).ok()
    assert asked() == opened
    if side < 0:
        ex.order("poor", X, "buy", 10, price=58, reduce_only=True).ok()
        assert asked() == opened
    ex.order("poor", X, "buy", 30, price=16).ok()
    assert asked() == both
    if side < 0:
        cash = ex.account("poor").cash
        assert ex.order("rich", X, "sell", 10, price=58).filled == 10
        assert ex.account("poor").cash - cash == 820 and asked() == 480


ACCRUALS = [
    # id, index, mark, size, linear factor, share of accrued funding, terms, payment a unit, margin of long and short
    ("V14", "1600", 1_590, 1, "0.35", "0.5", {"interest": "0.0001", "clamp": "0.1"}, "0.16", "556.58", "556.5"),
    ("V15", "1600", 1_500, 1, "0.35", "0.5", {"interest": 0, "clamp": (0, "0.05")}, "-20", "525", "535"),
    ("V16", "1600", 1_700, 1, "0.35", "0.5", {"interest": 0, "clamp": ("-0.05", 0)}, "20", "605", "595"),
    ("V17", "1600", 1_590, 10, "0.35", "0.05", {"interest": "0.1", "clamp": (0, "0.05")}, "70", "5600", "5565"),
]


@pytest.mark.parametrize("row", ACCRUALS, ids=lambda row: row[0])
def test_vega_asks_for_accrued_funding(strict_exchange, row):
    """Vega specs, 0019-MCAL: margin is linear in the mark, plus a share of the funding that accrued, of whoever will pay.

    A payment is f - s + min(cu s, max(cl s, (1 + i) s - f)), f being the mean of the book's middle and s that of the index:
    premium and clamp over the index, paid on the value at the index. V17 prints no share: 5 % of 10 units' 70 are its 35.
    """
    _, index, mark, size, rate, share, terms, payment, of_long, of_short = row
    model = PriceModel(components=["last"], sample_ns=SECOND, funding=Funding(**VEGA_FUNDING, **terms, margin=share))
    traded = Instrument(
        X, contract_size=1, tick="0.1", max_size=100, max_price=5_000, prices=model, **FREE, tiers=[Tier(100, rate, "0.5")]
    )
    ex = begin(strict_exchange, [traded])
    ex.index(X, index)
    for name, side in (("poor", "buy"), ("rich", "sell")):
        ex.set_leverage(name, X, 1, mode="cross")
        ex.order(name, X, side, size, price=mark).ok()
    ex.order("rich", X, "buy", 1, price=mark - 1).ok()
    ex.order("rich", X, "sell", 1, price=mark + 1).ok()
    ex.advance(SECOND)
    assert ex.position("poor", X).mark_price == mark
    for name, expected in (("poor", of_long), ("rich", of_short)):
        assert ex.position(name, X).maintenance == Decimal(expected)
    if row[0] == "V14":  # interest over the index and back: a premium of -.625 % is undone by the clamp
        agree(Fraction(ex.position("poor", X).maintenance) - Fraction("556.5"), "0.08")
    cash = ex.account("poor").cash
    ex.advance(8 * SECOND)
    [funded] = of(list(ex._iterate(1, ex._kernel.next_seq)), EventType.FUNDED)
    assert Decimal(funded.rate_ppb) * Decimal(index) / 10**9 == Decimal(payment)
    assert cash - ex.account("poor").cash == Decimal(payment) * size


@pytest.mark.parametrize("future,payment", [pytest.param(1_500, -20, id="V15"), pytest.param(1_700, 20, id="V16")])
def test_funding_of_vega(strict_exchange, future, payment):
    """Vega specs, 0019-MCAL: spot 1,600, clamps of 5 %: f - s and 80 towards zero are paid."""
    event = rated(strict_exchange, 1_600, [(future - 1, 1)], [(future + 1, 1)], premium="middle", clamp="0.05")
    assert Decimal(event.rate_ppb) * 1_600 / 10**9 == payment


VEGA_INTERNAL = (10, 11, 11, 10, 10, 9, 9, 8, 8, 7)
VEGA_EXTERNAL = (11, 9, 9, 10, 10, 12, 11, 8, 8, 14)


@pytest.mark.parametrize("path,average", [(VEGA_INTERNAL, "9.3"), (VEGA_EXTERNAL, "10.2")], ids=["V9 internal", "V9 external"])
def test_averages_of_vega(strict_exchange, path, average):
    """Vega specs, 0053-PERP: prices that hold so long, averaged over ten units of time; here as a dated contract's index."""
    model = PriceModel(components=["index"], sample_ns=SECOND)
    ex = build(strict_exchange, model, expiry_ns=10 * SECOND, settle_window_ns=10 * SECOND)
    for second, price in enumerate(path):
        if second:
            ex.advance(second * SECOND)
        ex.index(X, price)
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.LISTING_CHANGED]
    assert Decimal(event.price_ticks) / 10 == Decimal(average)


@pytest.mark.parametrize("weights,rate", [("index", Fraction(93 - 102, 102)), ("equal", None)])
def test_means_apart_of_vega(strict_exchange, weights, rate):
    """Of V9's two paths: the mean of the marks over that of the indices, less one; the mean of ratios is another number."""
    funding = Funding(interval_ns=10 * SECOND, premium="mark", weights=weights, interest=0, clamp=0, cap="0.9")
    ex = build(strict_exchange, PriceModel(components=["last"], sample_ns=SECOND, funding=funding))
    for second, (internal, external) in enumerate(zip(VEGA_INTERNAL, VEGA_EXTERNAL, strict=True)):
        ex.advance(second * SECOND)
        ex.index(X, external)
        trade_at(ex, internal)
        ex.index(X, external)  # which looks at the mark again
        assert mark(ex) == internal
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]
    ratios = [Fraction(f - s, s) for f, s in zip(VEGA_INTERNAL, VEGA_EXTERNAL, strict=True)]
    assert abs(Fraction(event.rate_ppb, 10**9) - (rate or sum(ratios) / 10)) <= Fraction(1, 10**9)
    assert event.samples == 10


def test_a_window_of_vega(strict_exchange):
    """V10's 10.25 is the mean of the last eight units of the external series. 9.875 is of no eight units of the internal one
    in a row, so that neither it nor the payment of -.3 follows from what is printed."""
    model = PriceModel(components=["index"], sample_ns=SECOND, window=1)
    ex = build(strict_exchange, model, tick="0.01", max_price=1_000, expiry_ns=10 * SECOND, settle_window_ns=8 * SECOND)
    for second, price in enumerate(VEGA_EXTERNAL):
        if second:
            ex.advance(second * SECOND)
        ex.index(X, price)
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.LISTING_CHANGED]
    assert event.price_ticks == 1_025
    assert all(sum(VEGA_INTERNAL[at : at + 8]) != 79 for at in range(3))


@pytest.mark.parametrize("cap,rate", [("0.9", -25_000_000), ("0.005", -5_000_000)])
def test_scale_and_bounds_of_vega(strict_exchange, cap, rate):
    """V11 (Vega specs, 0053-PERP): a scale of 2.5 on -1 % is -2.5 %, and a bound of .5 % holds it."""
    event = rated(strict_exchange, 10_000, [(9_899, 1)], [(9_901, 1)], premium="middle", share=(5, 2), cap=cap)
    assert (event.premium_ppb, event.rate_ppb) == (-10_000_000, rate)


def test_interest_of_vega(strict_exchange):
    """V12 (Vega specs, 0053-PERP): 3,000 for half a year at 5 % are 75; who holds two pays 150."""
    funding = Funding(interval_ns=10 * SECOND, premium="middle", interest="0.025", clamp="0.05", cap="0.5")
    ex = build(strict_exchange, PriceModel(components=["index"], sample_ns=SECOND, funding=funding))
    ex.index(X, 3_000)
    ex.order("maker", X, "sell", 2_000, price=3_000).ok()
    assert ex.order("taker", X, "buy", 2_000, price=3_000).filled == 2_000  # of 0.001
    quote(ex, [(2_999, 5)], [(3_001, 5)])
    assert rates(passing(ex, 10 * SECOND)) == [(1, 25_000_000)]
    assert ex.account("taker").cash == 10**6 - 150


@pytest.mark.parametrize("size,gain", [(20, "0.4"), (2_000, "40")])
def test_marks_to_market_of_vega(strict_exchange, size, gain):
    """V20 (Vega specs): a move of .02 on 20 is .4, on 2,000 it is 40."""
    ex = strict_exchange(
        [Instrument(X, contract_size=1, tick="0.01", max_price=1_000, tiers=TIERS, maker_fee=0, taker_fee=0)], rules=WIDE
    )
    for name in ("maker", "taker"):
        ex.deposit(name, "USDT", 10**6)
    ex.mark(X, 100)
    ex.order("maker", X, "sell", size, price=100).ok()
    ex.order("taker", X, "buy", size, price=100).ok()
    ex.mark(X, "100.02")
    assert ex.position("taker", X).upl == Decimal(gain)
