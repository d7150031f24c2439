"""What Exchange and Book share: a kernel, its events, batches, the digest, and the gates for words and integers.

Owns the cursors over events and the one place that loads the compiled core. Never knows what a command means, but for ADVANCE.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from solvent.api import backend
from solvent.api.backend import Event, decode
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
from solvent.schema.commands import command
from solvent.schema.layouts import dtype
from solvent.schema.words import CommandType, EventType, Side
from solvent.terms.decimals import from_units, many, plain
from solvent.terms.order_words import flag_of, whole, wrong_type

if TYPE_CHECKING:
    import numpy as np

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
ERRORS = (Busy, Halted, WrongType, OutOfRange, InputError)
_NEVER = 2**64 - 1
_ALL = 2**64 - 1


def digest_of(data: bytes) -> bytes:
    """BLAKE2b-512; imported when first needed, so that the package imports fast."""
    from hashlib import blake2b

    return blake2b(data).digest()


def wanted_types(log: "Iterable[EventType] | None") -> int:
    """A bit for each event type that is written; all of them for None."""
    return _ALL if log is None else sum(1 << each for each in set(many(log, EventType, "log")))


def _plain_bytes(commands: Any) -> memoryview:
    """The bytes of command records. Raises WrongType for anything else, InputError where they do not lie together."""
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
    """What a method needs, and what it knows."""
    from inspect import signature

    terms = [each for each in signature(method).parameters.values() if each.name != "self"]
    return frozenset(each.name for each in terms if each.default is each.empty), frozenset(each.name for each in terms)


class Ack:
    """The answer to an order command; truthy if it was accepted.

    code: result code. order_id: engine id (of the first order, for a duplicate client id). filled: contracts
    traded by this order so far. resting: contracts left in the book; both as its own way through the book left them: what the
    same command then set off (triggers, liquidations) is in its events. seq: event sequence number of its BEGIN.
    """

    __slots__ = ("code", "order_id", "seq", "_filled_lots", "_resting_lots", "_lot", "_end", "_face")

    def __init__(self, face: "Face", code: int, lot: Decimal, begin: int):
        self.order_id, self._filled_lots, self._resting_lots = face._kernel.last
        self.code = Code(code)
        self.seq = begin
        self._lot = lot
        self._end: int = face._kernel.next_seq
        self._face = face

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
        return self._face._slice(self.seq, self._end)

    def __repr__(self) -> str:
        return f"Ack({self.code.name}, order_id={self.order_id}, filled={plain(self.filled)}, resting={plain(self.resting)})"


class Batch:
    """Answers to `run`, a row a command: columns order_id (uint64), filled_lots, resting_lots and code (int64)."""

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


class Cursor:
    """A reader of events from where it was made; iterating takes what has come since. Not thread-safe.

    An iteration ends with what had come when it began: what is caused inside the loop comes in the next one.

    types: EventTypes to keep; none keeps all. With retain=False events stay held until every cursor that
    is alive has read them.
    """

    def __init__(self, face: "Face", types: tuple[EventType, ...], begin: int):
        self._face = face
        self._types = frozenset(types)
        self.seq = begin

    def __iter__(self) -> Iterator[Event]:
        end = self._face._kernel.next_seq
        events = self._face._iterate(self.seq, end)
        self.seq = end  # only now: what raised Busy can be read later
        self._face._release()
        if not self._types:
            return events
        return (event for event in events if event.type in self._types)

    def array(self) -> "np.ndarray[Any, Any]":
        """The records that have come since, all types, as a structured view that pins its memory."""
        end = self._face._kernel.next_seq
        view = self._face._array(self.seq, end)
        self.seq = end
        self._face._release()
        return view

    def close(self) -> None:
        """Stops holding events; forgetting the cursor does the same."""
        self._face._cursors.discard(self)
        self._face._release()

    def __del__(self) -> None:
        if hasattr(self, "_face"):
            self._face._release()


class Face:
    """A kernel and everything that does not depend on what its commands mean.

    submit(account, side, price_ticks, size_lots, tif=0, flags=0, client_id=0, instrument=0) and revoke(account,
    order_id) are the kernel's own: an ORDER and a CANCEL from integers alone, for who counts nanoseconds. They answer
    with code, order_id, filled_lots and resting_lots, truthy if accepted.
    """

    _kernel: Any
    _wanted: int

    def __init__(self, kernel: Any, retain: bool):
        self._kernel = kernel
        self.submit = kernel.submit
        self.revoke = kernel.revoke
        self._retain = flag_of(retain, "retain")
        self._cursors: WeakSet[Cursor] = WeakSet()
        self._drained: int | None = kernel.next_seq if retain else None  # no Cursor: that would hold what holds it
        self._release()

    @classmethod
    def _load_kernel(cls) -> Any:
        """The kernel class that this face stands on."""
        return backend.compiled_kernel()

    @property
    def time_ns(self) -> int:
        """The clock: the latest time a command carried."""
        return int(self._kernel.clock_ns)

    @property
    def command_count(self) -> int:
        """How many commands were applied so far, refused ones included: what tells, after an exception from outside (Ctrl-C)
        came out of a call, whether its command had been applied. A command is applied whole or not at all."""
        return int(self._kernel.command_seq)

    @property
    def seed(self) -> int:
        """What the table of client ids is stirred with. Whoever knows it can choose ids that slow it down; nothing else
        depends on it."""
        return int(self._kernel.seed)

    def advance(self, time_ns: int) -> None:
        """Moves the clock; later calls inherit it. Raises Rejected(TIME_BACKWARDS) for an earlier time."""
        self._control(CommandType.ADVANCE, time_ns=whole(time_ns, "time_ns", -(2**63), 2**63 - 1))

    def _send(self, kind: CommandType, name: bytes, fields: dict[str, int]) -> int:
        fields.setdefault("time_ns", self._kernel.clock_ns)
        code: int = self._kernel.apply(command(kind, **fields) + name)
        return code

    def _control(self, kind: CommandType, name: bytes = b"", **fields: int) -> None:
        code = self._send(kind, name, fields)
        if code:
            raise Rejected(Code(code))

    def _ask(self, kind: CommandType, lot: Decimal, **fields: int) -> Ack:
        return self._ask_twice(kind, lot, b"", fields)

    def _ask_twice(self, kind: CommandType, lot: Decimal, second: bytes, fields: dict[str, int]) -> Ack:
        """A command with a second record, if there is one."""
        begin = self._kernel.next_seq
        if second:
            fields["records"] = 2
        return Ack(self, self._send(kind, second, fields), lot, begin)

    def batch(self, calls: "Sequence[tuple[str, Mapping[str, Any]]]") -> list[Ack]:
        """Several of order, amend, cancel, cancel_all in turn, each as (name, its arguments); an Ack for each.

        One that is refused does not stop the rest. Input that cannot be understood raises, and what came before stands:
        `solvent.applied(error)` says how many. A signal handler that raises ends it likewise.
        """
        found: tuple[Any, ...] = many(calls, object, "calls")
        for call in found:
            if not isinstance(call, tuple) or len(call) != 2 or not isinstance(call[1], Mapping):
                raise InputError(f"a call is (name, {{arguments}}), as in ('cancel', {{'account': 'bob'}}), not {shown(call)}")
            if not isinstance(call[0], str) or call[0] not in ("order", "amend", "cancel", "cancel_all"):
                raise InputError(f"a batch takes order, amend, cancel and cancel_all, not {shown(call[0])}")
            needed, known = _arguments(getattr(type(self), call[0]))
            if not needed <= set(call[1]) <= known:
                raise InputError(f"{call[0]} needs {', '.join(sorted(needed))}, and knows {', '.join(sorted(known))}")
        begun = self.command_count
        try:
            return [getattr(self, name)(**arguments) for name, arguments in found]
        except BaseException as error:
            self._tell(error, begun)
            raise

    def _tell(self, error: BaseException, begun: int) -> None:
        """Notes on an exception how many commands of a batch had been applied before it."""
        if not isinstance(error, Busy):
            count = self.command_count - begun
            count -= count > 0 and self._kernel.halted  # the one that halted is not whole
            error.commands_applied = count  # type: ignore[attr-defined]
            error.add_note(f"solvent: the first {count} commands of the batch were applied")

    @staticmethod
    def _named(order_id: int | None, client_id: int | None) -> dict[str, int]:
        if (order_id is None) == (client_id is None):
            raise InputError("name the order by order_id or by client_id, one of them")
        if order_id is not None:
            return {"order_id": whole(order_id, "order_id", 0, 2**64 - 1)}
        return {"client_id": whole(client_id, "client_id", 1, 2**63 - 1)}

    def run(self, commands: Any) -> Batch:
        """Applies many command records without the GIL: a contiguous array of dtype dtype("command") and no other, or
        plain bytes (bytes, bytearray, a memoryview of them).

        Same path as single calls; time_ns must be filled in. Returns codes, order ids, filled and resting lots as columns.
        A signal handler that raises (Ctrl-C) ends it between two commands; `solvent.applied(error)` says after how many.
        """
        data = _plain_bytes(commands)
        begun = self.command_count
        try:
            return Batch(self._kernel.run(data))
        except InputError:  # nothing was done
            raise
        except BaseException as error:
            self._tell(error, begun)
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
            drained = [] if self._drained is None else [self._drained]
            self._kernel.keep_from = min((*drained, *(cursor.seq for cursor in self._cursors)), default=_NEVER)

    def drain(self) -> Iterator[Event]:
        """The events since the last drain. With retain=False it starts at the first call."""
        end = self._kernel.next_seq
        events = self._iterate(end if self._drained is None else self._drained, end)
        self._drained = end  # only now: what raised Busy can be read later
        self._release()
        return events

    def writes(self, kind: EventType) -> bool:
        """Whether events of this type are written at all (`log`)."""
        if not isinstance(kind, EventType):
            raise wrong_type("kind", kind, "an EventType")
        return bool(self._wanted >> kind & 1)

    def cursor(self, *types: EventType, begin: int | None = None) -> Cursor:
        """A new reader of what comes from now on, or from the event `begin` on, of some types or all.

        Raises EventsDropped when that event is no longer held.
        """
        if not all(isinstance(each, EventType) for each in types):
            raise WrongType(f"cursor takes EventTypes, as in cursor(EventType.TRADE, EventType.DONE), not {shown(types)}")
        end = self._kernel.next_seq
        begin = end if begin is None else whole(begin, "begin", 1, end)
        if begin < self._kernel.first_seq:
            raise EventsDropped(f"event {begin} is no longer held; use retain=True or an earlier cursor")
        cursor = Cursor(self, types, begin)
        self._cursors.add(cursor)
        self._release()
        return cursor

    def events(self, view: bool = False) -> "np.ndarray[Any, Any]":
        """All held events as a structured array; `view` shares (and pins) the engine's memory, read-only."""
        shares = flag_of(view, "view")
        array = self._array(self._kernel.first_seq, self._kernel.next_seq)
        return array if shares else array.copy()

    # --- the book

    def _depth_arrays(self, instrument: int, n: int) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """(bids, asks), best first: int64 rows (price ticks, lots, orders) of at most n levels, without a Python loop."""
        import numpy as np

        bids, asks = (np.frombuffer(rows, "<i8").reshape(-1, 3) for rows in self._kernel.depth_bytes(instrument, n))
        return bids, asks

    def memory(self) -> dict[str, int]:
        """Bytes that the core's pools have used so far, by pool, and their sum under "total"."""
        return dict(self._kernel.memory())

    # --- state

    def digest(self) -> int:
        """The first 8 bytes of BLAKE2b over the canonical state (docs/digest.md), little-endian."""
        return int.from_bytes(digest_of(self._kernel.state())[:8], "little")

    def check(self) -> None:
        """Recomputes every invariant from the state. Raises InvariantBroken with the first that fails."""
        broken = self._kernel.check()
        if broken:
            raise InvariantBroken(broken)
