"""One contract of a demo: its terms, its makers, the traders of its behaviours, and what they send in a step.

Owns what is sent for a contract, and in which order. Never sends anything itself (runner), never judges. Invariant: traders
decide with the mark of the step before them. Cost: the array operations of makers and behaviours.
"""

from collections.abc import Callable

import numpy as np

from solvent.lab.market import behaviours, commands, makers, population
from solvent.lab.market.behaviours import HISTORY, View, Wishes
from solvent.lab.market.commands import Commands
from solvent.lab.market.draws import Ints, Purpose, draw
from solvent.lab.market.guards import STOPS, TARGETS, Guards
from solvent.lab.market.paths import Walk
from solvent.lab.market.scenarios import Scenario
from solvent.lab.market.tally import Tally
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import CommandType
from solvent.terms.instrument import Instrument
from solvent.terms.price_model import Funding, PriceModel
from solvent.terms.tiers import okex_btc_2019

TIER_FIRST, TIER_STEP = 200, 1_000
MOST_LOTS = 3_200  # the top of the fourth tier
TREND_NS = 80 * 60 * 10**9  # a trend is over this time, and over HISTORY steps where that is longer
FIRST_TRADER = FIRST_USER + makers.MAKERS
MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS


def contract(path: Scenario, market: Scenario) -> Instrument:
    """Returns the terms of the contract that trades on a path of a market.

    The mark is the index plus a moving average of the basis over half an hour. Funding is settled by the clock.
    """
    funding = Funding(interval_ns=market.funding_hours * HOUR_NS, premium="middle", weights="equal", cap=market.funding_cap)
    prices = PriceModel(components=["basis_ema"], sample_ns=MINUTE_NS, alpha="0.03125", band="0.005", funding=funding)
    tiers = okex_btc_2019(first=TIER_FIRST, step=TIER_STEP)
    return Instrument(path.contract, contract_size=path.contract_size, tick=path.tick, tiers=tiers, prices=prices)


Send = Callable[[Commands], tuple[commands.OrderIds, list[int]]]
"""Applies commands; returns the numbers of the orders among them, and those of traders' orders that ended."""


class Market:
    """Moves one contract. symbol: its number at the exchange. scenario: the whole market."""

    def __init__(self, terms: Instrument, walk: Walk, crowd: population.Population, symbol: int, scenario: Scenario):
        self.spec, self.walk, self.crowd, self.symbol, self.scenario = terms.spec, walk, crowd, symbol, scenario
        self.symbols = 1 + len(scenario.beside)
        self.traders = slice(FIRST_TRADER, FIRST_TRADER + len(crowd))
        self._tops = np.array([top for top, *_ in self.spec.tiers], dtype=np.int64)
        self.groups = [rule(crowd, self._most_lots, symbol) for rule in behaviours.ALL if symbol == 0 or rule.TRADES == "all"]
        members = sum(len(group.who) for group in self.groups)
        accounts = np.arange(FIRST_USER, FIRST_TRADER, dtype=np.int64)
        self.makers = makers.Makers(accounts, members, int(walk.price_ticks[0]), symbol, self.symbols, scenario.depth_percent)
        self.guards = Guards(self.groups, FIRST_TRADER, self.spec.units)
        self.wishes = Wishes(len(crowd))
        self.past_sides = np.zeros((HISTORY, len(crowd)), dtype=np.int8)
        self._orders_at = self._quotes = 0

    def _most_lots(self, leverage: Ints) -> Ints:
        """Returns the top of the highest tier that allows a leverage, at most the largest position wanted."""
        tops = self._tops
        allowed = np.array([-(most // 100) for _, _, most, _ in self.spec.tiers], dtype=np.int64)
        return np.minimum(MOST_LOTS, tops[np.searchsorted(allowed, -leverage, side="right") - 1])

    def quotes(self, step: int, tally: Tally) -> Commands:
        """Returns the makers' commands and then the index of a step."""
        index_ticks = int(self.walk.price_ticks[step])
        inventory = tally.size[self.symbol, FIRST_USER:FIRST_TRADER]
        passed_ns = int(self.walk.time_ns[step] - self.walk.time_ns[0])
        away = self.scenario.struck("makers_leave", passed_ns)
        quotes = self.makers.quote(step, index_ticks, int(self.walk.range_bp[step]), inventory, away)
        self._orders_at, self._quotes = quotes.orders_at, len(quotes.commands)
        told = commands.tell_index(index_ticks)[: not self.scenario.struck("mark_stands", passed_ns)]
        return self._stamped(commands.joined([quotes.commands, told]), step)

    def quoted(self, order_ids: commands.OrderIds) -> commands.OrderIds:
        """Returns the numbers of the makers' orders among those of a step's quotes."""
        return order_ids[self._orders_at : self._quotes]

    def view(self, step: int, tally: Tally, locked: Ints) -> View:
        walk, traders = self.walk, self.traders
        size, cost = tally.size[self.symbol, traders], tally.cost[self.symbol, traders]
        since = int(np.searchsorted(walk.time_ns, walk.time_ns[step] - TREND_NS))
        before = int(walk.price_ticks[max(0, min(since, step - HISTORY))])
        mark_ticks = int(tally.mark_ticks[self.symbol])
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
            margin=tally.margin[self.symbol, traders],
            profit=size * lot_units - cost,
            stake=np.abs(cost) // np.maximum(1, tally.leverage[self.symbol, traders]),
            locked=locked,
            takeovers=tally.takeovers[traders],
            top=np.where(size, self._tops[np.searchsorted(self._tops, np.abs(size))], MOST_LOTS),
            symbols=self.symbols,
            past_sides=self.past_sides,
        )

    def locked(self, tally: Tally) -> Ints:
        """Returns what each trader's wallet keeps for his position here: initial margin, and its loss beyond the entry."""
        traders = self.traders
        size, cost = tally.size[self.symbol, traders], tally.cost[self.symbol, traders]
        lot_units = int(tally.mark_ticks[self.symbol]) * self.spec.units
        initial = -(-np.abs(size) * lot_units // self.crowd.leverage)
        return np.maximum(0, initial - (size * lot_units - cost))

    def wished(self, step: int, tally: Tally, locked: Ints) -> Commands:
        """Returns the traders' commands: deposits and margin by account, orders as drawn, so that nobody is always last."""
        self.past_sides[step % HISTORY] = np.sign(tally.size[self.symbol, self.traders])
        view, wishes = self.view(step, tally, locked), self.wishes
        wishes.clear()
        for group in self.groups:
            group.step(view, wishes)
        paying, adding, trading = (np.flatnonzero(w) for w in (wishes.deposit, wishes.add_margin, wishes.lots))
        turns = draw(self.crowd.seed, trading, Purpose.TURN, step)
        trading = trading[np.argsort(turns, kind="stable")]
        lots, reduce_only = wishes.lots[trading], wishes.reduce_only[trading]
        deposits = commands.pay(CommandType.DEPOSIT, FIRST_TRADER + paying, wishes.deposit[paying])
        margins = commands.pay(CommandType.MOVE_MARGIN, FIRST_TRADER + adding, wishes.add_margin[adding])
        orders = commands.orders(FIRST_TRADER + trading, lots, reduce_only, view.price_ticks)
        return commands.joined(
            [commands.stamped(deposits, view.time_ns, 0), *(self._stamped(each, step) for each in (margins, orders))]
        )

    def _stamped(self, batch: Commands, step: int, records: int = 1) -> Commands:
        return commands.stamped(batch, int(self.walk.time_ns[step]), self.symbol, records)

    def guard(self, step: int, tally: Tally, send: Send) -> None:
        """Sends stops, then targets, for positions that lack them."""
        size, cost = tally.size[self.symbol, self.traders], tally.cost[self.symbol, self.traders]
        for which, make, records in ((STOPS, self.guards.stops, 2), (TARGETS, self.guards.targets, 1)):
            batch, who = make(size, cost)
            if len(batch):
                self.guards.placed(which, who, *send(self._stamped(batch, step, records)))
