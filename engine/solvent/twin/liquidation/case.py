"""What the steps of the liquidation pipeline work on: the state of the exchange, a case, and what a step says of it.

Owns the state that the pipeline shares with its callers. Never decides. A step is a function (state, case) -> Outcome.
"""

from dataclasses import dataclass
from enum import IntEnum

from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import Verdict
from solvent.twin.account.ledger import Parcel, Position
from solvent.twin.account.margin import Requirement
from solvent.twin.trade.order_margin import Cover


class State:
    """The rooms that liquidation works in, and whether the command may cost others."""

    def __init__(self, cover: Cover):
        self.trading = cover.trading
        self.admission = cover.admission
        self.ledger = cover.ledger
        self.contracts = cover.contracts
        self.rules = cover.rules
        self.log = cover.trading.log
        self.may_cost_others = False  # the command, or the clock, starts what the fund or winners pay (SAFE-1)


class Concern(IntEnum):
    """What a case is about."""

    DOMAIN = 0  # one margin domain below R_own
    PARCEL = 1  # one position of the house
    WALLET = 2  # one balance that no position stands for


class Outcome(IntEnum):
    """What a step says: the next step goes on, the first one looks again, or the case is over."""

    GO_ON = 0
    AGAIN = 1
    OVER = 2


@dataclass(slots=True)
class Case:
    """One thing to act on. A domain without a position is the cross domain of its currency."""

    concern: Concern
    account: int = 0
    currency: int = 0
    position: Position | None = None
    verdict: Verdict = Verdict.SAFE
    requirement: Requirement | None = None
    candidate: Position | None = None  # to step down
    parcel: Parcel | None = None
    fresh: bool = False  # the parcel was taken just now

    @property
    def instrument(self) -> int:
        return self.position.instrument if self.position else NO_INSTRUMENT

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """Worst first, then by account, instrument, leg, currency."""
        r, p = self.requirement, self.position
        assert r
        return r.equity - r.own, self.account, self.instrument, p.leg if p else 0, self.currency
