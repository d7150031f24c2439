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
def test_it_ends_with_its_position_and_leaves_the_next_one_alone(exchange_desk, held, kind):
    side, sign = OTHER[held], 1 if held == "buy" else -1
    exchange_desk.index(100)
    terms = {
        "stop": {}, "limit": {"price": 100 - 12 * sign}, "profit": {"trigger": PROFIT(100 + 10 * sign)},
        "trailing": {"trigger": Trigger.trailing(distance=10)}, "index": {"trigger": STOP(100 - 10 * sign, by="index")},
        "timed": {"tif": "gtd", "expiry_ns": 99},
    }[kind]  # fmt: skip
    hold(exchange_desk, "a", held, 5)
    order = waits(exchange_desk, "a", side, **terms)
    ack = close(exchange_desk, "a", held, 5)
    assert ends(ack)[order.order_id] == CLOSED and exchange_desk.dormant() == []
    [done] = [e for e in ack.events if e.type == EventType.DONE and e.order_id == order.order_id]
    assert (done.cancelled_lots, done.filled_lots, done.code) == (0, 0, Code.OK)
    hold(exchange_desk, "a", held, 3)
    exchange_desk.order("d", held, 9, 100 - 10 * sign)
    assert fired(exchange_desk.mark(100 - 10 * sign)) == [] and fired(exchange_desk.mark(100 + 10 * sign)) == []
    assert exchange_desk.face.position("a", "X").size == 3 * sign


@pytest.mark.parametrize("held", ["buy", "sell"])
def test_a_reduction_leaves_it_and_a_turn_ends_it(exchange_desk, held):
    """Turned round by one order: what waits for the other side stays for that."""
    hold(exchange_desk, "a", held, 5)
    mine, other = waits(exchange_desk, "a", OTHER[held]), waits(exchange_desk, "a", held)
    close(exchange_desk, "a", held, 4)
    assert exchange_desk.dormant() == [mine.order_id, other.order_id]
    turned = close(exchange_desk, "a", held, 3)
    assert ends(turned)[mine.order_id] == CLOSED and exchange_desk.dormant() == [other.order_id]
    assert ends(close(exchange_desk, "a", OTHER[held], 2))[other.order_id] == CLOSED


@pytest.mark.parametrize("first", ["buy", "sell"])
def test_one_placed_while_flat_belongs_to_the_first_position_it_could_close(exchange_desk, first):
    """The first long of a sell: a short before it is another matter."""
    order = waits(exchange_desk, "a", "sell")
    if first == "sell":
        hold(exchange_desk, "a", "sell", 2)
        close(exchange_desk, "a", "sell", 2)
        assert exchange_desk.dormant() == [order.order_id]
    hold(exchange_desk, "a", "buy", 5)
    hold(exchange_desk, "a", "buy", 2)
    assert exchange_desk.dormant() == [order.order_id]
    assert ends(close(exchange_desk, "a", "buy", 7))[order.order_id] == CLOSED


def test_it_closes_the_position_that_it_waited_for(exchange_desk):
    order = waits(exchange_desk, "a", "sell", 4)
    hold(exchange_desk, "a", "buy", 5)
    exchange_desk.order("d", "buy", 5, 96)
    assert ends(exchange_desk.mark(96))[order.order_id] == Ending.FILLED and exchange_desk.face.position("a", "X").size == 0


def test_a_maker_is_closed(exchange_desk):
    """Its stop ends in the fill that closes it, before the taker goes on and opens it again."""
    hold(exchange_desk, "a", "buy", 5)
    order = waits(exchange_desk, "a", "sell")
    exchange_desk.order("a", "sell", 8, 101)
    ack = exchange_desk.order("b", "buy", 8, 101)
    assert ends(ack)[order.order_id] == CLOSED
    assert exchange_desk.face.position("a", "X").size == -3


def test_closed_and_opened_again_in_one_command(exchange_desk):
    """b's fired orders take a's target, and then sell to a's bid: the old stop is gone all the same."""
    hold(exchange_desk, "a", "buy", 5)
    order = waits(exchange_desk, "a", "sell")
    exchange_desk.order("a", "sell", 5, 102)
    exchange_desk.order("a", "buy", 4, 97)
    exchange_desk.order("b", "buy", 5, 103, trigger=STOP(100, by="index"))
    exchange_desk.order("b", "sell", 4, 96, trigger=PROFIT(100, by="index"))
    seen = exchange_desk.index(100)
    assert (
        ends(seen)[order.order_id] == CLOSED
        and exchange_desk.face.position("a", "X").size == 4
        and exchange_desk.dormant() == []
    )


def test_both_legs_of_a_bracket(exchange_desk):
    """When one has closed the position the other one ends."""
    hold(exchange_desk, "a", "buy", 5)
    stop, target = waits(exchange_desk, "a", "sell", 4), waits(exchange_desk, "a", "sell", trigger=PROFIT(104))
    exchange_desk.order("d", "buy", 5, 104)
    seen = ends(exchange_desk.mark(104))
    assert (seen[target.order_id], seen[stop.order_id]) == (Ending.FILLED, CLOSED)
    assert exchange_desk.dormant() == [] and exchange_desk.face.position("a", "X").size == 0


def test_a_due_one_ends_too(exchange_desk):
    """One mark reaches both; the first closes the position, so the second is not even tried."""
    hold(exchange_desk, "a", "buy", 5)
    first, second = waits(exchange_desk, "a", "sell", 4), waits(exchange_desk, "a", "sell", 5)
    exchange_desk.order("d", "buy", 9, 95)
    seen = exchange_desk.mark(95)
    assert fired(seen) == [first.order_id] and codes(seen) == {}
    assert (ends(seen)[first.order_id], ends(seen)[second.order_id]) == (Ending.FILLED, CLOSED)


def test_a_due_one_of_a_maker(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    exchange_desk.order("a", "sell", 5, 101)
    first = exchange_desk.order("b", "buy", 5, 101, trigger=STOP(100, by="index"))
    second = waits(exchange_desk, "a", "sell", trigger=PROFIT(100, by="index"))
    seen = exchange_desk.index(100)
    assert fired(seen) == [first.order_id] and ends(seen)[second.order_id] == CLOSED


def test_only_close_position_orders_end(exchange_desk):
    """A reduce-only stop of a size may close the next position, as it says; another account's is none of it."""
    hold(exchange_desk, "a", "buy", 5)
    hold(exchange_desk, "b", "buy", 5)
    plain = exchange_desk.order("a", "sell", 5, trigger=STOP(90), reduce_only=True)
    opening = exchange_desk.order("a", "buy", 5, 106, trigger=STOP(106))
    others = waits(exchange_desk, "b", "sell")
    gone = waits(exchange_desk, "a", "sell")
    ack = close(exchange_desk, "a", "buy", 5)
    assert [order for order, why in ends(ack).items() if why == CLOSED] == [gone.order_id]
    assert exchange_desk.dormant() == [plain.order_id, opening.order_id, others.order_id]


def test_a_fired_one_that_rests_ends_as_what_rests(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    order = waits(exchange_desk, "a", "sell", price=106, trigger=PROFIT(104))
    exchange_desk.mark(104)
    assert exchange_desk.resting(order) == 5
    assert ends(close(exchange_desk, "a", "buy", 5))[order.order_id] == Ending.REDUCE_ONLY_CUT


def test_a_trade_with_oneself_ends_nothing(exchange_desk):
    """Between its halves the position is short; it is long before and after."""
    hold(exchange_desk, "a", "buy", 5)
    mine, other = waits(exchange_desk, "a", "sell"), waits(exchange_desk, "a", "buy")
    exchange_desk.order("a", "sell", 8, 101)
    assert exchange_desk.order("a", "buy", 8, 101, tif="ioc", self_trade="allow").filled == 8
    assert exchange_desk.dormant() == [mine.order_id, other.order_id]


def test_newest_first_and_their_client_ids_are_done(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    acks = [waits(exchange_desk, "a", "sell", ticks, client_id=ticks) for ticks in (8, 10, 9)]
    assert [order for order, why in ends(close(exchange_desk, "a", "buy", 5)).items() if why == CLOSED] == [
        each.order_id for each in reversed(acks)
    ]
    again = exchange_desk.order("a", "sell", None, close_position=True, trigger=STOP(90), client_id=8)
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
def test_a_leg_of_a_hedge(strict_exchange, leg):
    """The other leg and its stop stay."""
    ex, order = place(strict_exchange, leg=leg)
    side, other = ("buy", "short") if leg == "long" else ("sell", "long")
    ex.order("m", "X", side, 4, price=1_000)
    ex.order("a", "X", OTHER[side], 4, price=1_000, leg=other).ok()
    trigger = STOP(2_900) if other == "short" else STOP(10)
    kept = ex.order("a", "X", side, None, close_position=True, trigger=trigger, leg=other).ok()
    ex.order("m", "X", side, 10, price=1_000)
    ack = ex.order("a", "X", OTHER[side], 10, price=1_000, leg=leg)
    assert endings(ack, order) == [CLOSED] and [o.order_id for o in ex.open_orders("a")] == [kept.order_id]


def test_a_liquidation_ends_it_with_the_other_orders(strict_exchange):
    ex, order = place(strict_exchange)
    seen = ex.mark("X", 700)
    assert endings(seen, order) == [Ending.LIQUIDATED] and ex.position("a", "X").size == 0


def test_a_deleveraged_winner(strict_exchange):
    """a's short is closed against a parcel; its stop ends with its other orders."""
    ex = strict_exchange([Instrument("X", **TABLE)])
    for name, amount in (("long", 1_050), ("a", 10**5)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    ex.order("a", "X", "sell", 10, price=1_000)
    ex.order("long", "X", "buy", 10, price=1_000).ok()
    order = ex.order("a", "X", "buy", None, close_position=True, trigger=STOP(2_900)).ok()
    seen = ex.mark("X", 500)
    assert endings(seen, order) == [Ending.DELEVERAGED] and ex.position("a", "X").size == 0


def test_a_settlement(strict_exchange):
    ex, order = place(strict_exchange)
    assert endings(ex.delist("X", 990), order) == [Ending.DELISTED]


def test_a_step_down_cancels_it_before_it_sells(strict_exchange):
    table = [Tier(4, "0.005", "0.01"), Tier(8, "0.05", "0.1"), Tier(20, "0.08", "0.1")]
    ex, order = place(strict_exchange, tiers=table)
    ex.order("m", "X", "buy", 10, price=900)
    seen = ex.mark("X", 870)
    assert endings(seen, order) == [Ending.LIQUIDATED]
