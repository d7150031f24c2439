"""Exchange: names and decimals in, commands to a kernel, views back.

Owns the names, the conversion between decimals and integers, and the cursors over events. Never holds or
changes a balance: all state is the kernel's, reached by commands, events and reads. The same class sits on
the compiled kernel and on the readable twin (solvent.reference.Exchange).
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from solvent import records
from solvent import rules as rule_sets
from solvent.codes import HINTS, Busy, Code, EventsDropped, Halted, InputError, InvariantBroken, Rejected, WrongType
from solvent.instrument import Instrument
from solvent.limits import FIRST_USER, MONEY_MAX, NAME_BYTES
from solvent.money import Dec, decimal, from_units, nearest_even, to_units
from solvent.records import CommandType, Event, EventType, Flag, Mode, Side, Tif, command, decode

if TYPE_CHECKING:
    import numpy as np

    from solvent import views

Acct = str | int
Inst = str | int
_NOBODY = 0xFFFFFFFF
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_TIFS = {"gtc": Tif.GTC, "ioc": Tif.IOC, "fok": Tif.FOK}
_MODES = {"cross": Mode.CROSS, "isolated": Mode.ISOLATED}
_NEVER = 2**64 - 1


def _hash(data: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(data).digest()


def wrong_type(what: str, value: object, wanted: str = "an int") -> WrongType:
    return WrongType(f"{what}: {type(value).__name__} {value!r} is refused; use {wanted}")


def _word(table: dict[str, Any], value: object, what: str) -> int:
    if not isinstance(value, str) or value.lower() not in table:
        raise InputError(f"{what} is one of {', '.join(table)}, not {value!r}")
    return int(table[value.lower()])


def _whole(value: object, what: str, low: int, high: int) -> int:
    if type(value) is not int:
        raise wrong_type(what, value)
    if not low <= value <= high:
        raise InputError(f"{what} is not from {low} to {high}")
    return value


class Ack:
    """The answer to an order command; truthy if it was accepted.

    code: result code. order_id: engine id (of the first order, for a duplicate client id). filled: contracts
    traded by this order so far. resting: contracts left in the book. seq: event sequence number of its BEGIN.
    """

    __slots__ = ("code", "order_id", "seq", "_filled_lots", "_resting_lots", "_lot", "_end", "_exchange")

    def __init__(self, exchange: "Exchange", code: int, lot: Decimal, begin: int):
        self.order_id, self._filled_lots, self._resting_lots = exchange._kernel.last
        self.code = Code(code)
        self.seq = begin
        self._lot = lot
        self._end: int = exchange._kernel.next_seq
        self._exchange = exchange

    @property
    def filled(self) -> Decimal:
        return from_units(self._filled_lots, self._lot)

    @property
    def resting(self) -> Decimal:
        return from_units(self._resting_lots, self._lot)

    def __bool__(self) -> bool:
        return self.code == Code.OK

    def ok(self) -> "Ack":
        """Itself, or raises Rejected."""
        if self.code != Code.OK:
            raise Rejected(self.code)
        return self

    @property
    def hint(self) -> str:
        """What the code means and what to do."""
        return HINTS[self.code]

    @property
    def events(self) -> list[Event]:
        """The command's events, BEGIN first. Raises EventsDropped when they are no longer held."""
        return self._exchange._slice(self.seq, self._end)

    def __repr__(self) -> str:
        return f"Ack({self.code.name}, order_id={self.order_id}, filled={self.filled}, resting={self.resting})"


class Batch:
    """Answers to `run`: columns `code` (uint16) and `order_id` (uint64), one row a command."""

    __slots__ = ("code", "order_id")

    def __init__(self, codes: bytes, order_ids: bytes):
        import numpy as np

        self.code = np.frombuffer(codes, "<u2")
        self.order_id = np.frombuffer(order_ids, "<u8")

    def __len__(self) -> int:
        return len(self.code)


class Cursor:
    """A reader of events from where it was made; iterating takes what has come since. Not thread-safe.

    types: EventTypes to keep; none keeps all. With retain=False events stay held until every cursor that
    is alive has read them.
    """

    def __init__(self, exchange: "Exchange", types: tuple[EventType, ...]):
        self._exchange = exchange
        self._types = frozenset(types)
        self.seq: int = exchange._kernel.next_seq

    def __iter__(self) -> Iterator[Event]:
        events = self._exchange._slice(self.seq, self._exchange._kernel.next_seq)
        self.seq = self._exchange._kernel.next_seq
        self._exchange._release()
        return (event for event in events if not self._types or event.type in self._types)

    def array(self) -> "np.ndarray[Any, Any]":
        """The records that have come since, all types, as a structured view that pins its memory."""
        begin, self.seq = self.seq, self._exchange._kernel.next_seq
        view = self._exchange._array(begin, self.seq)
        self._exchange._release()
        return view

    def close(self) -> None:
        """Stops holding events; forgetting the cursor does the same."""
        self._exchange._cursors.discard(self)
        self._exchange._release()

    def __del__(self) -> None:
        if hasattr(self, "_exchange"):
            self._exchange._release()


class Exchange:
    """An exchange for linear perpetual futures: matching, isolated and cross margin, liquidation.

    instruments: Instrument objects; those that settle in one currency share its precision. rules: name of a
    rule set ("seed", "okx_consistent") or a RuleSet. retain: keep all events; False drops those that no
    cursor waits for.

    Prices, sizes and amounts are int, str or Decimal in currency and contracts; float, bool and None raise
    WrongType, text that is no number InputError. Control commands raise Rejected(code, hint) when refused;
    orders answer with an Ack. One thread at a time: a concurrent call raises Busy.
    """

    def __init__(self, instruments: Iterable[Instrument], *, rules: str | rule_sets.RuleSet = "seed", retain: bool = True):
        self.instruments = () if isinstance(instruments, Instrument) else tuple(instruments)
        self.rules = rule_sets.find(rules)
        if not self.instruments or not all(isinstance(each, Instrument) for each in self.instruments):
            raise InputError("an exchange is made from a list of at least one Instrument")
        self._instrument_ids = {each.name: i for i, each in enumerate(self.instruments)}
        if len(self._instrument_ids) != len(self.instruments):
            raise InputError("two instruments have the same name")
        self.currencies: dict[str, Decimal] = {}
        for each in self.instruments:
            if self.currencies.setdefault(each.settle, each.unit) != each.unit:
                raise InputError(f"instruments disagree on the decimals of {each.settle}")
        self._currency_ids = {name: i for i, name in enumerate(self.currencies)}
        self._retain = retain
        self._cursors: WeakSet[Cursor] = WeakSet()
        self._kernel = self._make_kernel()
        self._release()
        self._drain: Cursor | None = Cursor(self, ()) if retain else None
        if self._drain:
            self._cursors.add(self._drain)

    def _make_kernel(self) -> Any:
        import json

        specs = [
            (
                spec.units_per_tick_lot, spec.max_price_ticks, spec.max_size_lots, spec.maker_fee_ppb,
                spec.taker_fee_ppb, spec.liquidation_fee_ppb, spec.default_leverage, self._currency_ids[each.settle],
                spec.tiers,
            )
            for each in self.instruments for spec in (each.spec,)
        ]  # fmt: skip
        compiled = self.rules.compiled()
        named = [[each.name for each in self.instruments], list(self.currencies), specs, compiled]
        config = _hash(json.dumps(named).encode())[:32]
        return self._load_kernel()(specs, len(self.currencies), compiled, config, (Busy, Halted))

    @classmethod
    def _load_kernel(cls) -> Any:
        try:
            from solvent._core import kernel
            from solvent._core import records as compiled
        except ImportError as error:
            raise ImportError(
                "the compiled core is missing; build it (pip install solvent), or say so and use "
                "solvent.reference.Exchange, the slower twin in pure Python"
            ) from error
        if compiled.layout() != {kind: records.layout(kind) for kind in ("command", "event")}:
            raise ImportError("the compiled core has other record layouts than this package; rebuild it")
        return kernel.Kernel

    # --- names and numbers

    def _account(self, account: Acct) -> int:
        if isinstance(account, str):
            found = self._kernel.account_id(account.encode(errors="surrogatepass"))
            return _NOBODY if found is None else int(found)
        if type(account) is not int:
            raise wrong_type("account", account, "a name or an id")
        return account if 0 <= account < self._kernel.account_count else _NOBODY

    def _instrument(self, instrument: Inst) -> int:
        if isinstance(instrument, str):
            return self._instrument_ids.get(instrument, _NOBODY)
        if type(instrument) is not int:
            raise wrong_type("instrument", instrument, "a name or an index")
        return instrument if 0 <= instrument < len(self.instruments) else _NOBODY

    def _terms(self, index: int) -> Instrument:
        """The instrument behind an id; for an unknown one any will do, the kernel refuses the command."""
        return self.instruments[index if index != _NOBODY else 0]

    def _known_account(self, account: Acct) -> int:
        index = self._account(account)
        if index == _NOBODY:
            raise Rejected(Code.UNKNOWN_ACCOUNT)
        return index

    def _known_instrument(self, instrument: Inst) -> int:
        index = self._instrument(instrument)
        if index == _NOBODY:
            raise Rejected(Code.UNKNOWN_INSTRUMENT)
        return index

    def account_name(self, account: int) -> str:
        """The name of an account id; the house's purses are in angle brackets."""
        if account < FIRST_USER:
            return f"<{records.Purse(account).name.lower()}>" if account in list(records.Purse) else f"<{account}>"
        return str(self._kernel.account_names()[account - FIRST_USER].decode())

    # --- commands

    def _send(self, kind: CommandType, name: bytes, fields: dict[str, int]) -> int:
        fields.setdefault("time_ns", self._kernel.clock_ns)
        code: int = self._kernel.apply(command(kind, **fields) + name)
        return code

    def _control(self, kind: CommandType, name: bytes = b"", **fields: int) -> None:
        code = self._send(kind, name, fields)
        if code:
            raise Rejected(Code(code))

    def _ask(self, kind: CommandType, lot: Decimal, **fields: int) -> Ack:
        begin = self._kernel.next_seq
        return Ack(self, self._send(kind, b"", fields), lot, begin)

    @property
    def time_ns(self) -> int:
        """The exchange's clock: the latest time a command carried."""
        return int(self._kernel.clock_ns)

    def advance(self, time_ns: int) -> None:
        """Moves the clock; later calls inherit it. Raises Rejected(TIME_BACKWARDS) for an earlier time."""
        self._control(CommandType.ADVANCE, time_ns=_whole(time_ns, "time_ns", -(2**63), 2**63 - 1))

    def open_account(self, name: str) -> int:
        """Opens an account and returns its id. Raises Rejected(ACCOUNT_EXISTS or BAD_NAME)."""
        if not isinstance(name, str):
            raise wrong_type("name", name, "a str")
        encoded = name.encode(errors="surrogatepass")  # which the kernel refuses
        if len(encoded) > NAME_BYTES or "\0" in name:
            raise Rejected(Code.BAD_NAME)
        self._control(CommandType.OPEN_ACCOUNT, encoded.ljust(NAME_BYTES, b"\0"), records=2)
        return int(self._kernel.last[0])

    def _amount(self, currency: str, amount: Dec, signed: bool = False) -> tuple[int, int]:
        """(currency id, units); an amount that is no whole number of units becomes one that is refused."""
        decimal(amount, "amount")
        if not isinstance(currency, str):
            raise WrongType(f"currency: {type(currency).__name__} {currency!r} is refused; use its name")
        if currency not in self._currency_ids:
            raise Rejected(Code.UNKNOWN_CURRENCY)
        units = to_units(amount, self.currencies[currency], "amount")
        return self._currency_ids[currency], _fit(units, signed)

    def deposit(self, account: Acct, currency: str, amount: Dec) -> None:
        """Adds money to a wallet; an unknown name is opened. Raises Rejected(BAD_AMOUNT, MONEY_LIMIT, ...)."""
        currency_id, units = self._amount(currency, amount)
        if isinstance(account, str) and self._account(account) == _NOBODY:
            if units <= 0:
                raise Rejected(Code.BAD_AMOUNT)
            if units > MONEY_MAX + self._kernel.wallet(records.Purse.OUTSIDE, currency_id)[0]:
                raise Rejected(Code.MONEY_LIMIT)
            self.open_account(account)
        self._control(CommandType.DEPOSIT, account=self._account(account), instrument=currency_id, amount=units)

    def withdraw(self, account: Acct, currency: str, amount: Dec) -> None:
        """Takes free money out: cash less holds, initial margin of cross positions and their open losses.

        Raises Rejected(INSUFFICIENT_BALANCE, WITHDRAWALS_CLOSED while the currency has a deficit, ...).
        """
        currency_id, units = self._amount(currency, amount)
        self._control(CommandType.WITHDRAW, account=self._account(account), instrument=currency_id, amount=units)

    def seed_fund(self, currency: str, amount: Dec) -> None:
        """Adds money to the insurance fund; an open deficit is repaid first."""
        currency_id, units = self._amount(currency, amount)
        self._control(CommandType.SEED_FUND, instrument=currency_id, amount=units)

    def set_leverage(self, account: Acct, instrument: Inst, leverage: int, *, mode: str = "isolated") -> None:
        """Sets leverage and margin mode ("isolated" or "cross") of one instrument.

        An account is cross until told otherwise; mind that the mode named here defaults to isolated. It
        changes only while flat without resting orders. An open isolated position keeps its margin.
        Raises Rejected(BAD_LEVERAGE, LEVERAGE_ABOVE_TIER, MODE_IN_USE, INSUFFICIENT_MARGIN).
        """
        self._control(
            CommandType.SET_LEVERAGE, account=self._account(account), instrument=self._instrument(instrument),
            mode=_word(_MODES, mode, "mode"), amount=_fit(_any_int(leverage, "leverage"), False),
        )  # fmt: skip

    def move_margin(self, account: Acct, instrument: Inst, amount: Dec) -> None:
        """Adds margin to an open isolated position from the wallet, or with a negative amount takes it back.

        Raises Rejected(NO_ISOLATED_POSITION, INSUFFICIENT_BALANCE, BELOW_INITIAL_MARGIN, BAD_AMOUNT).
        """
        decimal(amount, "amount")
        index = self._known_instrument(instrument)
        _, units = self._amount(self.instruments[index].settle, amount, signed=True)
        self._control(CommandType.MOVE_MARGIN, account=self._account(account), instrument=index, amount=units)

    def mark(self, instrument: Inst, price: Dec) -> Ack:
        """Sets the mark price (rounded half to even to ticks) and liquidates whoever it endangers.

        Raises Rejected(BAD_PRICE) for a mark of zero, below, or above the instrument's highest price.
        """
        index = self._known_instrument(instrument)
        ticks = nearest_even(price, self.instruments[index].tick_size, "mark price")
        return self._ask(
            CommandType.MARK, self.instruments[index].lot_size, instrument=index, price_ticks=_fit(ticks, False)
        ).ok()

    def order(
        self, account: Acct, instrument: Inst, side: str, size: Dec, *, price: Dec | None = None, tif: str = "gtc",
        post_only: bool = False, reduce_only: bool = False, client_id: int = 0,
    ) -> Ack:  # fmt: skip
        """Places an order.

        side: "buy" or "sell". size: contracts. price: limit in currency; None is a market order, protected
        by the price band and never resting. tif: "gtc", "ioc" or "fok". post_only: refused if it would
        trade. reduce_only: cut to what is left of the position. client_id: the caller's own id, 1 to
        2**63 - 1. An order against an own resting order cancels that one (self-trade prevention).

        An accepted immediate or market order may find nobody: the Ack is truthy and `filled` says how much.
        Why the rest ended is in its DONE event.
        """
        index = self._instrument(instrument)
        terms = self._terms(index)
        tif_id = _word(_TIFS, tif, "tif")
        flags = _flag(post_only, "post_only", Flag.POST_ONLY) | _flag(reduce_only, "reduce_only", Flag.REDUCE_ONLY)
        ticks = 0
        if price is None:
            flags |= Flag.MARKET
            tif_id = tif_id or Tif.IOC
        else:
            ticks = _fit(to_units(price, terms.tick_size, "price"), False)
        return self._ask(
            CommandType.ORDER, terms.lot_size, account=self._account(account), instrument=index,
            side=_word(_SIDES, side, "side"), tif=tif_id, flags=flags, price_ticks=ticks,
            size_lots=_fit(to_units(size, terms.lot_size, "size"), False),
            client_id=_whole(client_id, "client_id", 0, 2**63 - 1),
        )  # fmt: skip

    def amend(
        self, account: Acct, order_id: int | None = None, *, client_id: int | None = None,
        size: Dec | None = None, price: Dec | None = None,
    ) -> Ack:  # fmt: skip
        """Changes a resting order's total size (what is filled included) and price.

        A smaller size keeps its place in the queue; anything else goes to the back, and may trade.
        """
        found = self._named(order_id, client_id)
        row = self._find_order(account, **found)
        terms = self._terms(row[2] if row else 0)
        lots = ticks = 0
        if size is not None:
            lots = _fit(to_units(size, terms.lot_size, "size"), False) or -1
        if price is not None:
            ticks = _fit(to_units(price, terms.tick_size, "price"), False) or -1
        fields = {"account": self._account(account), "size_lots": lots, "price_ticks": ticks}
        return self._ask(CommandType.AMEND, terms.lot_size, **fields, **found)

    def cancel(self, account: Acct, order_id: int | None = None, *, client_id: int | None = None) -> Ack:
        """Cancels a resting order by its id or by the account's client id."""
        found = self._named(order_id, client_id)
        row = self._find_order(account, **found)
        terms = self._terms(row[2] if row else 0)
        return self._ask(CommandType.CANCEL, terms.lot_size, account=self._account(account), **found)

    def _named(self, order_id: int | None, client_id: int | None) -> dict[str, int]:
        if (order_id is None) == (client_id is None):
            raise InputError("name the order by order_id or by client_id, one of them")
        if order_id is not None:
            return {"order_id": _whole(order_id, "order_id", 0, 2**64 - 1)}
        return {"client_id": _whole(client_id, "client_id", 1, 2**63 - 1)}

    def _find_order(self, account: Acct, order_id: int = 0, client_id: int = 0) -> tuple[int, ...] | None:
        row: tuple[int, ...] | None = self._kernel.find_order(self._account(account), order_id, client_id)
        return row

    def run(self, commands: Any) -> Batch:
        """Applies many command records (an array of dtype records.dtype("command"), or bytes) without the GIL.

        Same path as single calls; time_ns must be filled in. Returns codes and order ids as columns.
        """
        if getattr(commands, "dtype", None) == records.dtype("event"):
            raise InputError("these records are events, not commands")
        try:
            return Batch(*self._kernel.run(memoryview(commands).cast("B")))
        except (TypeError, ValueError) as error:
            raise InputError(f"run takes whole command records in one contiguous buffer: {error}") from None

    # --- events

    def _slice(self, begin: int, end: int) -> list[Event]:
        try:
            view = self._kernel.view(begin, end)
        except IndexError:
            raise EventsDropped(f"events {begin} to {end} are no longer held; use retain=True or a cursor") from None
        return list(decode(memoryview(view)))

    def _array(self, begin: int, end: int) -> "np.ndarray[Any, Any]":
        import numpy as np

        if begin == end:
            return np.empty(0, records.dtype("event"))
        try:
            return np.frombuffer(self._kernel.view(begin, end), records.dtype("event"))
        except IndexError:
            raise EventsDropped(f"events {begin} to {end} are no longer held; use retain=True or a cursor") from None

    def _release(self) -> None:
        if not self._retain:
            self._kernel.keep_from = min((cursor.seq for cursor in self._cursors), default=_NEVER)

    def drain(self) -> Iterator[Event]:
        """The events since the last drain. With retain=False it starts at the first call."""
        if self._drain is None:
            self._drain = self.cursor()
        return iter(self._drain)

    def cursor(self, *types: EventType) -> Cursor:
        """A new reader of what comes from now on, of some types or all."""
        if not all(isinstance(each, EventType) for each in types):
            raise WrongType(f"cursor takes EventTypes, not {types!r}")
        cursor = Cursor(self, types)
        self._cursors.add(cursor)
        self._release()
        return cursor

    def events(self, view: bool = False) -> "np.ndarray[Any, Any]":
        """All held events as a structured array; `view` shares (and pins) the engine's memory, read-only."""
        array = self._array(self._kernel.first_seq, self._kernel.next_seq)
        return array if view else array.copy()

    # --- views

    def account(self, account: Acct) -> "views.AccountView":
        """Balances and positions now. Raises Rejected(UNKNOWN_ACCOUNT)."""
        from solvent import views

        return views.account_view(self, self._known_account(account))

    def position(self, account: Acct, instrument: Inst) -> "views.PositionView":
        """One position now; flat if there is none. Raises Rejected for unknown names."""
        from solvent import views

        return views.position_view(self, self._known_account(account), self._known_instrument(instrument))

    def open_orders(self, account: Acct, instrument: Inst | None = None) -> "list[views.OrderView]":
        """Resting orders by id."""
        from solvent import views

        wanted = None if instrument is None else self._known_instrument(instrument)
        rows = self._kernel.orders_of(self._known_account(account))
        return [views.order_view(self, row) for row in rows if wanted is None or row[2] == wanted]

    def depth(self, instrument: Inst, n: int = 20) -> "views.Depth":
        """Aggregated levels, best first: bids and asks as (price, contracts)."""
        from solvent import views

        return views.depth_view(self, self._known_instrument(instrument), _whole(n, "n", 0, 2**62))

    def explain(self, account: Acct) -> "views.Explanation":
        """Every term of an account's margin, its prices, and what would happen next; print it."""
        from solvent import views

        return views.explain(self, self._known_account(account))

    def fund(self, currency: str) -> Decimal:
        """The insurance fund's balance."""
        from solvent import views

        return views.purse_balance(self, records.Purse.FUND, currency)

    def deficit(self, currency: str) -> Decimal:
        """What nobody could pay: zero or negative."""
        from solvent import views

        return views.purse_balance(self, records.Purse.DEFICIT, currency)

    def parcels(self) -> "list[views.ParcelView]":
        """Positions that the house has taken over and not yet closed, by id."""
        from solvent import views

        return [views.parcel_view(self, row) for row in self._kernel.parcels()]

    def digest(self) -> int:
        """The first 8 bytes of BLAKE2b over the canonical state (docs/digest.md), little-endian."""
        return int.from_bytes(_hash(self._kernel.state())[:8], "little")

    def check(self) -> None:
        """Recomputes every invariant from the state. Raises InvariantBroken with the first that fails."""
        broken = self._kernel.check()
        if broken:
            raise InvariantBroken(broken)


def _any_int(value: object, what: str) -> int:
    if type(value) is not int:
        raise wrong_type(what, value)
    return value


def _fit(count_: int | None, signed: bool) -> int:
    """An integer for a record: what the record or the rules cannot hold becomes 0 or -1, which is refused."""
    if count_ is None or not -(2**62) < count_ < 2**62:
        return 0 if signed else -1
    return count_


def _flag(value: object, what: str, flag: Flag) -> int:
    if type(value) is not bool:
        raise wrong_type(what, value, "True or False")
    return int(flag) if value else 0
