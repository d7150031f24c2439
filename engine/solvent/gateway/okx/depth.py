"""A book as its subscribers have it: snapshots, the updates that lead from one to the next, and their checksums.

Owns the chain of sequence numbers of one channel of one instrument. Never asks the exchange: levels are handed in. Cost:
O(levels shown) a change, once for all subscribers.
"""

from typing import Any

from solvent.gateway.okx.fields import ms
from solvent.gateway.okx.public_rows import Levels, Row, checksum, level_rows
from solvent.terms.instrument import Instrument

__all__ = ["Depth"]


class Depth:
    """Follows one book, `count` levels a side.

    seq: the number of the last message. chained: messages say which message they follow, else each is the whole book.
    """

    def __init__(self, terms: Instrument, count: int, chained: bool):
        self.terms, self.count, self.chained = terms, count, chained
        self.seq = -1
        self._shown: tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]] = ({}, {})

    def snapshot(self, levels: tuple[Levels, Levels], seq: int, time_ns: int) -> Row:
        """Returns the whole book."""
        self.seq = seq
        self._shown = self._seen(levels)
        return self._row(levels, levels, -1, time_ns)

    def update(self, levels: tuple[Levels, Levels], seq: int, time_ns: int) -> Row | None:
        """Returns what changed since the last message, or the whole book where messages are not chained; None: nothing did."""
        shown = self._seen(levels)
        if shown == self._shown:
            return None
        before, self._shown = self._shown, shown
        last, self.seq = self.seq, seq
        if not self.chained:
            return self._row(levels, levels, last, time_ns)
        bids, asks = (_changes(old, new) for old, new in zip(before, shown, strict=True))
        bids.reverse()
        return self._row((bids, asks), levels, last, time_ns)

    @staticmethod
    def _seen(levels: tuple[Levels, Levels]) -> tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]]:
        bids, asks = ({ticks: (lots, orders) for ticks, lots, orders in side} for side in levels)
        return bids, asks

    def _row(self, told: tuple[Levels, Levels], levels: tuple[Levels, Levels], last: int, time_ns: int) -> Row:
        bids, asks = (level_rows(self.terms, side) for side in told)
        row: dict[str, Any] = {"asks": asks, "bids": bids, "ts": ms(time_ns), "seqId": self.seq}
        if self.chained:
            best = (level_rows(self.terms, side[:25]) for side in levels)
            row |= {"checksum": checksum(*best), "prevSeqId": last}
        return row


def _changes(before: dict[int, tuple[int, int]], now: dict[int, tuple[int, int]]) -> Levels:
    """Returns the levels that differ, by price; what is gone has no lots."""
    found = [(ticks, 0, 0) for ticks in before.keys() - now.keys()]
    found += [(ticks, *level) for ticks, level in now.items() if before.get(ticks) != level]
    return sorted(found)
