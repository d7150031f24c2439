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
def test_when_a_trigger_fires(desk, source, kind, side, trigger, no, yes):
    """A stop buys at or above, sells at or below; a take-profit the other way round; each source its own price."""
    desk.see(source, 100)
    ack = desk.order("a", side, 1, trigger=kind(trigger, by=source))
    for other in {"mark", "index", "last"} - {source}:
        assert fired(desk.see(other, yes)) == []
    assert fired(desk.see(source, no)) == []
    assert desk.dormant() == [ack.order_id]
    assert fired(desk.see(source, yes)) == [ack.order_id]
    assert fired(desk.see(source, no)) == [] and fired(desk.see(source, yes)) == []  # once


def test_a_dormant_order_reserves_nothing_and_is_not_in_the_depth(xdesk):
    free = xdesk.face.account("a").withdrawable
    xdesk.order("a", "sell", 1_000, 100, trigger=STOP(90))
    assert xdesk.face.account("a").withdrawable == free and xdesk.depth() == ([], [])
    assert xdesk.order("b", "buy", 1, 100).filled == 0


def test_a_fired_limit_order_rests_and_a_market_order_ends(desk):
    limit = desk.order("a", "buy", 2, 101, trigger=STOP(103))
    market = desk.order("b", "buy", 2, trigger=STOP(103))
    seen = desk.mark(103)
    assert desk.resting(limit) == 2 and ends(seen) == {market.order_id: Ending.UNFILLED}


def test_a_fired_order_keeps_its_id_and_says_what_it_does(desk):
    ack = desk.order("a", "buy", 2, 101, trigger=STOP(103))
    kinds = [e.type for e in desk.mark(103).events if getattr(e, "a", 0) == ack.order_id]
    assert kinds == [EventType.TRIGGERED, EventType.RESTED]


@pytest.mark.parametrize(
    ("terms", "price", "code"),
    [
        ({"post_only": True}, 105, Code.POST_ONLY_WOULD_TAKE), ({"tif": "fok"}, 102, Code.FOK_UNFILLED),
        ({"reduce_only": True}, 102, Code.REDUCE_ONLY_WOULD_OPEN),
    ],
)  # fmt: skip
def test_what_would_be_checked_of_a_new_order_is_checked_when_it_fires(xdesk, terms, price, code):
    ack = xdesk.order("a", "buy", 2, price, trigger=STOP(103), **terms)
    xdesk.order("b", "sell", 1, 105)
    seen = xdesk.mark(103)
    assert fired(seen) == [ack.order_id] and codes(seen) == {ack.order_id: code}


def test_margin_is_checked_when_it_fires(xdesk):
    xdesk.face.deposit("poor", "USDT", 10)
    ack = xdesk.face.order("poor", "X", "buy", 100, price=100, trigger=STOP(103)).ok()
    assert codes(xdesk.mark(103)) == {ack.order_id: Code.INSUFFICIENT_MARGIN}


def test_its_expiry_counts_while_it_sleeps_and_when_it_rests(desk):
    asleep = desk.order("a", "buy", 2, 95, trigger=STOP(103), tif="gtd", expiry_ns=20)
    woken = desk.order("a", "buy", 2, 95, trigger=STOP(101), tif="gtd", expiry_ns=20)
    desk.mark(101)
    assert desk.dormant() == [asleep.order_id] and desk.resting(woken) == 2
    desk.face.advance(20)
    assert desk.dormant() == [] and desk.resting(woken) == 0
    assert fired(desk.mark(103)) == []


def test_order_among_triggers(desk):
    """Of one price: what fires on a fall first, nearest trigger first, lower id first; then what fires on a rise."""
    desk.index(100)
    rise = [desk.order("a", "buy", 1, trigger=STOP(price, by="index")) for price in (103, 102, 102)]
    assert fired(desk.index(110)) == [rise[1].order_id, rise[2].order_id, rise[0].order_id]
    fall = [desk.order("a", "sell", 1, trigger=STOP(price, by="index")) for price in (97, 98, 98)]
    assert fired(desk.index(90)) == [fall[1].order_id, fall[2].order_id, fall[0].order_id]


def test_fall_before_rise(desk):
    """One price cannot cross both ways for fixed triggers, but it can stand at both."""
    desk.index(100)
    desk.order("d", "sell", 1, 100)
    high = desk.order("a", "buy", 1, trigger=STOP(95, by="last", if_reached="refuse"))
    low = desk.order("a", "sell", 1, trigger=STOP(105, by="last", if_reached="refuse"))
    assert high and low  # nothing has traded yet: a source without a price reaches nothing
    ack = desk.order("c", "buy", 1, 100)
    assert fired(ack) == [low.order_id, high.order_id]


def test_a_trailing_order_among_fixed_ones_goes_by_id(desk):
    """At one trigger the lower id fires first, although the trailing order came to that price last."""
    desk.index(100)
    trailing = desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=5, by="index"))
    fixed = desk.order("a", "sell", 1, trigger=STOP(97, by="index"))
    desk.index(102)
    assert desk.trigger_of(trailing) == 97
    assert fired(desk.index(97)) == [trailing.order_id, fixed.order_id]


def test_the_first_and_the_last_price_of_an_order_are_seen(desk):
    """One order trades from 100 down to 97: sells that stop at 98 fire, and so does a buy that stops at 100."""
    desk.last(99)
    for price in (100, 98, 97):
        desk.order("b", "buy", 1, price)
    up = desk.order("a", "buy", 1, trigger=STOP(100, by="last"))
    down = desk.order("a", "sell", 1, trigger=STOP(98, by="last"))
    ack = desk.order("c", "sell", 3, 97)
    assert fired(ack) == [up.order_id, down.order_id]


def test_a_cascade_queues_behind_and_ends(desk):
    """Each stop's trade reaches the next; prices that arise meanwhile are queued behind."""
    desk.last(100)
    for price in (99, 98, 97, 96):
        desk.order("b", "buy", 1, price)
    stops = [desk.order("a", "sell", 1, trigger=STOP(price, by="last")) for price in (99, 98, 97)]
    ack = desk.order("c", "sell", 1, 99)
    assert fired(ack) == [each.order_id for each in stops]
    assert [price for _, price, _ in trades(ack)] == [99, 98, 97, 96]
    assert desk.dormant() == []


def test_prices_of_a_cascade_queue_behind_what_is_due(desk):
    """The mark reaches two stops; what the first one's trade reaches waits for the second."""
    desk.last(100)
    desk.order("b", "buy", 5, 99)
    first, second = (desk.order("a", "sell", 1, trigger=STOP(98)) for _ in range(2))
    behind = desk.order("a", "sell", 1, trigger=STOP(99, by="last"))
    assert fired(desk.mark(98)) == [first.order_id, second.order_id, behind.order_id]


def test_a_trigger_that_is_reached_on_arrival(desk):
    desk.order("b", "sell", 2, 101)
    ack = desk.order("a", "buy", 1, 101, trigger=STOP(99))
    assert fired(ack) == [ack.order_id] and (ack.filled, ack.resting) == (1, 0)
    before = desk.face.digest()
    assert desk.order("a", "buy", 1, 101, trigger=STOP(99, if_reached="refuse")).code == Code.TRIGGER_REACHED
    assert desk.face.digest() == before
    assert desk.order("a", "buy", 1, 101, trigger=STOP(101, if_reached="refuse"))


@pytest.mark.parametrize("source", ["index", "last"])
def test_a_source_without_a_price_reaches_nothing(desk, source):
    assert desk.order("a", "buy", 1, trigger=STOP(1, by=source, if_reached="refuse"))
    assert desk.order("a", "buy", 1, trigger=Trigger.trailing(distance=1, by=source)).code == Code.NO_REFERENCE
    assert desk.order("a", "buy", 1, trigger=Trigger.trailing(rate="0.1", by=source)).code == Code.NO_REFERENCE
    desk.see(source, 100)
    assert desk.order("a", "buy", 1, trigger=Trigger.trailing(distance=1, by=source))


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
def test_trailing_follows_the_best_price_and_rounds_away(desk, side, terms, start, seen):
    desk.index(100)
    ack = desk.order("a", side, 1, trigger=Trigger.trailing(by="index", **terms))
    assert desk.trigger_of(ack) == start
    for price, trigger in seen:
        assert fired(desk.index(price)) == []
        assert desk.trigger_of(ack) == trigger
    if 0 < desk.trigger_of(ack) <= 1_000:
        last = desk.trigger_of(ack)
        assert fired(desk.index(last)) == [ack.order_id]


def test_a_trailing_order_by_last_follows_both_prices_of_an_order(desk):
    """Trades from 100 up to 104: the extreme is 104. Then from 104 down."""
    desk.last(100)
    ack = desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=2, by="last"))
    for price in (102, 104):
        desk.order("b", "sell", 1, price)
    desk.order("c", "buy", 2, 104)
    assert desk.trigger_of(ack) == 102


def test_trailing_orders_do_not_follow_another_source(desk):
    desk.index(100)
    ack = desk.order("a", "sell", 1, trigger=Trigger.trailing(distance=2, by="index"))
    desk.mark(110)
    desk.last(110)
    assert desk.trigger_of(ack) == 98


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
def test_fields_that_do_not_go_together(desk, fields, code):
    """And what is not built is refused by name."""
    record = command(CommandType.ORDER, records=2, account=desk.ids["a"], price_ticks=90, size_lots=1) + extension(**fields)
    before = desk.face.digest()
    assert desk.face._kernel.apply(record) == code
    assert code == Code.OK or desk.face.digest() == before


# --- Triggers and liquidation --------------------------------------------------------------------------


def test_liquidation_before_triggers_and_dormant_orders_go_with_it(xdesk):
    ex = xdesk.face
    ex.deposit("long", "USDT", 60)
    ex.set_leverage("long", "X", 50, mode="isolated")
    hold(xdesk, "long", "buy", 10)
    saviour = ex.order("long", "X", "sell", None, close_position=True, trigger=STOP(98)).ok()
    other = xdesk.order("b", "sell", 1, trigger=STOP(98))
    xdesk.order("c", "buy", 50, 98)
    seen = xdesk.mark(98)
    kinds = [e.type for e in seen.events]
    assert kinds.index(EventType.TAKEOVER) < kinds.index(EventType.TRIGGERED)
    assert ends(seen)[saviour.order_id] == Ending.LIQUIDATED and fired(seen) == [other.order_id]


def test_a_fired_order_ends_the_maker_that_is_not_borne_before_the_next_one_fires(xdesk):
    """poor's bid at 100 would be hit while the mark stands at 97, below its threshold at once."""
    ex = xdesk.face
    ex.deposit("poor", "USDT", 30)
    ex.set_leverage("poor", "X", 50, mode="isolated")
    bid = ex.order("poor", "X", "buy", 10, price=100).ok().events[-1]
    stops = [xdesk.order("a", "sell", 10, 95, trigger=STOP(97)), xdesk.order("b", "buy", 1, 90, trigger=PROFIT(97))]
    seen = xdesk.mark(97)
    kinds = [
        e.type for e in seen.events if e.type == EventType.TRIGGERED or e.type == EventType.DONE and e.account == bid.account
    ]
    assert kinds == [EventType.TRIGGERED, EventType.DONE, EventType.TRIGGERED]
    assert fired(seen) == [each.order_id for each in stops]


def test_open_orders_tell_the_kinds_of_triggers(make):
    ex = make([Instrument("I")])
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
