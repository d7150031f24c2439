"""The seed's nine behaviours and the control group, each a small rule.

Owns what each trader wants in a step, and the stop and target that guard his position. Never sends a command. Never sees more
than the view: the trader's own account, the price and the trader's own draws. Parameters stand at the top of each class.
Cost: some array operations on the members of a behaviour a step.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvent.lab.market.commands import entry_limit
from solvent.lab.market.draws import Bools, Ints, Purpose, below, draw, pick
from solvent.lab.market.population import LONG_PERCENT, NAMES, Population
from solvent.schema.limits import RATE

HOUR_NS = 3_600_000_000_000
HISTORY = 64  # steps that a trend is measured over at least, and that a follower may lag


@dataclass(slots=True)
class View:
    """Shows what the traders may see of a contract in a step, columns by agent.

    stake: the margin put in, value at entry / leverage. locked: what a wallet keeps for positions that it backs, in
    all contracts.
    """

    step: int
    time_ns: int
    price_ticks: int
    trend_bp: int  # over the last HISTORY steps, or 80 minutes
    lot_units: int  # the value of a lot
    fee_ppb: int  # what a taker pays
    size: Ints
    cash: Ints
    margin: Ints
    profit: Ints
    stake: Ints
    locked: Ints
    takeovers: Ints
    top: Ints  # of the tier in which the position stands: what is added there asks for its own margin and no more
    symbols: int  # how many contracts there are
    past_sides: npt.NDArray[np.int8]  # the side each agent held, HISTORY rows, row step % HISTORY is the newest

    def needed(self, side: Ints, leverage: Ints) -> Ints:
        """Returns the free money that each opening lot needs: initial margin, the way from mark to the limit, the fee."""
        value: Ints = entry_limit(self.price_ticks, side) * self.lot_units // self.price_ticks
        dearer: Ints = np.maximum(value, self.lot_units)
        return -(-dearer // leverage) + np.abs(value - self.lot_units) - (-dearer * self.fee_ppb // RATE)


class Wishes:
    """Collects what the traders want in a step, columns by agent: signed lots, deposits, margin to add."""

    def __init__(self, traders: int):
        self.lots = np.zeros(traders, dtype=np.int64)
        self.reduce_only = np.zeros(traders, dtype=np.bool_)
        self.deposit = np.zeros(traders, dtype=np.int64)
        self.add_margin = np.zeros(traders, dtype=np.int64)

    def clear(self) -> None:
        for column in (self.lots, self.reduce_only, self.deposit, self.add_margin):
            column[:] = 0


class Behaviour(ABC):
    """Moves a group of traders by one rule. Subclasses define `act`; the rest is shared vocabulary.

    PART: percent of the free wallet put into a position. REST_STEPS: the average pause after a position. RETRY_STEPS: the
    pause after an order that found nobody. RETURNS: how many liquidations a member comes back from.
    """

    name = ""
    PART = 30
    REST_STEPS = 64
    RETRY_STEPS = 32
    RETURNS = 0
    TRADES = "first"

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        self.crowd, self.symbol = crowd, symbol
        self.who = crowd.members(self.name)
        self.leverage = crowd.leverage[self.who]
        self.most_lots = most_lots(self.leverage)
        self.wallet = crowd.wallet_units[self.who]
        self.cross: Bools = crowd.cross[self.who]
        self.side = crowd.side[self.who].copy()
        self.ready = crowd.arrival[self.who].copy()  # the step from which a new position is wanted
        self.held: Bools = np.zeros(len(self.who), dtype=np.bool_)
        self.ruins = np.zeros(len(self.who), dtype=np.int64)
        self.returns = np.full(len(self.who), self.RETURNS, dtype=np.int64)
        self.stop_percent = np.zeros(len(self.who), dtype=np.int64)  # of the stake, lost; 0: no stop
        self.target_percent = np.zeros(len(self.who), dtype=np.int64)  # of the stake, won; 0: no target

    def step(self, view: View, wishes: Wishes) -> None:
        """Notes what has happened to the members, then lets them act."""
        self.view, self.wishes = view, wishes
        self.size, self.cash = view.size[self.who], view.cash[self.who]
        self.profit, self.stake = view.profit[self.who], view.stake[self.who]
        self.flat: Bools = np.equal(self.size, 0)
        self.ruined = view.takeovers[self.who] > self.ruins
        self.ruins = view.takeovers[self.who]
        self.ended = self.held & self.flat
        self.held = ~self.flat
        if self.ended.any():
            pause = 1 + below(self.bits(Purpose.PAUSE), 2 * self.REST_STEPS)
            self.ready = np.where(self.ended, view.step + pause, self.ready)
        self.act()

    @abstractmethod
    def act(self) -> None:
        """Writes into `wishes` what the members want in this step: the behaviour's rule."""

    # --- vocabulary

    def bits(self, purpose: Purpose, step: int | None = None) -> npt.NDArray[np.uint64]:
        agents = self.who + (self.symbol << 32)  # another contract is another question
        return draw(self.crowd.seed, agents, purpose, self.view.step if step is None else step)

    def trait(self, low: int, high: int, purpose: Purpose = Purpose.TRAIT) -> Ints:
        """Returns a fixed number for each member, from low to high."""
        return low + below(draw(self.crowd.seed, self.who, purpose), high - low + 1)

    def chance(self, one_in: int, purpose: Purpose) -> Bools:
        return np.equal(below(self.bits(purpose), one_in), 0)

    def losing(self, percent: int | Ints) -> Bools:
        """True for members whose loss exceeds this many percent of the stake."""
        return self.held & (-self.profit * 100 > self.stake * percent)

    def winning(self, percent: int | Ints) -> Bools:
        return self.held & (self.profit * 100 > self.stake * percent)

    def waiting(self) -> Bools:
        """True for members that are flat, arrived and rested."""
        return self.flat & (self.view.step >= self.ready)

    def new_side(self, where: Bools) -> None:
        """Draws a side again, long as often as at first."""
        if where.any():
            long = below(self.bits(Purpose.NEW_SIDE), 100) < LONG_PERCENT
            self.side = np.where(where, np.where(long, 1, -1), self.side)

    def free(self) -> Ints:
        """Returns the money that may open more. A wallet behind positions keeps what their margins and their losses need."""
        return np.maximum(0, self.cash - np.where(self.cross, self.view.locked[self.who], 0))

    def enter(self, where: Bools, side: Ints | int | None = None) -> None:
        """Opens or adds with PART of the free money as margin, at least one lot, and never more than is accepted."""
        sides = np.broadcast_to(self.side if side is None else np.asarray(side, dtype=np.int64), self.size.shape)
        free = self.free()
        wanted = np.maximum(1, free * self.PART // 100 * self.leverage // self.view.lot_units)
        lots = np.minimum(wanted, free // self.view.needed(sides, self.leverage))
        lots = np.minimum(lots, np.minimum(self.most_lots, self.view.top[self.who]) - np.abs(self.size))
        where = where & (lots > 0) & (self.ruins <= self.returns)
        self.wishes.lots[self.who[where]] = (lots * sides)[where]
        self.wishes.reduce_only[self.who[where]] = False
        self.ready[where] = self.view.step + self.RETRY_STEPS

    def leave(self, where: Bools) -> None:
        """Closes the whole position."""
        chosen = self.who[where & self.held]
        self.wishes.lots[chosen] = -self.view.size[chosen]
        self.wishes.reduce_only[chosen] = True

    def near_liquidation(self) -> Bools:
        """True for members whose equity is below 1.5 % of the position's value."""
        equity = np.where(self.cross, self.cash, self.view.margin[self.who]) + self.profit
        return self.held & (equity * 1_000 < np.abs(self.size) * self.view.lot_units * 15)


class AllIn(Behaviour):
    """Puts in 90 % at high leverage, stakes all again after a win, may return from ruin with half, up to three times."""

    name = "all_in"
    PART = 90
    REST_STEPS = 384
    WIN_PERCENT = 60

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.returns = pick(draw(crowd.seed, self.who, Purpose.TRAIT), [16, 5, 2, 1])

    def act(self) -> None:
        back = self.ruined & (self.ruins <= self.returns)
        self.wishes.deposit[self.who[back]] = self.wallet[back] >> self.ruins[back]
        self.leave(self.winning(self.WIN_PERCENT) & self.chance(16, Purpose.EXIT))
        self.new_side(self.ended)
        self.enter(self.waiting())


class NoStop(Behaviour):
    """Never sets a stop. Takes a gain above the whole margin, sooner or later; never takes a loss."""

    name = "no_stop"
    REST_STEPS = 128

    def act(self) -> None:
        self.leave(self.winning(100) & self.chance(64, Purpose.EXIT))
        self.enter(self.waiting())


class CounterTrend(Behaviour):
    """Fades a move above 1.5 % and takes a small gain; some turn round after a loss and are whipped from both sides."""

    name = "counter_trend"
    PART = 40
    REST_STEPS = 24
    RETURNS = 1
    MOVE_BP = 150
    WIN_PERCENT = 30
    LOSS_PERCENT = 40
    FLIP_PERCENT = 40  # of the members turn round, the others wait

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.flips = self.trait(0, 99) < self.FLIP_PERCENT

    def act(self) -> None:
        turn = self.flips & self.losing(self.LOSS_PERCENT) & self.chance(8, Purpose.EXIT)
        self.leave(self.winning(self.WIN_PERCENT) | turn)
        self.side = np.where(turn, -np.sign(self.size), self.side)
        against = -1 if self.view.trend_bp > 0 else 1
        after_loss = self.ended & ~self.ruined & (self.side != against)
        self.enter(after_loss)
        if abs(self.view.trend_bp) > self.MOVE_BP:
            self.enter(self.waiting() & self.chance(4, Purpose.ENTER), against)
            self.side[self.waiting()] = against


class BlindFollower(Behaviour):
    """Copies a leader some steps later; notices only by chance that the leader has left, or does nothing."""

    name = "blind_follower"
    LEADERS = 12  # among the first traders of these kinds
    KINDS = ("all_in", "no_stop", "counter_trend", "overnight")
    FIRST = 128

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        kinds = [NAMES.index(kind) for kind in self.KINDS]
        leaders = np.flatnonzero(np.isin(crowd.behaviour[: self.FIRST], kinds))[: self.LEADERS]
        bits = draw(crowd.seed, self.who, Purpose.LEADER)
        rank = below(bits, 2 ** len(leaders))  # half follow the first, a quarter the second, ...
        at = np.searchsorted(2 ** np.arange(len(leaders), dtype=np.int64)[1:], rank, side="right")
        self.leaders, self.at = leaders, at
        self.delay = self.trait(1, HISTORY - 1)

    def act(self) -> None:
        if len(self.leaders) == 0:
            return
        row = (self.view.step - self.delay) % HISTORY
        seen = self.view.past_sides[row, self.leaders[self.at]].astype(np.int64)
        idle = self.waiting() & (seen == 0) & self.chance(64, Purpose.SWITCH)
        self.at = np.where(idle, (self.at + 1) % len(self.leaders), self.at)
        self.leave((seen != np.sign(self.size)) & self.chance(32, Purpose.EXIT))
        self.enter(self.waiting() & (seen != 0), seen)


class MarginTopup(Behaviour):
    """Adds a quarter of the wallet whenever liquidation comes near; opens again at once after it, up to seven times."""

    name = "margin_topup"
    PART = 25
    REST_STEPS = 1
    RETURNS = 7
    WIN_PERCENT = 80

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.cross[:] = False

    def act(self) -> None:
        slice_units = self.cash // 4
        near = self.near_liquidation() & (slice_units > 0)
        self.wishes.add_margin[self.who[near]] = slice_units[near]
        self.leave(self.winning(self.WIN_PERCENT) & self.chance(32, Purpose.EXIT))
        self.enter(self.waiting())


class Overnight(Behaviour):
    """Opens, sleeps six to nine hours, looks, and sleeps again. A few leave a stop with the exchange."""

    name = "overnight"
    STOPPED_PERCENT = 20  # of the members leave a stop
    LOSS_PERCENT = 50
    WIN_PERCENT = 20

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.asleep_ns = self.trait(6 * 60, 9 * 60) * (HOUR_NS // 60)
        stopped = self.trait(0, 99, Purpose.SECOND_TRAIT) < self.STOPPED_PERCENT
        self.stop_percent = np.where(stopped, self.LOSS_PERCENT, 0)
        self.wakes = np.full(len(self.who), -1, dtype=np.int64)

    def act(self) -> None:
        awake = self.view.time_ns >= self.wakes
        self.leave(awake & self.winning(self.WIN_PERCENT))
        self.enter(awake & self.waiting())
        self.wakes = np.where(awake & self.held, self.view.time_ns + self.asleep_ns, self.wakes)


class BottomFisher(Behaviour):
    """Buys after a fall from the high, again every 3 % further down, until the wallet is empty. Has no stop.

    Waiting makes a member impatient: a smaller fall will do.
    """

    name = "bottom_fisher"
    PART = 33
    RUNG_PERCENT = 3
    IMPATIENCE_NS = HOUR_NS // 2  # of waiting, for one percent less
    FADE_NS = 72 * HOUR_NS  # the remembered high comes down by this part of the distance in its time
    WIN_PERCENT = 60

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.fall_percent = self.trait(3, 12)
        self.high = self.seen_ns = 0
        self.last_buy = np.zeros(len(self.who), dtype=np.int64)
        self.since_ns = np.full(len(self.who), 2**62, dtype=np.int64)  # when the wait began

    def act(self) -> None:
        price = self.view.price_ticks
        passed_ns = min(self.view.time_ns - self.seen_ns, self.FADE_NS)
        self.high = max(price, self.high - (self.high - price) * passed_ns // self.FADE_NS)
        self.seen_ns = self.view.time_ns
        self.leave(self.winning(self.WIN_PERCENT) & self.chance(32, Purpose.EXIT))
        waiting = self.waiting()
        self.since_ns = np.where(waiting, np.minimum(self.since_ns, self.view.time_ns), self.view.time_ns)
        asked = np.maximum(1, self.fall_percent - (self.view.time_ns - self.since_ns) // self.IMPATIENCE_NS)
        first = waiting & (price * 100 < self.high * (100 - asked))
        again = self.held & (price * 100 < self.last_buy * (100 - self.RUNG_PERCENT))
        self.enter(first | again, 1)
        self.last_buy = np.where(first | again, price, self.last_buy)


class AllEncompassing(Behaviour):
    """Trades almost every signal in every contract, long or short alike; the fees eat what little edge there is."""

    name = "all_encompassing"
    PART = 20
    REST_STEPS = 16
    RETURNS = 1
    TRADES = "all"

    def act(self) -> None:
        self.leave(self.chance(48, Purpose.EXIT))
        coin = 1 - 2 * below(self.bits(Purpose.NEW_SIDE), 2)
        turn = below(draw(self.crowd.seed, self.who, Purpose.SYMBOL, self.view.step), self.view.symbols) == self.symbol
        self.enter(self.waiting() & turn, coin)


class Stubborn(Behaviour):
    """Keeps feeding a losing position from outside wealth of one to ten wallets, until that is gone too."""

    name = "stubborn"
    WIN_PERCENT = 100

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.wealth = self.wallet * self.trait(1, 10)

    def act(self) -> None:
        slice_units = np.minimum(self.wealth, self.wallet >> 1)
        near = self.near_liquidation() & (slice_units > 0)
        self.wishes.deposit[self.who[near]] = slice_units[near]
        add = near & ~self.cross
        self.wishes.add_margin[self.who[add]] = slice_units[add]
        self.wealth = np.where(near, self.wealth - slice_units, self.wealth)
        self.leave(self.winning(self.WIN_PERCENT) & self.chance(64, Purpose.EXIT))
        self.enter(self.waiting())


class Control(Behaviour):
    """Follows the seed's advice: a tenth of the wallet, most with a leverage of at most 5, a stop, a target, and patience."""

    name = "control"
    PART = 10
    REST_STEPS = 256

    def __init__(self, crowd: Population, most_lots: Callable[[Ints], Ints], symbol: int = 0):
        super().__init__(crowd, most_lots, symbol)
        self.stop_percent = self.trait(10, 25)
        self.target_percent = 2 * self.stop_percent

    def act(self) -> None:
        self.new_side(self.ended)
        self.enter(self.waiting() & self.chance(4, Purpose.ENTER))


ALL: tuple[type[Behaviour], ...] = (
    AllIn, NoStop, CounterTrend, BlindFollower, MarginTopup, Overnight, BottomFisher, AllEncompassing, Stubborn, Control,
)  # fmt: skip
"""In the order of population.NAMES."""
