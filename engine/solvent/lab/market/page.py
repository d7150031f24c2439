"""The page of a run: the same story as the picture, interactive, in one file that needs no network.

Owns what the page is given; how it is shown is charts/page.html and charts/page.js. Never computes anything that the
report does not. The two chart libraries beside them are others' (charts/ORIGIN.md). Cost: a file of a third of a megabyte.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from solvent.lab.market import facts, hazards, report
from solvent.lab.market.facts import TITLES
from solvent.lab.market.population import CONTROL, UNITS
from solvent.lab.market.runner import CURRENCY, Outcome
from solvent.schema.codes import InputError

SECOND_NS = 10**9
PARTS = {
    "/*UPLOT_CSS*/": "uPlot.min.css", "/*LIGHTWEIGHT_CHARTS*/": "lightweight-charts.standalone.production.js",
    "/*UPLOT*/": "uPlot.iife.min.js", "/*PAGE*/": "page.js",
}  # fmt: skip


def _part(name: str) -> str:
    return resources.files("solvent.lab.market").joinpath(f"charts/{name}").read_text(encoding="utf-8")


def data(outcome: Outcome) -> dict[str, Any]:
    """Returns what the page shows. Times are seconds since 1970, prices and amounts are numbers for drawing."""
    scenario, walk = outcome.settings.scenario, outcome.walk
    tick, seconds = scenario.tick, (walk.time_ns // SECOND_NS).tolist()
    starts = np.array([bar[0] // 1000 for bar in scenario.bars], dtype=np.int64)
    log, times = outcome.tally.liquidations, np.array(seconds, dtype=np.int64)
    at = np.searchsorted(starts, times, side="right") - 1  # the bar of each step
    steps, long = np.array(log.steps, dtype=np.int64), np.array(log.longs, dtype=np.bool_)
    longs, shorts = (np.bincount(at[steps[side]], minlength=len(starts)).tolist() for side in (long, ~long))
    adl = sorted({int(starts[at[step]]) for step in outcome.tally.adl_steps})
    story = report.story(outcome)
    return {
        "title": scenario.title,
        "lead": " ".join(story.splitlines()[1:3]),
        "text": story,
        "currency": CURRENCY,
        "tick": float(tick),
        "precision": max(0, -int(tick.as_tuple().exponent)),
        "bars": [[bar[0] // 1000, *(float(each * tick) for each in bar[1:])] for bar in scenario.bars],
        "adl": adl,
        "liquidations": [[start, long, short] for start, long, short in zip(starts.tolist(), longs, shorts, strict=True)],
        "fund": [seconds, [units / UNITS for units in outcome.series.fund_units]],
        "behaviours": _behaviours(outcome),
    }


def _behaviours(outcome: Outcome) -> list[dict[str, Any]]:
    counts = hazards.cells(outcome)
    found = facts.behaviours(outcome, counts)
    order = sorted(range(len(TITLES)), key=lambda row: (row == CONTROL, -(hazards.raw(row)(counts) or 0)))
    result = []
    for row in order:
        each, closed = found[TITLES[row]], found[TITLES[row]]["closed_by_adl"]
        asked = {"raw": hazards.raw(row), "equal": hazards.at_equal_leverage(row)}
        told = {name: report.figure(hazards.of_one(counts, statistic)) for name, statistic in asked.items()}
        multiple = report.figure(hazards.of_one(counts, hazards.against_control(row)), times=True)
        result.append({
            "name": report.titled(row), "control": row == CONTROL, "raw": hazards.raw(row)(counts) or 0,
            "told": told | {"multiple": "" if row == CONTROL else multiple},
            "longs": f"{each['longs']:,}", "shorts": f"{each['shorts']:,}", "hours": f"{each['hours']:,.0f}",
            "closed": report.money(closed["units"]) if closed["acts"] else "",
        })  # fmt: skip
    return result


def write(outcome: Outcome, file: str) -> None:
    """Writes the page. Raises InputError if that fails."""
    text = _part("page.html")
    told = json.dumps(data(outcome)).replace("</", "<\\/")
    for place, name in PARTS.items():
        text = text.replace(place, _part(name))
    try:
        Path(file).write_text(text.replace("/*STORY*/null", told), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the page {file}: {error}") from None
