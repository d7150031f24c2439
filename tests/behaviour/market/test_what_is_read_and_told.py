"""The last price by command, a market order with a price, an amendment by what remains, queues and counts: Book and Exchange.

Prices stand around a mark of 100, one tick apart; a, b, c, d are accounts.
"""

import pytest

from solvent import Code, EventType, InputError, Instrument, Rejected, Trigger, WrongType
from solvent.records import Ending
from support.order_desk import ends, fired, hold


def last_of(desk):
    """The last price, 0 before the first."""
    return int(desk.face.prices("X").last or 0) if desk.money else desk.face.last


def set_last(desk, price):
    return desk.face.set_last("X", price) if desk.money else desk.face.set_last(price)


def queue(desk, side, price):
    """The ids of the accounts that rest at a price, the next to trade first."""
    if desk.money:
        return [each.account for each in desk.face.queue("X", side, price)]
    return [{number: name for name, number in desk.ids.items()}[row["account"]] for row in desk.face.queue(side, price)]


# --- The last price --------------------------------------------------------------------------------------


def test_a_last_price_is_told_and_trades_move_it_on(order_desk):
    assert last_of(order_desk) == 0
    ack = set_last(order_desk, 97)
    assert last_of(order_desk) == 97
    told = [e for e in ack.events if e.type == EventType.LAST_SET]
    assert [(e.price_ticks, e.instrument) for e in told] == [(97, 0)]
    order_desk.last(101)
    assert last_of(order_desk) == 101


@pytest.mark.parametrize(
    ("trigger", "price", "fires"),
    [
        (Trigger.stop(95, by="last"), 95, True), (Trigger.stop(95, by="last"), 96, False),
        (Trigger.take_profit(105, by="last"), 105, True), (Trigger.stop(95, by="mark"), 90, False),
        (Trigger.stop(95, by="index"), 90, False),
    ],
)  # fmt: skip
def test_triggers_by_last_see_it_and_no_others(order_desk, trigger, price, fires):
    hold(order_desk, "a", "buy", 1)
    stop = order_desk.order("a", "sell", 1, price if price > 95 else 95, trigger=trigger)
    assert fired(set_last(order_desk, price)) == ([stop.order_id] if fires else [])


def test_a_trailing_stop_starts_from_it(order_desk):
    """Without a last price it is refused; then it follows: 100, 110, and 5 below fires."""
    trail = Trigger.trailing(distance=5, by="last")
    hold_price = {"price": 95}
    assert order_desk.order("a", "sell", 1, **hold_price, trigger=trail).code == Code.NO_REFERENCE
    set_last(order_desk, 100)
    stop = order_desk.order("a", "sell", 1, **hold_price, trigger=trail).ok()
    set_last(order_desk, 104)
    assert order_desk.trigger_of(stop) == 99 and fired(set_last(order_desk, 99)) == [stop.order_id]


@pytest.mark.parametrize("price", [0, -1, 1_001])
def test_a_last_price_is_a_legal_price(order_desk, price):
    with pytest.raises(Rejected) as refusal:
        set_last(order_desk, price)
    assert refusal.value.code == Code.BAD_PRICE and last_of(order_desk) == 0


def test_a_settled_instrument_has_no_last_price_to_come(strict_exchange):
    """A halted one has, and its triggers wait for the end of the halt."""
    ex = strict_exchange([Instrument("X")])
    ex.mark("X", 50_000)
    ex.halt("X")
    assert ex.set_last("X", 50_100)
    ex.delist("X")
    with pytest.raises(Rejected) as refusal:
        ex.set_last("X", 50_000)
    assert refusal.value.code == Code.NOT_TRADING


# --- A market order with a price -------------------------------------------------------------------------


def test_a_price_protects_a_market_order(order_desk):
    """It trades at 101 and 102 and ends; a limit order would rest. Without counterparty it ends, too."""
    for price in (101, 102, 103):
        order_desk.order("a", "sell", 1, price)
    ack = order_desk.order("b", "buy", 5, 102, market=True)
    assert (ack.filled, ack.resting, ends(ack)[ack.order_id]) == (2, 0, Ending.UNFILLED)
    none = order_desk.order("b", "buy", 5, 102, market=True)
    assert none and (none.filled, none.resting) == (0, 0)
    assert order_desk.order("b", "buy", 5, 103, market=True, tif="fok").code == Code.FOK_UNFILLED


def test_what_goes_with_a_protected_market_order(order_desk):
    order_desk.order("a", "sell", 1, 101)
    assert order_desk.order("b", "buy", 1, 101, market=True, post_only=True).code == Code.BAD_FLAGS
    assert order_desk.order("b", "buy", 1, 101, market=True, slippage="0.01").code == Code.BAD_SLIPPAGE
    assert order_desk.order("b", "buy", 1, 101, market=True, tif="gtd", expiry_ns=9).code == Code.BAD_FLAGS
    stop = order_desk.order("b", "buy", 1, 101, market=True, trigger=Trigger.stop(102))
    assert fired(order_desk.mark(102)) == [stop.order_id]
    with pytest.raises(WrongType):
        order_desk.order("b", "buy", 1, 101, market=1)


# --- What remains ----------------------------------------------------------------------------------------


def remaining(desk, who, ack, lots, **terms):
    return desk._on("amend", who, ack.order_id, **{"remaining" if desk.money else "remaining_lots": lots}, **terms)


def test_an_amendment_by_what_remains(order_desk):
    """Of ten three fill. Five remain: a total of eight, in its place. Nine remain: a total of twelve, at the back."""
    ack = order_desk.order("a", "buy", 10, 99)
    order_desk.order("c", "buy", 1, 99)
    assert order_desk.order("b", "sell", 3, 99, tif="ioc").filled == 3
    shrunk = remaining(order_desk, "a", ack, 5)
    assert (shrunk.filled, shrunk.resting, queue(order_desk, "buy", 99)) == (3, 5, ["a", "c"])
    assert remaining(order_desk, "a", ack, 5).code == Code.AMEND_NOTHING
    grown = remaining(order_desk, "a", ack, 9)
    assert (grown.filled, grown.resting, queue(order_desk, "buy", 99)) == (3, 9, ["c", "a"])
    moved = remaining(order_desk, "a", ack, 4, price=98)
    assert (moved.resting, queue(order_desk, "buy", 98)) == (4, ["a"])


def test_what_can_not_remain(order_desk):
    ack = order_desk.order("a", "buy", 10, 99)
    for lots in (0, -1, 2**39):
        assert remaining(order_desk, "a", ack, lots).code == Code.BAD_SIZE
    assert order_desk.resting(ack) == 10
    with pytest.raises(InputError, match="one of them"):
        remaining(order_desk, "a", ack, 5, size=5)
    order_desk.cancel("a", ack).ok()
    assert remaining(order_desk, "a", ack, 5).code == Code.UNKNOWN_ORDER


# --- Queues and counts -----------------------------------------------------------------------------------


def test_a_queue_is_in_the_order_of_its_trades(order_desk):
    for who, side, price in (("a", "buy", 99), ("b", "buy", 99), ("c", "buy", 98), ("d", "sell", 101)):
        order_desk.order(who, side, 2, price)
    assert (
        queue(order_desk, "buy", 99) == ["a", "b"]
        and queue(order_desk, "buy", 98) == ["c"]
        and queue(order_desk, "sell", 101) == ["d"]
    )
    assert (
        queue(order_desk, "sell", 99)
        == queue(order_desk, "buy", 97)
        == queue(order_desk, "buy", 5_000)
        == queue(order_desk, "buy", 0)
        == []
    )
    order_desk.order("d", "sell", 3, 99, tif="ioc")
    assert queue(order_desk, "buy", 99) == ["b"]


def test_counts_of_resting_and_dormant_orders(order_desk):
    """By account, and of all."""

    def counts(*who):
        return order_desk.face.order_counts(*(each if order_desk.money else order_desk.ids[each] for each in who))

    assert counts() == counts("a") == (0, 0)
    for price in (98, 99):
        order_desk.order("a", "buy", 1, price)
    stop = order_desk.order("a", "buy", 1, 105, trigger=Trigger.stop(105))
    order_desk.order("b", "sell", 1, 101)
    assert (counts(), counts("a"), counts("b"), counts("c")) == ((3, 1), (2, 1), (1, 0), (0, 0))
    order_desk.cancel("a", stop)
    assert counts() == (3, 0)


def test_an_exchange_shows_its_orders_as_a_book_does(strict_exchange):
    """Resting ones best first, dormant ones by id, the house's among them."""
    ex = strict_exchange([Instrument("X"), Instrument("Y")])
    for name in "ab":
        ex.deposit(name, "USDT", 10**4)
    for name in "XY":
        ex.mark(name, 50_000)
    ex.order("a", "X", "buy", 1, price=49_900).ok()
    ex.order("b", "X", "buy", 2, price=49_950).ok()
    ex.order("b", "X", "sell", 3, price=50_100).ok()
    ex.order("a", "Y", "buy", 4, price=49_900).ok()
    ex.order("b", "X", "buy", 5, trigger=Trigger.stop(51_000)).ok()
    assert [(each.account, each.size) for each in ex.resting("X")] == [("b", 2), ("a", 1), ("b", 3)]
    assert [(each.account, each.size) for each in ex.dormant("X")] == [("b", 5)] and ex.dormant("Y") == []
    assert ex.order_counts(instrument="X") == (3, 1) and ex.order_counts("a", "Y") == (1, 0) == ex.order_counts("a", "X")
    assert ex.queue("X", "buy", "49900.05") == [] and ex.queue("X", "buy", "49900")[0].account == "a"
    for call in (lambda: ex.resting("Z"), lambda: ex.queue("Z", "buy", 1), lambda: ex.order_counts("a", "Z")):
        with pytest.raises(Rejected) as refusal:
            call()
        assert refusal.value.code == Code.UNKNOWN_INSTRUMENT


def test_the_house_is_in_queue_and_count(strict_exchange):
    """A parcel that finds no buyer rests at its bankruptcy price, 490 at a leverage of 50."""
    ex = strict_exchange([Instrument("X")])
    for name in "ab":
        ex.deposit(name, "USDT", 1_000)
    ex.mark("X", 50_000)
    ex.set_leverage("a", "X", 50, mode="isolated")
    ex.order("b", "X", "sell", 2, price=50_000).ok()
    ex.order("a", "X", "buy", 2, price=50_000).ok()
    ex.mark("X", 49_200)
    assert [each.account for each in ex.queue("X", "sell", 49_000)] == ["<house>"]
    assert ex.order_counts() == (1, 0) and ex.order_counts("b") == (0, 0)
