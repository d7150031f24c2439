"""Ways to take out what backs another currency, found by attacks: each is a test that it does not work.

One balance in BTC backs positions in USDT and bears contracts of its own. Whoever could spend it there on an accomplice, or
reserve it, would leave the positions in USDT to the fund.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import Code, Collateral, EventType, Exchange, Funding, InputError, Instrument, PriceModel, Tier, Trigger
from solvent.records import Ending
from test_collateral import BTC, COIN, COIN_BACKS, COINS, TERMS, X, take
from test_hedge import of, refused


def begin(make, instruments=COINS, rules="seed", coins=1):
    """alice: so many BTC at 50,000 of which nine tenths count; bob and mate have much."""
    ex = make(instruments, collateral=COIN_BACKS, rules=rules)
    for who, currency, amount in (("bob", "USDT", 10**7), ("bob", "BTC", 10**3), ("mate", "BTC", 10), ("alice", "BTC", coins)):
        ex.deposit(who, currency, amount)
    for each in instruments:
        ex.mark(each.name, 1_000 if each.name == X else 50_000)
    return ex


def liquidated(events):
    return of(events, EventType.LIQUIDATION)


@pytest.mark.parametrize("way", ["over a closing one", "far", "a stop", "an amendment"])
def test_orders_that_close_do_not_reserve_what_is_needed(make, way):
    """A closing order below mark, or a reduce-only one that leaves another to open, would hold what USDT stands on."""
    ex = begin(make)
    take(ex, COIN, "buy", 200_000, 50_000, 10)
    take(ex, X, "buy", 265, 1_000, 10)
    ex.mark(X, 915)
    if way == "over a closing one":
        first = ex.order("alice", COIN, "sell", 200_000, price=50_100)
        last = ex.order("alice", COIN, "sell", 200_000, price=50_100, reduce_only=True)
        events = [*first.events, *last.events]
    elif way == "far":
        events = ex.order("alice", COIN, "sell", 200_000, price=47_500, reduce_only=True).events
    elif way == "a stop":
        events = ex.order("alice", COIN, "sell", 200_000, price=47_500, reduce_only=True, trigger=Trigger.stop(50_000)).events
    else:
        order = ex.order("alice", COIN, "sell", 200_000, price=50_100)
        events = ex.amend("alice", order.order_id, price=47_500).events
    assert not liquidated(events)
    assert ex.account("alice").wallets["USDT"].equity >= 4_475
    assert ex.account("alice").wallets["BTC"].withdrawable == 0


def test_a_taken_over_currency_leaves_what_it_backed_looked_at(make):
    """At 50x with a fee of 3 % something is spare when a domain is taken over; it goes with it."""
    coin = replace(COINS[2], tiers=[Tier(10**6, "0.02", "0.02")], liquidation_fee="0.03")
    ex = begin(make, [*COINS[:2], coin], "okx_consistent")
    ex.set_leverage("alice", COIN, 50, mode="cross")
    take(ex, COIN, "buy", 900_000, 50_000, 0)
    take(ex, X, "buy", 280, 1_000, 0)
    events = ex.mark(COIN, 49_700).events
    assert {e.currency for e in liquidated(events)} <= {0, 1}
    assert ex.position("alice", X).size == 0 or ex.account("alice").wallets["USDT"].equity > 2_800


def test_a_favourable_price_takes_no_more_than_was_looked_at(make):
    """A quanto contract bought 5 % below mark: initial margin at mark is more than at the limit, and the profit bears it."""
    quanto = Instrument("Q", settle="BTC", kind="quanto", settle_decimals=10,
                        **TERMS | {"contract_size": "0.0000001", "tiers": [Tier(10**6, "0.005", "0.01")]})  # fmt: skip
    ex = begin(make, [replace(COINS[0], tiers=[Tier(1_000, "0.005", "0.01")]), COINS[1], quanto])
    take(ex, X, "buy", 150, 1_000, 100)
    ex.mark(X, 995)
    ex.set_leverage("alice", "Q", 1, mode="cross")
    before = ex.account("alice").wallets["USDT"].equity
    ex.order("mate", "Q", "sell", 200, price=47_500).ok()
    ack = ex.order("alice", "Q", "buy", 200, price=47_500, tif="ioc")
    assert not liquidated(ack.events)
    assert ex.account("alice").wallets["USDT"].free >= 0 or ex.account("alice").wallets["USDT"].equity == before


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_closing_trade_spends_no_more_than_what_it_backs_can_spare(make, side):
    """With an accomplice a position could be closed 5 % off mark, which another currency's positions would pay for."""
    ex = begin(make)
    other = {"buy": "sell", "sell": "buy"}[side]
    take(ex, COIN, side, 200_000, 50_000, 50)
    take(ex, X, "buy", 400, 1_000, 10)
    ex.mark(X, 907)  # equity of about 4,200
    price = 47_500 if side == "buy" else 52_500
    ex.order("mate", COIN, side, 200_000, price=price).ok()
    ack = ex.order("alice", COIN, other, 200_000, price=price, tif="ioc")
    assert not liquidated(ack.events) and of(ack.events, EventType.DONE)[-1].ending == Ending.BANKRUPTCY_LIMIT
    assert ex.position("alice", X).size == 400
    ex.order("bob", COIN, side, 200_000, price=50_000).ok()
    assert ex.order("alice", COIN, other, 200_000, price=50_000, tif="ioc").filled > 0  # at mark it goes


def test_delisting_what_prices_collateral_is_looked_at(make):
    ex = begin(make, COINS[:2])
    take(ex, X, "buy", 400, 1_000, 10)
    cursor = ex.cursor()
    ex.delist(BTC, 2_000)
    assert liquidated(cursor) and ex.position("alice", X).size == 0


def test_the_lesser_leg_of_a_hedge_closes_at_the_touch(make):
    """Nothing is asked for it, so its share of equity is nothing; all of it stands behind closing it."""
    ex = make([Instrument(X, **TERMS, hedge="larger")], rules="okx_consistent")
    for who in ("bob", "alice"):
        ex.deposit(who, "USDT", 10**6)
    ex.mark(X, 1_000)
    ex.set_position_mode("alice", X, "hedge")
    for leg, side, other, size in (("long", "buy", "sell", 10), ("short", "sell", "buy", 4)):
        ex.order("bob", X, other, size, price=1_000).ok()
        ex.order("alice", X, side, size, price=1_000, leg=leg, tif="ioc").ok()
    ex.order("bob", X, "sell", 4, price=1_001).ok()
    assert ex.order("alice", X, "buy", 4, leg="short").filled == 4


def test_one_side_of_a_hedge_does_not_go_with_collateral(make):
    """What is spare is told position by position."""
    coin = replace(COINS[2], hedge="larger")
    with pytest.raises(InputError, match="larger"):
        Exchange([*COINS[:2], coin], collateral=COIN_BACKS)
    ex = make(COINS[:2], collateral=COIN_BACKS)
    with pytest.raises(InputError, match="larger"):
        ex.add_instrument(coin)


def test_weights_by_the_index_stay_in_64_bits(make):
    """The weights of an hour of 20 ms at the highest prices did not; so few samples a period do."""
    terms = {"contract_size": 1, "tick": "0.001", "max_price": 268_000, "tiers": [Tier(100, "0.01", "0.02")]}
    funding = Funding(interval_ns=3_600 * 10**9, premium="mark", weights="index", interest=0, clamp=0)
    model = PriceModel(components=["basis_mean"], sample_ns=110 * 10**6, funding=funding)
    with pytest.raises(InputError, match="a period"):
        Instrument(X, **terms, prices=replace(model, sample_ns=100 * 10**6))
    ex = make([Instrument(X, **terms, prices=model)])
    for who in "ab":
        ex.deposit(who, "USDT", 10**6)
    ex.index(X, 265_000)
    ex.order("a", X, "buy", 1, price=267_900).ok()
    ex.order("b", X, "sell", 1, price=267_910).ok()
    cursor = ex.cursor()
    ex.advance(10**9)
    ex.advance(3_600 * 10**9 + 1)
    (rated,) = of(cursor, EventType.RATED)
    assert 0.0109 < rated.premium_ppb / 10**9 < 0.011 and rated.samples == 32_727


def test_fractions_too_fine_are_refused(make):
    ex = make(COINS, collateral=COIN_BACKS)
    ex.open_account("a")
    for each in (Fraction(7, 2**63), Fraction(2**70, 3), Fraction(-1, 2)):
        refused(Code.BAD_LEVERAGE, ex.set_leverage, "a", X, each)
    assert Collateral("B", of="USDT", price=BTC, haircut=0).units(Decimal(1), Decimal(1)) > (0, 0)
