"""How costs grow: each case at three sizes, and the exponent between them. A case whose work is linear has at most LIMIT.

python benchmarks/scaling.py [--only parcels] [--scale 10] [--rounds 3] [--gate]
Prints the nanoseconds of a unit of work at each size, the least of rounds, and the exponent of the whole. Time is the CPU time
of the thread. The digest is that of all answers and states: two builds that print the same one did the same.
"""

import argparse
import hashlib
import math
import sys
from collections.abc import Callable, Iterable
from time import thread_time_ns

import numpy as np

from marks import FIRST_USER, HOME, names, records
from solvent import Collateral, Exchange, Funding, Instrument, PriceModel, Tier
from solvent.records import RECORD_BYTES, CommandType, Flag, Tif, TriggerKind, command, extension

LIMIT = 1.15
RICH = 10**14
ALL = 2**32 - 1
TIERS = [Tier(1_000, "0.004", "0.008"), Tier(10**7, "0.005", "0.01")]
Timed = Callable[[], object]


class Case:
    """One kind of work: `prepare` returns what is timed. sizes: of the smallest, which is scaled up twice."""

    def __init__(self, name: str, size: int, prepare: Callable[[int], Timed], flat: bool = False):
        self.name, self.size, self.prepare, self.flat = name, size, prepare, flat


CASES: list[Case] = []


def case(name: str, size: int, flat: bool = False) -> Callable[[Callable[[int], Timed]], Callable[[int], Timed]]:
    """Lists a case. flat: the work is the same at every size."""

    def listed(prepare: Callable[[int], Timed]) -> Callable[[int], Timed]:
        CASES.append(Case(name, size, prepare, flat))
        return prepare

    return listed


# --- Worlds ----------------------------------------------------------------------------------------------


def venue(instruments: int = 1, accounts: int = 1, **terms: object) -> Exchange:
    """Instruments with a mark, and accounts that are rich."""
    terms = {"tiers": TIERS, "max_size": "100000", **terms}
    ex = Exchange([Instrument(f"I{i}", **terms) for i in range(instruments)], retain=True)
    ex.run(names(accounts))
    ex.run(records(CommandType.DEPOSIT, account=users(accounts), amount=RICH))
    if "prices" not in terms:
        ex.run(marks(instruments, HOME))
    return ex


def users(count: int, first: int = 0) -> np.ndarray:
    return np.arange(FIRST_USER + first, FIRST_USER + first + count)


def marks(instruments: int, ticks: int) -> bytes:
    return b"".join(command(CommandType.MARK, instrument=i, price_ticks=ticks) for i in range(instruments))


def orders(account: np.ndarray, **terms: object) -> bytes:
    return records(CommandType.ORDER, account=account, **({"price_ticks": HOME, "size_lots": 10} | terms))


def run(ex: Exchange, batch: bytes) -> Timed:
    return lambda: (ex.run(batch), ex)


def against(ex: Exchange, longs: np.ndarray, shorts: np.ndarray, lots: np.ndarray | int, instrument: int = 0) -> None:
    """Positions of pairs, at the mark."""
    who = np.column_stack([longs, shorts]).ravel()
    sizes = np.repeat(np.broadcast_to(lots, len(longs)), 2)
    answers = ex.run(orders(who, side=np.tile([0, 1], len(longs)), size_lots=sizes, instrument=instrument))
    assert not answers.code.any()


def keep(ex: Exchange, who: np.ndarray, cash: np.ndarray) -> None:
    """Leaves accounts so much cash."""
    has = ex.accounts_array()["cash_units"][who - FIRST_USER]
    assert not ex.run(records(CommandType.WITHDRAW, account=who, amount=has - cash.astype(np.int64))).code.any()


def pairs(count: int, seed: int = 1) -> Exchange:
    """As many longs with little cash as shorts with much."""
    ex = venue(accounts=2 * count)
    drawn = np.random.default_rng(seed)
    lots = drawn.integers(1, 20, count)
    ex.run(records(CommandType.SET_LEVERAGE, account=users(2 * count), instrument=0, amount=100))
    against(ex, users(count), users(count, count), lots)
    held = lots * HOME * ex.instruments[0].spec.units
    keep(ex, users(count), held * drawn.uniform(0.012, 0.05, count))
    keep(ex, users(count, count), held * drawn.uniform(0.012, 0.3, count))
    return ex


def holder(instruments: int, **terms: object) -> Exchange:
    """One account with a position in each instrument, and a second one against it."""
    ex = venue(instruments, 2, **terms)
    each = np.arange(instruments)
    for side, account in enumerate(users(2)):
        ex.run(orders(np.full(instruments, account), instrument=each, side=side))
    return ex


def resting(count: int) -> Exchange:
    """Parcels of one lot that rest in the book, each at a price of its own: worth more than they cost."""
    ex = venue(accounts=2 * count + 2)
    ex.run(records(CommandType.SET_LEVERAGE, account=users(2 * count), instrument=0, amount=100))
    against(ex, users(count), users(count, count), 10)
    held = np.full(count, 10 * HOME * ex.instruments[0].spec.units)
    keep(ex, users(count), held * np.linspace(0.0105, 0.0115, count))
    ex.run(marks(1, HOME * 9925 // 10_000))
    assert len(ex.parcels()) >= 0.8 * count, len(ex.parcels())
    return ex


# --- Liquidation -----------------------------------------------------------------------------------------


@case("ADL of n against n at one mark", 1_000)
def adl(size: int) -> Timed:
    return run(pairs(size), marks(1, HOME * 8 // 10))


@case("takeover of n, sold to one order", 1_000)
def takeovers(size: int) -> Timed:
    ex = pairs(size)
    ex.open_account("buyer")
    ex.deposit("buyer", "USDT", 10**7)
    ex.run(orders(users(1, 2 * size), side=0, price_ticks=HOME * 9 // 10, size_lots=20 * size))
    return run(ex, marks(1, HOME * 94 // 100))


@case("n resting parcels that go under water", 500)
def under_water(size: int) -> Timed:
    return run(resting(size), marks(1, HOME * 98 // 100))


@case("1,000 plain orders beside n resting parcels", 250, flat=True)
def beside_parcels(size: int) -> Timed:
    ex = resting(size)
    return run(ex, orders(np.tile(users(2, 2 * size), 500), side=np.tile([0, 1], 500), price_ticks=HOME * 98 // 100))


@case("n resting parcels, bought one by one", 250)
def bought(size: int) -> Timed:
    buyer = np.full(10 * size, FIRST_USER + 2 * size)
    return run(resting(size), orders(buyer, side=0, price_ticks=HOME, size_lots=1, tif=Tif.IOC))


@case("1,000 marks of another instrument beside n resting parcels", 250, flat=True)
def marks_beside(size: int) -> Timed:
    ex = resting(size)
    ex.add_instrument(Instrument("J", tiers=TIERS))
    return run(ex, command(CommandType.MARK, instrument=1, price_ticks=HOME) * 1_000)


# --- Marks, funding, settlement --------------------------------------------------------------------------


@case("1,000 quiet marks among n holders", 1_000, flat=True)
def quiet(size: int) -> Timed:
    ex = venue(accounts=2 * size)
    against(ex, users(size), users(size, size), 10)
    ex.run(marks(1, HOME) * 20)
    return run(ex, marks(1, HOME + 1) * 1_000)


@case("1,000 collateral prices among n who have none", 1_000, flat=True)
def no_collateral(size: int) -> Timed:
    listed = [Instrument("I0", tiers=TIERS), Instrument("E", tiers=TIERS)]
    ex = Exchange(listed, collateral=[Collateral("ETH", of="USDT", price="E", haircut="0.1", decimals=4)])
    ex.run(names(size))
    ex.run(marks(2, HOME))
    return run(ex, command(CommandType.MARK, instrument=1, price_ticks=HOME + 1) * 1_000)


@case("a funding of n holders", 1_000)
def funding(size: int) -> Timed:
    ex = venue(accounts=2 * size)
    against(ex, users(size), users(size, size), 10)
    return run(ex, command(CommandType.FUNDING, instrument=0, order_id=1, amount=10_000))


@case("a settlement of n holders", 1_000)
def settlement(size: int) -> Timed:
    ex = venue(accounts=2 * size)
    against(ex, users(size), users(size, size), 10)
    return run(ex, command(CommandType.SETTLE, instrument=0))


@case("n instruments delisted, one account in all", 50)
def delisted(size: int) -> Timed:
    ex = holder(size)
    return run(ex, b"".join(command(CommandType.SETTLE, instrument=i) for i in range(size)))


@case("100 marks after n flat positions of one account", 100, flat=True)
def flat_rows(size: int) -> Timed:
    ex = holder(size)
    ex.run(orders(np.full(size, FIRST_USER), instrument=np.arange(size), side=1))
    ex.run(orders(np.full(size, FIRST_USER + 1), instrument=np.arange(size), side=0))
    return run(ex, orders(np.tile(users(2), 50), side=np.tile([0, 1], 50)) + marks(1, HOME))


@case("an hour of n instruments with price models", 25)
def models(size: int) -> Timed:
    model = PriceModel(components=["index"], sample_ns=10**10, funding=Funding(interval_ns=60 * 10**9))
    ex = venue(size, prices=model)
    ex.run(b"".join(command(CommandType.INDEX, instrument=i, price_ticks=HOME) for i in range(size)))
    return run(ex, command(CommandType.ADVANCE, time_ns=10**9 * 3_600))


# --- Orders ----------------------------------------------------------------------------------------------


def conditional(size: int, kind: TriggerKind, **terms: int) -> bytes:
    """Orders of many accounts that wait for a mark."""
    made = np.zeros((size, 2, RECORD_BYTES), np.uint8)
    head = {"records": 2, "instrument": 0, "side": 0, "tif": Tif.IOC, "flags": Flag.MARKET, "size_lots": 1}
    made[:, 0] = np.frombuffer(records(CommandType.ORDER, account=users(size), **head), np.uint8).reshape(size, -1)
    made[:, 1] = np.frombuffer(extension(trigger_kind=kind, trigger_source=0, **terms), np.uint8)
    return made.tobytes()


@case("n triggers at one price", 500)
def triggers(size: int) -> Timed:
    ex = venue(accounts=size)
    assert not ex.run(conditional(size, TriggerKind.STOP, trigger_ticks=HOME + 100)).code.any()
    return run(ex, marks(1, HOME + 200))


@case("a new extreme among n trailing orders", 500)
def trailing(size: int) -> Timed:
    ex = venue(accounts=size)
    assert not ex.run(conditional(size, TriggerKind.TRAIL_TICKS, trail=1_000)).code.any()
    return run(ex, marks(1, HOME - 200))


@case("a mass cancel of n orders", 1_000)
def mass_cancel(size: int) -> Timed:
    ex = venue()
    ex.run(orders(np.full(size, FIRST_USER), price_ticks=HOME - 1 - np.arange(size) % 1_000, size_lots=1))
    return run(ex, command(CommandType.MASS_CANCEL, account=FIRST_USER, instrument=ALL, side=2))


@case("n fills beside 900 reduce-only orders of the position", 100)
def reducing(size: int) -> Timed:
    ex = venue(accounts=2)
    against(ex, users(1), users(1, 1), 10_000)
    ex.run(
        orders(np.full(900, FIRST_USER), side=1, price_ticks=HOME + 1 + np.arange(900), size_lots=10, flags=Flag.REDUCE_ONLY)
    )
    return run(
        ex, orders(np.tile([FIRST_USER, FIRST_USER + 1], size), side=np.tile([0, 1], size), size_lots=1, price_ticks=HOME)
    )


@case("a fill that cuts n reduce-only orders", 100)
def cut(size: int) -> Timed:
    ex = venue(accounts=2)
    against(ex, users(1), users(1, 1), size)
    ex.run(
        orders(np.full(size, FIRST_USER), side=1, price_ticks=HOME + 1 + np.arange(size), size_lots=1, flags=Flag.REDUCE_ONLY)
    )
    ex.run(orders(users(1, 1), side=0, size_lots=size))
    return run(ex, orders(users(1), side=1, size_lots=size, tif=Tif.IOC))


@case("n orders that open in n instruments", 50)
def opening(size: int) -> Timed:
    return lambda: holder(size)


@case("an order of a holder of n instruments", 16)
def wide(size: int) -> Timed:
    ex = holder(size)
    return run(ex, orders(np.tile(users(2), 100), side=np.tile([0, 1], 100), size_lots=1))


@case("an order in a tier group of n held instruments", 4)
def group(size: int) -> Timed:
    ex = holder(size, basis="net", tier_group=1)
    return run(ex, orders(np.tile(users(2), 100), side=np.tile([0, 1], 100), size_lots=1))


# --- Views -----------------------------------------------------------------------------------------------


@case("positions_array of n accounts", 1_000)
def positions(size: int) -> Timed:
    ex = venue(accounts=2 * size)
    against(ex, users(size), users(size, size), 10)
    return ex.positions_array


@case("positions_array of an account in n instruments", 50)
def positions_of_one(size: int) -> Timed:
    return holder(size).positions_array


@case("liquidations_array of an account in n instruments", 50)
def liquidations(size: int) -> Timed:
    return holder(size).liquidations_array


@case("liquidations_array of a group of n instruments", 4)
def liquidations_of_group(size: int) -> Timed:
    return holder(size, basis="net", tier_group=1).liquidations_array


@case("account() of n cross positions", 16)
def account(size: int) -> Timed:
    ex = holder(size)
    return lambda: repr(ex.account(FIRST_USER))


@case("construction with n instruments", 50)
def construction(size: int) -> Timed:
    return lambda: venue(size)


@case("n instruments added", 25)
def added(size: int) -> Timed:
    ex = venue()
    listed = [Instrument(f"N{i}", tiers=TIERS) for i in range(size)]

    def timed() -> Exchange:
        for each in listed:
            ex.add_instrument(each)
        return ex

    return timed


# --- The run ---------------------------------------------------------------------------------------------


def least(case: Case, size: int, rounds: int, digest: "hashlib._Hash") -> float:
    """Nanoseconds, the least of rounds; what was done goes into the digest once."""
    times = []
    for number in range(rounds):
        timed = case.prepare(size)
        begin = thread_time_ns()
        done = timed()
        times.append(thread_time_ns() - begin)
        if number == 0:
            digest.update(case.name.encode() + summed(done))
    return min(times)


def summed(done: object) -> bytes:
    """A digest of what was done."""
    if isinstance(done, tuple):
        return b"".join(map(summed, done))
    if isinstance(done, Exchange):
        return str(done.digest()).encode()
    if isinstance(done, str):
        return done.encode()
    return np.asarray(getattr(done, "code", done)).tobytes()


def measure(cases: Iterable[Case], scale: int, rounds: int) -> tuple[list[tuple[Case, list[float], float]], str]:
    """Each case's nanoseconds at three sizes with their exponent, and the digest of all that was done."""
    digest, found = hashlib.sha256(), []
    for each in cases:
        sizes = [each.size, each.size * scale, each.size * scale**2]
        times = [least(each, size, rounds, digest) for size in sizes]
        exponent = math.log(times[2] / times[1]) / math.log(scale)
        found.append((each, times, exponent))
        print(
            f"{each.name:60}"
            + "".join(f"{time / (1 if each.flat else size):>12,.0f}" for time, size in zip(times, sizes, strict=True))
            + f"{exponent:>10.2f}",
            flush=True,
        )
    return found, digest.hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--scale", type=int, default=4, help="from one size to the next")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gate", action="store_true", help="exit 1 where an exponent is above its limit")
    asked = parser.parse_args()
    print(f"{'ns a unit, of the smallest size up':60}{'1':>12}{asked.scale:>12}{asked.scale**2:>12}{'exponent':>8}")
    found, digest = measure([each for each in CASES if asked.only in each.name], asked.scale, asked.rounds)
    print(f"digest {digest}")
    steep = [each.name for each, _, exponent in found if exponent > (LIMIT - 1 if each.flat else LIMIT)]
    print("too steep: " + ", ".join(steep) if steep else f"no exponent is above {LIMIT}")
    return bool(asked.gate and steep)


if __name__ == "__main__":
    sys.exit(main())
