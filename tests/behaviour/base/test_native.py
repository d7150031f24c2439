"""The C face: the page's examples are built and run; what it refuses, and what it leaves to Python."""

import ctypes
import importlib.util
import re
import subprocess
import sys
import sysconfig
import threading

import pytest

import solvent
import solvent.reference
from solvent import Busy, Code, Halted, InputError, Instrument
from solvent.records import NOBODY, CommandType, EventType, batch, command, decode, extension
from support.places import ROOT

native = pytest.importorskip("solvent.native")
PAGE = (ROOT / "docs/howto/c.md").read_text()
HEADER = ROOT / "engine/solvent/include/solvent.h"
DRIVER = """
#include <solvent.h>
int import_(void) { return solvent_import(); }
void *begin(PyObject *face) { return solvent_begin(face); }
int end(void *x) { return solvent_end(x); }
int apply(void *x, const void *command, int64_t records, solvent_answer *answer) {
    return solvent_apply(x, command, records, answer); }
int64_t clock_(void *x) { return solvent_time_ns(x); }
"""


class Answer(ctypes.Structure):
    _fields_ = [
        ("order_id", ctypes.c_uint64), ("filled_lots", ctypes.c_int64), ("resting_lots", ctypes.c_int64),
        ("code", ctypes.c_int64), ("events", ctypes.c_void_p), ("event_records", ctypes.c_int64),
    ]  # fmt: skip


def built(folder, text: str, include=None, loader=ctypes.PyDLL):
    """A shared library of this C text."""
    folder.mkdir(exist_ok=True)
    (folder / "made.c").write_text(text)
    compiler = sysconfig.get_config_var("CC").split()[0]
    flags = [
        "-O1",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        f"-I{sysconfig.get_path('include')}",
        f"-I{include or native.include()}",
    ]
    subprocess.run([compiler, *flags, "-o", folder / "made.so", folder / "made.c"], check=True, capture_output=True)
    return loader(str(folder / "made.so"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    library = built(tmp_path_factory.mktemp("driver") / "c", DRIVER)
    library.begin.restype, library.begin.argtypes = ctypes.c_void_p, [ctypes.py_object]
    library.end.argtypes = [ctypes.c_void_p]
    library.apply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.POINTER(Answer)]
    library.clock_.restype, library.clock_.argtypes = ctypes.c_int64, [ctypes.c_void_p]
    assert library.import_() == 0
    return library


def test_the_example_in_c_of_the_page(tmp_path):
    source = re.search(r"```c\n(.*?)```", PAGE, re.DOTALL)[1]
    assert len(source.splitlines()) <= 30
    trade = built(tmp_path / "c", source).trade
    trade.restype, trade.argtypes = ctypes.c_int64, [ctypes.py_object]
    book = solvent.Book()
    assert trade(book) == 5 and book.command_count == 2 and book.last == 101
    with pytest.raises(TypeError, match="compiled Exchange or Book, not int"):
        trade(5)


def test_the_example_in_cython_of_the_page(tmp_path):
    (tmp_path / "cancels.pyx").write_text(re.search(r"```cython\n(.*?)```", PAGE, re.DOTALL)[1])
    script = (
        "from Cython.Build import cythonize; from setuptools import Extension, setup; import sys\n"
        f"made = [Extension('cancels', ['cancels.pyx'], include_dirs=[{native.include()!r}])]\n"
        f"setup(ext_modules=cythonize(made, include_path=[{str(ROOT / 'engine')!r}], language_level=3, quiet=True))\n"
    )
    (tmp_path / "setup.py").write_text(script)
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=tmp_path, check=True, capture_output=True)
    spec = importlib.util.spec_from_file_location("cancels", next(tmp_path.glob("cancels*.so")))
    face = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(face)
    book = solvent.Book()
    ask = book.order(1, "sell", 5, price_ticks=101)
    assert [face.cancel(book, 1, ask.order_id) for _ in range(2)] == [Code.OK, Code.UNKNOWN_ORDER]


@pytest.mark.parametrize(("what", "other"), [("LAYOUT", "1"), ("VERSION", "99")])
def test_a_file_of_another_solvent_is_refused(tmp_path, what, other):
    """Its records, words or functions are not these."""
    (tmp_path / "include").mkdir()
    text, count = re.subn(rf"#define SOLVENT_{what} .*", f"#define SOLVENT_{what} {other}", HEADER.read_text())
    assert count == 1
    (tmp_path / "include/solvent.h").write_text(text)
    with pytest.raises(ImportError, match="compiled against another solvent"):
        built(tmp_path / "c", DRIVER, include=tmp_path / "include").import_()


def test_a_stream_answers_as_run_does(driver):
    """Codes, ids, lots, and every event."""
    books = solvent.Book(log=None), solvent.Book()
    records = [
        command(CommandType.ORDER, account=1 + i % 3, side=i % 2, price_ticks=100 + i % 7, size_lots=1 + i % 5, tif=i % 2)
        for i in range(400)
    ]
    records += [command(CommandType.ORDER, records=2, account=1, price_ticks=5, size_lots=1, tif=3) + extension(expiry_ns=9)]
    records += [command(CommandType.ADVANCE, time_ns=9), command(CommandType.CANCEL, account=1, order_id=1, time_ns=9)]
    exchange, answer, told = driver.begin(books[0]), Answer(), []
    for record in records:
        code = driver.apply(exchange, record, len(record) // 64, answer)
        told.append((answer.order_id, answer.filled_lots, answer.resting_lots, code))
        events = list(decode(ctypes.string_at(answer.events, 64 * answer.event_records)))
        assert events[0].type == EventType.BEGIN and events[0].code == code == answer.code
    assert driver.clock_(exchange) == 9 and driver.end(exchange) == 0
    rows = books[1].run(b"".join(records))
    columns = (rows.order_id, rows.filled_lots, rows.resting_lots, rows.code)
    assert told == list(zip(*(each.tolist() for each in columns), strict=True))
    assert books[0].events().tobytes() == books[1].events().tobytes() and books[0].digest() == books[1].digest()


def test_events_that_nobody_waits_for_are_dropped(driver):
    ex = solvent.Exchange([Instrument("X", tick=1)], retain=False)
    exchange, answer = driver.begin(ex), Answer()
    for price in range(1, 2_000):
        assert driver.apply(exchange, command(CommandType.MARK, price_ticks=price), 1, answer) == 0
    driver.end(exchange)
    assert ex._kernel.next_seq - ex._kernel.first_seq < 10 and ex.prices("X").mark == 1_999


def test_python_is_busy_meanwhile(driver):
    book = solvent.Book()
    exchange = driver.begin(book)
    for call in (lambda: book.order(1, "buy", 1, price_ticks=5), book.digest, book.fork, lambda: driver.begin(book)):
        with pytest.raises(Busy, match="solvent_end"):
            call()
    seen = []
    other = threading.Thread(target=lambda: seen.append(driver.apply(exchange, command(CommandType.ADVANCE), 1, None)))
    other.start()
    other.join()
    assert seen == [0] and driver.end(exchange) == 0 and book.order(1, "buy", 1, price_ticks=5)


def test_misuse_is_an_answer(driver):
    book = solvent.Book()
    exchange = driver.begin(book)
    advance = command(CommandType.ADVANCE)
    assert driver.apply(exchange, advance, 2, None) == driver.apply(exchange, advance, 0, None) == Code.BAD_RECORD
    assert driver.apply(exchange, None, 1, None) == Code.BAD_RECORD
    assert driver.apply(exchange, command(999), 1, None) == Code.UNKNOWN_COMMAND
    joined = batch([command(CommandType.CANCEL, account=1, order_id=1)], NOBODY)
    assert driver.apply(exchange, joined, 2, None) == Code.BAD_RECORD
    for kind in (CommandType.OPEN_ACCOUNT, CommandType.ADD_INSTRUMENT):
        assert driver.apply(exchange, command(kind, records=2) + bytes(64), 2, None) == -3
    assert driver.apply(None, advance, 1, None) == -1
    keep = book._kernel  # the pointer stays one
    assert driver.end(exchange) == 0 and driver.end(exchange) == -1 and driver.apply(exchange, advance, 1, None) == -1
    assert book.command_count == 1 and keep is book._kernel


def test_kept_exchanges_and_others_are_refused(driver, tmp_path):
    recorded = solvent.Book()
    recorded.record()
    with solvent.open(tmp_path / "j", [Instrument("X")]) as kept:
        for face in (recorded, kept):
            with pytest.raises(InputError, match="are kept"):
                driver.begin(face)
            assert face.command_count == 0 and face.advance(1) is None
    for other in (solvent.reference.Book(), None, 5):
        with pytest.raises(TypeError):
            driver.begin(other)


def test_a_halted_exchange_says_so(driver):
    """Memory for events is gone in the middle of a command: the answer says so, and every later one."""
    pool, halted = pytest.importorskip("solvent._core.base.pool"), 0
    for nth in range(1, 12):
        book = solvent.Book()
        exchange, code = driver.begin(book), 0
        pool.deny(nth)
        for i in range(200):
            order = command(CommandType.ORDER, account=1, side=0, price_ticks=50 + i, size_lots=1)
            code = driver.apply(exchange, order, 1, None)
            if code:
                break
        pool.deny(0)
        assert code in (0, -2, Code.TOO_MANY_ORDERS)
        if code == -2:
            halted += 1
            assert driver.apply(exchange, command(CommandType.ADVANCE), 1, None) == -2
        driver.end(exchange)
        if code == -2:
            with pytest.raises(Halted):
                driver.begin(book)
    assert halted


def test_the_benchmark_says_what_the_same_commands_say_in_python():
    """A short run of benchmarks/c_face.py: sums over the codes and events of five markets."""
    pytest.importorskip("Cython")
    import c_face

    for name, row in c_face.measured(1_000, 1).items():
        book, total = solvent.Book(4 * c_face.HOME_TICKS, seed=1), 0
        records = c_face.flow(c_face.SWINGS[name], 1_000)
        for at in range(0, len(records), 64):
            begin = book._kernel.next_seq
            total = total * 31 + book._kernel.apply(records[at : at + 64])
            for event in decode(bytes(book._kernel.view(begin, book._kernel.next_seq))):
                if event.type in (EventType.TRADE, EventType.DONE):
                    total = (total * 31 + event.record[10] + event.record[11]) % 2**64
        print(name, row)
        assert row["events"] == f"{total % 2**64:016x}"
