"""The one price at which a crossed book trades (semantics §18).

Owns the rules that choose it: greatest volume, least imbalance, market pressure, reference. Never changes the book. Every
legal tick is a candidate. An iceberg counts with all of its lots. Volume and imbalance change only at a limit or beside it, so
limits and their neighbours are enough. Cost: O(limits squared); the compiled core walks the levels once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from solvent.schema.words import CallTie, Side
from solvent.twin.market.book import Book


class CallPrice(NamedTuple):
    """A price, what trades there, and by how much bids exceed asks."""

    price: int = 0
    lots: int = 0
    surplus: int = 0


class _Candidate(NamedTuple):
    price: int
    lots: int
    surplus: int


def _candidates(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> list[_Candidate]:
    """Returns the limits between the lowest ask and the highest bid, and their neighbours, with what would trade there."""
    lowest, highest = asks[0][0], bids[0][0]
    near = {price + step for price, _ in (*bids, *asks) for step in (-1, 0, 1)}
    found = []
    for price in sorted(each for each in near if lowest <= each <= highest):
        bought = sum(lots for limit, lots in bids if limit >= price)
        sold = sum(lots for limit, lots in asks if limit <= price)
        found.append(_Candidate(price, min(bought, sold), bought - sold))
    return found


def call_price(book: Book, reference: int, tie: int) -> CallPrice:
    """Returns the price of a crossed book's uncross; all zero if the book is not crossed.

    Prices with the greatest volume and, among them, the least imbalance are left: one interval. If bids exceed asks on all of
    it, its highest price is taken, if asks exceed bids its lowest; otherwise the price nearest to the reference. NEAREST takes
    that always, MIDWAY the middle of all prices with the greatest volume.
    """
    if not book.crossed:
        return CallPrice()
    found = _candidates(book.gathered(Side.BUY), book.gathered(Side.SELL))
    most = max(each.lots for each in found)
    found = [each for each in found if each.lots == most]
    middle = (found[0].price + found[-1].price) // 2
    if tie == CallTie.MIDWAY:
        return CallPrice(middle, most, max(each for each in found if each.price <= middle).surplus)
    least = min(abs(each.surplus) for each in found)
    found = [each for each in found if abs(each.surplus) == least]
    low, high = found[0], found[-1]
    if tie == CallTie.PRESSURE and high.surplus > 0:
        price = high.price
    elif tie == CallTie.PRESSURE and low.surplus < 0:
        price = low.price
    else:
        price = min(max(reference, low.price), high.price)
    surplus = next(each.surplus for each in reversed(found) if each.price <= price)
    return CallPrice(price, most, surplus)
