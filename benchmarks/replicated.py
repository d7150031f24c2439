"""Commands a second on a replicated log: one server, and three that replicate three ways, all on this machine.

python benchmarks/replicated.py [--rounds 3] starts real nats-servers on loopback and writes
benchmarks/results/replicated.json; figures.py writes it into docs/explanation/benchmarks.md. Writer, servers and standby share
the machine's cores. A round plays the near flow in one `run`; the best of all rounds counts. The standby then reads what was
written.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import solvent
from bench import commit, machine, today
from flows import Venue, near_touch
from native import HERE, ROOT

RESULT = HERE / "results" / "replicated.json"
COMMANDS, SINGLES = 400_000, 500
SEED = 20221108
CASES = {
    "one server": (1, ""),
    "one server, sync_interval: always": (1, "sync_interval: always"),
    "three servers": (3, ""),
    "three servers, sync_interval: always": (3, "sync_interval: always"),
}


def without(flow: bytes) -> float:
    """Commands a second of the same flow without a log."""
    ex = Venue().make()
    begun = time.perf_counter()
    ex.run(flow)
    return COMMANDS / (time.perf_counter() - begun)


def once(replicas: int, settings: str, flow: bytes) -> tuple[float, float, list[float]]:
    """Commands a second of the writer and of a standby; microseconds of single orders."""
    sys.path.insert(0, str(ROOT / "tests"))
    from solvent.replication import Follower, JetStream
    from support.nats_servers import Servers

    with tempfile.TemporaryDirectory() as folder, Servers(replicas, Path(folder), settings) as servers:
        with solvent.open(JetStream(servers.urls, "v", replicas=replicas), Venue().listed()) as ex:
            Venue().fill(ex)
            with Follower(JetStream(servers.urls, "v", replicas=replicas)) as follower:
                while follower.behind():
                    follower.follow()
                begun = time.perf_counter()
                ex.run(flow)
                written = time.perf_counter()
                while follower.behind():
                    follower.follow()
                read = time.perf_counter()
                assert follower.exchange.digest() == ex.digest()
            singles = []
            for _ in range(SINGLES):
                begin = time.perf_counter()
                ex.order("a0", "I0", "buy", 1, price=40_000, tif="ioc")
                singles.append(1e6 * (time.perf_counter() - begin))
        return COMMANDS / (written - begun), COMMANDS / (read - written), singles


def shown(result: dict[str, Any]) -> str:
    """The table of a result."""
    lines = [f"{'':<40}{'commands/s':>12}{'standby':>12}{'an order, p50 µs':>18}{'p99':>8}"]
    for name, row in result["rows"].items():
        lines.append(f"{name:<40}{row['written']:>12,.0f}{row['read']:>12,.0f}{row['p50_us']:>18,.0f}{row['p99_us']:>8,.0f}")
    lines.append(f"{'no log':<40}{result['without']:>12,.0f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    flow = near_touch(SEED, COMMANDS, Venue())
    runs: dict[str, list[tuple[float, float, list[float]]]] = {name: [] for name in CASES}
    bare = []
    for _ in range(rounds):
        bare.append(without(flow))
        for name, (replicas, settings) in CASES.items():
            runs[name].append(once(replicas, settings, flow))
    rows = {}
    for name, found in runs.items():
        singles = min((each[2] for each in found), key=median)
        rows[name] = {
            "written": max(each[0] for each in found), "read": max(each[1] for each in found), "p50_us": median(singles),
            "p99_us": sorted(singles)[len(singles) * 99 // 100],
        }  # fmt: skip
    result = {"date": today(), "commit": commit(), "machine": machine(), "rounds": rounds, "commands": COMMANDS,
              "without": max(bare), "rows": rows}  # fmt: skip
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(shown(result))


if __name__ == "__main__":
    main()
