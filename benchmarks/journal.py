"""What a journal costs: the same commands with and without one, in turn, round by round; the least of the rounds is compared.

python benchmarks/journal.py [--rounds 9] [--folder DIR] [--gate]

* run: batches of a margin flow through Exchange.run, with a journal under "interval" and without one. The time of the playing
  thread and, beside it, the time of the clock: the sync is the work of another thread and of the disk.
* book flow: the same with resting orders and cancels that nobody meets, which shows the journal itself.
* order: one durable order ("every"), against a write of as many bytes and its fdatasync on the same disk, one after the other.
* recovery: replaying the journal of the first flow, checksums and events compared, against playing the flow in the same pieces
  without a journal.
* snapshot: writing and loading the state with a million accounts and orders, in GB a second of CPU time (page cache).
"""

import argparse
import gc
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import solvent
from flows import HOME_TICKS, Venue, near_touch
from rounds import COMMANDS
from solvent.records import RECORD_BYTES, CommandType, command
from solvent.store import snapshot
from solvent.store.files import Folder
from solvent.store.journal import snapshot_name
from solvent.store.keeper import PIECE_RECORDS
from solvent.store.recovery import made, said_of

BATCH = 65_536 * RECORD_BYTES
PIECE = PIECE_RECORDS * RECORD_BYTES
MEMORY = Path("/dev/shm")  # a file system that is a page cache and no more
GATES = {"run, margin": 1.6, "order": 1.3, "recovery": 1.4}  # recovery: what a journalled run takes, at least


def journalled(folder: Path, policy: str) -> solvent.Exchange:
    """The exchange of Venue.make with a journal, made by the same commands."""
    plain = Venue()
    instruments = [solvent.Instrument("I0", tiers=[solvent.Tier(10**6, "0.005", "0.01")])]
    ex = solvent.open(folder, instruments, sync=policy)
    for number in range(plain.accounts):
        ex.deposit(f"a{number}", "USDT", 10**8)
    ex.mark("I0", "50000")
    return ex


def quiet_flow(commands: int) -> bytes:
    """Orders that rest and cancels of unknown orders: little work for the exchange, so that the journal shows."""
    order = command(CommandType.ORDER, account=16, price_ticks=HOME_TICKS - 100, size_lots=1, tif=1)
    cancel = command(CommandType.CANCEL, account=16, order_id=99)
    return (order + cancel) * (commands // 2)


def played(ex: solvent.Exchange, flow: bytes, size: int = BATCH) -> tuple[int, int]:
    """Nanoseconds of the thread, and of the clock."""
    view, begin, thread = memoryview(flow), time.perf_counter_ns(), time.thread_time_ns()
    for at in range(0, len(view), size):
        ex.run(view[at : at + size])
    return time.thread_time_ns() - thread, time.perf_counter_ns() - begin


def runs(flow: bytes, rounds: int, place: Path) -> dict[str, tuple[int, int]]:
    """The least times of both, by who played."""
    best: dict[str, tuple[int, int]] = {}
    for number in range(rounds):
        for who in ("plain", "journal") if number % 2 else ("journal", "plain"):
            with tempfile.TemporaryDirectory(dir=place) as folder:
                ex = Venue().make() if who == "plain" else journalled(Path(folder) / "j", "interval")
                gc.collect()
                took = played(ex, flow)
                ex.close()
            best[who] = tuple(map(min, took, best.get(who, took)))  # type: ignore[assignment]
    return best


def orders(count: int, place: Path) -> tuple[float, float]:
    """Medians of a durable order and of a write with its fdatasync, in turn."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        ex = journalled(Path(folder) / "j", "every")
        fd = os.open(Path(folder) / "bare", os.O_RDWR | os.O_CREAT)
        block, times = bytes(RECORD_BYTES + 61), ([], [])
        for number in range(count):
            began = time.perf_counter_ns()
            ex.submit(16, 0, HOME_TICKS - 100 - number % 50, 1)
            middle = time.perf_counter_ns()
            os.pwrite(fd, block, number * len(block))
            os.fdatasync(fd)
            times[0].append(middle - began)
            times[1].append(time.perf_counter_ns() - middle)
        os.close(fd)
        ex.close()
    return median(times[0]), median(times[1])


def recoveries(flow: bytes, rounds: int, place: Path) -> tuple[int, int]:
    """The least CPU time of opening the flow's journal, less that of what was before the flow, and of playing the flow."""
    opened: dict[str, list[int]] = {"before": [], "after": []}
    live = []
    with tempfile.TemporaryDirectory(dir=place) as folder:
        for name in opened:
            ex = journalled(Path(folder) / name, "none")
            if name == "after":
                played(ex, flow)
            ex.close()
        for _ in range(rounds):
            plain = Venue().make()
            gc.collect()
            live.append(played(plain, flow, PIECE)[0])
            for name, times in opened.items():
                began = time.thread_time_ns()
                again = solvent.open(Path(folder) / name)
                times.append(time.thread_time_ns() - began)
                again.close()
    return min(opened["after"]) - min(opened["before"]), min(live)


def snapshots(accounts: int, place: Path) -> tuple[int, float, float, float, float]:
    """Bytes of a snapshot with as many accounts and orders; seconds of the digest, of writing, of loading, and of the digest
    of what was loaded, which makes the names anew."""
    instruments = [solvent.Instrument("I0", tiers=[solvent.Tier(10**6, "0.005", "0.01")])]
    ex = solvent.Exchange(instruments, seed=7, retain=False)
    records = [command(CommandType.MARK, price_ticks=HOME_TICKS)]
    for number in range(accounts):
        records.append(command(CommandType.OPEN_ACCOUNT, records=2) + f"a{number}".encode().ljust(64, b"\0"))
        records.append(command(CommandType.DEPOSIT, account=16 + number, amount=10**12))
        records.append(
            command(CommandType.ORDER, account=16 + number, price_ticks=HOME_TICKS - 100 - number % 5_000, size_lots=1)
        )
    ex.run(b"".join(records))
    said = said_of(ex.venue, ex._kernel, ex._wanted)
    began = time.thread_time()
    ex.digest()
    digest = time.thread_time() - began
    with tempfile.TemporaryDirectory(dir=place) as folder:
        disk = Folder(folder)
        began = time.thread_time()
        snapshot.save(disk, ex._kernel, said, ex.command_count, 0)
        wrote = time.thread_time() - began - digest
        size = (Path(folder) / snapshot_name(ex.command_count)).stat().st_size
        face = made(said)
        whole, again = face.digest, 0.0

        def timed() -> int:
            nonlocal again
            began = time.thread_time()
            found = whole()
            again = time.thread_time() - began
            return found

        face.digest = timed  # type: ignore[method-assign]
        began = time.thread_time()
        snapshot.load(disk, face, ex.command_count, 0)
        loaded = time.thread_time() - began - again
    return size, digest, wrote, loaded, again


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk that is to be measured")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a ratio is above its gate")
    asked = parser.parse_args()
    flow = near_touch(seed=1, commands=COMMANDS, venue=Venue())
    ratios: dict[str, float] = {}
    for name, played_flow in (("run, margin", flow), ("run, quiet", quiet_flow(COMMANDS))):
        best = runs(played_flow, asked.rounds, asked.folder)
        ratios[name] = best["journal"][0] / best["plain"][0]
        each = {who: COMMANDS / took[1] * 1_000 for who, took in best.items()}
        print(f"{name:14} journal : none {ratios[name]:.2f} (thread), {best['journal'][1] / best['plain'][1]:.2f} (clock); "
              f"{each['journal']:.2f} and {each['plain']:.2f} million commands a second")  # fmt: skip
    durable, bare = orders(400, asked.folder)
    ratios["order"] = durable / bare
    print(f"{'order':14} durable : write and fdatasync {ratios['order']:.2f}; {durable / 1e3:.0f} and {bare / 1e3:.0f} us")
    opened, live = recoveries(flow, asked.rounds, asked.folder)
    ratios["recovery"] = opened / live
    rate = COMMANDS / opened * 1_000
    print(f"{'recovery':14} replaying : playing {ratios['recovery']:.2f} (thread); {rate:.2f} million commands a second")
    size, digest, wrote, loaded, again = snapshots(1_000_000, MEMORY if MEMORY.is_dir() else asked.folder)
    speeds = f"written at {size / wrote / 1e9:.2f}, loaded at {size / loaded / 1e9:.2f} GB a second"
    print(f"{'snapshot':14} {size / 1e6:.0f} MB, {speeds}; digest {digest:.2f} s, of what was loaded {again:.2f} s")
    return int(asked.gate and any(ratios[name] > gate for name, gate in GATES.items()))


if __name__ == "__main__":
    raise SystemExit(main())
