"""The values of insurance funds of late, so that ADL may begin when one has lost too much (semantics §5).

Owns the values that may still be the highest of the window. Never moves money. Invariant: a value counts from the moment of
its posting to that of the next one; what a fund was within a moment is forgotten. Cost: O(values of the window) a change.
"""

from dataclasses import dataclass

FOREVER = 2**63 - 1


@dataclass(slots=True)
class FundValue:
    """The value of a currency's fund for some time."""

    currency: int
    since_ns: int
    end_ns: int  # FOREVER: now
    units: int


class FundPast:
    """The values of all funds, by the time when they began. Without a window nothing is remembered."""

    def __init__(self, window_ns: int):
        self.window_ns, self.now_ns = window_ns, 0
        self.values: list[FundValue] = []

    def note(self, currency: int, units: int) -> None:
        """Notes that a fund is worth so much from now on. Values that are too old, or below a later one, are dropped."""
        if not self.window_ns:
            return
        last = next((each for each in reversed(self.values) if each.currency == currency), None)
        if units == (last.units if last else 0):
            return
        if last and last.since_ns == self.now_ns:
            last.units = units
            return
        if last:
            last.end_ns, begin = self.now_ns, self.now_ns - self.window_ns
            self.values = [
                each for each in self.values
                if each is last or each.currency != currency or (each.units > last.units and each.end_ns > begin)
            ]  # fmt: skip
        self.values.append(FundValue(currency, self.now_ns, FOREVER, units))

    def highest(self, currency: int) -> int:
        """Returns the highest value of a fund in the window that ends now; 0 where it never had any."""
        begin = self.now_ns - self.window_ns
        return max((each.units for each in self.values if each.currency == currency and each.end_ns > begin), default=0)

    def state(self) -> list[int]:
        """Returns the number of values, then each."""
        rows = [(each.currency, each.since_ns, each.end_ns, each.units) for each in self.values]
        return [len(rows), *(number for row in rows for number in row)]
