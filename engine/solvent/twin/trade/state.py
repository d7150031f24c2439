"""What trading has: books, live orders, client ids, slots; and an order on its way in.

Owns the record that lifecycle, preview and whoever asks them share. Never decides and never emits by itself.
"""

from collections import deque
from dataclasses import dataclass

from solvent.schema.words import Ending, Flag, Posting, Side
from solvent.twin.account.fees import Fees
from solvent.twin.account.ledger import Parcel, Position
from solvent.twin.base.emit import Emitter
from solvent.twin.market.book import PLAIN, Book, Order, Terms
from solvent.twin.market.triggers import Triggers
from solvent.twin.trade.admission import Admission


@dataclass(slots=True)
class Ticket:
    """An order on its way in. price: where its rest would rest; limit: how far it may trade; ending: why
    what does not trade ends, or None if it rests."""

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
    terms: Terms = PLAIN
    order: Order | None = None
    closes: bool = False  # against its position: its limit counts on that, so it meets no order of its account
    closing_limit: int | None = None  # of one that turns its position: how far it may trade until that is closed
    traded: int = 0
    reached: int = 0  # the price of its last trade

    @property
    def still_closes(self) -> bool:
        """Whether an order that turns its position has something left to close."""
        return isinstance(self.holder, Position) and self.holder.size * (1 if self.side == Side.BUY else -1) < 0

    @property
    def limit_now(self) -> int:
        return self.limit if self.closing_limit is None or not self.still_closes else self.closing_limit

    @property
    def house(self) -> bool:
        return bool(self.flags & Flag.HOUSE_ORDER)


class Slots:
    """Slot numbers: last returned first, else the high-water mark (semantics §8)."""

    def __init__(self) -> None:
        self.free: list[int] = []
        self.high_water = 0

    def take(self) -> int:
        if self.free:
            return self.free.pop()
        self.high_water += 1
        return self.high_water - 1


class State:
    """What trading writes, and where it posts and judges."""

    def __init__(self, admission: Admission, log: Emitter):
        self.admission = admission
        self.ledger = admission.ledger
        self.contracts = admission.contracts
        self.log = log
        self.rehearses = False  # what is done now will not have been
        self.fees = Fees(self.ledger)
        self.books: list[Book] = []  # by instrument
        self.slots = Slots()
        self.live: dict[int, Order] = {}
        self.clients: dict[tuple[int, int], int] = {}
        self.finished: deque[tuple[int, int, int]] = deque()
        self.order_count = 0
        self.triggers = Triggers()
