"""Limits of dormant orders and the price band; triggers of an instrument that is halted.

Written from docs/reference/orders.md. Prices stand around a mark of 100, one tick apart, the band is 5 %, sizes are lots;
a, b, c, d are accounts.
"""

from dataclasses import replace

import pytest

from solvent import Code, EventType, Instrument, Tier, Trigger, rules
from solvent.records import CommandType, Ending, Flag, Tif, TriggerKind, command, extension
from support.order_desk import codes, ends, fired, hold

STOP, PROFIT = Trigger.stop, Trigger.take_profit


def replaced(ack):
    return [(e.order_id, e.price_ticks, e.remaining_lots, e.size_lots) for e in ack.events if e.type == EventType.REPLACED]


def triggered(ack):
    return [(e.order_id, e.price_ticks, e.limit_ticks) for e in ack.events if e.type == EventType.TRIGGERED]


# --- When it is placed: the band is measured from the trigger ----------------------------------------------------------


@pytest.mark.parametrize("terms", [{}, {"tif": "ioc"}, {"tif": "fok"}, {"post_only": True}, {"post_only": "slide"}])
@pytest.mark.parametrize(
    ("side", "trigger", "last", "beyond"),
    [
        ("buy", STOP(120), 126, 127), ("sell", STOP(80), 76, 75), ("buy", PROFIT(80), 84, 85), ("sell", PROFIT(120), 114, 113),
        ("buy", STOP(110, by="index"), 115, 116), ("sell", STOP(90, by="last"), 86, 85),
        ("sell", STOP(110), 105, 104),  # reached already
        ("buy", STOP(1_000), 1_000, None), ("sell", STOP(1), 1, None),
    ],
)  # fmt: skip
def test_a_limit_outside_the_band_of_its_trigger_is_refused(exchange_desk, side, trigger, last, beyond, terms):
    if beyond:
        before = exchange_desk.face.digest()
        assert exchange_desk.order("a", side, 2, beyond, trigger=trigger, **terms).code == Code.PRICE_BAND
        assert exchange_desk.face.digest() == before
    assert exchange_desk.order("a", side, 2, last, trigger=trigger, **terms)


@pytest.mark.parametrize(("side", "price"), [("buy", 60), ("sell", 150)])
def test_a_limit_on_the_other_side_is_no_harm(exchange_desk, side, price):
    assert exchange_desk.order("a", side, 2, price, trigger=STOP(100 + (10 if side == "buy" else -10)))


@pytest.mark.parametrize(
    ("side", "terms", "last", "beyond"),
    [
        ("sell", {"distance": 20}, 76, 75), ("buy", {"distance": 20}, 126, 127), ("sell", {"rate": "0.5"}, 48, 47),
        ("buy", {"rate": "0.5"}, 157, 158), ("sell", {"distance": 150}, 1, None), ("buy", {"distance": 950}, 1_000, None),
    ],
)  # fmt: skip
def test_a_trailing_limit_is_measured_from_where_its_trigger_is_now(exchange_desk, side, terms, last, beyond):
    exchange_desk.index(100)
    trigger = Trigger.trailing(by="index", **terms)
    if beyond:
        assert exchange_desk.order("a", side, 2, beyond, trigger=trigger).code == Code.PRICE_BAND
    assert exchange_desk.order("a", side, 2, last, trigger=trigger)


def test_the_protection_of_a_dormant_market_order_is_a_limit_too(exchange_desk):
    """At the face a price makes a limit; a record may be a market order with one (docs/reference/records.md)."""

    def place(price):
        fields = {"account": 16, "side": 1, "tif": Tif.IOC, "flags": Flag.MARKET, "size_lots": 2, "price_ticks": price}
        second = extension(trigger_kind=TriggerKind.STOP, trigger_ticks=80)
        return exchange_desk.face._kernel.apply(command(CommandType.ORDER, records=2, **fields) + second)

    assert (place(75), place(76), place(0)) == (Code.PRICE_BAND, Code.OK, Code.OK)
    exchange_desk.order("d", "buy", 9, 70)
    first, second = triggered(exchange_desk.mark(70))
    assert first[1:] == (76, 76) and second[1:] == (67, 70)  # the first may go no further than it said


def test_a_book_alone_has_no_band(order_desk):
    ack = order_desk.order("a", "buy", 2, 900, trigger=STOP(120))
    assert bool(ack) == (not order_desk.money)
    if ack:
        assert triggered(order_desk.mark(120)) == [(ack.order_id, 900, 900)] and order_desk.depth()[0] == [(900, 2)]


@pytest.mark.parametrize(("side", "trigger", "good", "bad"), [("buy", 120, 126, 127), ("sell", 80, 76, 75)])
def test_the_limit_of_a_dormant_order_is_amended_by_the_same_rule(exchange_desk, side, trigger, good, bad):
    ack = exchange_desk.order("a", side, 2, trigger, trigger=STOP(trigger))
    before = exchange_desk.face.digest()
    assert exchange_desk.amend("a", ack, price=bad).code == Code.PRICE_BAND
    assert exchange_desk.amend("a", ack, price=bad, size=5).code == Code.PRICE_BAND
    assert exchange_desk.face.digest() == before
    assert replaced(exchange_desk.amend("a", ack, price=good)) == [(ack.order_id, good, 2, 2)]


def test_another_size_alone_does_not_ask_about_the_limit(exchange_desk):
    """The trailing trigger has moved on; the limit that it was placed with stays."""
    exchange_desk.index(100)
    ack = exchange_desk.order("a", "sell", 2, 86, trigger=Trigger.trailing(distance=10, by="index"))
    exchange_desk.index(120)
    assert exchange_desk.trigger_of(ack) == 110
    assert exchange_desk.amend("a", ack, size=5)
    assert exchange_desk.amend("a", ack, price=87).code == Code.PRICE_BAND
    assert exchange_desk.amend("a", ack, price=105)


# --- When it fires: it slides to the edge of the band ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "trigger", "limit", "mark", "edge"),
    [
        ("buy", STOP(100, by="index"), 105, 90, 94), ("sell", STOP(100, by="index"), 95, 110, 105),
        ("buy", PROFIT(100, by="index"), 105, 90, 94), ("sell", PROFIT(100, by="index"), 95, 110, 105),
    ],
)  # fmt: skip
def test_a_limit_that_the_mark_has_left_behind_slides(exchange_desk, side, trigger, limit, mark, edge):
    """It ended in silence, TRIGGER_REFUSED with PRICE_BAND."""
    other = 101 if (side == "buy") != (trigger.kind.name == "TAKE_PROFIT") else 99
    exchange_desk.index(200 - other)
    ack = exchange_desk.order("a", side, 2, limit, trigger=trigger)
    exchange_desk.mark(mark)
    seen = exchange_desk.index(other)
    assert replaced(seen) == [(ack.order_id, edge, 2, 2)] and triggered(seen) == [(ack.order_id, edge, edge)]
    assert codes(seen) == {} and exchange_desk.resting(ack) == 2
    assert exchange_desk.depth()[0 if side == "buy" else 1] == [(edge, 2)]
    [view] = exchange_desk.face.open_orders("a")
    assert (view.price, view.dormant) == (edge, False)


def test_the_limit_of_one_that_is_reached_on_arrival_slides_at_once(exchange_desk):
    exchange_desk.order("d", "sell", 1, 103)
    ack = exchange_desk.order("a", "buy", 2, 126, trigger=PROFIT(120))
    assert replaced(ack) == [(ack.order_id, 105, 2, 2)] and (ack.filled, ack.resting) == (1, 1)
    assert exchange_desk.depth()[0] == [(105, 1)]


def test_a_trailing_limit_slides(exchange_desk):
    ack = exchange_desk.order("a", "sell", 2, 91, trigger=Trigger.trailing(distance=5))
    exchange_desk.mark(120)
    assert replaced(exchange_desk.mark(115)) == [(ack.order_id, 110, 2, 2)]  # 109.25


def test_the_slid_limit_of_a_closing_order(exchange_desk):
    """A close-position order has no size until it fires; margin and what is left to close are asked at the edge."""
    hold(exchange_desk, "a", "buy", 5)
    stop = exchange_desk.order("a", "sell", None, 95, close_position=True, trigger=STOP(99, by="index"))
    target = exchange_desk.order("a", "sell", 5, 107, reduce_only=True)
    exchange_desk.mark(110)
    seen = exchange_desk.index(99)
    assert replaced(seen) == [(stop.order_id, 105, 0, 0)] and exchange_desk.resting(stop) == 5
    assert ends(seen) == {target.order_id: Ending.REDUCE_ONLY_CUT}


def test_what_slides_may_still_be_refused(exchange_desk):
    ack = exchange_desk.order("a", "buy", 2, 105, trigger=STOP(100, by="index"), tif="fok")
    exchange_desk.mark(90)
    seen = exchange_desk.index(100)
    assert replaced(seen) == [(ack.order_id, 94, 2, 2)] and codes(seen) == {ack.order_id: Code.FOK_UNFILLED}


def test_a_limit_within_the_band_stays(exchange_desk):
    ack = exchange_desk.order("a", "buy", 2, 105, trigger=STOP(103))
    assert (
        replaced(exchange_desk.mark(103)) == [] and exchange_desk.depth()[0] == [(105, 2)] and exchange_desk.resting(ack) == 2
    )


def test_the_band_is_that_of_the_rule_set(strict_exchange):
    """Ten percent, an inverse contract, a tick of one half."""
    ex = strict_exchange(
        [Instrument("I", kind="inverse", settle="XBT", settle_decimals=10, contract_size=1, tick="0.5", max_price=10**5,
                    tiers=[Tier(10**6, "0.005", "0.01")])],
        rules=replace(rules.find("seed"), price_band_ppb=10**8),
    )  # fmt: skip
    ex.deposit("a", "XBT", 10)
    ex.mark("I", 100)
    assert ex.order("a", "I", "sell", 2, price="89.5", trigger=STOP(100, by="index")).code == Code.PRICE_BAND
    ack = ex.order("a", "I", "sell", 2, price=90, trigger=STOP(100, by="index")).ok()
    ex.mark("I", 120)
    assert replaced(ex.index("I", 99)) == [(ack.order_id, 216, 2, 2)]


# --- Halts ---------------------------------------------------------------------------------------------------------------


def halt(desk, resume=False):
    """What the halt, or its end, caused."""
    cursor = desk.face.cursor()
    desk.face.halt("X", resume=resume)
    return [e.order_id for e in cursor if e.type == EventType.TRIGGERED]


KINDS = [
    ("buy", STOP, 103, 104, 102), ("sell", STOP, 97, 96, 98), ("buy", PROFIT, 97, 96, 98), ("sell", PROFIT, 103, 104, 102),
]  # fmt: skip


@pytest.mark.parametrize("source", ["mark", "index"])
@pytest.mark.parametrize(("side", "kind", "trigger", "beyond", "before"), KINDS)
@pytest.mark.parametrize("still", [True, False])
def test_a_trigger_reached_in_a_halt_is_kept(exchange_desk, source, side, kind, trigger, beyond, before, still):
    exchange_desk.index(100)
    ack = exchange_desk.order("a", side, 2, 100, trigger=kind(trigger, by=source))
    assert halt(exchange_desk) == []
    assert fired(exchange_desk.see(source, beyond)) == [] and exchange_desk.dormant() == [ack.order_id]
    exchange_desk.face.check()
    exchange_desk.see(source, trigger if still else before)
    assert halt(exchange_desk, resume=True) == ([ack.order_id] if still else [])
    assert exchange_desk.dormant() == ([] if still else [ack.order_id])
    assert fired(exchange_desk.see(source, beyond)) == ([] if still else [ack.order_id])


@pytest.mark.parametrize(("side", "terms"), [("sell", {"distance": 5}), ("sell", {"rate": "0.05"}), ("buy", {"distance": 5})])
@pytest.mark.parametrize("still", [True, False])
def test_trailing_triggers_follow_in_a_halt(exchange_desk, side, terms, still):
    """From 100 to 120 (80) and back by eight: reached, and it stays so or not."""
    sign = 1 if side == "sell" else -1
    exchange_desk.index(100)
    ack = exchange_desk.order("a", side, 2, trigger=Trigger.trailing(by="index", **terms))
    halt(exchange_desk)
    exchange_desk.index(100 + 20 * sign)
    trigger = exchange_desk.trigger_of(ack)
    assert trigger == 100 + (20 - 5) * sign - ("rate" in terms)
    assert fired(exchange_desk.index(100 + 12 * sign)) == []
    if not still:
        exchange_desk.index(100 + 18 * sign)
    assert halt(exchange_desk, resume=True) == ([ack.order_id] if still else [])
    assert still or exchange_desk.trigger_of(ack) == trigger


def test_what_fires_on_resumption_fires_in_order(exchange_desk):
    """The mark's, then the last price's, then the index's; of one price on a fall first, the nearest first, then by id."""
    for price in (100, 101):  # the last price is 101
        exchange_desk.last(price)
    exchange_desk.index(100)
    low = [exchange_desk.order("a", "sell", 1, trigger=STOP(price, by="index")) for price in (97, 98, 98)]
    high = [exchange_desk.order("a", "sell", 1, trigger=PROFIT(price, by="mark")) for price in (103, 102)]
    fall = exchange_desk.order("a", "buy", 1, trigger=PROFIT(105, by="mark", if_reached="refuse"))
    assert fall.code == Code.TRIGGER_REACHED
    halt(exchange_desk)
    exchange_desk.mark(104), exchange_desk.index(96)
    assert halt(exchange_desk, resume=True) == [each.order_id for each in (high[1], high[0], low[1], low[2], low[0])]


def test_a_step_down_in_a_halt_moves_the_last_price(strict_exchange):
    """It is an order of its account; the stop by last price waits until trading resumes, and the book is looked at then."""
    table = [Tier(10, "0.005", "0.01"), Tier(20, "0.01", "0.02"), Tier(30, "0.02", "0.04")]
    ex = strict_exchange([Instrument("X", contract_size=1, tick=1, max_price=3_000, tiers=table)])
    for name, amount in (("m", 10**6), ("a", 2_000)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    ex.set_leverage("a", "X", 20)
    ex.order("m", "X", "sell", 25, price=1_000)
    ex.order("a", "X", "buy", 25, price=1_000).ok()
    ex.order("m", "X", "buy", 15, price=931).ok()
    stop = ex.order("m", "X", "buy", 1, price=900, trigger=PROFIT(940, by="last")).ok()
    ex.halt("X")
    kinds = [e.type for e in ex.mark("X", 935).events]
    assert EventType.STEP_DOWN in kinds and EventType.TRIGGERED not in kinds and ex.prices("X").last == 931
    ex.halt("X", resume=True)
    assert [o.order_id for o in ex.open_orders("m") if not o.dormant] == [stop.order_id]


def test_what_else_becomes_of_a_reached_trigger_in_a_halt(exchange_desk):
    """It expires, is amended, is cancelled, or ends with the instrument."""
    terms = {"trigger": STOP(97)}
    timed = exchange_desk.order("a", "sell", 1, 97, tif="gtd", expiry_ns=5, **terms)
    gone, kept = (exchange_desk.order("a", "sell", 1, 97, **terms) for _ in range(2))
    halt(exchange_desk)
    exchange_desk.mark(96)
    assert exchange_desk.dormant() == [each.order_id for each in (timed, gone, kept)]
    exchange_desk.face.advance(5)
    assert exchange_desk.dormant() == [each.order_id for each in (gone, kept)]
    assert ends(exchange_desk.cancel("a", gone)) == {gone.order_id: Ending.CANCELLED}
    assert exchange_desk.amend("a", kept, size=3) and exchange_desk.order("a", "sell", 1, 97, **terms).code == Code.NOT_TRADING
    assert ends(exchange_desk.face.delist("X")) == {kept.order_id: Ending.DELISTED}


def test_one_that_fires_on_resumption_is_checked_as_ever(exchange_desk):
    """Its limit slides into the band, margin is asked, and what is reached by its trade fires behind."""
    hold(exchange_desk, "a", "buy", 5)
    stop = exchange_desk.order("a", "sell", None, 97, close_position=True, trigger=STOP(99, by="index"))
    exchange_desk.face.deposit("poor", "USDT", 10)
    poor = exchange_desk.face.order("poor", "X", "sell", 100, price=100, trigger=STOP(99, by="index")).ok()
    behind = exchange_desk.order("b", "buy", 1, 100, trigger=STOP(105, by="last"))
    exchange_desk.order("d", "buy", 5, 105).ok()
    halt(exchange_desk)
    exchange_desk.mark(110), exchange_desk.index(98)
    assert halt(exchange_desk, resume=True) == [stop.order_id, poor.order_id, behind.order_id]
    assert exchange_desk.face.position("a", "X").size == 0 and not exchange_desk.face.open_orders("poor")


def test_only_the_instrument_that_resumes_is_looked_at(strict_exchange):
    ex = strict_exchange(
        [Instrument(name, contract_size=1, tick=1, max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")]) for name in "XY"]
    )
    ex.deposit("a", "USDT", 10**6)
    acks = {}
    for name in "XY":
        ex.mark(name, 100)
        acks[name] = ex.order("a", name, "sell", 1, price=97, trigger=STOP(97)).ok()
        ex.halt(name)
        ex.halt(name)
        ex.mark(name, 97)
    ex.halt("Y", resume=True)
    assert [o.dormant for o in ex.open_orders("a", "X")] == [True] and [o.dormant for o in ex.open_orders("a", "Y")] == [False]
    ex.halt("Y", resume=True)
    ex.halt("X", resume=True)
    assert [o.dormant for o in ex.open_orders("a")] == [False, False]
