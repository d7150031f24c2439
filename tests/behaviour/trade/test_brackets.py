"""Brackets and attached pairs: a target and a stop that close what their entry fills. From docs/reference/orders.md#brackets.

Prices stand around a mark of 200, one tick apart, sizes are lots; a has the bracket, b, c and d trade with it.
"""

import pytest

from solvent import Code, EventType, Instrument, OrderLimits, Rejected, Tier, Trigger
from solvent.records import Arm, CommandType, Ending, Flag, bracket, command, extension
from solvent.schema.limits import TRIGGERED_MAX
from support.order_desk import ends, fired, trades

STOP, TARGET = Trigger.stop, Trigger.take_profit
DONE, FIRED, CLOSED = Ending.BRACKET_DONE, Ending.SIBLING_FIRED, Ending.POSITION_CLOSED
OTHER = {"buy": "sell", "sell": "buy"}


@pytest.fixture
def desk(exchange_desk):
    exchange_desk.mark(200)
    return exchange_desk


def live(desk, who="a"):
    """{(side, limit, trigger): lots} of what is live."""
    orders = desk.face.open_orders(who)
    return {(o.side, *(None if x is None else int(x) for x in (o.price, o.trigger_price))): int(o.remaining) for o in orders}


def size(desk, who="a"):
    return int(desk.face.position(who, "X").size)


def enter(desk, lots=12, price=200, side="buy", **terms):
    terms = {"take_profit": 206 if side == "buy" else 194, "stop_loss": 194 if side == "buy" else 206} | terms
    return desk.order("a", side, lots, price, **terms).ok()


def fill(desk, lots, price=200, side="sell", who="d"):
    """Somebody trades so many lots with what rests."""
    ack = desk.order(who, side, lots, price, tif="ioc").ok()
    assert ack.filled == lots
    return ack


def children(ack):
    """The ids of an entry's target and stop."""
    [joined] = [e for e in ack.events if e.type == EventType.LINKED_TO]
    return joined.target_id, joined.stop_id


def test_the_worked_story_of_the_specification(desk):
    """Order vocabulary, section 1: exactly the position is sold, never more."""
    entry = enter(desk, stop_loss=STOP(194, by="last"))
    assert live(desk) == {("buy", 200, None): 12, ("sell", 206, None): 0, ("sell", None, 194): 0}
    fill(desk, 5)
    assert live(desk) == {("buy", 200, None): 7, ("sell", 206, None): 5, ("sell", None, 194): 5}
    target, stop = children(entry)
    desk.cancel("a", entry).ok()
    assert live(desk) == {("sell", 206, None): 5, ("sell", None, 194): 5}
    fill(desk, 2, 206, "buy", "b")
    assert live(desk) == {("sell", 206, None): 3, ("sell", None, 194): 3}
    for lots, price in ((1, 193), (9, 192)):
        desk.order("b", "buy", lots, price).ok()
    desk.order("c", "buy", 1, 194).ok()
    ack = fill(desk, 1, 194)
    assert ends(ack)[target] == FIRED and fired(ack) == [stop]
    assert [(price, lots) for _, price, lots in trades(ack)] == [(194, 1), (193, 1), (192, 2)]
    assert size(desk) == 0 and live(desk) == {} and desk.face.brackets("a") == []


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(("arm", "left"), [("incremental", 8), ("first", 8), ("complete", 0)])
def test_of_twenty_wanted_and_eight_filled(desk, side, arm, left):
    """Order vocabulary, section 1: how many lots the children stand for once the entry is cancelled. A "first" pair stands for
    20, and closes what the position has."""
    entry, sign = enter(desk, 20, side=side, arm=arm), 1 if side == "buy" else -1
    fill(desk, 8, side=OTHER[side])
    stands = 0 if arm == "complete" else 8
    assert live(desk)[OTHER[side], None, 200 - 6 * sign] == stands
    cancelled = desk.cancel("a", entry).ok()
    assert live(desk).get((OTHER[side], None, 200 - 6 * sign), 0) == left
    assert size(desk) == 8 * sign and (DONE in ends(cancelled).values()) == (left == 0)


def test_a_complete_entry_arms_its_children_at_its_last_fill(desk):
    enter(desk, 5, arm="complete")
    fill(desk, 4)
    assert live(desk) == {("buy", 200, None): 1, ("sell", 206, None): 0, ("sell", None, 194): 0}
    fill(desk, 1)
    assert live(desk) == {("sell", 206, None): 5, ("sell", None, 194): 5}


def test_an_entry_that_takes_has_its_children_at_once(desk):
    desk.order("d", "sell", 4, 201).ok()
    ack = desk.order("a", "buy", 9, take_profit=206, stop_loss=195).ok()
    assert ack.filled == 4 and live(desk) == {("sell", 206, None): 4, ("sell", None, 195): 4}


def test_an_entry_that_fills_nothing_takes_its_children_with_it(desk):
    ack = desk.order("a", "buy", 9, 200, tif="ioc", take_profit=206, stop_loss=195).ok()
    assert sorted(ends(ack).values()) == [Ending.UNFILLED, DONE, DONE] and live(desk) == {}


def test_a_target_that_closes_all_ends_the_bracket_and_the_entrys_rest(desk):
    entry = enter(desk)
    fill(desk, 5)
    target, stop = children(entry)
    ack = fill(desk, 5, 206, "buy", "b")
    assert ends(ack)[target] == Ending.FILLED and ends(ack)[stop] == CLOSED and ends(ack)[entry.order_id] == DONE
    assert live(desk) == {} and size(desk) == 0


def test_a_target_that_closes_all_leaves_what_else_the_position_has(desk):
    desk.order("a", "buy", 3, 200).ok()
    fill(desk, 3)
    entry = enter(desk)
    fill(desk, 5)
    target, stop = children(entry)
    ack = fill(desk, 5, 206, "buy", "b")
    assert ends(ack)[stop] == ends(ack)[entry.order_id] == DONE and size(desk) == 3 and live(desk) == {}


def test_a_hand_made_close_ends_the_children_and_leaves_the_entry(desk):
    entry = enter(desk)
    fill(desk, 5)
    desk.order("b", "buy", 5, 203).ok()
    ack = desk.order("a", "sell", 5, 203, tif="ioc").ok()
    assert CLOSED in ends(ack).values() and live(desk) == {("buy", 200, None): 7}
    fill(desk, 7)
    assert live(desk) == {} and size(desk) == 7 and entry.ok() and desk.face.brackets("a") == []


def test_a_hand_made_reduction_shrinks_them_and_a_purchase_lets_them_grow(desk):
    enter(desk, 5)
    fill(desk, 5)
    desk.order("b", "buy", 3, 203).ok()
    desk.order("a", "sell", 3, 203, tif="ioc").ok()
    assert live(desk) == {("sell", 206, None): 2, ("sell", None, 194): 2}
    desk.order("d", "sell", 2, 203).ok()
    desk.order("a", "buy", 2, 203, tif="ioc").ok()
    assert live(desk) == {("sell", 206, None): 4, ("sell", None, 194): 4}


def test_a_target_grows_at_the_back_of_its_queue(desk):
    enter(desk)
    fill(desk, 5)
    other = desk.order("b", "sell", 1, 206).ok()
    fill(desk, 2)
    assert [each.order_id for each in desk.face.queue("X", "sell", 206)][0] == other.order_id
    assert live(desk)["sell", 206, None] == 7


@pytest.mark.parametrize("first", ["target", "stop"])
def test_one_that_fires_cancels_its_sibling_before_it_trades(desk, first):
    """The sibling stands where the order that fires would meet it: it is gone by then."""
    entry = enter(desk, 5, take_profit=TARGET(206), stop_loss=(STOP(195), 190))
    fill(desk, 5)
    target, stop = children(entry)
    desk.order("b", "buy", 9, 199).ok()
    ack = desk.mark(206 if first == "target" else 195)
    fires, other = (target, stop) if first == "target" else (stop, target)
    assert fired(ack) == [fires] and ends(ack)[other] == FIRED and size(desk) == 0


def test_one_that_fires_ends_the_rest_of_its_entry(desk):
    entry = enter(desk)
    fill(desk, 5)
    desk.order("b", "buy", 3, 195).ok()
    ack = desk.mark(194)
    assert ends(ack)[entry.order_id] == DONE and size(desk) == 2
    assert live(desk) == {} and desk.face.brackets("a") == []


def test_one_that_is_refused_does_not_bring_its_sibling_back(desk):
    """Reduce-only orders at better prices leave nothing to the limit order that the stop wakes."""
    entry = enter(desk, 5, stop_loss=(STOP(194), 206))
    fill(desk, 5)
    [order] = [o for o in desk.face.open_orders("a") if o.trigger]
    desk.amend("a", order, price=207).ok()
    for _ in range(5):
        desk.order("a", "sell", 1, 205, reduce_only=True).ok()
    ack = desk.mark(194)
    [done] = [e for e in ack.events if e.type == EventType.DONE and e.order_id == order.order_id]
    assert (done.ending, done.code) == (Ending.TRIGGER_REFUSED, Code.REDUCE_ONLY_WOULD_OPEN) and size(desk) == 5
    assert live(desk) == {("sell", 205, None): 5} or sum(live(desk).values()) == 1
    assert entry.ok() and desk.face.brackets("a") == []


@pytest.mark.parametrize(("held", "kind"), [("buy", "stop"), ("sell", "target")])
def test_legs_due_at_one_mark(desk, held, kind):
    """A stop beyond its target: the mark of the resumption reaches both. A fall comes before a rise; the other is gone."""
    sign, side = (1, "sell") if held == "buy" else (-1, "buy")
    desk.order("a", held, 5, 200).ok()
    fill(desk, 5, side=side)
    desk.face.set_state("X", "auction")
    desk.face.oco("a", "X", side, take_profit=TARGET(200 + sign), stop_loss=STOP(200 + 3 * sign)).ok()
    desk.mark(200 + 2 * sign)
    desk.order("b", held, 9, 200 - 2 * sign).ok()
    ack = desk.face.set_state("X", "continuous")
    [fires] = [e.kind for e in ack.events if e.type == EventType.TRIGGERED]
    assert fires == (1 if kind == "stop" else 2) and FIRED in ends(ack).values() and size(desk) == 0


@pytest.mark.parametrize(("held", "kind"), [("buy", 1), ("sell", 2)])
def test_legs_that_wake_reached(desk, held, kind):
    """The same where both are reached when their entry fills."""
    sign, side = (1, "sell") if held == "buy" else (-1, "buy")
    desk.order("b", held, 9, 200 - 2 * sign).ok()
    enter(desk, 5, side=held, take_profit=TARGET(200 - 3 * sign), stop_loss=STOP(200 + 3 * sign))
    ack = fill(desk, 5, side=side)
    [fires] = [e.kind for e in ack.events if e.type == EventType.TRIGGERED]
    assert fires == kind and FIRED in ends(ack).values() and size(desk) == 0


def test_legs_by_different_prices_fire_in_the_order_of_these_prices(desk):
    """A trade reaches the target by last; the mark comes later and finds no stop."""
    enter(desk, 5, take_profit=TARGET(206, by="last"))
    fill(desk, 5)
    desk.order("b", "buy", 9, 205).ok()
    desk.order("d", "sell", 1, 206).ok()
    ack = desk.order("c", "buy", 1, 206).ok()
    assert FIRED in ends(ack).values() and size(desk) == 0
    assert fired(desk.mark(194)) == []


def test_cancelling_one_child_leaves_the_other(desk):
    entry = enter(desk)
    fill(desk, 5)
    target, stop = children(entry)
    desk.face.cancel("a", target).ok()
    assert live(desk) == {("buy", 200, None): 7, ("sell", None, 194): 5}
    desk.face.cancel("a", stop).ok()
    assert live(desk) == {("buy", 200, None): 7} and desk.face.brackets("a") == []


def test_amending_children(desk):
    entry = enter(desk)
    target, stop = children(entry)
    for child in (target, stop):
        assert desk.face.amend("a", child, size=1).code == Code.CHILD_TOO_LARGE
    desk.face.amend("a", target, price=207).ok()
    desk.face.amend("a", stop, trigger=193).ok()
    fill(desk, 5)
    assert live(desk) == {("buy", 200, None): 7, ("sell", 207, None): 5, ("sell", None, 193): 5}
    assert desk.face.amend("a", stop, size=6).code == desk.face.amend("a", target, size=6).code == Code.CHILD_TOO_LARGE
    desk.face.amend("a", stop, size=2).ok()
    desk.face.amend("a", target, size=3).ok()
    fill(desk, 2)
    assert live(desk) == {("buy", 200, None): 5, ("sell", 207, None): 3, ("sell", None, 193): 2}
    desk.face.amend("a", target, price=205).ok()
    desk.face.amend("a", target, size=6).ok()
    assert live(desk)["sell", 205, None] == 6
    desk.order("b", "buy", 9, 190).ok()
    assert len(fired(desk.mark(193))) == 1 and size(desk) == 5


def test_an_amended_entry_is_as_ever(desk):
    entry = enter(desk)
    fill(desk, 5)
    desk.amend("a", entry, size=6, price=199).ok()
    fill(desk, 1, 199)
    assert live(desk) == {("sell", 206, None): 6, ("sell", None, 194): 6}


@pytest.fixture
def thin(strict_exchange):
    """a may be taken over: little money, and a mark that falls far."""
    ex = strict_exchange([Instrument("X", contract_size=1, tick=1, max_price=3_000, tiers=[Tier(10**6, "0.005", "0.01")])])
    for name, amount in (("a", 700), ("b", 10**7), ("d", 10**7)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 200)
    ex.set_leverage("a", "X", 10)
    return ex


def test_liquidation_of_the_parent_between_two_child_fills(thin):
    entry = thin.order("a", "X", "buy", 12, price=200, take_profit=206, stop_loss=STOP(100, by="last")).ok()
    thin.order("d", "X", "sell", 5, price=200).ok()
    thin.order("b", "X", "buy", 2, price=206).ok()
    assert thin.position("a", "X").size == 3
    thin.order("d", "X", "sell", 7, price=200).ok()
    assert thin.position("a", "X").size == 10
    ack = thin.mark("X", 120)
    why = ends(ack)
    assert len(why) >= 2 and {each for order, each in why.items() if order != entry.order_id} >= {Ending.LIQUIDATED}
    assert thin.position("a", "X").size == 0 and thin.open_orders("a") == [] and thin.brackets("a") == []
    thin.order("d", "X", "sell", 9, price=110)
    assert thin.position("a", "X").size == 0


def test_a_takeover_ends_entry_and_children(thin):
    entry = thin.order("a", "X", "buy", 12, price=200, take_profit=206, stop_loss=STOP(100, by="last")).ok()
    thin.order("d", "X", "sell", 9, price=200).ok()
    ack = thin.mark("X", 110)
    mine = {order: why for order, why in ends(ack).items() if why == Ending.LIQUIDATED}
    assert entry.order_id in mine and len(mine) == 3 and thin.brackets("a") == []


def test_deleveraging_ends_them_and_nothing_is_attached_to_the_next_position(strict_exchange):
    """Order vocabulary, section 1: ADL of a short 18 with attached children, then a new short of 7."""
    ex = strict_exchange([Instrument("X", contract_size=1, tick=1, max_price=3_000, tiers=[Tier(10**6, "0.005", "0.01")])])
    for name, amount in (("a", 10**6), ("b", 500), ("d", 10**6)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 200)
    ex.order("b", "X", "buy", 18, price=200).ok()
    ex.order("a", "X", "sell", 18, price=200).ok()
    ex.oco("a", "X", "buy", take_profit=100, stop_loss=STOP(300, by="last")).ok()
    ack = ex.mark("X", 110)
    assert ex.position("a", "X").size == 0 and list(ends(ack).values()).count(Ending.DELEVERAGED) == 2
    ex.order("d", "X", "buy", 7, price=110).ok()
    ex.order("a", "X", "sell", 7, price=110).ok()
    assert ex.open_orders("a") == [] and ex.position("a", "X").size == -7


def test_a_pair_follows_its_position(desk):
    desk.order("a", "buy", 5, 200).ok()
    fill(desk, 5)
    desk.face.oco("a", "X", "sell", take_profit=206, stop_loss=194).ok()
    assert live(desk) == {("sell", 206, None): 5, ("sell", None, 194): 5}
    desk.order("a", "buy", 4, 200).ok()
    fill(desk, 4)
    assert live(desk) == {("sell", 206, None): 9, ("sell", None, 194): 9}
    fill(desk, 2, 206, "buy", "b")
    assert live(desk) == {("sell", 206, None): 7, ("sell", None, 194): 7}
    desk.order("b", "buy", 12, 203).ok()
    ack = desk.order("a", "sell", 12, 203, tif="ioc").ok()
    assert CLOSED in ends(ack).values() and size(desk) == -5 and live(desk) == {}
    assert desk.face.brackets("a") == []


def test_a_pair_of_a_size_closes_no_more(desk):
    desk.order("a", "buy", 9, 200).ok()
    fill(desk, 9)
    desk.face.oco("a", "X", "sell", 4, take_profit=206, stop_loss=194).ok()
    fill(desk, 3, 206, "buy", "b")
    assert live(desk) == {("sell", 206, None): 1, ("sell", None, 194): 1}
    fill(desk, 1, 206, "buy", "b")
    assert live(desk) == {} and size(desk) == 5


def test_a_target_that_would_trade_at_once_does(desk):
    desk.order("a", "buy", 5, 200).ok()
    fill(desk, 5)
    desk.order("b", "buy", 2, 207).ok()
    ack = desk.face.oco("a", "X", "sell", take_profit=206, stop_loss=194).ok()
    assert [(price, lots) for _, price, lots in trades(ack)] == [(207, 2)]
    assert live(desk) == {("sell", 206, None): 3, ("sell", None, 194): 3}


def test_two_brackets_of_one_position(desk):
    enter(desk, 5)
    fill(desk, 5)
    enter(desk, 5, take_profit=208, stop_loss=192)
    fill(desk, 5)
    desk.order("b", "buy", 5, 195).ok()
    desk.mark(194)
    assert size(desk) == 5 and live(desk) == {("sell", 208, None): 5, ("sell", None, 192): 5}


def test_in_hedge_mode_each_leg_has_its_own(desk):
    desk.face.set_position_mode("a", "X", "hedge")
    desk.order("a", "buy", 5, 200, leg="long", take_profit=206, stop_loss=194).ok()
    fill(desk, 5)
    desk.order("d", "buy", 4, 200).ok()
    assert desk.order("a", "sell", 4, 200, leg="short", take_profit=195, stop_loss=206).filled == 4
    assert live(desk) == {
        ("sell", 206, None): 5, ("sell", None, 194): 5, ("buy", 195, None): 4, ("buy", None, 206): 4,
    }  # fmt: skip
    fill(desk, 5, 206, "buy", "b")
    assert live(desk) == {("buy", 195, None): 4, ("buy", None, 206): 4}
    assert desk.order("a", "sell", 1, 200, leg="long", take_profit=206).code == Code.BAD_BRACKET
    assert desk.face.oco("a", "X", "buy", take_profit=206, leg="long").code == Code.BAD_BRACKET
    assert desk.face.oco("a", "X", "sell", take_profit=206).code == Code.BAD_LEG


def test_in_a_halt_and_a_call_they_wait(desk):
    desk.order("a", "buy", 5, 200).ok()
    fill(desk, 5)
    desk.face.set_state("X", "auction")
    ack = desk.face.oco("a", "X", "sell", take_profit=206, stop_loss=194).ok()
    assert ack.ok() and live(desk) == {("sell", 206, None): 5, ("sell", None, 194): 5}
    assert [o.dormant for o in desk.face.open_orders("a")] == [True, True]
    assert fired(desk.mark(194)) == []
    desk.mark(200)
    desk.face.set_state("X", "continuous")
    assert [o.dormant for o in desk.face.open_orders("a")] == [False, True]
    desk.face.halt("X")
    assert desk.face.oco("a", "X", "sell", take_profit=206).code == Code.NOT_TRADING
    assert fired(desk.mark(194)) == []
    desk.order("b", "buy", 9, 190)
    desk.face.halt("X", resume=True)
    assert live(desk) == {}


def test_an_entry_that_fills_in_an_uncross_has_children_after_it(desk):
    desk.face.set_state("X", "auction")
    enter(desk)
    desk.order("d", "sell", 5, 200).ok()
    desk.face.set_state("X", "continuous")
    assert live(desk) == {("buy", 200, None): 7, ("sell", 206, None): 5, ("sell", None, 194): 5}


def test_many_orders_end_at_once(desk):
    enter(desk)
    fill(desk, 5)
    assert desk.face.cancel_all("a").filled == 3 and live(desk) == {} and desk.face.brackets("a") == []
    enter(desk)
    ack = desk.face.cancel_all("a", side="buy")
    assert ack.filled == 1 and sorted(ends(ack).values()) == [Ending.MASS_CANCELLED, DONE, DONE]


def test_a_date_and_a_timer_and_a_lost_connection(desk):
    desk.order("a", "buy", 5, 200, tif="gtd", expiry_ns=50, take_profit=206, stop_loss=194).ok()
    desk.face.advance(50)
    assert live(desk) == {}
    enter(desk, tag=3)
    fill(desk, 5)
    assert {o.tag for o in desk.face.open_orders("a")} == {3}
    desk.face.cancel_after("a", 10, spare_reduce_only=True)
    desk.face.advance(60)
    assert live(desk) == {("sell", 206, None): 5, ("sell", None, 194): 5}
    assert desk.face.disconnect(3).filled == 2 and live(desk) == {}


def test_a_date_that_makes_room_lets_a_target_grow(desk):
    """Also where the command that brings the time is refused."""
    enter(desk, 5)
    fill(desk, 5)
    desk.order("a", "sell", 3, 204, reduce_only=True, tif="gtd", expiry_ns=70).ok()
    assert live(desk)["sell", 206, None] == 2
    record = command(CommandType.CANCEL, account=16, order_id=1, time_ns=70)
    assert desk.face._kernel.apply(record) == Code.UNKNOWN_ORDER
    assert live(desk) == {("sell", 206, None): 5, ("sell", None, 194): 5}


def test_delisting_ends_all(desk):
    enter(desk)
    fill(desk, 5)
    ack = desk.face.delist("X", 200)
    assert list(ends(ack).values()) == [Ending.DELISTED] * 3 and desk.face.brackets("a") == []


def test_it_meets_itself_by_its_self_trade_mode(desk):
    """The entry is amended up to its own target, which yields; the stop stays."""
    entry = enter(desk)
    fill(desk, 5)
    target, _ = children(entry)
    ack = desk.amend("a", entry, price=206).ok()
    assert ends(ack)[target] == Ending.SELF_TRADE and live(desk) == {("buy", 206, None): 7, ("sell", None, 194): 5}


def test_a_dormant_entry_has_children_too(desk):
    desk.order("a", "buy", 5, 210, trigger=STOP(203), take_profit=215, stop_loss=198).ok()
    desk.order("d", "sell", 5, 204).ok()
    desk.mark(203)
    assert live(desk) == {("sell", 215, None): 5, ("sell", None, 198): 5}


def test_a_stop_that_is_reached_when_its_entry_fills_fires_at_once(desk):
    desk.order("b", "buy", 9, 190).ok()
    enter(desk, 5, stop_loss=199)
    desk.mark(198)
    ack = fill(desk, 5)
    assert [e.kind for e in ack.events if e.type == EventType.TRIGGERED] == [1] and size(desk) == 0


def test_preview_fork_and_snapshot_know_them(desk):
    seen = desk.face.preview("a", "X", "buy", 5, price=200, take_profit=206, stop_loss=194)
    assert seen.code == Code.OK and seen.resting == 5 and live(desk) == {}
    assert desk.face.preview("a", "X", "buy", 5, price=200, take_profit=206, reduce_only=True).code == Code.BAD_BRACKET
    enter(desk)
    fill(desk, 5)
    other = desk.face.fork()
    assert other.digest() == desk.face.digest() and other.brackets("a") == desk.face.brackets("a")
    other.cancel_all("a")
    other.check()
    assert live(desk) == {("buy", 200, None): 7, ("sell", 206, None): 5, ("sell", None, 194): 5}


BAD = [
    ({"take_profit": 206, "reduce_only": True}, Code.BAD_BRACKET),
    ({"take_profit": "206.5"}, Code.BAD_BRACKET),
    ({"take_profit": 10**6}, Code.BAD_BRACKET),
    ({"stop_loss": 0}, Code.BAD_BRACKET),
    ({"stop_loss": (STOP(194), -1)}, Code.BAD_BRACKET),
    ({"stop_loss": (STOP(194), 1)}, Code.PRICE_BAND),
]


@pytest.mark.parametrize(("terms", "code"), BAD)
def test_what_is_refused_changes_nothing(desk, terms, code):
    before = desk.face.digest()
    assert desk.order("a", "buy", 5, 200, **terms).code == code
    assert desk.face.digest() == before


def test_records_that_are_refused(desk):
    kernel, terms = desk.face._kernel, {"account": 16, "price_ticks": 200, "size_lots": 5}
    good = bracket(stop_trigger_ticks=194)

    def order(more, flags=0, **second):
        data = extension(**second) + more
        return kernel.apply(command(CommandType.ORDER, records=1 + len(data) // 64, flags=flags, **terms) + data)

    assert order(good, group_role=2) == Code.NOT_SUPPORTED
    assert order(b"", group_role=1) == Code.NOT_SUPPORTED
    assert order(bracket(unused_first=1, stop_trigger_ticks=194), group_role=1) == Code.NOT_SUPPORTED
    assert order(bracket(stop_trigger_ticks=194, arm=Arm.FOLLOWS), group_role=1) == Code.BAD_BRACKET
    assert order(bracket(stop_trigger_ticks=194, stop_source=5), group_role=1) == Code.BAD_BRACKET
    assert order(bracket(target_ticks=206, stop_source=1), group_role=1) == Code.BAD_BRACKET
    assert order(good + good + good, group_role=1) == Code.BAD_RECORD  # two more than there can be
    assert order(good, group_role=1, hedge_side=1) == Code.BAD_LEG
    assert order(good, Flag.REDUCE_ONLY, group_role=1) == Code.BAD_BRACKET
    assert order(good, group_role=1) == Code.OK
    attach = {"account": 16, "side": 1, "records": 2}
    assert kernel.apply(command(CommandType.ATTACH, account=16, side=1)) == Code.BAD_RECORD
    for more, code in (
        ({"side": 2}, Code.BAD_SIDE), ({"size_lots": -1}, Code.BAD_SIZE), ({"stp_mode": 5}, Code.BAD_SELF_TRADE),
        ({"tag": 2**16}, Code.BAD_TAG), ({"leg": 1}, Code.BAD_LEG), ({"account": 99}, Code.UNKNOWN_ACCOUNT),
        ({"instrument": 9}, Code.UNKNOWN_INSTRUMENT), ({}, Code.REDUCE_ONLY_WOULD_OPEN),
    ):  # fmt: skip
        assert kernel.apply(command(CommandType.ATTACH, **attach | more) + good) == code, more
    fill(desk, 5)
    assert kernel.apply(command(CommandType.ATTACH, **attach) + bracket(arm=1, stop_trigger_ticks=194)) == Code.BAD_BRACKET


def test_a_position_has_so_many_of_them(exchange_class):
    ex = exchange_class([Instrument("X", contract_size=1, tick=1, max_price=1_000)])
    for name in "ab":
        ex.deposit(name, "USDT", 10**6)
    ex.mark("X", 200)
    ex.order("b", "X", "sell", 5, price=200).ok()
    ex.order("a", "X", "buy", 5, price=200).ok()
    pair = command(CommandType.ATTACH, account=16, side=1, records=2) + bracket(
        target_trigger_ticks=250, stop_trigger_ticks=150
    )  # fmt: skip
    assert not ex.run(pair * (TRIGGERED_MAX // 2)).code.any()
    assert ex._kernel.apply(pair) == Code.TOO_MANY_ORDERS
    assert ex.order("a", "X", "buy", 1, price=199, stop_loss=150).code == Code.TOO_MANY_ORDERS
    assert ex.order_counts("a") == (0, TRIGGERED_MAX)
    ex.check()


def test_an_instruments_limits_hold_for_them(strict_exchange):
    limits = OrderLimits(open_orders=3, messages=3, window_ns=100)
    ex = strict_exchange([Instrument("X", contract_size=1, tick=1, max_price=1_000, order_limits=limits)])
    for name in "ab":
        ex.deposit(name, "USDT", 10**6)
    ex.mark("X", 200)
    ex.order("b", "X", "sell", 5, price=200).ok()
    ex.order("a", "X", "buy", 5, price=200).ok()
    ex.oco("a", "X", "sell", take_profit=206, stop_loss=194).ok()
    assert ex.oco("a", "X", "sell", take_profit=206, stop_loss=194).code == Code.TOO_MANY_OPEN_ORDERS
    assert ex.order("a", "X", "buy", 1, price=190, stop_loss=150).code == Code.TOO_MANY_OPEN_ORDERS
    ex.oco("a", "X", "sell", stop_loss=194).ok()
    ex.cancel_all("a")
    assert ex.oco("a", "X", "sell", stop_loss=194).code == Code.TOO_MANY_MESSAGES
    ex.set_state("X", "post-only")
    assert ex.oco("a", "X", "sell", stop_loss=194).code == Code.NOT_IN_THIS_STATE


def test_words_that_are_refused(desk):
    for terms in (
        {"arm": "complete"}, {"arm": "later", "stop_loss": 194}, {"take_profit": STOP(206)}, {"stop_loss": TARGET(194)},
        {"stop_loss": STOP(194, if_reached="refuse")}, {"stop_loss": Trigger.trailing(distance=3)}, {"stop_loss": 194.0},
        {"stop_loss": (194, 193)}, {"take_profit": True}, {"stop_loss": "x"},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"arm|stop_loss|take_profit"):
            desk.order("a", "buy", 5, 200, **terms)


def test_strict_raises_their_codes(exchange_class):
    ex = exchange_class([Instrument("X", contract_size=1, tick=1, max_price=1_000)], strict=True)
    ex.deposit("a", "USDT", 10**6)
    ex.mark("X", 200)
    with pytest.raises(Rejected, match="REDUCE_ONLY_WOULD_OPEN"):
        ex.oco("a", "X", "sell", take_profit=206)
    entry = ex.order("a", "X", "buy", 5, price=200, take_profit=206)
    [view] = ex.brackets("a")
    with pytest.raises(Rejected, match="CHILD_TOO_LARGE"):
        ex.amend("a", view.target_id, size=3)
    assert (view.entry_id, view.stop_id, view.arm) == (entry.order_id, 0, "incremental")


def test_a_child_fires_by_a_trade_of_the_house(strict_exchange):
    """The house sells what it took over to the best bid; the stop by bid sees the next one."""
    ex = strict_exchange([Instrument("X", contract_size=1, tick=1, max_price=3_000, tiers=[Tier(10**6, "0.005", "0.01")])])
    for name, amount in (("a", 10**6), ("b", 500), ("d", 10**6)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 200)
    for name, lots in (("a", 5), ("b", 18)):
        ex.order("d", "X", "sell", lots, price=200).ok()
        ex.order(name, "X", "buy", lots, price=200).ok()
    pair = ex.oco("a", "X", "sell", take_profit=260, stop_loss=STOP(170, by="bid")).ok()
    for lots, price in ((18, 175), (9, 166)):
        ex.order("d", "X", "buy", lots, price=price).ok()
    ack = ex.mark("X", 173)
    assert [(price, lots) for _, price, lots in trades(ack)] == [(175, 18), (166, 5)]
    assert ends(ack)[pair.order_id] == FIRED and ex.position("a", "X").size == 0
