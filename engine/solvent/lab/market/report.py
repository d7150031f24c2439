"""The outcome in words and as JSON.

Owns how a run is told. Never changes it; the only numbers made here are sums, shares and rates for reading.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from solvent.lab.market.draws import Ints
from solvent.lab.market.population import CONTROL, NAMES, UNIT, UNITS
from solvent.lab.market.runner import CURRENCY, FIRST_TRADER, Outcome
from solvent.schema.codes import HINTS, Code
from solvent.schema.words import EventType
from solvent.terms.decimals import from_units

ROWS = 24  # of the story's clock
BAR = 30  # characters
HOUR_NS = 3_600_000_000_000
RULE_OF_THREE = 3  # none seen in N hours: with 95 % confidence the rate is below 3 / N
MAKER = "maker"
TITLES = {
    "all_in": "1 all-in", "no_stop": "2 no stop, no target", "counter_trend": "3 counter-trend swing",
    "blind_follower": "4 blind follower", "margin_topup": "5 margin top-up", "overnight": "6 overnight holder",
    "bottom_fisher": "7 bottom fisher", "all_encompassing": "8 all-encompassing", "stubborn": "9 stubborn holder",
    "control": "control group",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hazard:
    """Tells how a behaviour fared. rate: liquidations per 1,000 hours with a position open. traded: members that ever did."""

    name: str
    traders: int
    traded: int
    hit: int  # traders liquidated at least once
    liquidations: int
    hours: float

    @property
    def rate(self) -> float:
        return 1_000 * self.liquidations / self.hours if self.hours else 0.0

    @property
    def highest_rate(self) -> float:
        """Returns the rate, or its upper bound if no liquidation was seen."""
        return self.rate or (1_000 * RULE_OF_THREE / self.hours if self.hours else 0.0)


def behaviours_hit(outcome: Outcome) -> dict[str, int]:
    """Returns liquidations by behaviour; makers only if there were any."""
    accounts = np.array(outcome.tally.liquidations.accounts, dtype=np.int64)
    traders = outcome.crowd.behaviour[accounts[accounts >= FIRST_TRADER] - FIRST_TRADER]
    counted = dict(zip(NAMES, np.bincount(traders, minlength=len(NAMES)).tolist(), strict=True))
    makers = int((accounts < FIRST_TRADER).sum())
    return counted | ({MAKER: makers} if makers else {})


def leverages_hit(outcome: Outcome) -> dict[str, int]:
    """Returns liquidations by leverage, for every leverage that traders had."""
    hit = outcome.tally.liquidations.leverages
    return {str(each): hit.count(each) for each in sorted({*outcome.crowd.leverage.tolist(), *hit})}


def hazards(outcome: Outcome) -> list[Hazard]:
    """Returns every behaviour in the seed's order, control last."""
    accounts = np.array(outcome.tally.liquidations.accounts, dtype=np.int64)
    counted = behaviours_hit(outcome)
    traded = outcome.tally.traded[FIRST_TRADER:]
    was_hit = np.isin(np.arange(len(outcome.crowd)) + FIRST_TRADER, accounts)
    result = []
    for number, name in enumerate(NAMES):
        who = outcome.crowd.behaviour == number
        hours = float(outcome.held_ns[who].sum()) / HOUR_NS
        traders, ever, hit = (int(each.sum()) for each in (who, traded & who, was_hit & who))
        result.append(Hazard(name, traders, ever, hit, counted[name], hours))
    return result


def summary(outcome: Outcome) -> dict[str, Any]:
    """Returns the JSON object. Money is in units, sizes in lots, all integers but `seconds`."""
    tally, settings = outcome.tally, outcome.settings
    log, unwound = tally.liquidations, tally.unwound
    partial = sum(log.partial)
    return {
        "scenario": settings.scenario.name,
        "rules": settings.rules.name,
        "seed": settings.seed,
        "traders": settings.traders,
        "commands": outcome.commands,
        "events": int(tally.counts.sum()),
        "orders": int(tally.counts[EventType.ACCEPTED]),
        "fills": int(tally.counts[EventType.TRADE]),
        "refused": dict(sorted(outcome.refused.items())),
        "never_traded": {each.name: each.traders - each.traded for each in hazards(outcome)},
        "liquidations": {
            "total": len(log.accounts),
            "partial": partial,
            "takeover": len(log.accounts) - partial,
            "isolated": tally.isolated,
            "cross": len(log.accounts) - tally.isolated,
            "long": sum(log.longs),
            "short": len(log.accounts) - sum(log.longs),
            "by_behaviour": behaviours_hit(outcome),
            "by_leverage": leverages_hit(outcome),
        },
        "unwound": unwound,
        "insurance_fund": {
            "currency": CURRENCY,
            "start_units": tally.fund.start,
            "in_units": tally.fund.gained,
            "out_units": tally.fund.paid,
            "end_units": tally.fund_units,
        },
        "adl": {"events": tally.adl_events, "lots": unwound["adl_lots"]},
        "conservation": {"checks": tally.checks + outcome.audits, "worst_error_units": tally.worst_error},
        "open_interest": tally.open_interest,
        "digest": f"{outcome.digest:016x}",
        "seconds": round(outcome.seconds, 3),
    }


# --- the story


def money(units: int) -> str:
    return f"{units / UNITS:,.0f} {CURRENCY}"


def exact(units: int) -> str:
    return f"{from_units(units, UNIT):,f} {CURRENCY}"


def price(outcome: Outcome, ticks: int) -> str:
    value = ticks * outcome.settings.scenario.tick
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.6g}"


def clock(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%d %b %H:%M")


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def by_time(outcome: Outcome, rows: int) -> tuple[Ints, Ints, Ints]:
    """Cuts the run into equal stretches. Returns the last step of each, with the longs and shorts liquidated in it."""
    times = outcome.walk.time_ns
    edges = times[0] + (times[-1] - times[0]) * np.arange(1, rows + 1) // rows
    last = np.searchsorted(times, edges, side="right") - 1
    steps = np.array(outcome.tally.liquidations.steps, dtype=np.int64)
    long = np.array(outcome.tally.liquidations.longs, dtype=np.bool_)
    longs, shorts = (np.diff(np.searchsorted(each, last, side="right"), prepend=0) for each in (steps[long], steps[~long]))
    return last, longs, shorts


def _over_time(outcome: Outcome) -> list[str]:
    last, longs, shorts = by_time(outcome, ROWS)
    most = max(1, int((longs + shorts).max()))
    lines = ["", f"  until (UTC)         price{'fund':>13}{'longs':>8}{'shorts':>8}  liquidated"]
    for step, long, short in zip(last.tolist(), longs.tolist(), shorts.tolist(), strict=True):
        bar = "#" * (-(-(long + short) * BAR // most))
        fund = money(outcome.series.fund_units[step])
        shown = price(outcome, outcome.series.price_ticks[step])
        time = clock(int(outcome.walk.time_ns[step]))
        lines.append(f"  {time} {shown:>12} {fund:>12}{long:>8,}{short:>8,}  {bar}".rstrip())
    return lines


def against_control(hazard: Hazard, control: Hazard) -> str:
    """Returns the rate as a multiple of the control group's; with > if that group lost nobody."""
    if not hazard.rate or not control.highest_rate:
        return "-"
    multiple = hazard.rate / control.highest_rate
    return f"{'' if control.rate else '>'}{multiple:.{0 if multiple >= 10 else 1}f}x"


def _by_behaviour(outcome: Outcome) -> list[str]:
    groups = hazards(outcome)
    control = groups[CONTROL]
    lines = ["", "Who was liquidated: the traders are simulated, only the price is real. Nine behaviours, and a control"]
    lines += ["group with small size, a stop, and at most 5x (docs/explanation/demo.md says how each of them acts)", ""]
    lines.append(f"  {'':24}{'traders':>8}{'traded':>8}{'hit':>6}{'liquidations':>14}{'per 1,000 h':>13}{'vs control':>12}")
    for each in sorted(groups, key=lambda g: (g is control, -g.rate)):
        multiple = "" if each is control else against_control(each, control)
        lines.append(
            f"  {TITLES[each.name]:24}{each.traders:>8,}{share(each.traded, each.traders):>8}"
            f"{share(each.hit, each.traders):>6}{each.liquidations:>14,}{each.rate:>13.1f}{multiple:>12}"
        )
    lines.append("  traded, hit: at least once, liquidated at least once; per 1,000 h: in 1,000 hours with a position open")
    if control.rate == 0:
        lines.append("  >: nobody of the control group was liquidated; compared with the most its hours allow (95 %)")
    return [line.rstrip() for line in lines]


def _by_leverage(outcome: Outcome) -> list[str]:
    counted = leverages_hit(outcome)
    most = max(1, *counted.values())
    lines = ["", "By leverage", ""]
    for leverage, count in counted.items():
        traders = int((outcome.crowd.leverage == int(leverage)).sum())
        bar = "#" * (-(-count * BAR // most))
        lines.append(f"  {leverage + 'x':>5}{traders:>8,} traders{count:>8,} liquidations  {bar}".rstrip())
    return lines


def _house(outcome: Outcome) -> list[str]:
    tally, facts = outcome.tally, summary(outcome)
    liquidations, unwound, fund = facts["liquidations"], facts["unwound"], facts["insurance_fund"]
    taken = sum(unwound.values())
    lines = [
        "",
        "How it was unwound",
        "",
        f"  {liquidations['partial']:>9,}  steps down by two tiers, the rest of the position kept",
        f"  {liquidations['takeover']:>9,}  takeovers at the bankruptcy price, {taken:,} contracts:",
        f"  {unwound['book_lots']:>9,}    absorbed by the book at that price or better ({share(unwound['book_lots'], taken)})",
        f"  {unwound['fund_lots']:>9,}    sold below it, the insurance fund paying ({share(unwound['fund_lots'], taken)})",
        f"  {unwound['adl_lots']:>9,}    closed against winners by ADL, in {tally.adl_events:,} acts"
        f" ({share(unwound['adl_lots'], taken)})",
        f"  {unwound['open_lots']:>9,}    still offered in the book",
        "",
        f"  The insurance fund began with {exact(fund['start_units'])}, gained {exact(fund['in_units'])},",
        f"  paid {exact(fund['out_units'])} and ended with {exact(fund['end_units'])};",
        f"  on the way it was between {money(tally.fund.low)} and {money(tally.fund.peak)}.",
    ]
    if tally.adl_events == 0:
        lines.append("  ADL never came. Try a smaller --fund.")
    return lines


def _refused(outcome: Outcome) -> list[str]:
    """Returns the refused commands by code, the most frequent first."""
    lines = ["", "Refused", ""]
    for name, count in sorted(outcome.refused.items(), key=lambda each: (-each[1], each[0])):
        lines.append(f"  {count:>9,}  {name}: {HINTS[Code[name]]}")
    return lines if outcome.refused else [*lines, "          0"]


def _proof(outcome: Outcome) -> list[str]:
    tally, facts = outcome.tally, summary(outcome)
    interest, checks = facts["open_interest"], facts["conservation"]["checks"]
    return [
        "",
        "No unit of money was lost",
        "",
        f"  Checked {checks:,} times, from {facts['events']:,} events alone and by the exchange itself:",
        f"  worst error {tally.worst_error} units (a unit is 0.000001 {CURRENCY}).",
        "  - All wallets, margins and purses of the house sum to zero.",
        "  - The clearing purse holds minus what all positions cost.",
        f"  - Longs equal shorts: {interest['long_lots']:,} and {interest['short_lots']:,} contracts at the end.",
        "  - Every balance is the sum of its postings.",
        "",
        f"  {facts['commands']:,} commands, {facts['orders']:,} orders, {facts['fills']:,} fills in"
        f" {outcome.seconds:.1f} s. State digest {facts['digest']}.",
    ]


def story(outcome: Outcome) -> str:
    """Returns the run as a page to read."""
    settings, ticks = outcome.settings, outcome.series.price_ticks
    total, longs = len(outcome.tally.liquidations.accounts), sum(outcome.tally.liquidations.longs)
    low = ticks.index(min(ticks))
    when = clock(int(outcome.walk.time_ns[low]))
    lines = [
        f"{settings.scenario.title}",
        f"{price(outcome, settings.scenario.bars[0][1])} to {price(outcome, ticks[low])} (low at {when} UTC),"
        f" {settings.traders:,} simulated traders, rules {settings.rules.name}, seed {settings.seed}:"
        f" {total:,} liquidations, {longs:,} of longs and {total - longs:,} of shorts",
    ]
    for part in (_over_time, _by_behaviour, _by_leverage, _house, _refused, _proof):
        lines += part(outcome)
    return "\n".join(lines)
