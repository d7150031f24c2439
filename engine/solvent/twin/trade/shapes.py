"""The shape of an order, besides its price and size: how its trigger trails, how much the book shows, when it may rest.

Owns the checks of these terms, all before the first write. Owns the turning of a market order into a limit order, and the
second look at orders that trade whole or not at all. Never shows or hides lots (market/book does), or books a fill. Terms that
exclude each other never stand in one order.
"""

from typing import cast

from solvent.schema.codes import Code
from solvent.schema.commands import PlaceOrder
from solvent.schema.limits import ALL_OR_NONE_MAX, PARTS_MAX
from solvent.schema.words import Ending, Flag, Peg, ShapeFlag, Side, Tif, TriggerKind
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.contract.valuation import Contract
from solvent.twin.market.book import ExtendedTerms, Order, within
from solvent.twin.trade.order_margin import OrderMargin
from solvent.twin.trade.preview import dry_run
from solvent.twin.trade.state import Fields, Ticket

_RESERVED = ("unused_first", "unused_second", "unused_third", "unused_short", "unused_int", "display_most_lots")
_BUILT = ShapeFlag.ALL_OR_NONE | ShapeFlag.TO_LIMIT | ShapeFlag.ONE_LEVEL | ShapeFlag.HIDDEN | ShapeFlag.INWARDS
_OF_A_PEG = Flag.SHAPED_ORDER | Flag.LINKED


def _check_peg(contract: Contract, c: PlaceOrder, x: Fields, h: Fields) -> Code:
    """Checks what the price keeps its distance from. The limit of a trailing order brings no price of its own."""
    inwards = h.shape_flags & ShapeFlag.INWARDS
    if h.peg == Peg.NO_PEG:
        return Code.BAD_SHAPE if h.offset_ticks or inwards else Code.OK
    if h.peg < Peg.PEG_TRIGGER:  # its price is a limit, and it brings nothing else
        alone = not (c.flags & ~int(_OF_A_PEG) or x.trigger_kind or h.display_lots or h.shape_flags != inwards)
        if not alone or c.tif not in (Tif.GTC, Tif.GTD) or (inwards and h.peg != Peg.PEG_MID):
            return Code.BAD_SHAPE
    elif inwards or x.trigger_kind < TriggerKind.TRAIL_TICKS or c.flags & Flag.MARKET or c.price_ticks:
        return Code.BAD_SHAPE
    if h.peg > Peg.PEG_TRIGGER:
        return Code.BAD_SHAPE
    return Code.OK if abs(h.offset_ticks) <= contract.max_price_ticks else Code.BAD_SHAPE


def _check_kind(c: PlaceOrder, h: Fields) -> Code:
    """Checks what excludes what: market to limit, all or none, hidden, iceberg."""
    stays, market, flags = c.tif in (Tif.GTC, Tif.GTD), c.flags & Flag.MARKET, h.shape_flags & ~int(ShapeFlag.INWARDS)
    alone = not h.display_lots and flags.bit_count() <= 1
    if flags & (ShapeFlag.TO_LIMIT | ShapeFlag.ONE_LEVEL):
        alone = not h.display_lots and flags & ~ShapeFlag.ONE_LEVEL == ShapeFlag.TO_LIMIT
        return Code.OK if alone and market and stays else Code.BAD_SHAPE
    if market and (flags or h.display_lots):
        return Code.BAD_SHAPE
    cut = c.flags & (Flag.REDUCE_ONLY | Flag.CLOSE_POSITION)  # what is cut is not all
    if flags & ShapeFlag.ALL_OR_NONE and not (alone and stays and not h.peg and not cut and not c.flags & Flag.POST_ONLY):
        return Code.BAD_SHAPE
    if flags & ShapeFlag.HIDDEN and not alone:
        return Code.BAD_SHAPE
    fits = 0 < h.display_lots <= c.size_lots <= PARTS_MAX * h.display_lots
    return Code.OK if fits or not h.display_lots else Code.BAD_SHAPE


def check_shape(contract: Contract, c: PlaceOrder, x: Fields, h: Fields) -> Code:
    """Checks the record of an ORDER's shape. Reserved fields are refused with NOT_SUPPORTED."""
    if any(h[name] for name in _RESERVED) or h.shape_flags & ~int(_BUILT):
        return Code.NOT_SUPPORTED
    trails = x.trigger_kind >= TriggerKind.TRAIL_TICKS
    if h.step_ticks and not (trails and 0 < h.step_ticks <= contract.max_price_ticks):
        return Code.BAD_TRIGGER
    return _check_peg(contract, c, x, h) or _check_kind(c, h)


def parts_fit(terms: ExtendedTerms, size: int) -> bool:
    """True if an order of this size would have no more peaks than an iceberg may have."""
    return not terms.display or size <= PARTS_MAX * terms.display


class Shapes:
    def __init__(self, order_margin: OrderMargin, bare: bool):
        self.order_margin = order_margin
        self.trading = order_margin.trading
        self.contracts = order_margin.contracts
        self.bare = bare

    # --- pegs

    def _reference(self, instrument: int, side: int, terms: ExtendedTerms) -> int:
        """Returns the price from which an order keeps its distance; 0: there is none."""
        mark, _, _, bid, ask = self.trading.watched(instrument)
        if terms.peg != Peg.PEG_MID:
            return {Peg.PEG_MARK: mark, Peg.PEG_BID: bid, Peg.PEG_ASK: ask}[Peg(terms.peg)]
        # An odd sum: buys down, sells up; inwards the other way round.
        up = (side == Side.SELL) != bool(terms.shape_flags & ShapeFlag.INWARDS)
        return (bid + ask + up) // 2 if bid and ask else 0

    def pegged_price(self, instrument: int, side: int, terms: ExtendedTerms) -> int:
        """Returns the price that a pegged order has now, within limit and band, behind the best opposite price. 0: none
        is legal."""
        contract, worse = self.contracts[instrument], min if side == Side.BUY else max
        price = self._reference(instrument, side, terms)
        if not price:
            return 0
        price += terms.offset
        if terms.limit:
            price = worse(price, terms.limit)
        if not self.bare and contract.mark:
            price = worse(price, valuation.band_price(contract, side, self.order_margin.rules.price_band_ppb))
        touch = self.trading.books[instrument].touch(side, price)
        if touch is not None:
            price = touch - 1 if side == Side.BUY else touch + 1
        return price if 1 <= price <= contract.max_price_ticks else 0

    # --- market to limit

    def to_limit(self, t: Ticket) -> None:
        """Makes the rest of a market order a limit order at the price of its last fill; without a fill it ends."""
        order, mark = cast(Order, t.order), self.contracts[t.instrument].mark
        if not t.remaining or t.ending:
            return
        if not t.reached:
            t.ending = Ending.UNFILLED
            return
        t.price = t.limit = t.reached
        if not self.bare:
            t.open_loss = max(0, t.price - mark if t.side == Side.BUY else mark - t.price)
        order.open_loss = t.open_loss
        order.flags &= ~Flag.MARKET
        t.flags &= ~Flag.MARKET
        order.terms.shape_flags = 0

    # --- all or none

    def wholes(self, instrument: int) -> int:
        """Returns how many orders of a book trade whole or not at all."""
        return sum(order.whole for side in Side for order in self.trading.books[instrument].orders(side))

    def is_full(self, t: Ticket) -> bool:
        """True if the book has no room for one more order that trades whole."""
        return bool(t.terms.shape_flags & ShapeFlag.ALL_OR_NONE) and self.wholes(t.instrument) >= ALL_OR_NONE_MAX

    def try_wholes(self, t: Ticket) -> None:
        """Looks again at orders that trade whole, after an order came to rest opposite: one that it now can fill takes its
        lots."""
        order, book = cast(Order, t.order), self.trading.books[t.instrument]
        if not order.resting or order.order_id not in self.trading.live or order.whole or self.contracts[t.instrument].listing:
            return
        reached = [each for each in book.orders(1 - t.side) if each.whole and within(t.side, each.price, t.price)]
        for each in reached:
            if each.order_id not in self.trading.live:  # an earlier one has ended it
                continue
            holder = each.holder if isinstance(each.holder, Position) else None
            whole = Ticket(
                each.account, each.instrument, holder, each.side, each.price, each.size, each.tif, each.flags,
                each.client_id, limit=each.price, remaining=each.remaining, terms=each.terms, order=each,
            )  # fmt: skip
            if holder:
                self.order_margin.limit_to_bankruptcy(whole, holder)
            if dry_run(self.trading, whole)[0] == 0:
                self.trading.leave_book(each)
                self.trading.execute(whole)
                self.trading.rest_or_end(whole)
