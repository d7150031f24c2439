"""The picture of a run: price, liquidations of longs and of shorts, the insurance fund, hazard by behaviour.

Owns the drawing. Never computes anything that the report does not. Needs matplotlib (the extra `viz`), which no other file
imports.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from solvent.lab.market import hazards
from solvent.lab.market.facts import by_time
from solvent.lab.market.hazards import THOUSAND, Cells
from solvent.lab.market.population import CONTROL, NAMES, UNITS
from solvent.lab.market.report import figure, titled
from solvent.lab.market.runner import CURRENCY, Outcome
from solvent.schema.codes import InputError

INK, QUIET, GRID = "#1f2430", "#6b7280", "#e5e7eb"
PRICE, LONG, SHORT, FUND = "#1f2430", "#e4572e", "#7b5ea7", "#2a7f9e"
STRETCHES = 96  # bars of the liquidations' histogram


def require() -> None:
    """Raises InputError if matplotlib is missing, before an hour of market has been simulated."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("--picture needs matplotlib: pip install matplotlib (or this package with its extra viz)") from None


def _tidy(axis: Any, title: str) -> None:
    axis.set_title(title, loc="left", fontsize=11, color=INK, fontweight="bold", pad=8)
    axis.grid(axis="y", color=GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(colors=QUIET, labelsize=9, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(GRID)


def _times(outcome: Outcome) -> list[datetime]:
    return [datetime.fromtimestamp(ns // 1_000_000_000, UTC) for ns in outcome.walk.time_ns.tolist()]


def _price(axis: Any, outcome: Outcome, times: list[datetime]) -> None:
    tick = float(outcome.settings.scenario.tick)
    axis.plot(times, np.array(outcome.series.price_ticks) * tick, color=PRICE, linewidth=1.3)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    _tidy(axis, "The price, as it was (UTC)")


def _liquidations(axis: Any, outcome: Outcome, times: list[datetime]) -> None:
    """Draws shorts above zero, as they are liquidated when the price rises, and longs below."""
    last, longs, shorts = by_time(outcome, STRETCHES)
    stretch = (times[-1] - times[0]) / STRETCHES
    centres = [times[i] - stretch / 2 for i in last.tolist()]
    for counts, color, name in ((shorts, SHORT, "shorts"), (-longs, LONG, "longs")):
        axis.bar(centres, counts, width=stretch * 0.85, color=color, label=f"{abs(int(counts.sum())):,} {name}")
    axis.axhline(0, color=QUIET, linewidth=0.8)
    axis.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.6g}")
    axis.legend(loc="lower left", frameon=False, fontsize=9, ncols=2, labelcolor=INK)
    minutes = f"{stretch.total_seconds() / 60:,.3g}"
    _tidy(axis, f"Liquidations in every {minutes} minutes: longs (down) as the price falls, shorts (up) as it rises")


def _fund(axis: Any, outcome: Outcome, times: list[datetime]) -> None:
    balance = np.array(outcome.series.fund_units) / UNITS
    axis.fill_between(times, balance, color=FUND, alpha=0.16, linewidth=0)
    axis.plot(times, balance, color=FUND, linewidth=1.6)
    axis.set_ylim(0, max(1.0, float(balance.max())) * 1.12)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    acts, steps = outcome.tally.adl_events, outcome.tally.adl_steps
    if acts:
        axis.plot([times[i] for i in steps], balance[steps], "v", color=LONG, markersize=6, clip_on=False, zorder=3)
    end = f"; winners were closed where marked ({acts:,} acts of ADL)" if acts else ", and it sufficed (ADL never came)"
    _tidy(axis, f"Insurance fund, {CURRENCY}: it pays for the bankrupt{end}")


def _hazards(axis: Any, counts: Cells) -> None:
    """Draws the raw hazard of longs and of shorts, one after the other, and a diamond for the one at equal leverage."""
    raw = [hazards.raw(row)(counts) or 0.0 for row in range(len(NAMES))]
    equal = [hazards.at_equal_leverage(row)(counts) for row in range(len(NAMES))]
    order = sorted(range(len(NAMES)), key=lambda row: (row != CONTROL, raw[row]))
    hours = counts.hours.sum(axis=1)
    left = np.zeros(len(order))
    for side, color, name in ((counts.longs, LONG, "longs"), (counts.shorts, SHORT, "shorts")):
        rates = THOUSAND * side.sum(axis=1)[order] / np.maximum(hours[order], 1e-9)
        axis.barh(range(len(order)), rates, left=left, color=color, height=0.66, label=name)
        left += rates
    known = [(i, equal[row]) for i, row in enumerate(order) if equal[row] is not None]
    axis.plot([value for _, value in known], [i for i, _ in known], "D", color=INK, markersize=6, label="at equal leverage")
    most = max([*raw, *(value or 0.0 for value in equal)]) or 1.0
    for i, row in enumerate(order):
        multiple = figure(hazards.of_one(counts, hazards.against_control(row)), times=True)
        text = "" if row == CONTROL or multiple == "-" else f"{multiple} the control group"
        axis.text(max(raw[row], equal[row] or 0.0) + most * 0.02, i, text, va="center", fontsize=9, color=QUIET)
    axis.set_yticks(range(len(order)), [titled(row) for row in order])
    axis.set_xlim(0, most * 1.2)
    axis.legend(loc="lower right", frameon=False, fontsize=9, labelcolor=INK)
    _tidy(axis, "Who is liquidated: times in 1,000 hours with a position open, raw (bars) and at equal leverage")
    note = "the control group trades a tenth of its wallet with a stop and a target, most of it at 5x or less"
    axis.set_xlabel(f"{note}; one seed: `solvent demo --seeds 20` has intervals", fontsize=8, color=QUIET, loc="left")
    axis.grid(axis="y", visible=False)
    axis.grid(axis="x", color=GRID, linewidth=0.8)
    axis.tick_params(axis="y", colors=INK)


def _title(outcome: Outcome) -> str:
    """Returns the title of the picture."""
    settings, longs = outcome.settings, outcome.tally.liquidations.longs
    return (
        f"Who is liquidated, and who pays: {settings.scenario.title}\n"
        f"The price is real, the {settings.traders:,} traders are simulated: {sum(longs):,} longs and"
        f" {len(longs) - sum(longs):,} shorts are liquidated (rules {settings.rules.name}, seed {settings.seed})"
    )


def draw(outcome: Outcome, file: str) -> None:
    """Writes the picture; the file's ending names the format. Raises InputError if that fails."""
    require()
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams.update({"figure.constrained_layout.w_pad": 0.15, "figure.constrained_layout.h_pad": 0.12})
    from matplotlib import dates, pyplot

    figure, axes = pyplot.subplots(
        4, 1, figsize=(11, 13), height_ratios=[2.4, 1.7, 1.5, 2.6], layout="constrained", facecolor="white"
    )
    try:
        times = _times(outcome)
        for axis, part in zip(axes[:3], (_price, _liquidations, _fund), strict=True):
            part(axis, outcome, times)
            axis.set_xlim(times[0], times[-1])
            axis.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=9))  # type: ignore[no-untyped-call]
            axis.xaxis.set_major_formatter(dates.DateFormatter("%d %b %H:%M", tz=UTC))  # type: ignore[no-untyped-call]
        _hazards(axes[3], hazards.cells(outcome))
        figure.suptitle(_title(outcome), x=0.01, ha="left", fontsize=13, color=INK)
        figure.savefig(file, dpi=110)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write the picture {file}: {error}") from None
    finally:
        pyplot.close(figure)
