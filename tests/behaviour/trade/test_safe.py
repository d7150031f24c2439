"""Nothing costs anyone but its owner: the known ways to make it so, each shut (SAFE-1, SAFE-2; decision 0013).

The auditor behind every command holds both invariants against each fill; what is said here is what becomes of the orders.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from solvent import Code, Collateral, EventType, InputError, Instrument, Rejected, Tier, Trigger, rules
from solvent.records import Ending
from support.bystanders import FREE, OTHER, X, Y, endings, happened, market

TIERS = [Tier(2_000, "0.005", "0.01"), Tier(10_000, "0.01", "0.02"), Tier(40_000, "0.015", "0.05")]


def kept(ex, fund=10_000):
    """Neither fund nor deficit paid, and nobody was deleveraged."""
    assert (ex.fund("USDT"), ex.deficit("USDT")) == (fund, 0)


# --- SAFE-1: a resting parcel


def test_a_parcel_that_fills_slowly_waits_for_the_next_mark(strict_exchange):
    """Its cost is shared out to the unit: after 499 of 1,000 fills the rest has no value. Then it was sold 5 % below mark."""
    ex = market(strict_exchange, money={"a": 20_000}, **FREE)
    ex.set_leverage("a", X, 10, mode="isolated")
    ex.order("b", X, "sell", 1_000, price=100).ok()
    ex.order("a", X, "buy", 1_000, price=100).ok()
    ex.move_margin("a", X, "0.000499")
    ex.mark(X, 90)
    assert [parcel.size for parcel in ex.parcels()] == [1_000]
    ex.order("c", X, "buy", 1_000, price="85.5")
    worth = []
    for _ in range(999):
        ack = ex.order("d", X, "buy", 1, price=90, tif="ioc")
        assert ack.filled == 1 and happened(ack, EventType.ADL, EventType.TRADE) == [EventType.TRADE]
        worth.append(90 * ex.parcels()[0].size - ex.parcels()[0].cost)
    assert min(worth) <= 0 <= Decimal(10_000) - ex.fund("USDT") + Decimal("0.000999")
    assert ex.order("d", X, "buy", 1, price=90, tif="ioc").filled == 1 and not ex.parcels()
    assert ex.deficit("USDT") == 0


def hedged_and_poor(make):
    """a is long and short 200 of X, netted, with 1,080 left after a loss in Y; one leg alone asks 1,040 and more."""
    tiers = [Tier(100, "0.005", "0.01"), Tier(1_000, "0.05", "0.05")]
    terms = {"basis": "net", "tiers": tiers, "rule": rules.find("okx_consistent")} | FREE | {"liquidation_fee": "0.002"}
    ex = market(make, X, Y, fund=1, money={"a": 3_080}, **terms)
    ex.set_position_mode("a", X, "hedge")
    for name, leg, side, lots in ((X, "long", "buy", 200), (X, "short", "sell", 200), (Y, None, "buy", 100)):
        ex.set_leverage("a", name, 10 if name == Y else 20, leg=leg, mode="cross")
        ex.order("b", name, OTHER[side], lots, price=100).ok()
        ex.order("a", name, side, lots, price=100, leg=leg).ok()
    ex.mark(Y, 80)
    return ex


def test_a_takeover_by_a_trade_rests_and_costs_others_at_the_next_mark_only(strict_exchange):
    """Closing one leg of a netted hedge carries the other into a dearer tier: a liquidation like any other."""
    ex = hedged_and_poor(strict_exchange)
    ex.order("c", X, "sell", 200, price=100).ok()
    ack = ex.order("a", X, "buy", 200, price=100, leg="short")
    assert ack.filled == 200 and happened(ack, EventType.TAKEOVER, EventType.ADL) == [EventType.TAKEOVER] * 2
    kept(ex, 1)
    of_x, of_y = ex.parcels()
    assert (of_x.size, of_y.size) == (200, 100) and of_x.order_id and of_y.order_id
    assert 200 * 100 - of_x.cost + 100 * 80 - of_y.cost == 1_080
    assert EventType.ADL in happened(ex.mark(X, 90), EventType.ADL) and len(ex.parcels()) == 1


def test_a_fired_orders_victim_is_liquidated_before_the_next_one_fires(strict_exchange):
    """Decision 0005: a stop closes a leg of a netted hedge, which endangers the other; then the next stop's turn comes."""
    ex, mark = hedged_and_poor(strict_exchange), 101
    ex.order("a", X, "buy", 200, price=105, leg="short", trigger=Trigger.stop(mark)).ok()
    last = ex.order("c", X, "buy", 1, price=105, trigger=Trigger.stop(mark)).ok()
    ex.order("c", X, "sell", 200, price=mark).ok()
    kinds = happened(ex.mark(X, mark), EventType.TRIGGERED, EventType.LIQUIDATION, EventType.TAKEOVER)
    first, *between, second = kinds
    assert first == second == EventType.TRIGGERED and between[-1] == EventType.TAKEOVER and last


# --- SAFE-2: makers


def lose_elsewhere(ex, way):
    """What a bid of `a` in X relies on is spent in Y."""
    if way == "closing":
        ex.order("b", Y, "buy", 100, price="95.1").ok()
        ex.order("a", Y, "sell", 100, price="95.1", reduce_only=True).ok()
    elif way == "funding":
        for period in range(1, 6):
            ex.settle_funding(Y, "0.01", period)
    elif way == "delisting":
        ex.delist(Y, "95.1")
    elif way == "mark":
        ex.mark(Y, "95.1")


@pytest.mark.parametrize("mode,way", list(product(["isolated", "cross"], ["closing", "funding", "delisting", "mark"])))
def test_a_bid_whose_money_was_lost_elsewhere_ends_before_it_trades(strict_exchange, mode, way):
    """Its hold is there, its cash is not: the next order in the queue takes its place."""
    ex = market(strict_exchange, X, Y, money={"a": 540}, **FREE)
    ex.set_leverage("a", X, 20, mode=mode)
    ex.set_leverage("a", Y, 50, mode="cross")
    ex.order("b", Y, "sell", 100, price=100).ok()
    ex.order("a", Y, "buy", 100, price=100).ok()
    bid = ex.order("a", X, "buy", 66, price=100).ok()
    second = ex.order("c", X, "buy", 66, price=100).ok()
    lose_elsewhere(ex, way)
    cash, fund = ex.account("a").cash, ex.fund("USDT")
    assert [order.order_id for order in ex.open_orders("a")] == [bid.order_id]
    ex.mark(X, "99.7")  # R_own of the bid is there at 100: 33 of at most 50
    sold = ex.order("d", X, "sell", 66, price="99.7", tif="ioc")
    trades = [e.maker_order_id for e in sold.events if e.type == EventType.TRADE]
    assert sold.filled == 66 and trades == [second.order_id] and (bid.order_id, Ending.UNCOVERED) in endings(sold)
    assert ex.account("a").cash == cash
    kept(ex, fund)


@pytest.mark.parametrize("mode,side,mark", list(product(["isolated", "cross"], ["buy", "sell"], [97, 93, 90])))
def test_a_bid_above_a_mark_that_has_fallen_is_not_the_funds(strict_exchange, mode, side, mark):
    """104 at mark 100, with margin for that; then the mark falls and a friend sells into it."""
    away = 1 if side == "buy" else -1
    ex = market(strict_exchange, money={"a": 260}, taker_fee="0.0005", maker_fee="0.0002", liquidation_fee="0.0005")
    ex.set_leverage("a", X, 50, mode=mode)
    order = ex.order("a", X, side, 40, price=100 + 4 * away).ok()
    ex.mark(X, 100 + (mark - 100) * away)
    fund = ex.fund("USDT")
    sold = ex.order("b", X, OTHER[side], 40, price=100 + (mark - 100) * away, tif="ioc")
    assert sold.filled == 0 and endings(sold)[0] == (order.order_id, Ending.UNCOVERED)
    kept(ex, fund)


def test_an_amended_order_is_as_uncovered_as_a_new_one(strict_exchange):
    ex = market(strict_exchange, money={"a": 260}, **FREE)
    ex.set_leverage("a", X, 50, mode="cross")
    order = ex.order("a", X, "buy", 40, price=90).ok()
    ex.amend("a", order.order_id, price=104).ok()
    ex.mark(X, 95)
    assert ex.amend("a", order.order_id, price="99.7").code == Code.INSUFFICIENT_MARGIN
    assert endings(ex.order("b", X, "sell", 40, price=95, tif="ioc"))[0] == (order.order_id, Ending.UNCOVERED)


@pytest.mark.parametrize("how", ["taker", "call", "turn"])
def test_a_sale_above_its_limit_takes_nothing_that_other_orders_hold(strict_exchange, how):
    """Sold at 104 instead of 100, it asks 104 of initial margin and was tested for 100; the other 90 hold a bid elsewhere."""
    ex = market(strict_exchange, X, Y, money={"a": 190}, **FREE)
    for name in (X, Y):
        ex.set_leverage("a", name, 10, mode="isolated")
    if how == "turn":
        ex.deposit("a", "USDT", 10)
        ex.order("b", X, "sell", 1, price=100).ok()
        ex.order("a", X, "buy", 1, price=100).ok()
    ex.order("a", Y, "buy", 9, price=100).ok()
    if how == "call":
        ex.set_state(X, "auction")
    ex.order("b", X, "buy", 20, price=104).ok()
    ex.order("a", X, "sell", 11 if how == "turn" else 10, price=100).ok()
    if how == "call":
        ex.set_state(X, "continuous")
    sold, account = ex.position("a", X), ex.account("a")
    profit = 14 if how == "turn" else 0  # the closed lot's margin and its profit go to the wallet, and are free
    assert (sold.size, sold.entry_price, sold.margin) == (-10, 104, min(104, 100 + profit))
    assert account.cash == 190 + profit - sold.margin and account.hold == 90
    ex.order("b", Y, "sell", 9, price=100).ok()
    assert ex.position("a", Y).margin == 90 and ex.account("a").cash >= 0


def test_the_same_of_an_inverse_contract(strict_exchange):
    xbt = Instrument("XBTUSD", kind="inverse", settle="XBT", settle_decimals=10, contract_size=1, tick="0.5", max_price=10**6,
                     tiers=[Tier(10**7, "0.005", "0.01")], **FREE)  # fmt: skip
    ex = strict_exchange([xbt])
    ex.seed_fund("XBT", 10)
    ex.deposit("a", "XBT", "0.2")
    ex.deposit("b", "XBT", 1_000)
    ex.mark("XBTUSD", 50_000)
    ex.set_leverage("a", "XBTUSD", 50, mode="cross")
    order = ex.order("a", "XBTUSD", "buy", 150_000, price=52_000).ok()
    ex.mark("XBTUSD", 47_000)
    sold = ex.order("b", "XBTUSD", "sell", 150_000, price=47_000, tif="ioc")
    assert endings(sold)[0] == (order.order_id, Ending.UNCOVERED) and ex.fund("XBT") == 10


def test_a_bid_that_empties_the_wallet_with_its_first_fill_is_gone_with_the_second(strict_exchange):
    """Filled above mark, each lot asks more than its share of the hold."""
    ex = market(strict_exchange, money={"a": 52}, taker_fee="0.001", maker_fee="0.001", liquidation_fee="0.001")
    ex.set_leverage("a", X, 20, mode="isolated")
    bid = ex.order("a", X, "buy", 10, price=100).ok()
    ex.mark(X, 95)
    first = ex.order("b", X, "sell", 4, price=95, tif="ioc")
    ex.order("c", X, "buy", 6, price=95)
    second = ex.order("b", X, "sell", 6, price=95, tif="ioc")
    assert (first.filled, second.filled) == (4, 6)
    assert endings(second)[0] == (bid.order_id, Ending.UNCOVERED)
    assert ex.position("a", X).size == 4 and ex.account("a").cash >= 0
    kept(ex)


@pytest.mark.parametrize("mode,side", list(product(["isolated", "cross"], ["buy", "sell"])))
def test_funding_that_eats_what_a_closing_order_was_to_lose(strict_exchange, mode, side):
    """Six settlements of 1 %, then a close that rests 4.5 % through the mark: it is worth more than is left."""
    ex = market(strict_exchange, money={"a": 1_200}, **FREE)
    ex.set_leverage("a", X, 10, mode=mode)
    ex.order("b", X, OTHER[side], 100, price=100).ok()
    ex.order("a", X, side, 100, price=100).ok()
    if mode == "isolated":
        ex.move_margin("a", X, 200)
    limit = "95.5" if side == "buy" else "104.5"
    close = ex.order("a", X, OTHER[side], 100, price=limit).ok()
    for period in range(1, 11):
        ex.settle_funding(X, "0.01" if side == "buy" else "-0.01", period)
    ack = ex.order("c", X, side, 100, price=limit, tif="ioc")
    assert endings(ack)[0] == (close.order_id, Ending.UNCOVERED) and ack.filled == 0
    assert abs(ex.position("a", X).size) == 100
    kept(ex)


def test_of_an_order_that_turns_a_position_what_closes_may_trade_alone(strict_exchange):
    """Its owner bears the closing lots; what would open ends before it trades."""
    ex = market(strict_exchange, money={"a": 510}, **FREE)
    ex.set_leverage("a", X, 50, mode="cross")
    ex.order("b", X, "sell", 100, price=100).ok()
    ex.order("a", X, "buy", 100, price=100).ok()
    turn = ex.order("a", X, "sell", 250, price=101).ok()
    ex.mark(X, 105)
    ack = ex.order("c", X, "buy", 250, price=105, tif="ioc")
    assert ack.filled == 100 and ex.position("a", X).size == 0
    cut = [(e.order_id, e.cut_lots, e.ending) for e in ack.events if e.type == EventType.REDUCED]
    assert cut == [(turn.order_id, 150, Ending.UNCOVERED)]
    kept(ex)


# --- SAFE-2: one's own opening


def grown(make, rest=979_500, **terms):
    """Isolated at 50x with all that the first tier holds, at 49,400 after 50,000, and money besides."""
    ex = make([Instrument(X, contract_size="0.01", tick="0.1", max_price=10**6, tiers=TIERS, **FREE, **terms)])
    ex.seed_fund("USDT", 10_000)
    for name in ("b", "c"):
        ex.deposit(name, "USDT", 10**9)
    ex.deposit("a", "USDT", rest + 20_000)
    ex.mark(X, 50_000)
    return ex


@pytest.mark.parametrize("side,how", list(product(["buy", "sell"], ["taker", "maker"])))
def test_a_lot_that_reaches_the_next_tier_lifts_the_position(strict_exchange, side, how):
    """One contract more asks 1 % of all of it: drawn from the wallet, where it was liquidated by its own accepted order."""
    ex = grown(strict_exchange)
    ex.set_leverage("a", X, 50, mode="isolated")
    ex.order("b", X, OTHER[side], 2_000, price=50_000).ok()
    ex.order("a", X, side, 2_000, price=50_000).ok()
    mark = 49_400 if side == "buy" else 50_600
    ex.mark(X, mark)
    before = ex.position("a", X)
    assert before.margin + before.upl == 8_000
    if how == "taker":
        ex.order("b", X, OTHER[side], 1, price=mark).ok()
        ack = ex.order("a", X, side, 1, price=mark).ok()
    else:
        ex.order("a", X, side, 1, price=mark).ok()
        ack = ex.order("b", X, OTHER[side], 1, price=mark).ok()
    after = ex.position("a", X)
    assert after.margin + after.upl == after.maintenance == Decimal(2_001 * mark) / 10_000
    assert not happened(ack, EventType.LIQUIDATION) and ex.fund("USDT") == 10_000


def test_where_the_money_for_that_is_not_there_the_order_is_refused(strict_exchange):
    ex = grown(strict_exchange, rest=1_800)
    ex.set_leverage("a", X, 50, mode="isolated")
    ex.order("b", X, "sell", 2_000, price=50_000).ok()
    ex.order("a", X, "buy", 2_000, price=50_000).ok()
    ex.mark(X, 49_400)
    ex.order("b", X, "sell", 1, price=49_400).ok()
    before = ex.digest()
    for tif in ("gtc", "ioc", "fok"):
        assert ex.order("a", X, "buy", 1, price=49_400, tif=tif).code == Code.INSUFFICIENT_MARGIN
    assert ex.digest() == before
    ex.deposit("a", "USDT", 100)
    assert ex.order("a", X, "buy", 1, price=49_400).filled == 1


def test_the_short_leg_of_a_hedge_is_lifted_too(strict_exchange):
    ex = grown(strict_exchange)
    ex.set_position_mode("a", X, "hedge")
    ex.set_leverage("a", X, 50, leg="short", mode="isolated")
    ex.order("b", X, "buy", 2_000, price=50_000).ok()
    ex.order("a", X, "sell", 2_000, price=50_000, leg="short").ok()
    ex.mark(X, 50_600)
    ex.order("b", X, "buy", 1, price=50_600).ok()
    ex.order("a", X, "sell", 1, price=50_600, leg="short").ok()
    leg = ex.position("a", X, "short")
    assert leg.margin + leg.upl == leg.maintenance


def test_the_first_lot_after_another_leverage_is_borne(strict_exchange):
    """A position of 50x just above its threshold; at 5x one lot asks 20 % of itself, and what lifts the rest."""
    ex = grown(strict_exchange)
    ex.set_leverage("a", X, 50, mode="isolated")
    ex.order("b", X, "sell", 2_000, price=50_000).ok()
    ex.order("a", X, "buy", 2_000, price=50_000).ok()
    ex.set_leverage("a", X, 5, mode="isolated")
    ex.mark(X, 49_300)
    ex.order("b", X, "sell", 1, price=49_300).ok()
    ack = ex.order("a", X, "buy", 1, price=49_300).ok()
    p = ex.position("a", X)
    assert p.size == 2_001 and p.margin + p.upl >= p.maintenance and not happened(ack, EventType.LIQUIDATION)


@pytest.mark.parametrize("mode,basis", list(product(["isolated", "cross"], ["contracts", "notional", "entry"])))
def test_a_table_that_asks_more_than_its_highest_leverage_leaves(strict_exchange, mode, basis):
    """1 % initial, 1 % maintenance and a fee: opening, withdrawing and moving margin leave what the position is asked."""
    rule = rules.find("okx_consistent")
    tiers = [Tier(10**9, "0.01", "0.01")]
    fees = {"taker_fee": "0.001", "maker_fee": 0, "liquidation_fee": "0.005"}
    ex = market(strict_exchange, money={"a": 1_700}, rule=rule, tiers=tiers, basis=basis, max_size=10**6, **fees)
    ex.set_leverage("a", X, 100, mode=mode)
    ex.order("b", X, "sell", 1_000, price=100).ok()
    ack = ex.order("a", X, "buy", 1_000, price=100).ok()
    assert not happened(ack, EventType.LIQUIDATION) and ex.position("a", X).maintenance == 1_500
    most = ex.account("a").withdrawable
    assert most == 100
    ex.withdraw("a", "USDT", most)
    with pytest.raises(Rejected):
        ex.withdraw("a", "USDT", "0.01")
    assert ex.position("a", X).size == 1_000


def test_leverage_of_the_tier_cannot_be_slipped_past_by_fills(strict_exchange):
    """A reduce-only order makes plain ones open more than their leverage is allowed for: they end when they would."""
    ex = market(strict_exchange, money={"a": 10**7}, **FREE, tiers=[Tier(20, "0.005", "0.01"), Tier(60, "0.01", "0.02")])
    ex.set_leverage("a", X, 100, mode="cross")
    ex.order("b", X, "sell", 20, price=100).ok()
    ex.order("a", X, "buy", 20, price=100).ok()
    plain = ex.order("a", X, "sell", 40, price=101).ok()
    ex.order("b", X, "buy", 20, price=100).ok()
    ex.order("a", X, "sell", 20, price=100, reduce_only=True).ok()
    assert ex.position("a", X).size == 0
    ack = ex.order("c", X, "buy", 40, price=101, tif="ioc")
    assert ack.filled == 0 and endings(ack)[0] == (plain.order_id, Ending.UNCOVERED)
    assert ex.order("a", X, "sell", 20, price=101).ok()


# --- FOK, and what is not there


@pytest.mark.parametrize("tif", ["ioc", "fok"])
def test_a_fill_or_kill_order_knows_which_makers_are_borne(strict_exchange, tif):
    """The first of three makers has lost what it relied on; the dry run sees what the fills will find."""
    ex = market(strict_exchange, X, Y, money={"a": 515, "e": 600}, **FREE)
    ex.set_leverage("a", X, 30, mode="cross")
    ex.set_leverage("e", X, 20, mode="cross")
    ex.set_leverage("a", Y, 50, mode="cross")
    ex.order("b", Y, "sell", 100, price=100).ok()
    ex.order("a", Y, "buy", 100, price=100).ok()
    ex.order("a", X, "buy", 90, price=100).ok()
    ex.order("e", X, "buy", 100, price=100).ok()
    ex.order("c", X, "buy", 10, price=99).ok()
    ex.mark(Y, "95.1")
    before = ex.digest()
    assert ex.order("d", X, "sell", 111, price=99, tif="fok").code == Code.FOK_UNFILLED and ex.digest() == before
    ack = ex.order("d", X, "sell", 110, price=99, tif=tif)
    assert ack.filled == 110 and ex.position("a", X).size == 0


def test_who_has_only_orders_is_tested_where_orders_count(strict_exchange):
    """orders="notional": what they ask is asked of an account without a position too, and every view says so."""
    rule = replace(rules.find("seed"), orders="notional")
    tiers = [Tier(10**6, "0.05", "0.05")]
    listed = Instrument(X, contract_size=1, tick="0.1", max_price=1_000, tiers=tiers, **FREE)
    ex = strict_exchange([listed], rules=rule, currencies={"USDT": 6})
    ex.deposit("a", "USDT", 100)
    ex.deposit("b", "USDT", 100)
    ex.mark(X, 100)
    ex.set_leverage("a", X, 20, mode="cross")
    order = ex.order("a", X, "buy", 20, price=100).ok()
    row = ex.accounts_array()
    mine = row[row["account"] == ex.account("a").account_id]
    assert int(mine["own_units"][0]) == 100 * 10**6 and ex.account("a").maintenance == 100
    assert "takeover below 100" in str(ex.explain("a"))
    assert [each.order_id for each in ex.open_orders("a")] == [order.order_id]


def test_a_maker_fee_above_the_taker_fee_is_refused():
    """Orders reserve the taker fee."""
    with pytest.raises(InputError, match="maker fee is above the taker fee"):
        Instrument(X, taker_fee="0.0002", maker_fee="0.0005", liquidation_fee="0.0005")


def test_collateral_that_lost_its_price_bears_no_fill(strict_exchange):
    """A bid that ether backs; ether falls; the bid ends when somebody sells into it."""
    terms = {"contract_size": 1, "tick": "0.1", "max_price": 10_000, "tiers": [Tier(10**6, "0.005", "0.01")], **FREE}
    ex = strict_exchange([Instrument(X, **terms), Instrument("ETH-USDT", **terms)],
              collateral=[Collateral("ETH", of="USDT", price="ETH-USDT", haircut="0.1", decimals=8)])  # fmt: skip
    ex.seed_fund("USDT", 10_000)
    ex.deposit("b", "USDT", 10**6)
    ex.deposit("a", "ETH", 10)
    ex.mark(X, 100)
    ex.mark("ETH-USDT", 100)
    ex.set_leverage("a", X, 10, mode="cross")
    bid = ex.order("a", X, "buy", 80, price=100).ok()
    ex.mark("ETH-USDT", 1)
    ack = ex.order("b", X, "sell", 80, price=100, tif="ioc")
    assert ack.filled == 0 and endings(ack)[0] == (bid.order_id, Ending.UNCOVERED)
    kept(ex)


def test_an_order_that_bears_a_part_alone_meets_no_order_that_trades_whole(strict_exchange):
    """a has 1.2 left: he may sell 2, not 5. The bid takes 5 or nothing, and he still has lots to close."""
    ex = market(strict_exchange, money={"a": 2}, **FREE)
    ex.set_leverage("a", X, 100, mode="cross")
    ex.order("b", X, "sell", 2, price=100).ok()
    ex.order("a", X, "buy", 2, price=100).ok()
    ex.mark(X, "99.6")
    whole = ex.order("b", X, "buy", 5, price="99.6", all_or_none=True).ok()
    sold = ex.order("a", X, "sell", 5, price="99.6", tif="ioc")
    assert endings(sold) == [(sold.order_id, Ending.BANKRUPTCY_LIMIT)] and ex.position("a", X).size == 2
    assert ex.order("c", X, "sell", 5, price="99.6").filled == 5 and whole.order_id not in ex.open_orders("b")


def test_a_hold_of_the_other_side_is_not_there_for_what_this_side_loses(strict_exchange):
    """Either side may trade: beside 90 held by asks, a bid far above mark is borne at its limit only if the rest is free."""
    ex = market(strict_exchange, money={"a": 100}, **FREE)
    ex.set_leverage("a", X, 100, mode="isolated")
    ex.order("a", X, "sell", 90, price=100).ok()
    assert ex.order("a", X, "buy", 14, price=105).code == Code.INSUFFICIENT_MARGIN
    ex.order("a", X, "buy", 1, price=105).ok()
