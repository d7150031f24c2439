"""Close-position orders that sleep: they end with their position and never close the next one. From docs/reference/orders.md.

Prices stand around a mark of 100, one tick apart, sizes are lots; a, b, c, d are accounts.
"""

import pytest

from solvent import Code, EventType, Instrument, Tier, Trigger
from solvent.records import Ending
from support.order_desk import codes, ends, fired, hold

STOP, PROFIT = Trigger.stop, Trigger.take_profit
OTHER = {"buy": "sell", "sell": "buy"}
CLOSED = Ending.POSITION_CLOSED
TABLE = {"contract_size": 1, "tick": 1, "max_price": 3_000, "tiers": [Tier(10**6, "0.005", "0.01")]}


def waits(desk, who, side, ticks=10, **terms):
    """A close-position stop of a side, so far behind the mark."""
    trigger = terms.pop("trigger", None) or STOP(100 - ticks if side == "sell" else 100 + ticks)
    return desk.order(who, side, None, close_position=True, trigger=trigger, **terms).ok()


def close(desk, who, held, size, price=100):
    desk.order("d", held, size, price)
    return desk.order(who, OTHER[held], size, price, tif="ioc")


@pytest.mark.parametrize("held", ["buy", "sell"])
@pytest.mark.parametrize("kind", ["stop", "limit", "profit", "trailing", "index", "timed"])
def test_it_ends_with_its_position_and_leaves_the_next_one_alone(xdesk, held, kind):
    side, sign = OTHER[held], 1 if held == "buy" else -1
    xdesk.index(100)
    terms = {
        "stop": {}, "limit": {"price": 100 - 12 * sign}, "profit": {"trigger": PROFIT(100 + 10 * sign)},
        "trailing": {"trigger": Trigger.trailing(distance=10)}, "index": {"trigger": STOP(100 - 10 * sign, by="index")},
        "timed": {"tif": "gtd", "expiry_ns": 99},
    }[kind]  # fmt: skip
    hold(xdesk, "a", held, 5)
    order = waits(xdesk, "a", side, **terms)
    ack = close(xdesk, "a", held, 5)
    assert ends(ack)[order.order_id] == CLOSED and xdesk.dormant() == []
    [done] = [e for e in ack.events if e.type == EventType.DONE and e.order_id == order.order_id]
    assert (done.cancelled_lots, done.filled_lots, done.code) == (0, 0, Code.OK)
    hold(xdesk, "a", held, 3)
    xdesk.order("d", held, 9, 100 - 10 * sign)
    assert fired(xdesk.mark(100 - 10 * sign)) == [] and fired(xdesk.mark(100 + 10 * sign)) == []
    assert xdesk.face.position("a", "X").size == 3 * sign


@pytest.mark.parametrize("held", ["buy", "sell"])
def test_a_reduction_leaves_it_and_a_turn_ends_it(xdesk, held):
    """Turned round by one order: what waits for the other side stays for that."""
    hold(xdesk, "a", held, 5)
    mine, other = waits(xdesk, "a", OTHER[held]), waits(xdesk, "a", held)
    close(xdesk, "a", held, 4)
    assert xdesk.dormant() == [mine.order_id, other.order_id]
    turned = close(xdesk, "a", held, 3)
    assert ends(turned)[mine.order_id] == CLOSED and xdesk.dormant() == [other.order_id]
    assert ends(close(xdesk, "a", OTHER[held], 2))[other.order_id] == CLOSED


@pytest.mark.parametrize("first", ["buy", "sell"])
def test_one_placed_while_flat_belongs_to_the_first_position_it_could_close(xdesk, first):
    """The first long of a sell: a short before it is another matter."""
    order = waits(xdesk, "a", "sell")
    if first == "sell":
        hold(xdesk, "a", "sell", 2)
        close(xdesk, "a", "sell", 2)
        assert xdesk.dormant() == [order.order_id]
    hold(xdesk, "a", "buy", 5)
    hold(xdesk, "a", "buy", 2)
    assert xdesk.dormant() == [order.order_id]
    assert ends(close(xdesk, "a", "buy", 7))[order.order_id] == CLOSED


def test_it_closes_the_position_that_it_waited_for(xdesk):
    order = waits(xdesk, "a", "sell", 4)
    hold(xdesk, "a", "buy", 5)
    xdesk.order("d", "buy", 5, 96)
    assert ends(xdesk.mark(96))[order.order_id] == Ending.FILLED and xdesk.face.position("a", "X").size == 0


def test_a_maker_is_closed(xdesk):
    """Its stop ends in the fill that closes it, before the taker goes on and opens it again."""
    hold(xdesk, "a", "buy", 5)
    order = waits(xdesk, "a", "sell")
    xdesk.order("a", "sell", 8, 101)
    ack = xdesk.order("b", "buy", 8, 101)
    assert ends(ack)[order.order_id] == CLOSED
    assert xdesk.face.position("a", "X").size == -3


def test_closed_and_opened_again_in_one_command(xdesk):
    """b's fired orders take a's target, and then sell to a's bid: the old stop is gone all the same."""
    hold(xdesk, "a", "buy", 5)
    order = waits(xdesk, "a", "sell")
    xdesk.order("a", "sell", 5, 102)
    xdesk.order("a", "buy", 4, 97)
    xdesk.order("b", "buy", 5, 103, trigger=STOP(100, by="index"))
    xdesk.order("b", "sell", 4, 96, trigger=PROFIT(100, by="index"))
    seen = xdesk.index(100)
    assert ends(seen)[order.order_id] == CLOSED and xdesk.face.position("a", "X").size == 4 and xdesk.dormant() == []


def test_both_legs_of_a_bracket(xdesk):
    """When one has closed the position the other one ends."""
    hold(xdesk, "a", "buy", 5)
    stop, target = waits(xdesk, "a", "sell", 4), waits(xdesk, "a", "sell", trigger=PROFIT(104))
    xdesk.order("d", "buy", 5, 104)
    seen = ends(xdesk.mark(104))
    assert (seen[target.order_id], seen[stop.order_id]) == (Ending.FILLED, CLOSED)
    assert xdesk.dormant() == [] and xdesk.face.position("a", "X").size == 0


def test_a_due_one_ends_too(xdesk):
    """One mark reaches both; the first closes the position, so the second is not even tried."""
    hold(xdesk, "a", "buy", 5)
    first, second = waits(xdesk, "a", "sell", 4), waits(xdesk, "a", "sell", 5)
    xdesk.order("d", "buy", 9, 95)
    seen = xdesk.mark(95)
    assert fired(seen) == [first.order_id] and codes(seen) == {}
    assert (ends(seen)[first.order_id], ends(seen)[second.order_id]) == (Ending.FILLED, CLOSED)


def test_a_due_one_of_a_maker(xdesk):
    hold(xdesk, "a", "buy", 5)
    xdesk.order("a", "sell", 5, 101)
    first = xdesk.order("b", "buy", 5, 101, trigger=STOP(100, by="index"))
    second = waits(xdesk, "a", "sell", trigger=PROFIT(100, by="index"))
    seen = xdesk.index(100)
    assert fired(seen) == [first.order_id] and ends(seen)[second.order_id] == CLOSED


def test_only_close_position_orders_end(xdesk):
    """A reduce-only stop of a size may close the next position, as it says; another account's is none of it."""
    hold(xdesk, "a", "buy", 5)
    hold(xdesk, "b", "buy", 5)
    plain = xdesk.order("a", "sell", 5, trigger=STOP(90), reduce_only=True)
    opening = xdesk.order("a", "buy", 5, 106, trigger=STOP(106))
    others = waits(xdesk, "b", "sell")
    gone = waits(xdesk, "a", "sell")
    ack = close(xdesk, "a", "buy", 5)
    assert [order for order, why in ends(ack).items() if why == CLOSED] == [gone.order_id]
    assert xdesk.dormant() == [plain.order_id, opening.order_id, others.order_id]


def test_a_fired_one_that_rests_ends_as_what_rests(xdesk):
    hold(xdesk, "a", "buy", 5)
    order = waits(xdesk, "a", "sell", price=106, trigger=PROFIT(104))
    xdesk.mark(104)
    assert xdesk.resting(order) == 5
    assert ends(close(xdesk, "a", "buy", 5))[order.order_id] == Ending.REDUCE_ONLY_CUT


def test_a_trade_with_oneself_ends_nothing(xdesk):
    """Between its halves the position is short; it is long before and after."""
    hold(xdesk, "a", "buy", 5)
    mine, other = waits(xdesk, "a", "sell"), waits(xdesk, "a", "buy")
    xdesk.order("a", "sell", 8, 101)
    assert xdesk.order("a", "buy", 8, 101, tif="ioc", self_trade="allow").filled == 8
    assert xdesk.dormant() == [mine.order_id, other.order_id]


def test_newest_first_and_their_client_ids_are_done(xdesk):
    hold(xdesk, "a", "buy", 5)
    acks = [waits(xdesk, "a", "sell", ticks, client_id=ticks) for ticks in (8, 10, 9)]
    assert [order for order, why in ends(close(xdesk, "a", "buy", 5)).items() if why == CLOSED] == [
        each.order_id for each in reversed(acks)
    ]
    again = xdesk.order("a", "sell", None, close_position=True, trigger=STOP(90), client_id=8)
    assert (again.code, again.order_id) == (Code.DUPLICATE_CLIENT_ID, acks[0].order_id)


# --- Other ways in which a position ends -------------------------------------------------------------------------------


def place(make, leg=None, **terms):
    """a is long ten at 1,000 against m, or short on that leg, with a close-position stop far away."""
    ex = make([Instrument("X", **TABLE | terms)])
    for name, amount in (("m", 10**6), ("n", 10**6), ("a", 2_000)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    if leg:
        ex.set_position_mode("a", "X", "hedge")
    side = "sell" if leg == "short" else "buy"
    ex.order("m", "X", OTHER[side], 10, price=1_000)
    ex.order("a", "X", side, 10, price=1_000, leg=leg).ok()
    trigger = STOP(10) if side == "buy" else STOP(2_900)
    return ex, ex.order("a", "X", OTHER[side], None, close_position=True, trigger=trigger, leg=leg).ok()


def endings(ack, order):
    return [e.ending for e in ack.events if e.type == EventType.DONE and e.order_id == order.order_id]


@pytest.mark.parametrize("leg", ["long", "short"])
def test_a_leg_of_a_hedge(make, leg):
    """The other leg and its stop stay."""
    ex, order = place(make, leg=leg)
    side, other = ("buy", "short") if leg == "long" else ("sell", "long")
    ex.order("m", "X", side, 4, price=1_000)
    ex.order("a", "X", OTHER[side], 4, price=1_000, leg=other).ok()
    trigger = STOP(2_900) if other == "short" else STOP(10)
    kept = ex.order("a", "X", side, None, close_position=True, trigger=trigger, leg=other).ok()
    ex.order("m", "X", side, 10, price=1_000)
    ack = ex.order("a", "X", OTHER[side], 10, price=1_000, leg=leg)
    assert endings(ack, order) == [CLOSED] and [o.order_id for o in ex.open_orders("a")] == [kept.order_id]


def test_a_liquidation_ends_it_with_the_other_orders(make):
    ex, order = place(make)
    seen = ex.mark("X", 700)
    assert endings(seen, order) == [Ending.LIQUIDATED] and ex.position("a", "X").size == 0


def test_a_deleveraged_winner(make):
    """a's short is closed against a parcel; its stop ends with its other orders."""
    ex = make([Instrument("X", **TABLE)])
    for name, amount in (("long", 1_050), ("a", 10**5)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    ex.order("a", "X", "sell", 10, price=1_000)
    ex.order("long", "X", "buy", 10, price=1_000).ok()
    order = ex.order("a", "X", "buy", None, close_position=True, trigger=STOP(2_900)).ok()
    seen = ex.mark("X", 500)
    assert endings(seen, order) == [Ending.DELEVERAGED] and ex.position("a", "X").size == 0


def test_a_settlement(make):
    ex, order = place(make)
    assert endings(ex.delist("X", 990), order) == [Ending.DELISTED]


def test_a_step_down_cancels_it_before_it_sells(make):
    table = [Tier(4, "0.005", "0.01"), Tier(8, "0.05", "0.1"), Tier(20, "0.08", "0.1")]
    ex, order = place(make, tiers=table)
    ex.order("m", "X", "buy", 10, price=900)
    seen = ex.mark("X", 870)
    assert endings(seen, order) == [Ending.LIQUIDATED]
