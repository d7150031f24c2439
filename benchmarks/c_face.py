"""One message at a time through the C face (docs/howto/c.md), its events read, in five markets that swing more or less.

A market: its middle swings once up and down by so many hundredths while the messages come. 15 % of the orders are IOC at the
other side; 95 % of the others are cancelled later and 20 % amended before, each by its client id. Every figure is CPU time of
the thread, the least of interleaved rounds. Results: results/c_face.json; --quick is a look, without a result.
"""

import argparse
import heapq
import json
import math
import sys
from pathlib import Path
from random import Random

from bench import commit, machine, today
from native import cythonized
from solvent import Book
from solvent.records import CommandType, Side, Tif, command

RESULT = Path(__file__).parent / "results" / "c_face.json"
SWINGS = {"static": 0, "2 %": 2, "25 %": 25, "40 %": 40, "60 %": 60}
HOME_TICKS = 500_000
MESSAGES, ROUNDS = 400_000, 7
SPREAD_TICKS = 40  # mean distance of an order from the middle
LIFE = 400  # mean number of messages until an order is cancelled or amended


def flow(swing: int, messages: int, seed: int = 1) -> bytes:
    """The messages of one market."""
    r, later, found = Random(seed), [], []  # type: ignore[var-annotated]
    client_id = 0
    while len(found) < messages:
        while later and later[0][0] <= len(found):
            found.append(heapq.heappop(later)[2])
        middle = HOME_TICKS * (1 + swing / 100 * math.sin(2 * math.pi * len(found) / messages))
        side, away, client_id = r.choice((Side.BUY, Side.SELL)), 1 + r.expovariate(1 / SPREAD_TICKS), client_id + 1
        outward = -1 if side == Side.BUY else 1
        name = {"account": 1 + side, "client_id": client_id}
        price, size = int(middle + outward * away), r.randrange(1, 50)
        if r.random() < 0.15:
            terms = {"price_ticks": int(middle - outward * away), "size_lots": size, "tif": Tif.IOC}
            found.append(command(CommandType.ORDER, side=side, **name, **terms))
            continue
        found.append(command(CommandType.ORDER, side=side, price_ticks=price, size_lots=size, **name))
        if r.random() < 0.2:
            moved = command(CommandType.AMEND, price_ticks=price + outward * r.randrange(3), size_lots=size + 1, **name)
            heapq.heappush(later, (len(found) + int(r.expovariate(2 / LIFE)), client_id, moved))
        if r.random() < 0.95:
            heapq.heappush(later, (len(found) + int(r.expovariate(1 / LIFE)), client_id, command(CommandType.CANCEL, **name)))
    return b"".join(found[:messages])


def measured(messages: int, rounds: int) -> dict[str, dict[str, object]]:
    """The least nanoseconds a message of each market, and the sum over its events, which no machine changes."""
    face, flows = cythonized("face"), {name: flow(swing, messages) for name, swing in SWINGS.items()}
    best: dict[str, float] = {}
    sums: dict[str, set[int]] = {name: set() for name in SWINGS}
    for _ in range(rounds):
        for name, records in flows.items():
            ns, total = face.play(Book(4 * HOME_TICKS, retain=False, seed=1), records)
            best[name] = min(best.get(name, math.inf), ns / messages)
            sums[name].add(total)
    assert all(len(each) == 1 for each in sums.values()), sums
    return {name: {"ns": round(best[name], 1), "events": f"{sums[name].pop():016x}"} for name in SWINGS}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the messages, once: no result")
    asked = parser.parse_args(arguments)
    found = measured(MESSAGES // 20 if asked.quick else MESSAGES, 1 if asked.quick else ROUNDS)
    for name, row in found.items():
        print(f"{name:8} {row['ns']:>8} ns a message, events {row['events']}")
    if not asked.quick:
        said = {"date": today(), "commit": commit(), "machine": machine(), "messages": MESSAGES, **found}
        RESULT.write_text(json.dumps(said, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
