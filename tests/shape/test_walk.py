"""No array of the state is forgotten where the state is copied (ext/solvent/_core/walk), and images know their layout."""

import hashlib
import re

from support.places import CORE, CYTHON

ELSEWHERE = {  # pointers that are no part of the state, each with its reason
    ("EventLog", "events"): "a copy's log begins empty",
    ("Ledger", "log"): "back to the state itself",
    ("FundPast", "clock_ns"): "back to the state itself",
    ("ClientIds", "pool"): "back to the state itself",
    ("Notes", "owners"): "a copy reads everybody anew",
    ("Guards", "items"): "derived: a copy begins without guards",
    ("Guards", "guarded"): "derived",
    ("Guards", "beats"): "derived",
    ("Ladder", "rungs"): "derived",
    ("Rankings", "first"): "ended before a command is",
    ("Ranking", "heap"): "derived",
    ("Ranking", "nodes"): "derived",
    ("Ranking", "next"): "derived",
    ("Preview", "rows"): "scratch of a dry run",
    ("Preview", "orders"): "scratch of a dry run",
}
LAYOUTS = {  # by LAYOUT of image.pxd
    1: "0daaa0037c5a93f1", 2: "91d7d8fb333bdce7", 3: "a7cc12158ad147f6", 4: "60a0112da6c75c93", 5: "28b0d92e43fe4e78",
    6: "4482e24e0bb372ea", 7: "47e48ac5b72126d2", 8: "17fb80f18531010c", 9: "eb6e44b92ea11f87", 10: "7cc608080ff1ef4b",
    11: "0ee67fc6d3c298cf", 12: "1971804eb3d7418a", 13: "829ec07bf7ec37b6",
    14: "1c0494831417f88c", 15: "77d47eda19ee4a12",
}  # fmt: skip


def structs() -> dict[str, str]:
    """The fields of each struct of the core, without comments."""
    found = {}
    for path in CYTHON:
        if path.suffix == ".pxd":
            for name, body in re.findall(r"^cdef struct (\w+):[^\n]*\n((?:    [^\n]*\n|\n)*)", path.read_text(), re.MULTILINE):
                found[name] = re.sub(r"\s*#[^\n]*", "", body)
    return found


def fields(body: str) -> list[tuple[str, str, str]]:
    """(type, name, its suffix) of each field; a type ends with * for a pointer."""
    return re.findall(r"^    ([\w]+\*?) (\w+)((?:\[[^\]]+\])*)$", body, re.MULTILINE)


def reachable(name: str, known: dict[str, str], seen: dict[str, None]) -> None:
    if name in known and name not in seen:
        seen[name] = None
        for kind, _, _ in fields(known[name]):
            reachable(kind.rstrip("*"), known, seen)


def pointers(known: dict[str, str]) -> set[tuple[str, str]]:
    """(struct, field) of each pointer that the state holds, at any depth."""
    seen: dict[str, None] = {}
    reachable("State", known, seen)
    return {(name, field) for name in seen for kind, field, _ in fields(known[name]) if kind.endswith("*")}


def walked(text: str, known: dict[str, str]) -> set[tuple[str, str]]:
    """(struct, field) of each pointer that the walk visits."""
    found = set()
    for head, body in re.findall(r"^cdef void \w+\(([^)]*)\)[^\n]*:\n(.*?)(?=^cdef |\Z)", text, re.MULTILINE | re.DOTALL):
        kinds = {name: kind for kind, name in re.findall(r"(\w+)\* (\w+)", head + body)}
        for path in re.findall(r"<void\*\*>&([\w.]+)", body):
            variable, *between, field = path.split(".")
            kind = kinds[variable]
            for step in between:
                kind = next(each for each, name, _ in fields(known[kind]) if name == step)
            found.add((kind, field))
    return found


def test_the_walk_visits_every_array_of_the_state():
    known = structs()
    wanted = pointers(known)
    assert len(wanted) > 30 and set(ELSEWHERE) < wanted
    assert walked((CORE / "walk.pyx").read_text(), known) == wanted - set(ELSEWHERE)


def test_a_planted_array_is_missed():
    known = structs()
    known["Book"] += "    int64_t* planted\n"
    known["Planted"] = "    int64_t* deep\n"
    known["Volume"] += "    Planted inside\n"
    missed = pointers(known) - set(ELSEWHERE) - walked((CORE / "walk.pyx").read_text(), known)
    assert missed == {("Book", "planted"), ("Planted", "deep")}


def test_the_layout_has_a_number():
    """An image is memory: whoever changes a struct of the state raises LAYOUT and writes the new hash down here."""
    known = structs()
    seen: dict[str, None] = {}
    reachable("State", known, seen)
    text = "".join(f"{name}:\n{known[name]}" for name in sorted([*seen, "Head"]))
    number = int(re.search(r"LAYOUT = (\d+)", (CORE / "image.pxd").read_text())[1])
    assert (number, LAYOUTS[number]) == (max(LAYOUTS), hashlib.sha256(re.sub(r"\s+", " ", text).encode()).hexdigest()[:16])
