"""Brackets: an entry, or a position, with a target and a stop that close it.

Owns the records that join them, and which of these have to be looked at. Never moves an order. Orders are named by their ids,
so a record holds nothing alive. Lots that live orders have filled are read from these; a record keeps those of ended ones.
Cost: O(1), and O(reduce-only orders of a position) to mark its brackets.
"""

from collections.abc import Iterable

from solvent.schema.words import Arm, Ending
from solvent.twin.market.book import Bracket, Order


class Brackets:
    def __init__(self) -> None:
        self.all: list[Bracket] = []
        self.marked: list[Bracket] = []

    def add(self, bracket: Bracket, *orders: Order) -> None:
        self.all.append(bracket)
        for order in orders:
            order.bracket = bracket

    def remove(self, bracket: Bracket, entry: Order | None) -> None:
        """Forgets a bracket without children; its entry goes on by itself."""
        self.all.remove(bracket)
        if entry:
            entry.bracket = None

    def mark(self, bracket: Bracket) -> None:
        """Has a bracket looked at once the books are at rest."""
        if not bracket.marked:
            bracket.marked = True
            self.marked.append(bracket)

    def mark_all(self, orders: Iterable[Order]) -> None:
        """Marks the brackets of a position's children, the newest first."""
        for order in reversed(list(orders)):
            if order.is_child and order.bracket:
                self.mark(order.bracket)

    def leave(self, order: Order, bracket: Bracket, reason: Ending) -> None:
        """Notes that an order of a bracket has ended."""
        filled = order.size - order.remaining
        if order.order_id == bracket.entry:
            whole = bracket.arm == Arm.AT_FIRST_FILL and filled
            none = bracket.arm == Arm.WHEN_COMPLETE and reason != Ending.FILLED
            bracket.entry, bracket.filled = 0, order.size if whole else 0 if none else filled
        elif order.order_id == bracket.target:
            bracket.target, bracket.closed = 0, bracket.closed + filled
        else:
            bracket.stop = 0
        order.bracket = None
        self.mark(bracket)


def stands_for(bracket: Bracket, entry: Order | None) -> int:
    """Returns the lots of the entry for which the children stand. A pair that follows its position has no such number."""
    if entry is None:
        return bracket.filled
    filled = entry.size - entry.remaining
    if bracket.arm == Arm.WHEN_COMPLETE:
        return 0
    return entry.size if filled and bracket.arm == Arm.AT_FIRST_FILL else filled
