"""Where something happens to a position: the marks at which its margin domain is below R_own, other marks held.

Owns the search over marks. Never writes but a contract's mark, and puts it back. Cost: a requirement of the domain at each
step of two bisections, and at both ends of each tier by notional.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

from solvent.schema.words import Basis, Kind
from solvent.twin.account.margin import Requirement
from solvent.twin.contract.valuation import Contract, Sized, legal

Slack = Callable[[int], int]


def slack_at(contract: Contract, requirement: Callable[[], Requirement]) -> Slack:
    """Equity less R_own of a domain by the mark of one of its instruments; a modelled index moves along by as many ticks."""

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
    """The marks, and the highest and lowest, between which no tier of these positions in it changes."""
    edges = {1, contract.max_price_ticks + 1, contract.mark, contract.mark + 1}
    for each in held if contract.basis == Basis.NOTIONAL else []:
        inverse = contract.kind == Kind.INVERSE
        for tier in contract.tiers:
            # The first tick of a larger value: beyond the top linear, at or below it inverse.
            at = abs(each.size) * contract.units
            edges |= {at // tier.top + step for step in (-1, 0, 1, 2)} if inverse else {tier.top // at + 1}
    return sorted(edge for edge in edges if 1 <= edge <= contract.max_price_ticks + 1)


def crossing(slack: Slack, edges: list[int], mark: int, up: bool) -> int | None:
    """The first tick from the mark, up or down, at which a domain is below R_own; None if no legal tick is.

    Between two edges equity less requirement rises, then falls: equity is linear, and what is asked is linear or convex
    (N**1.8). What is not below at both ends is not below between them, and bisection is exact. It is not where a power curve
    is above half of the value or meets collateral of its own instrument, nor, by a few units, where two legs round
    (docs/arrays.md).
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
    """The first tick below, between one that is not and one that is."""
    while abs(below - safe) > 1:
        middle = (safe + below) // 2
        safe, below = (safe, middle) if slack(middle) < 0 else (middle, below)
    return below


def liquidation(slack: Slack, edges: list[int], mark: int, size: int, other: int) -> tuple[int | None, int | None]:
    """The first ticks at which something happens: towards loss, and away from it. The mark itself when it is below R_own
    already. Of a hedge that only the other way endangers, that is the first, and there is no second."""
    if slack(mark) < 0:
        return mark, None
    found, ahead = (crossing(slack, edges, mark, up) for up in (size < 0, size > 0))
    return (ahead, None) if found is None and other * size < 0 else (found, ahead)
