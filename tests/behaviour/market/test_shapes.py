"""docs/reference/orders.md, line by line: icebergs, hidden orders, all or none, market to limit.

Worked numbers: order-vocabulary.md, section 2 (Iceberg, All-or-none, Market-to-limit). Prices stand around a mark of 100,
sizes are lots; a, b, c, d are accounts.
"""

import pytest

from solvent import Code, EventType, Trigger
from solvent.feed import Feed
from solvent.records import CommandType, Ending, Flag, ShapeFlag, Tif, command, extension, shape
from support.order_desk import ends, fired, hold, lots_cut, trades


def order(desk, who, side, size, price=None, display=None, **terms):
    if display is not None:
        terms["display" if desk.money else "display_lots"] = display
    return desk.order(who, side, size, price, **terms)


def queue(desk, side, price):
    """[(order id, remaining, behind its peak)] at one price, the next to trade first."""
    return [(row[0], row[5], row[30]) for row in desk.face._kernel.queue(0, side, price)]


# --- Icebergs ------------------------------------------------------------------------------------------


def three(desk):
    """A 30 peak 10, B 12, C 20 peak 5, in that order."""
    return [order(desk, *each) for each in (("a", "sell", 30, 100, 10), ("b", "sell", 12, 100), ("c", "sell", 20, 100, 5))]


@pytest.fixture
def level(order_desk):
    return three(order_desk)


def test_peaks_take_turns(order_desk, level):
    """Taker 40: A 10, B 12, C 5, A 10, C 3; so A 20, B 12, C 8, and C shows 2."""
    a, b, c = (ack.order_id for ack in level)
    assert order_desk.depth() == ([], [(100, 27)])
    seen = order(order_desk, "d", "buy", 40, 100)
    assert [(maker, lots) for maker, _, lots in trades(seen)] == [(a, 10), (b, 12), (c, 5), (a, 10), (c, 3)]
    assert queue(order_desk, 1, 100) == [(c, 12, 10), (a, 10, 0)] and order_desk.depth() == ([], [(100, 12)])
    told = [(e.order_id, e.shown_lots, e.hidden_lots) for e in seen.events if e.type == EventType.REFILLED]
    assert told == [(a, 10, 10), (c, 5, 10), (a, 10, 0)]


def test_an_iceberg_enters_with_its_whole_size(order_desk):
    order_desk.order("b", "sell", 20, 100)
    ack = order(order_desk, "a", "buy", 30, 100, display=4)
    assert ack.filled == 20 and order_desk.depth()[0] == [(100, 4)] and order_desk.resting(ack) == 10


def test_alone_it_meets_itself_again_and_again(order_desk):
    ack = order(order_desk, "a", "sell", 30, 100, display=10)
    assert [lots for _, _, lots in trades(order(order_desk, "d", "buy", 25, 100))] == [10, 10, 5]
    assert queue(order_desk, 1, 100) == [(ack.order_id, 5, 0)]


def test_a_fill_or_kill_order_counts_hidden_lots(order_desk, level):
    assert order(order_desk, "d", "buy", 63, 100, tif="fok").code == Code.FOK_UNFILLED and level
    assert order(order_desk, "d", "buy", 62, 100, tif="fok").filled == 62 and order_desk.depth() == ([], [])


def test_a_smaller_size_comes_off_what_nobody_sees_and_a_larger_one_goes_to_the_back(order_desk):
    a, b = order(order_desk, "a", "sell", 30, 100, display=10), order_desk.order("b", "sell", 12, 100)
    assert order_desk.amend("a", a, size=12) and queue(order_desk, 1, 100) == [(a.order_id, 12, 2), (b.order_id, 12, 0)]
    assert order_desk.amend("a", a, size=7) and queue(order_desk, 1, 100) == [(a.order_id, 7, 0), (b.order_id, 12, 0)]
    assert order_desk.depth()[1] == [(100, 19)]
    order(order_desk, "d", "buy", 3, 100)
    assert order_desk.amend("a", a, size=25) and queue(order_desk, 1, 100) == [(b.order_id, 12, 0), (a.order_id, 22, 12)]
    assert order_desk.amend("a", a, size=1_001).code == Code.BAD_SHAPE and order_desk.amend("a", a, size=1_000)


def test_a_cut_takes_hidden_lots_first(exchange_desk):
    hold(exchange_desk, "a", "buy", 30)
    ack = order(exchange_desk, "a", "sell", 30, 101, display=10, reduce_only=True)
    exchange_desk.order("d", "buy", 18, 100)
    seen = exchange_desk.order("a", "sell", 18, 100, tif="ioc")
    assert lots_cut(seen, ack) == [18] and queue(exchange_desk, 1, 101) == [(ack.order_id, 12, 2)]
    assert exchange_desk.depth()[1] == [(101, 10)]


def test_a_dormant_iceberg_shows_its_peak_once_it_rests(order_desk):
    ack = order(order_desk, "a", "sell", 30, 101, display=10, trigger=Trigger.stop(98))
    seen = order_desk.mark(98)
    assert fired(seen) == [ack.order_id] and queue(order_desk, 1, 101) == [(ack.order_id, 30, 20)]


@pytest.mark.parametrize("mode", ["cancel_maker", "cancel_taker", "cancel_both", "decrement", "allow"])
def test_an_iceberg_of_ones_own(order_desk, mode):
    own = order(order_desk, "a", "sell", 30, 100, display=10)
    other = order_desk.order("b", "sell", 5, 100)
    ack = order(order_desk, "a", "buy", 12, 100, tif="ioc", self_trade=mode)
    left = {"cancel_maker": (0, 0), "cancel_taker": (30, 5), "cancel_both": (0, 5), "decrement": (18, 5), "allow": (20, 3)}[
        mode
    ]
    assert (order_desk.resting(own), order_desk.resting(other)) == left and ack


def test_an_iceberg_is_covered_fill_by_fill(exchange_desk):
    """poor could bear ten lots, not thirty: what it cannot bear ends UNCOVERED, and the next order takes its place."""
    ex = exchange_desk.face
    ex.deposit("poor", "USDT", 45)
    ex.set_leverage("poor", "X", 50, mode="isolated")
    ack = ex.order("poor", "X", "sell", 20, price=100, display=5).ok()
    exchange_desk.order("b", "sell", 30, 100)
    exchange_desk.mark(102)
    exchange_desk.order("d", "buy", 40, 102)
    assert ex._kernel.check() is None and ack


# --- Hidden orders -------------------------------------------------------------------------------------


def test_hidden_orders_stand_behind_all_that_is_shown_at_their_price(order_desk):
    first, second = (order(order_desk, who, "sell", 5, 100, display=0) for who in "ab")
    shown = order_desk.order("c", "sell", 5, 100)
    assert order_desk.depth() == ([], [(100, 5)]) and order_desk.face._kernel.best(0)[2:] == (100, 5)
    seen = order(order_desk, "d", "buy", 12, 100)
    assert [(maker, lots) for maker, _, lots in trades(seen)] == [
        (shown.order_id, 5),
        (first.order_id, 5),
        (second.order_id, 2),
    ]
    assert order_desk.depth() == ([], [])


def test_price_comes_before_what_is_shown(order_desk):
    hidden, shown = order(order_desk, "a", "sell", 5, 99, display=0), order_desk.order("b", "sell", 5, 100)
    seen = order(order_desk, "d", "buy", 7, 100)
    assert [maker for maker, _, _ in trades(seen)] == [hidden.order_id, shown.order_id]


def test_slippage_counts_from_what_is_shown(order_desk):
    order(order_desk, "a", "sell", 5, 96, display=0)
    order_desk.order("b", "sell", 5, 100)
    order_desk.order("c", "sell", 5, 102)
    assert order(order_desk, "d", "buy", 15, slippage="0.02").filled == 15


def test_post_only_never_takes_what_nobody_sees(order_desk):
    order(order_desk, "a", "sell", 5, 100, display=0)
    assert order(order_desk, "d", "buy", 5, 100, post_only=True).code == Code.POST_ONLY_WOULD_TAKE
    assert order(order_desk, "d", "buy", 5, 100, post_only="slide") and order_desk.depth() == ([(99, 5)], [])


def test_a_stop_on_the_best_ask_does_not_see_it(order_desk):
    order(order_desk, "a", "sell", 5, 104, display=0)
    stop = order_desk.order("b", "buy", 5, 105, trigger=Trigger.stop(103, by="ask"))
    assert fired(order_desk.order("c", "sell", 5, 102)) == [] and stop
    assert fired(order_desk.order("c", "sell", 1, 104)) == []


def test_a_hidden_order_is_amended_and_cancelled(order_desk):
    ack = order(order_desk, "a", "sell", 5, 100, display=0)
    assert (
        order_desk.amend("a", ack, size=3)
        and order_desk.amend("a", ack, price=101)
        and queue(order_desk, 1, 101) == [(ack.order_id, 3, 0)]
    )
    assert order_desk.cancel("a", ack) and order_desk.face._kernel.resting(0) == []


# --- All or none ---------------------------------------------------------------------------------------


def test_it_is_passed_over_and_keeps_its_place(order_desk):
    whole, plain = order(order_desk, "a", "sell", 10, 100, all_or_none=True), order_desk.order("b", "sell", 5, 100)
    assert order_desk.depth() == ([], [(100, 5)])
    assert [each[0] for each in trades(order(order_desk, "d", "buy", 5, 100))] == [plain.order_id]
    again = order_desk.order("b", "sell", 5, 100)
    seen = order(order_desk, "d", "buy", 12, 100)
    assert [(maker, lots) for maker, _, lots in trades(seen)] == [(whole.order_id, 10), (again.order_id, 2)]


def test_it_enters_whole_or_not_at_all(order_desk):
    for price in (99, 100):
        order_desk.order("b", "sell", 5, price)
    waits = order(order_desk, "a", "buy", 11, 100, all_or_none=True)
    assert waits.filled == 0 and order_desk.depth() == ([], [(99, 5), (100, 5)])
    assert order(order_desk, "c", "buy", 10, 100, all_or_none=True).filled == 10


def test_it_is_looked_at_again_when_an_order_comes_to_rest_opposite(order_desk):
    """By price, then by time; it takes the lots of those that rest, at their prices."""
    whole = order(order_desk, "a", "buy", 10, 101, all_or_none=True)
    first = order_desk.order("b", "sell", 5, 101)
    assert first.resting == 5
    second = order(order_desk, "c", "sell", 7, 100)
    assert [(maker, price, lots) for maker, price, lots in trades(second)] == [
        (second.order_id, 100, 7),
        (first.order_id, 101, 3),
    ]
    assert ends(second) == {second.order_id: Ending.FILLED, whole.order_id: Ending.FILLED} and order_desk.resting(first) == 2


def test_of_several_the_better_price_and_the_older_one_is_looked_at_first(order_desk):
    acks = [order(order_desk, "a", "buy", 10, price, all_or_none=True) for price in (100, 101, 101)]
    seen = order(order_desk, "b", "sell", 20, 100)
    assert [maker for maker, _, _ in trades(seen)] == [acks[1].order_id, acks[2].order_id]
    assert [order_desk.resting(ack) for ack in acks] == [10, 0, 0]


def test_it_is_in_the_way_of_nobody(order_desk):
    """Not in the best price, the slippage, post-only; a book may look crossed by it."""
    order(order_desk, "a", "sell", 10, 98, all_or_none=True)
    order_desk.order("b", "sell", 5, 100)
    assert order(order_desk, "c", "buy", 5, 99, post_only=True).resting == 5 and order_desk.depth() == ([(99, 5)], [(100, 5)])
    assert order(order_desk, "d", "buy", 6, slippage="0.01").filled == 5
    assert order_desk.face.check() is None if hasattr(order_desk.face, "check") else True


def test_a_self_trade_ends_it(order_desk):
    ack = order(order_desk, "a", "sell", 10, 100, all_or_none=True)
    assert ends(order(order_desk, "a", "buy", 9, 100, tif="ioc")).get(ack.order_id) is None
    assert ends(order(order_desk, "a", "buy", 10, 100, tif="ioc"))[ack.order_id] == Ending.SELF_TRADE


def test_a_dormant_one_rests_whole_when_it_fires(order_desk):
    order_desk.order("b", "buy", 5, 97)
    ack = order(order_desk, "a", "sell", 10, 97, all_or_none=True, trigger=Trigger.stop(98))
    assert fired(order_desk.mark(98)) == [ack.order_id] and order_desk.resting(ack) == 10


def test_reduce_only_orders_do_not_trade_whole(exchange_desk):
    """What is cut is not all: of a hedge, too, where an order closes its leg."""
    assert order(exchange_desk, "a", "sell", 10, 100, all_or_none=True, reduce_only=True).code == Code.BAD_SHAPE
    exchange_desk.face.set_position_mode("c", "X", "hedge")
    assert order(exchange_desk, "c", "sell", 10, 100, all_or_none=True, leg="long").code == Code.BAD_SHAPE
    assert order(exchange_desk, "c", "buy", 10, 100, all_or_none=True, leg="long")


# --- Market to limit -----------------------------------------------------------------------------------


def test_the_rest_stays_at_the_price_of_its_last_fill(exchange_desk):
    """Asks 3 at 100, 4 at 101, 5 at 106, band top 105, buy 10: 3, 4, and 3 rest at 101."""
    for size, price in ((3, 100), (4, 101), (5, 106)):
        exchange_desk.order("b", "sell", size, price)
    ack = order(exchange_desk, "a", "buy", 10, to_limit=True)
    assert ack.filled == 7 and ack.resting == 3 and exchange_desk.depth()[0] == [(101, 3)]
    assert exchange_desk.amend("a", ack, price=99) and exchange_desk.depth()[0] == [(99, 3)]  # a limit order from then on


def test_one_level_takes_the_best_price_alone(order_desk):
    """Asks 3 at 100, 4 at 101: with levels=1 three trade, and 7 rest at 100."""
    for size, price in ((3, 100), (4, 101)):
        order_desk.order("b", "sell", size, price)
    ack = order(order_desk, "a", "buy", 10, to_limit=True, levels=1)
    assert ack.filled == 3 and order_desk.depth() == ([(100, 7)], [(101, 4)])


@pytest.mark.parametrize("levels", [None, 1])
def test_without_a_fill_it_ends(order_desk, levels):
    ack = order(order_desk, "a", "buy", 10, to_limit=True, levels=levels)
    assert ack and ends(ack) == {ack.order_id: Ending.UNFILLED}


def test_a_protected_one_goes_no_further(order_desk):
    for size, price in ((3, 100), (4, 102)):
        order_desk.order("b", "sell", size, price)
    assert order(order_desk, "a", "buy", 10, 101, market=True, to_limit=True).filled == 3 and order_desk.depth()[0] == [
        (100, 7)
    ]


@pytest.mark.parametrize(("price", "filled"), [(101, 0), (102, 4), (104, 4)])
def test_at_one_level_a_protected_one_goes_no_further_either(order_desk, price, filled):
    order_desk.order("b", "sell", 4, 102)
    ack = order(order_desk, "a", "buy", 10, price, market=True, to_limit=True, levels=1)
    assert ack.filled == filled and order_desk.depth()[0] == ([(102, 6)] if filled else [])


def test_a_stop_may_become_a_limit_order(order_desk):
    order_desk.order("b", "buy", 4, 97)
    ack = order(order_desk, "a", "sell", 10, to_limit=True, trigger=Trigger.stop(98))
    assert fired(order_desk.mark(98)) == [ack.order_id] and order_desk.depth() == ([], [(97, 6)])


def test_it_may_end_with_a_date(order_desk):
    order_desk.order("b", "sell", 3, 100)
    ack = order(order_desk, "a", "buy", 10, to_limit=True, tif="gtd", expiry_ns=20)
    order_desk.face._kernel.apply(command(CommandType.ADVANCE, time_ns=20))
    assert ack.resting == 7 and order_desk.resting(ack) == 0


# --- What does not go together -------------------------------------------------------------------------

AON, LIMIT, ONE, DARK = ShapeFlag.ALL_OR_NONE, ShapeFlag.TO_LIMIT, ShapeFlag.ONE_LEVEL, ShapeFlag.HIDDEN


@pytest.mark.parametrize(
    ("shaped", "header", "code"),
    [
        ({"shape_flags": AON | DARK}, {}, Code.BAD_SHAPE), ({"shape_flags": AON}, {"tif": Tif.IOC}, Code.BAD_SHAPE),
        ({"shape_flags": AON}, {"tif": Tif.FOK}, Code.BAD_SHAPE),
        ({"shape_flags": AON}, {"flags": Flag.POST_ONLY}, Code.BAD_SHAPE),
        ({"shape_flags": AON, "display_lots": 1}, {}, Code.BAD_SHAPE), ({"shape_flags": LIMIT}, {}, Code.BAD_SHAPE),
        ({"shape_flags": LIMIT}, {"flags": Flag.MARKET, "tif": Tif.IOC}, Code.BAD_SHAPE),
        ({"shape_flags": ONE}, {}, Code.BAD_SHAPE),
        ({"shape_flags": ONE}, {"flags": Flag.MARKET, "tif": Tif.IOC}, Code.BAD_SHAPE),
        ({"shape_flags": LIMIT | DARK}, {"flags": Flag.MARKET}, Code.BAD_SHAPE),
        ({"shape_flags": DARK}, {"flags": Flag.MARKET, "tif": Tif.IOC}, Code.BAD_SHAPE),
        ({"shape_flags": DARK, "display_lots": 1}, {}, Code.BAD_SHAPE), ({"display_lots": 9}, {}, Code.BAD_SHAPE),
        ({"display_lots": -1}, {}, Code.BAD_SHAPE), ({"display_lots": 1}, {"size_lots": 101}, Code.BAD_SHAPE),
        ({"display_lots": 2}, {"flags": Flag.MARKET, "tif": Tif.IOC}, Code.BAD_SHAPE),
        ({}, {"flags": Flag.MARKET}, Code.BAD_FLAGS), ({"shape_flags": 32}, {}, Code.NOT_SUPPORTED),
        ({"shape_flags": AON}, {"flags": Flag.POST_ONLY, "tif": Tif.IOC}, Code.BAD_FLAGS),
        ({"shape_flags": DARK}, {"flags": Flag.POST_ONLY, "tif": Tif.FOK}, Code.BAD_FLAGS),
        ({"display_lots": 2}, {"flags": Flag.POST_ONLY, "tif": Tif.IOC}, Code.BAD_FLAGS),
        ({"display_lots": 2}, {"tif": Tif.IOC}, Code.OK), ({"shape_flags": DARK}, {"tif": Tif.IOC}, Code.OK),
        ({"display_lots": 1}, {"size_lots": 100}, Code.OK), ({"shape_flags": DARK}, {"flags": Flag.POST_ONLY}, Code.OK),
    ],
)  # fmt: skip
def test_terms_that_exclude_each_other(order_desk, shaped, header, code):
    fields = {"account": order_desk.ids["a"], "price_ticks": 100, "size_lots": 8} | header
    fields["flags"] = fields.get("flags", 0) | Flag.SHAPED_ORDER
    before = order_desk.face.digest()
    assert (
        order_desk.face._kernel.apply(command(CommandType.ORDER, records=3, **fields) + extension() + shape(**shaped)) == code
    )
    assert code == Code.OK or order_desk.face.digest() == before


# --- Calls and other states ----------------------------------------------------------------------------


def test_a_call_is_of_orders_that_show_lots(exchange_desk):
    """Others end when it begins, the oldest first, and are refused in it; dormant ones sleep on."""
    acks = [
        order(exchange_desk, "b", "sell", 5, 102, display=0),
        order(exchange_desk, "c", "sell", 5, 103, all_or_none=True),
    ]
    iceberg = order(exchange_desk, "a", "sell", 30, 105, display=10)
    plain, asleep = (
        exchange_desk.order("a", "sell", 4, 104),
        order(exchange_desk, "a", "sell", 9, 101, display=3, trigger=Trigger.stop(95)),
    )
    begin = exchange_desk.face._kernel.next_seq
    exchange_desk.face.set_state("X", "auction")
    done = [(e.order_id, e.ending) for e in exchange_desk.face.cursor(begin=begin) if e.type == EventType.DONE]
    assert done == [(ack.order_id, Ending.NOT_IN_CALL) for ack in acks]
    assert exchange_desk.resting(plain) == 4 and exchange_desk.dormant() == [asleep.order_id]
    assert exchange_desk.resting(iceberg) == 30 and exchange_desk.depth() == ([], [(104, 4), (105, 10)])
    for terms in ({"display": 0}, {"all_or_none": True}):
        assert order(exchange_desk, "d", "buy", 5, 100, **terms).code == Code.NOT_IN_THIS_STATE
    assert order(exchange_desk, "d", "buy", 5, 104)
    exchange_desk.face.set_state("X", "continuous")
    assert exchange_desk.resting(plain) == 0 and order(exchange_desk, "d", "buy", 5, 99, display=2)


def test_an_uncross_counts_all_lots_of_an_iceberg(exchange_desk):
    """The level above, and 45 bid in a call: 45 of 62 trade at 100. A 10, B 12, C 5, A 10, C 5, A 3; an indication tells."""
    a, b, c = (ack.order_id for ack in three(exchange_desk))
    exchange_desk.face.set_state("X", "auction")
    bid = order(exchange_desk, "d", "buy", 45, 101, display=20)
    seen = exchange_desk.face.market("X")
    assert (seen.price, seen.size) == (100, 45) and exchange_desk.depth() == ([(101, 20)], [(100, 27)])
    ended = exchange_desk.face.set_state("X", "continuous")
    told = [(e.maker_order_id, e.size_lots) for e in ended.events if e.type == EventType.TRADE]
    assert told == [(a, 10), (b, 10), (b, 2), (c, 5), (a, 10), (c, 3), (c, 2), (a, 3)]
    assert exchange_desk.resting(bid) == 0 and queue(exchange_desk, 1, 100) == [(a, 7, 0), (c, 10, 5)]
    assert exchange_desk.depth() == ([], [(100, 12)])


def test_an_iceberg_enters_grows_and_shrinks_in_a_call(exchange_desk):
    """A smaller size comes off what nobody sees, and keeps the place; a larger one goes to the back."""
    exchange_desk.face.set_state("X", "auction")
    first, second = (order(exchange_desk, who, "buy", 9, 100, display=3) for who in "ab")
    exchange_desk.face.amend("a", first.order_id, size=5)
    assert queue(exchange_desk, 0, 100) == [(first.order_id, 5, 2), (second.order_id, 9, 6)]
    exchange_desk.face.amend("a", first.order_id, size=8)
    assert queue(exchange_desk, 0, 100) == [(second.order_id, 9, 6), (first.order_id, 8, 5)]
    assert order(exchange_desk, "c", "sell", 10, 99) and exchange_desk.face.market("X").size == 10
    seen = exchange_desk.face.set_state("X", "continuous")
    assert [e.size_lots for e in seen.events if e.type == EventType.TRADE] == [3, 3, 3, 1]
    assert queue(exchange_desk, 0, 100) == [(first.order_id, 4, 2), (second.order_id, 3, 0)]


def test_post_only_takes_not_even_what_trades_whole(order_desk):
    """It rests, and the order that trades whole may take it then."""
    whole = order(order_desk, "a", "sell", 5, 98, all_or_none=True)
    seen = order(order_desk, "b", "buy", 7, 99, post_only=True)
    assert [(e.maker_order_id, e.taker_order_id, e.size_lots) for e in seen.events if e.type == EventType.TRADE] == [
        (seen.order_id, whole.order_id, 5)
    ]
    assert order_desk.resting(seen) == 2


def test_nothing_is_matched_where_only_posting_is_allowed(exchange_desk):
    whole = order(exchange_desk, "a", "sell", 5, 98, all_or_none=True)
    exchange_desk.face.set_state("X", "post-only")
    seen = order(exchange_desk, "b", "buy", 7, 99, post_only=True)
    assert trades(seen) == [] and exchange_desk.resting(whole) == 5 and exchange_desk.resting(seen) == 7
    exchange_desk.face.set_state("X", "continuous")
    assert exchange_desk.order("c", "buy", 1, 97) and exchange_desk.resting(whole) == 5
    assert len(trades(exchange_desk.order("c", "buy", 1, 98))) == 1


# --- What others see -----------------------------------------------------------------------------------


def test_the_feed_shows_what_is_shown(order_desk):
    feed = Feed(order_desk.face) if order_desk.face._kernel.first_seq == 1 else None
    order(order_desk, "a", "sell", 30, 100, display=10)
    order(order_desk, "b", "sell", 7, 100, display=0)
    order(order_desk, "c", "sell", 8, 100, all_or_none=True)
    order(order_desk, "d", "buy", 13, 100, tif="ioc")
    if feed is None:
        feed = Feed(order_desk.face)
    assert [(each.price_ticks, each.lots, each.orders) for each in feed.snapshot().asks] == [(100, 7, 1)]
    assert [(row.remaining_lots) for row in feed.orders().orders] == [7]
    assert order_desk.depth()[1] == [(100, 7)]
    arrays = order_desk.face._kernel.depth_bytes(0, 5)[1]
    assert [int.from_bytes(arrays[i : i + 8], "little") for i in (0, 8, 16)] == [100, 7, 1]
