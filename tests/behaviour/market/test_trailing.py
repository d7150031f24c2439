"""docs/reference/orders.md, line by line: what trailing orders follow, which prices wake orders, triggers that move.

Worked numbers: order-vocabulary.md, section 2 (Trailing, Sources, Trigger amend). Prices stand around a mark of 100, sizes are
lots; a, b, c, d are accounts.
"""

import pytest

from solvent import Code, EventType, InputError, Instrument, OrderLimits, Trigger
from solvent.records import CommandType, Flag, Tif, command, extension, shape
from support.order_desk import codes, fired, trades

STOP = Trigger.stop


def terms(desk, ack):
    """(trigger, extreme, limit) of a dormant order."""
    row = next(row for row in desk.face._kernel.dormant(0) if row[0] == ack.order_id)
    return row[12], row[14], row[4]


@pytest.mark.parametrize("source", ["mark", "index"])
def test_distance_step_and_activation(order_desk, source):
    """Distance 8, step 5, activation 120; 100, 121, 123, 126, 131, 122: -, 113, 113, 118, 123, fires at 122."""
    order_desk.see(source, 100)
    ack = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=8, step=5, activation=120, by=source))
    seen = []
    for price in (100, 121, 123, 126, 131):
        assert fired(order_desk.see(source, price)) == []
        seen.append(order_desk.trigger_of(ack))
    assert seen == [0, 113, 113, 118, 123]
    assert fired(order_desk.see(source, 122)) == [ack.order_id]


def test_a_buy_trails_the_other_way(order_desk):
    ack = order_desk.order("a", "buy", 1, trigger=Trigger.trailing(distance=8, step=5, activation=80))
    seen = []
    for price in (100, 79, 77, 74, 69):
        order_desk.mark(price)
        seen.append(order_desk.trigger_of(ack))
    assert seen == [0, 87, 87, 82, 77] and fired(order_desk.mark(78)) == [ack.order_id]


def test_what_was_seen_before_an_adverse_activation_does_not_count(order_desk):
    """The extreme starts where the activation is reached, on whichever side of the present price that lies."""
    ack = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=2, activation=90))
    for price in (115, 95, 91):
        assert fired(order_desk.mark(price)) == [] and terms(order_desk, ack)[:2] == (0, 0)
    order_desk.mark(88)
    assert terms(order_desk, ack)[:2] == (86, 88)
    assert fired(order_desk.mark(90)) == [] and fired(order_desk.mark(88)) == [ack.order_id]


def test_an_activation_where_the_price_stands_is_reached_at_once(order_desk):
    ack = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(rate="0.05", activation=100))
    assert terms(order_desk, ack)[:2] == (95, 100)


def test_an_activation_needs_a_price_to_lie_on_a_side_of(order_desk):
    trigger = Trigger.trailing(distance=2, activation=90, by="index")
    assert order_desk.order("a", "sell", 1, trigger=trigger).code == Code.NO_REFERENCE


def test_the_limit_keeps_its_distance_from_the_trigger(order_desk):
    ack = order_desk.order("a", "sell", 3, trigger=Trigger.trailing(distance=8, limit_offset=-2))
    assert terms(order_desk, ack) == (92, 100, 90)
    order_desk.mark(110)
    assert terms(order_desk, ack) == (102, 110, 100)
    order_desk.order("b", "buy", 1, 101)
    seen = order_desk.mark(102)
    assert (
        fired(seen) == [ack.order_id]
        and [each[1:] for each in trades(seen)] == [(101, 1)]
        and order_desk.depth()[1] == [(100, 2)]
    )


def test_a_limit_that_trails_has_no_price_of_its_own(order_desk):
    trigger = Trigger.trailing(distance=8, limit_offset=-2)
    assert order_desk.order("a", "sell", 3, 90, trigger=trigger).code == Code.BAD_SHAPE
    ack = order_desk.order("a", "sell", 3, trigger=trigger)
    assert order_desk.amend("a", ack, price=95).code == Code.BAD_PRICE and order_desk.amend("a", ack, size=2)


def test_a_waiting_order_is_amended_and_cancelled(order_desk):
    waiting = order_desk.order("a", "sell", 3, 105, trigger=Trigger.trailing(distance=2, activation=110))
    assert order_desk.amend("a", waiting, size=2) and order_desk.dormant() == [waiting.order_id]
    assert order_desk.cancel("a", waiting) and order_desk.dormant() == []


def test_the_band_of_a_waiting_order_is_measured_from_where_it_will_trail(exchange_desk):
    """Activation 200, distance 2: the trigger will be 198, and a limit of 190 is within 5 % below it."""
    trigger = Trigger.trailing(distance=2, activation=200)
    assert exchange_desk.order("a", "sell", 3, 188, trigger=trigger).code == Code.PRICE_BAND
    ack = exchange_desk.order("a", "sell", 3, 190, trigger=trigger)
    assert ack and exchange_desk.amend("a", ack, price=188).code == Code.PRICE_BAND


def test_a_waiting_order_is_activated_in_a_halt_and_fires_after_it(exchange_desk):
    ack = exchange_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=5, activation=110))
    exchange_desk.face.halt("X")
    for price in (112, 120, 114):
        assert fired(exchange_desk.mark(price)) == []
    assert terms(exchange_desk, ack)[:2] == (115, 120)
    exchange_desk.face.halt("X", resume=True)
    assert exchange_desk.dormant() == [] and ack


@pytest.mark.parametrize(
    ("shaped", "second", "header", "code"),
    [
        ({"step_ticks": 5}, {"trigger_kind": 1, "trigger_ticks": 90}, {}, Code.BAD_TRIGGER),
        ({"step_ticks": -1}, {"trigger_kind": 3, "trail": 2}, {}, Code.BAD_TRIGGER),
        ({"offset_ticks": 1}, {}, {}, Code.BAD_SHAPE),
        ({"peg": 5}, {"trigger_kind": 1, "trigger_ticks": 90}, {"price_ticks": 0}, Code.BAD_SHAPE),
        ({"peg": 5}, {"trigger_kind": 3, "trail": 2}, {}, Code.BAD_SHAPE),
        ({"peg": 5, "offset_ticks": 1_001}, {"trigger_kind": 3, "trail": 2}, {"price_ticks": 0}, Code.BAD_SHAPE),
        ({"peg": 5}, {"trigger_kind": 3, "trail": 2}, {"price_ticks": 0, "flags": 20, "tif": Tif.IOC}, Code.BAD_SHAPE),
        ({"unused_first": 1}, {}, {}, Code.NOT_SUPPORTED), ({"unused_int": 1}, {}, {}, Code.NOT_SUPPORTED),
        ({}, {}, {}, Code.OK),
    ],
)  # fmt: skip
def test_shapes_that_do_not_go_together(order_desk, shaped, second, header, code):
    fields = {"account": order_desk.ids["a"], "price_ticks": 90, "size_lots": 1, "flags": Flag.SHAPED_ORDER} | header
    record = command(CommandType.ORDER, records=3, **fields) + extension(**second) + shape(**shaped)
    before = order_desk.face.digest()
    assert order_desk.face._kernel.apply(record) == code
    assert code == Code.OK or order_desk.face.digest() == before


@pytest.mark.parametrize(
    ("records", "flags", "code"), [(2, 16, Code.BAD_FLAGS), (1, 16, Code.BAD_FLAGS), (4, 0, Code.BAD_RECORD)]
)
def test_the_records_must_be_those_that_the_flags_announce(order_desk, records, flags, code):
    fields = {"account": order_desk.ids["a"], "price_ticks": 90, "size_lots": 1, "flags": flags}
    assert (
        order_desk.face._kernel.apply(command(CommandType.ORDER, records=records, **fields) + bytes(64 * (records - 1)))
        == code
    )


def test_a_shape_and_a_text_go_together(order_desk):
    trigger = Trigger.trailing(distance=8, step=2)
    ack = order_desk.order("a", "sell", 3, trigger=trigger, client_id="my-stop")
    assert ack and order_desk._on("cancel", "a", client_id="my-stop")
    kinds = [e.type for e in ack.events]
    assert kinds == [EventType.CLIENT_ID_NAMED, EventType.ACCEPTED, EventType.SHAPED] or kinds[1:] == [
        EventType.CLIENT_ID_NAMED, EventType.ACCEPTED, EventType.SHAPED,
    ]  # fmt: skip


# --- The best prices of the book -----------------------------------------------------------------------


def test_stops_on_the_best_bid_and_ask(order_desk):
    """Looked at once the book has come to rest, whoever changed it: here a cancellation, then a trade."""
    bids = [order_desk.order("b", "buy", 2, price) for price in (99, 97)]
    asks = [order_desk.order("b", "sell", 2, price) for price in (103, 105)]
    sell = order_desk.order("a", "sell", 1, 94, trigger=STOP(98, by="bid"), self_trade="allow")
    buy = order_desk.order("c", "buy", 1, 104, trigger=STOP(104, by="ask"))
    assert fired(sell) == fired(buy) == []
    assert fired(order_desk.cancel("b", bids[0])) == [sell.order_id] and order_desk.depth()[0] == [(97, 1)]
    assert fired(order_desk.order("d", "buy", 2, 103)) == [buy.order_id] and order_desk.depth() == (
        [(104, 1), (97, 1)],
        [(105, 2)],
    )
    assert bids[1] and asks[1]


def test_prices_within_a_command_are_not_seen(order_desk):
    """A taker that empties a level and rests there shows only what the book is like afterwards."""
    order_desk.order("b", "sell", 2, 101)
    order_desk.order("b", "sell", 2, 104)
    stop = order_desk.order("a", "buy", 1, 108, trigger=STOP(104, by="ask"))
    order_desk.order("c", "sell", 2, 101)
    assert fired(order_desk.order("d", "buy", 2, 101)) == [] and fired(order_desk.order("d", "buy", 2, 101)) == [stop.order_id]


def test_an_empty_side_is_no_price(order_desk):
    bid = order_desk.order("b", "buy", 2, 99)
    stop = order_desk.order("a", "sell", 1, 94, trigger=STOP(98, by="bid"))
    assert fired(order_desk.cancel("b", bid)) == [] and order_desk.dormant() == [stop.order_id]
    assert order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=2, by="bid")).code == Code.NO_REFERENCE


def test_an_order_that_ends_with_time_shows_the_next_price(order_desk):
    order_desk.order("b", "buy", 2, 99, tif="gtd", expiry_ns=20)
    order_desk.order("b", "buy", 2, 97)
    stop = order_desk.order("a", "sell", 1, 94, trigger=STOP(98, by="bid"))
    begin = order_desk.face._kernel.next_seq
    refused = command(CommandType.CANCEL, time_ns=20, account=order_desk.ids["a"], order_id=1)
    assert order_desk.face._kernel.apply(refused) == Code.UNKNOWN_ORDER
    told = [e for e in order_desk.face.cursor(begin=begin) if e.type == EventType.TRIGGERED]
    assert [e.order_id for e in told] == [stop.order_id] and order_desk.depth()[0] == [(97, 1)]


def test_a_cascade_by_the_best_bid_goes_on_order_by_order(order_desk):
    for price in (99, 97, 95):
        order_desk.order("b", "buy", 1, price)
    first = order_desk.order("a", "sell", 1, 94, trigger=STOP(97, by="bid"))
    second = order_desk.order("c", "sell", 1, 92, trigger=STOP(95, by="bid"))
    seen = order_desk.order("d", "sell", 1, 99)
    assert fired(seen) == [first.order_id, second.order_id]
    assert [each[1] for each in trades(seen)] == [99, 97, 95]


def test_trailing_the_best_bid(order_desk):
    order_desk.order("b", "buy", 1, 95)
    ack = order_desk.order("a", "sell", 1, 94, trigger=Trigger.trailing(distance=3, by="bid"))
    for price in (97, 99):
        order_desk.order("b", "buy", 1, price)
    assert order_desk.trigger_of(ack) == 96
    order_desk.order("d", "sell", 1, 99)
    assert fired(order_desk.order("d", "sell", 1, 97)) == [ack.order_id]


# --- Triggers that move --------------------------------------------------------------------------------


def test_a_trigger_moves_in_place(order_desk):
    ack = order_desk.order("a", "sell", 2, 92, trigger=STOP(95), client_id=7)
    moved = order_desk.amend("a", ack, **{"trigger" if order_desk.money else "trigger_ticks": 93})
    assert moved and moved.events[-1].type == EventType.TRIGGER_MOVED and order_desk.trigger_of(ack) == 93
    assert fired(order_desk.mark(94)) == [] and fired(order_desk.mark(93)) == [ack.order_id]


def move(desk, who, ack, price, **terms):
    return desk.amend(who, ack, **{"trigger" if desk.money else "trigger_ticks": price}, **terms)


def test_a_trigger_that_moves_to_a_reached_price_fires_at_once(order_desk):
    order_desk.order("b", "buy", 5, 99)
    ack = order_desk.order("a", "sell", 2, 95, trigger=STOP(96))
    moved = move(order_desk, "a", ack, 100)
    assert fired(moved) == [ack.order_id] and moved.filled == 2


def test_what_refuses_a_moved_trigger(order_desk):
    resting = order_desk.order("a", "buy", 1, 95)
    trailing = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=5))
    fixed = order_desk.order("a", "sell", 1, 92, trigger=STOP(95, if_reached="refuse"))
    before = order_desk.face.digest()
    assert [move(order_desk, "a", each, 92).code for each in (resting, trailing)] == [Code.BAD_TRIGGER] * 2
    assert (
        move(order_desk, "a", fixed, 95).code == Code.AMEND_NOTHING
        and move(order_desk, "a", fixed, 100).code == Code.TRIGGER_REACHED
    )
    assert move(order_desk, "a", fixed, 0).code == move(order_desk, "a", fixed, 1_001).code == Code.BAD_TRIGGER
    assert move(order_desk, "b", fixed, 92).code == Code.UNKNOWN_ORDER
    with pytest.raises(InputError, match="alone"):
        move(order_desk, "a", fixed, 92, size=3)
    assert order_desk.face.digest() == before


def test_a_moved_trigger_keeps_its_limit_within_the_band(exchange_desk):
    ack = exchange_desk.order("a", "sell", 2, 90, trigger=STOP(94))
    assert move(exchange_desk, "a", ack, 99).code == Code.PRICE_BAND and move(exchange_desk, "a", ack, 90)


def test_a_moved_trigger_is_a_message(strict_exchange):
    limits = OrderLimits(messages=2, window_ns=10**9)
    ex = strict_exchange([Instrument("X", contract_size=1, tick=1, max_price=1_000, order_limits=limits)])
    ex.deposit("a", "USDT", 10**6)
    ex.mark("X", 100)
    ack = ex.order("a", "X", "sell", 1, price=90, trigger=STOP(92))
    assert ex.amend("a", ack.order_id, trigger=93) and ex.amend("a", ack.order_id, trigger=92).code == Code.TOO_MANY_MESSAGES


def test_if_touched_is_a_take_profit(order_desk):
    """Limit-if-touched: buys when the price falls to it, at its limit."""
    ack = order_desk.order("a", "buy", 1, 96, trigger=Trigger.if_touched(95))
    assert (
        codes(order_desk.mark(96)) == {}
        and fired(order_desk.mark(95)) == [ack.order_id]
        and order_desk.depth()[0] == [(96, 1)]
    )
