"""The timers of accounts: who has orders cancelled when, unless he says so anew.

Owns the timers, by account, instrument and tag. Never cancels anything, and reads no clock. Cost: O(timers) a look.
"""

from typing import NamedTuple

from solvent.schema.limits import TIMERS_MAX


class Key(NamedTuple):
    """The orders that a timer takes. instrument: NO_INSTRUMENT for all; tag: 0 for any."""

    account: int
    instrument: int
    tag: int


class Timer(NamedTuple):
    """deadline_ns first: timers are due by deadline, then by key."""

    deadline_ns: int
    key: Key
    spares: int  # REDUCE_ONLY, or 0


class Timers:
    def __init__(self) -> None:
        self.set: dict[Key, Timer] = {}

    def full(self, key: Key) -> bool:
        """True if the account may have no timer besides those that it has."""
        return key not in self.set and sum(1 for each in self.set if each.account == key.account) >= TIMERS_MAX

    def start(self, timer: Timer) -> None:
        self.set[timer.key] = timer

    def stop(self, key: Key) -> None:
        self.set.pop(key, None)

    def first(self) -> Timer | None:
        """Returns the timer that is due first."""
        return min(self.set.values(), default=None)

    def rows(self) -> list[tuple[int, ...]]:
        """Returns (deadline, account, instrument, tag, spares) of each timer, in the order in which they are due."""
        return [(timer.deadline_ns, *timer.key, timer.spares) for timer in sorted(self.set.values())]
