"""Ctrl-C, and any signal handler that raises: it propagates, a command is whole or not there, and nothing gets out of step."""

import dis
import gc
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import solvent
import solvent.reference
from scaling import pairs
from solvent import Book, Busy, Exchange, Halted, InputError, Instrument, applied
from solvent.api import exchange as face
from solvent.records import CommandType, command, dtype
from solvent.terms.spec import to_records
from support.places import ROOT

CORE = sorted((ROOT / "ext").rglob("*.py[xd]"))
pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")


class Bell(Exception):
    """What the handler of these tests raises; not one that anything catches."""


class Quiet(LookupError):
    """One that code which expects bad input might take for its own."""


rings: list[int] = []


def until_it_rang():
    while not rings:
        pass


@pytest.fixture(params=[Bell, Quiet, KeyboardInterrupt])
def bell(request):
    """A signal whose handler raises: Bell, an ordinary exception's child, or what Ctrl-C raises."""

    def ring(*_):
        rings.append(1)
        raise request.param("rung")

    rings.clear()
    gc.collect()
    gc.disable()  # Python itself loses what a handler raises while it collects the garbage of other tests
    before = signal.signal(signal.SIGALRM, ring)
    yield request.param
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    gc.enable()


def made(base=Exchange, **more):
    ex = base([Instrument("BTC")], **more)
    for name in ("bob", "ann"):
        ex.deposit(name, "USDT", 1_000_000)
    ex.mark("BTC", 50_000)
    return ex


def ringing(monkeypatch):
    """Has the bell ring while an instrument is decoded, where the core calls Python; a list to be emptied makes it stop."""
    original, loud = face.from_records, [True]

    def decoding(data):
        found = original(data)
        if loud:
            signal.raise_signal(signal.SIGALRM)
        return found

    monkeypatch.setattr(face, "from_records", decoding)
    return loud


# --- The one Python call of the core


def test_an_exception_out_of_a_decoder_reaches_the_caller(exchange_class, bell, monkeypatch):
    """It was lost: the call answered as if the instrument were there, and orders in it went to another."""
    ringing(monkeypatch)
    ex = made(exchange_class)
    state, seq = ex.digest(), ex._kernel.next_seq
    with pytest.raises(bell):
        ex.add_instrument(Instrument("ETH"))
    assert (ex.digest(), ex._kernel.next_seq) == (state, seq)
    assert [each.name for each in ex.instruments] == ["BTC"]
    ex.check()


def test_the_next_instrument_gets_the_number_that_was_free(exchange_class, bell, monkeypatch):
    loud = ringing(monkeypatch)
    ex = made(exchange_class)
    for name in ("ETH", "XRP"):
        with pytest.raises(bell):
            ex.add_instrument(Instrument(name))
    loud.clear()
    assert ex.add_instrument(Instrument("ETH", contract_size="0.1", tick="0.01")) == 1
    ex.mark("ETH", 1_000)
    ex.order("bob", "ETH", "buy", 1, price=1_000).ok()
    assert [each.instrument for each in ex.open_orders("bob")] == ["ETH"]
    assert [each.name for each in ex.instruments] == ["BTC", "ETH"]
    ex.check()


@pytest.mark.parametrize("kind", [MemoryError, RecursionError, SystemExit, GeneratorExit])
def test_whatever_the_decoder_raises_comes_out(exchange_class, monkeypatch, kind):
    def decoding(_):
        raise kind("no")

    monkeypatch.setattr(face, "from_records", decoding)
    ex = made(exchange_class)
    before = ex.digest()
    with pytest.raises(kind):
        ex.add_instrument(Instrument("ETH"))
    assert ex.digest() == before
    ex.mark("BTC", 50_001)  # and it is not busy
    ex.check()


def test_while_an_instrument_is_decoded_the_exchange_serves_others(exchange_class, monkeypatch):
    """Python code runs there, and with it other threads: they find the exchange free, and the new number still is."""
    original = face.from_records

    def decoding(data):
        ex.mark("BTC", 49_999)
        return original(data)

    monkeypatch.setattr(face, "from_records", decoding)
    ex = made(exchange_class)
    assert ex.add_instrument(Instrument("ETH")) == 1
    assert ex.prices("BTC").mark == 49_999
    ex.check()


def test_a_batch_never_calls_python(exchange_class, monkeypatch):
    """An ADD_INSTRUMENT takes more records than a batch's commands may have: it is refused there without being looked at."""

    def decoding(_):
        raise AssertionError("called")

    monkeypatch.setattr(face, "from_records", decoding)
    ex = made(exchange_class)
    name = b"ETH".ljust(64, b"\0")
    add = command(CommandType.ADD_INSTRUMENT, records=2) + name + command(CommandType.ADD_INSTRUMENT)
    assert list(ex.run(add).code) == [207, 207]


def code_of(path):
    return re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)


SMALL = (
    "_key_of",
    "short_int",
    "solvent_short",
    "_read",
    "_end",
)  # hold the lock, and use macros and counts of references only
RAISING = {name for path in CORE for name in re.findall(r"(\w+)\([^\n]*\) except[ ?]", code_of(path))}


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_no_noexcept_function_calls_python(path):
    """Such a function would print an exception and go on. With `nogil` the compiler refuses Python calls, unless they stand
    behind `with gil` or behind a function that can raise."""
    text = code_of(path)
    assert {"_open_account", "_look_for_signals", "_apply"} <= RAISING
    assert not re.search(r"^\s+with gil\b", text, re.MULTILINE), "make such a block a function that can raise"
    for function in re.split(r"\n(?=(?:    )?(?:cdef|def|cpdef|ctypedef)\b)", text):
        head, _, body = function.partition(" noexcept")
        if "cdef" not in head or "\n\n" in head or not body:
            continue
        name = re.search(r"(\w+)(?: \"\w+\")?\(", head)[1]
        first, _, rest = body.partition("\n")
        assert "with gil" not in first, name
        assert "nogil" in first or name in SMALL, name
        assert not RAISING & set(re.findall(r"(\w+)\(", rest)), name


def test_nothing_is_printed_and_lost(tmp_path):
    """The words that Python prints for a lost exception never come."""
    script = tmp_path / "ring.py"
    script.write_text(
        "import signal, solvent\n"
        "from solvent.api import exchange as face\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "original = face.from_records\n"
        "def decoding(data):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    return original(data)\n"
        "face.from_records = decoding\n"
        "ex = solvent.Exchange([solvent.Instrument('BTC')])\n"
        "try:\n"
        "    ex.add_instrument(solvent.Instrument('ETH'))\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


# --- Between any two steps of the face


FACE = ("exchange.py", "operator.py", "reads.py", "venue.py", "base.py")
TWIN = (*FACE, "kernel.py", "placement.py", "lifecycle.py", "book.py")


LOOKS = {"RESUME", "CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD"}  # after these Python lets handlers run


def counted(call, nth, kind, files=FACE):
    """Runs a call and raises at the nth of the places in these files' code where a signal handler may run."""
    left, codes, last = [nth], {}, {}

    def step(frame, event, _):
        if Path(frame.f_code.co_filename).name not in files or frame.f_code.co_name == "__del__":
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            code = codes.setdefault(frame.f_code, frame.f_code.co_code)
            left[0] -= last.get(frame) in LOOKS
            last[frame] = dis.opname[code[frame.f_lasti]]
            if left[0] == 0:
                left[0] = -1
                raise kind("step")
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        call()
    finally:
        sys.settrace(before)


ETH = Instrument("ETH", contract_size="0.1", tick="0.01")
CALLS = {
    "add_instrument": lambda ex: ex.add_instrument(ETH),
    "open_account": lambda ex: ex.open_account("eve"),
    "order": lambda ex: ex.order("bob", "BTC", "buy", 1, price=50_000, client_id=9),
    "cancel": lambda ex: ex.cancel("ann", client_id=1),
    "withdraw": lambda ex: ex.withdraw("bob", "USDT", 5),
    "mark": lambda ex: ex.mark("BTC", 40_000),
    "run": lambda ex: ex.run(sells(ex, 3)),
}


def sells(ex, n, **more):
    batch = np.zeros(n, dtype("command"))
    batch["type"], batch["records"], batch["time_ns"] = CommandType.ORDER, 1, ex.time_ns
    batch["account"], batch["side"], batch["size_lots"] = ex._kernel.account_id(b"ann"), 1, 1
    batch["price_ticks"] = 500_100
    for name, value in more.items():
        batch[name] = value
    return batch


def started(base):
    ex = made(base)
    ex.order("ann", "BTC", "sell", 3, price=50_500, client_id=1).ok()
    return ex


@pytest.mark.parametrize("name", CALLS)
def test_an_exception_at_any_step_of_a_call_leaves_a_whole_command_or_none(name):
    """Between two steps of the face: the state is that before the command or after it, and the names agree with it."""
    before, after = started(Exchange), started(Exchange)
    counted(lambda: CALLS[name](after), 2**62, Bell)  # Python 3.12 tells no opcodes of the first call that asks for them
    step = 1
    while True:
        ex = started(Exchange)
        try:
            counted(lambda ex=ex: CALLS[name](ex), step, Bell)
        except Bell:
            pass
        else:
            break
        whole = ex.digest() == after.digest()
        assert whole or ex.digest() == before.digest(), step
        assert ex.command_count == (after if whole else before).command_count
        assert len(ex.instruments) == ex._kernel.instrument_count
        ex.check()
        if name == "add_instrument":
            if not whole:
                assert CALLS[name](ex) == 1
            ex.mark("ETH", 1_000)
            ex.order("bob", "ETH", "buy", 1, price=1_000).ok()
            assert ex.open_orders("bob")[-1].instrument == "ETH"
            assert ex.add_instrument(Instrument("XRP")) == 2
            ex.explain("bob")
            ex.check()
        step += 1
    assert step > (3 if name == "order" else 10)  # a plain order by name goes to the core in one step


@pytest.mark.parametrize("name", ["order", "add_instrument", "run"])
def test_the_reference_is_whole_or_halted(name):
    """In pure Python nothing keeps a handler out of a command: one that is cut in two halts the exchange, by name."""
    seen, step = set(), 1
    while True:
        ex = started(solvent.reference.Exchange)
        try:
            counted(lambda ex=ex: CALLS[name](ex), step, Bell, TWIN)
        except Bell:
            pass
        else:
            break
        if ex._kernel.halted:
            with pytest.raises(Halted):
                ex.mark("BTC", 50_000)
        else:
            ex.mark("BTC", 50_000)  # not busy
            ex.check()
            if name != "run":
                ex.mark("BTC", 50_000)
                assert len(ex.instruments) == ex._kernel.instrument_count
        seen.add(ex._kernel.halted)
        step += 1 if step < 60 else 17
    assert seen == {True, False}


def test_the_reference_is_busy_within_a_command_and_halted_when_that_is_cut(monkeypatch):
    ex = made(solvent.reference.Exchange)
    monkeypatch.setattr(ex._kernel.market_state, "indicate", lambda: ex.mark("BTC", 49_000))
    with pytest.raises(Busy, match="another call"):
        ex.mark("BTC", 48_000)
    monkeypatch.undo()
    with pytest.raises(Halted, match="cut a command in two"):
        ex.mark("BTC", 47_000)
    assert ex.position("bob", "BTC").mark_price == 48_000  # reads go on


# --- Batches


def test_a_batch_ends_between_two_commands_and_says_where(bell):
    ex, twin = made(), made()
    batch = sells(ex, 2_000_000, client_id=0)
    batch["side"][::2] = 0
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with pytest.raises(bell) as caught:
        ex.run(batch)
    count = applied(caught.value)
    assert 0 < count < len(batch), count
    assert ex.command_count == twin.command_count + count
    twin.run(batch[:count])
    assert twin.digest() == ex.digest() and twin._kernel.next_seq == ex._kernel.next_seq
    assert any(str(count) in note for note in caught.value.__notes__)
    ex.check()
    ex.run(batch[count : count + 10])  # and goes on from there
    twin.run(batch[count : count + 10])
    assert twin.digest() == ex.digest()


def test_a_book_ends_its_batch_likewise(bell):
    book, twin = Book(log=[]), Book(log=[])
    batch = np.zeros(6_000_000, dtype("command"))
    batch["type"], batch["records"], batch["account"], batch["size_lots"] = CommandType.ORDER, 1, 1, 1
    batch["price_ticks"] = np.arange(len(batch)) % 1000 + 1
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with pytest.raises(bell) as caught:
        book.run(batch)
    count = applied(caught.value)
    assert 0 < count < len(batch), count
    twin.run(batch[:count])
    assert twin.depth(2000) == book.depth(2000)
    book.check()


@pytest.mark.parametrize("size", [1, 5, 100, 3_000])
def test_a_signal_during_a_short_batch_finds_it_complete(bell, size):
    ex = made()
    batch = sells(ex, size)
    begun, counts = ex.command_count, []
    for delay in range(1, 40):
        try:
            signal.setitimer(signal.ITIMER_REAL, delay * 1e-5)
            ex.run(batch)
            until_it_rang()
        except bell as error:
            counts.append(applied(error))
        rings.clear()
    assert {count for count in counts if count is not None} <= {0, size}
    assert (ex.command_count - begun) % size == 0
    ex.check()


def test_a_handler_that_does_not_raise_does_not_end_a_batch():
    ex = made()
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(ex))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        batch = sells(ex, 600_000)
        batch["side"][::2] = 0
        assert len(ex.run(batch)) == 600_000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rung
    ex.check()


def test_a_batch_in_another_thread_is_not_asked(bell):
    """Handlers run in the main thread: there the exception is raised, and the other thread's batch goes on."""
    ex, done = made(), []
    batch = sells(ex, 400_000)
    batch["side"][::2] = 0
    thread = threading.Thread(target=lambda: done.append(ex.run(batch)))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with pytest.raises(bell):
        thread.start()
        while True:
            time.sleep(0.001)
    thread.join()
    assert len(done[0]) == len(batch)
    ex.check()


def test_calls_in_a_row_say_how_many_were_applied(exchange_class):
    ex = made(exchange_class)
    order = {"account": "bob", "instrument": "BTC", "side": "buy", "size": 1, "price": 50_000}
    with pytest.raises(InputError) as caught:
        ex.batch([("order", order), ("order", order), ("order", order | {"price": 1.5}), ("order", order)])
    assert applied(caught.value) == 2 and len(ex.open_orders("bob")) == 2
    with pytest.raises(InputError) as caught:
        ex.run(b"\0" * 65)
    assert applied(caught.value) is None


# --- Everything at once, at any time


ANYTHING = [
    lambda ex, i: ex.add_instrument(Instrument(f"I{i}")),
    lambda ex, i: ex.open_account(f"a{i}"),
    lambda ex, i: ex.submit(17, 1, 500_100, 1),
    lambda ex, i: ex.order("bob", "BTC", "buy", 1, price=40_000),
    lambda ex, i: ex.run(sells(ex, 20)),
]


@pytest.mark.parametrize("round_", range(3))
def test_alarms_at_any_time(bell, round_):
    """Every call under a shower of signals: the exchange is as if exactly the commands that it counts had been given."""
    ex = started(Exchange)
    for i in range(400):
        try:
            signal.setitimer(signal.ITIMER_REAL, (1 + (i * 7 + round_) % 90) * 1e-6)
            ANYTHING[i % 5](ex, i)
            until_it_rang()
        except bell:
            pass
        rings.clear()
        added = sum(each.type.name == "INSTRUMENT_ADDED" for each in ex._slice(1, ex._kernel.next_seq))
        assert len(ex.instruments) == ex._kernel.instrument_count == 1 + added
    ex.check()
    names = [each.name for each in ex.instruments]
    assert len(set(names)) == len(names)
    for i, name in enumerate(names):
        assert ex._instrument(name) == i
    begins = sum(each.type.name == "BEGIN" for each in ex._slice(1, ex._kernel.next_seq))
    assert begins == ex.command_count


def test_an_add_instrument_by_hand_is_the_same(exchange_class):
    """What a journal holds: the records themselves, without a face that knows the instrument."""
    ex = made(exchange_class)
    eth = Instrument("ETH")
    data = to_records("ETH", eth.spec, 0)
    record = command(CommandType.ADD_INSTRUMENT, records=1 + len(data) // 64, time_ns=5) + data
    assert ex._kernel.apply(record) == 0 and ex._kernel.instrument_count == 2
    assert ex._kernel.apply(record) == 206
    ex._kernel.check()


def counted_meanwhile():
    """How far a thread counts while a mark deleverages 2,000 accounts against 2,000."""
    count = [0]
    over = threading.Event()

    def counting():
        while not over.is_set():
            count[0] += 1

    ex = pairs(2_000)
    thread = threading.Thread(target=counting)
    thread.start()
    try:
        while not count[0]:
            time.sleep(0.001)
        before = count[0]
        ex.mark("I0", 40_000)
        counted = count[0] - before
    finally:
        over.set()
        thread.join()
    assert len(ex.parcels()) == 0 and ex.position("a0", "I0").size == 0
    return counted


def test_a_lone_command_that_lasts_lets_other_threads_run():
    """A busy machine may give the thread no core in one of these milliseconds, so there are ten tries."""
    assert any(counted_meanwhile() > 200 for _ in range(10))
