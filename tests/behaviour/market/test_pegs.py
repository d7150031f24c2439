"""docs/reference/orders.md, section Pegs: prices that follow the best bid, the best ask, their middle or the mark.

Worked numbers: order-vocabulary.md, section 2 (Pegged). Prices stand around a mark of 100, sizes are lots; a, b, c, d are
accounts.
"""

import pytest

from solvent import Code, EventType, Trigger
from solvent.feed import Feed
from solvent.records import CommandType, Ending, Flag, Peg, ShapeFlag, Tif, command, extension, shape
from support.order_desk import ends, trades


def pegged(desk, who, side, size, peg, limit=None, offset=0, **terms):
    terms["offset" if desk.money else "offset_ticks"] = offset
    return desk.order(who, side, size, limit, peg=peg, **terms)


def price(desk, ack):
    """The price at which an order rests; 0: it is parked."""
    found = [row[4] for row in (*desk.face._kernel.resting(0), *desk.face._kernel.dormant(0)) if row[0] == ack.order_id]
    assert len(found) == 1
    return found[0]


def ahead(desk, side, at):
    """Order ids at a price, the next to trade first."""
    return [row[0] for row in desk.face._kernel.queue(0, side, at)]


def told(ack, order_id):
    return [e.type for e in ack.events if getattr(e, "order_id", None) == order_id and e.type != EventType.BEGIN]


@pytest.fixture
def market(order_desk):
    """Bid 100, ask 104."""
    order_desk.order("d", "buy", 5, 100)
    order_desk.order("d", "sell", 5, 104)
    return order_desk


# --- Prices --------------------------------------------------------------------------------------------


def test_the_worked_example(market):
    """P1 buys at the best bid up to 101, P2 at the middle, P3 sells at the middle: 100, 102, 103, as 102 would lock. With a
    bid at 101: P1 101, behind it; the others stay."""
    p1, p2, p3 = (
        pegged(market, "a", "buy", 3, "bid", 101),
        pegged(market, "b", "buy", 3, "mid"),
        pegged(market, "c", "sell", 3, "mid"),
    )
    assert [price(market, each) for each in (p1, p2, p3)] == [100, 102, 103]
    plain = market.order("d", "buy", 1, 101)
    assert [price(market, each) for each in (p1, p2, p3)] == [101, 102, 103]
    assert ahead(market, 0, 101) == [plain.order_id, p1.order_id]
    assert told(plain, p1.order_id) == [EventType.REPLACED, EventType.RESTED] and told(plain, p2.order_id) == []


def test_rounded_inwards_the_middles_would_meet(market):
    """Bid 101, ask 104: inwards a buy asks for 103, and a sell, which would ask for 102, slides to 104."""
    market.order("d", "buy", 1, 101)
    buy, sell = pegged(market, "a", "buy", 3, "mid_inwards"), pegged(market, "b", "sell", 3, "mid_inwards")
    assert [price(market, each) for each in (buy, sell)] == [103, 104]


@pytest.mark.parametrize(
    ("side", "peg", "offset", "limit", "at"),
    [
        ("buy", "bid", 0, None, 100), ("buy", "bid", -3, None, 97), ("buy", "bid", 2, None, 102), ("buy", "bid", 2, 101, 101),
        ("buy", "ask", -1, None, 103), ("buy", "ask", 5, None, 103), ("sell", "ask", 0, None, 104),
        ("sell", "ask", 2, None, 106), ("sell", "ask", -2, 103, 103), ("sell", "bid", 0, None, 101),
        ("buy", "mark", -2, None, 98), ("sell", "mark", 3, None, 103), ("sell", "mark", -9, None, 101),
        ("buy", "mid", 1, None, 103), ("sell", "mid", -1, 102, 102),
    ],
)  # fmt: skip
def test_reference_offset_and_limit(market, side, peg, offset, limit, at):
    """It never takes: beyond the best opposite price it slides to one tick behind that."""
    ack = pegged(market, "a", side, 3, peg, limit, offset)
    assert ack.filled == 0 and ack.resting == 3 and price(market, ack) == at


def test_it_follows_what_is_shown_and_follows_nothing_itself(market):
    """Not another peg, a hidden order, or one that trades whole."""
    second = pegged(market, "b", "buy", 3, "bid", offset=1)
    first = pegged(market, "a", "buy", 3, "bid")
    dark = {"display" if market.money else "display_lots": 0}
    market.order("c", "buy", 9, 102, **dark)
    market.order("c", "buy", 9, 103, all_or_none=True)
    assert [price(market, each) for each in (first, second)] == [100, 101]


def test_it_gives_way_to_what_nobody_sees(market):
    dark = {"display" if market.money else "display_lots": 0}
    hidden = market.order("c", "sell", 9, 102, **dark)
    ack = pegged(market, "a", "buy", 3, "bid", offset=3)
    assert price(market, ack) == 101
    market.cancel("c", hidden)
    assert price(market, ack) == 103


def test_the_mark_moves_it(market):
    ack = pegged(market, "a", "buy", 3, "mark", offset=-4)
    moved = market.mark(101)
    assert price(market, ack) == 97 and told(moved, ack.order_id) == [EventType.REPLACED, EventType.RESTED]


def test_a_taker_moves_it_once_it_has_come_to_rest(market):
    """It trades at the price at which it stands, and follows then."""
    ack = pegged(market, "a", "sell", 6, "ask")
    seen = market.order("b", "buy", 8, 104, tif="ioc")
    assert [lots for _, _, lots in trades(seen)] == [5, 3] and price(market, ack) == 0
    again = market.order("d", "sell", 1, 103)
    assert price(market, ack) == 103 and ahead(market, 1, 103) == [again.order_id, ack.order_id]


def test_the_older_one_moves_first_and_an_unchanged_one_keeps_its_place(market):
    first, second = pegged(market, "a", "buy", 1, "bid"), pegged(market, "b", "buy", 1, "bid", 100)
    third = pegged(market, "c", "buy", 1, "bid")
    plain = market.order("d", "buy", 1, 101)
    assert ahead(market, 0, 101) == [plain.order_id, first.order_id, third.order_id] and price(market, second) == 100
    market.cancel("d", plain)
    assert ahead(market, 0, 100)[1:] == [second.order_id, first.order_id, third.order_id]


def test_a_fired_order_moves_it_before_the_next_one_fires(market):
    ack = pegged(market, "a", "sell", 2, "ask", offset=1)
    stops = [market.order("b", "buy", size, trigger=Trigger.stop(101)) for size in (5, 2)]
    market.order("d", "sell", 5, 105)
    seen = market.mark(101)
    done = ends(seen)
    assert all(done[each.order_id] == Ending.FILLED for each in stops)
    assert [at for _, at, _ in trades(seen)] == [104, 105] and price(market, ack) == 106


# --- Parked --------------------------------------------------------------------------------------------


def test_without_a_reference_it_is_parked_and_keeps_its_rank(order_desk):
    """It reserves nothing, and comes back in the order of entry."""
    first, second = pegged(order_desk, "a", "buy", 3, "bid"), pegged(order_desk, "b", "buy", 3, "bid")
    assert first.resting == 0 and told(first, first.order_id)[-1] == EventType.PARKED and order_desk.depth() == ([], [])
    counts = (
        order_desk.face.order_counts() if not order_desk.money else order_desk.face._kernel.order_counts(2**32 - 1, 2**32 - 1)
    )
    assert tuple(counts) == (0, 2)
    assert order_desk.amend("a", first, size=7) and price(order_desk, first) == 0
    plain = order_desk.order("d", "buy", 1, 99)
    assert ahead(order_desk, 0, 99) == [plain.order_id, first.order_id, second.order_id]
    gone = order_desk.cancel("d", plain)
    assert told(gone, second.order_id) == [EventType.PARKED] and order_desk.depth() == ([], [])
    assert ends(order_desk.cancel("a", first)) == {first.order_id: Ending.CANCELLED}


def test_without_a_legal_price_it_is_parked(market):
    ack = pegged(market, "a", "buy", 3, "mark", offset=-100)
    assert price(market, ack) == 0 and ack.order_id
    market.mark(101)
    assert price(market, ack) == 1


def test_what_it_holds(exchange_desk):
    desk = exchange_desk
    ack = pegged(desk, "a", "buy", 3, "bid")
    assert desk.face.account("a").hold == 0
    plain = desk.order("d", "buy", 1, 99)
    assert desk.face.account("a").hold > 0 and desk.face.open_orders("a")[0].price == 99
    desk.cancel("d", plain)
    assert desk.face.account("a").hold == 0 and desk.face.open_orders("a")[0].price is None
    assert desk.face.open_orders("a")[0].order_id == ack.order_id


def test_one_that_would_be_uncovered_ends(exchange_desk):
    """PEG_REFUSED, with the code of a new order, when the price moves to where the money does not reach."""
    desk = exchange_desk
    desk.order("d", "buy", 1, 90)
    ack = pegged(desk, "a", "buy", 1_000, "bid").ok()
    free = desk.face.account("a").free
    desk.face.withdraw("a", "USDT", free)
    seen = desk.order("d", "buy", 1, 99)
    done = [e for e in seen.events if e.type == EventType.DONE]
    assert [(e.order_id, e.ending, e.code) for e in done] == [(ack.order_id, Ending.PEG_REFUSED, Code.INSUFFICIENT_MARGIN)]
    assert desk.face.account("a").hold == 0


def test_one_that_closes_ends_where_nothing_would_be_left(exchange_desk):
    """As any order that may not rest at such a price (BANKRUPTCY_LIMIT)."""
    desk = exchange_desk
    desk.face.set_leverage("a", "X", 50, mode="isolated")
    desk.order("b", "sell", 100, 100)
    desk.order("a", "buy", 100, 100)
    desk.order("d", "buy", 1, 95)
    ack = pegged(desk, "a", "sell", 100, "bid", offset=2)
    assert ends(ack) == {ack.order_id: Ending.BANKRUPTCY_LIMIT} and ack.resting == 0


# --- Terms ---------------------------------------------------------------------------------------------

BID, MID = {"peg": Peg.PEG_BID}, {"peg": Peg.PEG_MID}


@pytest.mark.parametrize(
    ("shaped", "header", "code"),
    [
        (BID, {}, Code.OK), (BID, {"tif": Tif.GTC, "price_ticks": 0}, Code.OK), (BID, {"tif": Tif.IOC}, Code.BAD_SHAPE),
        (BID, {"tif": Tif.FOK}, Code.BAD_SHAPE), (BID, {"flags": Flag.POST_ONLY}, Code.BAD_SHAPE),
        (BID, {"flags": Flag.MARKET, "tif": Tif.IOC}, Code.BAD_SHAPE), (BID, {"price_ticks": -1}, Code.BAD_PRICE),
        (BID, {"price_ticks": 1_001}, Code.BAD_PRICE), (BID | {"display_lots": 2}, {}, Code.BAD_SHAPE),
        (BID | {"shape_flags": ShapeFlag.HIDDEN}, {}, Code.BAD_SHAPE),
        (BID | {"shape_flags": ShapeFlag.ALL_OR_NONE}, {}, Code.BAD_SHAPE),
        (BID | {"shape_flags": ShapeFlag.INWARDS}, {}, Code.BAD_SHAPE),
        (MID | {"shape_flags": ShapeFlag.INWARDS}, {}, Code.OK), ({"shape_flags": ShapeFlag.INWARDS}, {}, Code.BAD_SHAPE),
        (BID | {"offset_ticks": 1_001}, {}, Code.BAD_SHAPE), (BID | {"offset_ticks": -1_000}, {}, Code.OK),
        ({"peg": 6}, {}, Code.BAD_SHAPE), ({"peg": Peg.PEG_TRIGGER}, {}, Code.BAD_SHAPE),
        ({"offset_ticks": 1}, {}, Code.BAD_SHAPE), (BID | {"step_ticks": 1}, {}, Code.BAD_TRIGGER),
    ],
)  # fmt: skip
def test_terms_that_exclude_each_other(order_desk, shaped, header, code):
    fields = {"account": order_desk.ids["a"], "price_ticks": 100, "size_lots": 8} | header
    fields["flags"] = fields.get("flags", 0) | Flag.SHAPED_ORDER
    before = order_desk.face.digest()
    record = command(CommandType.ORDER, records=3, **fields) + extension() + shape(**shaped)
    assert order_desk.face._kernel.apply(record) == code
    assert code == Code.OK or order_desk.face.digest() == before


def test_reduce_only_and_closing_legs_are_refused(exchange_desk):
    desk = exchange_desk
    desk.order("b", "sell", 5, 100)
    desk.order("a", "buy", 5, 100)
    assert pegged(desk, "a", "sell", 5, "ask", reduce_only=True).code == Code.BAD_SHAPE
    desk.face.set_position_mode("c", "X", "hedge")
    assert pegged(desk, "c", "sell", 5, "ask", leg="long").code == Code.BAD_SHAPE
    assert pegged(desk, "c", "buy", 5, "bid", leg="long")


def test_amendments(market):
    """Its size, not its price. A smaller size keeps the place; a larger one goes to the back."""
    ack, other = pegged(market, "a", "buy", 5, "bid"), market.order("b", "buy", 5, 100)
    before = market.face.digest()
    assert market.amend("a", ack, price=99).code == Code.BAD_PRICE and market.face.digest() == before
    assert market.amend("a", ack, size=3) and ahead(market, 0, 100)[1:] == [ack.order_id, other.order_id]
    assert market.amend("a", ack, size=9) and ahead(market, 0, 100)[1:] == [other.order_id, ack.order_id]
    assert market.amend("a", ack, size=9).code == Code.AMEND_NOTHING


def test_it_ends_with_a_date_and_with_its_connection(order_desk):
    dated = pegged(order_desk, "a", "buy", 5, "bid", tif="gtd", expiry_ns=10)
    tagged = pegged(order_desk, "a", "buy", 5, "bid", tag=7)
    assert order_desk.face._kernel.apply(command(CommandType.ADVANCE, time_ns=10)) == Code.OK
    assert [row[0] for row in order_desk.face._kernel.dormant(0)] == [tagged.order_id] != [dated.order_id]
    assert tagged.order_id in ends(order_desk.face.disconnect(7))


# --- States --------------------------------------------------------------------------------------------


def test_through_a_halt(exchange_desk):
    """While its market is halted it stays where it is; on resumption it follows what has moved meanwhile."""
    desk = exchange_desk
    ack = pegged(desk, "a", "buy", 3, "mark", offset=-3)
    desk.face.set_state("X", "halted")
    desk.mark(105)
    assert price(desk, ack) == 97 and pegged(desk, "b", "buy", 3, "mark").code == Code.NOT_TRADING
    assert desk.amend("a", ack, size=9).code == Code.NOT_TRADING and desk.amend("a", ack, size=2)
    seen = desk.face.set_state("X", "continuous")
    assert price(desk, ack) == 102 and told(seen, ack.order_id) == [EventType.REPLACED, EventType.RESTED]


def test_in_a_call_it_is_parked_and_takes_no_part(exchange_desk):
    """It comes back after the uncross, in the order of entry."""
    desk = exchange_desk
    desk.order("d", "buy", 1, 98)
    first, second = pegged(desk, "a", "buy", 3, "bid"), pegged(desk, "b", "buy", 3, "bid", offset=-1)
    begin = desk.face.set_state("X", "auction")
    assert told(begin, first.order_id) == told(begin, second.order_id) == [EventType.PARKED]
    assert pegged(desk, "c", "buy", 3, "mark").code == Code.NOT_IN_THIS_STATE
    desk.order("c", "sell", 9, 97)
    desk.order("d", "buy", 4, 99)
    seen = desk.face.set_state("X", "continuous")
    assert sum(lots for _, _, lots in trades(seen)) == 5 and price(desk, first) == price(desk, second) == 0
    assert desk.order("d", "buy", 1, 96) and (price(desk, first), price(desk, second)) == (96, 95)


def test_the_feed_and_a_fork_see_it_move(market):
    fork = market.face.fork() if hasattr(market.face, "fork") else None
    feed = Feed(market.face) if market.face._kernel.first_seq == 1 else None
    ack = pegged(market, "a", "buy", 3, "bid", offset=1)
    market.order("d", "buy", 1, 101)
    assert price(market, ack) == 102
    if feed:
        feed.poll()
        assert feed.orders().orders[0].price_ticks == 102
    assert fork is None or fork.digest() != market.face.digest()
