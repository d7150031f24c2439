"""Hedge mode: a long and a short held apart, and how resting orders and the fund's share count where accounts are judged."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, EventType, Tier, Trigger, rules
from solvent.records import Ending, Leg, Posting, Purse
from solvent.schema.limits import RATE
from support.hedges import OPENS, X, both, exchange, of, refused, take

CLOSES = {"long": "sell", "short": "buy"}


def sizes(ex, who="a"):
    return tuple(int(ex.position(who, X, leg).size) for leg in OPENS)


# --- Two positions


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_both_legs_are_held_apart(strict_exchange, mode):
    """Size, cost, entry, margin and profit of each; the one-way row stays flat, the arrays say which leg it is."""
    ex = exchange(strict_exchange)
    ex.set_leverage("a", X, 10, mode=mode, leg="long")
    ex.set_leverage("a", X, 20, mode=mode, leg="short")
    take(ex, "buy", 10, leg="long")
    take(ex, "sell", 4, price=1_002, leg="short")
    ex.mark(X, 1_010)
    long, short = (ex.position("a", X, leg) for leg in OPENS)
    assert (long.size, long.entry_price, long.leg, long.side, long.leverage, long.upl) == (10, 1_000, "long", "long", 10, 100)
    assert (short.size, short.entry_price, short.leg, short.side, short.leverage) == (-4, 1_002, "short", "short", 20)
    assert short.upl == -32 and (long.cost_units, short.cost_units) == (10_000 * 10**6, -4_008 * 10**6)
    margins = (1_000, Decimal("200.4")) if mode == "isolated" else (0, 0)
    assert (long.margin, short.margin) == margins
    assert ex.position("a", X).size == 0 and ex.position("a", X).leg is None
    view = ex.account("a")
    assert list(view.positions) == [f"{X} long", f"{X} short"]
    assert view.cash == 100_000 - 5 - Decimal("2.004") - sum(margins) and view.equity == view.cash + sum(margins) + 68
    rows = [row for row in ex.positions_array() if row["account"] == view.account_id]
    assert [(row["leg"], row["size_lots"], row["mode"]) for row in rows] == [
        (leg, size, mode == "isolated") for leg, size in ((Leg.LONG, 10), (Leg.SHORT, -4))
    ]


@pytest.mark.parametrize("leg", OPENS)
def test_the_other_side_closes_its_leg_and_never_opens(strict_exchange, leg):
    """10 are held: an order of 15 that trades at once is one of 10, what rests is cut by it, and a flat leg refuses."""
    ex = exchange(strict_exchange)
    assert ex.order("a", X, CLOSES[leg], 1, price=1_000, leg=leg).code == Code.REDUCE_ONLY_WOULD_OPEN
    both(ex)
    resting = ex.order("a", X, CLOSES[leg], 3, price={"long": 1_020, "short": 980}[leg], leg=leg).ok()
    [view] = ex.open_orders("a")
    assert (view.reduce_only, view.leg, view.remaining) == (True, leg, 3)
    ex.order("m", X, OPENS[leg], 20, price=1_000).ok()
    ack = ex.order("a", X, CLOSES[leg], 15, price=1_000, leg=leg).ok()
    assert (ack.filled, ack.resting) == (10, 0)
    assert [e.ending for e in of(ack.events, EventType.DONE) if e.order_id == resting.order_id] == [Ending.REDUCE_ONLY_CUT]
    assert ex.order("a", X, CLOSES[leg], 1, price=1_000, leg=leg).code == Code.REDUCE_ONLY_WOULD_OPEN
    assert sizes(ex) == ((0, -10) if leg == "long" else (10, 0))


@pytest.mark.parametrize("leg", OPENS)
def test_reduce_only_of_each_side(strict_exchange, leg):
    """On the closing side it says what is so anyway; on the opening one there is nothing to reduce."""
    ex = both(exchange(strict_exchange))
    assert ex.order("a", X, OPENS[leg], 1, price=1_000, leg=leg, reduce_only=True).code == Code.REDUCE_ONLY_WOULD_OPEN
    assert ex.order("a", X, OPENS[leg], leg=leg, price=1_000, close_position=True).code == Code.REDUCE_ONLY_WOULD_OPEN
    assert ex.order("a", X, CLOSES[leg], 12, price=1_000, leg=leg, reduce_only=True).ok().resting == 10


@pytest.mark.parametrize("hedged,leg", [(True, None), (False, "long"), (False, "short")])
def test_a_leg_too_few_or_too_many(strict_exchange, hedged, leg):
    ex = exchange(strict_exchange, hedged=hedged)
    assert ex.order("a", X, "buy", 1, price=1_000, leg=leg).code == Code.BAD_LEG
    assert ex.order("a", X, "buy", 1, price=900, leg=leg, trigger=Trigger.stop(1_100)).code == Code.BAD_LEG
    refused(Code.BAD_LEG, ex.set_leverage, "a", X, 10, leg=leg)
    refused(Code.BAD_LEG, ex.move_margin, "a", X, 1, leg=leg)
    if hedged:
        both(ex, mode="isolated")
        refused(Code.BAD_LEG, ex.move_margin, "a", X, 1, leg="long", to=X)
        ex.move_margin("a", X, 50, leg="long")
        ex.move_margin("a", X, 50, leg="long", to=X, to_leg="short")
        assert ex.position("a", X, "short").margin == 1_050
        refused(Code.NO_ISOLATED_POSITION, ex.move_margin, "a", X, 1, leg="long", to=X, to_leg="long")


# --- Modes


@pytest.mark.parametrize("what", ["position", "resting", "dormant"])
@pytest.mark.parametrize("before", ["one-way", "hedge"])
def test_the_mode_changes_only_while_flat_without_orders(strict_exchange, before, what):
    ex = exchange(strict_exchange, hedged=before == "hedge")
    leg, other = ("long", "one-way") if before == "hedge" else (None, "hedge")
    if what == "position":
        take(ex, "buy", 1, leg=leg)
    else:
        trigger = Trigger.stop(1_100) if what == "dormant" else None
        ex.order("a", X, "buy", 1, price=900, leg=leg, trigger=trigger).ok()
    refused(Code.MODE_IN_USE, ex.set_position_mode, "a", X, other)
    ex.set_position_mode("a", X, before)  # which it is
    if what == "position":
        take(ex, "sell", 1, leg=leg)
    ex.cancel_all("a")
    ex.set_position_mode("a", X, other)
    take(ex, "buy", 1, leg=None if leg else "long")


def test_margin_mode_and_leverage_are_carried_over(strict_exchange):
    """The legs begin as the one-way position was and go their own ways; it keeps its own for later."""
    ex = exchange(strict_exchange, hedged=False)
    ex.set_leverage("a", X, 25, mode="isolated")
    ex.set_position_mode("a", X, "hedge")
    state = lambda: [(p.mode, p.leverage) for p in (ex.position("a", X, leg) for leg in (None, "long", "short"))]  # noqa: E731
    assert state() == [("isolated", 25)] * 3
    ex.set_leverage("a", X, 50, mode="cross", leg="short")
    ex.set_leverage("a", X, 3, leg="long")
    assert state() == [("isolated", 25), ("isolated", 3), ("cross", 50)]
    ex.set_position_mode("a", X, "hedge")  # changes nothing
    assert state()[1:] == [("isolated", 3), ("cross", 50)]
    ex.set_position_mode("a", X, "one-way")
    refused(Code.BAD_LEG, ex.set_leverage, "a", X, 10, leg="long")
    ex.set_leverage("a", X, 7, mode="cross")
    ex.set_leverage("a", X, 7)
    ex.set_position_mode("a", X, "hedge")
    assert state() == [("cross", 7)] * 3


def test_one_leg_in_use_leaves_the_other_free_to_change(strict_exchange):
    ex = exchange(strict_exchange)
    take(ex, "buy", 10, leg="long")
    refused(Code.MODE_IN_USE, ex.set_leverage, "a", X, 10, mode="isolated", leg="long")
    ex.set_leverage("a", X, 10, mode="isolated", leg="short")
    take(ex, "sell", 10, leg="short")
    assert [ex.position("a", X, leg).margin for leg in OPENS] == [0, 1_000]
    refused(Code.NO_ISOLATED_POSITION, ex.move_margin, "a", X, 1, leg="long")
    refused(Code.UNKNOWN_ACCOUNT, ex.set_position_mode, "nobody", X, "hedge")
    refused(Code.UNKNOWN_INSTRUMENT, ex.set_position_mode, "a", "nothing", "hedge")


# --- Orders of legs


@pytest.mark.parametrize("leg,trigger", [("long", Trigger.stop(950)), ("short", Trigger.take_profit(950))])
def test_a_trigger_closes_its_leg_alone(strict_exchange, leg, trigger):
    """A close-position order is for what the leg has when it fires."""
    ex = both(exchange(strict_exchange))
    ex.order("a", X, CLOSES[leg], close_position=True, leg=leg, trigger=trigger).ok()
    [view] = ex.open_orders("a")
    assert (view.dormant, view.leg, view.reduce_only) == (True, leg, True)
    take(ex, OPENS[leg], 2, leg=leg)
    ex.order("m", X, OPENS[leg], 30, price=950).ok()
    events = ex.mark(X, 950).events
    assert [e.size_lots for e in of(events, EventType.TRIGGERED)] == [12]
    assert sizes(ex) == ((0, -10) if leg == "long" else (10, 0)) and not ex.open_orders("a")


def test_a_trigger_of_a_flat_leg_is_refused_when_it_fires(strict_exchange):
    ex = both(exchange(strict_exchange), short=1)
    ex.order("a", X, "sell", 5, leg="long", trigger=Trigger.stop(990)).ok()
    take(ex, "sell", 10, leg="long")
    [done] = of(ex.mark(X, 990).events, EventType.DONE)
    assert (done.ending, done.code) == (Ending.TRIGGER_REFUSED, Code.REDUCE_ONLY_WOULD_OPEN)
    assert sizes(ex) == (0, -1)


def test_amendments_and_mass_cancels_of_legs(strict_exchange):
    ex = both(exchange(strict_exchange))
    closing = ex.order("a", X, "sell", 4, price=1_020, leg="long").ok()
    opening = ex.order("a", X, "sell", 4, price=1_030, leg="short").ok()
    ex.amend("a", closing.order_id, size=50).ok()  # cut to the leg's 10
    ex.amend("a", opening.order_id, size=50).ok()
    assert [(o.leg, o.remaining) for o in ex.open_orders("a")] == [("long", 10), ("short", 50)]
    ex.order("a", X, "buy", 1, price=900, leg="long").ok()
    ex.order("a", X, "buy", 1, price=900, leg="short").ok()
    assert ex.cancel_all("a", side="sell").filled == 2
    assert [o.leg for o in ex.open_orders("a")] == ["long", "short"]
    assert ex.cancel_all("a", X).filled == 2


SELF = {
    "cancel_maker": ((10, -10), ["buy"]),
    "cancel_taker": ((10, -10), ["sell"]),
    "cancel_both": ((10, -10), []),
    "decrement": ((10, -10), []),
    "allow": ((10, -10), ["buy"]),
}


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("way", SELF)
def test_the_legs_of_one_account_meet(strict_exchange, way, mode):
    """Both close: the sell of the long leg rests, the buy of the short one comes. They never trade: an order that closes is
    limited to what its leg can bear, and meets own ones as under "cancel_maker" where it is allowed to."""
    ex = both(exchange(strict_exchange), mode=mode)
    ex.order("a", X, "sell", 10, price=1_000, leg="long").ok()
    cash = ex.account("a").equity
    ack = ex.order("a", X, "buy", 10, price=1_000, leg="short", self_trade=way).ok()
    held, left = SELF[way]
    assert sizes(ex) == held and [o.side for o in ex.open_orders("a")] == left
    assert not of(ack.events, EventType.TRADE) and ex.account("a").equity == cash


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_an_account_opens_both_legs_against_itself(strict_exchange, mode):
    """Allowed to meet its own order, it holds both sides and has paid both fees; nobody else has anything."""
    ex = exchange(strict_exchange)
    for leg in OPENS:
        ex.set_leverage("a", X, 10, mode=mode, leg=leg)
    ex.order("a", X, "sell", 10, price=1_000, leg="short").ok()
    ex.order("a", X, "buy", 10, price=1_000, leg="long", self_trade="allow").ok()
    assert sizes(ex) == (10, -10) and ex.position("m", X).size == 0
    assert ex.account("a").equity == 100_000 - Decimal("5") - Decimal("2")


@pytest.mark.parametrize("way,opens,code", [
    ("allow", True, Code.OK), ("cancel_maker", True, Code.FOK_UNFILLED), ("cancel_taker", True, Code.FOK_UNFILLED),
    ("allow", False, Code.FOK_UNFILLED),
])  # fmt: skip
def test_fill_or_kill_counts_the_other_leg_as_the_self_trade_mode_does(strict_exchange, way, opens, code):
    """4 of the 10 offered are the other leg's: a buy that opens the long may take them, one that closes the short not."""
    ex = both(exchange(strict_exchange))
    own = ex.order("a", X, "sell", 4, price=1_000, leg="short" if opens else "long").ok()
    ex.order("m", X, "sell", 6, price=1_000).ok()
    ack = ex.order("a", X, "buy", 10, price=1_000, leg="long" if opens else "short", tif="fok", self_trade=way)
    assert ack.code == code and sizes(ex) == ((20, -14) if code == Code.OK else (10, -10))
    assert [o.order_id for o in ex.open_orders("a")] == ([] if code == Code.OK else [own.order_id])


@pytest.mark.parametrize("bid,code", [(10, Code.OK), (9, Code.FOK_UNFILLED)])
def test_fill_or_kill_asks_for_what_the_leg_can_close(strict_exchange, bid, code):
    """15 are 10, which the book has or has not; a stranger's fill or kill counts the legs' closing orders in full."""
    ex = both(exchange(strict_exchange))
    ex.order("m", X, "buy", bid, price=1_000).ok()
    ack = ex.order("a", X, "sell", 15, price=1_000, leg="long", tif="fok")
    assert ack.code == code and ack.filled == (10 if code == Code.OK else 0)
    ex.cancel_all()
    ex.deposit("b", "USDT", 10_000)
    for size, price in ((6, 1_001), (4, 1_002)):
        ex.order("a", X, "buy", size, price=2_000 - price, leg="short").ok()
    assert ex.order("b", X, "sell", 11, price=998, tif="fok").code == Code.FOK_UNFILLED
    assert ex.order("b", X, "sell", 10, price=998, tif="fok").ok().filled == 10
    assert ex.position("a", X, "short").size == 0


# --- Money of legs


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("rate,pays", [("0.001", 1), ("-0.001", -1)])
def test_funding_of_both_legs(strict_exchange, mode, rate, pays):
    """A long of 10 and a short of 4 of one account, a short of 6 of another: what is due is exact, to each its own."""
    ex = both(exchange(strict_exchange), short=4, mode=mode)
    cash, margins = ex.account("a").cash, [ex.position("a", X, leg).margin for leg in OPENS]
    ack = ex.settle_funding(X, rate, 1)
    paid = [(e.payer, e.receiver, e.margin_of >> 2) for e in of(ack.events, EventType.LEDGER)]
    a = ex.account("a").account_id
    assert [leg for payer, receiver, leg in paid if a in (payer, receiver)] == (
        [0, 0] if mode == "cross" else [1, 2] if pays > 0 else [2, 1]
    )
    if mode == "cross":
        assert ex.account("a").cash == cash - pays * 10 + pays * 4
    else:
        assert [ex.position("a", X, leg).margin for leg in OPENS] == [margins[0] - pays * 10, margins[1] + pays * 4]
        assert ex.account("a").cash == cash
    assert ex.residue("USDT") == 0


@pytest.mark.parametrize("leg,mark", [("long", 950), ("short", 1_050)])
def test_an_isolated_leg_is_liquidated_alone(strict_exchange, leg, mark):
    """20x on each: 500 of margin; the loser goes, its orders with it, the winner keeps position, margin and orders."""
    ex = both(exchange(strict_exchange), mode="isolated", leverage=20)
    other = "short" if leg == "long" else "long"
    lost = ex.order("a", X, OPENS[leg], 1, price=1_000, leg=leg).ok()
    kept = ex.order("a", X, CLOSES[other], 5, price={"long": 1_200, "short": 800}[other], leg=other).ok()
    ex.order("m", X, OPENS[leg], 10, price=mark).ok()  # who buys what is taken over
    events = ex.mark(X, mark).events
    [liquidation], [takeover] = of(events, EventType.LIQUIDATION), of(events, EventType.TAKEOVER)
    assert liquidation.leg == takeover.leg == Leg[leg.upper()] and abs(takeover.size_lots) == 10
    assert [e.order_id for e in of(events, EventType.DONE) if e.ending == Ending.LIQUIDATED] == [lost.order_id]
    assert [o.order_id for o in ex.open_orders("a")] == [kept.order_id]
    assert ex.position("a", X, leg).size == 0 and ex.position("a", X, leg).margin == 0
    assert abs(ex.position("a", X, other).size) == 10 and ex.position("a", X, other).margin == 500


@pytest.mark.parametrize("net", [True, False])
def test_a_cross_hedge_is_netted_first_or_taken_over(strict_exchange, net):
    """An even hedge asks 0.5 % of both legs. With 210 left it goes at 2,101, when 210.1 are asked: netted it has lost
    nothing but its legs; with net_hedges off both are the house's, and its money with them."""
    ex = both(exchange(strict_exchange, a=220, rule=replace(rules.find("seed"), net_hedges=net)), leverage=100)
    ex.set_position_mode("m", X, "one-way")
    assert ex.account("a").equity == 210 and not of(ex.mark(X, 2_100).events, EventType.LIQUIDATION)
    events = ex.mark(X, 2_101).events
    assert len(of(events, EventType.LIQUIDATION)) == 1 and sizes(ex) == (0, 0)
    if net:
        [netted] = of(events, EventType.NETTED)
        assert (netted.price_ticks, netted.size_lots, netted.value_units) == (2_101, 10, 21_010 * 10**6)
        assert not of(events, EventType.TAKEOVER) and ex.account("a").equity == 210
        assert {e.posting for e in of(events, EventType.LEDGER)} == {Posting.REALISED}
    else:
        assert not of(events, EventType.NETTED) and ex.account("a").equity == 0
        assert [(e.size_lots, e.leg) for e in of(events, EventType.TAKEOVER)] == [(10, Leg.LONG), (-10, Leg.SHORT)]


def test_deleveraging_hits_one_leg(strict_exchange):
    """Nobody buys b's long and there is no fund: the short leg of a, which wins most, closes; its long leg stays."""
    ex = exchange(strict_exchange)
    ex.deposit("b", "USDT", 200)
    ex.set_leverage("b", X, 100, mode="isolated")
    for leg in OPENS:
        ex.set_leverage("a", X, 20, mode="isolated", leg=leg)
    ex.order("a", X, "sell", 10, price=1_000, leg="short").ok()
    ex.order("b", X, "buy", 10, price=1_000).ok()
    take(ex, "buy", 5, leg="long")
    kept = ex.order("a", X, "sell", 5, price=1_100, leg="long").ok()
    lost = ex.order("a", X, "buy", 5, price=900, leg="short").ok()
    events = ex.mark(X, 980).events
    [adl] = of(events, EventType.ADL)
    assert (ex.account_name(adl.account), adl.closed_lots) == ("a", 10) and sizes(ex) == (5, 0)
    ended = [e.order_id for e in of(events, EventType.DONE) if e.ending == Ending.DELEVERAGED]
    assert ended == [lost.order_id] and [o.order_id for o in ex.open_orders("a")] == [kept.order_id]


# --- How resting orders count, and who gets the fee of a liquidation

TESTED = {
    # rule, hedged: mark, cash left after the fee of the opening at which the account is just safe
    ("notional", False): (985, "254.25"),  # 49.25 of the long + 55 of the 10 sells beyond it + a loss of 150
    ("notional", True): (985, "276.75"),  # each leg its dearer side: 22.5 of the buys besides
    ("fee", False): (980, "254.5"),  # 49 of the long, 200 lost, 5.5 of a fee
    ("fee", True): (970, "356.25"),  # 48.5 of the long, 300 lost, fees of 5.5 and 2.25
}


def resting(make, rule, hedged, cash):
    """Long 10 at 1,000 and 100x; 5 bids of 900; 10 offers of 1,100 that would open, one-way behind 10 that close."""
    ex = exchange(make, hedged=hedged, a=Decimal(cash) + 5, rule=replace(rules.find("seed"), orders=rule))
    for leg in OPENS if hedged else [None]:
        ex.set_leverage("a", X, 100, mode="cross", leg=leg)
    take(ex, "buy", 10, leg="long" if hedged else None)
    bids = ex.order("a", X, "buy", 5, price=900, leg="long" if hedged else None).ok()
    offers = ex.order("a", X, "sell", 10 if hedged else 20, price=1_100, leg="short" if hedged else None).ok()
    return ex, [bids.order_id, offers.order_id]


@pytest.mark.parametrize("beyond", [-1, 0, 1])
@pytest.mark.parametrize("rule,hedged", TESTED)
def test_resting_orders_count_to_the_unit(strict_exchange, rule, hedged, beyond):
    """A unit below the threshold the orders go, and the account, looked at again, stays."""
    mark, cash = TESTED[rule, hedged]
    ex, orders = resting(strict_exchange, rule, hedged, Decimal(cash) + Decimal(beyond).scaleb(-6))
    events = ex.mark(X, mark).events
    assert len(of(events, EventType.LIQUIDATION)) == (beyond < 0) and not of(events, EventType.TAKEOVER)
    ended = [e.order_id for e in of(events, EventType.DONE) if e.ending == Ending.LIQUIDATED]
    assert sorted(ended) == (sorted(orders) if beyond < 0 else [])
    assert ex.position("a", X, "long" if hedged else None).size == 10


@pytest.mark.parametrize("rule,hedged", TESTED)
def test_ignored_orders_count_nothing(strict_exchange, rule, hedged):
    mark, cash = TESTED[rule, hedged]
    ex, _ = resting(strict_exchange, "ignored", hedged, Decimal(cash) - Decimal("0.000001"))
    assert not of(ex.mark(X, mark).events, EventType.LIQUIDATION) and len(ex.open_orders("a")) == 2


def test_an_order_that_would_endanger_its_account_is_refused(strict_exchange):
    """Initial margin of 10 + 40 and a fee of 0.4 is there; 1 % and a liquidation fee of 0.1 % of 5,000 is not: 55."""
    rule = replace(rules.find("okx_consistent"), orders="notional")
    ex = exchange(strict_exchange, hedged=False, a=52, rule=rule, tiers=[Tier(1_000, "0.01", "0.01")], taker_fee="0.0001",
                  maker_fee="0.0001", liquidation_fee="0.001")  # fmt: skip
    ex.set_leverage("a", X, 100, mode="cross")
    take(ex, "buy", 1)
    assert ex.order("a", X, "buy", 4, price=1_000).code == Code.INSUFFICIENT_MARGIN
    ex.deposit("a", "USDT", 4)
    assert ex.order("a", X, "buy", 4, price=1_000).resting == 4


@pytest.mark.parametrize("share", [0, 1, 333_333_333, RATE - 1, RATE])
@pytest.mark.parametrize("fee", ["0.0005", "0.000333333"])
def test_the_fee_of_a_liquidation_is_split_to_the_unit(strict_exchange, share, fee):
    """Long 25 in tier 3 steps down by 15 lots at 931: the fund has the floor of its share, the fees the rest."""
    tiers = [Tier(10, "0.005", "0.01"), Tier(20, "0.01", "0.02"), Tier(30, "0.02", "0.04")]
    rule = replace(rules.find("seed"), fund_share_ppb=share)
    ex = exchange(strict_exchange, hedged=False, a=2_000, rule=rule, tiers=tiers, liquidation_fee=fee)
    ex.set_leverage("a", X, 20, mode="cross")
    take(ex, "buy", 25)
    ex.order("m", X, "buy", 15, price=931).ok()
    fund, fees = ex.fund("USDT"), ex._kernel.wallet(Purse.FEES, 0)[0]
    events = ex.mark(X, 935).events
    assert [e.size_lots for e in of(events, EventType.STEP_DOWN)] == [15] and ex.position("a", X).size == 10
    whole = -(-15 * 931 * 10**6 * int(Decimal(fee) * RATE) // RATE)
    part = whole * share // RATE
    paid = {e.receiver: e.amount_units for e in of(events, EventType.LEDGER) if e.posting == Posting.LIQUIDATION_FEE}
    assert paid == {k: v for k, v in {Purse.FUND: part, Purse.FEES: whole - part}.items() if v}
    assert (ex.fund("USDT") - fund) * 10**6 == part
    maker = 15 * 931 * 200  # of m's order
    assert ex._kernel.wallet(Purse.FEES, 0)[0] - fees == whole - part + maker
