"""`make deep` and `make campaign`: runs layers of the programme beyond what `make test` does.

deep: each layer's own number of seeds, from a seed that is drawn and printed, and its command; a layer on each core. Nothing
is written down.
campaign: the seeds that come after those of the ledger, batch by batch, until the minutes are over. Each batch is a line.
Exit 1 as soon as anything fails; in a campaign after the failing batch is in the ledger.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import pytest

from programme import ledger
from programme.layers import BY_NUMBER, LAYERS, Layer
from support.places import ROOT

DEEP_SEEDS = 1 << 40  # where the seeds of `make deep` begin; campaigns count from 0
BATCH_S = 60  # processor time of one line of the ledger, about


def spent() -> float:
    """Processor time of this process and of those it has waited for."""
    return sum(os.times()[:4])


def tried(layer: Layer, seed: int) -> tuple[Counter[str], str]:
    """The counts of one seed, and what went wrong."""
    try:
        return layer.run(seed), ""
    except (Exception, pytest.fail.Exception) as error:  # whatever a batch finds is an entry of the ledger
        return Counter(), f"seed {seed}: {type(error).__name__}: {error}"


def batch(layer: Layer, first: int, until: float, commit: str) -> tuple[dict, str]:
    """Seeds from the first one on for about a minute of processor time; ends with the first failure."""
    begun, seed, counts, wrong = spent(), first, Counter(), ""
    while not wrong and (seed == first or (spent() - begun < BATCH_S and time.monotonic() < until)):
        if layer.seeds and seed >= layer.seeds:
            break
        found, wrong = tried(layer, seed)
        counts.update(found)
        seed += 1
    faults, line = counts.pop("faults", 0), {"commit": commit, "layer": layer.number}
    line |= {"seeds": [first, seed - 1], "counts": dict(counts), "faults": faults, "failures": int(bool(wrong))}
    return line | {"seconds": round(spent() - begun, 1)}, wrong


def campaign(layer: Layer, minutes: float) -> bool:
    """Runs one layer. True if nothing failed."""
    until, commit = time.monotonic() + 60 * minutes, ledger.commit()
    with ledger.alone(layer.number):
        while time.monotonic() < until:
            first = ledger.next_seed(layer.number)
            if layer.seeds and first >= layer.seeds:
                print(f"layer {layer.number}: all {layer.seeds} seeds are done")
                return True
            line, wrong = batch(layer, first, until, commit)
            ledger.append(line)
            print(line, wrong, flush=True)
            if wrong:
                return False
    return True


def deep(layer: Layer, start: int) -> bool:
    """Runs a layer's seeds and its command. True if nothing failed."""
    begun, counts, wrong = time.monotonic(), Counter(), ""
    for seed in range(min(layer.deep, layer.seeds) if layer.seeds else layer.deep):
        found, wrong = tried(layer, seed if layer.seeds else start + seed)
        counts.update(found)
        if wrong:
            break
    wrong = wrong or layer.missing(counts)
    if layer.command and not wrong:
        wrong = (
            "its command failed" if subprocess.run([sys.executable, *layer.command], cwd=ROOT, check=False).returncode else ""
        )
    print(
        f"layer {layer.number}, {layer.name}: {dict(counts)} in {time.monotonic() - begun:.0f} s {wrong or 'fine'}", flush=True
    )
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tier", choices=["deep", "campaign"])
    parser.add_argument("--layer", type=int, action="append", choices=sorted(BY_NUMBER), help="only this one; may be repeated")
    parser.add_argument("--minutes", type=float, default=10, help="of each layer in a campaign")
    parser.add_argument("--seed", type=int, default=None, help="where the seeds of `deep` begin")
    asked = parser.parse_args()
    chosen = [layer for layer in LAYERS if asked.layer is None or layer.number in asked.layer]
    if asked.tier == "campaign":
        failed = [layer.number for layer in chosen if layer.batch and not campaign(layer, asked.minutes)]
        return 1 if failed else 0
    start = DEEP_SEEDS + time.time_ns() // 10**9 % 10**9 * 10**4 if asked.seed is None else asked.seed
    print(f"seed {start} (rerun with --seed {start})", flush=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:  # a layer on each core
        fine = list(pool.map(deep, chosen, repeat(start)))
    failed = [layer.number for layer, passed in zip(chosen, fine, strict=True) if not passed]
    print(f"failed: {failed}" if failed else "nothing failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
