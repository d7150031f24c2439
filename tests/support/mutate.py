"""Wrong lines in the floors where money moves, drawn by seed: do the assertions of the compiled core halt it in time?

    python tests/support/mutate.py [--seed 1] [--count 10] [--runs 60]

Each mutant is one wrong line of account, trade or liquidation that says lots or money, compiled in a copy of the tree, and
played one fixed stream of commands with the kernel alone. Caught: it halts with a clause code before the auditor, who
follows the same events, finds anything. One that does not build, or changes no event and no state on the stream, is drawn
again, and said. What only tells (say), or refuses the form of a command, is not drawn: no money moves there. Nor are the
assertions themselves.
Exit 1 when fewer than nine of ten are caught.
"""

import argparse
import hashlib
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "mutants"
FLOORS = ("account", "trade", "liquidation")
COMMANDS = 600  # of each run
FORM = re.compile(  # functions that look at the form of a command, compare for a sort, or are what assertions ask
    r"_check_(header|trigger|extension|armed|amendment)|check_names|known_account|check_leg|(replaced|terms)_event|_by_\w+"
    r"|_check_(effect|margin|cleared|order)|check_(bare|reduce|same)|balance|_waterfall|_insurance|_costs_left|_may_wait|_has_value|_holds|_safe"
)
STATED = re.compile(  # assertions, what only they read, events, and what is no statement
    r"\bmust\(|\b_check_(effect|margin|cleared|order)\(|\bcheck_(bare|reduce|same)\(|\b(balance|_waterfall|_insurance)\(|ledger\.costs"
    r"|(?<!group_)net_lots|whole \+=|\bboth\b|\binsured\b|\bheld_lots =|\bcounted = |filled = |left = p\.|total = v\."
    r"|\b(say|emit)_?\w*\("
    r"|_event\(|^\s*(cdef(?!.* = )|ctypedef|from|import|return|pass|else|#|\"\"\")|\"\"\""
)
MONEY = re.compile(
    r"_(units|lots)\b|\b(equity|own|full|share|gain|cost|lots|value|fee|held|margin|cash)\b|\b(pay|_pay_any|reserve|convert|_hold)\("
    r"|\b(fund|parcel|fill|position_fill|refresh)_\w+\("
)
POINTERS = re.compile(r"s|l|p|t|c|e|r|ins|ledger|rules|fault|terms|fill|deal|fees|margin|wallet|found|cases|parcel|order|book")
SWAPS = [  # an operator of mutation, what it finds and what it puts there
    ("plus for minus", r" - ", " + "), ("minus for plus", r" \+ ", " - "),
    ("takes for adds", r" \+= ", " -= "), ("adds for takes", r" -= ", " += "),
    ("less for at most", r" <= ", " < "), ("at most for less", r" < ", " <= "),
    ("more for at least", r" >= ", " > "), ("at least for more", r" > ", " >= "),
    ("the other side", r"\bBUY\b", "SELL"), ("the other side", r"\bSELL\b", "BUY"),
    ("off by one", r"\b1\b", "2"), ("off by one", r"(?<=[<>] )0\b", "1"), ("off by one", r"(?<=[<>]= )0\b", "1"),
    ("wrong rounding", r"\bmul_div_floor\(", "mul_div_ceil("), ("wrong rounding", r"\bmul_div_ceil\(", "mul_div_floor("),
    ("wrong rounding", r"\bmul_div_trunc\(", "mul_div_floor("), ("wrong rounding", r"\bfloor128\(", "ceil128("),
    ("wrong rounding", r"\bceil128\(", "floor128("),
    ("the other end", r"\bmin64\(", "max64("), ("the other end", r"\bmax64\(", "min64("),
    ("arguments swapped", r"\((-?[\w.]+), (-?[\w.]+)\)", r"(\2, \1)"),
    ("arguments swapped", r", ([\w.]+), ([\w.]+)(?=[,)])", r", \2, \1"),
]  # fmt: skip


class Mutant(NamedTuple):
    """One wrong line."""

    path: str
    line: int
    kind: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.kind}\n      - {self.was.strip()}\n      + {self.now.strip()}"


def mutants_of(path: Path) -> list[Mutant]:
    """Every wrong line that the operators make of a file."""
    found, name, quoted, stated = [], "", False, 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        head = re.match(r"cdef (?:inline )?[\w* ]+?\**(\w+)\(", line)
        if head:
            name = head[1] if not line.startswith("cdef void _know") else "_by_table"
        quoted ^= line.count('"""') == 1
        skipped = stated > 0  # the rest of an assertion, or of an event
        if skipped or STATED.search(line):
            stated = max(0, stated + line.count("(") - line.count(")"))
        inside = line.startswith("    ") and name and not FORM.fullmatch(name)
        if (
            quoted
            or skipped
            or not inside
            or not MONEY.search(line)
            or (STATED.search(line) and not re.match(r"\s+return ", line))
        ):
            continue
        for kind, pattern, put in SWAPS:
            for at in re.finditer(pattern, line):
                now = line[: at.start()] + at.expand(put) + line[at.end() :]
                if kind != "arguments swapped" or len({POINTERS.fullmatch(each) is None for each in at.groups()}) == 1:
                    found.append(Mutant(str(path.relative_to(ROOT)), number, kind, line, now))
        if re.match(r"\s+[\w.\[\]&]+(\(.*\)| [-+|&]?= .*[^,(])$", line) and line.count("(") == line.count(")"):
            indent = line[: len(line) - len(line.lstrip())]
            found.append(Mutant(str(path.relative_to(ROOT)), number, "statement dropped", line, f"{indent}pass"))
    return [mutant for mutant in found if mutant.was != mutant.now]


def drawn(seed: int) -> list[Mutant]:
    """All mutants in the order of a seed: a floor first, then a line of it, then what is wrong there."""
    random, order = Random(seed), []
    for floor in FLOORS:
        files = sorted((ROOT / "ext/solvent/_core" / floor).glob("*.p[yx][xd]"))
        lines: dict[tuple[str, int], list[Mutant]] = {}
        for mutant in (each for path in files for each in mutants_of(path)):
            lines.setdefault((mutant.path, mutant.line), []).append(mutant)
        places = sorted(lines)
        random.shuffle(places)
        order.append([random.choice(lines[place]) for place in places])
    return [mutant for turn in zip(*order, strict=False) for mutant in turn]


# --- The copy in which a mutant is built


def compiled(tree: Path) -> bool:
    """Builds a tree in place, quickly; False if it does not build."""
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    environment = os.environ | {"SOLVENT_BUILD": "quick"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False).returncode == 0


def prepare() -> None:
    """A copy of this tree, built; each mutant is built in a copy of that."""
    base = WORK / "base"
    shutil.rmtree(WORK, ignore_errors=True)
    base.mkdir(parents=True)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, base / name)
    for name in ("ext", "engine"):
        shutil.copytree(ROOT / name, base / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    if not compiled(base):
        raise SystemExit("the tree does not build as it is")
    shutil.copytree(base, WORK / "tree")


def build(mutant: Mutant) -> Path | None:
    """The copy with the wrong line, compiled, everything else as it was; None if it does not build."""
    base, tree = WORK / "base", WORK / "tree"
    for path in (path for path in base.rglob("*") if path.is_file()):
        place = tree / path.relative_to(base)
        if not place.exists() or place.stat().st_mtime_ns != path.stat().st_mtime_ns:
            shutil.copy2(path, place)
    place = tree / mutant.path
    lines = place.read_text().splitlines(keepends=True)
    lines[mutant.line - 1] = mutant.now + "\n"
    place.write_text("".join(lines))
    return tree if compiled(tree) else None


# --- The stream, and those who play it


def record(runs: int) -> None:
    """Draws the stream on this tree's kernel, and what each run does there."""
    import solvent
    from solvent.records import CommandType
    from support.generator import Generator

    stream = []
    for run in range(runs):
        seed = 20221108 * 1_000_003 + run
        generator = Generator(seed)
        ex = solvent.Exchange(generator.instruments, rules=generator.rules, collateral=generator.collateral, retain=True)
        opening, commands = iter(generator.opening()), []
        for _ in range(COMMANDS):
            command = next(opening, None) or generator.next(ex._kernel)
            if command[0] != CommandType.ADD_INSTRUMENT:  # whose terms a kernel alone does not know
                commands.append(command)
                ex._kernel.apply(command)
        stream.append((seed, commands, outcome(ex._kernel)))
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "stream").write_bytes(pickle.dumps(stream))


def outcome(kernel) -> str:
    """The hash of all events and of the last state."""
    return hashlib.sha256(bytes(kernel.view(kernel.first_seq, kernel.next_seq)) + kernel.state()).hexdigest()


def exchange(seed: int):
    import solvent
    from support.generator import Generator

    generator = Generator(seed)
    return solvent.Exchange(generator.instruments, rules=generator.rules, collateral=generator.collateral, retain=True)


def play() -> str:
    """What becomes of the stream: 'same', 'halted run command why', or 'other' runs that differ."""
    import solvent

    others = []
    for run, (seed, commands, expected) in enumerate(pickle.loads((WORK / "stream").read_bytes())):
        kernel = exchange(seed)._kernel
        for number, command in enumerate(commands):
            try:
                kernel.apply(command)
            except solvent.Halted as error:
                return f"halted {run} {number} {','.join(map(str, others))} {str(error).split(': ')[1]}"
        if outcome(kernel) != expected:
            others.append(run)
    return f"other {','.join(map(str, others))}" if others else "same"


def audit(runs: list[int]) -> str:
    """Where the auditor first finds something in some runs: 'run command why', or 'silent'."""
    import solvent
    from solvent.auditor import Auditor
    from solvent.records import decode

    stream = pickle.loads((WORK / "stream").read_bytes())
    for run in runs:
        ex = exchange(stream[run][0])
        auditor, kernel = Auditor(ex), ex._kernel
        for number, command in enumerate(stream[run][1]):
            begin = kernel.next_seq
            try:
                kernel.apply(command)
            except solvent.Halted:
                break
            try:
                auditor.follow(list(decode(bytes(kernel.view(begin, kernel.next_seq)))))
                auditor.check_safety()
            except solvent.InvariantBroken as error:
                return f"{run} {number} {str(error)[:100]}"
            except Exception as error:  # what the auditor cannot even follow
                return f"{run} {number} {type(error).__name__}"
    return "silent"


def child(tree: Path, *words: str) -> str:
    """The last line that this script says on another tree's kernel."""
    environment = os.environ | {"PYTHONPATH": f"{tree / 'engine'}:{ROOT / 'tests'}"}
    command = [sys.executable, __file__, *words]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return "hangs"
    return done.stdout.strip().splitlines()[-1] if done.returncode == 0 and done.stdout else f"crashed ({done.returncode})"


def judge(mutant: Mutant) -> tuple[bool | None, str]:
    """Whether it is caught before the auditor, None where it is to be drawn again; and in words."""
    tree = build(mutant)
    if tree is None:
        return None, "does not build"
    said = child(tree, "--play")
    if said == "same":
        return None, "changes nothing on the stream"
    if not said.startswith("halted"):
        found = child(tree, "--audit", said.split()[1]) if said.startswith("other") else said
        return False, f"not caught; auditor: {found}"
    _, run, number, why = said.split(" ", 3)
    others, _, why = why.partition(" ")
    earlier = ",".join(each for each in (*others.split(","), run) if each)
    found = child(tree, "--audit", earlier)
    first = found == "silent" or (int(run), int(number)) <= tuple(map(int, found.split()[:2]))
    return first and "does not hold" in why, f"run {run} command {number}: {why}; auditor: {found}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the drawn lines")
    parser.add_argument("--count", type=int, default=10, help="how many mutants")
    parser.add_argument("--runs", type=int, default=60, help="runs of the stream, each of another shape")
    parser.add_argument("--play", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--record", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--audit", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.play:
        print(play())
        return 0
    if asked.record:
        record(asked.runs)
        print(f"{asked.runs} runs of {COMMANDS} commands")
        return 0
    if asked.audit:
        print(audit([int(run) for run in asked.audit.split(",")]))
        return 0
    prepare()
    print(child(WORK / "base", "--record", "--runs", str(asked.runs)))
    print(f"seed {asked.seed} (rerun with --seed {asked.seed})", flush=True)
    caught = tried = 0
    for mutant in drawn(asked.seed):
        verdict, words = judge(mutant)
        tried += verdict is not None
        caught += bool(verdict)
        mark = "again" if verdict is None else "CAUGHT" if verdict else "MISSED"
        print(f"{mark:7}{mutant}\n      {words}", flush=True)
        if tried == asked.count:
            break
    print(f"{caught} of {tried} wrong lines halt the exchange with a clause before the auditor finds anything")
    return 0 if caught * 10 >= tried * 9 else 1


if __name__ == "__main__":
    sys.exit(main())
