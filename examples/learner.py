"""Trains a learner in worlds, and compares it with doing nothing and with a fixed position, on seeds that it has not seen.

python examples/learner.py [--quick] [--out learner.json]
The traders of a world leave orders in the book, the mark moves, and who acts next may trade with those whose price is stale.
That can be learned. The price itself is a random walk, in which nothing can. The policy has four numbers, found by the
cross-entropy method with NumPy alone: of many policies drawn around a mean, the best make the next mean.
"""

import argparse
import json
import sys
from dataclasses import replace
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from solvent.lab import Process, find
from solvent.lab.worlds.rl import MarketEnv

WORLD = replace(find("quiet"), process=Process(minutes=160, volatility_bp=40), traders=30)
LEVERAGE = 10
UNSEEN = range(1_000_000, 1_000_200)
POPULATION, ELITE, GENERATIONS, SEEDS = 16, 4, 8, 8
FIRST = np.array([1.0, 0.1, 0.5, 0.3])
SPREAD = np.array([1.0, 0.1, 0.3, 0.2])


def learned(numbers, seen):
    """The action of a policy: gain, dead band in percent, the part of its exposure that it keeps, its highest share."""
    gain, band, keep, most = numbers[0], abs(numbers[1]), np.clip(numbers[2], 0, 1), np.clip(numbers[3], 0, 1)
    buy, sell, held = max(0, seen[3] - band), max(0, seen[4] - band), seen[0] / LEVERAGE
    if not buy and not sell:
        return 0.0
    return float(np.clip(np.clip(held * keep + gain * (buy - sell), -most, most) - held, -1, 1))


def flat(numbers, seen):
    """Does nothing."""
    return 0.0


def fixed(numbers, seen):
    """Buys ten times its equity in the first steps, and holds."""
    return 1.0 if seen[5] < 0.13 else 0.0


POLICIES = {"learned": learned, "flat": flat, "fixed 10x": fixed}


def played(asked):
    """The log of equity over what a policy began with in a world, and whether it was liquidated."""
    name, numbers, seed = asked
    env = _env()
    seen, _ = env.reset(seed=seed)
    total = 0.0
    while True:
        seen, reward, out, over, _ = env.step([POLICIES[name](numbers, seen)])
        total += reward
        if out or over:
            return total, out


def _env(kept=[]):  # noqa: B006
    """One environment a process."""
    if not kept:
        kept.append(MarketEnv(WORLD, LEVERAGE))
    return kept[0]


def trained(pool, generations, report):
    """The policy, and its curve: the mean log equity of each generation's policies and of its best ones."""
    draws, mean, spread, curve = np.random.default_rng(1), FIRST, SPREAD, []
    for generation in range(generations):
        policies = draws.normal(mean, spread, (POPULATION, len(mean)))
        seeds = range(1 + generation * SEEDS, 1 + (generation + 1) * SEEDS)
        worlds = [("learned", each, seed) for each in policies for seed in seeds]
        scores = np.array([total for total, _ in pool.map(played, worlds, 8)]).reshape(POPULATION, SEEDS).mean(axis=1)
        best = policies[np.argsort(-scores)[:ELITE]]
        mean, spread = best.mean(axis=0), best.std(axis=0) + 0.02
        curve.append({"all": float(scores.mean()), "best": float(np.sort(scores)[-ELITE:].mean())})
        report(f"generation {generation}: all {scores.mean():+.4f}, best {curve[-1]['best']:+.4f}, policy {np.round(mean, 3)}")
    return mean, curve


def compared(pool, policy, seeds):
    """Each policy on unseen seeds: mean log equity with its 95 % interval, the learned one's gain over it, liquidations."""
    found = {name: pool.map(played, [(name, policy, seed) for seed in seeds], 8) for name in POLICIES}
    totals = {name: np.array([total for total, _ in each]) for name, each in found.items()}
    rows = {}
    for name, each in found.items():
        gain = totals["learned"] - totals[name]
        rows[name] = {
            "mean": interval(totals[name]),
            "liquidated": sum(out for _, out in each),
            "gain over it": interval(gain),
        }
    return rows


def interval(values):
    """Mean, and the ends of its 95 % interval."""
    mean, half = values.mean(), 1.96 * values.std(ddof=1) / len(values) ** 0.5
    return [float(mean), float(mean - half), float(mean + half)]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one generation and ten seeds: a look")
    parser.add_argument("--out", type=Path, help="writes policy, curve and comparison as JSON")
    asked = parser.parse_args(arguments)
    with Pool(2) as pool:
        policy, curve = trained(pool, 1 if asked.quick else GENERATIONS, print)
        rows = compared(pool, policy, UNSEEN[:10] if asked.quick else UNSEEN)
    for name, row in rows.items():
        (mean, low, high), (gain, worst, most) = row["mean"], row["gain over it"]
        print(f"{name:10} log equity {mean:+.4f} [{low:+.4f}, {high:+.4f}], liquidated {row['liquidated']}, "
              f"beaten by {gain:+.4f} [{worst:+.4f}, {most:+.4f}]")  # fmt: skip
    if asked.out:
        asked.out.write_text(json.dumps({"policy": list(policy), "curve": curve, "unseen": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
