"""Papers on ADL: the printed numbers of loss policies, section 4, that an engine can be asked for.

[A] arXiv 2512.01112v1; the toy is Thogiti's of 18 February 2026. The other numbers of that section are sums over shards that
are not in store, or allocations in money, a space in which nothing is closed; those are not built.
"""

from dataclasses import replace
from fractions import Fraction

from solvent import EventType, Instrument, Tier, rules
from solvent.records import ParcelChange

FREE = {"maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0}
WIDE = replace(rules.find("seed"), price_band_ppb=10**9 - 1, parcel_limit_ppb=10**9 - 1)


def exchange(make, tick, mmr, **terms):
    tiers = [Tier(1_000, mmr, "0.2")]
    return make([Instrument("X", contract_size=1, tick=tick, max_price=1_000, tiers=tiers, **FREE, **terms)], rules=WIDE)


def test_a_sweep_of_the_book(strict_exchange):
    """[A] 2.1: 1 at 1.0, 3 at 1.1 and 1 at 1.2 cost 5.5, on average 1.1."""
    ex = exchange(strict_exchange, "0.1", "0.1")
    for name in ("maker", "taker"):
        ex.deposit(name, "USDT", 1_000)
    ex.mark("X", 1)
    for size, price in ((1, "1.0"), (3, "1.1"), (1, "1.2")):
        ex.order("maker", "X", "sell", size, price=price).ok()
    ack = ex.order("taker", "X", "buy", 5, market=True).ok()
    paid = sum(e.price_ticks * e.size_lots for e in ack.events if e.type == EventType.TRADE)
    assert (ack.filled, paid, ex.position("taker", "X").entry_price) == (5, 55, Fraction(11, 10))


def test_the_liquidation_price_of_e(strict_exchange):
    """[A] prints 1.0010 for a short of 1 from 1 on 10/99 with 10 %: it is 1.000918, and the market agrees to the tick."""
    exact = (1 + Fraction(10, 99)) / (1 + Fraction(1, 10))
    assert round(exact, 6) == Fraction("1.000918")
    ex = exchange(strict_exchange, "0.000001", "0.1", settle_decimals=12)
    ex.deposit("other", "USDT", 10)
    ex.deposit("e", "USDT", "0.901010101010")  # short from 0.2 below: what is left at 1 is 10/99
    ex.mark("X", "0.2")
    ex.order("other", "X", "buy", 1, price="0.2").ok()
    ex.order("e", "X", "sell", 1, price="0.2").ok()
    ex.mark("X", "1.000918")
    assert ex.position("e", "X").size == -1 and ex.position("e", "X").liquidation_price == Fraction("1.000919")
    events = ex.mark("X", "1.000919").events
    assert [e.cost_units for e in events if e.type == EventType.TAKEOVER] == [-1_101_010_101_010]


def test_the_needed_budget_of_the_toy(strict_exchange):
    """Long 100 with bankruptcy price 100, executed at 96: 400 are needed, and a fund pays just these."""
    ex = exchange(strict_exchange, "0.01", "0.05")
    ex.seed_fund("USDT", 1_000)
    for name, money in (("victim", 2_500), ("other", 10**6)):
        ex.deposit(name, "USDT", money)
    ex.mark("X", 125)
    ex.set_leverage("victim", "X", 5, mode="isolated")
    ex.order("other", "X", "sell", 100, price=125).ok()
    ex.order("victim", "X", "buy", 100, price=125).ok()
    ex.order("other", "X", "buy", 100, price=96).ok()
    events = ex.mark("X", 96).events
    (taken,) = [e for e in events if e.type == EventType.TAKEOVER]
    assert (taken.size_lots, taken.bankruptcy_ticks) == (100, 10_000)
    assert [e.change for e in events if e.type == EventType.PARCEL] == [ParcelChange.TAKEN, ParcelChange.FILLED_BY_FUND]
    assert ex.fund("USDT") == 1_000 - 400
    (told,) = ex.liquidations()
    assert told["money"]["fund_paid"] == "400" and told["money"]["winners_forgo"] == "0"
