"""Renders tables: docs/explanation/reliability.md, docs/explanation/proofs.md. `python tests/programme/page.py --write`.

Owns what stands between the marks of these pages. Every figure there is a sum over the ledger of campaigns, or stands in the
committed result of the proofs; a test fails when a page says another one.
"""

import json
import re
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from programme import ledger
from programme.layers import LAYERS
from programme.probes import NAMES
from support.places import ROOT

PAGES = ROOT / "docs" / "explanation"
MARK = re.compile(r"(<!-- rendered: (\w+) -->\n)(.*?)(<!-- rendered: end -->)", re.DOTALL)
HIDDEN = {"batches", "seeds", "faults", "failures", "seconds", "kinds", *NAMES}


def figures(number: int) -> str:
    """What campaigns have done in a layer."""
    total = ledger.totals().get(number)
    if not total:
        return "–"
    told = [f"{count:,} {name}" for name, count in total.items() if name not in HIDDEN and count]
    met = [total[name] for name in NAMES if total[name]]
    if met:
        told.append(f"{len(met)} of {len(NAMES)} rare states, each at least {min(met):,} times")
    return f"{', '.join(told)}; {total['failures']} failures"


def rate(number: int) -> str:
    """The first count of a layer by second of processor time."""
    total = ledger.totals().get(number)
    if not total or not total["seconds"]:
        return "–"
    name = next(name for name in total if name not in HIDDEN)
    return f"{round(total[name] / total['seconds']):,} {name}"


def layers() -> str:
    lines = [
        "| layer | at every change | `make deep` | campaigns so far | a second | not covered |",
        "|---|---|---|---|---|---|",
    ]
    for layer in LAYERS:
        push = (
            " ".join(f"`{each}`" if "/" in each else each for each in layer.push.split(" "))
            if "/" in layer.push
            else layer.push
        )
        seeds = (
            f"{min(layer.deep, layer.seeds or layer.deep):,} seeds" if layer.deep else "a command" if layer.command else "–"
        )
        name = f"{layer.number} {layer.name}"
        lines.append(f"| {name} | {push} | {seeds} | {figures(layer.number)} | {rate(layer.number)} | {layer.uncovered} |")
    return "\n".join(lines) + "\n"


def result() -> dict:
    return json.loads((ROOT / "tests/proofs/result.json").read_text())


def proofs() -> str:
    lines = ["| property | says | seconds | queries | the mutant that it kills |", "|---|---|---|---|---|"]
    for row in result()["rows"]:
        mutant = f"`{row['mutant'].replace('|', chr(92) + '|')}`" if "mutant" in row else "a lemma, used by others"
        lines.append(f"| {row['property']} | {row['says']} | {row['seconds']} | {row['queries']} | {mutant} |")
    return "\n".join(lines) + "\n"


def proved() -> str:
    told, rows = result(), result()["rows"]
    done = [row for row in rows if row["verdict"] == "proved"]
    killed = [row for row in rows if row.get("killed")]
    queries = sum(row["queries"] for row in rows)
    return (
        f"{len(done)} of {len(rows)} properties are proved, with {queries:,} queries to {told['solver']}.\n"
        f"{len(killed)} mutants are killed. All of it takes {round(told['seconds'])} seconds of one core.\n"
        f"Before that, the model agrees with the compiled functions on {told['compared']:,} inputs.\n"
    )


def lines() -> str:
    """What tests reach, by floor: lines of the core, branches of the readable kernel."""
    rows, told = (
        ["| floor | lines of the core | reached | branches of the readable kernel | taken |", "|---|---|---|---|---|"],
        reached(),
    )
    floors = sorted({path.split("/")[0] for kind in told.values() for path in kind})
    for floor in [*floors, ""]:
        cells = []
        for kind in ("core", "twin"):
            there, taken = (
                sum(each[n] for path, each in told[kind].items() if floor in (path.split("/")[0], "")) for n in (0, 1)
            )
            cells += [f"{there:,}", f"{100 * taken / there:.2f} %"] if there else ["–", "–"]
        rows.append(f"| {f'`{floor}`' if floor else 'all'} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def reached() -> dict[str, dict[str, list[int]]]:
    """The committed result of tests/programme/lines.py, with the names of files as modules."""
    told = json.loads((ROOT / "tests/programme/lines.json").read_text())
    return {
        kind: {path.rpartition(".")[0]: each for path, each in told[kind].items() if not path.endswith("__init__.py")}
        for kind in ("core", "twin")
    }


RENDERED = {"layers": layers, "lines": lines, "proofs": proofs, "proved": proved}


def current(text: str) -> str:
    """A page as it should be."""
    return MARK.sub(lambda found: found[1] + RENDERED[found[2]]() + found[4], text)


def outdated() -> list[Path]:
    """Pages that say something else than the ledger and the result."""
    pages = [path for path in PAGES.glob("*.md") if MARK.search(path.read_text())]
    return [path for path in pages if current(path.read_text()) != path.read_text()]


if __name__ == "__main__":
    for path in outdated():
        print(path)
        if "--write" in sys.argv:
            path.write_text(current(path.read_text()))
