"""Events, cursors, retention, batches, digests and views of the face."""

import gc
import os
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest

import solvent
import solvent.reference
from solvent import (
    Code,
    Event,
    EventsDropped,
    EventType,
    Exchange,
    InputError,
    Instrument,
    OutOfRange,
    PriceModel,
    Rejected,
    Trigger,
)
from solvent.auditor import Auditor
from solvent.feed import Feed
from solvent.lab.recorded.capture import FORMATS
from solvent.records import CommandType, dtype
from support.generator import Generator
from support.models import SECOND, X, funded, passing, rates
from support.places import ROOT

BTC = "BTC-USDT-SWAP"


def opened(kind, **terms):
    ex = kind([Instrument(BTC)], **terms)
    for name in ("a", "b"):
        ex.deposit(name, "USDT", 10_000)
    ex.mark(BTC, 50_000)
    return ex


def test_drain_and_cursors(audited_exchange):
    ex = opened(audited_exchange)
    first = list(ex.drain())
    assert [e.type for e in first][:3] == [EventType.BEGIN, EventType.ACCOUNT_OPENED, EventType.BEGIN]
    assert first[1].name == "a" and not list(ex.drain())
    trades = ex.cursor(EventType.TRADE)
    ex.order("a", BTC, "buy", 1, price=50_000)
    ex.order("b", BTC, "sell", 1, price=50_000)
    assert [e.price_ticks for e in trades] == [500_000]
    assert len(list(ex.drain())) > 5
    assert [e.seq for e in ex.drain()] == []


def test_without_retention_only_what_a_cursor_waits_for_is_held(audited_exchange):
    ex = opened(audited_exchange, retain=False)
    old = ex.order("a", BTC, "buy", 1, price=49_000)
    assert old.events[0].code == 0
    ex.order("a", BTC, "buy", 1, price=49_000)
    with pytest.raises(EventsDropped):
        _ = old.events
    cursor = ex.cursor()
    for _ in range(5):
        ex.order("a", BTC, "buy", 1, price=49_000)
    assert sum(e.type == EventType.ACCEPTED for e in cursor) == 5
    del cursor  # a cursor nobody has any more holds nothing
    gc.collect()
    ex.order("a", BTC, "buy", 1, price=49_000)
    ex.order("a", BTC, "buy", 1, price=49_000)
    assert len(ex.events()) < 10


def test_event_view_pins_its_memory():
    ex = opened(Exchange)
    view = ex.events(view=True)
    copy = ex.events()
    assert (view == copy).all() and not view.flags.writeable
    for _ in range(5_000):
        ex.order("a", BTC, "buy", 1, price=49_000, tif="ioc")
    assert (view == copy).all()
    assert len(ex.events(view=True)) > len(view)
    del ex
    gc.collect()
    assert (view == copy).all()


def test_view_survives_dropping():
    ex = opened(Exchange, retain=False)
    cursor = ex.cursor()
    ex.order("a", BTC, "buy", 1, price=49_000)
    view = cursor.array()
    copy = view.copy()
    for _ in range(5_000):
        ex.order("a", BTC, "buy", 1, price=49_000, tif="ioc")
        cursor.array()
    assert (view == copy).all()


def test_batch_is_a_loop_over_the_same_path(audited_exchange, seed):
    """One by one, in batches of 7 and of 64: the same events, byte for byte, and the same digest."""
    commands = 300
    generator = Generator(seed)
    single = audited_exchange(generator.instruments, rules=generator.rules)
    records, opening = [], iter(generator.opening())
    for _ in range(commands):
        record = next(opening, None) or generator.next(single._kernel)
        if len(record) == 64 * record[2]:
            records.append(record)
            single._kernel.apply(record)
    for size in (7, 64):
        batched = audited_exchange(generator.instruments, rules=generator.rules)
        for at in range(0, len(records), size):
            batched.run(b"".join(records[at : at + size]))
        assert batched.events().tobytes() == single.events().tobytes()
        assert batched.digest() == single.digest()


def test_same_run_in_other_processes():
    """Other hash seeds, other processes: the same digest; and the reference agrees."""
    script = (
        "import sys, solvent, solvent.reference\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from support.generator import Generator\n"
        "g = Generator(11)\n"
        "ex = (solvent if sys.argv[2] == 'c' else solvent.reference).Exchange(g.instruments, rules=g.rules)\n"
        "o = iter(g.opening())\n"
        "for _ in range(500): ex._kernel.apply(next(o, None) or g.next(ex._kernel))\n"
        "print(ex.digest())\n"
    )
    here = str(ROOT / "tests")
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script, here, kind],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for kind, hash_seed in (("c", "0"), ("c", "77"), ("r", "1"), ("r", "2"))
    }
    assert len(outputs) == 1


def test_batch_columns(audited_exchange):
    ex = opened(audited_exchange)
    batch = np.zeros(3, dtype("command"))
    batch["type"], batch["records"], batch["account"] = CommandType.ORDER, 1, [16, 17, 99]
    batch["size_lots"], batch["price_ticks"], batch["side"] = 1, 500_000, [0, 1, 0]
    result = ex.run(batch)
    assert list(result.code) == [Code.OK, Code.OK, Code.UNKNOWN_ACCOUNT] and len(result) == 3
    assert result.order_id[0] >> np.uint64(24) == 1
    assert len(ex.run(b"")) == 0


def test_explain_agrees_with_the_engine(strict_exchange):
    ex = strict_exchange([Instrument(BTC)])
    ex.deposit("a", "USDT", 1_000)
    ex.deposit("m", "USDT", 10**6)
    ex.mark(BTC, 50_000)
    ex.set_leverage("a", BTC, 20, mode="isolated")
    ex.order("m", BTC, "sell", 10, price=50_000)
    ex.order("a", BTC, "buy", 10, price=50_000)
    page = ex.explain("a")
    [domain] = page.domains
    assert domain.mode == "isolated" and domain.next.startswith("nothing")
    price = ex.position("a", BTC).liquidation_price
    ex.mark(BTC, price + ex.instruments[0].tick_size)
    [event] = [e for e in ex.mark(BTC, price).events if e.type == EventType.LIQUIDATION]
    assert ex._kernel.auditor.counts["TAKEOVER"] == 1
    assert event.equity_units < event.own_units
    assert "no open position" in str(ex.explain("a"))


def test_views(audited_exchange):
    ex = opened(audited_exchange)
    ex.order("a", BTC, "buy", 3, price=49_000, post_only=True, client_id=5)
    [order] = ex.open_orders("a")
    assert (order.price, order.size, order.post_only, order.client_id) == (49_000, 3, True, 5)
    assert ex.open_orders("a", BTC) and not ex.open_orders("b")
    view = ex.account("a")
    assert view.cash == 10_000 and view.hold > 0 and view.positions[BTC].side == "flat"
    with pytest.raises(AttributeError):
        _ = view.nothing
    with pytest.raises(AttributeError):
        view.name = "x"


def test_marks_round_half_even(audited_exchange):
    ex = opened(audited_exchange)
    for text, ticks in (("50000.05", 500_000), ("50000.15", 500_002), ("50000.149", 500_001)):
        assert ex.mark(BTC, text).events[1].price_ticks == ticks


def test_broken_invariants_are_seen():
    """check() can fail: a reference kernel with a unit too many is found out."""
    ex = opened(solvent.reference.Exchange)
    ex.check()
    ex._kernel.ledger.wallets[16][0] += 1
    with pytest.raises(solvent.InvariantBroken, match="MON-1"):
        ex.check()


def test_the_auditor_can_fail():
    """A posting that claims another balance, and a trade that skips the queue, are refused."""
    ex = opened(Exchange)
    events = list(ex.drain())
    at = next(i for i, e in enumerate(events) if e.type == EventType.LEDGER)
    record = events[at].record
    events[at] = Event((*record[:9], record[9] + 1, *record[10:]))
    with pytest.raises(solvent.InvariantBroken, match="MON-7"):
        Auditor(ex).follow(events)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda ex: ex.batch([{"account": 16}]), "a call is"),
        (lambda ex: ex.cursor([EventType.TRADE]), "as in cursor"),
        (lambda ex: Trigger(49_000), "Trigger.stop"),
        (lambda ex: Trigger.stop(49_000, by="close"), "by is one of"),
        (lambda ex: Trigger.trailing(rate=0.02), "float"),
        (Feed, "which instrument"),
        (lambda ex: ex.run(bytes(64)), "set its `records`"),
    ],
)
def test_a_newcomers_mistakes_are_answered_where_they_are_made(strict_exchange, call, says):
    ex = strict_exchange([Instrument("I"), Instrument("J")])
    before = ex.digest()
    with pytest.raises(InputError, match=says):
        call(ex)
    assert ex.digest() == before


def test_a_batch_goes_on_after_a_mass_cancel_of_nobody(strict_exchange):
    ex = strict_exchange([Instrument("I")])
    ex.deposit("a", "USDT", 10_000)
    ex.mark("I", 50_000)
    order = ("order", {"account": "a", "instrument": "I", "side": "buy", "size": 1, "price": 49_000})
    wrong = [("cancel_all", {"account": "zz"}), ("cancel_all", {"instrument": "zz"}), ("cancel_all", {"account": 2**32 - 1})]
    codes = [ack.code for ack in ex.batch([order, *wrong, order])]
    assert codes == [Code.OK, Code.UNKNOWN_ACCOUNT, Code.UNKNOWN_INSTRUMENT, Code.UNKNOWN_ACCOUNT, Code.OK]
    assert len(ex.open_orders("a")) == 2


@pytest.mark.parametrize("package", [solvent, solvent.reference], ids=["compiled", "reference"])
def test_direct_calls_refuse_what_no_field_holds(package):
    book = package.Book()
    before = book.digest()
    for terms in ((-1, 0, 5, 1), (1, 256, 5, 1), (1, 0, 2**70, 1), (1, 0, 5, -(2**63) - 1), (1, 0, 5, 1, 0, 0, 2**63)):
        with pytest.raises(OutOfRange):
            book.submit(*terms)
    for order_id in (-1, 2**63, 2**64, 10**5_000):
        with pytest.raises(OutOfRange):
            book.revoke(1, order_id)
    assert book.submit(1, 0, -(2**63), 1).code == book.submit(1, 0, 2**63 - 1, 1).code == Code.BAD_PRICE
    assert book.submit(1, 0, 0, 1).code == Code.BAD_PRICE and book.digest() == before


def test_a_feed_that_comes_too_late_says_what_to_do(strict_exchange):
    ex = strict_exchange([Instrument("I")], retain=False)
    ex.mark("I", 5)
    ex.mark("I", 6)
    with pytest.raises(EventsDropped, match="before the first command"):
        Feed(ex)


def test_a_reader_that_leaves_is_no_error(tmp_path):
    """`solvent replay-book FILE | head`."""
    file = tmp_path / "capture.csv"
    file.write_text(",".join(FORMATS["neutral"].header) + "\n1,add,1,buy,100,5\n")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "solvent.app.cli", "replay-book", str(file)],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_what_an_exchange_says_of_its_prices(strict_exchange):
    """Nothing before the first; then the mark, the index and the rate of the coming settlement."""
    ex = strict_exchange([Instrument("A"), Instrument("B", prices=PriceModel(components=["index"]))])
    for view in (ex.prices("A"), ex.prices(1)):
        assert (view.mark, view.index, view.last, view.funding_rate, view.next_funding_ns) == (None,) * 5
    with pytest.raises(Rejected):
        ex.prices("C")
    ex = funded(strict_exchange)
    ex.advance(3 * SECOND)
    view = ex.prices(X)
    assert (view.mark, view.index, view.last) == (1_000, 1_000, 1_000)
    assert (view.funding_rate, view.next_funding_ns) == (Decimal("0.01"), 10 * SECOND)
    assert rates(passing(ex, 10 * SECOND)) == [(1, 10_000_000)]
    assert ex.prices(X).next_funding_ns == 20 * SECOND
