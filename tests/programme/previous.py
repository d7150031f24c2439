"""Journals that the previous commit's build writes, recovered by this one (layer 13).

    python tests/programme/previous.py [--commit HEAD^]

Owns a copy of that commit in build/previous, compiled without optimisation, and the journals that it writes there: whole ones
and torn ones, with segments and snapshots. Each is recovered and replayed here by both kernels, to the same digest. Where the
digests of the golden journals change with this commit, what a digest says has changed on purpose: then commands, events (a
block has their checksum) and names have to be the same. Exit 1 when one is not read.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import solvent
import solvent.reference
from solvent.store.files import Folder
from support.crashes import COMPILED, REFERENCE
from support.journals import reopened
from support.places import ROOT

WORK = ROOT / "build" / "previous"
GOLDEN = "tests/support/golden/digests.json"
WRITER = """
import json, sys
from pathlib import Path
from solvent.store.files import Folder
from support.journals import written
told, place = {}, Path(sys.argv[1])
for seed in range(1, 13):
    name = f"journal-{seed}"
    limits = ({}, {"segment_bytes": 8_192}, {"segment_bytes": 8_192, "snapshot_every": 60})[seed % 3]
    _, ex = written(seed, 400, disk=Folder(place / name), batch=1 + seed, **limits)
    if seed % 4:
        ex.close()
    told[name] = [ex.command_count, f"{ex.digest():016x}"]
    if seed % 4 == 0:
        last = max((place / name).glob("*.journal"))
        ex.sync()
        last.write_bytes(last.read_bytes() + b"torn")
print(json.dumps(told))
"""


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout


def built(commit: str) -> Path:
    """The tree of a commit, with its core compiled."""
    tree = WORK / "tree"
    shutil.rmtree(WORK, ignore_errors=True)
    tree.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(tree)], input=git("archive", commit), check=True)
    environment = os.environ | {"SOLVENT_BUILD": "quick"}
    asked = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(asked, cwd=tree, env=environment, check=True, capture_output=True)
    return tree


def written(tree: Path) -> dict[str, list]:
    """What the build wrote: by name, the number of commands and the digest after them."""
    around = os.environ | {"PYTHONPATH": os.pathsep.join(str(tree / each) for each in ("engine", "tests"))}
    asked = [sys.executable, "-c", WRITER, str(WORK)]
    done = subprocess.run(asked, cwd=tree, env=around, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def read(name: str, kinds) -> list:
    """How many commands a copy of a journal has here, and the digest after them; by recovery, and by replay the same."""
    place = WORK / "read"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(WORK / name, place)
    module = solvent if kinds is COMPILED else solvent.reference
    replay = module.replay(place)
    past = replay.seek(replay.last).digest()
    ex = reopened(Folder(place), kinds=kinds)
    assert ex.digest() == past, f"{name}: recovery and replay differ"
    ex.close()
    return [ex.command_count, f"{ex.digest():016x}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default="HEAD^", help="whose build writes")
    commit = git("rev-parse", "--short=10", parser.parse_args().commit).decode().strip()
    told = written(built(commit))
    another = git("show", f"{commit}:{GOLDEN}") != (ROOT / GOLDEN).read_bytes()
    wrong = []
    for name, said in told.items():
        for kinds in (COMPILED, REFERENCE):
            found = read(name, kinds)
            if found != said and (not another or found[0] != said[0]):
                wrong.append(f"{name}: {said} was written, {found} is read")
    print("\n".join(wrong) or f"{len(told)} journals of {commit} are read by both kernels{', digests change' * another}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
