"""Exchange and Book share this: a kernel, its events, batches, the digest, and the gates for words and integers.

Owns the cursors over events and the one place that loads the compiled core. Knows the meaning of no command but ADVANCE.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from solvent.api import backend
from solvent.api.atomic import CALLS, Atomic, member_calls
from solvent.api.backend import Event, decode
from solvent.api.cursor import Cursor
from solvent.api.past import Past
from solvent.api.strict import strictly
from solvent.schema.codes import (
    HINTS,
    Busy,
    Code,
    EventsDropped,
    Halted,
    InputError,
    InvariantBroken,
    OutOfRange,
    Rejected,
    WrongType,
    shown,
)
from solvent.schema.commands import batch, command
from solvent.schema.layouts import NOBODY, RECORD_BYTES, dtype
from solvent.schema.words import CommandType, EventType, Side
from solvent.terms.decimals import from_units, members_of, plain
from solvent.terms.order_words import client_number_of, flag_of, int_within, wrong_type

if TYPE_CHECKING:
    import numpy as np

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
ERRORS = (Busy, Halted, WrongType, OutOfRange, InputError)
_CODES = {int(code): code for code in Code}
_NEVER = _ALL = 2**64 - 1
# What a copy of an exchange has of its own.
_LIVING = {"_kernel", "submit", "revoke", "_cursors", "_drained", "_counted", "_sums", "_keeper", "_quick"}


def digest_of(data: bytes) -> bytes:
    """Hashes bytes with BLAKE2b-512. The import waits for the first call, so that the package imports fast."""
    from hashlib import blake2b

    return blake2b(data).digest()


def wanted_types(log: "Iterable[EventType] | None") -> int:
    """Returns a bit for each event type that is written; None sets all of them."""
    return _ALL if log is None else sum(1 << each for each in set(members_of(log, EventType, "log")))


def _plain_bytes(commands: Any) -> memoryview:
    """Returns the bytes of command records. Raises WrongType for other data, InputError if the bytes are not contiguous."""
    made = hasattr(commands, "dtype")
    if made and commands.dtype != dtype("command"):
        raise WrongType(f"run takes an array of dtype('command') records, not of {shown(commands.dtype)}")
    try:
        view = memoryview(commands)
    except (TypeError, ValueError):
        raise wrong_type("commands", commands, "an array of dtype('command') records, or bytes") from None
    if not made and view.format != "B":
        raise WrongType(f"run takes bytes, not a buffer of {view.format!r}")
    if not view.c_contiguous:
        raise InputError("run takes records that lie together: make a contiguous copy")
    return view.cast("B") if view.nbytes else memoryview(b"")


@cache
def _arguments(method: "Callable[..., Ack]") -> tuple[frozenset[str], frozenset[str]]:
    """Returns the names of the arguments that a method needs, and of all that it knows."""
    from inspect import signature

    terms = [each for each in signature(method).parameters.values() if each.name != "self"]
    return frozenset(each.name for each in terms if each.default is each.empty), frozenset(each.name for each in terms)


class Ack:
    """Answers one order command; true if the command was accepted.

    code: the result code. order_id: the engine's id; for a duplicate client id, that of the first order. filled: contracts
    that this order has traded so far (lots for a Book). resting: contracts left in the book. Both tell how the order left its
    own way through the book. Triggers and liquidations that the same command set off are in `events`. seq: the sequence number
    of the command's BEGIN event.

    >>> from solvent import Book
    >>> book = Book()
    >>> ack = book.order(1, "sell", 5, price_ticks=101)
    >>> bool(ack), ack.filled, ack.resting, [event.type.name for event in ack.events]
    (True, Decimal('0'), Decimal('5'), ['BEGIN', 'ACCEPTED', 'RESTED'])
    """

    __slots__ = ("code", "order_id", "seq", "_filled_lots", "_resting_lots", "_lot", "_end", "_face")
    _face: "Face | None"

    def __init__(self, face: "Face", code: int, lot: Decimal, begin: int):
        self.order_id, self._filled_lots, self._resting_lots = face._kernel.last
        self.code = Code(code)
        self.seq = begin
        self._lot = lot
        self._end: int = face._kernel.next_seq
        self._face = face

    @property
    def filled(self) -> Decimal:
        """Returns the contracts (lots for a Book) that the order has traded so far."""
        return from_units(self._filled_lots, self._lot)

    @property
    def resting(self) -> Decimal:
        """Returns the contracts (lots for a Book) that the order left in the book."""
        return from_units(self._resting_lots, self._lot)

    def __bool__(self) -> bool:
        return self.code == Code.OK

    def ok(self) -> "Ack":
        """Returns the Ack itself. Raises Rejected if the command was refused.

        >>> from solvent import Book
        >>> Book().cancel(1, 99).ok()
        Traceback (most recent call last):
        solvent.schema.codes.Rejected: UNKNOWN_ORDER: ...
        """
        if self.code != Code.OK:
            raise Rejected(self.code, order_id=self.order_id)
        return self

    @property
    def hint(self) -> str:
        """Returns the meaning of the code, and what to do about it."""
        return HINTS[self.code]

    @property
    def events(self) -> list[Event]:
        """Returns the command's events, BEGIN first. Raises EventsDropped when they are no longer held."""
        if self._face is None:
            raise EventsDropped("an Ack out of a pickle has no exchange to read events from; pickle `ack.events` beside it")
        return self._face._slice(self.seq, self._end)

    def __copy__(self) -> "Ack":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Ack":
        return self  # nothing of it changes, and its events are those of its exchange

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return None, {name: getattr(self, name) for name in self.__slots__} | {"_face": None}

    def __repr__(self) -> str:
        return f"Ack({self.code.name}, order_id={self.order_id}, filled={plain(self.filled)}, resting={plain(self.resting)})"


def ack_of(face: "Face", told: tuple[int, int, int, int, int, int], lot: Decimal) -> Ack:
    """Returns the answer to a command by its receipt, and the numbers of its first and the next event."""
    ack = Ack.__new__(Ack)
    ack.order_id, ack._filled_lots, ack._resting_lots, code, ack.seq, ack._end = told
    ack.code, ack._lot, ack._face = _CODES[code], lot, face
    return ack


class Batch:
    """Answers `run`: one row a command, in columns order_id (uint64), filled_lots, resting_lots and code (int64)."""

    __slots__ = ("code", "order_id", "filled_lots", "resting_lots")

    def __init__(self, answers: bytes):
        import numpy as np

        rows = np.frombuffer(answers, "<i8").reshape(-1, 4)
        self.order_id = rows[:, 0].view("<u8")
        self.filled_lots, self.resting_lots, self.code = (rows[:, i] for i in range(1, 4))

    def __len__(self) -> int:
        return len(self.code)

    def __repr__(self) -> str:
        return f"Batch({len(self)} commands, {int((self.code == Code.OK).sum())} OK)"


class Face(Past):
    """Holds a kernel, and does everything that does not depend on the meaning of its commands.

    submit(account, side, price_ticks, size_lots, tif=0, flags=0, client_id=0, instrument=0) and revoke(account, order_id) are
    the kernel's own methods: an ORDER and a CANCEL from integers alone, for callers who count nanoseconds. They answer with
    code, order_id, filled_lots and resting_lots, true if accepted.

    >>> from solvent import Book
    >>> book = Book()
    >>> answer = book.submit(1, 1, 101, 5)
    >>> bool(answer), answer.resting_lots, bool(book.revoke(1, answer.order_id))
    (True, 5, True)
    """

    _kernel: Any
    _wanted: int

    def __init__(self, kernel: Any, retain: bool, strict: bool):
        self._strict = flag_of(strict, "strict")
        self._stand_on(kernel, flag_of(retain, "retain"))

    def _stand_on(self, kernel: Any, retain: bool) -> None:
        self._kernel = kernel
        self.submit = kernel.submit
        self.revoke = kernel.revoke
        if self._strict:
            self._be_strict()
        self._cursors: WeakSet[Cursor] = WeakSet()
        self._counted: int | None = None  # where the sums of statements go on, once they are asked for
        self._hold_events(retain)

    def _be_strict(self) -> None:
        """Makes every refusal raise Rejected from now on."""
        self._strict = True
        self.submit = strictly(self.submit)
        self.revoke = strictly(self.revoke)

    def _hold_events(self, retain: bool) -> None:
        """Holds all events from now on, or only those that cursors wait for."""
        self._retain = retain
        self._drained: int | None = self._kernel.next_seq if retain else None  # no Cursor: that would hold what holds it
        if retain:
            self._kernel.keep_from = self._kernel.next_seq
        self._release()

    @classmethod
    def _load_kernel(cls) -> Any:
        """Returns the kernel class that this face stands on."""
        return backend.compiled_kernel()

    @property
    def time_ns(self) -> int:
        """Returns the clock: the latest time that a command carried, in nanoseconds.

        >>> from solvent import Book
        >>> book = Book()
        >>> book.advance(5)
        >>> book.time_ns
        5
        """
        return int(self._kernel.clock_ns)

    @property
    def command_count(self) -> int:
        """Returns the number of commands applied so far, refused ones included.

        A command is applied whole or not at all. After an exception from outside (Ctrl-C) the count tells whether the
        interrupted command was applied.

        >>> from solvent import Book
        >>> book = Book()
        >>> refused = book.cancel(1, 99)
        >>> book.command_count
        1
        """
        return int(self._kernel.command_seq)

    @property
    def seed(self) -> int:
        """Returns the number that stirs the table of client ids. Nothing else depends on it.

        Keep it from traders: whoever knows it can choose client ids that slow the table down.

        >>> from solvent import Book
        >>> Book(seed=7).seed
        7
        """
        return int(self._kernel.seed)

    def advance(self, time_ns: int) -> None:
        """Moves the clock to time_ns; later calls inherit the time. Orders expire, and price models sample, as time passes.

        Raises Rejected(TIME_BACKWARDS) for a time before the clock.

        >>> from solvent import Book
        >>> book = Book()
        >>> bid = book.order(1, "buy", 5, price_ticks=99, tif="gtd", expiry_ns=1_000)
        >>> book.advance(1_000)
        >>> book.depth()
        ([], [])
        """
        self._control(CommandType.ADVANCE, time_ns=int_within(time_ns, "time_ns", -(2**63), 2**63 - 1))

    def _send(self, kind: CommandType, name: bytes, fields: dict[str, int]) -> int:
        fields.setdefault("time_ns", self._kernel.clock_ns)
        code: int = (self._keeper or self._kernel).apply(command(kind, **fields) + name)
        return code

    def _control(self, kind: CommandType, name: bytes = b"", **fields: int) -> None:
        code = self._send(kind, name, fields)
        if code:
            raise Rejected(Code(code))

    def _ask(self, kind: CommandType, lot: Decimal, **fields: int) -> Ack:
        return self._ask_extended(kind, lot, b"", fields)

    def _ask_extended(self, kind: CommandType, lot: Decimal, more: bytes, fields: dict[str, int]) -> Ack:
        """Sends a command with its further records."""
        begin = self._kernel.next_seq
        fields["records"] = 1 + len(more) // RECORD_BYTES
        ack = Ack(self, self._send(kind, more, fields), lot, begin)
        return ack.ok() if self._strict else ack

    def batch(self, calls: "Sequence[tuple[str, Mapping[str, Any]]]") -> list[Ack]:
        """Runs several of order, amend, cancel and cancel_all in turn, and returns an Ack for each.

        calls: pairs (name, its arguments as a mapping). A refused call does not stop the rest. A call that cannot be
        understood raises InputError; a signal handler (Ctrl-C) may raise, too. The calls before it stay applied:
        `solvent.applied(error)` counts them. With strict=True the first refused call ends the batch with Rejected.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = {"account": 1, "side": "sell", "size_lots": 5, "price_ticks": 101}
        >>> [ack.code.name for ack in book.batch([("order", ask), ("cancel", {"account": 1, "order_id": 99})])]
        ['OK', 'UNKNOWN_ORDER']
        """
        found = self._calls(calls, ("order", "amend", "cancel", "cancel_all"))
        begun = self.command_count
        try:
            return [getattr(self, name)(**arguments) for name, arguments in found]
        except BaseException as error:
            self._note_applied(error, begun)
            raise

    def _calls(self, calls: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
        """Returns calls of these names, each with its arguments. Raises InputError for one that cannot be understood."""
        found: tuple[Any, ...] = members_of(calls, object, "calls")
        for call in found:
            if not isinstance(call, tuple) or len(call) != 2 or not isinstance(call[1], Mapping):
                raise InputError(f"a call is (name, {{arguments}}), as in ('cancel', {{'account': 'bob'}}), not {shown(call)}")
            if not isinstance(call[0], str) or call[0] not in names or not hasattr(type(self), call[0]):
                raise InputError(f"a batch takes {', '.join(names[:-1])} and {names[-1]}, not {shown(call[0])}")
            needed, known = _arguments(getattr(type(self), call[0]))
            if not needed <= set(call[1]) <= known:
                raise InputError(f"{call[0]} needs {', '.join(sorted(needed))}, and knows {', '.join(sorted(known))}")
        return found

    def atomic(self, calls: "Sequence[tuple[str, Mapping[str, Any]]]", account: int | str | None = None) -> "Atomic[Ack]":
        """Applies several calls all, or none if one of them would be refused, and returns an Atomic.

        calls: 1 to 256 pairs (name, its arguments as a mapping), as for `batch`; solvent.api.atomic.CALLS names them. They
        are one command: it has one number, one time and one place in a journal. account: whose all of them must be; None is
        the host, who may send for anyone. An order that trades in part or not at all is not refused; neither is an amendment
        that changes nothing. `ex.fork().atomic(calls)` shows what they would do.

        Raises InputError for a call that cannot be understood, or depends on what an earlier one does; with strict=True
        Rejected, with the code and a note that names the call. It costs a copy of the exchange (docs/reference/orders.md).

        >>> from solvent import Book
        >>> book = Book()
        >>> bid = book.order(1, "buy", 5, price_ticks=99)
        >>> ask = {"account": 1, "side": "sell", "size_lots": 5, "price_ticks": 101}
        >>> calls = [("cancel", {"account": 1, "order_id": bid.order_id}), ("order", ask)]
        >>> book.atomic([*calls, ("order", ask | {"tif": "fok"})])
        Atomic(FOK_UNFILLED, refused=2)
        >>> book.atomic(calls)
        Atomic(OK, 2 calls)
        >>> book.depth()
        ([], [(101, 5)])
        """
        records, lots = member_calls(self._kernel, self._on, self._calls(calls, CALLS))
        who, begin = NOBODY if account is None else int(self._batch_account(account)), self._kernel.next_seq
        code = (self._keeper or self._kernel).apply(batch(records, who, self._kernel.clock_ns))
        told = [] if code else self._kernel.members
        ends = [each[4] for each in told[1:]] + [self._kernel.next_seq]
        acks = [ack_of(self, (*each, end), lot) for each, lot, end in zip(told, lots, ends, strict=bool(told))]
        answer = Atomic(Code(code), int(self._kernel.last[1]), acks, begin)
        return answer.ok() if self._strict else answer

    def _batch_account(self, account: Any) -> int:
        """Returns the number of the account whose a batch is."""
        return int_within(account, "account", 0, NOBODY - 1)

    def _note_applied(self, error: BaseException, begun: int) -> None:
        """Notes on an exception how many commands of a batch had been applied before it."""
        if not isinstance(error, Busy):
            count = self.command_count - begun
            count -= count > 0 and self._kernel.halted  # the one that halted is not whole
            error.commands_applied = count  # type: ignore[attr-defined]
            error.add_note(f"solvent: the first {count} commands of the batch were applied")

    @staticmethod
    def _named(order_id: int | None, client_id: int | str | None) -> dict[str, int]:
        if (order_id is None) == (client_id is None):
            raise InputError("name the order by order_id or by client_id, one of them")
        if order_id is not None:
            return {"order_id": int_within(order_id, "order_id", 0, 2**64 - 1)}
        return {"client_id": client_number_of(client_id, 1)}

    def run(self, commands: Any) -> Batch:
        """Applies many command records without the GIL, and returns a Batch with a row for each.

        commands: a contiguous array of dtype("command"), or plain bytes (bytes, bytearray, a memoryview of them). Every
        command takes the same path as a single call. Fill in time_ns: no record inherits the clock. Refusals are codes in the
        Batch, with strict=True as well.

        Raises WrongType for other data, InputError for bytes that are not contiguous. A signal handler that raises (Ctrl-C)
        ends the batch between two commands; `solvent.applied(error)` counts those before.

        >>> import numpy as np
        >>> from solvent import Book
        >>> from solvent.records import CommandType, Side, dtype
        >>> batch = np.zeros(2, dtype("command"))
        >>> batch["type"], batch["records"], batch["price_ticks"], batch["size_lots"] = CommandType.ORDER, 1, 101, 5
        >>> batch["account"], batch["side"] = [1, 2], [Side.SELL, Side.BUY]
        >>> Book().run(batch).filled_lots.tolist()
        [0, 5]
        """
        data = _plain_bytes(commands)
        begun = self.command_count
        try:
            return Batch((self._keeper or self._kernel).run(data))
        except InputError:  # nothing was done
            raise
        except BaseException as error:
            self._note_applied(error, begun)
            raise

    # --- events

    def _view(self, begin: int, end: int) -> Any:
        try:
            return self._kernel.view(begin, end)
        except IndexError:
            raise EventsDropped(f"events {begin} to {end} are no longer held; use retain=True or a cursor") from None

    def _iterate(self, begin: int, end: int) -> Iterator[Event]:
        view = self._view(begin, end)
        return decode(view) if isinstance(view, bytes) else iter(view)

    def _slice(self, begin: int, end: int) -> list[Event]:
        return list(self._iterate(begin, end))

    def _array(self, begin: int, end: int) -> "np.ndarray[Any, Any]":
        import numpy as np

        if begin == end:
            return np.empty(0, dtype("event"))
        return np.frombuffer(self._view(begin, end), dtype("event"))

    def _release(self) -> None:
        if not self._retain:
            own = [seq for seq in (self._drained, self._counted) if seq is not None]
            self._kernel.keep_from = min((*own, *(cursor.seq for cursor in self._cursors)), default=_NEVER)

    def drain(self) -> Iterator[Event]:
        """Returns the events since the last drain. With retain=False the first call only sets the starting point.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> [event.type.name for event in book.drain()]
        ['BEGIN', 'ACCEPTED', 'RESTED']
        """
        end = self._kernel.next_seq
        events = self._iterate(end if self._drained is None else self._drained, end)
        self._drained = end  # only now: what raised Busy can be read later
        self._release()
        return events

    def writes(self, kind: EventType) -> bool:
        """True if events of this type are written at all (argument `log`).

        >>> from solvent import Book, EventType
        >>> Book(log=[EventType.TRADE]).writes(EventType.DONE)
        False
        """
        if not isinstance(kind, EventType):
            raise wrong_type("kind", kind, "an EventType")
        return bool(self._wanted >> kind & 1)

    def cursor(self, *types: EventType, begin: int | None = None) -> Cursor:
        """Returns a Cursor over the events from now on, or from the event numbered `begin` on.

        types: the EventTypes to keep; none keeps all. Raises EventsDropped when the event `begin` is no longer held.

        >>> from solvent import Book, EventType
        >>> book = Book()
        >>> trades = book.cursor(EventType.TRADE)
        >>> ask, bid = book.order(1, "sell", 5, price_ticks=101), book.order(2, "buy", 2, price_ticks=101)
        >>> [(trade.price_ticks, trade.size_lots) for trade in trades]
        [(101, 2)]
        """
        if not all(isinstance(each, EventType) for each in types):
            raise WrongType(f"cursor takes EventTypes, as in cursor(EventType.TRADE, EventType.DONE), not {shown(types)}")
        end = self._kernel.next_seq
        begin = end if begin is None else int_within(begin, "begin", 1, end)
        if begin < self._kernel.first_seq:
            raise EventsDropped(f"event {begin} is no longer held; use retain=True or an earlier cursor")
        cursor = Cursor(self, types, begin)
        self._cursors.add(cursor)
        self._release()
        return cursor

    def events(self, view: bool = False) -> "np.ndarray[Any, Any]":
        """Returns all held events as a structured array of dtype("event").

        view: True shares the engine's memory, read-only, and pins it; False copies.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> book.events()["type"].tolist()
        [1, 6, 7]
        """
        shares = flag_of(view, "view")
        array = self._array(self._kernel.first_seq, self._kernel.next_seq)
        return array if shares else array.copy()

    # --- the book

    def _depth_arrays(self, instrument: int, n: int) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """Returns (bids, asks) of at most n levels, best first: int64 rows of price ticks, lots and orders."""
        import numpy as np

        bids, asks = (np.frombuffer(rows, "<i8").reshape(-1, 3) for rows in self._kernel.depth_bytes(instrument, n))
        return bids, asks

    def memory(self) -> dict[str, int]:
        """Returns the bytes that the core's pools have used so far, by pool, with their sum under "total".

        >>> from solvent import Book
        >>> usage = Book().memory()
        >>> usage["total"] == sum(usage.values()) - usage["total"]
        True
        """
        return dict(self._kernel.memory())

    # --- state

    def fork(self) -> Self:
        """Returns a copy of the exchange with all its state; both go on independently.

        The same commands bring both to the same state, event for event. The copy's events begin with its next one. It has no
        cursors and no journal. copy.copy and copy.deepcopy fork, too. Raises Busy while another call runs.

        >>> from solvent import Book
        >>> book = Book()
        >>> ask = book.order(1, "sell", 5, price_ticks=101)
        >>> fork = book.fork()
        >>> ack = fork.order(2, "buy", 5, price_ticks=101)
        >>> fork.depth(), book.depth()
        (([], []), ([], [(101, 5)]))
        """
        return self._on(self._kernel.fork())

    def _on(self, kernel: Any) -> Self:
        """Returns an exchange with these terms on another kernel."""
        other = object.__new__(type(self))
        vars(other).update(self._lasting())
        other._stand_on(kernel, self._retain)
        return other

    def _lasting(self) -> dict[str, Any]:
        """Returns copies of the attributes that a copy shares in value: the terms."""
        return {name: copy.copy(value) for name, value in vars(self).items() if name not in _LIVING}

    def __copy__(self) -> Self:
        return self.fork()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.fork()

    def __getstate__(self) -> tuple[dict[str, Any], Any]:
        return self._lasting(), self._kernel

    def __setstate__(self, state: tuple[dict[str, Any], Any]) -> None:
        vars(self).update(state[0])
        self._stand_on(state[1], self._retain)

    def digest(self) -> int:
        """Returns a hash of the whole state: the first 8 bytes of BLAKE2b over the canonical state, little-endian.

        Two exchanges with equal digests answer alike for ever (docs/reference/digest.md).

        >>> from solvent import Book, reference
        >>> compiled, readable = Book(), reference.Book()
        >>> acks = [book.order(1, "sell", 5, price_ticks=101) for book in (compiled, readable)]
        >>> compiled.digest() == readable.digest()
        True
        """
        return int(self._kernel.digest())

    def check(self) -> None:
        """Recomputes every invariant from the state. Raises InvariantBroken with the first one that fails.

        >>> from solvent import Book
        >>> Book().check()
        """
        broken = self._kernel.check()
        if broken:
            raise InvariantBroken(broken)
