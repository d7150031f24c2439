"""A timer that cancels an account's orders, tags of connections, and their disconnect: Book and Exchange, both kernels.

The worked numbers are those of order-vocabulary.md, section 5: armed at 12 with 60 it is due at 72, renewed at 71.999 it is
due at 131.999.
"""

import pytest

from solvent import Code, EventType, InputError, InvariantBroken, Trigger, WrongType
from solvent.auditor import Auditor
from solvent.records import NO_INSTRUMENT, CommandType, Ending, Flag, command
from solvent.schema.events import PAYLOAD, Event
from solvent.schema.layouts import EVENT_FIELDS
from solvent.schema.limits import TIMERS_MAX
from support.order_desk import ends

S = 10**9


def ended(desk, begin):
    """{order id: why it ended} since an event number."""
    found = desk.face._slice(begin, desk.face._kernel.next_seq)
    return {e.order_id: Ending(e.ending) for e in found if e.type == EventType.DONE}


def pass_to(desk, time_ns):
    """The clock moves; {order id: why it ended}, in the order of the events."""
    begin = desk.face._kernel.next_seq
    desk.face.advance(time_ns)
    return ended(desk, begin)


def arm(desk, who, timeout_ns, **terms):
    return desk._on("cancel_after", who, timeout_ns, **terms)


# --- The timer -------------------------------------------------------------------------------------------


def test_the_worked_example(order_desk):
    """At 72 nothing happens, because it was renewed at 71.999; a new order at 131.999 is judged after the cancellation."""
    order_desk.face.advance(12 * S)
    first = order_desk.order("a", "buy", 1, 90).ok()
    assert arm(order_desk, "a", 60 * S).code == Code.OK
    assert pass_to(order_desk, 71_999_000_000) == {}
    arm(order_desk, "a", 60 * S)
    assert pass_to(order_desk, 72 * S) == {}
    assert pass_to(order_desk, 131_998_999_999) == {}
    later = {"account": order_desk.ids["a"], "side": 0, "price_ticks": 91, "size_lots": 1, "time_ns": 131_999_000_000}
    begin = order_desk.face._kernel.next_seq
    assert order_desk.face._kernel.apply(command(CommandType.ORDER, **later)) == Code.OK
    assert ended(order_desk, begin) == {first.order_id: Ending.TIMEOUT}
    assert [price for price, _ in order_desk.depth()[0]] == [91]
    assert pass_to(order_desk, 10**15) == {}, "it fires once"


def test_a_renewal_at_the_deadline_is_too_late(order_desk):
    order = order_desk.order("a", "buy", 1, 90)
    arm(order_desk, "a", 10)
    begin = order_desk.face._kernel.next_seq
    renewal = {"account": order_desk.ids["a"], "instrument": NO_INSTRUMENT, "timeout_ns": 10, "time_ns": 10}
    assert order_desk.face._kernel.apply(command(CommandType.TIMER, **renewal)) == Code.OK
    assert ended(order_desk, begin) == {order.order_id: Ending.TIMEOUT}


def test_zero_switches_it_off(order_desk):
    order_desk.order("a", "buy", 1, 90)
    arm(order_desk, "a", 10)
    told = [e for e in arm(order_desk, "a", 0).events if e.type == EventType.TIMER_SET]
    assert [e.deadline_ns for e in told] == [0]
    assert pass_to(order_desk, 100) == {}
    assert arm(order_desk, "a", 0), "one that is not set may be switched off, too"


def test_oldest_first_resting_and_dormant_and_nobody_elses(order_desk):
    mine = [
        order_desk.order("a", "buy", 1, 90),
        order_desk.order("a", "sell", 1, trigger=Trigger.stop(50)),
        order_desk.order("a", "buy", 1, 95),
    ]
    order_desk.order("b", "buy", 1, 95)
    arm(order_desk, "a", 5)
    gone = pass_to(order_desk, 5)
    assert list(gone.items()) == [(each.order_id, Ending.TIMEOUT) for each in mine]
    assert order_desk.depth()[0] == [(95, 1)]


def test_a_tag_has_a_timer_of_its_own(order_desk):
    plain, seven = order_desk.order("a", "buy", 1, 90), order_desk.order("a", "buy", 1, 91, tag=7)
    order_desk.order("a", "buy", 1, 92, tag=8)
    arm(order_desk, "a", 5, tag=7)
    arm(order_desk, "a", 9)
    assert pass_to(order_desk, 5) == {seven.order_id: Ending.TIMEOUT}
    assert list(pass_to(order_desk, 9))[0] == plain.order_id


def test_dates_of_an_instant_come_before_its_timers_and_timers_by_deadline(order_desk):
    """At 4 b's timer, at 5 the date of an order, then a's timer."""
    dated = order_desk.order("a", "buy", 1, 90, tif="gtd", expiry_ns=5)
    late = order_desk.order("a", "buy", 1, 91, tif="gtd", expiry_ns=6)
    other = order_desk.order("b", "buy", 1, 92)
    arm(order_desk, "a", 5)
    arm(order_desk, "b", 4)
    assert list(pass_to(order_desk, 6).items()) == [
        (other.order_id, Ending.TIMEOUT), (dated.order_id, Ending.EXPIRED), (late.order_id, Ending.TIMEOUT),
    ]  # fmt: skip


def test_reduce_only_orders_are_spared(exchange_desk):
    ex = exchange_desk.face
    exchange_desk.order("d", "sell", 3, 100)
    exchange_desk.order("a", "buy", 3, 100)
    stop = ex.order("a", "X", "sell", trigger=Trigger.stop(50), close_position=True)
    kept = [stop, exchange_desk.order("a", "sell", 1, 110, reduce_only=True)]
    gone = exchange_desk.order("a", "sell", 1, 111)
    ex.cancel_after("a", 5, spare_reduce_only=True)
    assert pass_to(exchange_desk, 5) == {gone.order_id: Ending.TIMEOUT}
    assert [each.order_id for each in ex.open_orders("a")] == [each.order_id for each in kept]
    ex.cancel_after("a", 5)
    assert list(pass_to(exchange_desk, 10)) == [each.order_id for each in kept]


def test_an_account_has_so_many_timers(order_desk):
    assert all(arm(order_desk, "a", 5, tag=tag) for tag in range(TIMERS_MAX))
    assert arm(order_desk, "a", 5, tag=TIMERS_MAX).code == Code.TOO_MANY_TIMERS
    assert arm(order_desk, "a", 6, tag=3) and arm(order_desk, "b", 5, tag=TIMERS_MAX), (
        "one that is set may be set anew, another's too"
    )
    assert arm(order_desk, "a", 0, tag=3) and arm(order_desk, "a", 5, tag=TIMERS_MAX)
    pass_to(order_desk, 5)
    assert not order_desk.face._kernel.timers()


def test_what_is_refused(order_desk):
    assert arm(order_desk, "a", -1).code == Code.BAD_TIMEOUT
    assert arm(order_desk, "a", 2**63 - 1)
    order_desk.face.advance(1)
    assert arm(order_desk, "a", 2**63 - 1).code == Code.BAD_TIMEOUT, "the deadline would not fit"
    for bad in (1.5, True, None, "5"):
        with pytest.raises(WrongType):
            arm(order_desk, "a", bad)
    for tag in (-1, 2**16):
        with pytest.raises(InputError):
            arm(order_desk, "a", 5, tag=tag)
        with pytest.raises(InputError):
            order_desk.order("a", "buy", 1, 90, tag=tag)
        with pytest.raises(InputError):
            order_desk.face.disconnect(tag)
    with pytest.raises(InputError):
        order_desk.face.disconnect(0)


def test_unknown_names(exchange_desk):
    ex = exchange_desk.face
    assert ex.cancel_after("nobody", 5).code == Code.UNKNOWN_ACCOUNT
    assert ex.cancel_after("a", 5, instrument="Z").code == Code.UNKNOWN_INSTRUMENT
    assert ex.disconnect(7, "nobody").code == Code.UNKNOWN_ACCOUNT


def test_it_survives_a_copy_and_is_part_of_the_state(order_desk):
    """A fork has the timer and the tags; the digest tells of both; without any it is as if there were none."""
    bare = order_desk.face.digest()
    arm(order_desk, "a", 10, tag=7)
    assert order_desk.face.digest() != bare
    arm(order_desk, "a", 0, tag=7)
    assert order_desk.face.digest() == bare
    order = order_desk.order("a", "buy", 1, 90, tag=7)
    arm(order_desk, "a", 10, tag=7)
    fork = order_desk.face.fork()
    assert fork.digest() == order_desk.face.digest()
    fork.advance(10)
    assert order_desk.resting(order) and fork.digest() != order_desk.face.digest()


def test_many_timers_grow_and_shrink(order_desk):
    """Accounts by the hundred, in any order, and each is found again."""
    if order_desk.money:
        for i in range(300):
            order_desk.face.open_account(f"n{i}")
    for i in range(300):
        who = 20 + i * 7 % 300
        record = {"account": who, "instrument": NO_INSTRUMENT, "timeout_ns": 1_000 + i % 3, "tag": i % 5}
        assert order_desk.face._kernel.apply(command(CommandType.TIMER, **record)) == Code.OK
    rows = order_desk.face._kernel.timers()
    assert rows == sorted(rows) and len(rows) == 300
    assert not order_desk.face.check()
    for _, account, instrument, tag, _spares in rows[::2]:
        off = {"account": account, "instrument": instrument, "tag": tag}
        order_desk.face._kernel.apply(command(CommandType.TIMER, **off))
    assert order_desk.face._kernel.timers() == rows[1::2]
    order_desk.face.advance(1_001)
    assert all(row[0] > 1_001 for row in order_desk.face._kernel.timers()) and not order_desk.face.check()


# --- Tags and the disconnect -----------------------------------------------------------------------------


def test_a_disconnect_takes_a_tag_of_everybody_or_of_one(order_desk):
    orders = {who: [order_desk.order(who, "buy", 1, 90, tag=tag) for tag in (0, 7, 8)] for who in "ab"}
    one = order_desk.face.disconnect(7, "a" if order_desk.money else order_desk.ids["a"])
    assert (int(one.filled), ends(one)) == (1, {orders["a"][1].order_id: Ending.DISCONNECTED})
    both = order_desk.face.disconnect(8)
    assert list(ends(both)) == [orders["a"][2].order_id, orders["b"][2].order_id]
    assert not order_desk.face.disconnect(8).filled
    assert order_desk.depth()[0] == [(90, 3)]


def test_a_tag_is_told_and_seen_and_stays_with_the_order(exchange_desk):
    ack = exchange_desk.order("a", "buy", 3, 90, tag=7)
    assert [(e.order_id, e.tag) for e in ack.events if e.type == EventType.TAGGED] == [(ack.order_id, 7)]
    exchange_desk.amend("a", ack, price=91)
    assert [(each.tag, int(each.price)) for each in exchange_desk.face.open_orders("a")] == [(7, 91)]
    exchange_desk.order("a", "buy", 1, 92)
    assert [each.tag for each in exchange_desk.face.open_orders("a")] == [7, 0]


def test_a_slot_forgets_the_tag_of_its_last_order(order_desk):
    """A plain order in the slot of a tagged one has no tag."""
    order_desk.cancel("a", order_desk.order("a", "buy", 1, 90, tag=7))
    order_desk.order("a", "buy", 1, 90)
    assert not order_desk.face.disconnect(7).filled


# --- The auditor -----------------------------------------------------------------------------------------


def heard(xdesk):
    """An auditor that has heard everything up to two tagged orders and a timer."""
    ex = xdesk.face
    ack = xdesk.order("a", "buy", 1, 90, tag=7)
    xdesk.order("a", "buy", 1, 91)
    ex.cancel_after("a", 5, tag=7)
    auditor = Auditor(ex)
    auditor.follow(ex.drain())
    return ex, auditor, ack


def told(kind, **fields):
    """An event as a record says it."""

    values = dict.fromkeys(EVENT_FIELDS, 0) | {"type": int(kind), "records": 1}
    for name, value in fields.items():
        values[PAYLOAD[kind].get(name, name)] = value
    return Event(tuple(values.values()))


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (EventType.TIMED_OUT, {"tag": 7, "deadline_ns": 5}, "the first timer"),
        (EventType.TIMED_OUT, {"tag": 8, "deadline_ns": 5}, "the first timer"),
        (EventType.TIMER_SET, {"tag": 7, "deadline_ns": 0}, None),
        (EventType.TIMER_SET, {"tag": 7, "spares": Flag.REDUCE_ONLY, "deadline_ns": -1}, "to come"),
    ],
)
def test_the_auditor_finds_a_wrong_timer(exchange_desk, kind, fields, said):
    ex, auditor, _ = heard(exchange_desk)
    e = told(kind, account=16, instrument=NO_INSTRUMENT, seq=10**6, **fields)
    if said is None:
        auditor.feed(e)
        return
    with pytest.raises(InvariantBroken, match=f"ORD-7: .*{said}"):
        auditor.feed(e)


def test_the_auditor_finds_an_order_that_a_timer_left(exchange_desk):
    """The events of the deadline without the DONE that it asks for."""
    ex, auditor, ack = heard(exchange_desk)
    ex.advance(5)
    events = [e for e in ex.drain() if e.type != EventType.DONE]
    with pytest.raises(InvariantBroken, match="ORD-7: .*has left orders"):
        auditor.follow(events)


def test_the_auditor_finds_an_order_that_no_timer_took(exchange_desk):
    ex, auditor, ack = heard(exchange_desk)
    done = ex.cancel("a", ack.order_id).events[-1]
    lied = list(done.record)
    lied[6] = int(Ending.TIMEOUT)
    with pytest.raises(InvariantBroken, match="ORD-7: .*end first"):
        auditor.feed(Event(tuple(lied)))
