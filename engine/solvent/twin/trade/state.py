"""The state of trading: books, live orders, client ids, slots, and an incoming order.

Owns the record that lifecycle, preview and their callers share. Never decides and never emits.
"""

from collections import deque
from dataclasses import dataclass

from solvent.schema.words import Ending, Flag, Posting, Side
from solvent.twin.account.fees import Fees
from solvent.twin.account.ledger import Parcel, Position
from solvent.twin.base.emit import Emitter
from solvent.twin.market.book import PLAIN, Book, ExtendedTerms, Order
from solvent.twin.market.brackets import Brackets
from solvent.twin.market.timers import Timers
from solvent.twin.market.triggers import Triggers
from solvent.twin.trade.admission import Admission


class Fields(dict[str, int]):
    """A further record of an order, with its fields as attributes."""

    def __getattr__(self, name: str) -> int:
        return self[name]


@dataclass(slots=True)
class Ticket:
    """An incoming order. price: where its rest would rest; limit: how far it may trade; ending: the reason why the untraded
    rest ends, or None if it rests."""

    account: int
    instrument: int
    holder: Position | Parcel | None  # None in a Book alone
    side: int
    price: int
    size: int
    tif: int = 0
    flags: int = 0
    client_id: int = 0
    fee_reason: Posting = Posting.TAKER_FEE
    ending: Ending | None = None
    limit: int = 0
    remaining: int = 0
    open_loss: int = 0
    terms: ExtendedTerms = PLAIN
    order: Order | None = None
    closes: bool = False  # True if it closes: its limit relies on that, so it never trades with its own account
    closing_limit: int | None = None  # limit of an order that turns its position, until the position is closed
    traded: int = 0
    reached: int = 0  # the price of its last trade
    text: bytes = b""  # of its client id
    edge: int = 0  # of the band, if it is priced beyond and may interrupt trading
    beyond: int = 0  # its own price then
    waits: bool = False  # it comes to rest without a trade: in a call, or as it trades whole or not at all
    bracket: Fields | None = None  # the record of its children
    comes_with: int = 0  # that many orders

    @property
    def still_closes(self) -> bool:
        """True if an order that turns its position has lots left to close."""
        return isinstance(self.holder, Position) and self.holder.size * (1 if self.side == Side.BUY else -1) < 0

    @property
    def limit_now(self) -> int:
        return self.limit if self.closing_limit is None or not self.still_closes else self.closing_limit

    @property
    def house(self) -> bool:
        return bool(self.flags & Flag.HOUSE_ORDER)


class Slots:
    """Slot numbers: the last one returned first, else the high-water mark (semantics §8)."""

    def __init__(self) -> None:
        self.free: list[int] = []
        self.high_water = 0

    def take(self) -> int:
        if self.free:
            return self.free.pop()
        self.high_water += 1
        return self.high_water - 1


class State:
    """The data that trading writes, and the rooms in which it posts and judges."""

    def __init__(self, admission: Admission, log: Emitter):
        self.admission = admission
        self.ledger = admission.ledger
        self.contracts = admission.contracts
        self.log = log
        self.previews = False  # True in a preview: everything is put back afterwards
        self.fees = Fees(self.ledger)
        self.books: list[Book] = []  # by instrument
        self.slots = Slots()
        self.live: dict[int, Order] = {}
        self.clients: dict[tuple[int, int], int] = {}
        self.texts: dict[tuple[int, int], bytes] = {}  # of client ids that have one
        self.finished: deque[tuple[int, int, int]] = deque()
        self.order_count = 0
        self.triggers = Triggers()
        self.brackets = Brackets()
        self.timers = Timers()
        self.pegged: dict[int, Order] = {}  # orders that keep a distance from a moving price, the oldest first
        self.looks = False  # True once an order watches the best prices of a book
