"""One instrument as the public has seen it: trades, bars, the last day, liquidations, funding.

Owns bounded memories of them. Never reads an event or asks a kernel: `history` says what happened. Cost: O(1) a trade; a bar
asked for later is made of minutes.
"""

from collections import deque
from dataclasses import dataclass

from solvent.gateway.records import Liquidated, Trade

__all__ = ["MINUTE_NS", "Bar", "Bars", "Market"]

MINUTE_NS = 60 * 10**9
_DAY = 1440  # minutes
_MINUTES = 31 * _DAY  # that are remembered
_TRADES, _LIQUIDATED, _FUNDED = 5_000, 1_000, 1_000


@dataclass(slots=True)
class Bar:
    """Holds prices in ticks and a volume in lots; `worth` is the sum of ticks times lots. start_ns: its beginning."""

    start_ns: int
    opened: int
    high: int
    low: int
    closed: int
    lots: int = 0
    worth: int = 0

    def add(self, ticks: int, lots: int) -> None:
        """Adds a price, and what traded at it."""
        self.high, self.low, self.closed = max(self.high, ticks), min(self.low, ticks), ticks
        self.lots += lots
        self.worth += ticks * lots


class Bars:
    """Remembers the minutes in which a price was told, and makes longer bars of them."""

    def __init__(self) -> None:
        self._minutes: deque[Bar] = deque(maxlen=_MINUTES)

    def add(self, time_ns: int, ticks: int, lots: int = 0) -> None:
        """Enters a price."""
        start = time_ns - time_ns % MINUTE_NS
        if self._minutes and self._minutes[-1].start_ns == start:
            self._minutes[-1].add(ticks, lots)
        else:
            self._minutes.append(Bar(start, ticks, ticks, ticks, ticks, lots, ticks * lots))

    def last(self) -> Bar | None:
        """Returns the newest minute."""
        return self._minutes[-1] if self._minutes else None

    def day(self, now_ns: int) -> Bar | None:
        """Returns the last 24 hours as one bar; None before the first price."""
        if not self._minutes:
            return None
        whole: Bar | None = None
        for each in reversed(self._minutes):
            if each.start_ns <= now_ns - _DAY * MINUTE_NS:
                if whole is None:  # a day without a trade stands where the last one left it
                    return Bar(each.start_ns, each.closed, each.closed, each.closed, each.closed)
                break
            whole = _joined(each, whole)
        return whole

    def opened_at(self, since_ns: int) -> int:
        """Returns the first price from a moment on, the last one before if there is none since; 0 without any."""
        found = 0
        for each in reversed(self._minutes):
            if each.start_ns < since_ns:
                return found or each.closed
            found = each.opened
        return found

    def made(self, step_ns: int, newest_ns: int, count: int, shift_ns: int = 0) -> list[Bar]:
        """Returns at most `count` bars of a length, newest first, from the one that begins before `newest_ns` on.

        A time without a price has a flat bar at the last close. shift_ns: where bars begin, from midnight UTC.
        """
        if not self._minutes or not count:
            return []
        first = self._minutes[0].start_ns
        top = newest_ns - 1 - (newest_ns - 1 - shift_ns) % step_ns
        low = max(top - (count - 1) * step_ns, first - (first - shift_ns) % step_ns)
        bars: dict[int, Bar] = {}
        before: Bar | None = None
        for each in self._minutes:
            start = each.start_ns - (each.start_ns - shift_ns) % step_ns
            if start > top:
                break
            if start < low:
                before = each
            else:
                bars[start] = _joined(bars[start], each) if start in bars else _joined(each, None, start)
        close = before.closed if before else 0
        found = []
        for start in range(low, top + 1, step_ns):
            bar = bars.get(start) or Bar(start, close, close, close, close)
            close = bar.closed
            found.append(bar)
        return found[::-1]


def _joined(first: Bar, then: Bar | None, start_ns: int | None = None) -> Bar:
    """Returns two bars as one, a copy of the first if there is no second."""
    start = first.start_ns if start_ns is None else start_ns
    if then is None:
        return Bar(start, first.opened, first.high, first.low, first.closed, first.lots, first.worth)
    return Bar(
        start, first.opened, max(first.high, then.high), min(first.low, then.low), then.closed, first.lots + then.lots,
        first.worth + then.worth,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Funded:
    """Describes a settled funding period."""

    period: int
    rate_ppb: int
    time_ns: int


class Market:
    """Remembers one instrument.

    book_seq: the last command that touched its book. open_lots: the sum of long positions of users. Times are those of the
    commands.
    """

    def __init__(self) -> None:
        self.trades: deque[Trade] = deque(maxlen=_TRADES)
        self.liquidated: deque[Liquidated] = deque(maxlen=_LIQUIDATED)
        self.funded: deque[Funded] = deque(maxlen=_FUNDED)
        self.bars, self.mark_bars, self.index_bars = Bars(), Bars(), Bars()
        self.book_seq = self.book_ns = self.mark_ns = self.index_ns = self.listed_ns = self.open_lots = self.listing = 0
