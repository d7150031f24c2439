"""Book: the matching book alone, in integers, without accounts' money.

Owns nothing that Exchange does not: the same records, the same kernel, the same path through the book. An
account is a number that the caller makes up; it matters for self-trade prevention and client ids only.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from solvent.api.base import ERRORS, SIDES, Ack, Face, digest_of, wanted_types
from solvent.api.client_id_seed import drawn
from solvent.schema.codes import InputError
from solvent.schema.layouts import NOBODY
from solvent.schema.limits import MONEY_MAX, PRICE_TICKS_MAX, SIZE_LOTS_MAX
from solvent.schema.terms import NO_MONEY, InstrumentTerms, values_of
from solvent.schema.words import CommandType, EventType
from solvent.terms.decimals import Dec
from solvent.terms.order_words import Terms, Trigger, whole, word

if TYPE_CHECKING:
    import numpy as np

_LOT = Decimal(1)


def _ticks(value: object, what: str) -> int:
    return whole(value, what, -(2**63), 2**63 - 1)


class Book(Face):
    """A price-time priority book of one instrument; the kernel of Exchange without its money.

    max_price_ticks: the highest legal price; the depth of the book's trie comes from it. max_size_lots: the
    highest legal size of an order, below 2**39. retain: keep all events; False drops those that no cursor waits for. log:
    the event types that are written at all (None: every one); numbers in `seq` count what is written. seed: as Exchange's.

    Everything is an int: prices in ticks, sizes in lots, accounts from 0 to 2**32 - 2. Orders answer with an
    Ack (filled and resting in lots); wrong types raise WrongType. Events are ACCEPTED, TRADE, RESTED, REDUCED,
    REPLACED, TRIGGERED, DONE behind each BEGIN: enough to rebuild the book. Cost: as the core's (docs/architecture.md).

    >>> book = Book()
    >>> ask = book.order(1, "sell", 5, price_ticks=101)
    >>> book.order(2, "buy", 7, price_ticks=101).filled
    Decimal('5')
    >>> book.depth()
    ([(101, 2)], [])
    """

    def __init__(
        self, max_price_ticks: int = 2**24 - 1, *, max_size_lots: int = 2**32, retain: bool = True,
        log: Iterable[EventType] | None = None, seed: int | None = None,
    ):  # fmt: skip
        self.max_price_ticks = whole(max_price_ticks, "max_price_ticks", 1, PRICE_TICKS_MAX)
        self.max_size_lots = whole(max_size_lots, "max_size_lots", 1, SIZE_LOTS_MAX)
        if self.max_price_ticks * self.max_size_lots > MONEY_MAX:
            raise InputError("highest price times highest size reaches 2**62")
        terms = InstrumentTerms(
            max_price_ticks=max_price_ticks, max_size_lots=max_size_lots, units=1, default_leverage=1,
            tiers=((max_size_lots, 1, 100, 1),),
        )  # fmt: skip
        config = digest_of(repr(values_of(terms)).encode())[:32]
        self._wanted = wanted_types(log)
        bare = [terms], (0,), NO_MONEY, config, ERRORS, True, self._wanted
        super().__init__(self._load_kernel()(*bare, seed=drawn(seed)), retain)

    def order(
        self, account: int, side: str, size_lots: int, *, price_ticks: int | None = None, tif: str = "gtc",
        post_only: bool | str = False, client_id: int = 0, trigger: Trigger | None = None, expiry_ns: int | None = None,
        slippage: Dec | None = None, self_trade: str = "cancel_maker", self_trade_group: int = 0,
    ) -> Ack:  # fmt: skip
        """Places an order; without a price a market order, which never rests. The terms are those of Exchange.order, with
        prices in ticks; triggers by mark and index see what `mark` and `index` say."""
        terms = Terms(tif, post_only, False, False, client_id, trigger, expiry_ns, slippage, self_trade, self_trade_group)
        fields = terms.header(market=price_ticks is None) | {
            "account": whole(account, "account", 0, NOBODY - 1), "side": word(SIDES, side, "side"),
            "size_lots": _ticks(size_lots, "size_lots"),
            "price_ticks": 0 if price_ticks is None else _ticks(price_ticks, "price_ticks"),
        }  # fmt: skip
        return self._ask_twice(CommandType.ORDER, _LOT, terms.second(_ticks), fields)

    def mark(self, price_ticks: int) -> Ack:
        """A mark price for the triggers that watch it. Raises Rejected(BAD_PRICE)."""
        return self._ask(CommandType.MARK, _LOT, price_ticks=_ticks(price_ticks, "price_ticks")).ok()

    def index(self, price_ticks: int) -> Ack:
        """An index price for the triggers that watch it. Raises Rejected(BAD_PRICE)."""
        return self._ask(CommandType.INDEX, _LOT, price_ticks=_ticks(price_ticks, "price_ticks")).ok()

    def amend(
        self, account: int, order_id: int | None = None, *, client_id: int | None = None,
        size_lots: int | None = None, price_ticks: int | None = None,
    ) -> Ack:  # fmt: skip
        """Changes a resting order's total size (what is filled included) and price. See Exchange.amend."""
        fields = self._named(order_id, client_id)
        for name, value in (("size_lots", size_lots), ("price_ticks", price_ticks)):
            if value is not None:
                fields[name] = _ticks(value, name) or -1
        return self._ask(CommandType.AMEND, _LOT, account=whole(account, "account", 0, NOBODY - 1), **fields)

    def cancel(self, account: int, order_id: int | None = None, *, client_id: int | None = None) -> Ack:
        """Cancels a resting order by its id or by the account's client id."""
        fields = self._named(order_id, client_id)
        return self._ask(CommandType.CANCEL, _LOT, account=whole(account, "account", 0, NOBODY - 1), **fields)

    def cancel_all(self, account: int | None = None, *, side: str | None = None) -> Ack:
        """Cancels all live orders, resting and dormant, of an account or of everyone, of one side or both, oldest first;
        `filled` of the Ack says how many."""
        return self._ask(
            CommandType.MASS_CANCEL, _LOT, account=NOBODY if account is None else whole(account, "account", 0, NOBODY - 1),
            side=2 if side is None else word(SIDES, side, "side"),
        )  # fmt: skip

    def best(self) -> tuple[int, int, int, int]:
        """(bid ticks, bid lots, ask ticks, ask lots); zeros for an empty side."""
        bid, bid_lots, ask, ask_lots = self._kernel.best(0)
        return bid, bid_lots, ask, ask_lots

    def depth(self, n: int = 20) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(bids, asks), best first: (price ticks, lots) of at most n levels."""
        bids, asks = self._kernel.depth(0, whole(n, "n", 0, 2**62))
        return bids, asks

    def depth_arrays(self, n: int = 20) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """(bids, asks), best first: int64 rows (price ticks, lots, orders) of at most n levels, without a Python loop."""
        return self._depth_arrays(0, whole(n, "n", 0, 2**62))

    def resting(self) -> list[dict[str, Any]]:
        """Every resting order, bids best first in time order, then asks."""
        return [_named(row) for row in self._kernel.resting(0)]

    def dormant(self) -> list[dict[str, Any]]:
        """Every order that waits for its trigger, by id, with its trigger's terms."""
        return [_named(row) | dict(zip(_DORMANT, row[12:], strict=True)) for row in self._kernel.dormant(0)]


_RESTING = ("order_id", "account", "instrument", "side", "price_ticks", "remaining_lots", "size_lots", "client_id")
_DORMANT = (
    "trigger_ticks", "trail", "extreme_ticks", "slippage_ppb", "expiry_ns", "self_trade_group", "source", "kind",
    "trigger_flags", "self_trade", "leg",
)  # fmt: skip


def _named(row: tuple[int, ...]) -> dict[str, Any]:
    return dict(zip(_RESTING, row, strict=False))
