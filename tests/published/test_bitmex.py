"""BitMEX: funding around the mark, in coins, and its rate (M3)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, Funding, Instrument, PriceModel, Tier
from support.models import FAR_ASK, build, mark, passing, quote, rates, trade_at
from support.published import SECOND, X


def test_funding_of_bitmex_is_around_the_mark(strict_exchange):
    """The book's impact bid is 20 over a mark that the last trade holds 30 over the index of 10,000: .2 % and .3 %."""
    funding = Funding(interval_ns=SECOND, premium="impact_on_mark", impact=5_000, weights="equal", cap="0.9")
    model = PriceModel(components=["last"], sample_ns=SECOND // 2, funding=funding)
    ex = build(strict_exchange, model)
    ex.index(X, 10_000)
    trade_at(ex, 10_030)
    ex.advance(1)
    assert mark(ex) == 10_030
    quote(ex, [(10_050, 10_000)], [FAR_ASK])
    (event,) = [e for e in passing(ex, SECOND) if e.type == EventType.RATED]
    assert (event.premium_ppb, event.rate_ppb) == (5_000_000, 4_500_000)


def test_funding_of_bitmex_in_coins(strict_exchange):
    """M3: 15,000 contracts at 750 are 20 XBT; 0.25 % of them are 0.05, and the move to 800 gains 1.25."""
    ex = strict_exchange([
        Instrument("XBTUSD", kind="inverse", settle="XBT", contract_size=1, tick="0.5", settle_decimals=10, max_price=2_000,
                   maker_fee=0, taker_fee=0, tiers=[Tier(10**6, "0.005", "0.01")])
    ])  # fmt: skip
    for name in "ab":
        ex.deposit(name, "XBT", 100)
    ex.mark("XBTUSD", 750)
    ex.order("b", "XBTUSD", "sell", 15_000, price=750).ok()
    ex.order("a", "XBTUSD", "buy", 15_000, price=750).ok()
    assert ex.position("a", "XBTUSD").value == 20
    ex.settle_funding("XBTUSD", "0.0025", 1)
    assert ex.account("a").cash == Decimal("99.95")
    ex.mark("XBTUSD", 800)
    assert ex.position("a", "XBTUSD").upl == Decimal("1.25") and ex.account("a").equity == Decimal("101.2")


@pytest.mark.parametrize("clamp,rate,paid", [("0.0025", 2_500_000, "0.05"), ("0.0005", 500_000, "0.01")])
def test_the_rate_of_bitmex(strict_exchange, clamp, rate, paid):
    """M3: quote and base lend at 1.00 % and .25 % a day, paid every eight hours: (1.00 % - .25 %) / 3 = .25 %, .05 of 20 XBT.

    The example leaves the premium out, and the clamp: that of today, .05 %, would leave .01.
    """
    eight = 8 * 3_600 * SECOND
    interest = (Fraction("0.01") - Fraction("0.0025")) / (24 * 3_600 * SECOND // eight)
    funding = Funding(interval_ns=eight, premium="impact_on_mark", impact=1, weights="equal", clamp=clamp,
                      interest=Decimal(interest.numerator) / interest.denominator)  # fmt: skip
    model = PriceModel(components=["index"], sample_ns=eight, funding=funding)
    terms = {"kind": "inverse", "settle": "XBT", "contract_size": 1, "tick": "0.5", "settle_decimals": 10, "max_price": 2_000}
    ex = build(strict_exchange, model, **terms)
    ex.index(X, 750)
    ex.order("maker", X, "sell", 15_000, price=750).ok()
    assert ex.order("taker", X, "buy", 15_000, price=750).filled == 15_000
    assert ex.position("taker", X).value == 20
    assert rates(passing(ex, eight)) == [(1, rate)]
    assert 10**6 - ex.account("taker").cash == Decimal(paid) == 20 * Decimal(rate) / 10**9
