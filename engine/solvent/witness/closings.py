"""The size of an order that closes a position in its trader's name, recomputed (semantics §3).

Owns until when accounts close wholly. Never holds a row: it reads the auditor's. Cost: O(instruments) an order by tiers or a
fraction, O(log size) readings of a domain for a cure.
"""

from bisect import bisect_left
from collections import defaultdict

from solvent.schema.events import Event
from solvent.witness.order_limits import Limited
from solvent.witness.rows import Key
from solvent.witness.values import fill_value, ratio_up, toward_zero

_RATE = 10**9


def _cures(books: Limited, key: Key, lots: int) -> bool:
    """True if closing these lots at mark, with its fee, leaves the domain at R_own and the buffer of the rule set."""
    account, instrument, _ = key
    domain = key if books.modes.get(key) else None, account, books.currency[instrument]
    size, cost, value = books.sizes[key], books.costs[key], fill_value(books.specs[instrument], lots, books.marks[instrument])
    left = books.terms(*domain)[0] - ratio_up(value * books.liquidation_fee(key), _RATE)
    books.sizes[key], books.costs[key] = size - (lots if size > 0 else -lots), cost - toward_zero(cost * lots, abs(size))
    asked = books.terms(*domain)[2]
    books.sizes[key], books.costs[key] = size, cost
    return left >= ratio_up(asked * (_RATE + books.rules.cure_buffer_ppb), _RATE)


class Closings:
    """Checks one exchange's orders of partial liquidations."""

    def __init__(self) -> None:
        self._cooling: defaultdict[int, int] = defaultdict(int)

    def fits(self, books: Limited, e: Event, now_ns: int) -> bool:
        """True if a STEP_DOWN has the size that the rule set asks for; the tiers themselves are not checked."""
        key = e.account, e.instrument, e.leg
        held, sold = abs(books.sizes[key]), e.size_lots
        if books.rules.partial == "tiers":
            return sold == held or bool(e.target_tier and books.is_enough(e.instrument, held - sold))
        if books.rules.partial == "fraction":
            wanted = self._fraction(books, key, held, now_ns)
        elif not _cures(books, key, held):
            wanted = held
        elif sold < held and _cures(books, key, sold):
            wanted = sold if sold == 1 or not _cures(books, key, sold - 1) else sold - 1
        else:
            wanted = 1 + bisect_left(range(1, held), True, key=lambda lots: _cures(books, key, lots))
        return sold == (wanted if books.is_enough(e.instrument, held - wanted) else held)

    def _fraction(self, books: Limited, key: Key, held: int, now_ns: int) -> int:
        """Returns a part, which begins a cooldown, or all in a cooldown or of a small position."""
        rules, account = books.rules, key[0]
        if books.held(key).value <= rules.partial_above_units or now_ns < self._cooling[account]:
            return held
        self._cooling[account] = now_ns + rules.partial_cooldown_ns
        return ratio_up(held * rules.partial_share_ppb, _RATE)
