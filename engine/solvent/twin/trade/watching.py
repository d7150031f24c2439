"""Which prices triggers watch, and when they see them.

Owns the showing of prices to triggers: marks, indices and trades as they arise, the best prices of a book at rest. Never makes
a price, or places an order that became due.
"""

from solvent.schema.states import CALLS
from solvent.schema.words import Listing, Side, Source
from solvent.twin.trade.state import State


class Watching(State):
    def observe(self, instrument: int, source: Source, price: int) -> None:
        """Shows a price to the triggers."""
        self.triggers.observe(instrument, source, price, halted=self.contracts[instrument].listing != Listing.TRADING)

    def watched(self, instrument: int) -> tuple[int, int, int, int, int]:
        """Returns the prices that triggers watch, by source; 0 where there is none. A call, or a crossed book, has no best
        prices."""
        contract, book = self.contracts[instrument], self.books[instrument]
        bid, ask = book.unpegged(Side.BUY) or 0, book.unpegged(Side.SELL) or 0
        if contract.listing in CALLS or book.crossed:
            bid = ask = 0
        return contract.mark, contract.last, contract.index, bid, ask

    def look(self) -> None:
        """Shows the best prices to the triggers that watch them, after the books have come to rest."""
        for instrument in range(len(self.contracts)):
            if self.triggers.watches(instrument):
                prices = self.watched(instrument)
                for source in (Source.BY_BID, Source.BY_ASK):
                    if prices[source]:
                        self.observe(instrument, source, prices[source])

    def resume(self, instrument: int) -> None:
        """Shows the watched prices again, by source: an order reached in a halt becomes due if it is still reached. Targets
        that waited for the market are looked at."""
        for p in self.ledger.members[instrument]:
            self.brackets.mark_all(p.orders)
        for source, price in zip(Source, self.watched(instrument), strict=True):
            if price:
                self.observe(instrument, source, price)
