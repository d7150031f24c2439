"""The board of planted bugs: small changes of the core that somebody could have made, each to be caught (layer 24).

Owns how board.txt is read. A bug there has a name, a file below ext/solvent/_core with who is expected to find it, and lines
that are taken out and put in. "assertion": the core halts by itself; "twin": the readable kernel says something else;
"auditor"; "check": a digest or a view; or a file of tests. tests/programme/planted.py plants them and sees.
"""

from pathlib import Path
from typing import NamedTuple


class Bug(NamedTuple):
    name: str
    path: str
    by: str
    was: str
    now: str

    @property
    def liquidation(self) -> bool:
        return self.path.startswith("liquidation/")


def read(text: str) -> list[Bug]:
    found = []
    for part in text.strip().split("\n\n"):
        name, place, *lines = part.split("\n")
        path, _, by = place.partition(", found by ")
        was, now = ("".join(line[1:] + "\n" for line in lines if line[0] == mark) for mark in "-+")
        assert {line[0] for line in lines} <= {"-", "+"}, part
        found.append(Bug(name, path, by, was, now))
    return found


BOARD = read((Path(__file__).parent / "board.txt").read_text())
