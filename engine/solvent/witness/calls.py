"""Calls from events alone: the states of markets, the price of each uncross, its pairs, its indications (CAL-1, CAL-2).

Owns the state of each instrument and what an uncross has left to trade. Never knows why a price was chosen: it looks at every
limit and its neighbours. Cost: O(limits squared) an indication or uncross.
"""

from collections import defaultdict

from solvent.schema.events import Event
from solvent.schema.states import CALLS
from solvent.schema.terms import CallTerms
from solvent.schema.words import BandEffect, CallTie, Listing, Side, Source
from solvent.witness.order_limits import Limited
from solvent.witness.rows import Audited, Key


class Called(Limited):
    """Checks the calls of every instrument."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self.listings: defaultdict[int, int] = defaultdict(int)
        self.queues: defaultdict[tuple[int, int], dict[int, list[int]]] = defaultdict(dict)  # of ids, by price
        self._lasts: defaultdict[int, int] = defaultdict(int)  # last prices between users
        self._uncrossing: dict[int, int] = {}  # price of the uncross of now, by instrument
        self._told: defaultdict[int, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))

    def _sides(self, instrument: int) -> list[dict[int, int]]:
        """Returns lots by price of bids and asks."""
        return [
            {price: sum(self.orders[each].remaining for each in ids) for price, ids in self.queues[instrument, side].items()}
            for side in Side
        ]

    def _is_crossed(self, instrument: int) -> bool:
        bids, asks = (self.queues[instrument, side] for side in Side)
        return bool(bids and asks and max(bids) >= min(asks))

    def _calls(self, instrument: int) -> CallTerms:
        return self.specs[instrument].calls or CallTerms()

    def _reference(self, instrument: int) -> int:
        """Returns the price that decides; the mark where there is none."""
        prices = {Source.BY_LAST: self._lasts, Source.BY_INDEX: self.indices}
        return prices.get(Source(self._calls(instrument).reference), self.marks)[instrument] or self.marks[instrument]

    def _waits(self, instrument: int) -> bool:
        """True if nobody is liquidated in an instrument now."""
        return bool(self._calls(instrument).deferred) and self.listings[instrument] != Listing.TRADING

    def _defers(self, isolated: Key | None, account: int, currency: int) -> bool:
        """True if a domain waits for a market: it has a position there."""
        held = [isolated] if isolated else [
            key for key, size in self.sizes.items()
            if size and key[0] == account and self.currency[key[1]] == currency and not self.modes.get(key)
        ]  # fmt: skip
        return any(self._waits(key[1]) for key in held)

    def _call_price(self, instrument: int) -> tuple[int, int, int]:
        """Returns price, volume and surplus of an uncross now; zeros where nothing crosses."""
        if not self._is_crossed(instrument):
            return 0, 0, 0
        bids, asks = self._sides(instrument)

        def wanted(tick: int) -> tuple[int, int]:
            """Returns the lots that bids and asks would trade at a tick."""
            demand = sum(lots for price, lots in bids.items() if price >= tick)
            return demand, sum(lots for price, lots in asks.items() if price <= tick)

        ranks: dict[tuple[int, int], list[int]] = defaultdict(list)
        for tick in sorted({price + step for price in (*bids, *asks) for step in (-1, 0, 1)}):
            if min(asks) <= tick <= max(bids):
                demand, supply = wanted(tick)
                ranks[-min(demand, supply), abs(demand - supply)].append(tick)
        ticks = ranks[min(ranks)]
        tie, most = self._calls(instrument).tie, min(ranks)[0]
        volumes = [tick for (volume, _), each in ranks.items() for tick in each if volume == most]
        surpluses = [demand - supply for demand, supply in map(wanted, ticks)]
        price = sorted((ticks[0], self._reference(instrument), ticks[-1]))[1]
        if tie == CallTie.PRESSURE:
            price = ticks[-1] if min(surpluses) > 0 else ticks[0] if max(surpluses) < 0 else price
        elif tie == CallTie.MIDWAY:
            price = (min(volumes) + max(volumes)) // 2
        demand, supply = wanted(price)
        return price, min(demand, supply), demand - supply

    def _on_listing_changed(self, e: Event) -> None:
        before, self.listings[e.instrument] = self.listings[e.instrument], e.listing
        self._hold(before != Listing.CLOSED, e, "a settled instrument stays settled", "CAL-1")
        self._uncrossing.pop(e.instrument, None)
        if e.listing == Listing.CLOSED:
            self._safe_settled()
        calls = self._calls(e.instrument)
        halts = bool(calls.halts) or calls.beyond_band == BandEffect.HALT_BEYOND
        gathers = e.listing in CALLS or (e.listing == Listing.HALTED and (halts or before == Listing.HALTED))
        self._hold(e.extensions <= calls.most_extensions, e, f"{calls.most_extensions} extensions at most", "CAL-1")
        self._hold(gathers or not self._is_crossed(e.instrument), e, "a book is uncrossed once orders gather no more", "CAL-1")
        if e.listing not in CALLS:
            self._told.pop(e.instrument, None)

    def _on_uncrossed(self, e: Event) -> None:
        mine, told = self._call_price(e.instrument), (e.price_ticks, e.size_lots, e.surplus_lots)
        self._hold(mine == told, e, f"the price of greatest volume is {mine}", "CAL-1")
        self._hold(self.listings[e.instrument] in (*CALLS, Listing.HALTED), e, "orders had gathered", "CAL-1")
        self._uncrossing[e.instrument] = e.price_ticks

    def _on_last_set(self, e: Event) -> None:
        self._lasts[e.instrument] = e.price_ticks

    def _on_indicated(self, e: Event) -> None:
        self._told[e.instrument] = e.price_ticks, e.size_lots, e.surplus_lots

    def _call_traded(self, e: Event) -> None:
        """Checks a pair of an uncross: the best and oldest of both sides, at its price."""
        firsts = []
        for side, best in ((Side.BUY, max), (Side.SELL, min)):
            queue = self.queues[e.instrument, side]
            firsts.append((queue[best(queue)][0], best(queue)))
        offered = min(self.orders[each].remaining - self.orders[each].hidden for each, _ in firsts)
        self._hold(e.size_lots == offered, e, f"they show {offered} lots", "CAL-2")
        price, (bid, ask) = self._uncrossing[e.instrument], firsts
        ids = {bid[0], ask[0]}
        self._hold(ids == {e.maker_order_id, e.taker_order_id}, e, f"the first orders are {ids}", "CAL-2")
        self._hold(bid[1] >= price == e.price_ticks >= ask[1], e, f"all trade at {price}", "CAL-2")

    def _close_calls(self) -> None:
        """Checks that every call has told its present price, and that no other book is crossed."""
        for instrument, listing in self.listings.items():
            if listing in CALLS and not self._calls(instrument).silent:
                mine, told = self._call_price(instrument), self._told[instrument]
                self._hold(mine == told, instrument, f"an indication tells {mine}, not {told}", "CAL-2")
