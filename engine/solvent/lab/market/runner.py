"""The demo's loop: the price steps, the makers quote, the mark moves, the traders act, the tally listens.

Owns the exchange and the order of commands within a step. Never judges the outcome (report) and never keeps
books of its own (tally). Cost: one batch a step; about a million commands for the default.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter

import numpy as np

from solvent.api.exchange import Exchange
from solvent.lab.market import behaviours, commands, makers, paths, population
from solvent.lab.market.behaviours import HISTORY, View, Wishes
from solvent.lab.market.commands import Commands, OrderIds
from solvent.lab.market.draws import Ints, Purpose, draw
from solvent.lab.market.scenarios import Scenario
from solvent.lab.market.tally import Tally
from solvent.schema.codes import Code, InvariantBroken
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import CommandType
from solvent.terms.instrument import Instrument
from solvent.terms.rule_set import RuleSet
from solvent.terms.tiers import okex_btc_2019

CURRENCY = "USDT"
BITCOIN_CONTRACT = Decimal("0.01")  # as on OKX
TIER_FIRST, TIER_STEP = 200, 1_000
MOST_LOTS = 3_200  # the top of the fourth tier
PREMIUM_SHIFT = 5  # the mark's premium moves by 1/32 of the distance a step
PREMIUM_BITS = 8
PREMIUM_PART = 200  # and stays within 1/200 of the index
WIDEST_PART = 100  # a spread above 1/100 of the index has no middle
TREND_NS = 80 * 60 * 10**9  # a trend is over this time, and over HISTORY steps where that is longer
AUDIT_EVERY = 64  # steps between the exchange's own checks of all its state
FIRST_TRADER = FIRST_USER + makers.MAKERS


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
    """Holds a finished run. held_ns: how long each trader had a position."""

    settings: Settings
    walk: paths.Walk
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
    def __init__(self, settings: Settings):
        scenario = settings.scenario
        name = "BTC-USDT-SWAP" if scenario.contract_size == BITCOIN_CONTRACT else "PERP-USDT"
        tiers = okex_btc_2019(first=TIER_FIRST, step=TIER_STEP)
        contract = Instrument(name, contract_size=scenario.contract_size, tick=scenario.tick, tiers=tiers)
        self.tick, self.spec = contract.tick_size, contract.spec
        self._tops = np.array([top for top, *_ in self.spec.tiers], dtype=np.int64)
        self.exchange = Exchange([contract], rules=settings.rules, retain=False)
        self.cursor = self.exchange.cursor()
        walk = paths.walk(scenario)
        dearest = int(walk.price_ticks.max()) * self.spec.units
        crowd = population.populate(settings.seed, settings.traders, len(walk), dearest)
        self.outcome = Outcome(
            settings, walk, crowd, Tally(FIRST_TRADER + len(crowd)), Series(), np.zeros(len(crowd), dtype=np.int64)
        )
        self.makers = makers.Makers(np.arange(FIRST_USER, FIRST_TRADER, dtype=np.int64), len(crowd), int(walk.price_ticks[0]))
        self.groups = [rule(crowd, self._most_lots) for rule in behaviours.ALL]
        self.wishes = Wishes(len(crowd))
        self.past_sides = np.zeros((HISTORY, len(crowd)), dtype=np.int8)
        self.premium = 0  # of mark over index, in ticks with PREMIUM_BITS
        self._open()

    def _most_lots(self, leverage: Ints) -> Ints:
        """Returns the top of the highest tier that allows a leverage, at most the largest position wanted."""
        tops = self._tops
        allowed = np.array([-(most // 100) for _, _, most, _ in self.spec.tiers], dtype=np.int64)
        return np.minimum(MOST_LOTS, tops[np.searchsorted(allowed, -leverage, side="right") - 1])

    def _send(self, batch: Commands, time_ns: int) -> OrderIds:
        """Stamps commands and applies them; returns the order ids."""
        batch["time_ns"] = time_ns
        return self._apply(batch)

    def _apply(self, batch: Commands) -> OrderIds:
        """Applies commands and lets the tally hear what happened."""
        answer = self.exchange.run(batch)
        self.outcome.commands += len(answer)
        if answer.code.any():
            for code, count in zip(*np.unique(answer.code[answer.code > 0], return_counts=True), strict=True):
                name = Code(int(code)).name
                self.outcome.refused[name] = self.outcome.refused.get(name, 0) + int(count)
        self.outcome.tally.absorb(self.cursor.array())
        return answer.order_id

    def _open(self) -> None:
        """Opens accounts, makes deposits, sets leverage and seeds the fund."""
        crowd, start_ns = self.outcome.crowd, int(self.outcome.walk.time_ns[0])
        names = [f"maker-{i}" for i in range(makers.MAKERS)]
        names += [f"{population.NAMES[b]}-{i}" for i, b in enumerate(crowd.behaviour.tolist())]
        accounts = np.arange(FIRST_USER, FIRST_USER + len(names), dtype=np.int64)
        wallets = np.concatenate([np.full(makers.MAKERS, makers.WALLET_UNITS), crowd.wallet_units])
        leverage = np.concatenate([np.full(makers.MAKERS, makers.LEVERAGE), crowd.leverage])
        cross = np.concatenate([np.ones(makers.MAKERS, dtype=np.bool_), crowd.cross])
        for group in self.groups:  # some behaviours insist on a mode
            cross[makers.MAKERS + group.who] = group.cross
        self._apply(commands.open_accounts(names, start_ns))
        self._send(commands.pay(CommandType.DEPOSIT, accounts, wallets), start_ns)
        self._send(commands.set_leverage(accounts, leverage, cross), start_ns)
        if self.outcome.settings.fund_units:
            fund = np.array([self.outcome.settings.fund_units], dtype=np.int64)
            self._send(commands.pay(CommandType.SEED_FUND, np.zeros(1, dtype=np.int64), fund), start_ns)
        if self.outcome.refused:
            raise AssertionError(f"the market could not be set up: {self.outcome.refused}")
        self._send(commands.mark(int(self.outcome.walk.price_ticks[0])), start_ns)

    # --- a step

    def _mark_ticks(self, index_ticks: int) -> int:
        most = index_ticks // PREMIUM_PART
        return index_ticks + max(-most, min(most, self.premium >> PREMIUM_BITS))

    def _move_premium(self, index_ticks: int) -> None:
        """Moves the premium towards the middle of the book. Keeps it if one side is empty or far away."""
        depth = self.exchange.depth(0, 1)
        if not depth.bids or not depth.asks:
            return
        bid, ask = (int(side[0][0] / self.tick) for side in (depth.bids, depth.asks))
        if (ask - bid) * WIDEST_PART <= index_ticks:
            middle = (bid + ask) << (PREMIUM_BITS - 1)
            self.premium += (middle - (index_ticks << PREMIUM_BITS) - self.premium) >> PREMIUM_SHIFT

    def _view(self, step: int, mark_ticks: int) -> View:
        tally, walk = self.outcome.tally, self.outcome.walk
        traders = slice(FIRST_TRADER, None)
        size, cost = tally.size[traders], tally.cost[traders]
        since = int(np.searchsorted(walk.time_ns, walk.time_ns[step] - TREND_NS))
        before = int(walk.price_ticks[max(0, min(since, step - HISTORY))])
        lot_units = mark_ticks * self.spec.units
        return View(
            step=step,
            time_ns=int(walk.time_ns[step]),
            price_ticks=mark_ticks,
            trend_bp=(int(walk.price_ticks[step]) - before) * 10_000 // before,
            lot_units=lot_units,
            fee_ppb=self.spec.taker_fee_ppb,
            size=size,
            cash=tally.cash[traders],
            margin=tally.margin[traders],
            profit=size * lot_units - cost,
            stake=np.abs(cost) // np.maximum(1, tally.leverage[traders]),
            takeovers=tally.takeovers[traders],
            top=np.where(size, self._tops[np.searchsorted(self._tops, np.abs(size))], MOST_LOTS),
            past_sides=self.past_sides,
        )

    def _wished(self, step: int, mark_ticks: int) -> list[Commands]:
        """Returns the traders' commands: deposits and margin by account, orders as drawn, so that nobody is always last."""
        wishes = self.wishes
        paying, adding, trading = (np.flatnonzero(w) for w in (wishes.deposit, wishes.add_margin, wishes.lots))
        turns = draw(self.outcome.settings.seed, trading, Purpose.TURN, step)
        trading = trading[np.argsort(turns, kind="stable")]
        return [
            commands.pay(CommandType.DEPOSIT, FIRST_TRADER + paying, wishes.deposit[paying]),
            commands.pay(CommandType.MOVE_MARGIN, FIRST_TRADER + adding, wishes.add_margin[adding]),
            commands.orders(FIRST_TRADER + trading, wishes.lots[trading], wishes.reduce_only[trading], mark_ticks),
        ]

    def step(self, step: int) -> None:
        """Sends quotes, the mark and the traders' commands in one batch."""
        walk, tally, series = self.outcome.walk, self.outcome.tally, self.outcome.series
        index_ticks, time_ns = int(walk.price_ticks[step]), int(walk.time_ns[step])
        mark_ticks = self._mark_ticks(index_ticks)
        self.past_sides[step % HISTORY] = np.sign(tally.size[FIRST_TRADER:])
        view = self._view(step, mark_ticks)
        self.wishes.clear()
        for group in self.groups:
            group.step(view, self.wishes)
        inventory = tally.size[FIRST_USER:FIRST_TRADER]
        quotes = self.makers.quote(step, index_ticks, int(walk.range_bp[step]), inventory)
        if step:
            held = tally.size[FIRST_TRADER:] != 0
            self.outcome.held_ns[held] += time_ns - int(walk.time_ns[step - 1])
        tally.step = step
        order_ids = self._send(
            np.concatenate([quotes.commands, commands.mark(mark_ticks), *self._wished(step, mark_ticks)]), time_ns
        )
        self.makers.filled(order_ids[quotes.orders_at : len(quotes.commands)], tally.trades)
        self._move_premium(index_ticks)
        series.price_ticks.append(index_ticks)
        series.fund_units.append(tally.fund_units)
        if step % AUDIT_EVERY == 0:
            self._audit()

    def _audit(self) -> None:
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
    run._audit()
    if outcome.tally.worst_error:
        raise InvariantBroken(f"the events' own books are off by {outcome.tally.worst_error} units")
    outcome.digest = run.exchange.digest()
    outcome.seconds = perf_counter() - begin
    return outcome
