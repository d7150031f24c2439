"""What rarely meets in one command: refills and stops, pegs and halts, the house and an uncross, both legs of a pair.

Owns the counting of these from the events of whole commands. It holds what it must know of an order, and never asks a kernel.
"""

from collections import Counter

from solvent.records import CommandType, Ending, EventType, Listing, Peg, Purse, Source, TriggerKind

_CALLS = (Listing.PRE_OPEN, Listing.AUCTION)
_STOPS = (TriggerKind.STOP, TriggerKind.TRAIL_TICKS, TriggerKind.TRAIL_RATE)


class Rare:
    """Counts what came together, by its name in RARE."""

    def __init__(self, seen: Counter):
        self.seen = seen
        self.pegs: dict[int, int] = {}  # instrument of each live pegged order
        self.listings: dict[int, int] = {}
        self.left: set[int] = set()  # pegs that stood when their market left continuous trading
        self.pairs: dict[int, tuple[int, int, int]] = {}  # entry, target and stop of each child
        self.filled: Counter = Counter()  # fills of each child

    def follow(self, events) -> None:
        refilled: set[int] = set()  # instruments with a refill in this command
        crossing: set[int] = set()
        stop = taker = 0
        house = False
        for e in events:
            if e.type == EventType.SHAPED and Peg.NO_PEG < e.peg < Peg.PEG_TRIGGER:
                self.pegs[e.order_id] = e.instrument
            elif e.type == EventType.REFILLED:
                refilled.add(e.instrument)
                self.seen["a fired stop uses up a peak"] += taker == stop != 0
                self.seen["a peak is used up in an uncross"] += e.instrument in crossing
            elif e.type == EventType.TRIGGERED:
                stop = e.order_id if e.kind in _STOPS else 0
                self.seen["a stop fires by a sweep that filled up a peak"] += (
                    stop != 0 and e.source == Source.BY_LAST and e.instrument in refilled
                )
                self.seen["a child fires after a trade of the house"] += house and e.order_id in self.pairs
            elif e.type == EventType.UNCROSSED:
                crossing.add(e.instrument)
            elif e.type == EventType.LISTING_CHANGED:
                self._listed(e)
                crossing.discard(e.instrument)
            elif e.type == EventType.TRADE:
                taker, of_house = e.taker_order_id, Purse.HOUSE in (e.maker, e.taker)
                house |= of_house
                self.seen["a parcel trades in an uncross"] += of_house and e.instrument in crossing
                self._traded(e)
            elif e.type in (EventType.REPLACED, EventType.PARKED) and events[0].command != CommandType.AMEND:
                self._moved(e)
            elif e.type == EventType.LINKED_TO:
                key = e.entry_id, e.target_id, e.stop_id
                self.pairs |= {order_id: key for order_id in key[1:] if order_id}
            elif e.type == EventType.DONE:
                self._done(e)

    def _listed(self, e) -> None:
        before, self.listings[e.instrument] = self.listings.get(e.instrument, Listing.TRADING), e.listing
        if before == Listing.TRADING != e.listing and e.listing not in _CALLS:
            self.left |= {order_id for order_id, instrument in self.pegs.items() if instrument == e.instrument}

    def _moved(self, e) -> None:
        if e.order_id not in self.pegs or self.listings.get(e.instrument, Listing.TRADING) != Listing.TRADING:
            return
        self.seen["a peg moves"] += e.type == EventType.REPLACED
        if e.order_id in self.left:
            self.left.discard(e.order_id)
            self.seen["a peg moves through a halt"] += 1

    def _traded(self, e) -> None:
        for order_id in (e.maker_order_id, e.taker_order_id):
            if key := self.pairs.get(order_id):
                self.filled[key] += 1

    def _done(self, e) -> None:
        self.pegs.pop(e.order_id, None)
        self.left.discard(e.order_id)
        if e.ending == Ending.PEG_REFUSED:
            self.seen["a peg ends where it would go"] += 1
        if (key := self.pairs.pop(e.order_id, None)) and e.ending == Ending.LIQUIDATED and self.filled[key]:
            self.seen["a liquidation ends a child whose bracket has filled in part"] += 1


RARE = (
    "a fired stop uses up a peak", "a peak is used up in an uncross", "a stop fires by a sweep that filled up a peak",
    "a child fires after a trade of the house", "a parcel trades in an uncross", "a peg moves", "a peg moves through a halt",
    "a peg ends where it would go", "a liquidation ends a child whose bracket has filled in part",
)  # fmt: skip
