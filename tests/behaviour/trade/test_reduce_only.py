"""Reduce-only orders: what they may close beside each other, what they leave of each other, and where they end.

Written from docs/reference/orders.md and docs/explanation/semantics.md. Prices stand around a mark of 100, one tick apart,
sizes are lots.
"""

from random import Random

import pytest

from solvent import Code, EventType, Instrument, Tier, Trigger
from solvent.records import Ending
from solvent.schema.limits import REDUCE_ONLY_MAX
from support.order_desk import ends, fired, hold, lots_cut, trades

OTHER = {"buy": "sell", "sell": "buy"}


def away(side, ticks):
    """So many ticks beyond the mark for an order of a side: where it waits."""
    return 100 + ticks if side == "sell" else 100 - ticks


def left(desk, *acks):
    return [desk.resting(ack) for ack in acks]


# --- What trades at once is limited by the position alone ----------------------------------------------------------

STOPS = [
    {"reduce_only": True},
    {"close_position": True},
    {"reduce_only": True, "limit": True},
    {"close_position": True, "limit": True},
    {"reduce_only": True, "tif": "fok"},
    {"close_position": True, "tif": "gtd", "expiry_ns": 99},
]


@pytest.mark.parametrize("held", ["buy", "sell"])
@pytest.mark.parametrize("terms", STOPS)
def test_a_resting_target_leaves_the_stop_its_position(exchange_desk, held, terms):
    """The pair that most bots place: the stop closes all, and the target ends with what it was to close."""
    close, terms = OTHER[held], dict(terms)
    hold(exchange_desk, "a", held, 5)
    target = exchange_desk.order("a", close, 5, away(close, 8), reduce_only=True).ok()
    size = None if "close_position" in terms else 5
    price = away(close, -4) if terms.pop("limit", False) else None
    stop = exchange_desk.order("a", close, size, price, trigger=Trigger.stop(away(close, -4)), **terms).ok()
    exchange_desk.order("d", held, 9, away(close, -4))
    seen = exchange_desk.mark(away(close, -4))
    assert fired(seen) == [stop.order_id] and sum(lots for *_, lots in trades(seen)) == 5
    assert ends(seen) == {target.order_id: Ending.REDUCE_ONLY_CUT, stop.order_id: Ending.FILLED}
    assert exchange_desk.face.position("a", "X").size == 0 and not exchange_desk.face.open_orders("a")


def test_a_stop_that_finds_too_little_leaves_the_target_the_rest(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    target = exchange_desk.order("a", "sell", 5, 108, reduce_only=True)
    exchange_desk.order("a", "sell", 5, trigger=Trigger.stop(96), reduce_only=True)
    exchange_desk.order("d", "buy", 3, 96)
    seen = exchange_desk.mark(96)
    assert lots_cut(seen, target) == [3] and left(exchange_desk, target) == [2]


def test_a_fired_limit_that_rests_comes_before_the_target(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    target = exchange_desk.order("a", "sell", 5, 108, reduce_only=True)
    stop = exchange_desk.order("a", "sell", 4, 97, trigger=Trigger.stop(96), reduce_only=True)
    exchange_desk.mark(96)
    assert left(exchange_desk, target, stop) == [1, 4]


@pytest.mark.parametrize("terms", [{}, {"tif": "ioc"}, {"tif": "fok"}, {"price": None}])
def test_an_order_that_closes_at_once_beside_a_resting_one(exchange_desk, terms):
    hold(exchange_desk, "a", "buy", 5)
    target = exchange_desk.order("a", "sell", 5, 108, reduce_only=True)
    exchange_desk.order("d", "buy", 9, 99)
    ack = exchange_desk.order("a", "sell", 7, terms.pop("price", 99), reduce_only=True, **terms)
    assert (ack.filled, ack.resting) == (5, 0)
    assert ends(ack)[target.order_id] == Ending.REDUCE_ONLY_CUT


def test_what_is_left_of_one_that_traded_rests_before_the_others(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    far, near = (exchange_desk.order("a", "sell", lots, price, reduce_only=True) for lots, price in ((2, 108), (3, 105)))
    exchange_desk.order("d", "buy", 1, 99)
    ack = exchange_desk.order("a", "sell", 3, 99, reduce_only=True)
    assert (ack.filled, ack.resting) == (1, 2)
    assert left(exchange_desk, far, near, ack) == [0, 2, 2] and exchange_desk.face.position("a", "X").size == 4
    assert ends(ack)[far.order_id] == Ending.REDUCE_ONLY_CUT and lots_cut(ack, near) == [1]


INVERSE = {
    "kind": "inverse", "settle": "XBT", "settle_decimals": 10, "contract_size": 1, "tick": 1, "max_price": 1_000,
    "tiers": [Tier(10**6, "0.005", "0.01")],
}  # fmt: skip
LINEAR = {"contract_size": 1, "tick": 1, "max_price": 1_000, "tiers": [Tier(10**6, "0.005", "0.01")]}


@pytest.mark.parametrize("terms", [INVERSE, LINEAR])
@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("leg", [None, "long", "short"])
def test_the_pair_elsewhere(strict_exchange, terms, mode, leg):
    """Inverse contracts, isolated margin, legs of a hedge."""
    ex = strict_exchange([Instrument("I", **terms)])
    for name in "am":
        ex.deposit(name, terms.get("settle", "USDT"), 10**4)
    ex.mark("I", 100)
    ex.set_leverage("a", "I", 5, mode=mode)
    if leg:
        ex.set_position_mode("a", "I", "hedge")
    side, sign = ("sell", -1) if leg == "short" else ("buy", 1)
    ex.order("m", "I", OTHER[side], 10, price=100)
    ex.order("a", "I", side, 10, price=100, leg=leg).ok()
    target = ex.order("a", "I", OTHER[side], 10, price=100 + 10 * sign, leg=leg, reduce_only=True).ok()
    stop = ex.order("a", "I", OTHER[side], None, close_position=True, trigger=Trigger.stop(100 - 4 * sign), leg=leg).ok()
    ex.order("m", "I", side, 10, price=100 - 4 * sign).ok()
    seen = ex.mark("I", 100 - 4 * sign)
    assert ends(seen)[stop.order_id] == Ending.FILLED and ends(seen)[target.order_id] == Ending.REDUCE_ONLY_CUT
    assert ex.position("a", "I", leg).size == 0


# --- Of those that rest the better-priced one counts first -----------------------------------------------------------


@pytest.mark.parametrize("held", ["buy", "sell"])
@pytest.mark.parametrize(
    ("there", "new", "rests"),
    [
        ((5, 8), (5, 6), [0, 5]),  # better: the other one goes
        ((5, 6), (5, 8), [5, None]),  # worse: refused
        ((3, 6), (5, 8), [3, 2]),  # worse: what is left
        ((3, 8), (5, 6), [0, 5]),
        ((4, 8), (3, 6), [2, 3]),
        ((3, 6), (5, 6), [3, 2]),  # at one price the older one
        ((5, 6), (1, 6), [5, None]),
        ((5, 8), (9, 6), [0, 5]),
    ],
)
def test_the_better_price_counts_first(exchange_desk, held, there, new, rests):
    close = OTHER[held]
    hold(exchange_desk, "a", held, 5)
    old = exchange_desk.order("a", close, there[0], away(close, there[1]), reduce_only=True).ok()
    ack = exchange_desk.order("a", close, new[0], away(close, new[1]), reduce_only=True)
    if rests[1] is None:
        assert ack.code == Code.REDUCE_ONLY_WOULD_OPEN and left(exchange_desk, old) == rests[:1]
    else:
        assert left(exchange_desk, old, ack) == rests and ack.resting == rests[1]


@pytest.mark.parametrize(("post_only", "rests"), [(True, None), ("slide", 5)])
def test_post_only_beside_a_resting_one(exchange_desk, post_only, rests):
    hold(exchange_desk, "a", "buy", 5)
    target = exchange_desk.order("a", "sell", 5, 108, reduce_only=True)
    exchange_desk.order("d", "buy", 1, 99)
    ack = exchange_desk.order("a", "sell", 5, 99, reduce_only=True, post_only=post_only)
    if rests is None:
        assert ack.code == Code.POST_ONLY_WOULD_TAKE and left(exchange_desk, target) == [5]
    else:
        assert exchange_desk.depth()[1] == [(100, 5)] and left(exchange_desk, target, ack) == [0, 5]


def test_one_that_slides_behind_its_like_is_refused(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    exchange_desk.order("d", "buy", 1, 99)
    exchange_desk.order("a", "sell", 5, 100, reduce_only=True)
    assert exchange_desk.order("a", "sell", 5, 99, reduce_only=True, post_only="slide").code == Code.REDUCE_ONLY_WOULD_OPEN


def test_a_full_house_of_resting_orders_can_still_be_closed_at_once(audited_exchange):
    """The limit is of orders that may rest: what cannot rest needs no room."""
    ex = audited_exchange([Instrument("X", **LINEAR)], retain=False)
    for name in "am":
        ex.deposit(name, "USDT", 10**7)
    ex.mark("X", 100)
    ex.order("m", "X", "sell", REDUCE_ONLY_MAX, price=100)
    ex.order("a", "X", "buy", REDUCE_ONLY_MAX, price=100)
    for _ in range(REDUCE_ONLY_MAX):
        ex.order("a", "X", "sell", 1, price=110, reduce_only=True).ok()
    ex.order("m", "X", "buy", REDUCE_ONLY_MAX, price=100)
    assert ex.order("a", "X", "sell", 1, price=105, reduce_only=True).code == Code.TOO_MANY_ORDERS
    assert ex.order("a", "X", "sell", None, close_position=True).filled == REDUCE_ONLY_MAX
    assert ex.open_orders("a") == []


# --- Amendments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "change", "rests"),
    [
        (1, {"price": 104, "size": 5}, [0, 5]),  # now the better one
        (1, {"price": 104}, [3, 2]),
        (0, {"price": 107, "size": 5}, [3, 2]),  # now the worse one
        (0, {"size": 4}, [4, 1]),
        (0, {"size": 9}, [5, 0]),
        (0, {"price": 106, "size": 4}, [4, 1]),  # at one price the older one, although it is last in the queue
        (1, {"price": 105, "size": 4}, [3, 2]),
        (1, {"size": 1}, [3, 1]),
    ],
)
def test_an_amendment_counts_at_its_new_price(exchange_desk, which, change, rests):
    hold(exchange_desk, "a", "buy", 5)
    acks = [exchange_desk.order("a", "sell", lots, price, reduce_only=True) for lots, price in ((3, 105), (2, 106))]
    answer = exchange_desk.amend("a", acks[which], **change).ok()
    assert left(exchange_desk, *acks) == rests and answer.resting == rests[which]


def test_an_amendment_that_trades_at_once_is_limited_by_the_position_alone(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    near, far = (exchange_desk.order("a", "sell", lots, price, reduce_only=True) for lots, price in ((3, 105), (2, 106)))
    exchange_desk.order("d", "buy", 4, 99)
    answer = exchange_desk.amend("a", far, price=99, size=9)
    assert (answer.filled, answer.resting) == (4, 1) and left(exchange_desk, near, far) == [0, 1]


@pytest.mark.parametrize("filled", [0, 2])
@pytest.mark.parametrize("price", [None, 105])
def test_an_amendment_above_what_is_left_keeps_its_place(exchange_desk, filled, price):
    """It would be cut to what it has, so nothing changes; it went to the back of the queue."""
    hold(exchange_desk, "a", "buy", 5)
    first = exchange_desk.order("a", "sell", 5, 105, reduce_only=True)
    second = exchange_desk.order("b", "sell", 5, 105)
    if filled:
        exchange_desk.order("c", "buy", filled, 105)
    before = exchange_desk.face.digest()
    assert exchange_desk.amend("a", first, size=9, price=price).code == Code.AMEND_NOTHING
    assert exchange_desk.face.digest() == before
    met = trades(exchange_desk.order("c", "buy", 6, 105))
    assert [order for order, *_ in met] == [first.order_id, second.order_id]


def test_an_amendment_above_what_better_ones_leave_keeps_its_place(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    exchange_desk.order("a", "sell", 3, 105, reduce_only=True)
    worse = exchange_desk.order("a", "sell", 2, 106, reduce_only=True)
    assert exchange_desk.amend("a", worse, size=4).code == Code.AMEND_NOTHING
    moved = exchange_desk.amend("a", worse, size=4, price=107).ok()
    assert moved.resting == 2 and [e.size_lots for e in moved.events if e.type == EventType.REPLACED] == [2]


# --- Trades with oneself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["buy", "sell"])
@pytest.mark.parametrize(("reduces", "rests"), [(False, [5]), (True, [3])])
def test_a_trade_with_oneself_cuts_nothing(exchange_desk, held, reduces, rests):
    """The position is what it was after both halves; between them four of its five lots were gone."""
    close = OTHER[held]
    hold(exchange_desk, "a", held, 5)
    near = exchange_desk.order("a", close, 2 if reduces else 4, away(close, 1), reduce_only=reduces)
    far = exchange_desk.order("a", close, 3 if reduces else 5, away(close, 3), reduce_only=True)
    ack = exchange_desk.order("a", held, 9, away(close, 1), tif="ioc", self_trade="allow")
    assert [order for order, *_ in trades(ack)] == [near.order_id] and left(exchange_desk, far) == rests
    assert abs(exchange_desk.face.position("a", "X").size) == 5
    assert list(ends(ack).values()) == [Ending.FILLED, Ending.UNFILLED]


def test_a_trade_with_oneself_beside_one_with_another(exchange_desk):
    """b sells one between a's own two: only that one changes a's position."""
    hold(exchange_desk, "a", "buy", 5)
    for who, lots, price, reduces in (("a", 4, 101, False), ("b", 1, 102, False), ("a", 2, 103, True), ("a", 3, 104, True)):
        exchange_desk.order(who, "sell", lots, price, reduce_only=reduces)
    ack = exchange_desk.order("a", "buy", 6, 103, tif="fok", self_trade="allow")
    assert [lots for *_, lots in trades(ack)] == [4, 1, 1] and exchange_desk.depth()[1] == [(103, 1), (104, 3)]
    assert exchange_desk.face.position("a", "X").size == 6


def test_another_account_of_the_group_is_cut_as_ever(exchange_desk):
    """Both are one owner, but two positions: what sold closes b's, and b's reduce-only order with it."""
    hold(exchange_desk, "b", "buy", 5)
    exchange_desk.order("b", "sell", 4, 101, self_trade_group=7)
    target = exchange_desk.order("b", "sell", 5, 103, reduce_only=True, self_trade_group=7)
    exchange_desk.order("a", "buy", 4, 101, tif="ioc", self_trade="allow", self_trade_group=7)
    assert left(exchange_desk, target) == [1]


def crowd(base, seed):
    """Positions either way, and sells around the mark: plain ones, reduce-only ones, some amended to the back of a queue."""
    r = Random(seed)
    ex = base([Instrument("X", **LINEAR)])
    ex.deposit("z", "USDT", 10**7)
    ex.mark("X", 100)
    for name in "abc":
        ex.deposit(name, "USDT", 10**7)
        held = r.randint(-6, 12)
        if held:
            side = "buy" if held > 0 else "sell"
            ex.order("z", "X", OTHER[side], abs(held), price=100)
            ex.order(name, "X", side, abs(held), price=100).ok()
    for _ in range(r.randint(3, 12)):
        terms = {"reduce_only": r.random() < 0.5, "self_trade_group": r.choice([0, 7])}
        ack = ex.order(r.choice("abcz"), "X", "sell", r.randint(1, 6), price=r.randint(101, 103), post_only=True, **terms)
        if ack and r.random() < 0.3:
            [who] = [name for name in "abcz" if any(o.order_id == ack.order_id for o in ex.open_orders(name))] or ["z"]
            ex.amend(who, ack.order_id, price=r.randint(101, 103), size=r.randint(1, 8))
    return ex, r


def test_fill_or_kill_is_accepted_where_the_same_order_would_fill(exchange_class):
    """On a copy, with every self-trade mode, for every size."""
    outcomes = set()
    for seed in range(150):
        size, modes = (
            Random(-seed).randint(1, 25),
            ["allow", "allow", "cancel_maker", "cancel_taker", "cancel_both", "decrement"],
        )
        acks = []
        for tif in ("fok", "ioc"):
            ex, r = crowd(exchange_class, seed)
            who, mode, price, group = r.choice("abc"), r.choice(modes), r.choice([102, 103, None]), r.choice([0, 7])
            acks.append(ex.order(who, "X", "buy", size, price=price, tif=tif, self_trade=mode, self_trade_group=group))
            ex.check()
        fok, ioc = acks
        assert bool(fok) == (ioc.filled == size), (seed, fok, ioc)
        outcomes.add(bool(fok))
    assert outcomes == {True, False}
