"""The arguments and answers of the liquidation steps: the state of the exchange, a case, an outcome.

Owns the state that the pipeline shares with its callers. Never decides. A step is a function (state, case) -> Outcome.
"""

from dataclasses import dataclass
from enum import IntEnum

from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import Verdict
from solvent.twin.account.ledger import Parcel, Position
from solvent.twin.account.margin import Requirement
from solvent.twin.trade.order_margin import OrderMargin


class State:
    """The rooms that liquidation uses, and the command's permission to cost others."""

    def __init__(self, order_margin: OrderMargin):
        self.trading = order_margin.trading
        self.admission = order_margin.admission
        self.ledger = order_margin.ledger
        self.contracts = order_margin.contracts
        self.rules = order_margin.rules
        self.log = order_margin.trading.log
        self.may_cost_others = False  # True if the command, or the clock, may spend the fund or deleverage winners (SAFE-1)


class Concern(IntEnum):
    """The subject of a case."""

    DOMAIN = 0  # one margin domain below R_own
    PARCEL = 1  # one position of the house
    WALLET = 2  # one negative balance without a position


class Outcome(IntEnum):
    """The answer of a step: go on with the next step, start again with the first one, or end the case."""

    GO_ON = 0
    AGAIN = 1
    OVER = 2


@dataclass(slots=True)
class Case:
    """One subject for the steps. A domain case without a position is the cross domain of its currency."""

    concern: Concern
    account: int = 0
    currency: int = 0
    position: Position | None = None
    verdict: Verdict = Verdict.SAFE
    requirement: Requirement | None = None
    candidate: Position | None = None  # the position to step down
    parcel: Parcel | None = None
    fresh: bool = False  # True if the parcel was taken just now

    @property
    def instrument(self) -> int:
        return self.position.instrument if self.position else NO_INSTRUMENT

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """Orders cases: worst first, then by account, instrument, leg, currency."""
        r, p = self.requirement, self.position
        assert r
        return r.equity - r.own, self.account, self.instrument, p.leg if p else 0, self.currency
