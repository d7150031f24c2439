"""One market under several rule sets: the commands of a demo are played again, one and the same log for each of them.

Owns the log of a run, and the map of its order numbers to those of another exchange, by the command that placed them. Never
lets anybody decide anew: traders and makers send what they sent under the first rule set. A command that another rule set
refuses is counted. Cost: a demo, and then its commands once more for each further rule set.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from solvent.api.exchange import Exchange
from solvent.lab.market.commands import Commands, OrderIds
from solvent.lab.market.comparison_page import PARTS
from solvent.lab.market.population import UNITS
from solvent.lab.market.runner import CURRENCY, Run, Settings
from solvent.lab.market.tally import Tally
from solvent.schema.codes import Code, InputError, InvariantBroken
from solvent.schema.words import CommandType, Purse
from solvent.terms.rule_set import RuleSet

_BY_NUMBER = (CommandType.CANCEL, CommandType.AMEND, CommandType.AMEND_TRIGGER)  # commands that name an order


class Recorded(Run):
    """A demo that keeps its commands: each batch with its step, its records, and the order number of each command."""

    def __init__(self, settings: Settings):
        self.log: list[tuple[int, Commands, OrderIds]] = []
        self._step = 0
        super().__init__(settings)

    def step(self, step: int) -> None:
        """Goes a step, and remembers which."""
        self._step = step
        super().step(step)

    def _apply(self, batch: Commands) -> tuple[OrderIds, list[int]]:
        kept = batch.copy()
        order_ids, ended = super()._apply(batch)
        self.log.append((self._step, kept, order_ids))
        return order_ids, ended


@dataclass(frozen=True, slots=True)
class Figures:
    """Holds the figures of the market under one rule set, money in units. taken_units: parts of what was taken over, by worth
    at the bankruptcy price. forgone: what closing at mark would have left those whom ADL closed more. also: accounts that the
    first rule set liquidated, too. mean_mark_ticks: the first contract's at its liquidations. refused: commands that were
    refused, by code."""

    rules: str
    liquidations: int
    accounts: int
    also: int
    longs: int
    shorts: int
    partial: int
    mean_mark_ticks: int | None
    taken_units: dict[str, int]
    adl_acts: int
    deleveraged: int
    forgone_units: int
    fund_got_units: int
    fund_paid_units: int
    fund_low_units: int
    fund_end_units: int
    deficit_units: int
    commands: int
    refused: dict[str, int]
    digest: str


def _heads(batch: Commands) -> Any:
    """Returns True for the first record of each command."""
    counts = batch["records"]
    if (counts == 1).all():
        return np.ones(len(batch), dtype=np.bool_)
    heads, at = np.zeros(len(batch), dtype=np.bool_), 0
    while at < len(batch):
        heads[at] = True
        at += int(counts[at])
    return heads


class Replayed:
    """The log of a run on an exchange of its own, under other rules or the same."""

    def __init__(self, run: Recorded, rules: RuleSet):
        self.run, self.rules = run, rules
        self.exchange = Exchange(run.contracts, rules=rules, retain=False)
        self.cursor = self.exchange.cursor()
        crowd = run.outcome.tally
        self.tally = Tally(crowd.accounts, crowd.symbols, crowd.first)
        self.tally.lot_units[:] = crowd.lot_units
        self.refused: dict[str, int] = {}
        self._known: dict[int, int] = {}  # order numbers of the run, and what they are here

    def _renumbered(self, batch: Commands, heads: Any) -> Commands:
        """Returns the commands with this exchange's order numbers: 0, which nobody has, for an order that was refused here."""
        naming = np.flatnonzero(heads & np.isin(batch["type"], _BY_NUMBER) & (batch["order_id"] != 0))
        if len(naming):
            batch = batch.copy()
            batch["order_id"][naming] = [self._known.get(number, 0) for number in batch["order_id"][naming].tolist()]
        return batch

    def play(self, progress: Callable[[str], None]) -> None:
        """Plays the whole log, a step after the other."""
        for step, batch, order_ids in self.run.log:
            if step != self.tally.step:
                self.tally.check()
                self.tally.begin(step)
                if step % 64 == 0:
                    progress(f"{self.rules.name}: step {step:,}")
            heads = _heads(batch)
            answer = self.exchange.run(self._renumbered(batch, heads))
            placed = batch["type"][heads] == CommandType.ORDER
            self._known.update(zip(order_ids[placed].tolist(), answer.order_id[placed].tolist(), strict=True))
            for code, count in zip(*np.unique(answer.code[answer.code > 0], return_counts=True), strict=True):
                name = Code(int(code)).name
                self.refused[name] = self.refused.get(name, 0) + int(count)
            self.tally.absorb(self.cursor.array())
        self.tally.check()
        self.exchange.check()
        if self.tally.worst_error:
            raise InvariantBroken(f"{self.rules.name}: the events' own books are off by {self.tally.worst_error} units")

    def figures(self, first: set[int] | None) -> Figures:
        """Returns the figures so far. first: the accounts that the first rule set liquidated."""
        log, tally, path = self.tally.liquidations, self.tally, self.run.outcome.walk.price_ticks
        marks = [int(path[step]) for step, symbol in zip(log.steps, log.symbols, strict=True) if symbol == 0]
        accounts = set(log.accounts)
        return Figures(
            rules=self.rules.name, liquidations=len(log.accounts), accounts=len(accounts),
            also=len(accounts if first is None else accounts & first), longs=sum(log.longs),
            shorts=len(log.longs) - sum(log.longs), partial=sum(log.partial),
            mean_mark_ticks=sum(marks) // len(marks) if marks else None,
            taken_units={name: units for name, (_, units) in tally.unwound.items()}, adl_acts=tally.adl_events,
            deleveraged=int((tally.deleveraged_acts > 0).sum()), forgone_units=tally.forgone_units,
            fund_got_units=tally.fund.gained, fund_paid_units=tally.fund.paid, fund_low_units=tally.fund.low,
            fund_end_units=tally.fund_units, deficit_units=-int(tally.cash[Purse.DEFICIT]),
            commands=self.exchange.command_count, refused=self.refused,
            digest=f"{self.exchange.digest():016x}",
        )  # fmt: skip


def compare(settings: Settings, rules: Sequence[RuleSet], progress: Callable[[str], None] = lambda _: None) -> list[Figures]:
    """Runs a demo under the first rule set, and plays its commands under each of them, the first one again.

    The replay under the first one gives the same digest as the run: that is checked. Raises InputError without a rule set, or
    for one that is named twice.
    """
    names = [each.name for each in rules]
    if not names or len(set(names)) < len(names):
        raise InputError(f"--rules names rule sets, each once, not {', '.join(names) or 'none'}")
    progress(f"{settings.scenario.title}: {settings.traders:,} traders under {names[0]}")
    run = Recorded(settings)
    for step in range(len(run.outcome.walk)):
        run.step(step)
    digest, found, first = f"{run.exchange.digest():016x}", list[Figures](), None
    for each in rules:
        played = Replayed(run, each)
        played.play(progress)
        found.append(played.figures(first))
        if first is None:
            first = set(played.tally.liquidations.accounts)
            if found[0].digest != digest:
                raise InvariantBroken("the commands of the run, played again, lead to another state")
    return found


def summary(settings: Settings, found: Sequence[Figures]) -> dict[str, Any]:
    """Returns the JSON object of a comparison."""
    asked = {"scenario": settings.scenario.title, "traders": settings.traders, "seed": settings.seed}
    return {
        **asked,
        "fund_units": settings.fund_units,
        "tick": str(settings.scenario.tick),
        "rules": [asdict(each) for each in found],
    }


def table(settings: Settings, found: Sequence[Figures]) -> str:
    """Returns a comparison side by side: a column a rule set."""
    tick = settings.scenario.tick

    def line(name: str, values: Sequence[object]) -> str:
        return f"{name:34}" + "".join(f"{value!s:>16}" for value in values)

    def money(units: int) -> str:
        return f"{units / UNITS:,.0f}"

    rows = [
        line("", [each.rules for each in found]),
        line("accounts liquidated", [f"{each.accounts:,}" for each in found]),
        line(f"  of them under {found[0].rules}, too", [f"{each.also:,}" for each in found]),
        line("liquidations of longs", [f"{each.longs:,}" for each in found]),
        line("liquidations of shorts", [f"{each.shorts:,}" for each in found]),
        line("  of these in part", [f"{each.partial:,}" for each in found]),
        line(
            "mean mark at a liquidation",
            ["-" if each.mean_mark_ticks is None else each.mean_mark_ticks * tick for each in found],
        ),
        line(f"taken over, {CURRENCY}", [money(sum(each.taken_units.values())) for each in found]),
        *(line(f"  {name}", [money(each.taken_units[part]) for each in found]) for part, name in PARTS.items()),
        line("accounts deleveraged", [f"{each.deleveraged:,}" for each in found]),
        line(f"  they forgo at mark, {CURRENCY}", [money(each.forgone_units) for each in found]),
        line(f"fund got, {CURRENCY}", [money(each.fund_got_units) for each in found]),
        line(f"fund paid, {CURRENCY}", [money(each.fund_paid_units) for each in found]),
        line(f"fund at the end, {CURRENCY}", [money(each.fund_end_units) for each in found]),
        line(f"deficit, {CURRENCY}", [money(each.deficit_units) for each in found]),
        line("commands refused", [f"{sum(each.refused.values()):,}" for each in found]),
    ]
    return "\n".join(rows)
