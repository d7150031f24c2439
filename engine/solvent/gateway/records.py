"""Records of the past that a venue tells its clients: orders, fills, bills, lives of positions, trades, liquidations.

Owns the shapes, in whole numbers (ticks, lots, units, nanoseconds), the same for every dialect. `history` fills them from
events. Never decides what happens.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from solvent.schema.words import Arm, Flag, Posting, Source, Tif, TriggerKind

__all__ = [
    "Asked", "Bill", "Bracket", "Category", "Fill", "Holding", "Liquidated", "Notice", "Order", "State", "Trade", "What",
]  # fmt: skip


class State(Enum):
    """Names how far an order has come."""

    DORMANT = "dormant"
    LIVE = "live"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"


class Category(Enum):
    """Names who caused an order."""

    NORMAL = "normal"
    STEP_DOWN = "step down"  # of a liquidation, in the owner's name
    TAKEOVER = "takeover"
    ADL = "adl"


@dataclass(frozen=True, slots=True)
class Asked:
    """Holds what a client said of an order that the exchange need not know.

    ord_type: the dialect's own word. tag. target: "sl" or "tp", which of both an order with a trigger is. client_id: the name
    of a child, whose command has no place for one. second: True for the stop of a pair that has one name, the target's.
    """

    ord_type: str = ""
    tag: str = ""
    target: str = ""
    client_id: str = ""
    second: bool = False


@dataclass(slots=True)
class Bracket:
    """Joins a target and a stop, each None if there is none: when one fires, the other ends.

    entry_id: the order that brought them, 0 for a pair of its own. size_lots: what such a pair stands for, 0 for the position.
    stands: True once they have had something to close; nobody is told of them before.
    """

    entry_id: int
    target: "Order | None"
    stop: "Order | None"
    arm: int = Arm.AS_FILLED
    size_lots: int = 0
    stands: bool = False

    @property
    def children(self) -> "list[Order]":
        """Returns the target and the stop, as far as they are there."""
        return [each for each in (self.target, self.stop) if each is not None]

    def told(self) -> "Bracket":
        """Returns a copy with copies of the children."""
        return replace(self, target=self.target and replace(self.target), stop=self.stop and replace(self.stop))


@dataclass(slots=True)
class Order:
    """Describes an order, alive or ended.

    client_id: the sender's text, "" for none. value: the sum of price_ticks times size_lots of its fills. fee_units: what it
    has paid, negative for a rebate. leverage: times over parts, as of acceptance. fired_ns: when its trigger was reached, or a
    child without one was placed. activation_ticks: from where a trailing trigger follows. bracket: the one that it brought, or
    whose child it is. asked: what the dialect wants to remember of the request.
    """

    order_id: int
    account: int
    instrument: int
    side: int
    leg: int
    mode: int
    leverage: tuple[int, int]
    price_ticks: int
    size_lots: int
    flags: int
    tif: int
    client_id: str
    created_ns: int
    updated_ns: int
    state: State
    trigger_kind: int = TriggerKind.NO_TRIGGER
    trigger_source: int = Source.BY_MARK
    trigger_ticks: int = 0
    trail: int = 0
    activation_ticks: int = 0
    self_trade: int = 0
    fired_ns: int = 0
    filled_lots: int = 0
    value: int = 0
    fee_units: int = 0
    pnl_units: int = 0
    ending: int = 0
    code: int = 0
    category: Category = Category.NORMAL
    last: "Fill | None" = None
    bracket: Bracket | None = field(default=None, compare=False, repr=False)
    asked: Asked = Asked()

    def told(self) -> "Order":
        """Returns a copy of the order as it is now, and of its bracket."""
        found = replace(self)
        found.bracket = self.bracket and self.bracket.told()
        return found

    @property
    def market(self) -> bool:
        """True for an order without a limit of its own."""
        return bool(self.flags & Flag.MARKET)

    @property
    def triggered(self) -> bool:
        """True for an order that had a trigger."""
        return self.trigger_kind != TriggerKind.NO_TRIGGER

    @property
    def child(self) -> bool:
        """True for the target or the stop of a bracket."""
        return self.bracket is not None and self.bracket.entry_id != self.order_id

    @property
    def placed(self) -> bool:
        """True once the order is in the market, or was: at once, unless it waits for a trigger or for its entry."""
        return self.fired_ns > 0 or not (self.triggered or self.child)

    @property
    def trailing(self) -> bool:
        """True for an order whose trigger follows the price."""
        return self.trigger_kind in (TriggerKind.TRAIL_TICKS, TriggerKind.TRAIL_RATE)

    @property
    def ended(self) -> bool:
        """True once nothing can happen to the order any more."""
        return self.state in (State.FILLED, State.CANCELLED)

    @property
    def word(self) -> str:
        """Returns "market", "post_only", "fok", "ioc" or "limit"."""
        if self.market:
            return "market"
        if self.flags & Flag.POST_ONLY:
            return "post_only"
        return {Tif.FOK: "fok", Tif.IOC: "ioc"}.get(Tif(self.tif), "limit")


@dataclass(slots=True)
class Fill:
    """Describes one half of a trade: what it did to one account.

    number: the trade's. fee_units: paid, negative for a rebate. pnl_units: realised by it. bill_id: the event that ended it.
    """

    number: int
    order_id: int
    client_id: str
    account: int
    instrument: int
    side: int
    leg: int
    price_ticks: int
    size_lots: int
    maker: bool
    time_ns: int
    fee_units: int = 0
    pnl_units: int = 0
    bill_id: int = 0
    category: Category = Category.NORMAL
    asked: Asked = Asked()


@dataclass(slots=True)
class Bill:
    """Describes a change of an account's money that a client can ask for.

    posting: why. change_units: the change of the balance; for a margin move that of the position. balance_units: the wallet
    after. fill: the fill that it sums up, else None.
    """

    bill_id: int
    account: int
    instrument: int
    mode: int
    leg: int
    currency: int
    posting: Posting
    change_units: int
    balance_units: int
    time_ns: int
    size_lots: int = 0
    price_ticks: int = 0
    fill: Fill | None = None


@dataclass(slots=True)
class Holding:
    """Describes a position since it was opened; `size_lots` 0: what became of it.

    opened_value, closed_value: sums of price_ticks times lots. most_lots: the largest size. end: the category that closed it.
    """

    account: int
    instrument: int
    mode: int
    leg: int
    leverage: tuple[int, int]
    size_lots: int = 0
    opened_ns: int = 0
    updated_ns: int = 0
    long: bool = True
    most_lots: int = 0
    opened_lots: int = 0
    opened_value: int = 0
    closed_lots: int = 0
    closed_value: int = 0
    fee_units: int = 0
    pnl_units: int = 0
    funding_units: int = 0
    penalty_units: int = 0
    margin_units: int = 0
    trade: int = 0
    end: Category = Category.NORMAL


@dataclass(frozen=True, slots=True)
class Trade:
    """Describes a trade as the public sees it; side is the aggressor's."""

    number: int
    instrument: int
    side: int
    price_ticks: int
    size_lots: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Liquidated:
    """Describes a liquidation as the public sees it; side is that of the order that closes the position."""

    number: int
    instrument: int
    side: int
    leg: int
    price_ticks: int
    size_lots: int
    time_ns: int


class What(Enum):
    """Names what a notice tells of."""

    ORDER = "order"
    ALGO = "algo"
    ACCOUNT = "account"
    POSITION = "position"
    LIQUIDATION = "liquidation"
    BOOK = "book"
    TRADE = "trade"
    MARK = "mark"
    INDEX = "index"
    FUNDING = "funding"
    INSTRUMENT = "instrument"


@dataclass(frozen=True, slots=True)
class Notice:
    """Tells that something happened: `what`, to whom (an account or an instrument), with a copy as it then was.

    reason: why a position or an account moved ("filled", "funding_fee", ...).
    """

    what: What
    key: int
    body: Any = None
    reason: str = field(default="")
