"""A second reviewer's attacks on the order path: money, cost, limits, memory; each must stay closed."""

import gc
import os
import random
import subprocess
import sys
import threading

import pytest

import solvent
import solvent.reference
from solvent import Book, Busy, Code, EventType, Instrument, Tier, Trigger, WrongType
from solvent.records import CommandType, Ending, Source, TriggerKind, command, extension
from solvent.schema.limits import PRICE_TICKS_MAX, REDUCE_ONLY_MAX, TRAILING_MAX

X = Instrument("X", contract_size=1, tick=1, max_price=3_000, tiers=[Tier(10**6, "0.005", "0.01")])
STOP = extension(trigger_kind=TriggerKind.STOP, trigger_ticks=1)
TRAIL = extension(trigger_kind=TriggerKind.TRAIL_TICKS, trail=90, trigger_source=Source.BY_INDEX)


@pytest.fixture(params=["compiled", "reference"])
def book(request):
    return solvent.Book if request.param == "compiled" else solvent.reference.Book


def order(account=1, records=1, **fields):
    return command(CommandType.ORDER, account=account, records=records, **({"price_ticks": 5, "size_lots": 1} | fields))


def types(ack, *wanted):
    return [e.type for e in ack.events if e.type in wanted]


# --- Money ---------------------------------------------------------------------------------------------


def test_a_closing_order_does_not_spoil_its_own_limit(strict_exchange):
    """C, short 3 at 1,049 on isolated margin, closes against A up to where its margin is used up. On the way it buys its
    own sell at 1,000 with `allow`: that pays C the open profit out into its wallet, and the limit counts on it still.
    A gains at a constant mark what C's margin no longer has, the fund pays 69."""
    ex = strict_exchange([X])
    ex.seed_fund("USDT", 1_000)
    ex.mark("X", 1_000)
    for name, leverage, mode in (("A", 10, "cross"), ("C", 100, "isolated")):
        ex.deposit(name, "USDT", 2_000)
        ex.set_leverage(name, "X", leverage, mode=mode)
    ex.order("A", "X", "buy", 3, price=1_049).ok()
    ex.order("C", "X", "sell", 10, price=1_000).ok()
    ex.order("A", "X", "sell", 10, price=1_048).ok()
    ex.order("C", "X", "buy", 20, price=1_049, self_trade="allow").ok()
    assert ex.fund("USDT") == 1_000


def test_fill_or_kill_among_own_reduce_only_orders(strict_exchange):
    """A, long 10, buys its own sells with `allow`: its position stays, and so does what rests reduce-only."""
    ex = strict_exchange([X])
    for name in "AB":
        ex.deposit(name, "USDT", 10**6)
    ex.mark("X", 100)
    ex.order("B", "X", "sell", 10, price=100)
    ex.order("A", "X", "buy", 10, price=100)
    for size, price, reduce_only in ((6, 100, False), (3, 100, False), (10, 101, True)):
        ex.order("A", "X", "sell", size, price=price, reduce_only=reduce_only).ok()
    assert ex.order("A", "X", "buy", 20, price=101, tif="fok", self_trade="allow").code == Code.FOK_UNFILLED
    assert ex.order("A", "X", "buy", 19, price=101, tif="fok", self_trade="allow").filled == 19


def test_the_last_price_is_never_the_houses(strict_exchange):
    """A parcel rests at 975; whoever takes it trades with the house, and no stop by last price fires."""
    ex = strict_exchange([X])
    for name, amount in (("b", 10**6), ("c", 10**6), ("p", 600)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    ex.set_leverage("p", "X", 40, mode="isolated")
    ex.order("b", "X", "sell", 10, price=1_000)
    ex.order("p", "X", "buy", 10, price=1_000)
    ex.mark("X", 980)
    assert ex.parcels()[0].bankruptcy_price == 975
    asleep = ex.order("c", "X", "sell", 1, trigger=Trigger.stop(976, by="last"))
    taken = ex.order("c", "X", "buy", 1, price=980, tif="ioc")
    assert taken.filled == 1 and types(taken, EventType.TRIGGERED) == []
    assert [each.order_id for each in ex.open_orders("c")] == [asleep.order_id]


# --- Limits --------------------------------------------------------------------------------------------


def test_the_highest_price_of_all(book):
    """2**60 needs an eleventh floor of the trie: it was found where 0 is. So the highest price is below."""
    with pytest.raises(solvent.InputError):
        book(2**60, max_size_lots=3)
    top = PRICE_TICKS_MAX
    high = book(top, max_size_lots=3)
    for price in (5, top, top - 1, 63, 64):
        high.order(1, "buy", 1, price_ticks=price)
    assert [price for price, _ in high.depth()[0]] == [top, top - 1, 64, 63, 5]
    high.check()


def test_a_trigger_beyond_the_highest_price_hides_no_other(book):
    """The trailing buy waits one tick above everything; the stop at 9 must still be next after the one at 7."""
    high = book(PRICE_TICKS_MAX, max_size_lots=3)
    high.index(5)
    for trigger in (
        Trigger.stop(7, by="index"),
        Trigger.trailing(distance=PRICE_TICKS_MAX, by="index"),
        Trigger.stop(9, by="index"),
    ):
        high.order(1, "buy", 1, trigger=trigger).ok()
    high.index(7)
    assert len(high.dormant()) == 2
    high.index(9)
    assert [row["trigger_ticks"] for row in high.dormant()] == [PRICE_TICKS_MAX + 1]
    high.check()


@pytest.mark.parametrize("top", [1, 2, 62, 63, 64, 65, 4_094, 4_095, 4_096, 2**36 - 1, 2**36, 2**54, 2**24 - 1])
def test_every_depth_of_the_trie(book, top):
    """Both edges of the legal prices, for resting and dormant orders."""
    small = book(top, max_size_lots=5)
    small.index(1)
    prices = sorted({1, top, max(1, top - 1), top // 2 + 1})
    for price in prices:
        small.order(1, "sell", 1, price_ticks=price).ok()
        small.order(1, "buy", 1, price_ticks=top, trigger=Trigger.stop(price, by="mark")).ok()
    small.order(1, "buy", 1, trigger=Trigger.trailing(distance=top, by="index")).ok()
    small.check()
    assert [price for price, _ in small.depth(9)[1]] == prices
    assert small.order(2, "buy", 5).filled == len(prices)
    fired = [e.trigger_ticks for e in small.mark(top).events if e.type == EventType.TRIGGERED]
    assert fired == prices
    small.check()


def test_the_limit_of_trailing_orders_is_for_trailing_orders():
    """10,000 of them, which cost their owner nothing, kept everybody from placing any stop."""
    crowded = Book(log=[])
    crowded.index(100)
    placed = crowded.run((order(records=2) + TRAIL) * TRAILING_MAX)
    assert placed.code.sum() == 0
    assert crowded.order(2, "buy", 1, trigger=Trigger.trailing(distance=1, by="index")).code == Code.TOO_MANY_ORDERS
    assert crowded.order(2, "sell", 1, trigger=Trigger.stop(50))
    crowded.cancel_all(1)
    assert crowded.order(2, "buy", 1, trigger=Trigger.trailing(distance=1, by="index"))


def test_the_limit_of_reduce_only_orders_counts_dormant_ones(audited_exchange):
    ex = audited_exchange([X], retain=False)
    ex.deposit("a", "USDT", 10**6)
    ex.mark("X", 100)
    asleep = {"reduce_only": True, "trigger": Trigger.stop(1)}
    for _ in range(REDUCE_ONLY_MAX):
        ex.order("a", "X", "sell", 1, **asleep).ok()
    assert ex.order("a", "X", "sell", 1, **asleep).code == Code.TOO_MANY_ORDERS
    assert ex.cancel_all("a").filled == REDUCE_ONLY_MAX
    assert ex.order("a", "X", "sell", 1, **asleep)


SMALL = """
import resource
from solvent import Book
from solvent.records import command, extension
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
book = Book(2**59 - 1, max_size_lots=3, log=[])
book.index(100)
placed, order = book._kernel.run, command(16, records=2, account=1, price_ticks=5, size_lots=1)
sell = command(16, records=2, account=1, side=1, price_ticks=5, size_lots=1)
placed(b"".join(sell + extension(trigger_kind=4, trail=1 + i * 99_999, trigger_source=2) for i in range(9_990)))
for each in range(2**58 + 1, 2**59, 2**41 + 2**31):
    placed(order + extension(trigger_kind=1, trigger_ticks=each, trigger_source=2))
    if book._kernel.last[0] == 0:
        break
book.index(2**58)
book.check()
"""


@pytest.mark.skipif(sys.platform != "linux" or "asan" in os.environ.get("LD_PRELOAD", ""), reason="limits its own memory")
def test_trailing_orders_that_spread_stay_in_their_room():
    """They share one level of a nearly full trie, and each needs its own path at the next extreme: it wrote beyond the pool.
    A small address space keeps pools small; else it takes two million dormant orders."""
    done = subprocess.run([sys.executable, "-c", SMALL], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode >= 0, done.returncode
    assert done.returncode == 0 or "MemoryError" in done.stderr, done.stderr


# --- Cost ----------------------------------------------------------------------------------------------


def test_placing_and_cancelling_leaves_no_memory_behind():
    tidy = Book(log=[], retain=False)
    tidy.index(100)
    gtd = order(records=2, tif=3, client_id=0) + extension(expiry_ns=10**9)
    every = gtd + order(records=2) + STOP + order(records=2) + TRAIL + order(price_ticks=7, flags=0)
    rounds = (every + command(CommandType.MASS_CANCEL, account=1, side=2)) * 1_000
    tidy.run(rounds)
    before = tidy.memory()["total"]
    for _ in range(20):
        tidy.run(rounds)
    assert tidy.memory()["total"] == before
    tidy.check()


# --- Records, events, calls ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "from solvent.records import Event; e = Event((60_000, 1, *[0] * 11)); print(e.type, hasattr(e, 'order_id'))",
        "from solvent._core.base.event_view import EventIterator; print(list(EventIterator()))",
        "from solvent.records import decode; print(len(list(decode(bytes(640)))))",
    ],
)
def test_no_record_crashes_or_hangs_the_process(text):
    """A second record, sliced off, is a row of any type (docs/reference/records.md)."""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode in (0, 1), done.returncode


def test_garbage_through_both_record_sizes(book):
    """Equal answers and events from both, and nothing breaks."""
    for seed in range(40):
        r = random.Random(seed)
        twins = [Book(100, max_size_lots=50), solvent.reference.Book(100, max_size_lots=50)]
        data = b""
        for _ in range(60):
            record = bytearray(r.randbytes(64) if r.random() < 0.5 else order(r.randrange(3), price_ticks=r.randint(1, 9)))
            record[0:3] = bytes([r.choice([1, 8, 10, 16, 16, 17, 18, 19, 77]), 0, r.choice([1, 2])])
            record[16:24] = bytes(8)
            data += bytes(record) + (r.choice([bytes(64), STOP, r.randbytes(64)]) if record[2] == 2 else b"")
        assert len({bytes(twin._kernel.run(memoryview(data))) for twin in twins}) == 1
        assert len({twin.events().tobytes() for twin in twins}) == 1 and len({twin.digest() for twin in twins}) == 1
        for twin in twins:
            twin.check()


@pytest.mark.parametrize("value", [1.0, "1", None, True, 2**200, -(2**200), 2**64, -1])
@pytest.mark.parametrize("at", range(8))
def test_direct_calls_refuse_what_no_field_holds(book, value, at):
    """As WrongType, OverflowError or with a code; a refusal changes nothing."""
    direct = book(100)
    before = direct.digest()
    arguments = [1, 0, 5, 1, 0, 0, 0, 0]
    arguments[at] = value
    try:
        answer = direct.submit(*arguments)
    except (WrongType, OverflowError):
        answer = None
    assert not answer and direct.digest() == before


def test_revoke_refuses_the_same(book):
    direct = book(100)
    answer = direct.submit(1, 0, 5, 1)
    for arguments in ((1.0, answer.order_id), (1, str(answer.order_id)), (-1, answer.order_id), (1, 2**70), (True, 1)):
        with pytest.raises((WrongType, OverflowError)):
            direct.revoke(*arguments)
    assert direct.revoke(2, answer.order_id).code == Code.UNKNOWN_ORDER
    assert direct.revoke(1, answer.order_id)


def test_views_and_iterators_outlive_the_exchange(book):
    held = book(100, retain=False)
    cursor = held.cursor()
    held.submit(1, 0, 5, 1)
    view, iterator = held.events(view=True), iter(held.cursor())
    old = iter(cursor)
    first = next(old).type
    for _ in range(5_000):  # drops, grows, moves
        held.submit(1, 0, 5, 1)
    before = view.tobytes()
    del held, cursor
    gc.collect()
    assert view.tobytes() == before and first == EventType.BEGIN
    assert [e.type for e in old] == [EventType.ACCEPTED, EventType.RESTED] and list(iterator) == []


def test_a_batch_in_another_thread_makes_every_call_busy():
    working = Book(log=[])
    batch = order() * 400_000
    thread = threading.Thread(target=working.run, args=(batch,))
    seen = 0
    thread.start()
    while thread.is_alive() and not seen:
        for call in (
            lambda: working.submit(1, 0, 5, 1),
            lambda: working.revoke(1, 1),
            working.digest,
            working.dormant,
            working.memory,
        ):
            try:
                call()
            except Busy:
                seen += 1
    thread.join()
    working.check()


def test_an_expired_reduce_only_order_and_a_mass_cancel_leave_the_sums_right(strict_exchange):
    """A close-position order that is due, cancelled with all others in the same command by its account's liquidation."""
    ex = strict_exchange([X])
    for name, amount in (("b", 10**6), ("p", 600)):
        ex.deposit(name, "USDT", amount)
    ex.mark("X", 1_000)
    ex.set_leverage("p", "X", 40, mode="isolated")
    ex.order("b", "X", "sell", 10, price=1_000)
    ex.order("p", "X", "buy", 10, price=1_000)
    ex.order("p", "X", "sell", 4, price=1_020, reduce_only=True, tif="gtd", expiry_ns=50).ok()
    closing = ex.order("p", "X", "sell", None, close_position=True, trigger=Trigger.stop(980)).ok()
    ex.advance(50)
    ended = {e.order_id: e.ending for e in ex.mark("X", 975).events if e.type == EventType.DONE}
    assert ended[closing.order_id] == Ending.LIQUIDATED
    assert ex.open_orders("p") == []
