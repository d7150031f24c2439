"""What copies of an exchange cost: fork, image to a file and back, digest, preview. One JSON in results/copies.json.

Every figure is CPU time of the thread, the least of some rounds: others use this machine, too. The file lies in the page
cache. Sizes: 100,000 accounts with positions for the fork and the preview, a million accounts, positions and orders for the
rest.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import Any

import numpy as np

from bench import commit, machine, today
from solvent import Exchange, Instrument
from solvent.records import RECORD_BYTES, CommandType, Side, dtype
from solvent.schema.limits import NAME_BYTES

RESULT = Path(__file__).parent / "results" / "copies.json"
ROUNDS = 7
FIRST = 16  # the first account
MARK = 50_000


def commands(count: int, kind: CommandType, **fields: Any) -> "np.ndarray[Any, Any]":
    """So many commands of a kind."""
    made = np.zeros(count, dtype("command"))
    made["type"], made["records"] = kind, 1
    for name, value in fields.items():
        made[name] = value
    return made


def made(accounts: int, orders: int) -> Exchange:
    """An exchange of so many accounts, each with a position, and with so many resting orders."""
    ex = Exchange([Instrument("BTC", tick="0.1", max_price=100_000)], retain=False, log=[], seed=1)
    opening = np.zeros((accounts, 2 * RECORD_BYTES), np.uint8)
    heads = commands(accounts, CommandType.OPEN_ACCOUNT, records=2)
    opening[:, :RECORD_BYTES] = heads.view(np.uint8).reshape(-1, RECORD_BYTES)
    names = np.array([f"account {i:07}" for i in range(accounts)], f"S{NAME_BYTES}")
    opening[:, RECORD_BYTES:] = names.view(np.uint8).reshape(-1, NAME_BYTES)
    ex.run(opening.tobytes())
    who = np.arange(accounts) + FIRST
    ex.run(commands(accounts, CommandType.DEPOSIT, account=who, amount=10**12))
    ex.mark("BTC", MARK)
    side = np.where(np.arange(accounts) % 2 == 0, Side.SELL, Side.BUY)
    fields = {"side": side, "price_ticks": MARK * 10, "size_lots": 1}
    answers = ex.run(commands(accounts, CommandType.ORDER, account=who, **fields))
    assert (answers.code == 0).all() and answers.filled_lots.sum() * 2 == accounts
    i = np.arange(orders)
    price = np.where(i % 2 == 0, MARK * 10 - 1 - i % 4_000, MARK * 10 + 1 + i % 4_000)
    resting = {"side": i % 2, "price_ticks": price, "size_lots": 1 + i % 7, "client_id": 0}
    answers = ex.run(commands(orders, CommandType.ORDER, account=FIRST + i % accounts, **resting))
    assert (answers.code == 0).all() and not answers.filled_lots.any()
    return ex


def of_five() -> Exchange:
    """An account with positions in five contracts, and somebody to trade with."""
    ex = Exchange([Instrument(f"I{i}", tick="0.1", max_price=100_000) for i in range(5)], seed=1)
    for name in ("taker", "maker"):
        ex.deposit(name, "USDT", 10**6)
    for each in ex.instruments:
        ex.mark(each.name, MARK)
        ex.order("maker", each.name, "sell", 50, price=MARK)
        ex.order("taker", each.name, "buy", 3, price=MARK)
    return ex


def least(call: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """The least CPU time of some calls, in seconds."""
    times = []
    for _ in range(rounds):
        start = thread_time()
        found = call()
        times.append(thread_time() - start)
        del found
    return min(times)


def written(ex: Exchange, path: Path) -> int:
    """Writes an image to a file, each block's data behind the one before. Returns the number of bytes."""
    with path.open("wb", buffering=0) as file:
        return sum(file.write(data) for *_, data in ex._kernel.image() if data.nbytes)


def loaded(blank: Any, path: Path, shape: list[tuple[str, int, int]], checksum: int) -> Any:
    """Fills a new kernel from the file, checksum and ranges included."""
    data = memoryview(np.memmap(path, np.uint8, "r"))
    blocks, at = [], 0
    for name, item_bytes, count in shape:
        blocks.append((name, item_bytes, count, data[at : at + item_bytes * count]))
        at += item_bytes * count
    blank.restore(blocks, checksum)
    return blank


def measured(large: int, small: int) -> dict[str, float]:
    ex, five = made(small, small), of_five()
    seconds = {"fork": least(ex.fork)}
    order = commands(1, CommandType.ORDER, account=FIRST, price_ticks=MARK * 10 + 1, size_lots=3).tobytes()
    place = FIRST, 0, 0
    named = commands(1, CommandType.ORDER, account=FIRST, price_ticks=MARK * 10 + 1, size_lots=3, client_id=1).tobytes()
    seconds["preview on a fork"] = least(lambda: ex._kernel.preview([named], *place))
    seconds["preview"] = least(lambda: [five._kernel.preview([order], *place) for _ in range(1_000)], 20) / 1_000
    ex = made(large, large)
    seconds["fork of the large one"] = least(ex.fork, 3)
    seconds["digest"] = least(ex.digest, 3)
    with TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder) / "image"
        size = written(ex, path)
        seconds["write"] = least(lambda: written(ex, path), 3)
        shape = [block[:3] for block in ex._kernel.image()]
        blanks = [ex._make_kernel() for _ in range(4)]
        checksum = blanks.pop().restore(ex._kernel.image())
        seconds["load"] = least(lambda: loaded(blanks.pop(), path, shape, checksum), 3)
    rates = {"bytes": size, "write GB/s": size / seconds["write"] / 1e9, "load GB/s": size / seconds["load"] / 1e9}
    return {f"{name} ms": round(value * 1_000, 4) for name, value in seconds.items()} | rates


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes: a look, no result")
    asked = parser.parse_args()
    found = measured(100_000 if asked.quick else 1_000_000, 10_000 if asked.quick else 100_000)
    for name, value in found.items():
        print(f"{name:24} {value:14,.3f}")
    if not asked.quick:
        RESULT.write_text(json.dumps({"date": today(), "commit": commit(), "machine": machine(), **found}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
