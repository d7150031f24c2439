"""The uncross: a crossed book trades at one price (semantics §18).

Owns the state of each market as it is written down, what counts in an uncross, and the pairs that trade. Never decides when
one comes (`market_state` does), and posts no fill that one of its owners does not bear. Orders that a check would cut leave
before the price is found. Cost: O(orders that cross), each with one judgement before and one at its fills.
"""

from contextlib import ExitStack

from solvent.schema.states import CALLS
from solvent.schema.words import Ending, Flag, Posting, Side, Source
from solvent.twin.account.ledger import Fill, Position
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract
from solvent.twin.market.book import Order, within
from solvent.twin.market.call_price import CallPrice, call_price
from solvent.twin.trade.lifecycle import Trading


def _fee(contract: Contract) -> Posting:
    """Returns the fee that both sides of an uncross pay."""
    return Posting.MAKER_FEE if contract.calls.maker_fees else Posting.TAKER_FEE


class Uncross:
    def __init__(self, trading: Trading):
        self.trading = trading
        self.admission = trading.admission

    def end_unseen(self, instrument: int) -> None:
        """Ends resting orders that are hidden or trade whole, the oldest first: an uncross has none."""
        for _, order in sorted(self.trading.live.items()):
            if order.instrument == instrument and order.resting and not order.terms.gathers:
                self.trading.cancel(order, Ending.NOT_IN_CALL)

    def park_pegs(self, instrument: int) -> None:
        """Parks the pegged orders of an instrument, the oldest first; they have prices again once trading is continuous."""
        for order in self.trading.pegged.values():
            if order.instrument == instrument and order.resting:
                self.trading.leave_book(order)
                self.trading.park(order)

    def enter(self, instrument: int, listing: int, *, price: int = 0, ends_ns: int = 0, then: int = 0) -> None:
        """Writes down the state of a market, and says so."""
        contract = self.trading.contracts[instrument]
        contract.listing, contract.ends_ns, contract.then_listing, contract.extensions = listing, ends_ns, then, 0
        if listing not in CALLS:
            contract.told = CallPrice()
        self._say(instrument, price)

    def extend(self, instrument: int) -> None:
        """Lets a call go on whose price is out of range."""
        contract = self.trading.contracts[instrument]
        contract.ends_ns += contract.calls.extension_ns
        contract.extensions += 1
        self._say(instrument, 0)

    def _say(self, instrument: int, price: int) -> None:
        contract = self.trading.contracts[instrument]
        self.trading.log.emit_listing_changed(
            instrument=instrument, listing=contract.listing, price_ticks=price, ends_ns=contract.ends_ns,
            extensions=contract.extensions, then_listing=contract.then_listing,
        )  # fmt: skip

    def price_now(self, instrument: int) -> CallPrice:
        """Returns the price of an uncross now, of all orders."""
        contract = self.trading.contracts[instrument]
        return call_price(self.trading.books[instrument], contract.reference, contract.calls.tie)

    def uncross(self, instrument: int) -> None:
        """Trades a crossed book at one price, and leaves it uncrossed."""
        book, last, reference = self.trading.books[instrument], 0, self.trading.contracts[instrument].reference
        for side in Side:
            self._take_out(instrument, side)
        found = self.price_now(instrument)
        if not found.lots:
            return
        self.trading.log.emit_uncrossed(
            instrument=instrument, price_ticks=found.price, size_lots=found.lots, surplus_lots=found.surplus,
            reference_ticks=reference,
        )  # fmt: skip
        while (bid := book.first(Side.BUY)) and (ask := book.first(Side.SELL)) and bid.price >= found.price >= ask.price:
            if self._pair(bid, ask, found.price):
                last = found.price
        if last:
            self.trading.contracts[instrument].last = last
            self.trading.observe(instrument, Source.BY_LAST, last)

    # --- what counts

    def _fill_of(self, order: Order, p: Position, price: int, lots: int) -> Fill:
        contract = self.trading.contracts[p.instrument]
        value = valuation.value_of(contract, lots, price)
        fill = self.trading.fill(p, order.side, value, lots, _fee(contract), order.order_id)
        self.admission.fit(p, fill)
        return fill

    def _take_out(self, instrument: int, side: Side) -> None:
        """Takes out what does not count on one side: down the side, as if each order were filled at its own limit.

        The price is never worse than that. Lots that the owner does not bear end UNCOVERED. A reduce-only order keeps what
        better orders of its position leave it to close.
        """
        book = self.trading.books[instrument]
        if not book.crossed:
            return
        touch, cuts = book.sides[1 - side].peekitem(0)[1][0].price, []
        with ExitStack() as trials:
            for order in book.orders(side):
                if not within(1 - side, order.price, touch):
                    break
                if isinstance(order.holder, Position):
                    cut, reason = self._uncounted(order, order.holder, trials)
                    if cut:
                        cuts.append((order, cut, reason))
        for order, cut, reason in cuts:
            self._cut(order, cut, reason)

    def _uncounted(self, order: Order, p: Position, trials: ExitStack) -> tuple[int, Ending]:
        """Returns how many lots of an order do not count, and why; the rest is tried on the rows."""
        lots = order.remaining
        if order.reduces:
            lots = min(lots, max(0, p.size if order.side == Side.SELL else -p.size))
        reason = Ending.REDUCE_ONLY_CUT if lots < order.remaining else Ending.UNCOVERED
        borne = self._borne(order, p, order.price, lots)
        if borne:
            self.trading.reserve(order, order.remaining, order.remaining - borne)
            trials.callback(self.trading.reserve, order, order.remaining - borne, order.remaining)
            trials.enter_context(self.admission.tried(p, self._fill_of(order, p, order.price, borne)))
        return order.remaining - borne, reason if borne == lots else Ending.UNCOVERED

    def _borne(self, order: Order, p: Position, price: int, lots: int) -> int:
        """Returns how many of `lots` the owner bears at a price: all, or those that close, or none."""

        def bears(some: int) -> bool:
            self.trading.reserve(order, order.remaining, order.remaining - some)
            borne = self.admission.bears(p, self._fill_of(order, p, price, some), price)
            self.trading.reserve(order, order.remaining - some, order.remaining)
            return borne

        return self.admission.borne_lots(p, order.side, lots, bears)

    def _cut(self, order: Order, lots: int, reason: Ending) -> None:
        if lots == order.remaining:
            self.trading.cancel(order, reason)
        else:
            self.trading.shrink(order, lots, reason)

    # --- pairs

    def _pair(self, bid: Order, ask: Order, price: int) -> bool:
        """Trades what the first orders of both sides show. Returns True if that was a trade between users.

        Lots that an owner does not bear, and those behind, end UNCOVERED instead, and another pair is looked at.
        """
        lots = min(bid.shown, ask.shown)
        with ExitStack() as trials:  # both may be of one account
            for order in (bid, ask):
                p = order.holder
                if not isinstance(p, Position):
                    continue
                borne = self._borne(order, p, price, lots)
                if borne < lots:
                    trials.close()
                    self._cut(order, order.remaining - borne, Ending.UNCOVERED)
                    return False
                if order is bid and bid.account == ask.account:
                    self.trading.reserve(bid, bid.remaining, bid.remaining - lots)
                    trials.callback(self.trading.reserve, bid, bid.remaining - lots, bid.remaining)
                    trials.enter_context(self.admission.tried(p, self._fill_of(bid, p, price, lots)))
        self._trade(bid, ask, price, lots)
        return not (bid.flags | ask.flags) & Flag.HOUSE_ORDER

    def _trade(self, bid: Order, ask: Order, price: int, lots: int) -> None:
        """Books a pair, the older order first; both pay the same fee. Peaks that it used up are filled up."""
        older, newer = (bid, ask) if bid.order_id < ask.order_id else (ask, bid)
        house_buys = bool(bid.flags & ~ask.flags & Flag.HOUSE_ORDER)
        value = valuation.value_of(self.trading.contracts[bid.instrument], lots, price, up=house_buys)
        self.trading.log.emit_trade(
            side=newer.side, instrument=bid.instrument, maker_order_id=older.order_id, taker_order_id=newer.order_id,
            price_ticks=price, size_lots=lots, maker=older.account, taker=newer.account,
        )  # fmt: skip
        for order in (older, newer):
            if lots == order.remaining:
                self.trading.books[order.instrument].remove(order)
                order.resting = False
            order.remaining -= lots
            self.trading.reserve(order, order.remaining + lots, order.remaining)
        held = [self.trading.held(order) for order in (older, newer)]
        for order, before in zip((older, newer), held, strict=True):
            self.trading.book_fill(order, price, value, lots, _fee(self.trading.contracts[bid.instrument]))
            if not order.remaining:
                self.trading.finish(order, Ending.FILLED)
            if order is newer or older.holder is not newer.holder:  # otherwise the other half comes first
                self.trading.after_fill(order, before)
            elif isinstance(order.holder, Position):
                self.trading.refresh_hold(order.holder)
        for order in (older, newer):
            self.trading.refill(order)
