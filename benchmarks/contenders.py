"""Who is measured, how a flow is played on each, and the proof that they did the same.

Batches of 2,048 commands, cut before the clock starts; a fresh book for each playing; the collector of garbage is off.
"""

from collections.abc import Callable, Iterable
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np

from flows import Flow
from native import address, cythonized
from solvent import Book
from solvent.records import RECORD_BYTES, EventType, dtype
from yardstick import Yardstick, checksum

BATCH = 2_048
PAIRS = 20_000


def book(trades_only: bool = True) -> Book:
    """A fresh solvent.Book over 2**24 ticks that keeps no events beyond what a reader waits for."""
    return Book(2**24 - 1, retain=False, log=(EventType.TRADE,) if trades_only else None)


class Cut(NamedTuple):
    """A flow as batches, for solvent as bytes, for C as (address, records) of the same bytes."""

    warm: list[bytes]
    main: list[bytes]
    resting: int
    messages: int
    warm_at: list[tuple[int, int]]
    main_at: list[tuple[int, int]]


def cut(flow: Flow) -> Cut:
    """Both parts of a flow in batches."""
    step = BATCH * RECORD_BYTES
    parts = [[part[at : at + step] for at in range(0, len(part), step)] for part in (flow.warm, flow.main)]
    places = [[(address(batch), len(batch) // RECORD_BYTES) for batch in part] for part in parts]
    return Cut(*parts, flow.resting, len(flow.main) // RECORD_BYTES, *places)


def timed(run: Callable[[bytes], Any], batches: Iterable[bytes]) -> int:
    """Nanoseconds of all batches."""
    start = perf_counter_ns()
    for batch in batches:
        run(batch)
    return perf_counter_ns() - start


def timed_at(run: Callable[[int, int], Any], batches: Iterable[tuple[int, int]]) -> int:
    """`timed` for C."""
    start = perf_counter_ns()
    for at, records in batches:
        run(at, records)
    return perf_counter_ns() - start


def play_solvent(flow: Cut, trades_only: bool = True) -> tuple[int, Book]:
    """Nanoseconds of the main part on a fresh Book, and the Book."""
    made = book(trades_only)
    timed(made.run, flow.warm)
    return timed(made.run, flow.main), made


def play_yardstick(flow: Cut, *flags: str) -> int:
    """Nanoseconds of the main part on a fresh C book."""
    made = Yardstick(*flags)
    timed_at(made.run_at, flow.warm_at)
    took = timed_at(made.run_at, flow.main_at)
    made.close()
    return took


# --- the same work ------------------------------------------------------------------------------------------


class Proof(NamedTuple):
    """What a flow leads to, the same in every contender."""

    trades: int
    checksum: int
    digest: int


def proof(flow: Cut) -> Proof:
    """Plays a flow on the yardstick and on both kinds of Book; everything is accepted, and all trades are equal."""
    yard, books = Yardstick(ring=1 << 17), [book(trades_only) for trades_only in (True, False)]
    cursors = [each.cursor() for each in books]
    wanted, sums = 0, [0] * len(books)
    for batch in flow.warm + flow.main:
        trades = yard.last(yard.run(batch))
        wanted = checksum(wanted, trades)
        for i, each in enumerate(books):
            assert not each.run(batch).code.any(), "a command of a flow was refused"
            events = cursors[i].array()
            events = events[events["type"] == EventType.TRADE]
            same = np.frombuffer(trades, dtype("event"))
            for field in ("side", "account", "a", "b", "c", "d", "e"):
                assert (events[field] == same[field]).all(), "solvent and the yardstick trade differently"
            sums[i] = checksum(sums[i], events.tobytes())
    assert sums == [wanted] * len(books)
    digests = {each.digest() for each in books}
    assert len(digests) == 1, "what is logged changed the state"
    return Proof(yard.trades, wanted, digests.pop())


# --- from Python --------------------------------------------------------------------------------------------

PRICES = [2**23 - 50 - i * 7 % 900 for i in range(PAIRS)]


def empty_call() -> int:
    """Nanoseconds of PAIRS empty four-argument calls, the loop included."""
    call = cythonized("empty").Empty().call
    start = perf_counter_ns()
    for price in PRICES:
        call(16, 0, price, 1)
    return perf_counter_ns() - start


def submit_cancel(flow: Cut) -> int:
    """Nanoseconds of PAIRS times one resting order and its cancel, on a book with the flow's orders, loop included."""
    made = book()
    timed(made.run, flow.warm)
    return min(_submit_revoke(made) for _ in range(5))


def _submit_revoke(made: Any) -> int:
    submit, revoke = made.submit, made.revoke
    start = perf_counter_ns()
    for price in PRICES:
        revoke(16, submit(16, 0, price, 1).order_id)
    return perf_counter_ns() - start


def read_events(flow: Cut) -> float:
    """Nanoseconds an event of reading three attributes of each trade of 100 batches, loop included; best of three."""
    made = book()
    made.drain()
    timed(made.run, flow.warm)
    for _ in made.drain():
        pass
    best = float("inf")
    for part in range(3):
        timed(made.run, flow.main[part * 100 : part * 100 + 100])
        events = made._kernel.next_seq - made._kernel.first_seq
        start = perf_counter_ns()
        for e in made.drain():
            e.price_ticks  # noqa: B018
            e.size_lots  # noqa: B018
            e.maker_order_id  # noqa: B018
        best = min(best, (perf_counter_ns() - start) / max(events, 1))
        if len(flow.main) < part * 100 + 200:
            break
    return best


# --- latency ------------------------------------------------------------------------------------------------

QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.99": 0.9999, "max": 1}


def spread(ns: "np.ndarray[Any, Any]") -> dict[str, int]:
    """The quantiles of a latency."""
    return {name: int(np.quantile(ns, q, method="higher")) for name, q in QUANTILES.items()}


def latency(flow: Flow) -> dict[str, dict[str, int]]:
    """Per message, timed in C: pools cold (the first 100,000 messages of a fresh book) and warm (all later ones).

    One reading of the clock is in every figure. For scale: the yardstick, and the clock alone, whose outliers are the
    machine's.
    """
    records, cold = flow.warm + flow.main, 100_000
    ns = {"yardstick": Yardstick().stamp(records), "clock alone": Yardstick().stamp(records, clock_alone=True)}
    stamp = cythonized("latency").stamp
    for name, trades_only in (("solvent, TRADE only", True), ("solvent, all events", False)):
        ns[name] = np.zeros(len(records) // RECORD_BYTES, np.int64)
        stamp(book(trades_only)._kernel, records, ns[name], BATCH)
    return {
        f"{name}, {state}": spread(part)
        for name, each in ns.items()
        for state, part in (("cold", each[:cold]), ("warm", each[cold:]))
    }
