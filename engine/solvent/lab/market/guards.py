"""The stops and targets that traders leave with the exchange: a close-position stop by the mark, a target that rests.

Owns which of them live, by order number. Never decides who wants one (behaviours) and never fires one (the engine).
Invariant: a guarded position has one stop and one target at most; both end with it. Cost: some array operations on the
members of the behaviours that leave any, a step.
"""

import numpy as np

from solvent.lab.market.behaviours import Behaviour
from solvent.lab.market.commands import Commands, OrderIds, stops, targets
from solvent.lab.market.draws import Bools, Ints

STOPS, TARGETS = 0, 1


class Guards:
    """Guards the positions of those who want it. first: the account of the first trader.

    units: the worth of a lot at one tick.
    """

    def __init__(self, groups: list[Behaviour], first: int, units: int):
        self.first, self.units = first, units
        wanted = [each.stop_percent + each.target_percent > 0 for each in groups]
        pairs = list(zip(groups, wanted, strict=True))
        self.who, self.leverage, self.stop_percent, self.target_percent = (
            np.concatenate([np.zeros(0, dtype=np.int64), *(getattr(each, name)[chosen] for each, chosen in pairs)])
            for name in ("who", "leverage", "stop_percent", "target_percent")
        )
        self.live = np.zeros((2, len(self.who)), dtype=np.bool_)  # stops, targets
        self.orders: dict[int, tuple[int, int]] = {}  # of those that live: which, and whose

    def ended(self, order_ids: list[int]) -> None:
        """Notes orders that are no more."""
        for each in order_ids:
            if each in self.orders:
                self.live[self.orders.pop(each)] = False

    def lacking(self, size: Ints, percent: Ints, which: int) -> Bools:
        """Tells whose position lacks a stop (0) or a target (1). size has a column a trader."""
        lack: Bools = (size[self.who] != 0) & ~self.live[which] & (percent > 0)
        return lack

    def stops(self, size: Ints, cost: Ints) -> tuple[Commands, Bools]:
        """Returns stops for positions that lack one, and whose they are. size and cost have a column a trader."""
        who = self.lacking(size, self.stop_percent, STOPS)
        return stops(*self._terms(size, cost, -self.stop_percent, who)), who

    def targets(self, size: Ints, cost: Ints) -> tuple[Commands, Bools]:
        """Returns targets for positions that lack one, and whose they are. size and cost have a column a trader."""
        who = self.lacking(size, self.target_percent, TARGETS)
        return targets(*self._terms(size, cost, self.target_percent, who)), who

    def _terms(self, size: Ints, cost: Ints, percent: Ints, who: Bools) -> tuple[Ints, Ints, Ints]:
        """Returns accounts, sizes, and the prices at which their positions have won so many percent of the stake."""
        traders = self.who[who]
        held, side = size[traders], np.sign(size[traders])
        entry = np.abs(cost[traders]) // (np.abs(held) * self.units)
        moved = np.maximum(1, entry + side * (entry * percent[who] // (100 * self.leverage[who])))
        return self.first + traders, held, moved

    def placed(self, which: int, who: Bools, order_ids: OrderIds, ended: list[int]) -> None:
        """Notes new stops (0) or targets (1). A refused one has number 0 and is tried again, as one that has ended already."""
        for at, order_id in zip(np.flatnonzero(who).tolist(), order_ids.tolist(), strict=True):
            if order_id:
                self.orders[order_id] = which, at
                self.live[which, at] = True
        self.ended(ended)
