"""The ledger of campaigns: one line of JSON for each batch that was run, committed with the code.

Owns the file and what a line says. Never edits a line: it appends, reads and adds up. The seeds of a layer are used once:
a campaign takes those after the last one. Only one process at a time runs the campaign of a layer.
"""

import fcntl
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.places import ROOT

PATH = ROOT / "tests" / "programme" / "ledger.jsonl"
FIELDS = ("commit", "layer", "seeds", "counts", "faults", "failures", "seconds")
SOURCES = ("engine", "ext", "setup.py")  # what a batch is a statement about

Line = dict[str, Any]


def lines() -> list[Line]:
    """All batches, in the order in which they were run."""
    return [json.loads(line) for line in PATH.read_text().splitlines()] if PATH.exists() else []


def append(line: Line) -> None:
    """Adds one batch; whole or not at all, as a single write at the end of the file."""
    assert tuple(line) in (FIELDS, (*FIELDS, "note")), line
    data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    with PATH.open("ab", buffering=0) as out:
        out.write(data)


def next_seed(layer: int) -> int:
    """The first seed that no batch of a layer has used."""
    return max((line["seeds"][1] + 1 for line in lines() if line["layer"] == layer), default=0)


def totals() -> dict[int, Counter[str]]:
    """What was done by layer: the sums of all counts, and of batches, seeds, faults, failures and seconds."""
    found: dict[int, Counter[str]] = {}
    for line in lines():
        total = found.setdefault(line["layer"], Counter())
        total.update(line["counts"])
        first, last = line["seeds"]
        total.update(batches=1, seeds=last - first + 1, faults=line["faults"], failures=line["failures"])
        total["seconds"] += line["seconds"]
    return found


def commit() -> str:
    """The commit that is tested. Refuses a tree whose sources differ from it: nobody could repeat the batch."""
    changed = _git("status", "--porcelain", "--", *SOURCES)
    if changed:
        raise SystemExit(f"commit the sources first; a batch names a commit:\n{changed}")
    return _git("rev-parse", "--short=10", "HEAD")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def alone(layer: int) -> Iterator[None]:
    """Holds a layer for this process. Raises SystemExit when another campaign has it."""
    place = ROOT / "build" / "programme"
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"layer-{layer}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another campaign of layer {layer} is running") from None
        yield
