"""Funding settlements (semantics §7; OKX's cap, liquidation-rules 1.12): dues, the cap, shares, residue, parcels."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, EventType, Instrument, Rejected, Tier, rules
from solvent.records import Posting

X = "X"
# 1 unit of currency is a cent, a contract is worth its price; one tier of 0.5 % maintenance, fees only where asked for.
TERMS = Instrument(
    X, contract_size=1, tick=1, settle_decimals=2, tiers=[Tier(10**6, "0.005", "0.01")], maker_fee=0, taker_fee=0,
    liquidation_fee="0.0005", max_price=10**6,
)  # fmt: skip


def exchange(make, rule_set="seed", **names):
    """Cross accounts with these deposits."""
    ex = make([TERMS], rules=rule_set)
    for name, amount in names.items():
        ex.deposit(name, "USDT", amount)
    ex.mark(X, 50_000)
    return ex


def trade(ex, buyer, seller, size, price=50_000):
    ex.order(seller, X, "sell", size, price=price).ok()
    assert ex.order(buyer, X, "buy", size, price=price).filled == size


def payments(ack):
    kinds = (Posting.FUNDING_PAID, Posting.FUNDING_RECEIVED)
    return [(Posting(e.posting).name, e.payer, e.receiver, e.amount_units) for e in ack.events
            if e.type == EventType.LEDGER and e.posting in kinds]  # fmt: skip


def test_longs_pay_when_the_rate_is_positive_and_shorts_when_it_is_not(strict_exchange):
    ex = exchange(strict_exchange, a=10_000, b=10_000)
    trade(ex, "a", "b", 1)
    ack = ex.settle_funding(X, "0.0001", 1)
    assert payments(ack) == [("FUNDING_PAID", 16, 5, 500), ("FUNDING_RECEIVED", 5, 17, 500)]  # 0.01 % of 50,000
    assert (ex.account("a").cash, ex.account("b").cash) == (9_995, 10_005)
    ex.settle_funding(X, "-0.0003", 2)
    assert (ex.account("a").cash, ex.account("b").cash) == (10_010, 9_990)
    assert ex.residue("USDT") == 0


def test_a_period_settles_once(strict_exchange):
    ex = exchange(strict_exchange, a=10_000, b=10_000)
    trade(ex, "a", "b", 1)
    ex.settle_funding(X, "0.0001", 7)
    before = ex.digest()
    for period in (7, 6, 0):
        with pytest.raises(Rejected) as caught:
            ex.settle_funding(X, "0.0001", period)
        assert caught.value.code == Code.PERIOD_SETTLED
    assert ex.digest() == before
    ex.settle_funding(X, "0.0001", 8)


@pytest.mark.parametrize("rate", ["1", "-1", "2", "0.0000000001", 10**30])
def test_bad_rates(strict_exchange, rate):
    with pytest.raises(Rejected) as caught:
        exchange(strict_exchange).settle_funding(X, rate, 1)
    assert caught.value.code == Code.BAD_RATE


@pytest.mark.parametrize(
    "entry,added,mark,asked,due,charged",
    [(50_300, 97, 50_000, "275", 50_00, 25_00), (50_000, 100, 49_700, "273.35", 49_70, 26_65)],
    ids=["1.12", "at 49,700"],
)
def test_the_cap_leaves_maintenance_margin_and_fee(strict_exchange, entry, added, mark, asked, due, charged):
    """1.12 (OKX help 360053909272): 1 BTC at mark 50,000, margin and profit 300, maintenance and fee 275, 50 due: 25 charged.

    Margin 503 + 97 and a loss of 300. Then again at another mark: 273.35, 49.70 due, 26.65 charged.
    """
    ex = exchange(strict_exchange, rule_set="okx_consistent", a=600, b=10_000)
    ex.mark(X, entry)
    ex.set_leverage("a", X, 100, mode="isolated")
    trade(ex, "a", "b", 1, entry)
    ex.move_margin("a", X, added)
    ex.mark(X, mark)
    position = ex.position("a", X)
    assert (position.margin + position.upl, position.maintenance) == (300, Decimal(asked))
    cash = ex.account("b").cash
    ack = ex.settle_funding(X, "0.001", 1)
    assert (ack.events[-1].due_units, ack.events[-1].collected_units, payments(ack)[0][3]) == (due, charged, charged)
    assert ex.account("b").cash - cash == Decimal(charged) / 100
    position = ex.position("a", X)
    assert position.size == 1 and position.margin + position.upl == position.maintenance == Decimal(asked)
    assert ex.settle_funding(X, "0.001", 2).events[-1].collected_units == 0  # nothing left to take


def test_without_the_cap_funding_can_liquidate(strict_exchange):
    uncapped = replace(rules.find("seed"), name="uncapped", funding_cap=False)
    ex = exchange(strict_exchange, rule_set=uncapped, a=600, b=10_000, m=10_000)
    ex.set_leverage("a", X, 100, mode="isolated")
    trade(ex, "a", "b", 1)
    ex.order("m", X, "buy", 1, price=49_900).ok()
    ack = ex.settle_funding(X, "0.01", 1)
    assert payments(ack)[0][3] == 50_000
    assert ex.position("a", X).size == 0 and any(e.type == EventType.TAKEOVER for e in ack.events)


def test_what_is_collected_is_shared_by_what_is_due_and_the_rest_is_residue(strict_exchange):
    """A long of 3 can pay 3.71 of 14.94; shorts of 1 and 2 are due 4.98 and 9.96 and get floors of a third and two."""
    ex = exchange(strict_exchange, rule_set="okx_consistent", a=1_835, b=10_000, c=10_000)
    ex.set_leverage("a", X, 100, mode="cross")
    for seller, size in (("b", 1), ("c", 2)):
        ex.order(seller, X, "sell", size, price=50_000).ok()
    assert ex.order("a", X, "buy", 3, price=50_000, tif="ioc").filled == 3
    ex.withdraw("a", "USDT", 335)
    ex.mark(X, 49_775)  # equity 825 against 0.55 % of 149,325, rounded up: 821.29
    ack = ex.settle_funding(X, "0.0001", 1)
    assert (ack.events[-1].due_units, ack.events[-1].collected_units) == (14_94, 3_71)
    assert [units for _, _, _, units in payments(ack)] == [3_71, 498 * 371 // 1494, 996 * 371 // 1494]
    assert ex.residue("USDT") == Decimal("0.01")


def test_parcels_settle_through_the_fund(strict_exchange):
    """A long parcel rests unsold: the fund pays its due, then only what it has, and receives when the sign turns."""
    ex = exchange(strict_exchange, a=600, b=100_000)
    ex.set_leverage("a", X, 100, mode="isolated")
    trade(ex, "a", "b", 1)
    ex.seed_fund("USDT", 6)
    ex.mark(X, 49_700)
    assert ex.parcels() and ex.fund("USDT") == 6
    ex.settle_funding(X, "0.0001", 1)
    assert ex.fund("USDT") == Decimal("1.03")
    ex.settle_funding(X, "0.0001", 2)
    assert ex.fund("USDT") == 0
    ex.settle_funding(X, "-0.0001", 3)
    assert ex.fund("USDT") == Decimal("4.97")
