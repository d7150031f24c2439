"""The picture of a run: price and liquidations, the insurance fund, hazard by behaviour.

Owns the drawing. Never computes anything that the report does not. Needs matplotlib (the extra `viz`), which
is imported here and nowhere else.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from solvent.codes import InputError
from solvent.sim.population import CONTROL, UNITS
from solvent.sim.report import TITLES, Hazard, against_control, by_time, hazards
from solvent.sim.runner import CURRENCY, Outcome

INK, QUIET, GRID = "#1f2430", "#6b7280", "#e5e7eb"
PRICE, HIT, FUND, SAFE = "#1f2430", "#e4572e", "#2a7f9e", "#3a9d5d"
STRETCHES = 96  # bars of the liquidations' histogram


def require() -> None:
    """Raises InputError when matplotlib is missing, before an hour of market has been simulated."""
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
    last, counted = by_time(outcome, STRETCHES)
    bars = axis.twinx()
    width = (times[-1] - times[0]) / STRETCHES
    bars.bar([times[i] - width / 2 for i in last.tolist()], counted, width=width * 0.85, color=HIT, alpha=0.75)
    bars.set_ylim(0, max(1, int(counted.max())) * 2.4)
    _tidy(bars, "")
    bars.grid(False)
    bars.set_ylabel("liquidations", color=HIT, fontsize=9)
    bars.tick_params(colors=HIT)
    axis.plot(times, np.array(outcome.series.price_ticks) * tick, color=PRICE, linewidth=1.3)
    axis.set_zorder(bars.get_zorder() + 1)
    axis.patch.set_visible(False)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    _tidy(axis, "Price (UTC), and liquidations as it falls")
    axis.grid(False)  # it would lie over the bars


def _fund(axis: Any, outcome: Outcome, times: list[datetime]) -> None:
    balance = np.array(outcome.series.fund_units) / UNITS
    axis.fill_between(times, balance, color=FUND, alpha=0.16, linewidth=0)
    axis.plot(times, balance, color=FUND, linewidth=1.6)
    axis.set_ylim(0, max(1.0, float(balance.max())) * 1.12)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    acts, steps = outcome.tally.adl_events, outcome.tally.adl_steps
    if acts:
        axis.plot([times[i] for i in steps], balance[steps], "v", color=HIT, markersize=6, clip_on=False, zorder=3)
    end = f"{acts:,} acts of ADL where marked" if acts else "ADL never came"
    _tidy(axis, f"Insurance fund, {CURRENCY}: {end}")


def _hazards(axis: Any, groups: list[Hazard]) -> None:
    control = groups[CONTROL]
    ranked = sorted(groups, key=lambda g: (g is not control, g.rate))
    rates = [each.rate for each in ranked]
    axis.barh(range(len(ranked)), rates, color=[SAFE if each is control else HIT for each in ranked], height=0.66)
    axis.set_yticks(range(len(ranked)), [TITLES[each.name] for each in ranked])
    most = max(rates) or 1.0
    for i, each in enumerate(ranked):
        text = f"{each.rate:.1f}" if each is control else f"{each.rate:.1f}   {against_control(each, control)}"
        axis.text(each.rate + most * 0.012, i, text, va="center", fontsize=9, color=QUIET)
    axis.set_xlim(0, most * 1.14)
    _tidy(axis, "Simulated traders: liquidations per 1,000 hours with a position open, and against the control group")
    if not control.rate and control.highest_rate:
        note = "> nobody of the control group was liquidated: against the most its hours allow (95 %)"
        axis.set_xlabel(note, fontsize=8, color=QUIET, loc="left")
    axis.grid(axis="y", visible=False)
    axis.grid(axis="x", color=GRID, linewidth=0.8)
    axis.tick_params(axis="y", colors=INK)


def draw(outcome: Outcome, file: str) -> None:
    """Writes the picture; the file's ending says in which format. Raises InputError when it cannot."""
    require()
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams.update({"figure.constrained_layout.w_pad": 0.15, "figure.constrained_layout.h_pad": 0.12})
    from matplotlib import dates, pyplot

    figure, axes = pyplot.subplots(
        3, 1, figsize=(11, 11), height_ratios=[3, 1.6, 2.6], layout="constrained", facecolor="white"
    )
    try:
        times = _times(outcome)
        _price(axes[0], outcome, times)
        _fund(axes[1], outcome, times)
        for axis in axes[:2]:
            axis.set_xlim(times[0], times[-1])
            axis.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=9))  # type: ignore[no-untyped-call]
            axis.xaxis.set_major_formatter(dates.DateFormatter("%d %b %H:%M", tz=UTC))  # type: ignore[no-untyped-call]
        _hazards(axes[2], hazards(outcome))
        total = len(outcome.tally.liquidations.accounts)
        figure.suptitle(
            f"{outcome.settings.scenario.title}\n{outcome.settings.traders:,} simulated traders, {total:,} liquidations,"
            f" rules {outcome.settings.rules.name}, seed {outcome.settings.seed}",
            x=0.01, ha="left", fontsize=13, color=INK,
        )  # fmt: skip
        figure.savefig(file, dpi=110)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write the picture {file}: {error}") from None
    finally:
        pyplot.close(figure)
