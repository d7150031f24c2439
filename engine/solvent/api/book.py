"""Book: the matching book alone, in integers, without accounts' money.

Owns nothing that Exchange does not: the same records, the same kernel, the same path through the book. The caller makes up the
account numbers; they matter for self-trade prevention and client ids only.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from solvent.api.base import ERRORS, SIDES, Ack, Face, digest_of, wanted_types
from solvent.api.client_id_seed import drawn
from solvent.api.names import client_id_of
from solvent.schema.codes import InputError
from solvent.schema.layouts import NO_INSTRUMENT, NOBODY
from solvent.schema.limits import MONEY_MAX, PRICE_TICKS_MAX, SIZE_LOTS_MAX, TAGS_MAX
from solvent.schema.terms import NO_MONEY, InstrumentTerms, values_of
from solvent.schema.words import CommandType, EventType
from solvent.terms.decimals import Dec
from solvent.terms.order_words import Kind, Terms, Trigger, flag_of, int_within, moved_alone, timer_fields, total_lots, word

if TYPE_CHECKING:
    import numpy as np

_LOT = Decimal(1)


def _ticks(value: object, what: str) -> int:
    return int_within(value, what, -(2**63), 2**63 - 1)


class Book(Face):
    """Keeps a price-time priority order book of one instrument: the kernel of Exchange without its money.

    max_price_ticks: the highest legal price; the depth of the book's trie comes from it. max_size_lots: the highest legal size
    of an order, below 2**39. retain: True keeps all events; False drops events that no cursor waits for. log: the event types
    that are written (None: all of them); `seq` counts what is written. seed, strict: as for Exchange.

    Everything is an int: prices in ticks, sizes in lots, accounts from 0 to 2**32 - 2. Orders answer with an Ack, whose
    `filled` and `resting` are in lots. Other types raise WrongType. Behind each BEGIN come ACCEPTED, TRADE, RESTED, REDUCED,
    REPLACED, TRIGGERED and DONE: enough to rebuild the book. Cost: as the core's (docs/explanation/architecture.md).

    >>> from solvent import Book
    >>> book = Book()
    >>> ask = book.order(1, "sell", 5, price_ticks=101)
    >>> book.order(2, "buy", 7, price_ticks=101).filled
    Decimal('5')
    >>> book.depth()
    ([(101, 2)], [])
    """

    def __init__(
        self, max_price_ticks: int = 2**24 - 1, *, max_size_lots: int = 2**32, retain: bool = True,
        log: Iterable[EventType] | None = None, seed: int | None = None, strict: bool = False,
    ):  # fmt: skip
        self.max_price_ticks = int_within(max_price_ticks, "max_price_ticks", 1, PRICE_TICKS_MAX)
        self.max_size_lots = int_within(max_size_lots, "max_size_lots", 1, SIZE_LOTS_MAX)
        if self.max_price_ticks * self.max_size_lots > MONEY_MAX:
            raise InputError("highest price times highest size reaches 2**62")
        terms = InstrumentTerms(
            max_price_ticks=max_price_ticks, max_size_lots=max_size_lots, units=1, default_leverage=1,
            tiers=((max_size_lots, 1, 100, 1),),
        )  # fmt: skip
        config = digest_of(repr(values_of(terms)).encode())[:32]
        self._wanted = wanted_types(log)
        bare = [terms], (0,), NO_MONEY, config, ERRORS, True, self._wanted
        super().__init__(self._load_kernel()(*bare, seed=drawn(seed)), retain, strict)

    def order(
        self, account: int, side: str, size_lots: int, *, price_ticks: int | None = None, tif: str = "gtc",
        post_only: bool | str = False, client_id: int | str = 0, trigger: Trigger | None = None, expiry_ns: int | None = None,
        slippage: Dec | None = None, self_trade: str = "cancel_maker", self_trade_group: int = 0, market: bool = False,
        display_lots: int | None = None, all_or_none: bool = False, to_limit: bool = False, levels: int | None = None,
        peg: str | None = None, offset_ticks: int = 0, tag: int = 0,
    ) -> Ack:  # fmt: skip
        """Places an order and answers with an Ack.

        price_ticks: the limit; None makes a market order, which never rests. market: makes one with a price, which protects
        it: it trades no further, and its rest ends. The other terms are those of Exchange.order, with prices in ticks.
        Triggers by mark and by index see the prices that `mark` and `index` set. A book has no reduce-only orders.

        Raises InputError for a word that is unknown, WrongType for anything but an int where a number belongs.

        >>> from solvent import Book
        >>> book = Book()
        >>> book.order(1, "sell", 5, price_ticks=101)
        Ack(OK, order_id=16777216, filled=0, resting=5)
        >>> book.order(2, "buy", 7, price_ticks=101, tif="ioc")
        Ack(OK, order_id=33554433, filled=5, resting=0)
        """
        peak = None if display_lots is None else _ticks(display_lots, "display_lots")
        away = int_within(offset_ticks, "offset_ticks", -(2**62), 2**62)
        kind = Kind(peak, all_or_none, to_limit, levels, peg, away)
        terms = Terms(
            tif, post_only, False, False, client_id, trigger, expiry_ns, slippage, self_trade, self_trade_group, tag=tag,
            kind=kind,
        )  # fmt: skip
        fields = terms.header(market=flag_of(market, "market") or (price_ticks is None and terms.needs_price())) | {
            "account": int_within(account, "account", 0, NOBODY - 1), "side": word(SIDES, side, "side"),
            "size_lots": _ticks(size_lots, "size_lots"),
            "price_ticks": 0 if price_ticks is None else _ticks(price_ticks, "price_ticks"),
        }  # fmt: skip
        return self._ask_extended(CommandType.ORDER, _LOT, terms.more(_ticks), fields)

    def mark(self, price_ticks: int) -> Ack:
        """Sets the mark price, in ticks, for the triggers that watch it. Raises Rejected(BAD_PRICE).

        >>> from solvent import Book, Trigger
        >>> book = Book()
        >>> ack = book.mark(101)
        >>> stop = book.order(1, "sell", 5, price_ticks=90, trigger=Trigger.stop(95))
        >>> ack = book.mark(94)
        >>> book.best()
        (0, 0, 90, 5)
        """
        return self._ask(CommandType.MARK, _LOT, price_ticks=_ticks(price_ticks, "price_ticks")).ok()

    def index(self, price_ticks: int) -> Ack:
        """Sets the index price, in ticks, for the triggers that watch it. Raises Rejected(BAD_PRICE).

        >>> from solvent import Book, Trigger
        >>> book = Book()
        >>> ack = book.index(101)
        >>> stop = book.order(1, "sell", 5, price_ticks=90, trigger=Trigger.stop(95, by="index"))
        >>> ack = book.index(95)
        >>> book.best()
        (0, 0, 90, 5)
        """
        return self._ask(CommandType.INDEX, _LOT, price_ticks=_ticks(price_ticks, "price_ticks")).ok()

    @property
    def last(self) -> int:
        """Returns the price of the last trade, or the one that `set_last` told since; 0 before the first.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask, bid = book.order(1, "sell", 5, price_ticks=101), book.order(2, "buy", 2, price_ticks=101)
        >>> book.last
        101
        """
        return int(self._kernel.prices(0)[1])

    def set_last(self, price_ticks: int) -> Ack:
        """Sets the last price, in ticks, for the triggers that watch it. Raises Rejected(BAD_PRICE).

        The next trade moves it on.

        >>> from solvent import Book, Trigger
        >>> book = Book()
        >>> stop = book.order(1, "sell", 5, price_ticks=90, trigger=Trigger.stop(95, by="last"))
        >>> ack = book.set_last(94)
        >>> book.best(), book.last
        ((0, 0, 90, 5), 94)
        """
        return self._ask(CommandType.SET_LAST, _LOT, price_ticks=_ticks(price_ticks, "price_ticks")).ok()

    def amend(
        self, account: int, order_id: int | None = None, *, client_id: int | str | None = None,
        size_lots: int | None = None, price_ticks: int | None = None, remaining_lots: int | None = None,
        trigger_ticks: int | None = None,
    ) -> Ack:  # fmt: skip
        """Changes the total size and the price of a live order, named by order_id or by client_id.

        size_lots: what is filled included; remaining_lots: what is left to fill, instead. A smaller size keeps the order's
        place in the queue. Any other change sends the order to the back, and it may trade. trigger_ticks: moves the trigger of
        a dormant order instead. See Exchange.amend.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> book.amend(1, ask.order_id, size_lots=3).resting
        Decimal('3')
        """
        fields, who = self._named(order_id, client_id), int_within(account, "account", 0, NOBODY - 1)
        row = self._kernel.find_order(who, fields.get("order_id", 0), fields.get("client_id", 0))
        for name, value in (("size_lots", size_lots), ("price_ticks", price_ticks)):
            if value is not None:
                fields[name] = _ticks(value, name) or -1
        if remaining_lots is not None:
            fields["size_lots"] = total_lots(row, _ticks(remaining_lots, "remaining_lots"), size_lots)
        if trigger_ticks is None:
            return self._ask(CommandType.AMEND, _LOT, account=who, **fields)
        moved = moved_alone(fields) | {"trigger_ticks": _ticks(trigger_ticks, "trigger_ticks")}
        return self._ask(CommandType.AMEND_TRIGGER, _LOT, account=who, **moved)

    def cancel(self, account: int, order_id: int | None = None, *, client_id: int | str | None = None) -> Ack:
        """Cancels a live order, named by order_id or by the account's client_id.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101, client_id=7)
        >>> bool(book.cancel(1, client_id=7)), book.depth()
        (True, ([], []))
        """
        fields = self._named(order_id, client_id)
        return self._ask(CommandType.CANCEL, _LOT, account=int_within(account, "account", 0, NOBODY - 1), **fields)

    def cancel_all(self, account: int | None = None, *, side: str | None = None) -> Ack:
        """Cancels live orders, resting and dormant, oldest first.

        account: None takes the orders of every account. side: "buy", "sell", or None for both. `filled` of the Ack counts the
        cancelled orders.

        >>> from solvent import Book
        >>> book = Book()
        >>> asks = [book.order(1, "sell", 5, price_ticks=price) for price in (101, 102)]
        >>> book.cancel_all(1, side="sell").filled
        Decimal('2')
        """
        return self._ask(
            CommandType.MASS_CANCEL, _LOT,
            account=NOBODY if account is None else int_within(account, "account", 0, NOBODY - 1),
            side=2 if side is None else word(SIDES, side, "side"),
        )  # fmt: skip

    def cancel_after(self, account: int, timeout_ns: int, *, tag: int = 0) -> Ack:
        """Sets a timer that cancels the account's live orders once the clock is timeout_ns further. A new call sets it anew.

        timeout_ns: 0 switches the timer off. tag: takes only orders of this tag; 0 takes any. See Exchange.cancel_after.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> ack = book.cancel_after(1, 1_000)
        >>> book.advance(1_000)
        >>> book.depth()
        ([], [])
        """
        who = int_within(account, "account", 0, NOBODY - 1)
        return self._ask(
            CommandType.TIMER, _LOT, account=who, instrument=NO_INSTRUMENT, **timer_fields(timeout_ns, tag, False)
        )

    def disconnect(self, tag: int, account: int | None = None) -> Ack:
        """Cancels the live orders that have a tag, oldest first, of one account or of all.

        `filled` of the Ack counts the cancelled orders.

        >>> from solvent import Book
        >>> book = Book()
        >>> asks = [book.order(1, "sell", 5, price_ticks=101, tag=tag) for tag in (0, 7, 7)]
        >>> book.disconnect(7).filled
        Decimal('2')
        """
        who = NOBODY if account is None else int_within(account, "account", 0, NOBODY - 1)
        return self._ask(CommandType.DISCONNECT, _LOT, account=who, tag=int_within(tag, "tag", 1, TAGS_MAX))

    def best(self) -> tuple[int, int, int, int]:
        """Returns (bid ticks, bid lots, ask ticks, ask lots); an empty side has zeros.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> book.best()
        (0, 0, 101, 5)
        """
        bid, bid_lots, ask, ask_lots = self._kernel.best(0)
        return bid, bid_lots, ask, ask_lots

    def depth(self, n: int = 20) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Returns (bids, asks), best first: at most n levels a side, each (price ticks, lots).

        >>> from solvent import Book
        >>> book = Book()
        >>> asks = [book.order(1, "sell", 5, price_ticks=price) for price in (102, 101, 101)]
        >>> book.depth()
        ([], [(101, 10), (102, 5)])
        """
        bids, asks = self._kernel.depth(0, int_within(n, "n", 0, 2**62))
        return bids, asks

    def depth_arrays(self, n: int = 20) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """Returns (bids, asks), best first: int64 arrays of shape (levels, 3) with price ticks, lots and orders.

        n: the most levels a side. Runs without a Python loop.

        >>> from solvent import Book
        >>> book = Book()
        >>> asks = [book.order(1, "sell", 5, price_ticks=price) for price in (102, 101, 101)]
        >>> book.depth_arrays()[1].tolist()
        [[101, 10, 2], [102, 5, 1]]
        """
        return self._depth_arrays(0, int_within(n, "n", 0, 2**62))

    def resting(self) -> list[dict[str, Any]]:
        """Returns every resting order as a dict: bids best first, each price in time order, then asks.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> [(row["account"], row["price_ticks"], row["remaining_lots"]) for row in book.resting()]
        [(1, 101, 5)]
        """
        return [self._row(row) for row in self._kernel.resting(0)]

    def queue(self, side: str, price_ticks: int) -> list[dict[str, Any]]:
        """Returns the orders that rest at one price of a side as dicts, the next to trade first.

        >>> from solvent import Book
        >>> book = Book()
        >>> asks = [book.order(account, "sell", 5, price_ticks=101) for account in (1, 2)]
        >>> [row["account"] for row in book.queue("sell", 101)]
        [1, 2]
        """
        found = self._kernel.queue(0, word(SIDES, side, "side"), _ticks(price_ticks, "price_ticks"))
        return [self._row(row) for row in found]

    def order_counts(self, account: int | None = None) -> tuple[int, int]:
        """Returns how many orders rest, and how many wait for their trigger; `account` counts one account's.

        >>> from solvent import Book, Trigger
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> stop = book.order(2, "sell", 5, trigger=Trigger.stop(95))
        >>> book.order_counts(), book.order_counts(1)
        ((1, 1), (1, 0))
        """
        who = NOBODY if account is None else int_within(account, "account", 0, NOBODY - 1)
        resting, dormant = self._kernel.order_counts(who, NO_INSTRUMENT)
        return resting, dormant

    def dormant(self) -> list[dict[str, Any]]:
        """Returns every order that waits for its trigger as a dict, by id, with the terms of the trigger.

        >>> from solvent import Book, Trigger
        >>> book = Book()
        >>> ack = book.mark(101)
        >>> stop = book.order(1, "sell", 5, trigger=Trigger.stop(95))
        >>> [(row["account"], row["trigger_ticks"]) for row in book.dormant()]
        [(1, 95)]
        """
        return [self._row(row) | dict(zip(_DORMANT, row[12:], strict=True)) for row in self._kernel.dormant(0)]

    def _row(self, row: tuple[int, ...]) -> dict[str, Any]:
        named: dict[str, Any] = dict(zip(_RESTING, row, strict=False))
        return named | {"client_id": client_id_of(self._kernel, row[1], row[7])}


_RESTING = ("order_id", "account", "instrument", "side", "price_ticks", "remaining_lots", "size_lots", "client_id")
_DORMANT = (
    "trigger_ticks", "trail", "extreme_ticks", "slippage_ppb", "expiry_ns", "self_trade_group", "source", "kind",
    "trigger_flags", "self_trade", "leg", "activation_ticks", "step_ticks", "offset_ticks", "peg", "shape_flags", "rises",
    "display_lots", "hidden_lots", "tag", "peg_limit_ticks",
)  # fmt: skip
