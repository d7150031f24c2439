"""The page of a comparison of rule sets: bars side by side, the table, and what was refused, in one file without a script.

Owns the drawing. Never computes a figure: it is given the JSON object of `counterfactual.summary`. The same object gives the
same bytes.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from solvent.lab.market.population import UNITS
from solvent.lab.market.runner import CURRENCY
from solvent.schema.codes import InputError

PARTS = {
    "book": "taken by the book", "fund": "sold, the fund paying", "adl": "closed against winners", "open": "still offered",
}  # fmt: skip
_PANELS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("accounts liquidated: under the first rule set, too, and only here", (("also", "too"), ("only", "only"))),
    (f"what was taken over, {CURRENCY} at the bankruptcy price", tuple((name, name) for name in PARTS)),
    (f"who paid, {CURRENCY}: the fund, whom ADL closed (at mark), nobody", (
        ("fund_paid_units", "fund"), ("forgone_units", "adl"), ("deficit_units", "open"),
    )),
    ("commands refused", (("refused", "only"),)),
)  # fmt: skip
_WIDE, _LEFT, _RIGHT, _BAR, _TOP, _GAP = 900, 130, 110, 22, 30, 30
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2128; --soft: #59636e; --line: #d1d9e0;
        --too: #0969da; --only: #8250df; --book: #1a7f37; --fund: #9a6700; --adl: #cf222e; --open: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
          --too: #4493f8; --only: #ab7df8; --book: #3fb950; --fund: #d29922; --adl: #f85149; --open: #9198a1; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
pre { overflow-x: auto; font-size: 12px; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg .name { fill: var(--ink); font-weight: 600; } .too { fill: var(--too); } .only { fill: var(--only); }
.book { fill: var(--book); } .fund { fill: var(--fund); } .adl { fill: var(--adl); } .open { fill: var(--open); }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .4em 0 1em; }
"""
_KEY = {
    "too": "under the first, too", "only": "only here", "book": PARTS["book"], "fund": "the fund pays", "adl": "winners",
    "open": "still offered, or a deficit",
}  # fmt: skip


def _figure(row: dict[str, Any], name: str) -> int:
    """Returns one figure of a rule set, money in whole currency."""
    if name in PARTS:
        return int(row["taken_units"][name]) // UNITS
    if name == "only":
        return int(row["accounts"]) - int(row["also"])
    if name == "refused":
        return int(sum(row["refused"].values()))
    return int(row[name]) // UNITS if name.endswith("_units") else int(row[name])


def _chart(rows: Sequence[dict[str, Any]]) -> str:
    """Returns all panels: a bar a rule set, in parts one after the other."""
    parts: list[str] = []
    top = _TOP
    for title, names in _PANELS:
        parts.append(f'<text class="name" x="0" y="{top - 10}">{escape(title)}</text>')
        sums = [sum(_figure(row, name) for name, _ in names) for row in rows]
        for i, (row, total) in enumerate(zip(rows, sums, strict=True)):
            x, y = _LEFT, top + i * _BAR
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(row["rules"])}</text>')
            for name, kind in names:
                width = (_WIDE - _LEFT - _RIGHT) * _figure(row, name) // max(1, *sums)
                parts.append(f'<rect class="{kind}" x="{x}" y="{y + 2}" width="{width}" height="{_BAR - 6}"/>')
                x += width
            parts.append(f'<text x="{x + 6}" y="{y + 14}">{total:,}</text>')
        top += len(rows) * _BAR + _TOP + _GAP
    inner = "\n".join(parts)
    label = "liquidations, parcels, payers and refusals by rule set; the table below has the numbers"
    return f'<svg viewBox="0 0 {_WIDE} {top - _GAP}" role="img" aria-label="{label}">\n{inner}\n</svg>'


def page(summary: dict[str, Any], table: str) -> str:
    """Returns the whole page. table: the comparison side by side, as it is printed."""
    rows, first = summary["rules"], escape(summary["rules"][0]["rules"])
    title = f"{escape(summary['scenario'])}: {summary['traders']:,} traders under {len(rows)} rule sets"
    key = "".join(f'<span style="background: var(--{kind})"></span>{escape(text)}' for kind, text in _KEY.items())
    refused = "\n".join(
        f"{row['rules']}: " + (", ".join(f"{count:,} {code}" for code, count in sorted(row["refused"].items())) or "none")
        for row in rows
    )
    body = [
        f"<h1>{title}</h1>",
        f"<p>The commands of a demo under {first}, played again under each rule set. Nobody decides anew.</p>",
        f'<p class="key">{key}</p>', _chart(rows), f"<h2>The table</h2>\n<pre>{escape(table)}</pre>",
        f"<h2>Commands refused, by code</h2>\n<pre>{escape(refused)}</pre>",
    ]  # fmt: skip
    head = f'<meta charset="utf-8">\n<title>{title}</title>\n<meta name="viewport" content="width=device-width">'
    top = f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n<style>{_STYLE}</style>\n</head>\n'
    return top + "<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"


def write(file: str, summary: dict[str, Any], table: str) -> None:
    """Writes the page. Raises InputError if that fails."""
    try:
        Path(file).write_text(page(summary, table), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the page {file}: {error}") from None
