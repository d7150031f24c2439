"""An instrument's limits on orders: least value, sizes by type, live orders, messages a window (semantics §8).

Owns these terms, and for each account the messages that counted. Never knows an order or a position. Placement and amendment
ask it last, so what it lets pass is accepted and counts.
"""

from collections import deque

from solvent.schema.terms import LimitTerms
from solvent.schema.words import OrderType


class OrderLimits:
    def __init__(self, terms: LimitTerms):
        self.terms = terms
        self.times: dict[int, deque[int]] = {}  # by account

    def allow(self, kind: OrderType, size: int, closes: bool) -> bool:
        """True if an order of this type may have this size. One that only closes may be smaller than the least."""
        terms = self.terms
        least, most = {
            OrderType.LIMIT_ORDER: (terms.least_limit_lots, terms.most_limit_lots),
            OrderType.MARKET_ORDER: (terms.least_market_lots, terms.most_market_lots),
            OrderType.TRIGGER_ORDER: (terms.least_trigger_lots, terms.most_trigger_lots),
        }[kind]
        return (closes or size >= least) and (not most or size <= most)

    def full(self, account: int, now_ns: int) -> bool:
        """True if an account's next message would be beyond the limit of the window."""
        terms, times = self.terms, self.times.get(account)
        if times is None or len(times) < terms.rate_limit:
            return False
        if terms.rolling:
            return times[0] > now_ns - terms.window_ns
        return times[0] // terms.window_ns == now_ns // terms.window_ns

    def count(self, account: int, now_ns: int) -> None:
        """Counts an accepted message of an account."""
        if self.terms.rate_limit:
            self.times.setdefault(account, deque(maxlen=self.terms.rate_limit)).append(now_ns)

    def state(self) -> list[int]:
        """Returns what counts, by account: how many messages, and their window; rolling: their times, oldest first."""
        out = []
        for account, times in sorted(self.times.items()):
            if self.terms.rolling:
                out += [account, len(times), *times]
            else:
                window = times[-1] // self.terms.window_ns
                out += [account, sum(1 for each in times if each // self.terms.window_ns == window), window]
        return out
