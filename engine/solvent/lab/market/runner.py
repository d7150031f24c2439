"""The demo's loop: the price steps, the makers quote, the mark moves, the traders act, the tally listens.

Owns the exchange and the order of commands within a step. Never judges the outcome (report) and never keeps
books of its own (tally). Cost: two or three batches a step; about a million commands for the default.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Self

import numpy as np

from solvent.api.exchange import Exchange
from solvent.lab.market import commands, makers, paths, population
from solvent.lab.market.agents import Agent, Desk, Swarm, SwarmDesk, called, units_of
from solvent.lab.market.commands import Commands, OrderIds
from solvent.lab.market.draws import Bools, Ints, Purpose, draw
from solvent.lab.market.markets import FIRST_TRADER, Market, contract
from solvent.lab.market.scenarios import FAULTS, Scenario
from solvent.lab.market.tally import Tally
from solvent.presets import catalogue
from solvent.schema.codes import Code, InputError, InvariantBroken, shown
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import CommandType
from solvent.terms.decimals import to_units
from solvent.terms.instrument import Instrument
from solvent.terms.rule_set import RuleSet

CURRENCY = "USDT"
BOUNDS = (("traders", 0, 1_000_000), ("depth_percent", 1, 10_000), ("funding_hours", 1, 24))
MOST_FUND = 10**12  # in currency
AUDIT_EVERY = 128  # steps between the exchange's own checks of all its state


@dataclass(frozen=True, slots=True)
class Settings:
    """Holds everything that a run depends on, as it takes it."""

    scenario: Scenario
    traders: int
    rules: RuleSet
    fund_units: int
    seed: int

    @classmethod
    def of(cls, scenario: Scenario, seed: int) -> Self:
        """Returns what a scenario says, for a seed. Raises InputError for a word or a number that makes no sense."""
        if type(seed) is not int or not 0 <= seed < 2**63:
            raise InputError(f"a seed is a whole number from 0 to 2**63 - 1, not {shown(seed)}")
        for name, least, most in BOUNDS:
            value = getattr(scenario, name)
            if type(value) is not int or not least <= value <= most:
                raise InputError(f"{name} of a scenario is a whole number from {least:,} to {most:,}, not {shown(value)}")
        fund = to_units(scenario.fund, population.UNIT, "fund")
        if fund is None or not 0 <= fund <= MOST_FUND * population.UNITS:
            raise InputError(f"fund {shown(scenario.fund)} is not an amount from 0 to {MOST_FUND:,} with at most six decimals")
        for name, weight in scenario.shares:
            if name not in population.NAMES or type(weight) is not int or not 0 <= weight <= 10**6:
                known = ", ".join(population.NAMES)
                raise InputError(f"shares are weights from 0 on of {known}; not {shown(name)} = {shown(weight)}")
        if scenario.shares and not any(weight for _, weight in scenario.shares):
            raise InputError("shares of a scenario are all 0; one behaviour at least has some")
        for fault in scenario.faults:
            if fault.kind not in FAULTS or type(fault.minute) is not int or type(fault.seconds) is not int:
                raise InputError(f"a fault is one of {', '.join(FAULTS)}, at a whole minute, for whole seconds; not {fault}")
        path = paths.drawn(scenario, seed)
        return cls(path, scenario.traders, catalogue.find(scenario.rules), fund, seed)


@dataclass(frozen=True, slots=True)
class Fared:
    """Tells how an agent of a user's own fared: equity in units, of all its members together, and their liquidations."""

    name: str
    members: int
    start_units: int
    end_units: int
    liquidations: int


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
    agents: list[Fared] = field(default_factory=list)
    digest: int = 0
    seconds: float = 0.0


Progress = Callable[[Outcome, int], None]
"""Called now and then with the run so far and the step."""


class Run:
    """A market in motion: each call of `step` goes one step of the path."""

    where = ""  # there is one world

    def __init__(self, settings: Settings, agents: Sequence[Agent] = ()):
        scenario, self.seed = settings.scenario, settings.seed
        scenarios = [scenario, *scenario.beside]
        self.contracts = [contract(each, scenario) for each in scenarios]
        self.exchange = Exchange(self.contracts, rules=settings.rules, retain=False)
        self.cursor = self.exchange.cursor()
        walks = paths.walks(scenarios)
        dearest = max(
            int(walk.price_ticks.max()) * terms.spec.units for walk, terms in zip(walks, self.contracts, strict=True)
        )
        crowd = population.populate(settings.seed, settings.traders, len(walks[0]), dearest, scenario.shares)
        self.traders = slice(FIRST_TRADER, FIRST_TRADER + len(crowd))
        tally = Tally(self.traders.stop + sum(each.members for each in agents), len(walks), FIRST_TRADER)
        tally.lot_units[:] = [terms.spec.units for terms in self.contracts]
        held_ns = np.zeros((2, len(crowd)), dtype=np.int64)
        self.outcome = Outcome(settings, walks[0], self.contracts, crowd, tally, Series(), held_ns)
        self.markets = [
            Market(terms, walk, crowd, symbol, scenario)
            for symbol, (terms, walk) in enumerate(zip(self.contracts, walks, strict=True))
        ]
        self.desks = self._seated(agents)
        self._open()

    def _seated(self, agents: Sequence[Agent]) -> list[Desk]:
        """Returns a desk for each agent; their accounts follow those of the traders."""
        names = [each.name for each in agents]
        if len(set(names)) != len(names):
            raise InputError(f"agents have names of their own, not {', '.join(map(shown, names))}")
        desks: list[Desk] = []
        account = self.traders.stop
        for each in agents:
            units_of(each)  # what makes no sense is told before anything is built
            desks.append((SwarmDesk if isinstance(each, Swarm) else Desk)(self, each, account))
            account += each.members
        return desks

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

    def sent(self, batch: Commands) -> Ints:
        """Applies the commands of a swarm; returns their codes."""
        codes: Ints = self.exchange.run(batch).code.astype(np.int64)
        self.heard()
        return codes

    def heard(self) -> None:
        """Lets the tally hear what agents caused."""
        ended = self.outcome.tally.absorb(self.cursor.array())
        for market in self.markets:
            market.guards.ended(ended)

    def ask(self, what: str, step: int) -> None:
        """Calls `what` of each agent, in an order that is drawn."""
        accounts = np.array([desk.account for desk in self.desks], dtype=np.int64)
        turns = np.argsort(draw(self.outcome.settings.seed, accounts, Purpose.TURN, step), kind="stable")
        for at in turns.tolist():
            desk = self.desks[at]
            called(desk, getattr(desk.agent, what), step, int(self.outcome.walk.time_ns[step]))
            self.heard()

    def fared(self) -> list[Fared]:
        """Returns how the agents stand."""
        result, tally = [], self.outcome.tally
        worth = tally.mark_ticks * tally.lot_units
        liquidated = np.array(tally.liquidations.accounts, dtype=np.int64)
        for desk in self.desks:
            who = slice(desk.account, desk.account + desk.agent.members)
            profit = (tally.size[:, who] * worth[:, None] - tally.cost[:, who]).sum()
            equity = int(tally.cash[who].sum() + tally.margin[:, who].sum() + profit)
            count = int(((liquidated >= who.start) & (liquidated < who.stop)).sum())
            start = units_of(desk.agent) * desk.agent.members
            result.append(Fared(desk.agent.name, desk.agent.members, start, equity, count))
        return result

    def _accounts(self) -> tuple[list[str], Ints, Ints, Bools]:
        """Returns names, wallets, leverages and modes of makers, traders and agents, in the order of their accounts."""
        crowd = self.outcome.crowd
        for group in self.markets[0].groups:  # some behaviours insist on a mode
            crowd.cross[group.who] = group.cross
        names = [f"maker-{i}" for i in range(makers.MAKERS)]
        names += [f"{population.NAMES[b]}-{i}" for i, b in enumerate(crowd.behaviour.tolist())]
        agents = []
        for each in (desk.agent for desk in self.desks):
            names += [f"{each.name}-{i}" for i in range(each.members)] if isinstance(each, Swarm) else [each.name]
            agents += [each] * each.members
        wallets = [makers.WALLET_UNITS] * makers.MAKERS, crowd.wallet_units, [units_of(each) for each in agents]
        leverages = [makers.LEVERAGE] * makers.MAKERS, crowd.leverage, [each.leverage for each in agents]
        cross = [True] * makers.MAKERS, crowd.cross, [bool(each.cross) for each in agents]
        columns = [
            np.concatenate([np.array(part, kind) for part in parts])
            for parts, kind in ((wallets, np.int64), (leverages, np.int64), (cross, np.bool_))
        ]
        return names, columns[0], columns[1], columns[2]

    def _open(self) -> None:
        """Opens accounts, makes deposits, sets leverage and seeds the fund."""
        start_ns = int(self.outcome.walk.time_ns[0])
        names, wallets, leverage, cross = self._accounts()
        accounts = np.arange(FIRST_USER, FIRST_USER + len(names), dtype=np.int64)
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
            size = tally.size[:, self.traders]
            self.outcome.held_ns[0] += passed_ns * (size > 0).sum(axis=0)
            self.outcome.held_ns[1] += passed_ns * (size < 0).sum(axis=0)
        tally.begin(step)
        quoted = []
        for market in self.markets:
            quoted.append(market.quoted(self._apply(market.quotes(step, tally))[0]))
        if self.desks:
            self.ask("step", step)
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


def simulate(settings: Settings, progress: Progress | None = None, agents: Sequence[Agent] = ()) -> Outcome:
    """Runs a market from the first step to the last. The same settings give the same outcome, but for the seconds."""
    begin = perf_counter()
    run = Run(settings, agents)
    outcome = run.outcome
    steps = len(outcome.walk)
    run.ask("begin", 0)
    for step in range(steps):
        run.step(step)
        if progress and (step % 16 == 0 or step == steps - 1):
            progress(outcome, step)
    run.ask("end", steps - 1)
    outcome.tally.check()
    run.audit()
    if outcome.tally.worst_error:
        raise InvariantBroken(f"the events' own books are off by {outcome.tally.worst_error} units")
    outcome.agents, outcome.commands = run.fared(), int(run.exchange.command_count)
    outcome.digest = run.exchange.digest()
    outcome.seconds = perf_counter() - begin
    return outcome


def run(scenario: Scenario, seed: int, agents: Sequence[Agent] = (), progress: Progress | None = None) -> Outcome:
    """Runs a market that a scenario describes, for a seed, with agents of your own in it.

    The same scenario, seed and agents give the same outcome, but for the seconds. Raises InputError for a scenario that makes
    no sense, and AgentFailed where an agent raises, returns something, or does not return.

    >>> from dataclasses import replace
    >>> from solvent.lab import Agent, find, run
    >>> class Patient(Agent):
    ...     def step(self, desk):
    ...         if desk.step == 5:
    ...             desk.buy(1)
    ...
    >>> outcome = run(replace(find("quiet"), traders=20), seed=1, agents=[Patient()])
    >>> outcome.agents[0].liquidations, outcome.tally.worst_error
    (0, 0)
    """
    return simulate(Settings.of(scenario, seed), progress, agents)
