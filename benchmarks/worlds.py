"""Agent steps a second on one core in many worlds: margin, liquidation and deleveraging on (docs/howto/worlds.md).

python benchmarks/worlds.py [--quick] [--gate]
An agent step: one trader looks at the touch and at his position, decides, and what he sends is applied. Each world's mark
moves every step. Time is the CPU time of the thread, the least of rounds; the worlds are new in each. Idle bytes are those by
which a process of its own grows. A line of plain Python agents has no gate. Results: results/worlds.json; --quick is a look.
"""

import argparse
import gc
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import process_time, thread_time

from bench import commit, machine, today
from solvent.lab import Agent, Process, Worlds, find

RESULT = Path(__file__).parent / "results" / "worlds.json"
SHAPES = {"10,000 worlds of 10": (10_000, 10), "1,000 worlds of 100": (1_000, 100)}
STEPS, ROUNDS = 60, 3
GATE, MADE_S, IDLE_BYTES = 1.5e6, 5, 65_536
ACTING, TRADING = 0.3, 0.05
SHOWN = ("orders", "cancels", "trades", "refusals", "liquidations", "deleveraged")


class Coin(Agent):
    """A trader without intelligence in Python: one step in three it buys or sells at market, by a coin."""

    name = "coin"

    def step(self, desk):
        held = desk.position()
        if desk.draw(3) == 0:
            (desk.sell if held > 0 or (held == 0 and desk.draw(2, 1)) else desk.buy)(1)


def scenario(traders: int):
    """A day's walk that is lively enough to liquidate traders within an hour."""
    return replace(find("quiet"), process=Process(minutes=STEPS, volatility_bp=20), traders=traders)


def idle_bytes(n: int, traders: int) -> float:
    """The bytes of a world that has not gone a step."""
    Worlds(scenario(traders), 1)
    before = resident()
    worlds = Worlds(scenario(traders), n)
    return (resident() - before) / len(worlds)


def idle_elsewhere(n: int, traders: int) -> float:
    """The same in a process that has made nothing else."""
    code = f"import worlds; print(worlds.idle_bytes({n}, {traders}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    return float(f"{float(done.stdout):.4g}")


def resident() -> int:
    """The bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def measured(n: int, traders: int) -> dict[str, float]:
    """One round: worlds are made, and go their steps."""
    gc.collect()
    begun = process_time()
    worlds = Worlds(scenario(traders), n)
    made = process_time() - begun
    begun = thread_time()
    worlds.run(STEPS)
    took, counts = thread_time() - begun, worlds.counts()
    shares = {name: counts[name] / counts["looks"] for name in SHOWN}
    return {"rate": counts["looks"] / took, "made_s": made, "liquidated": counts["liquidations"], **shares}


def best(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The best of rounds that did the same."""
    assert all(each[name] == rounds[0][name] for each in rounds for name in (*SHOWN, "liquidated"))
    figures = {"rate": max(each["rate"] for each in rounds), "made_s": min(each["made_s"] for each in rounds)}
    return {name: float(f"{value:.4g}") for name, value in {**rounds[0], **figures}.items()}


def plain(n: int = 50, agents: int = 10) -> float:
    """Steps a second of agents in Python, each a class with a desk."""
    kinds = [type(f"Coin{each}", (Coin,), {"name": f"coin-{each}"}) for each in range(agents)]
    worlds = Worlds(scenario(10), n, agents=kinds)
    begun = thread_time()
    worlds.run(20)
    return float(f"{n * agents * 20 / (thread_time() - begun):.3g}")


def failures(found: dict[str, dict[str, float]]) -> list[str]:
    """What a result does not reach."""
    wrong = []
    for name, row in found.items():
        wrong += [f"{name}: {row['rate']:,.0f} steps a second"] * (row["rate"] < GATE)
        wrong += [f"{name}: too little happens"] * (
            row["orders"] + row["cancels"] < ACTING or row["trades"] < TRADING or not row["liquidated"]
        )
    first = found[next(iter(SHAPES))]
    wrong += [f"made in {first['made_s']} s"] * (first["made_s"] > MADE_S)
    wrong += [f"{first['idle_bytes']:,.0f} bytes a world"] * (first["idle_bytes"] > IDLE_BYTES)
    return wrong


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the worlds, once: no result")
    parser.add_argument("--gate", action="store_true", help="fail if a figure is missed")
    asked = parser.parse_args(arguments)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in SHAPES}
    for _ in range(1 if asked.quick else ROUNDS):
        for name, (n, traders) in SHAPES.items():
            rounds[name].append(measured(n // 20 if asked.quick else n, traders))
    found = {name: {**best(each), "idle_bytes": idle_elsewhere(*SHAPES[name])} for name, each in rounds.items()}
    for name, row in found.items():
        print(
            f"{name}: {row['rate']:,.0f} agent steps a second; made in {row['made_s']} s, {row['idle_bytes']:,.0f} bytes idle"
        )
        print("   of its steps", ", ".join(f"{100 * row[each]:.2f} % {each}" for each in SHOWN))
        print(f"   {row['liquidated']:,.0f} liquidations")
    python = plain()
    print(f"plain Python agents: {python:,.0f} steps a second (no gate)")
    if not asked.quick:
        said = {"date": today(), "commit": commit(), "machine": machine(), "rounds": ROUNDS, "steps": STEPS}
        RESULT.write_text(json.dumps({**said, "worlds": found, "plain_python": python}, indent=1) + "\n")
    missed = failures(found)
    print(*missed, sep="\n", end="\n" if missed else "")
    return int(asked.gate and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
