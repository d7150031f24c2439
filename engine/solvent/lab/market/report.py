"""The outcome in words.

Owns how a run is told. Never changes it, and makes no number that `facts` does not have.
"""

from datetime import UTC, datetime
from typing import Any

from solvent.lab.market import hazards
from solvent.lab.market.facts import ENDS, MAKERS, TITLES, summary
from solvent.lab.market.hazards import ENOUGH, Cells, Estimate
from solvent.lab.market.population import CONTROL, UNIT, UNITS
from solvent.lab.market.runner import CURRENCY, Outcome
from solvent.schema.codes import HINTS, Code
from solvent.terms.decimals import from_units

BAR = 30  # characters


def money(units: int) -> str:
    return f"{units / UNITS:,.0f} {CURRENCY}"


def exact(units: int) -> str:
    return f"{from_units(units, UNIT):,f} {CURRENCY}"


def price(outcome: Outcome, ticks: int) -> str:
    return shown(ticks * outcome.settings.scenario.tick)


def shown(value: Any) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.6g}"


def clock(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%d %b %H:%M")


def now(outcome: Outcome, step: int) -> str:
    """Returns how a run stands at a step, in a line."""
    return (
        f"{clock(int(outcome.walk.time_ns[step]))}  price {price(outcome, outcome.series.price_ticks[step])}  "
        f"liquidations {len(outcome.tally.liquidations.accounts):,}  fund {money(outcome.tally.fund_units)}"
    )


def share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def titled(row: int) -> str:
    """Returns a behaviour's number in the seed's order and its name; the control group has no number."""
    return TITLES[row] if row == CONTROL else f"{row + 1} {TITLES[row]}"


def _over_time(facts: dict[str, Any]) -> list[str]:
    rows = facts["timeline"]
    most = max(1, *(row["longs"] + row["shorts"] for row in rows))
    lines = ["", f"  until (UTC)         price{'fund':>13}{'longs':>8}{'shorts':>8}  liquidated: l longs, s shorts"]
    for row in rows:
        bars = [letter * (-(-row[side] * BAR // most)) for letter, side in (("l", "longs"), ("s", "shorts"))]
        time = datetime.fromisoformat(row["until"]).strftime("%d %b %H:%M")
        value = shown(float(row["price"]))
        line = f"  {time} {value:>12} {money(row['fund_units']):>12}{row['longs']:>8,}{row['shorts']:>8,}  {''.join(bars)}"
        lines.append(line.rstrip())
    return lines


def figure(estimate: Estimate, times: bool = False) -> str:
    """Returns an estimate as a table has it; with x if it is a multiple."""
    return (
        "-"
        if estimate.value is None
        else estimate.told().replace(" [", f"{'x' if times else ''} [", 1) + ("x" if times and estimate.low is None else "")
    )


def _by_behaviour(facts: dict[str, Any], counts: Cells) -> list[str]:
    lines = ["", "Who was liquidated: the traders are simulated, only the prices are real. Nine behaviours, and a control"]
    lines += ["group with small size, a stop and a target, most of it at 5x or less (docs/explanation/demo.md)", ""]
    lines.append(f"{'':53}liquidations in 1,000 hours with a position open")
    lines.append(
        f"  {'':24}{'traded':>7}{'hit':>7}{'longs':>7}{'shorts':>7}{'raw':>9}{'at equal leverage':>20}{'vs control':>12}"
    )
    order = sorted(range(len(TITLES)), key=lambda row: (row == CONTROL, -(hazards.raw(row)(counts) or 0)))
    for row in order:
        each = facts["behaviours"][TITLES[row]]
        raw, equal = (hazards.of_one(counts, of(row)) for of in (hazards.raw, hazards.at_equal_leverage))
        multiple = "" if row == CONTROL else figure(hazards.of_one(counts, hazards.against_control(row)), times=True)
        lines.append(
            f"  {titled(row):24}{share(each['traded'], each['traders']):>7}{share(each['hit'], each['traders']):>7}"
            f"{each['longs']:>7,}{each['shorts']:>7,}{figure(raw):>9}{figure(equal):>20}{multiple:>12}"
        )
    lines.append("  traded, hit: at least once, liquidated at least once; at equal leverage: each weighs the same for all")
    if counts.liquidations[CONTROL].sum() < ENOUGH:
        lines.append(f"  -: the control group has fewer than {ENOUGH} liquidations, too few to compare with")
    lines.append("  These are figures of one seed. `solvent demo --seeds 20` gives them with intervals.")
    return [line.rstrip() for line in lines]


def _by_leverage(facts: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "By leverage: shares of all traders, of their hours, of all liquidations; of those with it, who was hit",
        "",
    ]
    lines.append(f"  {'':>5}{'traders':>10}{'hours':>10}{'liquidations':>14}{'hit':>8}")
    for leverage, each in facts["leverages"].items():
        parts = (share(each[name], 1) for name in ("traders", "hours", "liquidations", "hit"))
        lines.append("  {:>5}{:>10}{:>10}{:>14}{:>8}".format(leverage, *parts))
    return lines


def _sizes(contracts: dict[str, str]) -> str:
    return "".join(f"{shown(float(size)):>16}" for size in contracts.values())


def _unwound(facts: dict[str, Any]) -> list[str]:
    liquidations, parts = facts["liquidations"], facts["unwound"]
    taken = sum(each["units"] for each in parts.values())
    lines = ["", "How it was unwound", ""]
    lines.append(f"  {liquidations['partial']:>7,} steps down by two tiers, the rest of the position kept")
    lines.append(f"  {liquidations['takeover']:>7,} takeovers at the bankruptcy price, worth {money(taken)} at it:")
    names = "".join(f"{name:>16}" for name in facts["contracts"])
    lines.append(f"  {'':46}{CURRENCY:>13}{'share':>7}{names}")
    for name, words in ENDS.items():
        each = parts[name]
        worth = f"{each['units'] / UNITS:,.0f}"
        lines.append(f"    {words:44}{worth:>13}{share(each['units'], taken):>7}{_sizes(each['contracts'])}")
    return lines


def _adl(facts: dict[str, Any]) -> list[str]:
    closed = {title: each["closed_by_adl"] for title, each in facts["behaviours"].items()} | {MAKERS: facts["adl"][MAKERS]}
    closed = {title: each for title, each in closed.items() if each["acts"]}
    if not closed:
        return ["", "  ADL never came. Try a smaller --fund."]
    lines = ["", f"  ADL closed winners in {facts['adl']['acts']:,} acts. Whose, worth at mark:"]
    whole = sum(each["units"] for each in closed.values())
    for title, each in sorted(closed.items(), key=lambda pair: -pair[1]["units"]):
        worth = f"{each['units'] / UNITS:,.0f}"
        acts = f"{each['acts']:,} acts"
        lines.append(f"    {title:24}{acts:>20}{worth:>13}{share(each['units'], whole):>7}{_sizes(each['contracts'])}")
    return lines


def _fund(facts: dict[str, Any]) -> list[str]:
    fund, settled = facts["insurance_fund"], facts["funding"]
    paid = sum(each["units"] for each in settled)
    stops = facts["triggers_fired"]
    lines = [
        "",
        f"  The insurance fund began with {exact(fund['start_units'])}, gained {exact(fund['in_units'])},",
        f"  paid {exact(fund['out_units'])} and ended with {exact(fund['end_units'])};",
        f"  on the way it was between {money(fund['low_units'])} and {money(fund['peak_units'])}.",
        f"  Funding was settled {len(settled):,} times by the clock, {money(paid)} from one side to the other.",
        f"  {stops:,} stops of traders were fired by the mark.",
    ]
    return lines


def _refused(facts: dict[str, Any]) -> list[str]:
    """Returns the refused commands by code, the most frequent first."""
    lines = ["", "Refused", ""]
    for name, count in sorted(facts["refused"].items(), key=lambda each: (-each[1], each[0])):
        lines.append(f"  {count:>9,}  {name}: {HINTS[Code[name]]}")
    return lines if facts["refused"] else [*lines, "          0"]


def _proof(facts: dict[str, Any]) -> list[str]:
    checks, error = facts["conservation"]["checks"], facts["conservation"]["worst_error_units"]
    held = [f"{each['long_lots']:,} and {each['short_lots']:,} of {name}" for name, each in facts["open_interest"].items()]
    return [
        "",
        "No unit of money was lost",
        "",
        f"  Checked {checks:,} times, from {facts['events']:,} events alone and by the exchange itself:",
        f"  worst error {error} units (a unit is 0.000001 {CURRENCY}).",
        "  - All wallets, margins and purses of the house sum to zero.",
        "  - The clearing purse holds minus what all positions cost.",
        f"  - Longs equal shorts: {', '.join(held)} at the end.",
        "  - Every balance is the sum of its postings.",
        "",
        f"  {facts['commands']:,} commands, {facts['orders']:,} orders, {facts['fills']:,} fills in"
        f" {facts['seconds']:.1f} s. State digest {facts['digest']}.",
    ]


def story(outcome: Outcome) -> str:
    """Returns the run as a page to read."""
    settings, ticks, facts, counts = outcome.settings, outcome.series.price_ticks, summary(outcome), hazards.cells(outcome)
    liquidations, low = facts["liquidations"], ticks.index(min(ticks))
    when = clock(int(outcome.walk.time_ns[low]))
    lines = [
        f"{settings.scenario.title}",
        f"{price(outcome, settings.scenario.bars[0][1])} to {price(outcome, ticks[low])} (low at {when} UTC),"
        f" {settings.traders:,} simulated traders, rules {settings.rules.name}, seed {settings.seed}:",
        f"{liquidations['total']:,} liquidations, {liquidations['longs']:,} of longs and {liquidations['shorts']:,} of shorts;"
        f" {', '.join(facts['contracts'])}",
    ]
    for part in (_over_time(facts), _by_behaviour(facts, counts), _by_leverage(facts), _unwound(facts), _adl(facts)):
        lines += part
    for told in (_fund, _refused, _proof):
        lines += told(facts)
    return "\n".join(lines)
