"""Plants bugs of the board, one at a time, and sees who finds each: `make deep` draws ten, `--all` takes all (layer 24).

Owns the copy of the tree in which a bug is compiled, and the hunt. The hunt plays drawn streams on both kernels: the first to
object wins. Whoever it is, it is named, with the number of commands and the seconds until then. Exit 1 when a bug lives.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from programme.board import BOARD, Bug
from support.places import ROOT

WORK = ROOT / "build" / "planted"
RESULT = ROOT / "tests" / "programme" / "board.json"  # the verdict on each bug, as it was last judged with --keep
SHAPES, COMMANDS, CONTROL = 80, 600, 10  # of a hunt; shapes of the one without a bug
LIVES = ("nobody", "does not build")
LAST = ("behaviour/liquidation", "behaviour/trade", "behaviour/account", "behaviour/venue", "behaviour/market", "attacks")


def applied(bug: Bug) -> str:
    """The file with the bug. Raises ValueError where the piece does not stand there once."""
    text = (ROOT / "ext/solvent/_core" / bug.path).read_text()
    if text.count(bug.was) != 1:
        raise ValueError(f"{bug.path} says {text.count(bug.was)} times what {bug.name!r} changes; plant it anew")
    return text.replace(bug.was, bug.now)


def prepare() -> Path:
    """A copy of the package and its sources, with the compiled modules as they are."""
    tree = WORK / "tree"
    shutil.rmtree(WORK, ignore_errors=True)
    for name in ("ext", "engine"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def build(tree: Path, path: str, text: str) -> bool:
    """Compiles one module of the copy, without optimisation. False if it does not build."""
    (tree / "ext/solvent/_core" / path).write_text(text)
    asked = [sys.executable, __file__, "--compile", path]
    return subprocess.run(asked, cwd=tree, capture_output=True, check=False).returncode == 0


def compile_here(path: str) -> None:
    """In a process of its own, with the copy as its directory: C and object code of one module."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    spec = importlib.util.spec_from_file_location("how_to_build", ROOT / "setup.py")
    how = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(how)
    source = Path("ext/solvent/_core") / path
    name = ".".join(source.relative_to("ext").with_suffix("").parts)
    module = Extension(name, [str(source)], extra_compile_args=["-O0", "-w"])
    made = cythonize(
        [module], include_path=["ext"], build_dir="../c", compiler_directives=how.DIRECTIVES, quiet=True, force=True
    )
    command = Distribution({"ext_modules": made}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = "engine", "../o"
    command.ensure_finalized()
    command.run()


def hunt(seed: int, shapes: int) -> str:
    """Who objects first on the streams of some shapes: 'name commands seconds'; 'nobody' if it lives."""
    import solvent
    from solvent.auditor import Auditor
    from solvent.records import decode
    from support.generator import Generator
    from support.twins import pair

    begun, played = time.monotonic(), 0

    def found(who: str) -> str:
        return f"{who} {played} {time.monotonic() - begun:.1f}"

    for shape in range(shapes):
        generator = Generator(seed * 1_000_003 + shape)
        exchanges = pair(generator)
        core, twin = (ex._kernel for ex in exchanges)
        auditor, opening = Auditor(exchanges[0]), iter(generator.opening())
        for n in range(COMMANDS):
            record = next(opening, None) or generator.next(twin)
            played += 1
            for ex in exchanges:
                ex.venue.coming = generator.candidate
            begin = twin.next_seq
            said = twin.apply(record)
            try:
                other = core.apply(record)
            except solvent.Halted:
                return found("assertion")
            events = bytes(core.view(begin, core.next_seq))
            if said != other or bytes(twin.view(begin, twin.next_seq)) != events or core.last != twin.last:
                return found("twin")
            try:
                auditor.follow(decode(events))
                if n % 64 == 0 or n == COMMANDS - 1:
                    auditor.check_safety()
                    auditor.compare(exchanges[0])
            except solvent.InvariantBroken:
                return found("auditor")
            if (record[0], said) == (13, 0):
                generator.added()
            if n % 64 == 0 or n == COMMANDS - 1:
                rows = [
                    [kernel.position_rows(account) for account in range(16, kernel.account_count)] for kernel in (core, twin)
                ]
                if exchanges[0].digest() != exchanges[1].digest() or rows[0] != rows[1]:
                    return found("check")
    return "nobody"


def child(tree: Path, seed: int, shapes: int = SHAPES) -> str:
    """The hunt in a process with the copy's package; a crash or a hang is a find, too."""
    environment = os.environ | {"PYTHONPATH": f"{tree / 'engine'}{os.pathsep}{ROOT / 'tests'}"}
    asked = [sys.executable, __file__, "--hunt", str(seed), str(shapes)]
    try:
        done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False, timeout=1_200)
    except subprocess.TimeoutExpired:
        return "hang"
    return done.stdout.split("\n")[-2] if done.returncode == 0 else f"crash ({done.returncode}) {done.stderr[-300:]}"


def tested(tree: Path, place: str) -> str:
    """The tests below a place that fail first, on the core; "" if none does."""
    begun, environment = time.monotonic(), os.environ | {"PYTHONPATH": str(tree / "engine")}
    asked = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "not reference"]
    done = subprocess.run([*asked, f"tests/{place}"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{place} - {time.monotonic() - begun:.1f}"


def judged(tree: Path, bug: Bug, seed: int) -> str:
    """Plants a bug, hunts it, and takes it out again."""
    place = tree / "ext/solvent/_core" / bug.path
    before = place.read_text()
    modules = {
        path: path.read_bytes()
        for path in (tree / "engine/solvent/_core" / bug.path).parent.glob(f"{Path(bug.path).stem}.*.so")
    }
    try:
        if not build(tree, bug.path, applied(bug)):
            return "does not build"
        if bug.by.endswith(".py"):
            return tested(tree, bug.by) or child(tree, seed)
        said = child(tree, seed)
        return said if said != "nobody" else next(filter(None, (tested(tree, each) for each in LAST)), said)
    finally:
        place.write_text(before)
        for path, data in modules.items():
            path.unlink(missing_ok=True)
            path.write_bytes(data)


def verdicts() -> dict[str, str]:
    """By the name of a bug: who found it, after how many commands, in how many seconds."""
    return json.loads(RESULT.read_text()) if RESULT.exists() else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every bug of the board")
    parser.add_argument("--only", default="", help="bugs whose name has this in it")
    parser.add_argument("--left", action="store_true", help="bugs that have no verdict yet")
    parser.add_argument("--keep", action="store_true", help="write the verdicts to tests/programme/board.json")
    parser.add_argument("--seed", type=int, default=1, help="of the draw and of the streams")
    parser.add_argument("--compile", help=argparse.SUPPRESS)
    parser.add_argument("--hunt", type=int, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.compile:
        compile_here(asked.compile)
        return 0
    if asked.hunt is not None:
        print(hunt(*asked.hunt))
        return 0
    told = verdicts()
    drawn = [bug for bug in BOARD if asked.only in bug.name and not (asked.left and bug.name in told)]
    if not (asked.all or asked.only or asked.left):
        drawn = Random(asked.seed).sample(BOARD, 10)
    tree, missed = prepare(), []
    print(f"seed {asked.seed} (rerun with --seed {asked.seed})", flush=True)
    if child(tree, asked.seed, CONTROL) != "nobody":
        raise SystemExit("somebody objects to the tree as it is")
    for bug in drawn:
        said = judged(tree, bug, asked.seed)
        if said in LIVES:
            missed.append(bug.name)
        if asked.keep:
            told[bug.name] = said
            RESULT.write_text(json.dumps({bug.name: told[bug.name] for bug in BOARD if bug.name in told}, indent=1) + "\n")
        print(f"{bug.path:32} {bug.name:46} {said}{'' if said.startswith(bug.by) else f'   (expected: {bug.by})'}", flush=True)
    print(f"{len(drawn) - len(missed)} of {len(drawn)} are caught; not: {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
