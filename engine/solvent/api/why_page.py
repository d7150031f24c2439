"""A page of HTML about the liquidations of an account: charts as inline SVG, tables, no script, nothing fetched.

Owns the look. Never finds anything out: it shows what `why` tells. Works in integers and fractions; the same story gives the
same bytes. It reads well on a dark and on a light screen.
"""

from collections.abc import Iterator
from fractions import Fraction
from html import escape
from typing import Any

from solvent.api import why_words
from solvent.terms.decimals import from_fraction, plain

_WIDE, _LEFT, _RIGHT = 760, 96, 16  # of a chart, in its own units
_HIGH, _GAP, _TOP = 150, 34, 22
BELOW = '<tr class="below">'
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2128; --soft: #59636e; --line: #d1d9e0;
        --mark: #0969da; --equity: #1a7f37; --own: #cf222e; --full: #9a6700; --cross: #8250df; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
          --mark: #4493f8; --equity: #3fb950; --own: #f85149; --full: #d29922; --cross: #ab7df8; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; } p, li { max-width: 48rem; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; } tr.below td { color: var(--own); }
pre { white-space: pre-wrap; font-size: 13px; } svg { width: 100%; height: auto; margin: .5rem 0; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } svg .name { fill: var(--ink); font-weight: 600; }
svg line.grid { stroke: var(--line); } svg polyline { fill: none; stroke-width: 1.8; }
.mark { stroke: var(--mark); } .equity { stroke: var(--equity); } .own { stroke: var(--own); stroke-dasharray: 5 3; }
.full { stroke: var(--full); stroke-dasharray: 2 3; } .cross { stroke: var(--cross); stroke-dasharray: 3 3; }
"""


def page(told: dict[str, Any]) -> str:
    """Returns the whole page for what `Why.to_dict` tells."""
    name = escape(told["account"])
    body = [f"<h1>Why was {name} liquidated?</h1>"]
    for each in told["liquidations"]:
        body += _liquidation(each)
    if not told["liquidations"]:
        body.append(f"<p>{name} was never liquidated.</p>")
    body += ["<h2>The account now</h2>", f"<pre>{escape(told['now'])}</pre>"]
    head = f'<meta charset="utf-8">\n<title>{name}</title>\n<meta name="viewport" content="width=device-width">'
    inner = "\n".join(body)
    top = f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n<style>{_STYLE}</style>\n</head>\n'
    return f"{top}<body>\n{inner}\n</body>\n</html>\n"


def _liquidation(told: dict[str, Any]) -> Iterator[str]:
    yield f"<h2>{told['number']}. {escape(why_words.title(told))}</h2>"
    yield f"<p>{escape(why_words.told_crossing(told))}</p>"
    if told["path"]:
        yield _chart(told)
    yield "<h3>What happened</h3>\n<ul>"
    for each in told["verdicts"]:
        yield _item(f"{why_words.told_verdict(each)} {told['currency']}")
    yield from (_item(f"cancelled: {why_words.told_order(each)}") for each in told["cancelled"])
    yield from (_item(why_words.told_step(each)) for each in told["steps"])
    for each in told["taken"]:
        inner = [_item(why_words.told_closing(closing)) for closing in each["closings"]]
        inner += [] if each["left"] == "0" else [_item(f"{why_words.sized(each['left'])} is still open")]
        within = "<ul>" + "".join(inner) + "</ul>" if inner else ""
        yield f"<li>{escape(why_words.told_taken(each))}{within}</li>"
    yield _item(why_words.told_money(told))
    yield f"</ul>\n<h3>The way, in {escape(told['currency'])}</h3>"
    yield _table(told)


def _item(text: str) -> str:
    return f"<li>{escape(text.strip())}</li>"


def _table(told: dict[str, Any]) -> str:
    head, rows = why_words.path_rows(told)
    top = "".join(f"<th>{escape(text)}</th>" for text in head)
    lines = [
        (BELOW if row["slack"].startswith("-") else "<tr>") + "".join(f"<td>{escape(text)}</td>" for text in cells) + "</tr>"
        for row, cells in zip(told["path"], rows, strict=True)
    ]
    inner = "\n".join(lines)
    return f'<div class="wide"><table>\n<tr>{top}</tr>\n{inner}\n</table></div>'


# --- charts ---------------------------------------------------------------------------------------------


def _chart(told: dict[str, Any]) -> str:
    """Returns the marks, one panel each, over a panel of equity and what is asked; all share the readings as their axis."""
    path, crossing = told["path"], told["crossing"]
    panels = [(f"mark of {name}", [("mark", [row["marks"][name] for row in path])]) for name in path[0]["marks"]]
    terms = [(kind, [row[kind] for row in path]) for kind in ("own", "full", "equity")]
    if terms[0][1] == terms[1][1]:
        panels.append((f"equity, and below what it is liquidated (dashed), in {told['currency']}", terms[1:]))
    else:
        asked = "below what it is stepped down (dashed) and taken over (dotted)"
        panels.append((f"equity, and {asked}, in {told['currency']}", terms))
    seqs = [row["seq"] for row in path]
    at = seqs.index(crossing["after"]["seq"]) if crossing and crossing["after"]["seq"] in seqs else None
    parts: list[str] = []
    for number, (name, series) in enumerate(panels):
        top = _TOP + number * (_HIGH + _GAP)
        level = crossing["crossed"] if crossing and crossing["price"] == "mark" else None
        line = level if level and name == f"mark of {crossing['instrument']}" else None
        parts += _panel(name, series, top, line)
    high = _TOP + len(panels) * (_HIGH + _GAP) + 8
    if at is not None:
        x = _across(at, len(path))
        parts.append(f'<line class="cross" x1="{x}" x2="{x}" y1="{_TOP}" y2="{high - _GAP - 8}"/>')
        parts.append(f'<text x="{x}" y="{high - 4}" text-anchor="middle">below {escape(crossing["threshold"])}</text>')
    first, last = (escape(why_words.clock(path[i]["time_ns"])) for i in (0, -1))
    parts.append(f'<text x="{_LEFT}" y="{high - 22}">{first}</text>')
    parts.append(f'<text x="{_WIDE - _RIGHT}" y="{high - 22}" text-anchor="end">{last}</text>')
    label = escape(why_words.told_crossing(told), quote=True)
    inner = "\n".join(parts)
    return f'<svg viewBox="0 0 {_WIDE} {high}" role="img" aria-label="{label}">\n{inner}\n</svg>'


def _panel(name: str, series: list[tuple[str, list[str | None]]], top: int, level: str | None) -> Iterator[str]:
    """Yields one panel: a line for each series, and one across at the price of the crossing."""
    values = [Fraction(text) for _, texts in series for text in texts if text is not None]
    values += [Fraction(level)] if level else []
    low, high = min(values, default=Fraction(0)), max(values, default=Fraction(0))
    span = high - low or Fraction(1)

    def down(value: Fraction) -> str:
        return _tenths(top + _HIGH * (high - value) * Fraction(span.denominator, span.numerator))

    yield f'<text class="name" x="{_LEFT}" y="{top - 8}">{escape(name)}</text>'
    for value in dict.fromkeys((high, low)):
        y = down(value)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y}" y2="{y}"/>'
        text = plain(from_fraction(value))
        yield f'<text x="{_LEFT - 8}" y="{y}" dy="4" text-anchor="end">{text}</text>'
    if level:
        y = down(Fraction(level))
        yield f'<line class="cross" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{_WIDE - _RIGHT}" y="{y}" dy="-4" text-anchor="end">crossed at {escape(level)}</text>'
    for kind, texts in series:
        yield f'<polyline class="{kind}" points="{_stairs(texts, down)}"/>'


def _stairs(texts: list[str | None], down: Any) -> str:
    """Returns the points of a line that stays level until the next reading."""
    points: list[str] = []
    for i, text in enumerate(texts):
        if text is not None:
            x, y = _across(i, len(texts)), down(Fraction(text))
            points += [f"{x},{points[-1].split(',')[1]}"] if points else []
            points.append(f"{x},{y}")
    points += [f"{_across(len(texts), len(texts))},{points[-1].split(',')[1]}"] if points else []
    return " ".join(points)


def _across(i: int, count: int) -> str:
    return _tenths(_LEFT + Fraction((_WIDE - _LEFT - _RIGHT) * i, count))


def _tenths(value: Fraction) -> str:
    """Returns a number with one decimal, rounded half to even."""
    whole, tenth = divmod(round(value * 10), 10)
    return f"{whole}.{tenth}"
