"""dYdX v4: bankruptcy prices, their rounding, funding and premiums (D1 to D12, D20 to D23).

BTC at 50,000, ETH at 3,000, maintenance 10 % (x/clob/keeper/liquidations_test.go). The orders that dYdX must reject there do
not exist here.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Code, EventType, Instrument, Rejected, Tier
from support.models import funded, passing, quote, rated
from support.published import FREE, SECOND, Row, X, balance, begin, of, placed, trade
from support.venues import BTC, ETH, PERP

OPENED = {1: (57_000, 4_000), -1: (43_000, 2_000)}
"""Prices of BTC and of ETH at which a long, or a short, was opened: far enough that the account could."""
DYDX = [
    # id, USDC, lots of 0.001 BTC, lots of 0.1 ETH, {instrument: quote that closing it must bring}, share of it that is printed
    ("D1", -4_501, 100, 0, {BTC: 4_501}, 1),
    ("D2", 5_499, -100, 0, {BTC: -5_499}, 1),
    ("D3", -5_000, 100, 0, {BTC: 5_000}, 1),
    ("D3 half", -5_000, 100, 0, {BTC: 2_500}, 2),
    ("D4", 5_000, -100, 0, {BTC: -5_000}, 1),
    ("D4 half", 5_000, -100, 0, {BTC: -2_500}, 2),
    ("D5", -5_100, 100, 0, {BTC: 5_100}, 1),
    ("D6", 4_900, -100, 0, {BTC: -4_900}, 1),
    ("D7", -490, 4, 1, {ETH: 294, BTC: 196}, 1),
    ("D8", 510, -4, -1, {ETH: -306, BTC: -204}, 1),
    ("D9", 110, 4, -1, {ETH: -306, BTC: 196}, 1),
]


@pytest.mark.parametrize("usdc,btc,eth,expected,parts", [row[1:] for row in DYDX], ids=[row[0] for row in DYDX])
def test_dydx_bankruptcy_price(strict_exchange, usdc, btc, eth, expected, parts):
    """Equity is shared by maintenance margin, and each position is taken over at exactly its share.

    The account's USDC is its wallet less what its positions cost. The sum is nothing: closing all leaves zero.
    """
    ex = begin(strict_exchange, [Instrument(BTC, contract_size="0.001", **PERP), Instrument(ETH, contract_size="0.1", **PERP)])
    cash = Decimal(usdc)
    for name, size, contract, k in ((BTC, btc, Decimal("0.001"), 0), (ETH, eth, Decimal("0.1"), 1)):
        price = 50_000 if name == BTC and eth else OPENED[1 if size > 0 else -1][k]
        if size:
            trade(ex, name, size, abs(size), price, 10, "cross")
            cash += size * contract * price
        else:
            ex.mark(name, price)
    balance(ex, cash)
    events = ex.mark(ETH, 3_000).events + ex.mark(BTC, 50_000).events
    [trigger] = of(events, EventType.LIQUIDATION)
    assert trigger.own_units == 10**5 * (abs(btc) * 50 + abs(eth) * 300)
    taken = {ex.instruments[e.instrument].name: e for e in of(events, EventType.TAKEOVER)}
    assert {name: Decimal(e.cost_units) / 10**6 / parts for name, e in taken.items()} == expected
    assert usdc + parts * sum(expected.values()) == 0
    for name, contract in ((BTC, Decimal("0.001")), (ETH, Decimal("0.1"))):
        if name in taken:
            assert taken[name].bankruptcy_ticks * taken[name].size_lots * contract / parts == expected[name]
    assert ex.account("poor").equity == 0


@pytest.mark.parametrize(
    "side,entry,margin,printed", [(1, 10_673_500, "10670724.89", 2_776), (-1, 2_000, "775.11", 2_775)], ids=["D10", "D11"]
)
def test_dydx_rounds_for_the_venue(strict_exchange, side, entry, margin, printed):
    """21,347 quantums of a BTC whose account has -13 (13) USDC: 2,775.11 quote quantums, up for the long, down for the short.

    The whole delta is one contract here and a tick one quote quantum, so that the price rounds as their quote does.
    """
    assert Fraction(13 * 10**6 * 21_347, 10**8) == Fraction("2775.11") == entry - side * Fraction(margin)
    row = Row(id="D", source="dydxprotocol/v4-chain", tick="1", decimals=2, side=side, size="1", entry=str(entry), leverage=10,
              margin=margin)  # fmt: skip
    assert placed(strict_exchange, row).position("poor", X).bankruptcy_price == printed


def test_dydx_cannot_go_bankrupt(strict_exchange):
    """D12: 1 USDC and a long of 1 BTC: closing it may cost 1."""
    ex = begin(strict_exchange, [Instrument(BTC, contract_size="0.001", **PERP)])
    trade(ex, BTC, 1, 1_000, 50_000, 1, "cross")
    balance(ex, 50_001)
    p = ex.position("poor", BTC)
    assert p.bankruptcy_price * p.size * Decimal("0.001") == -1 and p.liquidation_price is None


INDEX_DELTAS = [
    # rate, in how many parts it is settled, contracts, decimals; exact delta of price 1,000 and what dYdX prints, truncated
    ("1.001999", 2, 1, 4, "1001.999", 1_001),
    ("-1.001999", 2, 1, 4, "-1001.999", -1_001),
    ("-0.5009995", 1, 10**10, 0, "-5009995000000", -5_009_995_000_000),
    ("-0.125249875", 1, 10**6, 0, "-125249875", -125_249_875),
]


@pytest.mark.parametrize("rate,times,lots,decimals,exact,printed", INDEX_DELTAS)
def test_funding_of_dydx(strict_exchange, rate, times, lots, decimals, exact, printed):
    """D23: delta = rate * price * time / 8 h, truncated to zero: 1,001; -1,001; -5,009,995,000,000; -125,249,875.

    The first two are 100.1999 % of 1,000: a rate of 100 % and more is refused here, so it is settled in two halves, with the
    four decimals that 500.9995 has. The quantums of the others are contracts and units.
    """
    terms = {"contract_size": 1, "tick": 1, "settle_decimals": decimals, "max_price": 20_000, "max_size": 10**10}
    ex = begin(strict_exchange, [Instrument(X, **terms, **FREE, tiers=[Tier(10**10, "0.005", "0.01")])])
    trade(ex, X, 1, lots, 1_000, 1, "cross")
    cash = ex.account("poor").cash
    if times > 1:
        with pytest.raises(Rejected) as refused:
            ex.settle_funding(X, rate, 1)
        assert refused.value.code == Code.BAD_RATE
    for period in range(times):
        ex.settle_funding(X, Decimal(rate) / times, period + 1)
    paid = cash - ex.account("poor").cash
    assert paid == Decimal(rate) * 1_000 * lots == Decimal(exact) and int(paid) == printed


@pytest.mark.parametrize("rate", ["0.1001999", "-0.1001999"])
def test_what_is_due_is_rounded_up(strict_exchange, rate):
    """Where dYdX's index is cut, to 100 of these 100.1999, ours takes the next whole unit, and pays it."""
    ex = begin(strict_exchange, [Instrument(X, contract_size=1, tick=1, settle_decimals=0, max_price=20_000, **FREE,
                                 tiers=[Tier(10, "0.005", "0.01")])])  # fmt: skip
    trade(ex, X, 1, 1, 1_000, 1, "cross")
    cash = ex.account("poor").cash
    ex.settle_funding(X, rate, 1)
    assert abs(cash - ex.account("poor").cash) == 101


@pytest.mark.parametrize(
    "index,bids,asks,ppm",
    [
        pytest.param("9000", [(9_999, 100), (9_998, 10_000)], [], 110_911, id="D20"),
        pytest.param("10003", [], [(10_001, 100), ("10001.5", 100), (10_002, 10_000)], -129, id="D21"),
        pytest.param("10001.9", [], [(10_001, 10_000)], -89, id="D22-ask"),
        pytest.param("9997.5", [("9999.9", 10_000)], [], 240, id="D22-bid"),
    ],
)
def test_premiums_of_dydx(strict_exchange, index, bids, asks, ppm):
    """dYdX v4 tests (liquidation rules, 8.5): impact notional 5,000, parts per million truncated toward zero."""
    premium = rated(strict_exchange, index, bids, asks).premium_ppb
    assert (abs(premium) // 1_000) * (1 if premium > 0 else -1) == ppm


@pytest.mark.parametrize("bound,rate", [(1, 11_000_000), ("0.03", 6_000_000), ("0.01", 2_000_000)])
def test_each_premium_is_bounded(strict_exchange, bound, rate):
    """dYdX v4: votes of more than 60 times (initial less maintenance) count as that. Four samples of -1 %, four of 1 % and two
    of 5.5 %, which are 3 % or 1 % within the bound: 11 %, 6 % or 2 % in ten."""
    ex = funded(strict_exchange, bound=bound, weights="equal")
    ex.cancel_all("maker")
    quote(ex, [(989, 5)], [(991, 5)])
    ex.advance(4 * SECOND)  # -1 %
    ex.cancel_all("maker")
    quote(ex, [(1_009, 5)], [(1_011, 5)])
    ex.advance(8 * SECOND)  # 1 %
    ex.cancel_all("maker")
    quote(ex, [(1_054, 5)], [(1_056, 5)])
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]  # 5.5 %
    assert event.rate_ppb == rate


@pytest.mark.parametrize("bound,rate", [(30, 250_000_000), ("1.5", 93_750_000), (1, 62_500_000)])
def test_a_premium_may_be_more_than_the_index(strict_exchange, bound, rate):
    """dYdX v4: with initial 100 % and maintenance 50 % a vote counts up to 30. Ten samples of an index that is a fifth of the
    middle: 400 %, of the mean of which a sixteenth is charged."""
    ex = funded(strict_exchange, bound=bound, weights="equal", share=(1, 16))
    for name in ("maker", "taker"):
        ex.deposit(name, "USDT", 10**9)
    ex.index(X, 202)
    (event,) = [e for e in passing(ex, 10 * SECOND) if e.type == EventType.RATED]
    assert (event.rate_ppb, event.premium_ppb) == (rate, 16 * rate)
