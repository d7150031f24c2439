"""Liquidation prices: the marks at which a position's margin domain is below R_own while other marks stay.

Owns the search over marks. Never writes, except a contract's mark, which it restores. Cost: one requirement of the domain at
each step of two bisections, and at both ends of each tier by notional.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

from solvent.schema.words import Basis, Kind
from solvent.twin.account.margin import Requirement
from solvent.twin.contract.valuation import Contract, Sized, legal

Slack = Callable[[int], int]


def slack_at(contract: Contract, requirement: Callable[[], Requirement]) -> Slack:
    """Returns a function from mark to equity less R_own of a domain; a modelled index moves by the same number of ticks."""

    def slack(ticks: int) -> int:
        index, mark = contract.index, contract.mark
        contract.mark = ticks
        if contract.modelled and index:
            contract.index = legal(contract, index + ticks - mark)
        try:
            r = requirement()
        finally:
            contract.index, contract.mark = index, mark
        return r.equity - r.own

    return slack


def edges_of(contract: Contract, held: Iterable[Sized]) -> list[int]:
    """Returns the marks between which no tier of these positions changes, with the lowest and the highest legal mark."""
    edges = {1, contract.max_price_ticks + 1, contract.mark, contract.mark + 1}
    for each in held if contract.basis == Basis.NOTIONAL else []:
        inverse = contract.kind == Kind.INVERSE
        for tier in contract.tiers:
            # The first tick beyond a tier: above the top for linear contracts, at or below it for inverse ones.
            at = abs(each.size) * contract.units
            edges |= {at // tier.top + step for step in (-1, 0, 1, 2)} if inverse else {tier.top // at + 1}
    return sorted(edge for edge in edges if 1 <= edge <= contract.max_price_ticks + 1)


def crossing(slack: Slack, edges: list[int], mark: int, up: bool) -> int | None:
    """Returns the first tick from the mark, up or down, at which a domain is below R_own; None if no legal tick is.

    Between two edges equity less requirement rises, then falls: equity is linear, and the requirement is linear or convex
    (N**1.8). A span that is safe at both ends is safe inside, and bisection is exact.

    There are two exceptions (docs/reference/arrays.md). A power curve above half of the value, or one that meets collateral
    of its own instrument, breaks the rule. Two legs that round break it by a few units.
    """
    spans = [(low, high - 1) for low, high in pairwise(edges)]
    spans = [span for span in spans if (span[0] > mark if up else span[1] < mark)]
    for low, high in spans if up else reversed(spans):
        near, far = (low, high) if up else (high, low)
        if slack(near) < 0:
            return near
        if slack(far) < 0:
            return _turn(slack, near, far)
    return None


def _turn(slack: Slack, safe: int, below: int) -> int:
    """Finds the first tick below R_own, between `safe`, which is not below, and `below`, which is."""
    while abs(below - safe) > 1:
        middle = (safe + below) // 2
        safe, below = (safe, middle) if slack(middle) < 0 else (middle, below)
    return below


def liquidation(slack: Slack, edges: list[int], mark: int, size: int, other: int) -> tuple[int | None, int | None]:
    """Returns the liquidation prices towards loss and towards profit. The first one is the mark itself if the domain is below
    R_own now. If only a move in the position's favour endangers a hedge, that price is the first, and the second is None."""
    if slack(mark) < 0:
        return mark, None
    found, ahead = (crossing(slack, edges, mark, up) for up in (size < 0, size > 0))
    return (ahead, None) if found is None and other * size < 0 else (found, ahead)
