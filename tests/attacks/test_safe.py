"""Ways round SAFE-1 and SAFE-2, and harm to oneself, that an attack found; each must stay closed (decision 0013)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Collateral, EventType, Instrument, Tier, rules
from solvent.records import Ending
from support.bystanders import FREE, OTHER, X, endings, happened, market

PLAIN = {"contract_size": 1, "tick": "0.1", "max_price": 1_000, "tiers": [Tier(10**6, "0.005", "0.01")], **FREE}


def backed(make, orders):
    """USDT backed by V, in which W settles; a has 10 USDT and 1,000 V, and is long 150 of W."""
    each = [("X", "USDT"), ("W", "V"), ("V-USDT", "USDT")]
    ex = make([Instrument(name, settle=settle, **PLAIN) for name, settle in each],
              rules=replace(rules.find("seed"), orders=orders),
              collateral=[Collateral("V", of="USDT", price="V-USDT", haircut="0.1", decimals=6)])  # fmt: skip
    ex.seed_fund("USDT", 100_000)
    for name in "mb":
        ex.deposit(name, "USDT", 10**6)
        ex.deposit(name, "V", 10**6)
    ex.deposit("a", "USDT", 10)
    ex.deposit("a", "V", 1_000)
    for name, price in (("X", 100), ("W", 100), ("V-USDT", 1)):
        ex.mark(name, price)
    for name in "WX":
        ex.set_leverage("a", name, 100, mode="cross")
    return ex


@pytest.mark.parametrize("orders", ["ignored", "fee", "notional"])
def test_a_debt_does_not_hide_behind_orders(strict_exchange, orders):
    """Wash trades leave a wallet below zero, an order counts, another then holds what backs it: the fund paid 380."""
    ex = backed(strict_exchange, orders)
    ex.order("m", "W", "sell", 150, price=100).ok()
    ex.order("a", "W", "buy", 150, price=100).ok()
    bid = ex.order("a", "X", "buy", 1, price=50).ok()
    for _ in range(20):
        ex.order("b", "X", "sell", 60, price=104).ok()
        if not ex.order("a", "X", "buy", 60, price=104).filled:
            break
        ex.order("b", "X", "buy", 60, price=100).ok()
        if not ex.order("a", "X", "sell", 60, price=100, reduce_only=True).filled:
            break
    ex.cancel_all("b")
    ex.cancel("a", bid.order_id)
    ex.order("a", "W", "sell", 150, price=95)
    assert ex.fund("USDT") == 100_000 and ex.account("a").wallets["USDT"].cash >= 0


@pytest.mark.parametrize("hidden", [False, True])
def test_a_delisting_takes_what_orders_hold_before_the_funds(strict_exchange, hidden):
    ex = backed(strict_exchange, "ignored")
    ex.order("m", "X", "sell", 50, price=100).ok()
    ex.order("a", "X", "buy", 50, price=100).ok()
    if hidden:
        ex.order("a", "W", "buy", 800, price=99).ok()
    ex.delist("X", 90)
    assert ex.fund("USDT") == 100_000 and ex.account("a").wallets["USDT"].cash >= 0


@pytest.mark.parametrize("units", [86_956, 86_957, 86_958])
def test_what_rounding_takes_at_mark_is_nobodys_end(strict_exchange, units):
    """An inverse long at 115 is worth a unit less than it cost; its hold does not have that unit."""
    coin = {"settle": "W", "settle_decimals": 8, "contract_size": 1, "tick": 1, "max_price": 1_000} | FREE
    ex = strict_exchange([Instrument("I", kind="inverse", tiers=[Tier(10**6, "0.005", "0.01")], **coin)])
    ex.deposit("b", "W", 10**6)
    ex.deposit("a", "W", Decimal(units) / 10**8)
    ex.mark("I", 115)
    ex.set_leverage("a", "I", 20, mode="isolated")
    bid = ex.order("a", "I", "buy", 2, price=115)
    assert bool(bid) is (units >= 86_957)
    if bid:
        most = ex.account("a").withdrawable
        if most:
            ex.withdraw("a", "W", most)
        assert ex.order("b", "I", "sell", 2, price=115, tif="ioc").filled == 2 and ex.position("a", "I").size == 2


@pytest.mark.parametrize("side,maker", [("buy", False), ("sell", False), ("buy", True)])
def test_a_reduction_leaves_the_rest_at_its_threshold(strict_exchange, side, maker):
    """Lifted exactly to R_own, one lot sold back: what it released left the rest a unit short: it was taken over."""
    tiers = [Tier(2_000, "0.005", "0.01"), Tier(10_000, "0.01", "0.02")]
    coin = {"settle": "XBT", "settle_decimals": 10, "contract_size": 100, "tick": "0.5", "max_price": 10**6, "tiers": tiers}
    ex = strict_exchange([Instrument("XBTUSD", kind="inverse", **coin)])
    for name, amount in (("a", 10), ("b", 10_000)):
        ex.deposit(name, "XBT", amount)
    ex.mark("XBTUSD", 50_000)
    ex.set_leverage("a", "XBTUSD", 50, mode="isolated")

    def trade(which, size, price, **terms):
        ex.order("b", "XBTUSD", OTHER[which], size, price=price).ok()
        return ex.order("a", "XBTUSD", which, size, price=price, **terms).ok()

    trade(side, 2_000, 50_000)
    mark = 50_600 if side == "sell" else 49_400
    ex.mark("XBTUSD", mark)
    trade(side, 50, mark)
    if maker:
        ex.order("a", "XBTUSD", OTHER[side], 1, price=mark, reduce_only=True).ok()
        ack = ex.order("b", "XBTUSD", side, 1, price=mark).ok()
    else:
        ack = trade(OTHER[side], 1, mark, reduce_only=True)
    assert not happened(ack, EventType.LIQUIDATION) and abs(ex.position("a", "XBTUSD").size) == 2_049


def test_a_reduction_of_a_factor_table_keeps_what_the_rest_needs(strict_exchange):
    ex = market(
        strict_exchange,
        money={"a": 10_000},
        scheme="factor",
        tiers=[Tier(8, "0.01", "0.01"), Tier(20, "0.03", "0.045")],
        **FREE,
    )
    ex.set_leverage("a", X, 2, mode="isolated")
    ex.order("b", X, "sell", 12, price=100).ok()
    ex.order("a", X, "buy", 12, price=100).ok()
    ex.mark(X, 85)
    ex.order("b", X, "buy", 5, price=85).ok()
    ack = ex.order("a", X, "sell", 5, price=85, reduce_only=True)
    assert ack.filled == 5 and ex.position("a", X).size == 7 and not happened(ack, EventType.LIQUIDATION)


@pytest.mark.parametrize("way", ["resting", "fired"])
def test_a_reduce_only_order_that_makes_others_open_more_ends_alone(strict_exchange, way):
    """Where orders count its rest would carry the account below its threshold: it ends, the others stay."""
    rule = replace(rules.find("seed"), orders="notional")
    ex = market(strict_exchange, money={"a": 60}, rule=rule, **FREE | {"tiers": [Tier(10**6, "0.04", "0.05")]})
    ex.set_leverage("a", X, 20, mode="cross")
    ex.order("b", X, "sell", 10, price=100).ok()
    ex.order("a", X, "buy", 10, price=100).ok()
    first = ex.order("a", X, "sell", 11, price=101).ok()
    ack = ex.order("a", X, "sell", 10, price=105, reduce_only=True).ok()
    assert (ack.resting, endings(ack)) == (0, [(ack.order_id, Ending.UNCOVERED)])
    assert [o.order_id for o in ex.open_orders("a")] == [first.order_id]


@pytest.mark.parametrize("terms", [{"fee_at": "bankruptcy"}, {"at_threshold": True}])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_may_be_withdrawn_endangers_nobody(strict_exchange, terms, side):
    rule = replace(rules.find("okx_consistent"), **terms, **({"funding_cap": False} if "fee_at" in terms else {}))
    tiers = [Tier(10**6, "0.01", "0.02" if "fee_at" in terms else "0.01")]
    fees = FREE | ({"liquidation_fee": "0.01"} if "fee_at" in terms else {})
    for mode in ("cross", "isolated"):
        ex = market(strict_exchange, money={"a": 1_000}, rule=rule, **fees | {"tiers": tiers})
        ex.set_leverage("a", X, 50, mode=mode)
        ex.order("b", X, OTHER[side], 100, price=100).ok()
        ex.order("a", X, side, 100, price=100).ok()
        most = ex.account("a").withdrawable
        ex.withdraw("a", "USDT", most)
        assert abs(ex.position("a", X).size) == 100
        with pytest.raises(Exception, match="INSUFFICIENT_BALANCE"):
            ex.withdraw("a", "USDT", "0.000001")


@pytest.mark.parametrize("terms", [{}, {"tif": "ioc"}, {"tif": "fok"}])
def test_a_better_price_is_no_harm(strict_exchange, terms):
    """Sold at 100.1 a lot asks more margin than at the limit of 100, which is what was there: the rest ended."""
    ex = market(strict_exchange, money={"a": 100}, **FREE)
    ex.set_leverage("a", X, 10, mode="isolated")
    ex.order("b", X, "buy", 5, price="100.1").ok()
    ex.order("b", X, "buy", 20, price=100).ok()
    assert ex.order("a", X, "sell", 10, price=100, **terms).filled == 10


def test_closing_counts_at_the_prices_at_which_it_trades(strict_exchange):
    """10 asked at 100 and 10 at 101: a market order for 20 closes at 100, as one of 10 would."""
    ex = market(strict_exchange, money={"a": 35}, **FREE)
    ex.set_leverage("a", X, 50, mode="cross")
    ex.order("b", X, "buy", 10, price=100).ok()
    ex.order("a", X, "sell", 10, price=100).ok()
    for price in (100, 101):
        ex.order("b", X, "sell", 10, price=price).ok()
    assert ex.order("a", X, "buy", 20).filled == 20 and ex.position("a", X).size == 10


def test_what_opens_is_not_bound_by_what_closing_may_cost(strict_exchange):
    """Short 1 at 50x: closed at 101 it may cost no more than 2; what opens behind may cost more."""
    ex = market(strict_exchange, money={"a": 1_000}, **FREE)
    ex.set_leverage("a", X, 50, mode="isolated")
    ex.order("b", X, "buy", 1, price=100).ok()
    ex.order("a", X, "sell", 1, price=100).ok()
    for price in (101, 103):
        ex.order("b", X, "sell", 1, price=price).ok()
    assert ex.order("a", X, "buy", 2, price=103).filled == 2 and ex.position("a", X).size == 1
    ex.order("b", X, "sell", 5, price=104).ok()
    assert ex.order("a", X, "sell", 1, price=100).resting == 1  # and orders go on
    assert ex.order("a", X, "buy", 1, price=104).filled == 1
