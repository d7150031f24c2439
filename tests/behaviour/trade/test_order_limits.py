"""What an instrument asks of orders: least notional, sizes by type, live orders, messages a window (semantics §8).

The numbers of the tables are worked by hand. Lots of 0.001 at 43,210.5 are worth 43.2105 each: two are 86.421, three 129.6315.
"""

from dataclasses import replace

import pytest

from solvent import Code, Exchange, InputError, Instrument, InvariantBroken, OrderLimits, Tier, Trigger, reference
from solvent.auditor import Auditor
from solvent.records import CommandType, EventType, command, extension
from solvent.schema.terms import LimitTerms, values_of
from solvent.terms.spec import from_records, to_records
from solvent.terms.tiers import okex_btc_2019

S = 10**9
TIERS = [Tier(10**6, "0.005", "0.01")]


def named(limits=None, **terms):
    return Instrument("X", contract_size=1, tick="0.5", max_price=100_000, tiers=TIERS, order_limits=limits, **terms)


def opened(make, limits, mark=43_210.5, **terms):
    """a and b with money; the mark, if there is to be one."""
    ex = make([named(limits, **terms)])
    for name in "ab":
        ex.deposit(name, "USDT", 10**6)
    if mark:
        ex.mark("X", str(mark))
    return ex


# --- Least notional ------------------------------------------------------------------------------------

LEAST = OrderLimits(least_notional=100)
STOP_AT_1 = Trigger.stop(1)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"size": "0.002", "price": "43210.5"}, Code.NOTIONAL_TOO_SMALL),  # 86.421
        ({"size": "0.003", "price": "43210.5"}, Code.OK),  # 129.6315
        ({"size": "0.003", "price": "42000"}, Code.OK),  # 126
        ({"size": "0.002", "price": "45000"}, Code.NOTIONAL_TOO_SMALL),  # 90, though 86.421 at mark
        ({"size": "0.002", "price": None}, Code.NOTIONAL_TOO_SMALL),  # at mark
        ({"size": "0.003", "price": None}, Code.OK),
        ({"size": "0.003", "price": 43_300, "market": True}, Code.OK),  # a market order with a price goes by it
        ({"size": "0.002", "price": 43_300, "market": True}, Code.NOTIONAL_TOO_SMALL),  # 86.6
        ({"size": "0.003", "price": None, "trigger": STOP_AT_1}, Code.OK),  # never by the trigger: three lots at 1 are 0.003
        ({"size": "0.002", "price": None, "trigger": Trigger.stop(90_000)}, Code.NOTIONAL_TOO_SMALL),  # 180 at the trigger
        ({"size": "0.002", "price": 60_000, "trigger": Trigger.stop(60_000)}, Code.OK),  # 120 at its limit
    ],
)  # fmt: skip
def test_least_notional(strict_exchange, asked, code):
    ex = opened(strict_exchange, LEAST, lot="0.001")
    assert ex.order("a", "X", "buy", **asked).code == code


def test_without_a_mark_there_is_no_value_to_judge(strict_exchange):
    """A dormant limit order has its limit; a dormant market order has only the mark."""
    ex = opened(strict_exchange, LEAST, mark=None, lot="0.001")
    assert ex.order("a", "X", "buy", "0.003", trigger=STOP_AT_1).code == Code.NO_MARK
    assert ex.order("a", "X", "buy", "0.003", price=43_000, trigger=Trigger.stop(43_000))


def test_closing_orders_are_exempt_and_a_rest_is_not_judged(strict_exchange):
    """a buys three lots of which two fill; what is left of the order and of the position is worth less than the least."""
    ex = opened(strict_exchange, LEAST, lot="0.001")
    ex.order("b", "X", "sell", "0.005", price="43210.5").ok()
    ex.order("b", "X", "buy", "0.003", price=43_000).ok()
    assert ex.order("a", "X", "buy", "0.003", price="43210.5").filled == 3 * ex.instruments[0].lot_size
    assert ex.order("a", "X", "sell", "0.002", price="43210.5").code == Code.NOTIONAL_TOO_SMALL
    assert ex.order("a", "X", "sell", "0.001", price=43_000, reduce_only=True).filled == ex.instruments[0].lot_size
    assert ex.order("a", "X", "sell", close_position=True).filled == 2 * ex.instruments[0].lot_size
    assert ex.position("a", "X").size == 0


def test_an_amendment_is_judged_by_its_total(strict_exchange):
    """Three lots may not become two, nor go where three are worth less than the least; one of five may rest alone."""
    ex = opened(strict_exchange, LEAST, mark=60_000, lot="0.001")
    ack = ex.order("a", "X", "buy", "0.003", price=60_000)
    before = ex.digest()
    assert ex.amend("a", ack.order_id, size="0.001").code == Code.NOTIONAL_TOO_SMALL  # 60
    assert ex.amend("a", ack.order_id, price=33_000).code == Code.NOTIONAL_TOO_SMALL  # 99
    assert ex.digest() == before
    assert ex.amend("a", ack.order_id, size="0.002")  # 120
    assert ex.order("b", "X", "sell", "0.002", price=60_000, tif="ioc").filled == 2 * ex.instruments[0].lot_size


def test_an_amendment_is_judged_where_it_slides_to(strict_exchange):
    """Two lots at 50,500 are worth 101. A post-only order slides to 48,999.5, behind the ask: there they are worth 97.999."""
    ex = opened(strict_exchange, LEAST, mark=50_000, lot="0.001")
    ack = ex.order("a", "X", "buy", "0.003", price=45_000, post_only="slide").ok()
    ex.order("b", "X", "sell", "0.003", price=49_000).ok()
    before = ex.digest()
    assert ex.amend("a", ack.order_id, size="0.002", price=50_500).code == Code.NOTIONAL_TOO_SMALL
    assert ex.digest() == before
    assert ex.amend("a", ack.order_id, price=50_500)
    assert ex.open_orders("a")[0].price * 2 == 97_999


def test_of_an_inverse_contract_it_is_in_coins(strict_exchange):
    """One contract of 100 USD at 50,000 is worth 0.002 XBT, at 60,000 less."""
    ex = strict_exchange([
        Instrument("I", kind="inverse", settle="XBT", contract_size=100, tick=1, settle_decimals=12, max_price=100_000,
                   max_size=100, tiers=[Tier(100, "0.005", "0.01")], order_limits=OrderLimits(least_notional="0.002"))
    ])  # fmt: skip
    ex.deposit("a", "XBT", 5)
    ex.mark("I", 55_000)
    assert ex.order("a", "I", "buy", 1, price=50_000)
    assert ex.order("a", "I", "sell", 1, price=57_000).code == Code.NOTIONAL_TOO_SMALL
    assert ex.order("a", "I", "sell", 2, price=57_000)


# --- A step-down that would leave less than the least --------------------------------------------------


@pytest.mark.parametrize(("least", "sold", "left", "target"), [(0, 3, 3, 1), (1_000, 3, 3, 1), (1_500, 6, 0, 0)])
def test_a_step_down_closes_all_where_little_would_be_left(strict_exchange, least, sold, left, target):
    """Six contracts in tier 3 of tables of 3, 5, 7, .. contracts. The step goes to tier 1, three contracts of about 480."""
    limits = OrderLimits(least_notional=least) if least else None
    ex = strict_exchange([Instrument("X", tiers=okex_btc_2019(first=3, step=2, levels=6), order_limits=limits)])
    for name, amount in (("a", 310), ("b", 10**5)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 50_000)
    ex.set_leverage("a", "X", 10, mode="isolated")
    ex.order("b", "X", "sell", 6, price=50_000).ok()
    assert ex.order("a", "X", "buy", 6, price=50_000).filled == 6
    before = ex.position("a", "X")
    price = before.liquidation_price
    ex.order("b", "X", "buy", 10, price=price - 5).ok()
    ack = ex.mark("X", price)
    steps = [e for e in ack.events if e.type == EventType.STEP_DOWN]
    assert before.tier == 3 and [(e.size_lots, e.target_tier) for e in steps] == [(sold, target)]
    assert ex.position("a", "X").size == left


# --- Sizes by type -------------------------------------------------------------------------------------

SIZES = OrderLimits(limit_size=(2, 100), market_size=(5, 20), trigger_size=(None, 10))


@pytest.mark.parametrize(
    ("asked", "sizes"),
    [
        ({"price": 40_000}, {1: False, 2: True, 100: True, 101: False}),
        ({"price": None}, {4: False, 5: True, 20: True, 21: False}),
        ({"price": 43_211, "market": True}, {4: False, 20: True, 21: False}),
        ({"price": None, "trigger": STOP_AT_1}, {1: True, 10: True, 11: False}),
        ({"price": 1, "trigger": STOP_AT_1}, {1: True, 10: True, 11: False}),
    ],
)  # fmt: skip
def test_sizes_by_type(strict_exchange, asked, sizes):
    for size, allowed in sizes.items():
        ex = opened(strict_exchange, SIZES)
        ex.deposit("a", "USDT", 10**8)
        assert ex.order("a", "X", "buy", size, **asked).code == (Code.OK if allowed else Code.SIZE_OUT_OF_BOUNDS), size


def test_an_amendment_keeps_the_bounds_of_the_type_that_the_order_has(strict_exchange):
    """A stop that has fired and rests is a limit order."""
    ex = opened(strict_exchange, SIZES)
    ex.deposit("a", "USDT", 10**8)
    ack = ex.order("a", "X", "buy", 10, price=40_000, trigger=Trigger.stop(40_000, by="last"))
    assert ex.amend("a", ack.order_id, size=11).code == Code.SIZE_OUT_OF_BOUNDS
    ex.set_last("X", 40_000)
    assert ex.open_orders("a")[0].dormant is False
    assert ex.amend("a", ack.order_id, size=100) and ex.amend("a", ack.order_id, size=101).code == Code.SIZE_OUT_OF_BOUNDS
    assert ex.amend("a", ack.order_id, size=1).code == Code.SIZE_OUT_OF_BOUNDS


def test_a_closing_order_may_be_smaller_but_not_larger(strict_exchange):
    ex = opened(strict_exchange, SIZES)
    ex.deposit("a", "USDT", 10**8)
    ex.deposit("b", "USDT", 10**8)
    ex.order("b", "X", "sell", 50, price=43_000).ok()
    ex.order("a", "X", "buy", 50, price=43_000).ok()
    ex.order("b", "X", "buy", 50, price=43_000).ok()
    assert ex.order("a", "X", "sell", 1, reduce_only=True).filled == 1
    assert ex.order("a", "X", "sell", 21, reduce_only=True).code == Code.SIZE_OUT_OF_BOUNDS
    assert ex.order("a", "X", "sell", close_position=True).filled == 49


# --- Live orders ---------------------------------------------------------------------------------------


def test_live_orders_are_limited_resting_and_dormant_together(strict_exchange):
    """Two may live. Another account, another instrument, and what cannot rest have room; each end makes room again."""
    ex = strict_exchange([named(OrderLimits(open_orders=2)), Instrument("Y")])
    for name in "ab":
        ex.deposit(name, "USDT", 10**6)
    ex.mark("X", 40_000)
    ex.mark("Y", 40_000)
    first = ex.order("a", "X", "buy", 1, price=39_000).ok()
    second = ex.order("a", "X", "buy", 1, trigger=Trigger.stop(50_000)).ok()
    before = ex.digest()
    assert ex.order("a", "X", "buy", 1, price=39_000).code == Code.TOO_MANY_OPEN_ORDERS
    assert ex.order("a", "X", "buy", 1, trigger=Trigger.stop(50_000)).code == Code.TOO_MANY_OPEN_ORDERS
    assert ex.digest() == before
    assert ex.order("b", "X", "sell", 1, price=40_000) and ex.order("a", "Y", "buy", 1, price=39_000)
    assert ex.order("a", "X", "buy", 1, price=40_000, tif="ioc").filled == 1  # cannot rest
    assert ex.amend("a", first.order_id, size=2)
    ex.cancel("a", second.order_id).ok()
    assert ex.order("a", "X", "sell", 1, price=41_000)
    assert ex.order("a", "X", "sell", 1, price=41_000).code == Code.TOO_MANY_OPEN_ORDERS


def test_both_legs_of_a_hedge_count_together(strict_exchange):
    ex = opened(strict_exchange, OrderLimits(open_orders=2), mark=40_000)
    ex.set_position_mode("a", "X", "hedge")
    ex.order("a", "X", "buy", 1, price=39_000, leg="long").ok()
    ex.order("a", "X", "sell", 1, price=41_000, leg="short").ok()
    assert ex.order("a", "X", "buy", 1, price=39_000, leg="long").code == Code.TOO_MANY_OPEN_ORDERS


# --- Messages ------------------------------------------------------------------------------------------

TIMES = (1.2, 1.9, 1.99, 2.0, 2.1, 3.9, 3.99)


@pytest.mark.parametrize(
    ("rolling", "answers"),
    [(False, "yes yes yes yes yes yes no"), (True, "yes yes yes no no yes yes")],
)
def test_messages_in_a_window(strict_exchange, rolling, answers):
    """Three in two seconds. Windows [0, 2), [2, 4), .. begin anew; a rolling one holds the last two seconds."""
    ex = opened(strict_exchange, OrderLimits(messages=3, window_ns=2 * S, rolling=rolling), mark=40_000)
    got = []
    for at in TIMES:
        ex.advance(int(at * 100) * S // 100)
        ack = ex.order("a", "X", "buy", 1, price=39_000)
        assert ack.code in (Code.OK, Code.TOO_MANY_MESSAGES)
        got.append("yes" if ack else "no")
    assert " ".join(got) == answers


@pytest.mark.parametrize("rolling", [False, True])
def test_what_counts_as_a_message(strict_exchange, rolling):
    """New orders and amendments that are accepted. Cancels are free; refused ones and other accounts' do not count."""
    ex = opened(strict_exchange, OrderLimits(messages=3, window_ns=2 * S, rolling=rolling), mark=40_000)
    first = ex.order("a", "X", "buy", 1, price=39_000).ok()  # 1
    assert ex.order("a", "X", "buy", 0, price=39_000).code == Code.BAD_SIZE
    assert ex.order("a", "X", "buy", 1, price=90_000).code == Code.PRICE_BAND
    assert ex.amend("a", first.order_id, size=1).code == Code.AMEND_NOTHING
    assert ex.amend("a", first.order_id, size=2)  # 2
    assert ex.cancel("a", first.order_id)
    assert ex.order("b", "X", "buy", 1, price=39_000)
    last = ex.order("a", "X", "buy", 1, price=39_000).ok()  # 3
    before = ex.digest()
    assert ex.order("a", "X", "buy", 1, price=39_000).code == Code.TOO_MANY_MESSAGES
    assert ex.amend("a", last.order_id, size=2).code == Code.TOO_MANY_MESSAGES
    assert ex.digest() == before
    assert ex.cancel("a", last.order_id)
    ex.advance(2 * S)
    assert ex.order("a", "X", "buy", 1, price=39_000)


@pytest.mark.parametrize("rolling", [False, True])
def test_what_counted_is_part_of_the_state(strict_exchange, rolling):
    """Two exchanges that differ by one message only, cancelled since, do not answer alike; their digests say so."""
    limits = OrderLimits(messages=2, window_ns=2 * S, rolling=rolling)
    a, b = (opened(strict_exchange, limits, mark=40_000) for _ in range(2))
    for ex, amends in ((a, 1), (b, 0)):
        ack = ex.order("a", "X", "buy", 2, price=39_000).ok()
        for _ in range(amends):
            ex.amend("a", ack.order_id, size=1).ok()
        ex.cancel("a", ack.order_id).ok()
    assert a.digest() != b.digest()


# --- The terms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"least_notional": -1}, "least notional"), ({"least_notional": "0.0000001"}, "least notional"),
        ({"limit_size": (2, 1)}, "least size"), ({"market_size": (-1, None)}, "least size"),
        ({"trigger_size": ("0.5", None)}, "least size"), ({"limit_size": (None, 10**6 + 1)}, "max_size"),
        ({"open_orders": -1}, "live orders"), ({"open_orders": 2**24 + 1}, "live orders"),
        ({"messages": 3}, "messages"), ({"window_ns": 1}, "messages"), ({"messages": 1_001, "window_ns": 1}, "messages"),
        ({"messages": 3, "window_ns": 86_400 * S + 1}, "messages"), ({"rolling": True}, "messages"),
    ],
)  # fmt: skip
def test_bad_limits_are_refused_by_name(terms, said):
    with pytest.raises(InputError, match=said):
        named(OrderLimits(**terms))


@pytest.mark.parametrize(
    "terms",
    [
        {"open_orders": "3"}, {"open_orders": True}, {"rolling": 1}, {"limit_size": 3}, {"limit_size": (1, 2, 3)},
        {"least_notional": 0.5}, {"market_size": (1.0, None)},
    ],
)  # fmt: skip
def test_odd_types_are_refused(terms):
    with pytest.raises(InputError):
        named(OrderLimits(**terms))
    with pytest.raises(InputError, match="an OrderLimits or None"):
        named(terms)


def test_limits_of_nothing_are_none():
    assert named(OrderLimits()).spec == named().spec
    assert len(values_of(named().spec)) + 1 == len(values_of(named(LEAST).spec))


def test_an_instrument_with_limits_is_added_by_records():
    """Records of an instrument without limits are as they were; words that no face would write are refused."""
    limited = Instrument("N", order_limits=OrderLimits(least_notional=5, open_orders=3, messages=2, window_ns=S, rolling=True))
    assert from_records(to_records("N", limited.spec, 0)) == (b"N", 0, limited.spec)
    plain = to_records("N", Instrument("N").spec, 0)
    assert from_records(plain) == (b"N", 0, Instrument("N").spec)
    for class_ in (Exchange, reference.Exchange):
        ex = class_([Instrument("I")])
        ex.add_instrument(limited)
        ex.deposit("a", "USDT", 10**4)
        ex.mark("N", 50_000)
        assert ex.order("a", "N", "buy", 1, price=1).code == Code.NOTIONAL_TOO_SMALL
        words = Instrument("M").spec.words(0)
        data = b"M".ljust(64, b"\0") + b"".join(word.to_bytes(8, "little", signed=True) for word in [*words, 1, *[0] * 11])
        data += bytes(-len(data) % 64)
        record = command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64) + data
        assert ex._kernel.apply(record) == Code.BAD_INSTRUMENT
    assert len(values_of(LimitTerms())) == 11


def test_a_dormant_order_is_not_judged_again_when_it_fires(strict_exchange):
    """It was worth enough at its limit, 60,000; at the mark where it fires it would not be."""
    ex = opened(strict_exchange, LEAST, mark=60_000, lot="0.001")
    ex.order("b", "X", "sell", "0.003", price=50_000, trigger=Trigger.stop(50_000)).ok()
    stop = ex.order("a", "X", "buy", "0.002", trigger=Trigger.stop(61_000, by="last")).ok()
    ex.mark("X", 49_000)
    ack = ex.set_last("X", 61_000)
    assert [e.order_id for e in ack.events if e.type == EventType.TRIGGERED] == [stop.order_id]
    assert ex.position("a", "X").size == ex.instruments[0].lot_size * 2


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"least_notional": 40_001}, "least notional"), ({"limit_size": (2, None)}, "at least 2 lots"),
        ({"limit_size": (None, 1)}, "at most 1 lots"), ({"open_orders": 1}, "1 live orders before it"),
        ({"messages": 2, "window_ns": S}, "3 messages"), ({"messages": 2, "window_ns": S, "rolling": True}, "3 messages"),
    ],
)  # fmt: skip
def test_the_auditor_finds_an_order_beyond_a_limit(limits, said):
    """Two orders and an amendment at an exchange without limits, which the auditor reads as one with them."""
    ex = opened(Exchange, None, mark=40_000)
    auditor = Auditor(ex)
    auditor.specs[0] = replace(auditor.specs[0], limits=named(OrderLimits(**limits)).spec.limits)
    ack = ex.order("a", "X", "buy", 1, price=40_000)
    ex.amend("a", ack.order_id, size=2)
    ex.order("a", "X", "buy", 2, price=39_000)
    with pytest.raises(InvariantBroken, match=f"ORD-6: .*{said}"):
        auditor.follow(ex.drain())


def test_the_last_check_counts_nothing_of_what_is_refused_before(strict_exchange):
    """An order without margin does not use up a message, nor does a fill-or-kill order that finds nobody."""
    ex = opened(strict_exchange, OrderLimits(messages=1, window_ns=S), mark=40_000)
    assert ex.order("a", "X", "buy", 10**5, price=40_000).code == Code.INSUFFICIENT_MARGIN
    assert ex.order("a", "X", "buy", 1, price=40_000, tif="fok").code == Code.FOK_UNFILLED
    record = command(CommandType.ORDER, account=16, size_lots=1, price_ticks=80_000, records=2) + extension(unused_lots=1)
    assert ex._kernel.apply(record) == Code.NOT_SUPPORTED
    assert ex.order("a", "X", "buy", 1, price=40_000)
    assert ex.order("a", "X", "buy", 1, price=40_000).code == Code.TOO_MANY_MESSAGES
