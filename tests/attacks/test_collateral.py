"""Ways to take out what backs another currency, found by attacks: each is a test that it does not work.

One balance in BTC backs positions in USDT and bears contracts of its own. Whoever could spend it there on an accomplice, or
reserve it, would leave the positions in USDT to the fund.
"""

from dataclasses import replace
from fractions import Fraction

import pytest

from solvent import Code, EventType, Exchange, Funding, InputError, Instrument, PriceModel, Rates, Tier, Trigger
from solvent.records import CommandType, Ending, command
from solvent.terms.spec import to_records
from support.coins import BTC, COIN, COIN_BACKS, COINS, TERMS, X, take
from support.hedges import of, refused


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
def test_orders_that_close_do_not_reserve_what_is_needed(strict_exchange, way):
    """A closing order below mark, or a reduce-only one that leaves another to open, would hold what USDT stands on."""
    ex = begin(strict_exchange)
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


def test_a_cancelled_order_gives_back_what_it_held(strict_exchange):
    """A deep bid hides the loss of a reduce-only order, and would hold coins when what they back is liquidated."""
    ex = begin(strict_exchange)
    ex.seed_fund("USDT", 50_000)
    take(ex, COIN, "buy", 550_000, 50_000, 50)
    ex.order("alice", COIN, "buy", 300_000, price=10_500).ok()
    ex.order("alice", COIN, "sell", 550_000, price=47_500, reduce_only=True).ok()
    take(ex, X, "buy", 90, 1_000, 10)
    ex.mark(X, 915)
    ex.order("bob", X, "buy", 300, price=914).ok()
    ex.order("mate", COIN, "buy", 550_000, price=47_500, tif="ioc")
    assert ex.fund("USDT") == 50_000 and ex.position("alice", X).size == 90


UNEVEN = [
    {"tiers": [Tier(10**6, "0.02", "0.02")], "liquidation_fee": "0.03"},
    {"tiers": [Tier(10**6, "0.02", "0.02")], "basis": "net", "liquidation_fee": "0.03"},
    {"tiers": [Tier(10**5, "0.005", "0.01"), Tier(10**6, "0.1", "0.1")], "basis": "net", "liquidation_fee": "0.05"},
    {"tiers": [Tier(10**6, "0.01", "0.02")], "rates": [Rates(["0.0199"], side="short")], "liquidation_fee": "0.001"},
    {"hedge": "larger"},
]


@pytest.mark.parametrize("terms", UNEVEN)
def test_what_asks_for_more_than_its_leverage_leaves_does_not_back(strict_exchange, terms):
    """Requirements that jump by an own command, or that one leg bears for another, took what was counted elsewhere."""
    coin = replace(COINS[2], **terms)
    with pytest.raises(InputError, match="as collateral each tier"):
        Exchange([*COINS[:2], coin], collateral=COIN_BACKS)
    ex = strict_exchange(COINS[:2], collateral=COIN_BACKS)
    with pytest.raises(InputError, match="as collateral each tier"):
        ex.add_instrument(coin)
    record = to_records(COIN, coin.spec, 1)
    command_ = command(CommandType.ADD_INSTRUMENT, records=1 + len(record) // 64) + record
    assert ex._kernel.apply(command_) == Code.BAD_INSTRUMENT


@pytest.mark.parametrize("size,accepted", [(33_000, True), (37_800, False)])
def test_a_limit_worse_than_mark_is_looked_at_by_its_mark(strict_exchange, size, accepted):
    """An inverse contract bought 5 % above mark is worth less at the limit than at mark; USDT has 34,100 to spare."""
    ex = begin(strict_exchange, [replace(COINS[0], tiers=[Tier(1_000, "0.005", "0.01")]), *COINS[1:]])
    take(ex, X, "buy", 100, 1_000, 100)
    ex.mark(X, 900)
    ex.set_leverage("alice", COIN, 1, mode="cross")
    ex.order("mate", COIN, "sell", size, price=52_500).ok()
    ack = ex.order("alice", COIN, "buy", size, price=52_500, tif="ioc")
    assert bool(ack) is accepted and not liquidated(ack.events)
    assert ex.account("alice").wallets["USDT"].free >= 0


def test_a_favourable_price_takes_no_more_than_was_looked_at(strict_exchange):
    """A quanto contract bought 5 % below mark: initial margin at mark is more than at the limit, and the profit bears it."""
    quanto = Instrument("Q", settle="BTC", kind="quanto", settle_decimals=10,
                        **TERMS | {"contract_size": "0.0000001", "tiers": [Tier(10**6, "0.005", "0.01")]})  # fmt: skip
    ex = begin(strict_exchange, [replace(COINS[0], tiers=[Tier(1_000, "0.005", "0.01")]), COINS[1], quanto])
    take(ex, X, "buy", 150, 1_000, 100)
    ex.mark(X, 995)
    ex.set_leverage("alice", "Q", 1, mode="cross")
    before = ex.account("alice").wallets["USDT"].equity
    ex.order("mate", "Q", "sell", 200, price=47_500).ok()
    ack = ex.order("alice", "Q", "buy", 200, price=47_500, tif="ioc")
    assert not liquidated(ack.events)
    assert ex.account("alice").wallets["USDT"].free >= 0 or ex.account("alice").wallets["USDT"].equity == before


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_closing_trade_spends_no_more_than_what_it_backs_can_spare(strict_exchange, side):
    """With an accomplice a position could be closed 5 % off mark, which another currency's positions would pay for."""
    ex = begin(strict_exchange)
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


def test_delisting_what_prices_collateral_is_looked_at(strict_exchange):
    ex = begin(strict_exchange, COINS[:2])
    take(ex, X, "buy", 400, 1_000, 10)
    cursor = ex.cursor()
    ex.delist(BTC, 2_000)
    assert liquidated(cursor) and ex.position("alice", X).size == 0


def test_the_lesser_leg_of_a_hedge_closes_at_the_touch(strict_exchange):
    """Nothing is asked for it, so its share of equity is nothing; all of it stands behind closing it."""
    ex = strict_exchange([Instrument(X, **TERMS, hedge="larger")], rules="okx_consistent")
    for who in ("bob", "alice"):
        ex.deposit(who, "USDT", 10**6)
    ex.mark(X, 1_000)
    ex.set_position_mode("alice", X, "hedge")
    for leg, side, other, size in (("long", "buy", "sell", 10), ("short", "sell", "buy", 4)):
        ex.order("bob", X, other, size, price=1_000).ok()
        ex.order("alice", X, side, size, price=1_000, leg=leg, tif="ioc").ok()
    ex.order("bob", X, "sell", 4, price=1_001).ok()
    assert ex.order("alice", X, "buy", 4, leg="short").filled == 4


@pytest.mark.parametrize("first", ["long", "short"])
def test_closing_a_leg_leaves_enough_for_the_other(strict_exchange, first):
    """Of a hedge of which one side counts; 2 % off mark would take all of it but 550."""
    ex = strict_exchange([Instrument(X, **TERMS, hedge="larger")], rules="okx_consistent")
    for who, amount in (("bob", 10**7), ("mate", 10**6), ("alice", 20_500)):
        ex.deposit(who, "USDT", amount)
    ex.mark(X, 1_000)
    ex.set_position_mode("alice", X, "hedge")
    for leg, side, other, size in (("long", "buy", "sell", 1_000), ("short", "sell", "buy", 25)):
        ex.set_leverage("alice", X, 50, mode="cross", leg=leg)
        for _ in range(1 if leg == "long" else 38):
            ex.order("bob", X, other, size, price=1_000).ok()
            ex.order("alice", X, side, size, price=1_000, leg=leg, tif="ioc").ok()
    side, other, price, size = ("sell", "buy", 980, 1_000) if first == "long" else ("buy", "sell", 1_021, 950)
    ex.order("mate", X, other, size, price=price).ok()
    ack = ex.order("alice", X, side, size, price=price, leg=first, tif="ioc")
    assert not liquidated(ack.events) and ack.filled == 0
    assert ex.account("alice").wallets["USDT"].equity == 20_500
    fair = 998 if first == "long" else 1_002
    ex.order("bob", X, other, size, price=fair).ok()
    assert ex.order("alice", X, side, size, price=fair, leg=first, tif="ioc").filled == size


def test_weights_by_the_index_stay_in_64_bits(strict_exchange):
    """The weights of an hour of 20 ms at the highest prices did not; so few samples a period do."""
    terms = {"contract_size": 1, "tick": "0.001", "max_price": 268_000, "tiers": [Tier(100, "0.01", "0.02")]}
    funding = Funding(interval_ns=3_600 * 10**9, premium="mark", weights="index", interest=0, clamp=0)
    model = PriceModel(components=["basis_mean"], sample_ns=110 * 10**6, funding=funding)
    with pytest.raises(InputError, match="a period"):
        Instrument(X, **terms, prices=replace(model, sample_ns=100 * 10**6))
    ex = strict_exchange([Instrument(X, **terms, prices=model)])
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


def test_fractions_too_fine_are_refused(strict_exchange):
    ex = strict_exchange(COINS, collateral=COIN_BACKS)
    ex.open_account("a")
    for each in (Fraction(7, 2**63), Fraction(2**70, 3), Fraction(-1, 2)):
        refused(Code.BAD_LEVERAGE, ex.set_leverage, "a", X, each)
