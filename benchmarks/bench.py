"""The harness: every contender plays the same bytes in turn, round by round, and minima are compared.

python benchmarks/bench.py [--rounds 9] [--quick] [--json PATH] [--gate]. Ratios are the result; nanoseconds are of one
machine in one hour. flows.py says what each flow is, contenders.py how it is played and what is proved equal, whole.py
measures the whole exchange. All of it goes to one file, benchmarks/results/bench.json, from which figures.py writes what
the documents say. A quick look goes to build/bench.json.
"""

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from contenders import (
    PAIRS,
    Cut,
    book,
    cut,
    empty_call,
    latency,
    play_solvent,
    play_yardstick,
    proof,
    read_events,
    submit_cancel,
    timed,
)  # fmt: skip
from flows import Flow, deep, flip, near, random_24, sweep, with_client_ids
from native import BUILD, HERE, ROOT
from whole import measure

HARDER = "-DSLOT_IN_ID"
RESULT = HERE / "results" / "bench.json"


class Row(NamedTuple):
    """A line of the table: case `over` case `under` (none: as it is), the gate and the aim."""

    title: str
    over: str
    under: str
    gate: float | None = None
    aim: float | None = None


ROWS = [
    Row("near, TRADE only : yardstick", "near", "near yard", 1.5, 1.2),
    Row("near, TRADE only, a client id on every order : yardstick without", "near ids", "near yard", 2.5, 2),
    Row("1,000,000 resting : yardstick", "deep", "deep yard", 1.75, 1.25),
    Row("random prices over 2**24 ticks : own near", "random", "near", 12, 8),
    Row("flip attack : own near", "flip", "near", 3, 1.2),
    Row("sweep of 60,000 levels, a fill : own near", "sweep", "near", 1, 0.6),
    Row("submit + cancel from Python : empty call", "pair", "empty", 5, 3.5),
    Row("an event and three attributes : empty call", "event", "empty", 3, 2.4),
    Row("bytes per resting order, 1,000,000 near the touch", "bytes near", "", 80, 72),
    Row("bytes per resting order, 1,000,000 deep", "bytes deep", "", 112, 96),
    Row("near, all events : yardstick", "near all", "near yard"),
    Row("1,000,000 resting, all events : yardstick", "deep all", "deep yard"),
    Row("near : yardstick with the slot in the id", "near", "near yard slot"),
    Row("1,000,000 resting : yardstick with the slot in the id", "deep", "deep yard slot"),
    Row("random prices : yardstick on them", "random", "random yard"),
    Row("flip attack : yardstick on it", "flip", "flip yard"),
    Row("sweep, a fill : yardstick on it", "sweep", "sweep yard"),
    Row("bytes per resting order, 25,000 near the touch", "bytes few", ""),
    Row("resident growth per order, 1,000,000 near the touch", "resident near", ""),
    Row("resident growth per order, 1,000,000 deep", "resident deep", ""),
]


def flows(quick: bool) -> dict[str, Flow]:
    """Every flow by its name; `quick` is a tenth of the messages, for a look at the harness."""
    small = 10 if quick else 1
    touch = near(messages=1_000_000 // small)
    return {
        "near": touch,
        "near ids": with_client_ids(touch),
        "deep": deep(messages=300_000 // small),
        "random": random_24(messages=300_000 // small),
        "flip": flip(messages=200_000 // small),
        "sweep": sweep(),
    }


def play_round(cuts: dict[str, Cut], cases: dict[str, list[float]], reverse: bool) -> None:
    """One playing of every case, neighbours in time where they are compared; odd rounds go the other way."""
    jobs: list[tuple[str, Any]] = []
    for name, flow in cuts.items():
        units = 60_000 if name == "sweep" else flow.messages
        if name != "near ids":
            jobs.append((f"{name} yard", lambda f=flow, n=units: play_yardstick(f) / n))
        jobs.append((name, lambda f=flow, n=units: play_solvent(f)[0] / n))
        if name in ("near", "deep"):
            jobs.append((f"{name} yard slot", lambda f=flow, n=units: play_yardstick(f, HARDER) / n))
            jobs.append((f"{name} all", lambda f=flow, n=units: play_solvent(f, trades_only=False)[0] / n))
    jobs.append(("pair", lambda: submit_cancel(cuts["near"]) / PAIRS))
    jobs.append(("empty", lambda: min(empty_call() for _ in range(5)) / PAIRS))
    jobs.append(("event", lambda: read_events(cuts["near"])))
    for name, job in reversed(jobs) if reverse else jobs:
        gc.collect()
        cases.setdefault(name, []).append(job())


def resident() -> int:
    """Bytes of this process that are in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def growth(flow: Cut) -> float:
    """What the process grows by per resting order while a book is filled, measured in a child that did nothing else."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        made, before = book(), resident()
        timed(made.run, flow.warm)
        os.write(writes, str((resident() - before) / flow.resting).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        return float(pipe.read())


def weigh(deep_flow: Cut, touch: Cut) -> dict[str, list[float]]:
    """Bytes per resting order: the book's own account of its pools, and the growth of the process as a check on it."""
    many = cut(near(messages=0, live=1_000_000)._replace(resting=1_000_000))
    only_filled = deep_flow._replace(resting=sum(records for _, records in deep_flow.warm_at))
    cases = {"resident near": [growth(many)], "resident deep": [growth(only_filled)]}
    for name, flow in (("bytes near", many), ("bytes deep", deep_flow), ("bytes few", touch)):
        cases[name] = [play_solvent(flow)[1].memory()["total"] / flow.resting]
    return cases


def table(cases: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Every row with its ratio of minima, its median of the rounds' ratios, and whether it holds."""
    rows = []
    for title, over, under, gate, aim in ROWS:
        mine, other = cases[over], cases[under] if under else [1.0] * len(cases[over])
        value = min(mine) / min(other)
        middle = median(a / b for a, b in zip(mine, other, strict=True))
        verdict = None if gate is None else "aim" if aim is not None and value <= aim else "gate" if value <= gate else "FAILS"
        rows.append({"row": title, "value": value, "median": middle, "gate": gate, "aim": aim, "holds": verdict,
                     "ns": min(mine) if under else None, "ns_other": min(other) if under else None})  # fmt: skip
    return rows


def missed(rows: list[dict[str, Any]]) -> str:
    """Which gates fail, and which aims are missed."""
    fails, gates = ([row["row"] for row in rows if row["holds"] == kind] for kind in ("FAILS", "gate"))
    words = (("gates that fail:", fails), ("gates that hold, aims that are missed:", gates))
    return "\n".join("\n  ".join([word, *(titles or ["none"])]) for word, titles in words)


def shown(result: dict[str, Any]) -> str:
    """The book's part of a result as text."""
    lines = [f"{name:9} {trades:>7} trades, checksum {checksum}, digest of the book {digest}"
             for name, (trades, checksum, digest) in result["trades, checksum, digest"].items()]  # fmt: skip
    lines += ["", f"{'':66}{'minima':>8}{'median':>8}{'gate':>6}{'aim':>6}  {'':6}{'ns':>8} / ns"]
    for row in result["rows"]:
        gate, aim = (f"{row[name] or '':>6}" for name in ("gate", "aim"))
        times = f"{row['ns']:8.1f} / {row['ns_other']:.1f}" if row["ns"] else ""
        lines.append(f"{row['row']:66}{row['value']:8.2f}{row['median']:8.2f}{gate}{aim}  {row['holds'] or '':6}{times}")
    lines += ["", missed(result["rows"])]
    lines += ["", "nanoseconds of one message, near, timed inside, a reading of the clock included"]
    for name, quantiles in result["latency_ns"].items():
        lines.append(f"  {name:30}" + "".join(f"{key:>8} {value:>8,}" for key, value in quantiles.items()))
    return "\n".join(line.rstrip() for line in lines)


def shown_whole(result: dict[str, Any]) -> str:
    """The whole exchange's part as a table."""
    lines = ["| what | least | median |", "|---|---|---|"]
    for name, times in result["exchange"]["cases"].items():
        lines.append(f"| {name} | {micro(min(times))} | {micro(median(times))} |")
    return "\n".join(lines)


def micro(ns: float) -> str:
    """Microseconds with two or three digits that mean something."""
    return f"{ns / 1_000:.2f} µs" if ns < 10_000 else f"{ns / 1_000:.1f} µs" if ns < 100_000 else f"{ns / 1_000:.0f} µs"


def machine() -> dict[str, str]:
    """What was measured on."""
    cpu = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine())
    compiler = subprocess.run([os.environ.get("CC", "cc"), "--version"], capture_output=True, text=True, check=True).stdout
    return {"cpu": cpu, "cores": str(os.cpu_count()), "system": platform.platform(), "compiler": compiler.split("\n")[0],
            "python": platform.python_version(), "cython": version("cython"), "numpy": version("numpy")}  # fmt: skip


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def today() -> str:
    """The day of a result."""
    return datetime.now(UTC).date().isoformat()


def commit() -> str:
    """The revision that was measured; with a + where files differ from it, "" outside a repository."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def measured(rounds: int, quick: bool) -> dict[str, Any]:
    """The book against the yardstick."""
    made = flows(quick)
    cuts = {name: cut(flow) for name, flow in made.items()}
    cases = weigh(cuts["deep"], cuts["near"])
    proofs = {name: proof(flow) for name, flow in cuts.items()}
    gc.disable()
    for number in range(rounds):
        play_round(cuts, cases, reverse=number % 2 == 1)
    gc.enable()
    for name, flow in cuts.items():
        assert play_solvent(flow)[1].digest() == proofs[name].digest
    ends = {name: [each.trades, f"{each.checksum:016x}", f"{each.digest:016x}"] for name, each in proofs.items()}
    return {"rows": table(cases), "latency_ns": latency(made["near"]), "trades, checksum, digest": ends, "cases": cases}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, three rounds: a look, no result")
    parser.add_argument("--json", type=Path, help="where the result goes instead")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a gate fails")
    asked = parser.parse_args()
    rounds = 3 if asked.quick else asked.rounds
    result = {
        "date": today(), "commit": commit(), "machine": machine(),
        "rounds": rounds, "quick": asked.quick, **measured(rounds, asked.quick), "exchange": measure(rounds),
    }  # fmt: skip
    print(f"{shown(result)}\n\n{shown_whole(result)}")
    path = asked.json or (BUILD / "bench.json" if asked.quick else RESULT)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nwritten: {path}; python benchmarks/figures.py brings the documents up to date with {RESULT.relative_to(ROOT)}")
    return int(asked.gate and any(row["holds"] == "FAILS" for row in result["rows"]))


if __name__ == "__main__":
    sys.exit(main())
