"""Matching, time in force, reduce-only, amend, self-trade prevention, client ids, slots (semantics §8)."""

import numpy as np
import pytest

from solvent import Code, EventType, Instrument, Trigger
from solvent.records import CommandType, Ending, Tif, dtype
from solvent.schema.limits import CLIENT_ID_WINDOW

BTC = "BTC-USDT-SWAP"


@pytest.fixture
def ex(strict_exchange):
    exchange = strict_exchange([Instrument(BTC)])
    for name in ("a", "b", "c", "d"):
        exchange.deposit(name, "USDT", 10**8)
    exchange.mark(BTC, 50_000)
    return exchange


def trades(ack):
    return [(e.maker_order_id, e.price_ticks, e.size_lots) for e in ack.events if e.type == EventType.TRADE]


def endings(ack, account=None):
    return [Ending(e.ending) for e in ack.events if e.type == EventType.DONE and account in (None, e.account)]


def buy(ex, name, size, price, **terms):
    return ex.order(name, BTC, "buy", size, price=price, **terms)


def sell(ex, name, size, price, **terms):
    return ex.order(name, BTC, "sell", size, price=price, **terms)


def test_price_then_time(ex):
    late_best = [sell(ex, "a", 5, 50_100), sell(ex, "b", 5, 50_000), sell(ex, "a", 5, 50_000)]
    ack = buy(ex, "c", 12, 50_100)
    assert trades(ack) == [
        (late_best[1].order_id, 500_000, 5),
        (late_best[2].order_id, 500_000, 5),
        (late_best[0].order_id, 501_000, 2),
    ]
    assert ex.depth(BTC).asks == [(50_100, 3)]


def test_book_over_a_wide_range(ex):
    """Levels far apart share no leaf of the trie: best, next best and emptiness stay right."""
    prices = [0.1, 6.4, 6.5, 409.6, 26_214.4, 47_500, 49_999.9, 50_000]
    acks = [buy(ex, "a", 1, f"{price:.1f}") for price in prices]
    assert all(acks)
    assert [float(price) for price, _ in ex.depth(BTC).bids] == sorted(prices, reverse=True)
    for ack in acks[::-2]:
        ex.cancel("a", ack.order_id).ok()
    assert [float(price) for price, _ in ex.depth(BTC).bids] == [49_999.9, 26_214.4, 6.5, 0.1][:4]
    assert ex.depth(BTC, 2).bids == ex.depth(BTC).bids[:2]


def test_ioc_fok_and_market(ex):
    sell(ex, "a", 5, 50_000)
    sell(ex, "a", 5, 51_000)
    ack = buy(ex, "b", 20, 50_500, tif="ioc")
    assert (ack.filled, ack.resting, endings(ack, 17)) == (5, 0, [Ending.UNFILLED])
    assert buy(ex, "b", 6, 51_000, tif="fok").code == Code.FOK_UNFILLED
    assert buy(ex, "b", 5, 51_000, tif="fok").filled == 5
    ack = ex.order("b", BTC, "buy", 3)
    assert ack and ack.filled == 0 and endings(ack) == [Ending.UNFILLED]
    sell(ex, "a", 5, 51_000)
    sell(ex, "a", 5, 52_500)
    ack = ex.order("b", BTC, "buy", 9)
    assert [price for _, price, _ in trades(ack)] == [510_000, 525_000]


def test_market_is_protected_by_the_band(ex):
    sell(ex, "a", 1, 50_000)
    sell(ex, "a", 9, 53_000)
    assert ex.order("b", BTC, "buy", 5).filled == 1  # 52,500 is as far as it goes
    assert buy(ex, "b", 1, "52500.1").code == Code.PRICE_BAND
    assert sell(ex, "b", 1, "47499.9").code == Code.PRICE_BAND
    assert buy(ex, "b", 1, 30_000)  # away from the touch is no harm


def test_post_only(ex):
    sell(ex, "a", 5, 50_000)
    assert buy(ex, "b", 1, 50_000, post_only=True).code == Code.POST_ONLY_WOULD_TAKE
    assert buy(ex, "b", 1, "49999.9", post_only=True).resting == 1


def test_reduce_only_is_cut_to_the_position(ex):
    sell(ex, "a", 5, 50_000)
    buy(ex, "b", 5, 50_000)
    assert sell(ex, "b", 1, 50_000, reduce_only=True).resting == 1
    assert sell(ex, "b", 9, 50_100, reduce_only=True).resting == 4
    assert sell(ex, "b", 1, 50_200, reduce_only=True).code == Code.REDUCE_ONLY_WOULD_OPEN
    assert buy(ex, "b", 1, 49_000, reduce_only=True).code == Code.REDUCE_ONLY_WOULD_OPEN


def test_reduce_only_is_measured_again_worst_price_first_then_newest(ex):
    sell(ex, "a", 10, 50_000)
    buy(ex, "b", 10, 50_000)
    near = sell(ex, "b", 4, 50_100, reduce_only=True)
    old = sell(ex, "b", 3, 50_200, reduce_only=True)
    new = sell(ex, "b", 3, 50_200, reduce_only=True)
    buy(ex, "c", 5, 49_900)
    ack = sell(ex, "b", 5, 49_900)  # a plain order takes half of what they lean on
    assert [(e.order_id, e.type) for e in ack.events if e.type in (EventType.REDUCED, EventType.DONE) and e.account == 17][
        :2
    ] == [
        (new.order_id, EventType.DONE),
        (old.order_id, EventType.REDUCED),
    ]
    left = {order.order_id: order.remaining for order in ex.open_orders("b")}
    assert left == {near.order_id: 4, old.order_id: 1}


def test_maker_reduce_only_is_cut_before_the_next_maker_trades(ex):
    """b's plain sell is the better price: its fill shrinks b's reduce-only sell before that may trade."""
    sell(ex, "a", 10, 50_000)
    buy(ex, "b", 10, 50_000)
    sell(ex, "b", 8, 50_200, reduce_only=True)
    sell(ex, "b", 6, 50_100)
    assert buy(ex, "c", 14, 50_200, tif="fok").code == Code.FOK_UNFILLED  # the dry run knows
    ack = buy(ex, "c", 14, 50_200)
    assert [lots for _, _, lots in trades(ack)] == [6, 4]
    assert ex.position("b", BTC).size == 0


def test_self_trade_cancels_the_resting_order(ex):
    mine = sell(ex, "a", 5, 50_000)
    theirs = sell(ex, "b", 5, 50_000)
    ack = buy(ex, "a", 5, 50_000)
    assert endings(ack, 16)[0] == Ending.SELF_TRADE
    assert trades(ack) == [(theirs.order_id, 500_000, 5)]
    assert not ex.cancel("a", mine.order_id)
    sell(ex, "a", 5, 50_000)
    assert buy(ex, "a", 5, 50_000, tif="fok").code == Code.FOK_UNFILLED


def test_amend_keeps_or_loses_its_place(ex):
    first, second = sell(ex, "a", 5, 50_000), sell(ex, "b", 5, 50_000)
    assert ex.amend("a", first.order_id, size=3).resting == 3
    assert trades(buy(ex, "c", 1, 50_000))[0][0] == first.order_id
    assert ex.amend("a", first.order_id, size=4).resting == 3  # one is filled; larger than before: to the back
    assert trades(buy(ex, "c", 1, 50_000))[0][0] == second.order_id
    assert ex.amend("a", first.order_id, size=1).code == Code.AMEND_BELOW_FILLED
    assert ex.amend("a", first.order_id, size=4).code == Code.AMEND_NOTHING
    assert ex.amend("a", first.order_id).code == Code.AMEND_NOTHING


def test_amend_across_the_touch_trades_unless_post_only(ex):
    sell(ex, "a", 5, 50_000)
    bid = buy(ex, "b", 5, 49_900)
    ack = ex.amend("b", bid.order_id, price=50_000)
    assert (ack.filled, ack.resting, ack.order_id) == (5, 0, bid.order_id)
    sell(ex, "a", 5, 50_000)
    bid = buy(ex, "b", 5, 49_900, post_only=True)
    assert ex.amend("b", bid.order_id, price=50_000).code == Code.POST_ONLY_WOULD_TAKE
    assert ex.open_orders("b")[0].price == 49_900


def test_client_ids(ex):
    first = sell(ex, "a", 5, 50_000, client_id=7)
    assert sell(ex, "b", 5, 50_000, client_id=7)  # ids are an account's own
    again = sell(ex, "a", 5, 50_000, client_id=7)
    assert (again.code, again.order_id) == (Code.DUPLICATE_CLIENT_ID, first.order_id)
    assert ex.amend("a", client_id=7, size=4).resting == 4
    assert ex.cancel("a", client_id=7).order_id == first.order_id
    assert ex.cancel("a", client_id=7).code == Code.UNKNOWN_ORDER
    assert sell(ex, "a", 5, 50_000, client_id=7).code == Code.DUPLICATE_CLIENT_ID
    assert sell(ex, "a", 5, 60_000, client_id=9, tif="fok").code == Code.FOK_UNFILLED
    assert sell(ex, "a", 5, 60_000, client_id=9)  # a rejected id is not remembered


@pytest.mark.long
def test_duplicate_window_forgets_the_oldest(audited_exchange):
    ex = audited_exchange([Instrument(BTC)], retain=False)
    ex.deposit("a", "USDT", 10**6)
    ex.mark(BTC, 50_000)
    orders = np.zeros(CLIENT_ID_WINDOW, dtype("command"))
    orders["type"], orders["records"], orders["account"], orders["tif"] = CommandType.ORDER, 1, 16, Tif.IOC
    orders["size_lots"], orders["price_ticks"] = 1, 500_000
    orders["client_id"] = np.arange(1, CLIENT_ID_WINDOW + 1)
    assert not ex.run(orders).code.any()
    assert buy(ex, "a", 1, 50_000, client_id=1, tif="ioc").code == Code.DUPLICATE_CLIENT_ID
    assert buy(ex, "a", 1, 50_000, client_id=10**9, tif="ioc")
    assert buy(ex, "a", 1, 50_000, client_id=1, tif="ioc")
    assert buy(ex, "a", 1, 50_000, client_id=3, tif="ioc").code == Code.DUPLICATE_CLIENT_ID
    assert buy(ex, "a", 1, 50_000, client_id=2, tif="ioc")
    ex.check()


def test_order_ids_and_slots(ex):
    """order_no << 24 | slot; slots are taken last in, first out."""
    acks = [buy(ex, "a", 1, 49_000) for _ in range(3)]
    assert [(ack.order_id >> 24, ack.order_id & 0xFFFFFF) for ack in acks] == [(1, 0), (2, 1), (3, 2)]
    ex.cancel("a", acks[0].order_id)
    ex.cancel("a", acks[2].order_id)
    assert [buy(ex, "a", 1, 49_000).order_id & 0xFFFFFF for _ in range(3)] == [2, 0, 3]


def test_cancel_of_finished_or_foreign_orders(ex):
    ack = buy(ex, "a", 1, 49_000)
    assert ex.cancel("b", ack.order_id).code == Code.UNKNOWN_ORDER
    assert ex.cancel("a", ack.order_id)
    assert ex.cancel("a", ack.order_id).code == Code.UNKNOWN_ORDER
    assert ex.amend("a", ack.order_id, size=5).code == Code.UNKNOWN_ORDER
    assert ex.cancel("nobody", ack.order_id).code == Code.UNKNOWN_ACCOUNT


def test_fees_round_up_and_both_sides_carry_one_value(strict_exchange):
    ex = strict_exchange([Instrument(BTC, contract_size="0.0001", maker_fee="0.0002", taker_fee="0.0005")])
    ex.deposit("a", "USDT", 1_000)
    ex.deposit("b", "USDT", 1_000)
    ex.mark(BTC, "50000.1")
    sell(ex, "a", 1, "50000.1")
    buy(ex, "b", 1, "50000.1")  # value 5.00001
    assert ex.account("a").cash_units == 10**9 - 1_001  # 1,000.002 rounded up
    assert ex.account("b").cash_units == 10**9 - 2_501  # 2,500.005 rounded up
    assert (ex.position("a", BTC).cost_units, ex.position("b", BTC).cost_units) == (-5_000_010, 5_000_010)


def test_partial_reduction_realises_the_truncated_share(strict_exchange):
    ex = strict_exchange([Instrument(BTC)])
    ex.deposit("a", "USDT", 10**6)
    ex.deposit("b", "USDT", 10**6)
    ex.mark(BTC, 50_000)
    for size, price in ((1, "50000.1"), (2, 50_000)):
        sell(ex, "a", size, price)
        buy(ex, "b", size, price)
    cost = 3 * 500_000_000 + 1_000
    assert ex.position("b", BTC).cost_units == cost
    buy(ex, "a", 1, 50_000)
    sell(ex, "b", 1, 50_000)
    assert ex.position("b", BTC).cost_units == cost - cost // 3
    assert ex.position("a", BTC).cost_units == -(cost - cost // 3)  # toward zero on both sides


def test_a_stop_at_market_may_have_a_date(ex):
    """It ends with it while it sleeps; once awake it is an immediate order, which no date keeps alive."""
    late = sell(ex, "a", 1, None, trigger=Trigger.stop(49_000), tif="gtd", expiry_ns=5)
    soon = sell(ex, "b", 1, None, trigger=Trigger.stop(49_500), tif="gtd", expiry_ns=5)
    assert late.ok() and soon.ok()
    assert endings(ex.mark(BTC, 49_400), 17) == [Ending.UNFILLED]
    ex.advance(5)
    assert not ex.open_orders("a")
    assert sell(ex, "a", 1, None, tif="gtd", expiry_ns=9).code == Code.BAD_FLAGS


def test_slide_comes_before_the_band(ex):
    sell(ex, "a", 1, 52_000)
    ack = buy(ex, "b", 1, 60_000, post_only="slide")
    assert ack and ex.open_orders("b")[0].price == 52_000 - ex.instruments[0].tick_size
    assert buy(ex, "b", 1, 60_000, post_only=True).code == Code.PRICE_BAND


def test_a_slippage_order_takes_no_price_while_it_sleeps(ex):
    ack = buy(ex, "a", 2, None, slippage="0.01", trigger=Trigger.stop(51_000))
    assert ex.amend("a", ack.order_id, price=51_500).code == Code.BAD_PRICE
    assert ex.amend("a", ack.order_id, size=1)
