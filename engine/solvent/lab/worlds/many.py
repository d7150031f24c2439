"""Worlds: many small markets of one scenario in one process, each with a seed of its own.

Owns the exchanges, their rows, and the calls of plain agents. Never lets a world depend on another: world k of many is byte
for byte the single world of its seed. Cost: a world is a fork and some fifty kilobytes; its steps go without the GIL.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, replace

import numpy as np

from solvent.api import backend
from solvent.api.exchange import Exchange
from solvent.lab.market import commands
from solvent.lab.market.agents import Agent, AgentFailed, Desk, Swarm, called, units_of
from solvent.lab.market.draws import Ints, Purpose, below, draw
from solvent.lab.market.markets import TIER_FIRST, contract
from solvent.lab.market.paths import MAX_TICKS, STEP_PART
from solvent.lab.market.population import CROSS_PERCENT, UNITS
from solvent.lab.market.runner import Settings
from solvent.lab.market.scenarios import BEGIN_MS, MINUTE_MS, Process, Scenario
from solvent.lab.worlds import crowd
from solvent.schema.codes import InputError, shown
from solvent.schema.limits import FINE, FIRST_USER
from solvent.schema.words import CommandType, EventType
from solvent.terms.decimals import to_units

__all__ = ["Worlds"]

LOGGED = (EventType.LIQUIDATION, EventType.TAKEOVER, EventType.ADL)  # what worlds write of their events
WALLET_UNITS = 1_000 * UNITS  # of a trader, at first and when he begins anew
WORLDS_MOST, SEEDS = 10**6, 2**63
LEVERAGES = np.array([3, 5, 10, 20, 50, 100], dtype=np.int64)
MILLION_NS = 10**6
Make = Callable[[], Agent]


class _World:
    """One world, as its agents' desks see it."""

    def __init__(self, number: int, exchange: Exchange, seed: int, makes: Sequence[Make], traders: int):
        self.exchange, self.seed, self.where = exchange, seed, f"world {number}, "
        self.contracts = exchange.instruments
        self.desks = [Desk(self, make(), FIRST_USER + traders + at) for at, make in enumerate(makes)]
        self.begun = False

    def ask(self, what: str, step: int, time_ns: int) -> None:
        """Calls `what` of each agent, in an order that is drawn."""
        accounts = np.array([desk.account for desk in self.desks], dtype=np.int64)
        for at in np.argsort(draw(self.seed, accounts, Purpose.TURN, step), kind="stable").tolist():
            desk = self.desks[at]
            called(desk, getattr(desk.agent, what), step, time_ns)


class Worlds:
    """Runs n markets of one scenario side by side, each with `scenario.traders` traders without intelligence.

    World k has the seed `seed + k`. A step is a bar of the path: the index goes to its close, mark and funding follow, and
    each trader looks at the touch and at his position and acts or waits. A scenario with a process draws each world's path.
    The market is theirs alone, without makers. A trader with nothing left begins anew with a deposit.

    agents: classes of plain agents (or calls that make them). Each world has one of each, and asks it before the traders act.
    go_on: a world whose agent fails stops and is kept in `failures`, while the others go on; else AgentFailed is raised.
    exchange: the class of exchange; with solvent.reference.Exchange the traders are Python, too.

    Raises InputError for a scenario that worlds cannot have: contracts beside, makers, behaviours.

    >>> from dataclasses import replace
    >>> from solvent.lab import Process, Worlds, find
    >>> walk = replace(find("quiet"), process=Process(minutes=60, volatility_bp=20), traders=10)
    >>> worlds = Worlds(walk, 3)
    >>> worlds.run(60)
    >>> worlds.agents, worlds.step, worlds.counts()["looks"]
    (10, 60, 1800)
    >>> alone = Worlds(walk, 1, seed=3)
    >>> alone.run(60)
    >>> alone.exchanges[0].digest() == worlds.exchanges[2].digest()
    True
    """

    def __init__(
        self, scenario: Scenario, n: int, seed: int = 1, *, agents: Sequence[Make] = (), go_on: bool = False,
        exchange: type[Exchange] = Exchange,
    ):  # fmt: skip
        if type(n) is not int or not 1 <= n <= WORLDS_MOST:
            raise InputError(f"there are from 1 to {WORLDS_MOST:,} worlds, not {shown(n)}")
        settings = _settings(scenario, seed, n)
        self.scenario, self.seed, self.step, self.go_on = scenario, seed, 0, go_on
        self.failures: dict[int, AgentFailed] = {}
        """The worlds that stopped, by number, and why."""
        self.traders, self._makes = scenario.traders, tuple(agents)
        self._path(scenario)
        first = self._template(settings, exchange)
        self.exchanges: list[Exchange] = []
        """Each world's exchange, by number."""
        self.rows = np.zeros((n, len(crowd.COLUMNS)), dtype=np.int64)
        """Each world's counts: solvent.lab.worlds.crowd.COLUMNS."""
        self.rows[:, 0] = np.arange(n) + seed
        self.rows[:, 2] = self._first_ticks * FINE
        for number in range(n):
            self.exchanges.append(first.fork())
            self._open(number, scenario.process)
        self._worlds = [
            _World(number, each, seed + number, self._makes, self.traders) for number, each in enumerate(self.exchanges)
        ] if self._makes else []  # fmt: skip

    def _path(self, scenario: Scenario) -> None:
        """Notes times, and the index of each step where all worlds have the same."""
        process, bars = scenario.process, scenario.bars
        if process:
            times_ms = [BEGIN_MS + MINUTE_MS * step for step in range(process.minutes + 1)]
            closes = [1] * process.minutes
            self._first_ticks = to_units(process.price, scenario.tick, "price") or 0
        else:
            times_ms = [each[0] for each in bars]
            times_ms.append(2 * times_ms[-1] - times_ms[-2])
            closes, self._first_ticks = [each[4] for each in bars], bars[0][1]
        self._begin_ns = times_ms[0] * MILLION_NS
        self._times_ns = np.array(times_ms[1:], dtype=np.int64) * MILLION_NS
        told = [not scenario.struck("mark_stands", int(each) - self._begin_ns) for each in self._times_ns]
        self._prices = np.array(closes, dtype=np.int64) * np.array(told, dtype=np.int64)

    def __len__(self) -> int:
        """Returns the number of worlds."""
        return len(self.exchanges)

    @property
    def agents(self) -> int:
        """Returns the number of agents in one world: the traders, and those of your own."""
        return self.traders + len(self._makes)

    @property
    def steps(self) -> int:
        """Returns the number of steps that the path has."""
        return len(self._times_ns)

    def _template(self, settings: Settings, kind: type[Exchange]) -> Exchange:
        """Returns an exchange with the accounts of a world, as each world's begins."""
        scenario = settings.scenario
        terms = contract(scenario, scenario)
        spec = terms.spec
        self.terms = crowd.Terms(self.agents - len(self._makes), WALLET_UNITS, spec.units, TIER_FIRST)
        if process := scenario.process:
            self.terms = replace(
                self.terms, drawn=1, volatility_bp=process.volatility_bp, jump_bp=process.jump_bp if process.jumps else 0,
                least_fine=STEP_PART * FINE, most_fine=MAX_TICKS * FINE,
            )  # fmt: skip
        self._packed = np.array(astuple(self.terms), dtype=np.int64)
        exchange = kind([terms], rules=settings.rules, retain=False, log=LOGGED, seed=1)
        begin = self._begin_ns
        own = [make() for make in self._makes]
        names = [f"trader-{each}" for each in range(self.traders)] + [_named(each) for each in own]
        exchange.run(commands.open_accounts(names, begin))
        batches = [commands.tell_index(self._first_ticks)]
        if settings.fund_units:
            batches.append(commands.pay(CommandType.SEED_FUND, _ints([0]), _ints([settings.fund_units])))
        if own:
            accounts = np.arange(len(own), dtype=np.int64) + FIRST_USER + self.traders
            batches.append(commands.pay(CommandType.DEPOSIT, accounts, _ints([units_of(each) for each in own])))
            modes = np.array([bool(each.cross) for each in own])
            batches.append(commands.set_leverage(accounts, _ints([each.leverage for each in own]), modes))
        _sent(exchange, commands.stamped(commands.joined(batches), begin, 0))
        return exchange

    def _open(self, number: int, process: Process | None) -> None:
        """Gives a world's traders their money, leverage and margin mode, and draws which of its steps jump."""
        seed = int(self.rows[number, 0])
        accounts = np.arange(FIRST_USER, FIRST_USER + self.traders, dtype=np.int64)
        leverage = LEVERAGES[below(draw(seed, accounts, Purpose.LEVERAGE), len(LEVERAGES))]
        cross = below(draw(seed, accounts, Purpose.MODE), 100) < CROSS_PERCENT
        wallets = np.full(self.traders, WALLET_UNITS, dtype=np.int64)
        batch = [commands.pay(CommandType.DEPOSIT, accounts, wallets), commands.set_leverage(accounts, leverage, cross)]
        _sent(self.exchanges[number], commands.stamped(commands.joined(batch), self._begin_ns, 0))
        if process and process.jumps:
            draws = np.sort(draw(seed, np.arange(process.minutes, dtype=np.int64), Purpose.JUMP))
            self.rows[number, 1] = int(draws[min(process.jumps, process.minutes) - 1]) - 2**63

    def run(self, steps: int) -> None:
        """Goes so many steps with all worlds.

        A handler of a signal that raises (Ctrl-C) ends it between two steps; the next call first brings the worlds that are
        behind to where this one was to end.

        Raises InputError for steps that the path does not have, and Halted for a world whose exchange has halted. Raises
        AgentFailed for an agent that raises, returns something or does not return.
        """
        if type(steps) is not int or not 0 <= steps <= self.steps - self.step:
            raise InputError(
                f"the path has {self.steps} steps, of which {self.step} are gone: run goes from 0 to "
                f"{self.steps - self.step}, not {shown(steps)}"
            )
        if self.failures and not self.go_on:
            raise next(iter(self.failures.values()))
        self.step += steps
        if not self._worlds:
            self._advance(slice(None), crowd.TELL | crowd.CROWD, self.step)
            return
        for number, world in enumerate(self._worlds):
            if number not in self.failures:
                self._with_agents(number, world)

    def _with_agents(self, number: int, world: _World) -> None:
        """Brings a world to the step where all should be, with its own agents."""
        mine = slice(number, number + 1)
        try:
            for step in range(int(self.rows[number, 3]), self.step):
                time_ns = int(self._times_ns[step])
                if not world.begun:
                    world.begun = True
                    world.ask("begin", 0, time_ns)
                self._advance(mine, crowd.TELL, step + 1)
                world.exchange.advance(time_ns)
                world.ask("step", step, time_ns)
                self._advance(mine, crowd.CROWD, step + 1)
                if step == self.steps - 1:
                    world.ask("end", step, time_ns)
        except AgentFailed as failure:
            self.failures[number] = failure
            if not self.go_on:
                raise

    def _advance(self, which: slice, parts: int, until: int) -> None:
        faces, rows = self.exchanges[which], self.rows[which]
        compiled = backend.compiled_crowd(faces[0])
        if compiled:
            compiled(faces, rows, self._packed, self._prices, self._times_ns, parts, until)
        else:
            crowd.advance(faces, rows, self.terms, self._prices, self._times_ns, parts, until)

    def counts(self) -> dict[str, int]:
        """Returns what the traders of all worlds have done so far, by the names of solvent.lab.worlds.crowd.COLUMNS."""
        sums = self.rows[:, 4:].sum(axis=0).tolist()
        return dict(zip(crowd.COLUMNS[4:], sums, strict=True))

    def __repr__(self) -> str:
        """Tells how many worlds there are, where they are, and what has happened to their traders."""
        counts = self.counts()
        told = ", ".join(f"{counts[name]:,} {name}" for name in ("orders", "cancels", "trades", "liquidations", "deleveraged"))
        return f"Worlds({len(self)} of {self.agents} agents at step {self.step} of {self.steps}: {told})"


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _named(agent: Agent) -> str:
    """Returns an agent's name. Raises InputError for what is none, or a swarm."""
    if not isinstance(agent, Agent) or isinstance(agent, Swarm):
        raise InputError(f"worlds take classes of plain agents (solvent.lab.Agent), each for one account, not {shown(agent)}")
    units_of(agent)
    return agent.name


def _settings(scenario: Scenario, seed: int, n: int) -> Settings:
    """Returns what a scenario says. Raises InputError for one that worlds cannot have."""
    if not isinstance(scenario, Scenario):
        raise InputError(f"worlds are made of a Scenario (solvent.lab.find, solvent.lab.load), not of {shown(scenario)}")
    settings = Settings.of(scenario, seed)
    if seed + n > SEEDS:
        raise InputError(f"the seeds of worlds are below 2**63: {seed} leaves no room for {n}")
    if not 1 <= scenario.traders <= 100_000:
        raise InputError(f"traders of a world are from 1 to 100,000, not {shown(scenario.traders)}")
    for name, usual, advice in (
        ("beside", (), "each world has one contract"), ("shares", (), "solvent.lab.run has behaviours"),
        ("depth_percent", 100, "no makers quote there"),
    ):  # fmt: skip
        if getattr(scenario, name) != usual:
            raise InputError(
                f"{name} says nothing about worlds: {advice}; take dataclasses.replace(scenario, {name}={usual!r})"
            )
    if any(each.kind == "makers_leave" for each in scenario.faults):
        raise InputError("makers_leave says nothing about worlds: no makers quote there")
    return replace(settings, scenario=scenario)


def _sent(exchange: Exchange, batch: commands.Commands) -> None:
    """Applies commands of which none may be refused."""
    codes = exchange.run(batch).code
    if codes.any():
        raise AssertionError(f"a world could not be set up: {codes[codes > 0].tolist()[:3]}")
