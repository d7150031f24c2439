"""Limits of dormant orders and the price band; triggers of an instrument that is halted. Written from docs/orders.md.

Prices stand around a mark of 100, one tick apart, the band is 5 %, sizes are lots; a, b, c, d are accounts.
"""

from dataclasses import replace

import pytest

from desk import codes, ends, hold
from solvent import Code, EventType, Instrument, Tier, Trigger, rules
from solvent.records import CommandType, Ending, Flag, Tif, TriggerKind, command, extension

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
def test_a_limit_outside_the_band_of_its_trigger_is_refused(xdesk, side, trigger, last, beyond, terms):
    if beyond:
        before = xdesk.face.digest()
        assert xdesk.order("a", side, 2, beyond, trigger=trigger, **terms).code == Code.PRICE_BAND
        assert xdesk.face.digest() == before
    assert xdesk.order("a", side, 2, last, trigger=trigger, **terms)


@pytest.mark.parametrize(("side", "price"), [("buy", 60), ("sell", 150)])
def test_a_limit_on_the_other_side_is_no_harm(xdesk, side, price):
    assert xdesk.order("a", side, 2, price, trigger=STOP(100 + (10 if side == "buy" else -10)))


@pytest.mark.parametrize(
    ("side", "terms", "last", "beyond"),
    [
        ("sell", {"distance": 20}, 76, 75), ("buy", {"distance": 20}, 126, 127), ("sell", {"rate": "0.5"}, 48, 47),
        ("buy", {"rate": "0.5"}, 157, 158), ("sell", {"distance": 150}, 1, None), ("buy", {"distance": 950}, 1_000, None),
    ],
)  # fmt: skip
def test_a_trailing_limit_is_measured_from_where_its_trigger_is_now(xdesk, side, terms, last, beyond):
    xdesk.index(100)
    trigger = Trigger.trailing(by="index", **terms)
    if beyond:
        assert xdesk.order("a", side, 2, beyond, trigger=trigger).code == Code.PRICE_BAND
    assert xdesk.order("a", side, 2, last, trigger=trigger)


def test_the_protection_of_a_dormant_market_order_is_a_limit_too(xdesk):
    """At the face a price makes a limit; a record may be a market order with one (docs/records.md)."""

    def place(price):
        fields = {"account": 16, "side": 1, "tif": Tif.IOC, "flags": Flag.MARKET, "size_lots": 2, "price_ticks": price}
        second = extension(trigger_kind=TriggerKind.STOP, trigger_ticks=80)
        return xdesk.face._kernel.apply(command(CommandType.ORDER, records=2, **fields) + second)

    assert (place(75), place(76), place(0)) == (Code.PRICE_BAND, Code.OK, Code.OK)
    xdesk.order("d", "buy", 9, 70)
    first, second = triggered(xdesk.mark(70))
    assert first[1:] == (76, 76) and second[1:] == (67, 70)  # the first may go no further than it said


def test_a_book_alone_has_no_band(desk):
    ack = desk.order("a", "buy", 2, 900, trigger=STOP(120))
    assert bool(ack) == (not desk.money)
    if ack:
        assert triggered(desk.mark(120)) == [(ack.order_id, 900, 900)] and desk.depth()[0] == [(900, 2)]


@pytest.mark.parametrize(("side", "trigger", "good", "bad"), [("buy", 120, 126, 127), ("sell", 80, 76, 75)])
def test_the_limit_of_a_dormant_order_is_amended_by_the_same_rule(xdesk, side, trigger, good, bad):
    ack = xdesk.order("a", side, 2, trigger, trigger=STOP(trigger))
    before = xdesk.face.digest()
    assert xdesk.amend("a", ack, price=bad).code == Code.PRICE_BAND
    assert xdesk.amend("a", ack, price=bad, size=5).code == Code.PRICE_BAND
    assert xdesk.face.digest() == before
    assert replaced(xdesk.amend("a", ack, price=good)) == [(ack.order_id, good, 2, 2)]


def test_another_size_alone_does_not_ask_about_the_limit(xdesk):
    """The trailing trigger has moved on; the limit that it was placed with stays."""
    xdesk.index(100)
    ack = xdesk.order("a", "sell", 2, 86, trigger=Trigger.trailing(distance=10, by="index"))
    xdesk.index(120)
    assert xdesk.trigger_of(ack) == 110
    assert xdesk.amend("a", ack, size=5)
    assert xdesk.amend("a", ack, price=87).code == Code.PRICE_BAND
    assert xdesk.amend("a", ack, price=105)


# --- When it fires: it slides to the edge of the band ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "trigger", "limit", "mark", "edge"),
    [
        ("buy", STOP(100, by="index"), 105, 90, 94), ("sell", STOP(100, by="index"), 95, 110, 105),
        ("buy", PROFIT(100, by="index"), 105, 90, 94), ("sell", PROFIT(100, by="index"), 95, 110, 105),
    ],
)  # fmt: skip
def test_a_limit_that_the_mark_has_left_behind_slides(xdesk, side, trigger, limit, mark, edge):
    """It ended in silence, TRIGGER_REFUSED with PRICE_BAND."""
    other = 101 if (side == "buy") != (trigger.kind.name == "TAKE_PROFIT") else 99
    xdesk.index(200 - other)
    ack = xdesk.order("a", side, 2, limit, trigger=trigger)
    xdesk.mark(mark)
    seen = xdesk.index(other)
    assert replaced(seen) == [(ack.order_id, edge, 2, 2)] and triggered(seen) == [(ack.order_id, edge, edge)]
    assert codes(seen) == {} and xdesk.resting(ack) == 2
    assert xdesk.depth()[0 if side == "buy" else 1] == [(edge, 2)]
    [view] = xdesk.face.open_orders("a")
    assert (view.price, view.dormant) == (edge, False)


def test_the_limit_of_one_that_is_reached_on_arrival_slides_at_once(xdesk):
    xdesk.order("d", "sell", 1, 103)
    ack = xdesk.order("a", "buy", 2, 126, trigger=PROFIT(120))
    assert replaced(ack) == [(ack.order_id, 105, 2, 2)] and (ack.filled, ack.resting) == (1, 1)
    assert xdesk.depth()[0] == [(105, 1)]


def test_a_trailing_limit_slides(xdesk):
    ack = xdesk.order("a", "sell", 2, 91, trigger=Trigger.trailing(distance=5))
    xdesk.mark(120)
    assert replaced(xdesk.mark(115)) == [(ack.order_id, 110, 2, 2)]  # 109.25


def test_the_slid_limit_of_a_closing_order(xdesk):
    """A close-position order has no size until it fires; margin and what is left to close are asked at the edge."""
    hold(xdesk, "a", "buy", 5)
    stop = xdesk.order("a", "sell", None, 95, close_position=True, trigger=STOP(99, by="index"))
    target = xdesk.order("a", "sell", 5, 107, reduce_only=True)
    xdesk.mark(110)
    seen = xdesk.index(99)
    assert replaced(seen) == [(stop.order_id, 105, 0, 0)] and xdesk.resting(stop) == 5
    assert ends(seen) == {target.order_id: Ending.REDUCE_ONLY_CUT}


def test_what_slides_may_still_be_refused(xdesk):
    ack = xdesk.order("a", "buy", 2, 105, trigger=STOP(100, by="index"), tif="fok")
    xdesk.mark(90)
    seen = xdesk.index(100)
    assert replaced(seen) == [(ack.order_id, 94, 2, 2)] and codes(seen) == {ack.order_id: Code.FOK_UNFILLED}


def test_a_limit_within_the_band_stays(xdesk):
    ack = xdesk.order("a", "buy", 2, 105, trigger=STOP(103))
    assert replaced(xdesk.mark(103)) == [] and xdesk.depth()[0] == [(105, 2)] and xdesk.resting(ack) == 2


def test_the_band_is_that_of_the_rule_set(make):
    """Ten percent, an inverse contract, a tick of one half."""
    ex = make(
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
