"""docs/reference/orders.md, line by line: triggers.

Written from the document. Prices stand around a mark of 100, one tick apart, sizes are lots; a, b, c, d are accounts.
"""

import pytest

from solvent import Code, EventType, Instrument, Trigger
from solvent.records import CommandType, Ending, command, extension
from support.order_desk import codes, ends, fired, hold, trades

STOP, PROFIT = Trigger.stop, Trigger.take_profit


# --- Triggers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["mark", "index", "last"])
@pytest.mark.parametrize(
    ("kind", "side", "trigger", "no", "yes"),
    [
        (STOP, "buy", 103, 102, 103), (STOP, "sell", 97, 98, 97), (PROFIT, "buy", 97, 98, 97), (PROFIT, "sell", 103, 102, 103),
        (STOP, "buy", 103, 102, 104), (STOP, "sell", 97, 98, 96),
    ],
)  # fmt: skip
def test_when_a_trigger_fires(order_desk, source, kind, side, trigger, no, yes):
    """A stop buys at or above, sells at or below; a take-profit the other way round; each source its own price."""
    order_desk.see(source, 100)
    ack = order_desk.order("a", side, 1, trigger=kind(trigger, by=source))
    for other in {"mark", "index", "last"} - {source}:
        assert fired(order_desk.see(other, yes)) == []
    assert fired(order_desk.see(source, no)) == []
    assert order_desk.dormant() == [ack.order_id]
    assert fired(order_desk.see(source, yes)) == [ack.order_id]
    assert fired(order_desk.see(source, no)) == [] and fired(order_desk.see(source, yes)) == []  # once


def test_a_dormant_order_reserves_nothing_and_is_not_in_the_depth(exchange_desk):
    free = exchange_desk.face.account("a").withdrawable
    exchange_desk.order("a", "sell", 1_000, 100, trigger=STOP(90))
    assert exchange_desk.face.account("a").withdrawable == free and exchange_desk.depth() == ([], [])
    assert exchange_desk.order("b", "buy", 1, 100).filled == 0


def test_a_fired_limit_order_rests_and_a_market_order_ends(order_desk):
    limit = order_desk.order("a", "buy", 2, 101, trigger=STOP(103))
    market = order_desk.order("b", "buy", 2, trigger=STOP(103))
    seen = order_desk.mark(103)
    assert order_desk.resting(limit) == 2 and ends(seen) == {market.order_id: Ending.UNFILLED}


def test_a_fired_order_keeps_its_id_and_says_what_it_does(order_desk):
    ack = order_desk.order("a", "buy", 2, 101, trigger=STOP(103))
    kinds = [e.type for e in order_desk.mark(103).events if getattr(e, "a", 0) == ack.order_id]
    assert kinds == [EventType.TRIGGERED, EventType.RESTED]


@pytest.mark.parametrize(
    ("terms", "price", "code"),
    [
        ({"post_only": True}, 105, Code.POST_ONLY_WOULD_TAKE), ({"tif": "fok"}, 102, Code.FOK_UNFILLED),
        ({"reduce_only": True}, 102, Code.REDUCE_ONLY_WOULD_OPEN),
    ],
)  # fmt: skip
def test_what_would_be_checked_of_a_new_order_is_checked_when_it_fires(exchange_desk, terms, price, code):
    ack = exchange_desk.order("a", "buy", 2, price, trigger=STOP(103), **terms)
    exchange_desk.order("b", "sell", 1, 105)
    seen = exchange_desk.mark(103)
    assert fired(seen) == [ack.order_id] and codes(seen) == {ack.order_id: code}


def test_margin_is_checked_when_it_fires(exchange_desk):
    exchange_desk.face.deposit("poor", "USDT", 10)
    ack = exchange_desk.face.order("poor", "X", "buy", 100, price=100, trigger=STOP(103)).ok()
    assert codes(exchange_desk.mark(103)) == {ack.order_id: Code.INSUFFICIENT_MARGIN}


def test_its_expiry_counts_while_it_sleeps_and_when_it_rests(order_desk):
    asleep = order_desk.order("a", "buy", 2, 95, trigger=STOP(103), tif="gtd", expiry_ns=20)
    woken = order_desk.order("a", "buy", 2, 95, trigger=STOP(101), tif="gtd", expiry_ns=20)
    order_desk.mark(101)
    assert order_desk.dormant() == [asleep.order_id] and order_desk.resting(woken) == 2
    order_desk.face.advance(20)
    assert order_desk.dormant() == [] and order_desk.resting(woken) == 0
    assert fired(order_desk.mark(103)) == []


def test_order_among_triggers(order_desk):
    """Of one price: what fires on a fall first, nearest trigger first, lower id first; then what fires on a rise."""
    order_desk.index(100)
    rise = [order_desk.order("a", "buy", 1, trigger=STOP(price, by="index")) for price in (103, 102, 102)]
    assert fired(order_desk.index(110)) == [rise[1].order_id, rise[2].order_id, rise[0].order_id]
    fall = [order_desk.order("a", "sell", 1, trigger=STOP(price, by="index")) for price in (97, 98, 98)]
    assert fired(order_desk.index(90)) == [fall[1].order_id, fall[2].order_id, fall[0].order_id]


def test_fall_before_rise(order_desk):
    """One price cannot cross both ways for fixed triggers, but it can stand at both."""
    order_desk.index(100)
    order_desk.order("d", "sell", 1, 100)
    high = order_desk.order("a", "buy", 1, trigger=STOP(95, by="last", if_reached="refuse"))
    low = order_desk.order("a", "sell", 1, trigger=STOP(105, by="last", if_reached="refuse"))
    assert high and low  # nothing has traded yet: a source without a price reaches nothing
    ack = order_desk.order("c", "buy", 1, 100)
    assert fired(ack) == [low.order_id, high.order_id]


def test_a_trailing_order_among_fixed_ones_goes_by_id(order_desk):
    """At one trigger the lower id fires first, although the trailing order came to that price last."""
    order_desk.index(100)
    trailing = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=5, by="index"))
    fixed = order_desk.order("a", "sell", 1, trigger=STOP(97, by="index"))
    order_desk.index(102)
    assert order_desk.trigger_of(trailing) == 97
    assert fired(order_desk.index(97)) == [trailing.order_id, fixed.order_id]


def test_the_first_and_the_last_price_of_an_order_are_seen(order_desk):
    """One order trades from 100 down to 97: sells that stop at 98 fire, and so does a buy that stops at 100."""
    order_desk.last(99)
    for price in (100, 98, 97):
        order_desk.order("b", "buy", 1, price)
    up = order_desk.order("a", "buy", 1, trigger=STOP(100, by="last"))
    down = order_desk.order("a", "sell", 1, trigger=STOP(98, by="last"))
    ack = order_desk.order("c", "sell", 3, 97)
    assert fired(ack) == [up.order_id, down.order_id]


def test_a_cascade_queues_behind_and_ends(order_desk):
    """Each stop's trade reaches the next; prices that arise meanwhile are queued behind."""
    order_desk.last(100)
    for price in (99, 98, 97, 96):
        order_desk.order("b", "buy", 1, price)
    stops = [order_desk.order("a", "sell", 1, trigger=STOP(price, by="last")) for price in (99, 98, 97)]
    ack = order_desk.order("c", "sell", 1, 99)
    assert fired(ack) == [each.order_id for each in stops]
    assert [price for _, price, _ in trades(ack)] == [99, 98, 97, 96]
    assert order_desk.dormant() == []


def test_prices_of_a_cascade_queue_behind_what_is_due(order_desk):
    """The mark reaches two stops; what the first one's trade reaches waits for the second."""
    order_desk.last(100)
    order_desk.order("b", "buy", 5, 99)
    first, second = (order_desk.order("a", "sell", 1, trigger=STOP(98)) for _ in range(2))
    behind = order_desk.order("a", "sell", 1, trigger=STOP(99, by="last"))
    assert fired(order_desk.mark(98)) == [first.order_id, second.order_id, behind.order_id]


def test_a_trigger_that_is_reached_on_arrival(order_desk):
    order_desk.order("b", "sell", 2, 101)
    ack = order_desk.order("a", "buy", 1, 101, trigger=STOP(99))
    assert fired(ack) == [ack.order_id] and (ack.filled, ack.resting) == (1, 0)
    before = order_desk.face.digest()
    assert order_desk.order("a", "buy", 1, 101, trigger=STOP(99, if_reached="refuse")).code == Code.TRIGGER_REACHED
    assert order_desk.face.digest() == before
    assert order_desk.order("a", "buy", 1, 101, trigger=STOP(101, if_reached="refuse"))


@pytest.mark.parametrize("source", ["index", "last"])
def test_a_source_without_a_price_reaches_nothing(order_desk, source):
    assert order_desk.order("a", "buy", 1, trigger=STOP(1, by=source, if_reached="refuse"))
    assert order_desk.order("a", "buy", 1, trigger=Trigger.trailing(distance=1, by=source)).code == Code.NO_REFERENCE
    assert order_desk.order("a", "buy", 1, trigger=Trigger.trailing(rate="0.1", by=source)).code == Code.NO_REFERENCE
    order_desk.see(source, 100)
    assert order_desk.order("a", "buy", 1, trigger=Trigger.trailing(distance=1, by=source))


@pytest.mark.parametrize(
    ("side", "terms", "start", "seen"),
    [
        ("sell", {"distance": 3}, 97, [(99, 97), (104, 101), (102, 101), (103, 101)]),
        ("buy", {"distance": 3}, 103, [(101, 103), (96, 99), (98, 99), (97, 99)]),
        ("sell", {"rate": "0.015"}, 98, [(103, 101), (102, 101)]),  # 98.5 down; 101.455 down
        ("buy", {"rate": "0.015"}, 102, [(97, 99), (98, 99)]),  # 101.5 up; 98.455 up
        ("sell", {"rate": "0.000000001"}, 99, []),
        ("buy", {"rate": "0.000000001"}, 101, []),
        ("sell", {"rate": "0.999999999"}, 0, [(1, 0)]),  # never reached
        ("buy", {"distance": 950}, 1_001, [(1_000, 1_001)]),  # beyond the highest legal price
    ],
)  # fmt: skip
def test_trailing_follows_the_best_price_and_rounds_away(order_desk, side, terms, start, seen):
    order_desk.index(100)
    ack = order_desk.order("a", side, 1, trigger=Trigger.trailing(by="index", **terms))
    assert order_desk.trigger_of(ack) == start
    for price, trigger in seen:
        assert fired(order_desk.index(price)) == []
        assert order_desk.trigger_of(ack) == trigger
    if 0 < order_desk.trigger_of(ack) <= 1_000:
        last = order_desk.trigger_of(ack)
        assert fired(order_desk.index(last)) == [ack.order_id]


def test_a_trailing_order_by_last_follows_both_prices_of_an_order(order_desk):
    """Trades from 100 up to 104: the extreme is 104. Then from 104 down."""
    order_desk.last(100)
    ack = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=2, by="last"))
    for price in (102, 104):
        order_desk.order("b", "sell", 1, price)
    order_desk.order("c", "buy", 2, 104)
    assert order_desk.trigger_of(ack) == 102


def test_trailing_orders_do_not_follow_another_source(order_desk):
    order_desk.index(100)
    ack = order_desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=2, by="index"))
    order_desk.mark(110)
    order_desk.last(110)
    assert order_desk.trigger_of(ack) == 98


BAD_TRIGGERS = (
    {"trigger_kind": 1}, {"trigger_kind": 1, "trigger_ticks": 1_001}, {"trigger_kind": 1, "trigger_ticks": 5, "trail": 1},
    {"trigger_kind": 3}, {"trigger_kind": 3, "trail": 1_001}, {"trigger_kind": 4, "trail": 10**9}, {"trigger_ticks": 5},
    {"trigger_kind": 5, "trail": 1}, {"trigger_kind": 1, "trigger_ticks": 5, "trigger_source": 5},
    {"trigger_kind": 3, "trail": 1, "trigger_ticks": 1_001},
    {"trigger_kind": 1, "trigger_ticks": 5, "trigger_flags": 2},
)  # fmt: skip
RESERVED = ("unused_lots", "unused_word", "unused_ticks", "group_id", "group_role", "tag")
FIELDS = [(fields, Code.BAD_TRIGGER) for fields in BAD_TRIGGERS] + [({name: 1}, Code.NOT_SUPPORTED) for name in RESERVED]
FIELDS += [({"hedge_side": leg}, Code.BAD_LEG) for leg in (1, 2, 3, 255)]


@pytest.mark.parametrize(("fields", "code"), [*FIELDS, ({}, Code.OK)])
def test_fields_that_do_not_go_together(order_desk, fields, code):
    """And what is not built is refused by name."""
    record = command(CommandType.ORDER, records=2, account=order_desk.ids["a"], price_ticks=90, size_lots=1) + extension(
        **fields
    )
    before = order_desk.face.digest()
    assert order_desk.face._kernel.apply(record) == code
    assert code == Code.OK or order_desk.face.digest() == before


# --- Triggers and liquidation --------------------------------------------------------------------------


def test_liquidation_before_triggers_and_dormant_orders_go_with_it(exchange_desk):
    ex = exchange_desk.face
    ex.deposit("long", "USDT", 60)
    ex.set_leverage("long", "X", 50, mode="isolated")
    hold(exchange_desk, "long", "buy", 10)
    saviour = ex.order("long", "X", "sell", None, close_position=True, trigger=STOP(98)).ok()
    other = exchange_desk.order("b", "sell", 1, trigger=STOP(98))
    exchange_desk.order("c", "buy", 50, 98)
    seen = exchange_desk.mark(98)
    kinds = [e.type for e in seen.events]
    assert kinds.index(EventType.TAKEOVER) < kinds.index(EventType.TRIGGERED)
    assert ends(seen)[saviour.order_id] == Ending.LIQUIDATED and fired(seen) == [other.order_id]


def test_a_fired_order_ends_the_maker_that_is_not_borne_before_the_next_one_fires(exchange_desk):
    """poor's bid at 100 would be hit while the mark stands at 97, below its threshold at once."""
    ex = exchange_desk.face
    ex.deposit("poor", "USDT", 30)
    ex.set_leverage("poor", "X", 50, mode="isolated")
    bid = ex.order("poor", "X", "buy", 10, price=100).ok().events[-1]
    stops = [
        exchange_desk.order("a", "sell", 10, 95, trigger=STOP(97)),
        exchange_desk.order("b", "buy", 1, 90, trigger=PROFIT(97)),
    ]
    seen = exchange_desk.mark(97)
    kinds = [
        e.type for e in seen.events if e.type == EventType.TRIGGERED or e.type == EventType.DONE and e.account == bid.account
    ]
    assert kinds == [EventType.TRIGGERED, EventType.DONE, EventType.TRIGGERED]
    assert fired(seen) == [each.order_id for each in stops]


def test_open_orders_tell_the_kinds_of_triggers(strict_exchange):
    ex = strict_exchange([Instrument("I")])
    ex.deposit("a", "USDT", 10_000)
    ex.mark("I", 50_000)
    for trigger in (Trigger.stop(49_000), Trigger.take_profit(51_000, by="last"), Trigger.trailing(distance=500)):
        ex.order("a", "I", "sell", 1, trigger=trigger).ok()
    ex.order("a", "I", "buy", 1, price=49_000).ok()
    told = [(o.trigger, o.trigger_price, o.by, o.dormant) for o in ex.open_orders("a")]
    assert told == [
        ("stop", 49_000, "mark", True), ("take_profit", 51_000, "last", True), ("trailing", 49_500, "mark", True),
        (None, None, None, False),
    ]  # fmt: skip
