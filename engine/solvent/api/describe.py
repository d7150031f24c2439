"""One event in names, words and decimals, for a reader.

Owns how each field of an event is told: ids by the names of the exchange, numbers by their words, integers with a unit as
decimals in currency and contracts. Never changes anything. An id that the exchange does not know (its command was refused)
stays a number.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from solvent.api.backend import Event as AnyEvent
from solvent.api.names import client_id_of
from solvent.schema.codes import InputError, Rejected
from solvent.schema.commands import COMMANDS, places
from solvent.schema.events import ACCOUNTS, EVENTS, TERM_WORDS, Event, Said, terms_of, unit_of, word_of
from solvent.schema.layouts import COMMAND, COMMAND_FIELDS, NO_INSTRUMENT, NOBODY, RECORD_BYTES
from solvent.schema.words import CommandType, EventType, Side
from solvent.terms.decimals import PPB, from_units
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import wrong_type


class Names(Protocol):
    """Names what events have as numbers: an exchange, seen from here."""

    currencies: dict[str, Decimal]
    _kernel: Any

    @property
    def instruments(self) -> tuple[Instrument, ...]: ...
    def account_name(self, account: int) -> str: ...


def described(self: Names, event: Event) -> dict[str, Any]:
    """Returns an event's fields in names, words and decimals.

    Accounts, instrument and currency appear by name, prices and amounts in currency, sizes in contracts, rates as numbers. A
    field without a value is None. Raises WrongType for what is no event, InputError for an event of no type.

    >>> from solvent import EventType, Exchange, Instrument
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> ex.deposit("alice", "USDT", 1_000)
    >>> posting = [each for each in ex.drain() if each.type == EventType.LEDGER][0]
    >>> told = ex.describe(posting)
    >>> told["payer"], told["receiver"], str(told["amount"]), told["currency"], told["posting"]
    ('<outside>', 'alice', '1000', 'USDT', 'DEPOSITED')
    """
    if not isinstance(event, AnyEvent | Event):
        raise wrong_type("event", event, "an Event")
    if event.record[0] not in EVENTS:
        raise InputError(f"no event is of type {event.record[0]}")
    kind = EventType(event.record[0])
    said = _fields_of(event)
    instrument = _at(self.instruments, getattr(event, said["instrument"].place)) if "instrument" in said else None
    currency = _at(tuple(self.currencies), getattr(event, said["currency"].place)) if "currency" in said else None
    unit = self.currencies[currency] if currency else instrument.unit if instrument else None
    told: dict[str, Any] = {"type": kind.name, "seq": event.seq}
    for name, each in said.items():
        number = getattr(event, each.place)
        if name in ACCOUNTS:
            told[name] = _account(self, name, number)
        elif name == "instrument":
            told[name] = instrument.name if instrument else None if number == NO_INSTRUMENT else number
        elif name == "client_id":
            told[name] = client_id_of(self._kernel, event.account, number)
        elif name == "currency":
            told[name] = currency or number
        elif name == "source" and kind == EventType.SOURCE_CHANGED:
            told[name] = _source(instrument, number)
        elif each.words:
            told[name] = word_of(each.words, number)
        else:
            _add_number(told, name, number, instrument, unit)
    if "leverage_parts" in told:
        times, parts = told["leverage"], told.pop("leverage_parts")
        told["leverage"] = times if parts == 1 else Fraction(times, parts)
    told |= {"name": event.name} if event.name else {}
    if kind == EventType.ACCEPTED and event.extra:
        for name, number in terms_of(event).items():
            if number and name in TERM_WORDS:
                told[name] = word_of(TERM_WORDS[name], number)
            elif number:
                _add_number(told, name, number, instrument, unit)
    return told


def command_described(self: Names, records: bytes) -> dict[str, Any]:
    """Returns what a command asks, in names, words and decimals; a field that is zero is left out. Never raises for a record.

    records: all records of one command. An unknown type has a number for its type, and no fields.

    >>> from solvent import Exchange, Instrument
    >>> from solvent.records import CommandType, command
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> told = command_described(ex, command(CommandType.MARK, price_ticks=500_000))
    >>> told["type"], told["instrument"], str(told["price"])
    ('MARK', 'BTC-USDT-SWAP', '50000')
    """
    values = COMMAND.unpack(records[:RECORD_BYTES])
    found = dict(zip(COMMAND_FIELDS, values, strict=True))
    kind = next((each for each in CommandType if each == values[0]), None)
    told: dict[str, Any] = {"type": kind.name if kind else values[0]}
    if kind is None:
        return told
    said = places(COMMANDS[kind])
    instrument = _at(self.instruments, found[said["instrument"]]) if "instrument" in said else None
    currency = _at(tuple(self.currencies), found[said["currency"]]) if "currency" in said else None
    unit = self.currencies[currency] if currency else instrument.unit if instrument else None
    for name, place in said.items():
        number = found[place]
        if name in ("type", "records"):
            continue
        if name in ("account", "parent", "receiver"):
            told[name] = None if number == NOBODY else _account(self, name, number)
        elif name == "instrument":
            told[name] = instrument.name if instrument else None if number == NO_INSTRUMENT else number
        elif name == "currency":
            told[name] = currency or number
        elif name == "side":
            told[name] = {Side.BUY: "buy", Side.SELL: "sell"}.get(Side(number)) if number < 2 else None
        elif number:
            _add_number(told, name, number, instrument, unit)
    if kind in (CommandType.OPEN_ACCOUNT, CommandType.ADD_INSTRUMENT):
        told["name"] = records[RECORD_BYTES : 2 * RECORD_BYTES].rstrip(b"\0").decode(errors="replace")
    return told


def _fields_of(event: Event) -> dict[str, Said]:
    """Returns an event's names. BEGIN has the header names that its command gives a meaning, under their usual names."""
    said = EVENTS[EventType(event.record[0])]
    if event.record[0] != EventType.BEGIN or event.command not in list(CommandType):
        return said
    named = {place: name for name, place in places(COMMANDS[CommandType(event.command)]).items()}
    header = {named[each.place]: each for name, each in said.items() if name == each.place and each.place in named}
    words = {name: each for name, each in header.items() if name in ("side", "account", "instrument", "currency")}
    return words | {name: each for name, each in said.items() if name not in ("side", "account", "instrument")}


def _at(things: tuple[Any, ...], number: int) -> Any:
    return things[number] if 0 <= number < len(things) else None


def _account(names: Names, what: str, number: int) -> str | int | None:
    if what == "parent" and number == 0:
        return None
    try:
        return names.account_name(number)
    except Rejected:
        return number


def _source(instrument: Instrument | None, number: int) -> str | int:
    """Returns the name of a constituent of an index, or its number if the index has none."""
    index = instrument.prices.index if instrument and instrument.prices else None
    found = _at((*index.sources, *index.external), number) if index else None
    return number if found is None else str(found)


def _add_number(told: dict[str, Any], name: str, number: int, instrument: Instrument | None, money: Decimal | None) -> None:
    """Adds a number with its unit, by its name without the unit; a number without a known unit stays as it is."""
    unit = unit_of(name)
    steps = {"ppb": PPB, "units": money}
    if instrument:
        steps |= {"ticks": instrument.tick_size, "lots": instrument.lot_size, "fine": instrument.tick_size.scaleb(-6)}
    step = steps.get(unit)
    if step is None:
        told[name] = number
    else:
        told[name.removesuffix(f"_{unit}")] = from_units(number, step)
