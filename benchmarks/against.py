"""The exchange against another build of itself: both play in turn, round by round, each in a process of its own.

python benchmarks/against.py --base 0dfa14c [--rounds 12] [--processes 5] [--lines "a mark"] [--limit 1.05]
python benchmarks/against.py --self    # this build against itself: what the noise is

--base is a git revision, which is built in build/against/<commit> once, or a folder that holds a checkout with its build.
Time is the CPU time of the playing thread; other work on the machine costs it cache all the same. Two ratios, this : base:

* floor: each build's round is the sum of the least that each of its parts took in any round. A part is short, so that
  some playing of it was undisturbed. Median of the pairs of processes, and the lowest and highest of them: pairs are begun
  anew because where a process happens to lie in memory moves its figures by some percent for all its life.
* rounds: the median of the rounds' own ratios, and where that median lies with 95 % certainty.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from flows import near_touch
from native import BUILD, HERE, ROOT
from rounds import COMMANDS, LINES, flow_file

Times = list[list[int]]  # of each round, the nanoseconds of each part


def built(tree: Path) -> Path:
    """Brings a checkout's compiled core up to date."""
    environment = {name: value for name, value in os.environ.items() if name != "SOLVENT_BUILD"}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{tree} does not build:\n{done.stdout}{done.stderr}")
    return tree


def checked_out(base: str) -> Path:
    """The base with its build: a folder as it is, or a revision of this repository."""
    if Path(base).is_dir():
        return built(Path(base).resolve())
    name = ["git", "rev-parse", "--verify", f"{base}^{{commit}}"]
    commit = subprocess.run(name, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    tree = BUILD / "against" / commit
    if not tree.exists():
        tree.parent.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(tree, filter="data")
    return built(tree)


class Worker:
    """A process that plays rounds on one build."""

    def __init__(self, tree: Path, flows: Path, core: int):
        self._process = subprocess.Popen(
            [sys.executable, HERE / "rounds.py", str(flows), str(core)], text=True,
            env=os.environ | {"PYTHONPATH": str(tree / "engine"), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, line: str) -> str:
        """Sends a line and waits for the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer:
            raise SystemExit(f"the process that was to play {line!r} has ended")
        return answer

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def census(trees: Sequence[Path], flows: Path, lines: Sequence[str]) -> None:
    """Says what the builds do, so that nobody compares different work unawares."""
    workers = [Worker(tree, flows, -1) for tree in trees]
    for line in lines:
        ends = [worker.ask(f"census {line}") for worker in workers]
        print(f"{line:38}{ends[0]}" + ("" if ends[0] == ends[1] else f"   BASE DIFFERS: {ends[1]}"))
    for worker in workers:
        worker.close()


def compare(trees: Sequence[Path], flows: Path, core: int, lines: Sequence[str], rounds: int) -> dict[str, list[Times]]:
    """One pair of processes: a round to warm up, then rounds in turn, each build first in half of them."""
    workers = [Worker(tree, flows, core) for tree in trees]
    times: dict[str, list[Times]] = {line: [[] for _ in trees] for line in lines}
    for number in range(rounds + 1):
        for line in lines:
            for who in (0, 1) if number % 2 else (1, 0):
                took = json.loads(workers[who].ask(line))
                if number:
                    times[line][who].append(took)
    for worker in workers:
        worker.close()
    return times


def certain(ratios: list[float]) -> tuple[float, float]:
    """Where the median lies with 95 % certainty, by the order of the values."""
    ranked, count = sorted(ratios), len(ratios)
    away = 0.98 * count**0.5
    return ranked[max(0, round(count / 2 - away) - 1)], ranked[min(count - 1, round(count / 2 + away))]


def floor(times: Times) -> int:
    """The least that each part took, in sum."""
    return sum(min(part) for part in zip(*times, strict=True))


def show(line: str, pairs: list[list[Times]], limit: float | None) -> bool:
    """A line of the table; whether it is within the limit."""
    floors = [floor(mine) / floor(base) for mine, base in pairs]
    mine, base = ([sum(each) / LINES[line].units for pair in pairs for each in pair[who]] for who in (0, 1))
    ratios = [a / b for a, b in zip(mine, base, strict=True)]
    low, high = certain(ratios)
    good = limit is None or median(floors) <= limit
    print(f"{line:36}{min(mine):>9,.0f}{median(mine):>9,.0f}{min(base):>10,.0f}{median(base):>9,.0f}"
          f"{median(floors):>8.3f}  {min(floors):.3f} to {max(floors):.3f}"
          f"{median(ratios):>8.3f}  {low:.3f} to {high:.3f}{'' if good else '  FAILS'}")  # fmt: skip
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    base = parser.add_mutually_exclusive_group(required=True)
    base.add_argument("--base", help="a revision or a folder")
    base.add_argument("--self", action="store_true", dest="itself", help="this build against itself")
    parser.add_argument("--rounds", type=int, default=12, help="of each pair of processes")
    parser.add_argument("--processes", type=int, default=5, help="how many pairs of processes, one after the other")
    parser.add_argument("--lines", nargs="*", default=[""], help="only lines whose name has one of these in it")
    parser.add_argument("--limit", type=float, help="exit 1 when a floor ratio is above it")
    parser.add_argument("--core", type=int, default=-1, help="pin both processes to this core; -1: leave it to the system")
    asked = parser.parse_args()
    trees = [built(ROOT), ROOT if asked.itself else checked_out(asked.base)]
    lines = [line for line in LINES if any(each in line for each in asked.lines)]
    pairs: dict[str, list[list[Times]]] = {line: [] for line in lines}
    with tempfile.TemporaryDirectory() as folder:
        for venue in {LINES[line].venue for line in lines}:
            (Path(folder) / flow_file(venue)).write_bytes(near_touch(seed=1, commands=COMMANDS, venue=venue))
        census(trees, Path(folder), lines)
        for _ in range(asked.processes):
            for line, times in compare(trees, Path(folder), asked.core, lines, asked.rounds).items():
                pairs[line].append(times)
    print(f"\n{'ns of CPU time':36}{'this min':>9}{'median':>9}{'base min':>10}{'median':>9}"
          f"{'floor':>8}{'of pairs':>16}{'rounds':>8}{'95 %':>16}")  # fmt: skip
    good = [show(line, pairs[line], asked.limit) for line in lines]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
