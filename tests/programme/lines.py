"""What the tests reach: branches of the readable kernel, lines of the compiled one (layer 22).

    python tests/programme/lines.py [--write] [--told]     # builds, runs the tests, tells; --told: of the run before

Owns the run and how it is counted. A build of its own counts how often each statement in C is run, without optimisation; a
line of .pyx or .pxd is reached when the first statement in C that it became is. Coverage.py counts branches of solvent.twin in
the same run. `--write` keeps the figures in tests/programme/lines.json. Exit 1 when a gate is not met, or a test fails.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from programme import builds, ledger
from support.places import ROOT

BUILD = builds.place("coverage")
RESULT = ROOT / "tests" / "programme" / "lines.json"
LEAST_LINES = 0.98  # of the core, by parts
WHOLE = ("account", "liquidation", "kernel.py")  # of the twin: every branch; the first holds ledger and margin
PLACE = re.compile(r'/\* "(solvent/_core/[\w/]+\.p(?:yx|xd))":(\d+)$')


def play() -> bool:
    """Builds, forgets earlier runs, and runs the tests. True if all pass."""
    builds.build("coverage")
    for each in [*BUILD.rglob("*.gcda"), *BUILD.glob("data*")]:
        each.unlink()
    os.environ["COVERAGE_FILE"] = str(BUILD / "data")
    passed = builds.tested("coverage", [], ("-m", "coverage", "run"))
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q", str(BUILD)], cwd=ROOT, check=True)
    return passed


def places(c: Path) -> dict[int, tuple[str, int]]:
    """Of each line of a C file that may be the first of a statement: the line of Cython that it came from."""
    found, place = {}, None
    for number, line in enumerate(c.read_text().splitlines(), 1):
        mark = PLACE.search(line)
        if mark:
            place = mark[1], int(mark[2])
        elif line == "}" or "/* function exit code */" in line:
            place = None
        elif place:
            found[number] = place
    return found


def core() -> dict[str, dict[int, bool]]:
    """The lines of every file of the core that became statements, and whether a test reached them."""
    found: dict[str, dict[int, bool]] = defaultdict(dict)
    for notes in sorted(BUILD.rglob("*.gcno")):
        told = subprocess.run(["gcov", "--json-format", "--stdout", str(notes)], cwd=ROOT, capture_output=True, check=True)
        for file in json.loads(told.stdout)["files"]:
            if not file["file"].endswith(".c") or not (ROOT / file["file"]).is_file():
                continue
            came_from, before = places(ROOT / file["file"]), None
            for line in sorted(file["lines"], key=lambda line: line["line_number"]):
                place = came_from.get(line["line_number"])
                if place and place != before:
                    path, number = place
                    found[path][number] = found[path].get(number, False) or line["count"] > 0
                before = place
    return found


def twin() -> dict[str, dict]:
    """Coverage.py's word on every file of the readable kernel: branches, those that were taken, what was missed."""
    asked = [
        sys.executable,
        "-m",
        "coverage",
        "json",
        "-q",
        "--data-file",
        str(BUILD / "data"),
        "-o",
        str(BUILD / "twin.json"),
    ]
    subprocess.run(asked, cwd=ROOT, check=True)
    files = json.loads((BUILD / "twin.json").read_text())["files"]
    return {path.partition("solvent/twin/")[2]: told for path, told in files.items()}


def figures() -> dict:
    """What is kept: by file, how much there is and how much of it is reached."""
    rows = {"commit": ledger.commit(), "core": {}, "twin": {}}
    for path, lines in sorted(core().items()):
        missed = [number for number, reached in sorted(lines.items()) if not reached]
        rows["core"][path.removeprefix("solvent/_core/")] = [len(lines), len(lines) - len(missed)]
        source = (ROOT / "ext" / path).read_text().splitlines()
        for number in missed:
            print(f"ext/{path}:{number}: {source[number - 1].strip()}")
    for path, told in sorted(twin().items()):
        total = told["summary"]
        rows["twin"][path] = [total["num_branches"], total["covered_branches"], len(told["missing_lines"])]
        for a, b in told["missing_branches"]:
            print(f"engine/solvent/twin/{path}:{a}: never goes to {b if b > 0 else 'the end'}")
        for number in told["missing_lines"]:
            print(f"engine/solvent/twin/{path}:{number}: never")
    return rows


def unmet(rows: dict) -> list[str]:
    """The gates that the figures do not meet."""
    lines, reached = (sum(each[n] for each in rows["core"].values()) for n in (0, 1))
    missed = [
        f"{path}: {branches - taken} branches, {never} lines"
        for path, (branches, taken, never) in rows["twin"].items()
        if path.startswith(WHOLE) and (branches > taken or never)
    ]
    return missed + ([f"the core: {reached} of {lines} lines"] if reached < LEAST_LINES * lines else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the figures")
    parser.add_argument("--told", action="store_true", help="do not run again: tell of the run before")
    asked = parser.parse_args()
    passed = asked.told or play()
    rows = figures()
    if asked.write:
        RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    for kind, parts in (("core", "lines"), ("twin", "branches")):
        there, reached = (sum(each[n] for each in rows[kind].values()) for n in (0, 1))
        print(f"{kind}: {reached} of {there} {parts}, {100 * reached / there:.2f} %")
    missed = unmet(rows)
    print("\n".join(missed) or "every gate is met")
    return 0 if passed and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
