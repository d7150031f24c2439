"""Book: the matching book alone, in integers, without accounts' money.

Owns nothing that Exchange does not: the same records, the same kernel, the same path through the book. An
account is a number that the caller makes up; it matters for self-trade prevention and client ids only.
"""

from decimal import Decimal
from typing import Any

from solvent.codes import InputError
from solvent.face import ERRORS, SIDES, TIFS, Ack, Face, digest_of, flag_of, whole, word
from solvent.limits import MONEY_MAX, PRICE_TICKS_MAX
from solvent.records import CommandType, Flag, Tif

_LOT = Decimal(1)


class Book(Face):
    """A price-time priority book of one instrument; the kernel of Exchange without its money.

    max_price_ticks: the highest legal price; the depth of the book's trie comes from it. max_size_lots: the
    highest legal size of an order. retain: keep all events; False drops those that no cursor waits for.

    Everything is an int: prices in ticks, sizes in lots, accounts from 0 to 2**32 - 2. Orders answer with an
    Ack (filled and resting in lots); wrong types raise WrongType. Events are ACCEPTED, TRADE, RESTED, REDUCED,
    REPLACED, DONE behind each BEGIN: enough to rebuild the book. Cost: as the core's (docs/architecture.md).

    >>> book = Book()
    >>> ask = book.order(1, "sell", 5, price_ticks=101)
    >>> book.order(2, "buy", 7, price_ticks=101).filled
    Decimal('5')
    >>> book.depth()
    ([(101, 2)], [])
    """

    def __init__(self, max_price_ticks: int = 2**24 - 1, *, max_size_lots: int = 2**32, retain: bool = True):
        self.max_price_ticks = whole(max_price_ticks, "max_price_ticks", 1, PRICE_TICKS_MAX)
        self.max_size_lots = whole(max_size_lots, "max_size_lots", 1, MONEY_MAX)
        if self.max_price_ticks * self.max_size_lots > MONEY_MAX:
            raise InputError("highest price times highest size reaches 2**62")
        terms = (1, max_price_ticks, max_size_lots, 0, 0, 0, 1, 0, ((max_size_lots, 1, 1),))
        config = digest_of(repr(terms).encode())[:32]
        super().__init__(self._load_kernel()([terms], 1, (0,) * 10, config, ERRORS, True), retain)

    def order(
        self, account: int, side: str, size_lots: int, *, price_ticks: int | None = None, tif: str = "gtc",
        post_only: bool = False, client_id: int = 0,
    ) -> Ack:  # fmt: skip
        """Places an order; without a price a market order, which never rests. See Exchange.order."""
        tif_id = word(TIFS, tif, "tif")
        flags = flag_of(post_only, "post_only", Flag.POST_ONLY)
        if price_ticks is None:
            flags |= Flag.MARKET
            tif_id = tif_id or Tif.IOC
        else:
            price_ticks = whole(price_ticks, "price_ticks", -(2**63), 2**63 - 1)
        return self._ask(
            CommandType.ORDER, _LOT, account=whole(account, "account", 0, 2**32 - 2), side=word(SIDES, side, "side"),
            size_lots=whole(size_lots, "size_lots", -(2**63), 2**63 - 1), price_ticks=price_ticks or 0, tif=tif_id,
            flags=flags, client_id=whole(client_id, "client_id", 0, 2**63 - 1),
        )  # fmt: skip

    def amend(
        self, account: int, order_id: int | None = None, *, client_id: int | None = None,
        size_lots: int | None = None, price_ticks: int | None = None,
    ) -> Ack:  # fmt: skip
        """Changes a resting order's total size (what is filled included) and price. See Exchange.amend."""
        fields = self._named(order_id, client_id)
        for name, value in (("size_lots", size_lots), ("price_ticks", price_ticks)):
            if value is not None:
                fields[name] = whole(value, name, -(2**63), 2**63 - 1) or -1
        return self._ask(CommandType.AMEND, _LOT, account=whole(account, "account", 0, 2**32 - 2), **fields)

    def cancel(self, account: int, order_id: int | None = None, *, client_id: int | None = None) -> Ack:
        """Cancels a resting order by its id or by the account's client id."""
        fields = self._named(order_id, client_id)
        return self._ask(CommandType.CANCEL, _LOT, account=whole(account, "account", 0, 2**32 - 2), **fields)

    def depth(self, n: int = 20) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(bids, asks), best first: (price ticks, lots) of at most n levels."""
        bids, asks = self._kernel.depth(0, whole(n, "n", 0, 2**62))
        return bids, asks

    def resting(self) -> list[dict[str, Any]]:
        """Every resting order, bids best first in time order, then asks."""
        names = ("order_id", "account", "instrument", "side", "price_ticks", "remaining_lots", "size_lots", "client_id")
        return [dict(zip(names, row, strict=False)) for row in self._kernel.resting(0)]
