"""Cost of a mark against the number of accounts: quiet, on the edge, in a crash, in one gap, and of deleveraging.

python benchmarks/marks.py [--sizes 10000,100000,1000000] [--instruments 5] [--only quiet,walk]
Prints nanoseconds of a mark at each size, and the exponent between the first size and the last. Time is the CPU time of the
thread. Every account holds a position in each instrument, long or short in turn; its cash lies between 0.3 and 100 % of what
it holds. It uses of a build only what every revision has: with another build's `engine` in PYTHONPATH it times that one.
"""

import argparse
import gc
import math
from random import Random
from statistics import mean, median
from time import thread_time_ns

import numpy as np

from solvent import Exchange, Instrument, Tier
from solvent.records import RECORD_BYTES, CommandType, EventType, Tif, command, dtype

FIRST_USER = 16
RICH = 10**12
HOME = 500_000  # ticks of 0.1
LOTS = 10  # contracts of 0.01


def records(kind: CommandType, account: np.ndarray, **fields: object) -> bytes:
    """One command of a kind for each account."""
    made = np.zeros(len(account), dtype("command"))
    made["type"], made["records"], made["account"] = kind, 1, account
    for name, value in fields.items():
        made[name] = value
    return made.tobytes()


def names(accounts: int) -> bytes:
    """An OPEN_ACCOUNT, of two records, for each account."""
    made = np.zeros((accounts, 2, RECORD_BYTES), np.uint8)
    heads = made[:, 0].view(dtype("command")).reshape(-1)
    heads["type"], heads["records"] = CommandType.OPEN_ACCOUNT, 2
    listed = np.array([f"a{number}".encode() for number in range(accounts)], f"S{RECORD_BYTES}")
    made[:, 1] = listed.view(np.uint8).reshape(accounts, -1)
    return made.tobytes()


def world(accounts: int, instruments: int, seed: int, lowest: float = 0.003) -> Exchange:
    """An exchange whose accounts hold positions against each other; cash is drawn, log-uniform, of what each holds."""
    tiers = [Tier(1_000, "0.004", "0.008"), Tier(10**6, "0.005", "0.01")]
    ex = Exchange([Instrument(f"I{i}", tiers=tiers) for i in range(instruments)], retain=False, log=[EventType.TRADE])
    ex.run(b"".join(command(CommandType.MARK, instrument=i, price_ticks=HOME) for i in range(instruments)))
    ex.run(names(accounts))
    who = np.arange(FIRST_USER, FIRST_USER + accounts)
    ex.run(records(CommandType.DEPOSIT, account=who, amount=RICH))
    for instrument in range(instruments):
        ex.run(records(CommandType.SET_LEVERAGE, account=who, instrument=instrument, amount=100))
        terms = {"instrument": instrument, "price_ticks": HOME, "size_lots": LOTS}
        ex.run(records(CommandType.ORDER, account=who, side=who & 1, tif=Tif.GTC, **terms))
    held = LOTS * instruments * HOME * ex.instruments[0].spec.units
    random = np.random.default_rng(seed)
    kept = held * (0.0115 + np.exp(random.uniform(math.log(lowest), 0.0, accounts)))
    cash = ex.accounts_array()["cash_units"][-accounts:]
    answers = ex.run(records(CommandType.WITHDRAW, account=who, amount=cash - kept.astype(np.int64)))
    assert not answers.code.any(), set(answers.code.tolist())
    return ex


def times(ex: Exchange, marks: list[tuple[int, int]], each: int = 1) -> list[float]:
    """Nanoseconds of a mark, `each` of them told in one batch."""
    found = []
    for at in range(0, len(marks), each):
        batch = b"".join(command(CommandType.MARK, instrument=i, price_ticks=ticks) for i, ticks in marks[at : at + each])
        begin = thread_time_ns()
        ex.run(batch)
        found.append((thread_time_ns() - begin) / each)
    return found


def walk(random: Random, instruments: int, ticks: int, step: int) -> list[tuple[int, int]]:
    """Marks of all instruments in turn, each a few ticks from its last."""
    at, marks = [HOME] * instruments, []
    for number in range(ticks):
        instrument = number % instruments
        at[instrument] += random.randint(-step, step)
        marks.append((instrument, at[instrument]))
    return marks


def settled(ex: Exchange, instruments: int) -> Exchange:
    """The same exchange after some marks."""
    times(ex, walk(Random(3), instruments, 400, 1))
    return ex


def measured(accounts: int, instruments: int, only: set[str]) -> dict[str, float]:
    """Each line's nanoseconds a mark at a size."""
    found: dict[str, float] = {}
    edge = world(accounts, instruments, 1)
    gc.collect()
    found["first marks, worst"] = max(times(edge, walk(Random(3), instruments, 400, 1)))
    if "walk" in only:
        found["walk of 1 bp, mean"] = mean(times(settled(edge.fork(), instruments), walk(Random(4), instruments, 4_000, 50)))
    for gap in (2, 5, 20) if "gap" in only else ():
        ex = settled(edge.fork(), instruments)
        found[f"gap of {gap} %"] = times(ex, [(0, HOME * (100 - gap) // 100)])[0]
    if "quiet" in only:
        ex = settled(world(accounts, instruments, 1, lowest=0.5), instruments)
        found["quiet, median"] = median(times(ex, walk(Random(5), instruments, 20_000, 50), 1_000))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--instruments", type=int, default=5)
    parser.add_argument("--only", default="quiet,walk,gap")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    columns = [measured(size, asked.instruments, set(asked.only.split(","))) for size in sizes]
    print(f"{'ns a mark':28}" + "".join(f"{size:>14,}" for size in sizes) + f"{'exponent':>12}")
    for name in columns[0]:
        values = [column[name] for column in columns]
        exponent = math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]) if len(sizes) > 1 else 0.0
        print(f"{name:28}" + "".join(f"{value:>14,.0f}" for value in values) + f"{exponent:>12.2f}")


if __name__ == "__main__":
    main()
