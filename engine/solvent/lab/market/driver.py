"""A market around one instrument: a scenario moves index and mark, a maker quotes, a crowd trades, funding settles.

Owns the place on the path, and the accounts of maker and crowd. Never looks at another. The exchange may be any object with
its methods: an Exchange, or the proxy of a gateway. The same scenario gives the same commands.
Cost: a step is one batch of quotes, an index and a mark.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from solvent.lab.market.paths import Walk, walk
from solvent.lab.market.scenarios import Scenario
from solvent.schema.codes import InputError
from solvent.terms.decimals import Dec, fraction
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import int_within

__all__ = ["Driver", "contract"]

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
FUNDING_NS = 8 * 60 * MINUTE_NS
LEVELS = 10
CALM_BP = 50
MOST_WIDENING = 8
LEVEL_BP = 2  # from one level to the next, where it is calm
MONEY = 10**9
CROWD = 31  # the most lots of one of its trades


def contract(scenario: Scenario, name: str = "BTC-USDT-SWAP") -> Instrument:
    """Returns the contract that trades on a scenario, with the default tiers.

    >>> from solvent.lab.market import paths
    >>> contract(paths.find("flash_crash")).tick_size
    Decimal('0.1')
    """
    return Instrument(name, tick=scenario.tick, contract_size=scenario.contract_size)


class Driver:
    """Drives one instrument of an exchange along a scenario.

    The market begins open, at the first price. At each step somebody trades a few lots the way the price goes, so the last
    price follows. instrument: a name; None means the exchange's first. depth: the contracts that the maker shows at each
    side's best level; the k-th has k times as many, and all have less while the price moves fast. funding: the rate of every
    eight hours, where the instrument has no price model.

    >>> from solvent import Exchange
    >>> from solvent.lab.market import paths
    >>> from solvent.lab.market.driver import Driver, contract
    >>> crash = paths.find("flash_crash")
    >>> ex = Exchange([contract(crash)])
    >>> market = Driver(ex, crash)
    >>> market.price, len(ex.depth("BTC-USDT-SWAP").bids)
    (Decimal('49990.0'), 10)
    >>> market.run(minutes=14)
    >>> market.price < 40_100, ex.prices("BTC-USDT-SWAP").mark == market.price
    (True, True)
    """

    def __init__(
        self, exchange: Any, scenario: Scenario, instrument: str | None = None, *, maker: str = "maker", depth: int = 200,
        funding: str = "0.0001",
    ):  # fmt: skip
        self.exchange, self.scenario, self.maker, self.funding = exchange, scenario, maker, funding
        self.crowd = f"{maker}-crowd"  # it trades with the maker at each step, the way of the price
        terms = {each.name: each for each in exchange.instruments}
        self.instrument = instrument or next(iter(terms))
        if self.instrument not in terms:
            raise InputError(f"the exchange has no instrument {instrument!r}; it has {', '.join(terms)}")
        self.terms: Instrument = terms[self.instrument]
        self._depth = int_within(depth, "depth", 1, 10**6)
        self._walk: Walk = walk(scenario)
        self._next = 0
        self._stands_until_ns = -(2**63)
        self._period = max(exchange.time_ns, int(self._walk.time_ns[0])) // FUNDING_NS
        self._open()

    def __len__(self) -> int:
        """Returns the number of steps of the whole path."""
        return len(self._walk)

    @property
    def done(self) -> bool:
        """Tells whether the path is at its end."""
        return self._next >= len(self._walk)

    @property
    def price(self) -> Decimal:
        """Returns the price of the scenario now, in currency."""
        return int(self._walk.price_ticks[self._next - 1]) * self.scenario.tick

    @property
    def time_ns(self) -> int:
        """Returns the exchange's clock, in nanoseconds."""
        return int(self.exchange.time_ns)

    def _open(self) -> None:
        begin = int(self._walk.time_ns[0])
        if self.exchange.time_ns < begin:
            self.exchange.advance(begin)
        self._shift = self.exchange.time_ns - begin  # a clock that is ahead carries the path along
        for name in (self.maker, self.crowd):
            self.exchange.deposit(name, self.terms.settle, MONEY)
        self._tell(int(self._walk.price_ticks[0]) * self.scenario.tick)
        self.step()

    def _tell(self, price: Decimal) -> None:
        """Tells the exchange where the world trades."""
        if self.time_ns < self._stands_until_ns or self.scenario.struck("mark_stands", self._passed_ns()):
            return
        model = self.terms.prices
        if model is None:
            self.exchange.index(self.instrument, price)
            self.exchange.set_last(self.instrument, price)
            self.exchange.mark(self.instrument, price)
        elif model.index is None:
            self.exchange.index(self.instrument, price)
        else:
            for name in (*model.index.sources, *model.index.external):
                self.exchange.source(self.instrument, str(name), price)

    def _quotes(self, ticks: int, range_bp: int) -> list[tuple[str, dict[str, Any]]]:
        """Returns the maker's calls around a price: its old orders out, new ones in, wider and thinner the faster it moves."""
        tick, widening = self.terms.tick_size, CALM_BP + min(range_bp, (MOST_WIDENING - 1) * CALM_BP)
        step = max(1, ticks * LEVEL_BP * widening // (10_000 * CALM_BP))
        centre = int(ticks * self.scenario.tick / tick)
        calls: list[tuple[str, dict[str, Any]]] = [("cancel_all", {"account": self.maker, "instrument": self.instrument})]
        if self.scenario.struck("makers_leave", self._passed_ns()):
            return calls
        for level in range(1, LEVELS + 1):
            size = max(1, self._depth * level * CALM_BP // widening) * self.terms.lot_size
            for side, sign in (("buy", -1), ("sell", 1)):
                price = (centre + sign * level * step) * tick
                terms = {"account": self.maker, "instrument": self.instrument, "side": side, "size": size, "price": price}
                calls += [("order", terms)] if price > 0 else []
        return calls

    def _passed_ns(self) -> int:
        """Returns how much of the path's time is over."""
        return int(self.time_ns - self._shift - self._walk.time_ns[0])

    def requote(self) -> None:
        """Puts the maker's orders around the price of now."""
        at = self._next - 1
        self.exchange.batch(self._quotes(int(self._walk.price_ticks[at]), int(self._walk.range_bp[at])))

    def hold_mark(self, seconds: int) -> None:
        """Lets mark and index stand still for so long, while the book goes on."""
        self._stands_until_ns = self.time_ns + int_within(seconds, "seconds", 0, 10**9) * SECOND_NS

    def advance(self, seconds: int) -> None:
        """Lets time pass while the price stays: funding settles, orders expire."""
        self._pass_to(self.time_ns + int_within(seconds, "seconds", 0, 10**9) * SECOND_NS)
        self._shift += seconds * SECOND_NS

    def _pass_to(self, time_ns: int) -> None:
        """Moves the clock, with a stop at each funding time on the way."""
        while self.terms.prices is None and self._period < time_ns // FUNDING_NS:
            self._period += 1
            if self._period * FUNDING_NS > self.time_ns:  # a clock that others move may be there already
                self.exchange.advance(self._period * FUNDING_NS)
            self.exchange.settle_funding(self.instrument, self.funding, self._period)
        if time_ns > self.time_ns:
            self.exchange.advance(time_ns)

    def step(self) -> bool:
        """Goes one step: time, quotes, prices, a trade. Returns False at the end of the path, and does nothing there."""
        if self.done:
            return False
        at, self._next = self._next, self._next + 1
        rises = at > 0 and self._walk.price_ticks[at] > self._walk.price_ticks[at - 1]
        self._pass_to(int(self._walk.time_ns[at]) + self._shift)
        self.requote()
        self._tell(self.price)
        size = (1 + at % CROWD) * self.terms.lot_size
        self.exchange.order(self.crowd, self.instrument, "buy" if rises else "sell", size)
        return True

    def run(self, minutes: int | None = None) -> None:
        """Goes on for so many minutes of the market's time; None means to the end of the path."""
        last = None if minutes is None else self.time_ns + int_within(minutes, "minutes", 0, 10**7) * MINUTE_NS
        while not self.done and (last is None or int(self._walk.time_ns[self._next]) + self._shift <= last):
            self.step()

    def follow(self, time_ns: int) -> None:
        """Goes to a time: the steps that are due by then, funding, and the clock."""
        while not self.done and int(self._walk.time_ns[self._next]) + self._shift <= time_ns:
            self.step()
        self._pass_to(time_ns)

    def shock(self, percent: Dec) -> None:
        """Moves the price at once and for good, by so many percent of it: -20 takes a fifth off."""
        change = 1 + fraction(percent, "percent") / 100
        if not 0 < change <= 100:
            raise InputError("percent is above -100, and at most 9900")
        at = self._next - 1
        prices = [max(1, int(int(each) * change)) for each in self._walk.price_ticks[at:]]
        self._walk.price_ticks[at:] = prices
        self._tell(self.price)  # first: the band goes with the mark
        self.requote()

    def settle(self, rate: Dec) -> None:
        """Settles funding now, at a rate, ahead of the clock's next period."""
        self._period += 1
        self.exchange.settle_funding(self.instrument, rate, self._period)

    def run_until(self, reached: Callable[[], object]) -> bool:
        """Goes on until `reached()` is true, asked after each step. Returns False if the path ends before."""
        while not reached():
            if not self.step():
                return False
        return True
