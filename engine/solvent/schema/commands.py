"""Commands: a class for each, with a name for everything that the command says and its place in the record of 64 bytes.

Owns the names. A kernel reads a record once, when it dispatches it. Its handlers see one of these classes, in the compiled
core a struct rendered from it (schema/header.py). Never decides whether a command is allowed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from solvent.schema.codes import InputError, shown
from solvent.schema.layouts import (
    BRACKET,
    BRACKET_FIELDS,
    COMMAND,
    COMMAND_FIELDS,
    EXTENSION,
    EXTENSION_FIELDS,
    NOBODY,
    RECORD_BYTES,
    SHAPE,
    SHAPE_FIELDS,
)  # fmt: skip
from solvent.schema.limits import BATCH_RECORDS_MAX
from solvent.schema.words import CommandType

__all__ = [
    "ALONE", "COMMANDS", "COSTS_OTHERS", "Asked", "batch", "bracket", "command", "extension", "records_of", "shape",
]  # fmt: skip


def at(place: str) -> Any:
    """Declares a name for a field of the record that has another name there."""
    return field(metadata={"place": place})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Holds what every command says: its type, its number of records, and its time."""

    type: int
    records: int
    time_ns: int

    @classmethod
    def read(cls, values: Sequence[int]) -> Self:
        """Builds the command from the fields of a command record, in their order."""
        return cls(**{name: values[at] for name, at in _PLACES[cls].items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance(Asked):
    """Moves the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount(Asked):
    """Opens an account; its name is the second record. parent: the master account of a sub-account, else 0."""

    parent: int = at("order_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Asked):
    """Adds money to a wallet."""

    account: int
    currency: int = at("instrument")
    amount_units: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Asked):
    """Takes free money out of a wallet."""

    account: int
    currency: int = at("instrument")
    amount_units: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedFund(Asked):
    """Adds money to the insurance fund."""

    currency: int = at("instrument")
    amount_units: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLeverage(Asked):
    """Sets leverage and margin mode of a position. The leverage is leverage_times / leverage_parts; 0 parts mean a whole
    number. chosen_tier: margin is charged at this tier or a higher one; 0: none.
    """

    account: int
    instrument: int
    leg: int = at("side")
    mode: int
    leverage_times: int = at("amount")
    leverage_parts: int = at("order_id")
    chosen_tier: int = at("size_lots")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveMargin(Asked):
    """Moves a signed amount from the wallet into an isolated position. If next_to_target is not 0, the amount goes to another
    position: that in instrument next_to_target - 1, with the leg target_leg.
    """

    account: int
    instrument: int
    leg: int = at("side")
    amount_units: int = at("amount")
    next_to_target: int = at("client_id")
    target_leg: int = at("tif")


@dataclass(frozen=True, slots=True, kw_only=True)
class TellMark(Asked):
    """Sets a mark price."""

    instrument: int
    price_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFunding(Asked):
    """Settles a funding period at a signed rate over 10**9; longs pay when it is positive."""

    instrument: int
    rate_ppb: int = at("amount")
    period: int = at("order_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class TellIndex(Asked):
    """Sets an index price: ticks, and millionths of a tick beyond them."""

    instrument: int
    price_ticks: int
    beyond_fine: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPositionMode(Asked):
    """Sets how an account holds an instrument: one net position (0), or a long and a short one (1)."""

    account: int
    instrument: int
    hedged: int = at("mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Asked):
    """Moves free money to another account of the family."""

    account: int
    receiver: int = at("order_id")
    currency: int = at("instrument")
    amount_units: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddInstrument(Asked):
    """Adds an instrument. The second record is its name; then come words of 64 bits (schema/terms.py), zero-padded to whole
    records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt(Asked):
    """Halts an instrument (listing 1) or lets it trade again (0)."""

    instrument: int
    listing: int = at("mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Asked):
    """Closes an instrument for good at a price; 0 stands for its mark price."""

    instrument: int
    price_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Asked):
    """Heads the commands of a batch: all of them are applied, or none if one would be refused. account: whose they are;
    0xFFFFFFFF: the host's. behind: how many records they have together, for which `records` is 0."""

    account: int
    behind: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetState(Asked):
    """Sets the state of an instrument's market (Listing). price_ticks: the price of a settlement, 0 for its mark. ends_ns:
    when a call ends by itself, 0 for never; its market is then in the state then_listing."""

    instrument: int
    listing: int = at("mode")
    price_ticks: int
    ends_ns: int = at("amount")
    then_listing: int = at("tif")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder(Asked):
    """Places an order. A second record has further terms, a third one its shape if the flags say so; the text behind
    client_id comes last."""

    account: int
    instrument: int
    side: int
    tif: int
    flags: int
    stp_mode: int = at("mode")
    price_ticks: int
    size_lots: int
    client_id: int
    stp_group: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendOrder(Asked):
    """Changes size and price of a live order, named by order_id or client_id; 0 leaves a value as it is."""

    account: int
    order_id: int
    client_id: int
    price_ticks: int
    size_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendTrigger(Asked):
    """Moves the fixed trigger of a dormant order, named by order_id or client_id, to another price."""

    account: int
    order_id: int
    client_id: int
    trigger_ticks: int = at("price_ticks")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder(Asked):
    """Cancels a live order, named by order_id or client_id."""

    account: int
    order_id: int
    client_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MassCancel(Asked):
    """Cancels all live orders of an account (0xFFFFFFFF: everyone's), instrument (0xFFFFFFFF: all) and side (2: both)."""

    account: int
    instrument: int
    side: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TellSource(Asked):
    """Reports the price of one constituent of an index: ticks, and millionths of a tick beyond them."""

    instrument: int
    source: int = at("order_id")
    price_ticks: int
    beyond_fine: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class TellLast(Asked):
    """Sets an instrument's last price for the triggers that watch it; trades between users move it on."""

    instrument: int
    price_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer(Asked):
    """Cancels live orders of an account when the clock is timeout_ns further, unless it is set anew before; 0 switches it off.
    It takes those of an instrument (0xFFFFFFFF: all) and of a tag (0: any). spares: 2 leaves reduce-only orders alone."""

    account: int
    instrument: int
    spares: int = at("flags")
    tag: int = at("mode")
    timeout_ns: int = at("amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect(Asked):
    """Cancels all live orders with a tag, of an account (0xFFFFFFFF: everyone's)."""

    account: int
    tag: int = at("mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachPair(Asked):
    """Attaches a target and a stop to a position; the second record has them. size_lots: for how many lots, 0 for whatever the
    position has. side: theirs, which closes."""

    account: int
    instrument: int
    side: int
    leg: int = at("tif")
    stp_mode: int = at("mode")
    size_lots: int
    tag: int = at("order_id")
    stp_group: int = at("amount")


COMMANDS: dict[CommandType, type[Asked]] = {
    CommandType.ADVANCE: Advance,
    CommandType.OPEN_ACCOUNT: OpenAccount,
    CommandType.DEPOSIT: Deposit,
    CommandType.WITHDRAW: Withdraw,
    CommandType.SEED_FUND: SeedFund,
    CommandType.SET_LEVERAGE: SetLeverage,
    CommandType.MOVE_MARGIN: MoveMargin,
    CommandType.MARK: TellMark,
    CommandType.FUNDING: SettleFunding,
    CommandType.INDEX: TellIndex,
    CommandType.SET_POSITION_MODE: SetPositionMode,
    CommandType.TRANSFER: Transfer,
    CommandType.ADD_INSTRUMENT: AddInstrument,
    CommandType.HALT: Halt,
    CommandType.SETTLE: Settle,
    CommandType.ORDER: PlaceOrder,
    CommandType.AMEND: AmendOrder,
    CommandType.CANCEL: CancelOrder,
    CommandType.MASS_CANCEL: MassCancel,
    CommandType.SOURCE: TellSource,
    CommandType.SET_LAST: TellLast,
    CommandType.TIMER: SetTimer,
    CommandType.DISCONNECT: Disconnect,
    CommandType.BATCH: Batch,
    CommandType.SET_STATE: SetState,
    CommandType.AMEND_TRIGGER: AmendTrigger,
    CommandType.ATTACH: AttachPair,
}
COSTS_OTHERS = frozenset({CommandType.MARK, CommandType.INDEX, CommandType.SOURCE, CommandType.FUNDING, CommandType.SETTLE})
"""Commands that may make the insurance fund or winners pay (SAFE-1); a SET_STATE to settlement may, too."""

ALONE = frozenset({
    CommandType.ADVANCE, CommandType.OPEN_ACCOUNT, CommandType.ADD_INSTRUMENT, CommandType.HALT, CommandType.SETTLE,
    CommandType.SET_STATE, CommandType.BATCH,
})  # fmt: skip
"""Commands that no batch takes: time, names, states of a market, other batches."""


def places(asked: type[Asked]) -> dict[str, str]:
    """Returns the field of the record for each name of a command."""
    return {each.name: each.metadata.get("place", each.name) for each in fields(asked)}


_ALL: tuple[type[Asked], ...] = (Asked, *COMMANDS.values())
_PLACES = {asked: {name: COMMAND_FIELDS.index(place) for name, place in places(asked).items()} for asked in _ALL}
_TYPES = {int(kind): asked for kind, asked in COMMANDS.items()}
_OWN = {name: number for number, name in enumerate(COMMAND_FIELDS)}
_NAMES = {int(kind): _OWN | _PLACES[asked] for kind, asked in COMMANDS.items()}


def read(values: Sequence[int]) -> Asked:
    """Reads a record from its fields in their order. An unknown type gives only what every command says."""
    return _TYPES.get(values[0], Asked).read(values)


def records_of(commands: bytes | memoryview, at: int = 0) -> int:
    """Returns how many records a command has that begins at a byte. A batch has its head and all behind it.

    0: it is none, or more than there are.

    >>> records_of(command(CommandType.ADVANCE)), records_of(batch([command(CommandType.MARK)])), records_of(b"")
    (1, 2, 0)
    """
    left = len(commands) - at
    if left < RECORD_BYTES:
        return 0
    count, behind = commands[at + 2], int.from_bytes(commands[at + 56 : at + RECORD_BYTES], "little")
    if not count and int.from_bytes(commands[at : at + 2], "little") == CommandType.BATCH and behind <= BATCH_RECORDS_MAX:
        count = 1 + behind
    return count if count * RECORD_BYTES <= left else 0


def command(kind: int, /, **said: int) -> bytes:
    """Packs one command record from named values: names of its command, or the record's own. Other fields are zero.

    Raises InputError for a name that the command has not.

    >>> len(command(CommandType.ADVANCE, time_ns=5))
    64
    >>> command(CommandType.FUNDING, rate_ppb=100, period=3) == command(CommandType.FUNDING, amount=100, order_id=3)
    True
    """
    values = [0] * len(COMMAND_FIELDS)
    values[0], values[1] = kind, 1
    places = _NAMES.get(kind, _OWN)
    for name, value in said.items():
        if name not in places:
            raise InputError(f"a command of type {kind} has no field {shown(name)}")
        values[places[name]] = value
    return COMMAND.pack(*values)


def batch(members: Iterable[bytes], account: int = NOBODY, time_ns: int = 0) -> bytes:
    """Packs a batch of whole commands. account: whose all of them are; 0xFFFFFFFF: the host's, who may send for anyone.

    >>> from solvent import Book
    >>> cancels = [command(CommandType.CANCEL, account=1, order_id=number) for number in (5, 6)]
    >>> Book()._kernel.apply(batch(cancels, account=1)) == 400  # UNKNOWN_ORDER
    True
    """
    data = b"".join(members)
    head = command(CommandType.BATCH, records=0, account=account, time_ns=time_ns, behind=len(data) // RECORD_BYTES)
    return head + data


def extension(**fields: int) -> bytes:
    """Packs the second record of an ORDER that needs more terms; its header then has records=2."""
    return EXTENSION.pack(*(fields.get(name, 0) for name in EXTENSION_FIELDS))


def shape(**fields: int) -> bytes:
    """Packs the record of an ORDER's shape, behind its extension; its header has one more record and Flag.SHAPED_ORDER."""
    return SHAPE.pack(*(fields.get(name, 0) for name in SHAPE_FIELDS))


def bracket(**fields: int) -> bytes:
    """Packs the record of a target and a stop. An ATTACH has it second, an ORDER with Role.BRINGS_BRACKET behind its terms and
    its shape."""
    return BRACKET.pack(*(fields.get(name, 0) for name in BRACKET_FIELDS))
