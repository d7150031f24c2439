"""Many seeds of one demo: the figures of each, and the hazards of all of them with intervals.

Owns what a seed of a sweep returns, and how seeds together are told. Never runs more than one demo. Cost: a demo a seed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from solvent.lab.market import hazards
from solvent.lab.market.facts import ENDS, TITLES
from solvent.lab.market.hazards import COLUMNS, Cells, Estimate, cells, of_plain, over_seeds
from solvent.lab.market.population import CONTROL, LEVERAGES, UNITS
from solvent.lab.market.report import figure, titled
from solvent.lab.market.runner import CURRENCY, Outcome, run
from solvent.lab.market.scenarios import Scenario

ADVISED = 20  # seeds


def world(scenario: Scenario, seed: int, **changes: Any) -> dict[str, Any]:
    """Runs a scenario for a seed, with some of its fields changed; returns its figures as one row."""
    return row(run(replace(scenario, **changes), seed))


def changed(scenario: Scenario, case: Mapping[str, Any]) -> Scenario:
    """Returns a scenario with the fields that a case of a sweep sets."""
    return replace(scenario, **{name: value for name, value in case.items() if name != "seed"})


def row(outcome: Outcome) -> dict[str, Any]:
    """Returns the figures of a run as numbers, and its counts by behaviour and leverage as flat lists, row by row."""
    tally = outcome.tally
    longs, total = sum(tally.liquidations.longs), len(tally.liquidations.accounts)
    figures = {
        "liquidations": total, "longs": longs, "shorts": total - longs, "partial": sum(tally.liquidations.partial),
        "adl_acts": tally.adl_events, "fund_low_units": tally.fund.low, "fund_end_units": tally.fund_units,
        "fund_paid_units": tally.fund.paid, "commands": outcome.commands, "worst_error_units": tally.worst_error,
        "digest": f"{outcome.digest:016x}",
    }  # fmt: skip
    parts = {f"to_{name}_units": units for name, (_, units) in tally.unwound.items()}
    counts = {f"cells_{name}": [each for line in found for each in line] for name, found in cells(outcome).plain().items()}
    return figures | parts | counts


def counts_of(found: dict[str, Any]) -> Cells:
    """Returns the counts that a row has."""
    width = len(LEVERAGES)
    flat = {name: found[f"cells_{name}"] for name in COLUMNS}
    return of_plain({name: [each[i : i + width] for i in range(0, len(each), width)] for name, each in flat.items()})


def compared(rows: list[dict[str, Any]]) -> dict[str, dict[str, Estimate]]:
    """Returns the hazards of every behaviour by its printed name, with 95 % intervals over the seeds."""
    runs = [counts_of(each) for each in rows]
    result = {}
    for line, title in enumerate(TITLES):
        asked = {"raw": hazards.raw(line), "at_equal_leverage": hazards.at_equal_leverage(line)}
        if line != CONTROL:
            asked["against_control"] = hazards.against_control(line)
        result[title] = {name: over_seeds(runs, statistic) for name, statistic in asked.items()}
    return result


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the JSON object of many seeds: their figures one by one, and the hazards of all of them."""
    hazard = {title: {name: each.plain() for name, each in found.items()} for title, found in compared(rows).items()}
    plain = [{name: each for name, each in found.items() if not name.startswith("cells_")} for found in rows]
    return {"seeds": len(rows), "behaviours": hazard, "runs": plain}


def story(rows: list[dict[str, Any]], scenario: Scenario) -> str:
    """Returns many seeds as a page to read."""
    found = compared(rows)
    lines = [
        scenario.title,
        f"{len(rows)} seeds of {scenario.traders:,} simulated traders, rules {scenario.rules}: figures of all of them, with"
        " 95 % intervals over the seeds",
        "",
        f"{'':26}liquidations in 1,000 hours with a position open",
        f"  {'':24}{'raw':>18}{'at equal leverage':>22}{'vs control':>18}",
    ]
    order = sorted(range(len(TITLES)), key=lambda line: (line == CONTROL, -(found[TITLES[line]]["raw"].value or 0)))
    for line in order:
        each = found[TITLES[line]]
        if each["raw"].value is None:  # a kind that does not trade here
            continue
        multiple = "" if line == CONTROL else figure(each["against_control"], times=True)
        told = f"{figure(each['raw']):>18}{figure(each['at_equal_leverage']):>22}{multiple:>18}"
        lines.append(f"  {titled(line):24}{told}".rstrip())
    lines.append("  at equal leverage: each leverage weighs the same for all; vs control: of these")
    if len(rows) < ADVISED:
        lines.append(f"  {len(rows)} seeds tell little of how seeds differ; {ADVISED} are advised")
    return "\n".join([*lines, *_worlds(rows)])


def _worlds(rows: list[dict[str, Any]]) -> list[str]:
    def ranged(name: str, unit: int = 1) -> str:
        values = sorted(each[name] // unit for each in rows)
        return f"{values[0]:>12,}{values[len(values) // 2]:>12,}{values[-1]:>12,}"

    lines = ["", "From seed to seed", "", f"  {'':52}{'least':>12}{'median':>12}{'most':>12}"]
    for name in ("liquidations", "longs", "shorts"):
        lines.append(f"  {name:52}{ranged(name)}")
    for name, words in ENDS.items():
        if name != "open":
            lines.append(f"  {words + ', ' + CURRENCY:52}{ranged(f'to_{name}_units', UNITS)}")
    lines.append(f"  {'the fund at its lowest, ' + CURRENCY:52}{ranged('fund_low_units', UNITS)}")
    came, error = sum(each["adl_acts"] > 0 for each in rows), max(each["worst_error_units"] for each in rows)
    return [*lines, "", f"  ADL came in {came} of {len(rows)} seeds. Worst error of the money: {error} units."]
