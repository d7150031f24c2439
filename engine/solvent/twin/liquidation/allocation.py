"""The shares of a parcel: the lots that each counterparty loses (semantics §5).

Owns the rules that share lots among counterparties of known sizes. Never ranks anybody, never moves money. All lots are
placed, or all that the counterparties hold. Nobody loses more than he has. Cost: O(n log n) for n counterparties.
"""

import heapq
from collections.abc import Sequence
from fractions import Fraction

from solvent.schema.words import AdlShare


def _spread(lots: int, sizes: Sequence[int], order: Sequence[int]) -> list[int]:
    """Gives each the floor of its part by size, and one more to the first ones of an order until all lots are placed."""
    found = [lots * size // sum(sizes) for size in sizes]
    for i in order[: lots - sum(found)]:
        found[i] += 1
    return found


def _pro_rata(lots: int, sizes: Sequence[int], accounts: Sequence[int]) -> list[int]:
    """Rounds parts by size down; the largest remainders get one more. Ties: the larger size, then the lower account."""
    total = sum(sizes)
    order = sorted(range(len(sizes)), key=lambda i: (-(lots * sizes[i] % total), -sizes[i], accounts[i]))
    return _spread(lots, sizes, order)


def _minmax(lots: int, sizes: Sequence[int], accounts: Sequence[int]) -> list[int]:
    """Gives lot after lot to whoever then has lost the smallest part. Ties: the larger size, then the lower account.

    Each gets at least the floor of its part by size, so only what that leaves goes lot by lot.
    """
    found = _spread(lots, sizes, ())
    queue = [(Fraction(found[i] + 1, sizes[i]), -sizes[i], accounts[i], i) for i in range(len(sizes))]
    heapq.heapify(queue)
    for _ in range(lots - sum(found)):
        _, minus, account, i = queue[0]
        found[i] += 1
        heapq.heapreplace(queue, (Fraction(found[i] + 1, sizes[i]), minus, account, i))
    return found


def allocate(rule: int, lots: int, sizes: Sequence[int], accounts: Sequence[int]) -> list[int]:
    """Returns the lots that each counterparty loses. `sizes` are in the order of rank.

    >>> allocate(AdlShare.PRO_RATA, 50, [30, 60, 40, 25], [3, 2, 1, 4])
    [10, 19, 13, 8]
    >>> allocate(AdlShare.MINMAX, 50, [30, 60, 40, 25], [3, 2, 1, 4])
    [9, 20, 13, 8]
    """
    if lots >= sum(sizes):
        return list(sizes)
    if rule == AdlShare.PRO_RATA:
        return _pro_rata(lots, sizes, accounts)
    if rule == AdlShare.MINMAX:
        return _minmax(lots, sizes, accounts)
    found: list[int] = []
    for size in sizes:
        found.append(min(size, lots - sum(found)))
    return found
