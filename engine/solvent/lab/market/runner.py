"""The demo's loop: the price steps, the makers quote, the mark moves, the traders act, the tally listens.

Owns the exchange and the order of commands within a step. Never judges the outcome (report) and never keeps
books of its own (tally). Cost: two or three batches a step; about a million commands for the default.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from solvent.api.exchange import Exchange
from solvent.lab.market import commands, makers, paths, population
from solvent.lab.market.commands import Commands, OrderIds
from solvent.lab.market.draws import Ints
from solvent.lab.market.markets import FIRST_TRADER, Market, contract
from solvent.lab.market.scenarios import Scenario
from solvent.lab.market.tally import Tally
from solvent.schema.codes import Code, InvariantBroken
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import CommandType
from solvent.terms.instrument import Instrument
from solvent.terms.rule_set import RuleSet

CURRENCY = "USDT"
AUDIT_EVERY = 128  # steps between the exchange's own checks of all its state


@dataclass(frozen=True, slots=True)
class Settings:
    """Holds everything that a run depends on."""

    scenario: Scenario
    traders: int
    rules: RuleSet
    fund_units: int
    seed: int


@dataclass(slots=True)
class Series:
    """Records one entry a step."""

    price_ticks: list[int] = field(default_factory=list)
    fund_units: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """Holds a finished run. held_ns: how long each trader had longs (first row) and shorts, each contract counted."""

    settings: Settings
    walk: paths.Walk
    contracts: list[Instrument]
    crowd: population.Population
    tally: Tally
    series: Series
    held_ns: Ints
    commands: int = 0
    audits: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    digest: int = 0
    seconds: float = 0.0


Progress = Callable[[Outcome, int], None]
"""Called now and then with the run so far and the step."""


class Run:
    """A market in motion: each call of `step` goes one step of the path."""

    def __init__(self, settings: Settings):
        scenarios = [settings.scenario, *settings.scenario.beside]
        self.contracts = [contract(each) for each in scenarios]
        self.exchange = Exchange(self.contracts, rules=settings.rules, retain=False)
        self.cursor = self.exchange.cursor()
        walks = paths.walks(scenarios)
        dearest = max(
            int(walk.price_ticks.max()) * terms.spec.units for walk, terms in zip(walks, self.contracts, strict=True)
        )
        crowd = population.populate(settings.seed, settings.traders, len(walks[0]), dearest)
        tally = Tally(FIRST_TRADER + len(crowd), len(walks), FIRST_TRADER)
        tally.lot_units[:] = [terms.spec.units for terms in self.contracts]
        held_ns = np.zeros((2, len(crowd)), dtype=np.int64)
        self.outcome = Outcome(settings, walks[0], self.contracts, crowd, tally, Series(), held_ns)
        self.markets = [
            Market(terms, walk, crowd, symbol, len(walks))
            for symbol, (terms, walk) in enumerate(zip(self.contracts, walks, strict=True))
        ]
        self._open()

    def _apply(self, batch: Commands) -> tuple[OrderIds, list[int]]:
        """Applies commands, lets the tally hear what happened; returns order numbers, and the traders' orders that ended."""
        answer = self.exchange.run(batch)
        self.outcome.commands += len(answer)
        if answer.code.any():
            for code, count in zip(*np.unique(answer.code[answer.code > 0], return_counts=True), strict=True):
                name = Code(int(code)).name
                self.outcome.refused[name] = self.outcome.refused.get(name, 0) + int(count)
        ended = self.outcome.tally.absorb(self.cursor.array())
        for market in self.markets:
            market.guards.ended(ended)
        return answer.order_id, ended

    def _open(self) -> None:
        """Opens accounts, makes deposits, sets leverage and seeds the fund."""
        crowd, start_ns = self.outcome.crowd, int(self.outcome.walk.time_ns[0])
        names = [f"maker-{i}" for i in range(makers.MAKERS)]
        names += [f"{population.NAMES[b]}-{i}" for i, b in enumerate(crowd.behaviour.tolist())]
        accounts = np.arange(FIRST_USER, FIRST_USER + len(names), dtype=np.int64)
        wallets = np.concatenate([np.full(makers.MAKERS, makers.WALLET_UNITS), crowd.wallet_units])
        leverage = np.concatenate([np.full(makers.MAKERS, makers.LEVERAGE), crowd.leverage])
        for group in self.markets[0].groups:  # some behaviours insist on a mode
            crowd.cross[group.who] = group.cross
        cross = np.concatenate([np.ones(makers.MAKERS, dtype=np.bool_), crowd.cross])
        self._apply(commands.open_accounts(names, start_ns))
        batches = [(commands.pay(CommandType.DEPOSIT, accounts, wallets), 0)]
        batches += [(commands.set_leverage(accounts, leverage, cross), market.symbol) for market in self.markets]
        if self.outcome.settings.fund_units:
            fund = np.array([self.outcome.settings.fund_units], dtype=np.int64)
            batches.append((commands.pay(CommandType.SEED_FUND, np.zeros(1, dtype=np.int64), fund), 0))
        batches += [(commands.tell_index(int(market.walk.price_ticks[0])), market.symbol) for market in self.markets]
        for batch, symbol in batches:
            self._apply(commands.stamped(batch, start_ns, symbol))
        if self.outcome.refused:
            raise AssertionError(f"the market could not be set up: {self.outcome.refused}")

    def step(self, step: int) -> None:
        """Sends quotes and indices, then what the traders wish who have seen the new marks, then their stops and targets."""
        tally, series, time_ns = self.outcome.tally, self.outcome.series, int(self.outcome.walk.time_ns[step])
        if step:
            passed_ns = time_ns - int(self.outcome.walk.time_ns[step - 1])
            size = tally.size[:, FIRST_TRADER:]
            self.outcome.held_ns[0] += passed_ns * (size > 0).sum(axis=0)
            self.outcome.held_ns[1] += passed_ns * (size < 0).sum(axis=0)
        tally.begin(step)
        quoted = []
        for market in self.markets:
            quoted.append(market.quoted(self._apply(market.quotes(step, tally))[0]))
        locked = np.add.reduce([market.locked(tally) for market in self.markets])
        self._apply(commands.joined([market.wished(step, tally, locked) for market in self.markets]))
        for market, order_ids in zip(self.markets, quoted, strict=True):
            market.guard(step, tally, self._apply)
            market.makers.filled(order_ids, tally.trades)
        tally.check()
        series.price_ticks.append(int(self.outcome.walk.price_ticks[step]))
        series.fund_units.append(tally.fund_units)
        if step % AUDIT_EVERY == 0:
            self.audit()

    def audit(self) -> None:
        """Runs the exchange's own check and counts it. Raises InvariantBroken."""
        self.exchange.check()
        self.outcome.audits += 1


def simulate(settings: Settings, progress: Progress | None = None) -> Outcome:
    """Runs a demo from the first step to the last. The same settings give the same outcome, but for the seconds."""
    begin = perf_counter()
    run = Run(settings)
    outcome = run.outcome
    steps = len(outcome.walk)
    for step in range(steps):
        run.step(step)
        if progress and (step % 16 == 0 or step == steps - 1):
            progress(outcome, step)
    run.audit()
    if outcome.tally.worst_error:
        raise InvariantBroken(f"the events' own books are off by {outcome.tally.worst_error} units")
    outcome.digest = run.exchange.digest()
    outcome.seconds = perf_counter() - begin
    return outcome
