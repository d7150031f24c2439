"""The figures of a run, as the JSON has them and the story tells them: sums, shares and rates for reading.

Owns the names of the figures; a name in the JSON is the name that is printed. Never changes a run. Money is in units,
sizes are in contracts, by contract.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np

from solvent.lab.market import hazards
from solvent.lab.market.draws import Ints
from solvent.lab.market.hazards import HOUR_NS, Cells, Statistic
from solvent.lab.market.markets import FIRST_TRADER
from solvent.lab.market.population import CONTROL, LEVERAGES, NAMES
from solvent.lab.market.runner import CURRENCY, Outcome
from solvent.schema.words import EventType

ROWS = 24  # of the timeline
MAKERS = "makers"
TITLES = (
    "all-in", "no stop, no target", "counter-trend swing", "blind follower", "margin top-up", "overnight holder",
    "bottom fisher", "all-encompassing", "stubborn holder", "control group",
)  # fmt: skip
"""The printed names, in the order of population.NAMES."""
ENDS = {
    "book": "absorbed by the book at that price or better", "fund": "sold below it, the insurance fund paying",
    "adl": "closed against winners by ADL", "open": "still offered in the book",
}  # fmt: skip


def by_time(outcome: Outcome, rows: int) -> tuple[Ints, Ints, Ints]:
    """Cuts the run into equal stretches. Returns the last step of each, with the longs and shorts liquidated in it."""
    times = outcome.walk.time_ns
    edges = times[0] + (times[-1] - times[0]) * np.arange(1, rows + 1) // rows
    last = np.searchsorted(times, edges, side="right") - 1
    steps = np.array(outcome.tally.liquidations.steps, dtype=np.int64)
    long = np.array(outcome.tally.liquidations.longs, dtype=np.bool_)
    longs, shorts = (np.diff(np.searchsorted(each, last, side="right"), prepend=0) for each in (steps[long], steps[~long]))
    return last, longs, shorts


def utc(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def price(outcome: Outcome, ticks: int) -> str:
    return f"{ticks * outcome.settings.scenario.tick:f}"


def timeline(outcome: Outcome, rows: int = ROWS) -> list[dict[str, Any]]:
    """Returns the run in equal stretches: when each ends, price and fund then, longs and shorts liquidated in it."""
    return [
        {
            "until": utc(int(outcome.walk.time_ns[step])),
            "price": price(outcome, outcome.series.price_ticks[step]),
            "fund_units": outcome.series.fund_units[step],
            "longs": long,
            "shorts": short,
        }
        for step, long, short in zip(*(column.tolist() for column in by_time(outcome, rows)), strict=True)
    ]


def contracts(outcome: Outcome, lots: list[int]) -> dict[str, str]:
    """Returns sizes by the name of the contract."""
    return {terms.name: f"{count * terms.lot_size:f}" for terms, count in zip(outcome.contracts, lots, strict=True)}


def _adl(outcome: Outcome, who: Ints) -> dict[str, Any]:
    tally = outcome.tally
    return {
        "acts": int(tally.deleveraged_acts[who].sum()),
        "contracts": contracts(outcome, tally.deleveraged_lots[:, who].sum(axis=1).tolist()),
        "units": int(tally.deleveraged_units[who].sum()),
    }


def _hazard(counts: Cells, row: int) -> dict[str, Any]:
    asked: dict[str, Statistic] = {"raw": hazards.raw(row), "at_equal_leverage": hazards.at_equal_leverage(row)}
    if row != CONTROL:
        asked["against_control"] = hazards.against_control(row)
    return {name: hazards.of_one(counts, statistic).plain() for name, statistic in asked.items()}


def behaviours(outcome: Outcome, counts: Cells) -> dict[str, dict[str, Any]]:
    """Returns every behaviour by its printed name, the control group last. Hazards are per 1,000 hours of an open position."""
    result = {}
    for row, title in enumerate(TITLES):
        who = outcome.crowd.members(NAMES[row])
        traders, traded, hit, longs, shorts = (
            int(getattr(counts, name)[row].sum()) for name in ("traders", "traded", "hit", "longs", "shorts")
        )
        result[title] = {
            "traders": traders, "traded": traded, "never_traded": traders - traded, "hit": hit,
            "liquidations": longs + shorts, "longs": longs, "shorts": shorts,
            "hours": round(float(counts.hours[row].sum()), 1),
            "hours_long": round(float(outcome.held_ns[0, who].sum()) / HOUR_NS, 1),
            "hazard": _hazard(counts, row),
            "closed_by_adl": _adl(outcome, FIRST_TRADER + who),
        }  # fmt: skip
    return result


def leverages(counts: Cells) -> dict[str, dict[str, Any]]:
    """Returns every leverage: its share of the traders, of the hours and of the liquidations, and the share that was hit."""
    result = {}
    for column, leverage in enumerate(LEVERAGES):
        parts = {"traders": counts.traders, "hours": counts.hours, "liquidations": counts.liquidations}
        result[f"{leverage}x"] = {name: _share(each[:, column].sum(), each.sum()) for name, each in parts.items()} | {
            "hit": _share(counts.hit[:, column].sum(), counts.traders[:, column].sum())
        }
    return result


def _share(part: float, whole: float) -> float:
    return round(float(part) / float(whole), 4) if whole else 0.0


def funding(outcome: Outcome) -> list[dict[str, Any]]:
    """Returns each settlement of funding: when, of which contract, its rate over 10**9, and the units that were paid."""
    log = outcome.tally.funding
    return [
        {
            "time": utc(int(outcome.walk.time_ns[step])), "contract": outcome.contracts[symbol].name,
            "rate_ppb": rate, "units": paid,
        }
        for step, symbol, rate, paid in zip(log.steps, log.symbols, log.rates_ppb, log.paid_units, strict=True)
    ]  # fmt: skip


def summary(outcome: Outcome) -> dict[str, Any]:
    """Returns the JSON object."""
    tally, settings, counts = outcome.tally, outcome.settings, hazards.cells(outcome)
    log, total = tally.liquidations, len(tally.liquidations.accounts)
    partial, makers = sum(log.partial), int((np.array(log.accounts, dtype=np.int64) < FIRST_TRADER).sum())
    return {
        "scenario": settings.scenario.name,
        "rules": settings.rules.name,
        "seed": settings.seed,
        "traders": settings.traders,
        "contracts": [each.name for each in outcome.contracts],
        "commands": outcome.commands,
        "events": int(tally.counts.sum()),
        "orders": int(tally.counts[EventType.ACCEPTED]),
        "fills": int(tally.counts[EventType.TRADE]),
        "triggers_fired": int(tally.counts[EventType.TRIGGERED]),
        "refused": dict(sorted(outcome.refused.items())),
        "liquidations": {
            "total": total, "partial": partial, "takeover": total - partial,
            "isolated": tally.isolated, "cross": total - tally.isolated,
            "longs": sum(log.longs), "shorts": total - sum(log.longs), MAKERS: makers,
        },
        "timeline": timeline(outcome),
        "behaviours": behaviours(outcome, counts),
        "leverages": leverages(counts),
        "cells": {"behaviours": list(TITLES), "leverages": list(LEVERAGES)} | counts.plain(),
        "unwound": {
            name: {"contracts": contracts(outcome, lots), "units": units} for name, (lots, units) in tally.unwound.items()
        },
        "insurance_fund": {
            "currency": CURRENCY, "start_units": tally.fund.start, "in_units": tally.fund.gained,
            "out_units": tally.fund.paid, "end_units": tally.fund_units,
            "low_units": tally.fund.low, "peak_units": tally.fund.peak,
        },
        "adl": {"acts": tally.adl_events, MAKERS: _adl(outcome, np.arange(FIRST_TRADER))},
        "funding": funding(outcome),
        "agents": [asdict(each) for each in outcome.agents],
        "conservation": {"checks": tally.checks + outcome.audits, "worst_error_units": tally.worst_error},
        "open_interest": {
            terms.name: held for terms, held in zip(outcome.contracts, tally.open_interest, strict=True)
        },
        "digest": f"{outcome.digest:016x}",
        "seconds": round(outcome.seconds, 3),
    }  # fmt: skip
