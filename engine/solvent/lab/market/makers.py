"""The market makers: eight accounts with twelve levels a side, whose depth vanishes as the price moves, and a far one.

Owns their quotes and what is left of each. Never trades at a market price. Holds no cash and no position: the tally has those.
Cost: two commands a level and step, all in array operations.
"""

from dataclasses import dataclass

import numpy as np

from solvent.lab.market.commands import Commands, OrderIds, blank, joined
from solvent.lab.market.draws import Ints
from solvent.lab.market.tally import Events
from solvent.schema.words import CommandType, Flag

MAKERS = 8
NEAR_LEVELS = 12
LEVELS = NEAR_LEVELS + 1  # the last one stands far out and never thins: bargain hunters
FAR_BP = 350
FAR_LOTS = 8_000
LEVERAGE = 3
HALF_SPREAD_QBP = 2  # in quarter basis points
REFILL_SHIFT = 6  # 1/64 of what is missing, each step
FRACTION_BITS = 8  # of a quote's remaining lots
DEPTH_LOTS = 2_500  # the fourth level of all makers together; depth grows with the square of the level
CALM_BP = 50
THIN_POWER = 2
MOST_WIDENING_BP = 340  # keeps the last level within the price band
SKEW_BP = 12  # the quotes shift by this when the inventory is as large as one quiet side
MOST_SKEW_BP = 40
QUIET_TICKS = 200_000  # depth is meant for this price; in lots it is larger when the price is lower
QUIET_TRADERS = 10_000
FEWEST_TRADERS = 500  # fewer still find a market for so many
WALLET_UNITS = 10_000_000_000_000  # ten million USDT: makers outlive the crash


@dataclass(frozen=True, slots=True)
class Quotes:
    """Holds the makers' commands of one step, and where among them their orders stand."""

    commands: Commands
    orders_at: int


class Makers:
    """Quotes for the makers of a contract. accounts: their ids. traders times quiet price: the scale which depth follows.

    symbol: which of so many contracts; client ids of all of them differ. depth_percent: 100 is the depth of the demo.
    """

    def __init__(
        self, accounts: Ints, traders: int, start_ticks: int, symbol: int = 0, symbols: int = 1, depth_percent: int = 100
    ):
        level = np.arange(1, LEVELS + 1, dtype=np.int64)
        lots = (DEPTH_LOTS << FRACTION_BITS) * level**2 // 4**2 // MAKERS
        lots[-1] = (FAR_LOTS << FRACTION_BITS) // MAKERS
        lots = lots * max(FEWEST_TRADERS, traders) * QUIET_TICKS // (QUIET_TRADERS * start_ticks)
        lots = lots * depth_percent // 100
        self.accounts, self.symbol, self.symbols = accounts, symbol, symbols
        self.full = np.broadcast_to(lots, (MAKERS, 2, LEVELS)).copy()
        self.left = self._target(2 * CALM_BP)
        self.spread_qbp = HALF_SPREAD_QBP + level * (level + 1) * 3 // 2
        self.side_lots = max(1, int(lots[:NEAR_LEVELS].sum()) >> FRACTION_BITS)
        shape = (MAKERS, 2, LEVELS)  # the middle axis is Side: bids, asks
        self.account_of, self.side_of, _ = (grid.ravel() for grid in np.indices(shape))
        self.account_of = accounts[self.account_of]
        self.live = np.zeros(self.full.size, dtype=np.int64)  # client ids of the last step's orders
        self.order_ids = np.zeros(0, dtype=np.uint64)
        self.slots = np.zeros(0, dtype=np.int64)
        self.resting = np.zeros(self.full.size, dtype=np.int64)  # lots of those orders not yet filled

    def _target(self, widening_bp: int) -> Ints:
        """Returns the lots that the makers are willing to show."""
        target = self.full.copy()
        target[:, :, :NEAR_LEVELS] = target[:, :, :NEAR_LEVELS] * CALM_BP**THIN_POWER // widening_bp**THIN_POWER
        return target

    def quote(self, step: int, index_ticks: int, range_bp: int, inventory_lots: Ints, away: bool = False) -> Quotes:
        """Cancels the last quotes and places new ones around the index; none if the makers are away."""
        widening = CALM_BP + range_bp
        target = self._target(widening)
        self.left = np.minimum(self.left, target)
        self.left += (target - self.left) >> REFILL_SHIFT
        spread = np.maximum(1, index_ticks * self.spread_qbp * min(widening, MOST_WIDENING_BP) // (40_000 * CALM_BP))
        spread[-1] = index_ticks * FAR_BP // 10_000
        skew_bp = np.clip(inventory_lots * SKEW_BP // self.side_lots, -MOST_SKEW_BP, MOST_SKEW_BP)
        centre = index_ticks - index_ticks * skew_bp // 10_000
        price = np.stack([centre[:, None] - spread, centre[:, None] + spread], axis=1).ravel()
        lots = (self.left >> FRACTION_BITS).ravel() * (not away)

        stale = np.flatnonzero(self.resting)
        cancels = blank(CommandType.CANCEL, len(stale))
        cancels["account"], cancels["client_id"] = self.account_of[stale], self.live[stale]
        self.slots = np.flatnonzero((lots > 0) & (price > 0))
        orders = blank(CommandType.ORDER, len(self.slots))
        orders["account"], orders["side"] = self.account_of[self.slots], self.side_of[self.slots]
        orders["price_ticks"], orders["size_lots"] = price[self.slots], lots[self.slots]
        self.live[self.slots] = (step * self.symbols + self.symbol) * self.live.size + self.slots + 1
        orders["flags"] = Flag.POST_ONLY
        orders["client_id"] = self.live[self.slots]
        self.resting[:] = 0
        self.resting[self.slots] = lots[self.slots]
        return Quotes(joined([cancels, orders]), len(cancels))

    def filled(self, order_ids: OrderIds, trades: Events) -> None:
        """Takes the fills of this step's orders off the quotes. order_ids: 0 for refused orders."""
        self.resting[self.slots[order_ids == 0]] = 0
        placed = np.flatnonzero(order_ids)
        if len(trades) == 0 or len(placed) == 0:
            return
        ids = order_ids[placed].astype(np.int64)  # they rise in order of acceptance
        before = self.resting.copy()
        for column in ("a", "b"):  # as maker and as taker
            at = np.minimum(np.searchsorted(ids, trades[column]), len(ids) - 1)
            own = ids[at] == trades[column]
            np.subtract.at(self.resting, self.slots[placed[at[own]]], trades["d"][own])
        filled = (before - self.resting).reshape(self.full.shape)
        self.left -= filled << FRACTION_BITS
