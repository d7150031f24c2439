"""docs/reference/orders.md, line by line: kinds and terms, amend and cancel, self-trade prevention, status.

Written from the document. Prices stand around a mark of 100, one tick apart, sizes are lots; a, b, c, d are accounts.
"""

import pytest

from solvent import Code, EventType, InputError, Instrument, Tier, Trigger
from solvent.records import CommandType, Ending, Flag, Tif, command, terms_of
from solvent.terms.order_words import TRANSITIONS
from support.order_desk import X, codes, ends, fired, hold, lots_cut, trades
from support.places import ROOT

STOP, PROFIT = Trigger.stop, Trigger.take_profit


# --- Kinds and terms -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "tif", "filled", "rests"),
    [
        (101, "gtc", 5, 5), (102, "gtc", 8, 2), (102, "ioc", 8, 0), (None, "ioc", 8, 0), (102, "gtd", 8, 2),
        (103, "fok", 10, 0),
    ],
)  # fmt: skip
def test_limit_and_market(order_desk, price, tif, filled, rests):
    """A limit order trades down to its price, then rests or ends; a market order never rests."""
    for ask, lots in ((101, 5), (102, 3)):
        order_desk.order("a", "sell", lots, ask)
    if price == 103:
        order_desk.order("a", "sell", 9, 103)
    ack = order_desk.order("b", "buy", 10, price, tif=tif, **({"expiry_ns": 9} if tif == "gtd" else {}))
    assert (ack.filled, ack.resting, order_desk.resting(ack)) == (filled, rests, rests)
    if filled + rests < 10:
        assert ends(ack)[ack.order_id] == Ending.UNFILLED


def test_a_market_order_with_a_price_goes_not_beyond_it(order_desk):
    kernel = order_desk.face._kernel
    for price in (101, 102, 103):
        order_desk.order("a", "sell", 1, price)
    terms = {"account": order_desk.ids["b"], "size_lots": 3, "tif": Tif.IOC, "flags": Flag.MARKET}
    assert kernel.apply(command(CommandType.ORDER, price_ticks=102, **terms)) == Code.OK
    assert kernel.last[1:] == (2, 0)
    beyond = Code.PRICE_BAND if order_desk.money else Code.OK
    assert kernel.apply(command(CommandType.ORDER, price_ticks=106, **terms)) == beyond


@pytest.mark.parametrize(
    ("side", "best", "rate", "furthest"),
    [
        ("buy", 101, "0.02", 103), ("buy", 101, "0.01", 102), ("buy", 101, "0.009", 101), ("sell", 99, "0.02", 98),
        ("sell", 99, "0.01", 99), ("sell", 99, "0.0101", 99), ("sell", 99, "0.011", 98), ("buy", 101, "0.000000001", 101),
    ],
)  # fmt: skip
def test_slippage_is_rounded_inwards(order_desk, side, best, rate, furthest):
    """101 * 1.02 = 103.02 -> 103; 99 * 0.98 = 97.02 -> 98; 99 * 0.99 = 98.01 -> 99."""
    step = 1 if side == "buy" else -1
    for i in range(4):
        order_desk.order("a", "sell" if side == "buy" else "buy", 1, best + i * step)
    ack = order_desk.order("b", side, 9, slippage=rate)
    assert [price for _, price, _ in trades(ack)] == list(range(best, furthest + step, step))


def test_slippage_goes_not_beyond_the_band(exchange_desk):
    for price in (104, 105, 106):
        exchange_desk.order("a", "sell", 1, price)
    assert [price for _, price, _ in trades(exchange_desk.order("b", "buy", 9, slippage="0.5"))] == [104, 105]


def test_slippage_is_for_market_orders_without_a_price(order_desk):
    assert order_desk.order("b", "buy", 1, 100, slippage="0.1").code == Code.BAD_SLIPPAGE
    assert order_desk.order("b", "buy", 1, slippage="1").code == Code.BAD_SLIPPAGE
    assert order_desk.order("b", "buy", 1, slippage="0.1").filled == 0  # an empty book


def test_fok_all_or_nothing(order_desk):
    order_desk.order("a", "sell", 5, 101)
    before = order_desk.face.digest()
    ack = order_desk.order("b", "buy", 6, 101, tif="fok")
    assert ack.code == Code.FOK_UNFILLED and order_desk.face.digest() == before
    assert order_desk.order("b", "buy", 5, 101, tif="fok").filled == 5


def test_gtd_first_expiry_first_then_by_id(order_desk):
    late, early, same = (order_desk.order("a", "buy", 1, 90, tif="gtd", expiry_ns=ns) for ns in (30, 20, 20))
    asleep = order_desk.order("a", "buy", 1, 90, tif="gtd", expiry_ns=20, trigger=Trigger.stop(200))
    order_desk.face.advance(19)
    assert order_desk.resting(early) == 1
    seq = order_desk.face._kernel.next_seq
    order_desk.face.advance(31)
    done = [e for e in order_desk.face._iterate(seq, order_desk.face._kernel.next_seq) if e.type == EventType.DONE]
    assert [e.order_id for e in done] == [early.order_id, same.order_id, asleep.order_id, late.order_id]
    assert {e.ending for e in done} == {Ending.EXPIRED}


def test_gtd_ends_with_a_refused_command_whose_time_reaches_it(order_desk):
    ack = order_desk.order("a", "buy", 1, 90, tif="gtd", expiry_ns=20)
    kernel = order_desk.face._kernel
    assert (
        kernel.apply(command(CommandType.CANCEL, account=order_desk.ids["a"], order_id=77, time_ns=20)) == Code.UNKNOWN_ORDER
    )
    assert order_desk.resting(ack) == 0 and kernel.clock_ns == 20
    ack = order_desk.order("a", "buy", 1, 90, tif="gtd", expiry_ns=40)
    assert kernel.apply(command(CommandType.ADVANCE, time_ns=19)) == Code.TIME_BACKWARDS
    assert order_desk.resting(ack) == 1


def test_gtd_goes_with_a_later_expiry_and_only_with_one(order_desk):
    order_desk.face.advance(10)
    for terms in (
        {"tif": "gtd"},
        {"tif": "gtd", "expiry_ns": 10},
        {"tif": "gtc", "expiry_ns": 11},
        {"tif": "gtd", "expiry_ns": -1},
    ):
        assert order_desk.order("a", "buy", 1, 90, **terms).code == Code.BAD_EXPIRY
    assert order_desk.order("a", "buy", 1, 90, tif="gtd", expiry_ns=11)


def test_an_expired_order_is_not_met_by_the_command_that_expires_it(order_desk):
    order_desk.order("a", "sell", 1, 100, tif="gtd", expiry_ns=20)
    order = {"account": order_desk.ids["b"], "price_ticks": 100, "size_lots": 1, "time_ns": 20, "tif": Tif.IOC}
    assert order_desk.face._kernel.apply(command(CommandType.ORDER, **order)) == Code.OK
    assert order_desk.face._kernel.last[1] == 0


@pytest.mark.parametrize(("side", "touch", "slid"), [("buy", 101, 100), ("sell", 99, 100)])
def test_post_only_and_slide(order_desk, side, touch, slid):
    order_desk.order("a", "sell" if side == "buy" else "buy", 1, touch)
    assert order_desk.order("b", side, 2, touch, post_only=True).code == Code.POST_ONLY_WOULD_TAKE
    ack = order_desk.order("b", side, 2, touch, post_only="slide")
    assert (ack.filled, ack.resting) == (0, 2)
    assert order_desk.depth()[0 if side == "buy" else 1] == [(slid, 2)]


@pytest.mark.parametrize(("side", "touch"), [("buy", 1), ("sell", 1_000)])
def test_slide_is_refused_where_no_legal_price_is_left(order_desk, side, touch):
    order_desk.mark(touch)
    order_desk.order("a", "sell" if side == "buy" else "buy", 1, touch)
    assert order_desk.order("b", side, 1, touch, post_only="slide").code == Code.POST_ONLY_WOULD_TAKE


def test_an_amendment_slides_if_it_may(order_desk):
    order_desk.order("a", "sell", 1, 101)
    ack = order_desk.order("b", "buy", 1, 95, post_only="slide")
    assert order_desk.amend("b", ack, price=101).resting == 1
    assert order_desk.depth()[0] == [(100, 1)]


def test_post_only_does_not_look_at_owners(order_desk):
    order_desk.order("a", "sell", 1, 101)
    assert order_desk.order("a", "buy", 1, 101, post_only=True).code == Code.POST_ONLY_WOULD_TAKE


def test_reduce_only_is_cut_to_what_is_left_and_again_as_it_shrinks(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    ack = exchange_desk.order("a", "sell", 9, 105, reduce_only=True)
    assert ack.resting == 5
    exchange_desk.order("b", "buy", 2, 100)
    cut = exchange_desk.order("a", "sell", 2, 100)
    assert lots_cut(cut, ack) == [2] and exchange_desk.resting(ack) == 3
    exchange_desk.order("b", "buy", 3, 100)
    assert ends(exchange_desk.order("a", "sell", 3, 100))[ack.order_id] == Ending.REDUCE_ONLY_CUT


@pytest.mark.parametrize(("held", "side"), [("buy", "sell"), ("sell", "buy")])
def test_close_position_live(exchange_desk, held, side):
    hold(exchange_desk, "a", held, 5)
    exchange_desk.order("b", held, 9, 100)
    assert exchange_desk.order("a", held, None, close_position=True).code == Code.REDUCE_ONLY_WOULD_OPEN
    assert exchange_desk.order("a", side, 1, close_position=True).code == Code.BAD_SIZE
    assert exchange_desk.order("a", side, None, 100, close_position=True).filled == 5
    assert exchange_desk.face.position("a", "X").size == 0
    assert exchange_desk.order("a", side, None, 100, close_position=True).code == Code.REDUCE_ONLY_WOULD_OPEN


def test_close_position_rests_for_what_other_reduce_only_orders_leave(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    exchange_desk.order("a", "sell", 2, 103, reduce_only=True)
    assert exchange_desk.order("a", "sell", None, 104, close_position=True).resting == 3


def test_close_position_dormant_is_measured_when_it_fires(exchange_desk):
    hold(exchange_desk, "a", "buy", 5)
    ack = exchange_desk.order("a", "sell", None, close_position=True, trigger=Trigger.stop(98))
    hold(exchange_desk, "a", "buy", 4)
    exchange_desk.order("b", "buy", 20, 98)
    seen = exchange_desk.mark(98)
    assert fired(seen) == [ack.order_id] and sum(lots for *_, lots in trades(seen)) == 9
    assert exchange_desk.face.position("a", "X").size == 0


def test_close_position_dormant_of_a_flat_account_is_refused_when_it_fires(exchange_desk):
    ack = exchange_desk.order("a", "sell", None, close_position=True, trigger=Trigger.stop(98)).ok()
    assert codes(exchange_desk.mark(98)) == {ack.order_id: Code.REDUCE_ONLY_WOULD_OPEN}


def test_client_ids_are_never_executed_twice(order_desk):
    order_desk.order("a", "sell", 5, 101)
    first = order_desk.order("b", "buy", 1, 101, client_id=7)
    again = order_desk.order("b", "buy", 1, 101, client_id=7)
    assert (again.code, again.order_id, again.filled) == (Code.DUPLICATE_CLIENT_ID, first.order_id, 0)
    assert order_desk.resting(order_desk.order("c", "buy", 1, 90, client_id=7)) == 1  # ids are the sender's own


def test_client_ids_of_dormant_orders(order_desk):
    ack = order_desk.order("a", "buy", 2, 90, client_id=7, trigger=Trigger.stop(200))
    again = order_desk.order("a", "buy", 1, 90, client_id=7)
    assert (again.code, again.order_id) == (Code.DUPLICATE_CLIENT_ID, ack.order_id)
    assert order_desk._on("amend", "a", client_id=7, size=3)
    assert order_desk._on("cancel", "a", client_id=7).order_id == ack.order_id
    assert order_desk.order("a", "buy", 1, 90, client_id=7).order_id == ack.order_id


# --- Amend and cancel ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "stays"), [({"size": 2}, True), ({"size": 4}, False), ({"price": 99}, False)])
def test_amend_keeps_its_place_only_when_smaller(order_desk, change, stays):
    first, second = order_desk.order("a", "buy", 3, 98), order_desk.order("b", "buy", 3, 99 if "price" in change else 98)
    ack = order_desk.amend("a", first, **change)
    assert ack.order_id == first.order_id
    met = trades(order_desk.order("c", "sell", 1, 95, tif="ioc"))[0][0]
    assert met == (first if stays else second).order_id


def test_amend_across_the_touch_trades_or_is_refused_and_then_stays_as_it_was(order_desk):
    order_desk.order("a", "sell", 2, 101)
    maker = order_desk.order("b", "buy", 3, 99, post_only=True)
    before = order_desk.face.digest()
    assert order_desk.amend("b", maker, price=101).code == Code.POST_ONLY_WOULD_TAKE
    assert order_desk.face.digest() == before
    plain = order_desk.order("c", "buy", 3, 99)
    ack = order_desk.amend("c", plain, price=101)
    assert (ack.filled, ack.resting, ack.order_id) == (2, 1, plain.order_id)


def test_amend_of_a_dormant_order_changes_size_and_limit(order_desk):
    ack = order_desk.order("a", "buy", 2, 101, trigger=Trigger.stop(103))
    answer = order_desk.amend("a", ack, size=5, price=104)
    assert (answer.code, answer.filled, answer.resting) == (Code.OK, 0, 0)
    replaced = [e for e in answer.events if e.type == EventType.REPLACED]
    assert [(e.price_ticks, e.remaining_lots, e.size_lots) for e in replaced] == [(104, 5, 5)]
    assert order_desk.amend("a", ack, size=5).code == Code.AMEND_NOTHING
    assert order_desk.trigger_of(ack) == 103
    order_desk.mark(103)
    assert order_desk.depth()[0] == [(104, 5)]


def test_a_dormant_close_position_order_has_no_size_to_amend(exchange_desk):
    ack = exchange_desk.order("a", "sell", None, 97, close_position=True, trigger=Trigger.stop(98))
    assert exchange_desk.amend("a", ack, size=3).code == Code.BAD_SIZE
    assert exchange_desk.amend("a", ack, price=96)


def test_cancel_of_a_dormant_order(order_desk):
    ack = order_desk.order("a", "buy", 2, 101, trigger=Trigger.stop(103))
    assert order_desk.cancel("b", ack).code == Code.UNKNOWN_ORDER
    assert ends(order_desk.cancel("a", ack)) == {ack.order_id: Ending.CANCELLED}
    assert fired(order_desk.mark(103)) == []


@pytest.mark.parametrize(
    ("who", "side", "gone"),
    [
        (None, None, [0, 1, 2, 3, 4]), ("a", None, [0, 1, 4]), ("a", "sell", [1, 4]), (None, "buy", [0, 2]), ("c", None, []),
    ],
)  # fmt: skip
def test_mass_cancel_filters_oldest_first(order_desk, who, side, gone):
    asleep = {"trigger": Trigger.stop(50)}
    placed = [("a", "buy", {}), ("a", "sell", {}), ("b", "buy", {}), ("b", "sell", asleep), ("a", "sell", asleep)]
    acks = [order_desk.order(name, way, 1, 95 if way == "buy" else 105, **terms) for name, way, terms in placed]
    account = who if order_desk.money or who is None else order_desk.ids[who]
    ack = order_desk.face.cancel_all(account, side=side)
    done = [(e.order_id, e.ending) for e in ack.events if e.type == EventType.DONE]
    assert done == [(acks[i].order_id, Ending.MASS_CANCELLED) for i in gone]
    assert ack.filled == len(gone)


def test_mass_cancel_by_instrument(strict_exchange):
    ex = strict_exchange([X, Instrument("Y", contract_size=1, tick=1, max_price=1_000, tiers=[Tier(10**6, "0.005", "0.01")])])
    ex.deposit("a", "USDT", 10**6)
    acks = []
    for name in ("X", "Y", "X"):
        ex.mark(name, 100)
        acks.append(ex.order("a", name, "buy", 1, price=90))
    assert list(ends(ex.cancel_all("a", "X"))) == [acks[0].order_id, acks[2].order_id]
    assert list(ends(ex.cancel_all(instrument="Y"))) == [acks[1].order_id]
    assert ex.cancel_all("nobody").code == Code.UNKNOWN_ACCOUNT and ex.cancel_all("a", "Z").code == Code.UNKNOWN_INSTRUMENT


def test_batch_answers_with_an_ack_each(order_desk):
    who = {"account": "a", "instrument": "X"} if order_desk.money else {"account": 16}
    size, price = ("size", "price") if order_desk.money else ("size_lots", "price_ticks")
    own = {"account": who["account"]}
    order = {**who, "side": "buy", size: 2, price: 95, "client_id": 5}
    acks = order_desk.face.batch([
        ("order", order), ("order", order), ("amend", {**own, "client_id": 5, size: 1}), ("cancel", {**own, "client_id": 5}),
        ("cancel_all", own),
    ])  # fmt: skip
    assert [ack.code for ack in acks] == [Code.OK, Code.DUPLICATE_CLIENT_ID, Code.OK, Code.OK, Code.OK]
    assert [ack.resting for ack in acks] == [2, 0, 1, 0, 0]
    with pytest.raises(InputError):
        order_desk.face.batch([("mark", {})])


# --- Self-trade prevention -----------------------------------------------------------------------------

MODES = ["cancel_maker", "cancel_taker", "cancel_both", "decrement", "allow"]
SIZES = {"taker bigger": (3, 5), "taker smaller": (5, 3), "equal": (4, 4)}


@pytest.mark.parametrize("owner", ["account", "group"])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_self_trade(order_desk, mode, sizes, owner):
    """The taker's mode decides; behind the own order waits a stranger's."""
    resting, taking = SIZES[sizes]
    group = {"self_trade_group": 7} if owner == "group" else {}
    maker = order_desk.order("a", "sell", resting, 101, **group)
    stranger = order_desk.order("c", "sell", 1, 102)
    ack = order_desk.order("a" if owner == "account" else "b", "buy", taking, 102, self_trade=mode, **group)
    rest = {"cancel_maker": 0, "cancel_taker": resting, "cancel_both": 0}.get(mode, max(0, resting - taking))
    goes_on = {"cancel_maker": taking, "cancel_taker": 0, "cancel_both": 0}.get(mode, max(0, taking - resting))
    met = [(maker.order_id, 101, min(resting, taking))] if mode == "allow" else []
    assert trades(ack) == met + ([(stranger.order_id, 102, 1)] if goes_on else [])
    assert order_desk.resting(maker) == rest
    assert order_desk.resting(ack) == max(0, goes_on - 1)
    if mode == "allow":
        return
    assert (ends(ack).get(maker.order_id) == Ending.SELF_TRADE) == (rest == 0)
    ended = mode in ("cancel_taker", "cancel_both") or (mode == "decrement" and not goes_on)
    assert (ends(ack).get(ack.order_id) == Ending.SELF_TRADE) == ended
    if mode == "decrement":
        assert lots_cut(ack, maker) == ([taking] if rest else []) and lots_cut(ack, ack) == ([resting] if goes_on else [])


def test_groups_are_of_any_number_but_zero_and_of_both_orders(order_desk):
    for group, mine in ((0, 0), (7, 8), (0, 7), (7, 0)):
        maker = order_desk.order("a", "sell", 1, 101, self_trade_group=group)
        assert trades(order_desk.order("b", "buy", 1, 101, self_trade_group=mine)) == [(maker.order_id, 101, 1)]


def test_the_makers_mode_does_not_matter(order_desk):
    maker = order_desk.order("a", "sell", 1, 101, self_trade="cancel_taker")
    assert ends(order_desk.order("a", "buy", 1, 101))[maker.order_id] == Ending.SELF_TRADE


@pytest.mark.parametrize(
    ("mode", "behind", "code"),
    [
        ("cancel_maker", 5, Code.OK), ("cancel_maker", 4, Code.FOK_UNFILLED), ("cancel_taker", 9, Code.FOK_UNFILLED),
        ("cancel_both", 9, Code.FOK_UNFILLED), ("decrement", 9, Code.FOK_UNFILLED), ("allow", 2, Code.OK),
        ("allow", 1, Code.FOK_UNFILLED),
    ],
)  # fmt: skip
def test_fill_or_kill_counts_own_orders_as_the_mode_treats_them(order_desk, mode, behind, code):
    order_desk.order("a", "sell", 3, 101)
    order_desk.order("b", "sell", behind, 102)
    ack = order_desk.order("a", "buy", 5, 102, tif="fok", self_trade=mode)
    assert ack.code == code and ack.filled == (0 if code else 5)


def test_an_own_order_behind_the_fill_does_not_matter_to_fill_or_kill(order_desk):
    order_desk.order("b", "sell", 5, 101)
    order_desk.order("a", "sell", 5, 101)
    assert order_desk.order("a", "buy", 5, 101, tif="fok", self_trade="cancel_taker").filled == 5


@pytest.mark.parametrize("mode", MODES)
def test_an_amendment_that_meets_an_own_order(order_desk, mode):
    maker = order_desk.order("a", "sell", 3, 101)
    mine = order_desk.order("a", "buy", 5, 99, self_trade=mode)
    ack = order_desk.amend("a", mine, price=101)
    left = {"cancel_maker": (0, 5), "cancel_taker": (3, 0), "cancel_both": (0, 0), "decrement": (0, 2), "allow": (0, 2)}[mode]
    assert ack and (order_desk.resting(maker), order_desk.resting(mine)) == left


def test_a_fired_order_keeps_its_self_trade_terms(order_desk):
    maker = order_desk.order("a", "sell", 3, 101, self_trade_group=7)
    ack = order_desk.order("b", "buy", 3, 101, trigger=STOP(103), self_trade="cancel_taker", self_trade_group=7)
    assert ends(order_desk.mark(103)) == {ack.order_id: Ending.SELF_TRADE} and order_desk.resting(maker) == 3


# --- Status and where venues differ --------------------------------------------------------------------


def test_the_table_of_status_is_the_documents():
    text = (ROOT / "docs/reference/orders.md").read_text().split("## Status")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    listed = {(a.replace("(none)", ""), EventType[b]): c for a, b, c in rows[2:]}
    assert listed == TRANSITIONS


def test_accepted_says_all_terms(order_desk):
    order_desk.index(50)
    trigger = Trigger.trailing(rate="0.25", by="index")
    ack = order_desk.order(
        "a", "buy", 2, 60, trigger=trigger, tif="gtd", expiry_ns=9, self_trade="decrement", self_trade_group=3
    )
    accepted = next(e for e in ack.events if e.type == EventType.ACCEPTED)
    said = {name: value for name, value in terms_of(accepted).items() if value}
    assert said == {
        "trail": 250_000_000, "expiry_ns": 9, "stp_group": 3, "reference_ticks": 50, "trigger_source": 2, "trigger_kind": 4,
        "stp_mode": 3,
    }  # fmt: skip
    assert (accepted.flags, accepted.tif, accepted.size_lots, accepted.price_ticks) == (3 << 8, Tif.GTD, 2, 60)


def test_words_that_are_none(order_desk):
    for terms in ({"self_trade": "no"}, {"tif": "day"}, {"post_only": "glide"}, {"trigger": 5}):
        with pytest.raises((InputError, TypeError)):
            order_desk.order("a", "buy", 1, 90, **terms)
    with pytest.raises(InputError):
        Trigger.stop(5, by="middle")
    with pytest.raises(InputError):
        Trigger.trailing(distance=1, rate="0.1")
