"""Events, depth, positions and accounts as Arrow tables, for data frames; needs the extra `solvent[arrow]`.

Owns the names of the columns: those of the event's type (solvent.records.PAYLOAD), in integers as everywhere. Never asks the
engine for more than `events` and `depth_arrays` do. Exports tables, which can be read again and again: DuckDB asks three times
for one query. Imports pyarrow on first use.

Cost: one pass over the records. Each column is copied once, out of rows of 64 bytes into a row of its own, which Arrow then
shares. `table` copies nothing if the columns are contiguous already.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from solvent.api.base import Face
from solvent.api.exchange import Exchange
from solvent.schema.codes import InputError, OutOfRange
from solvent.schema.columns import second_records
from solvent.schema.events import ACCOUNTS, EVENTS, PAYLOAD, word_of
from solvent.schema.layouts import NO_INSTRUMENT, dtype
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import EventType
from solvent.terms.order_words import flag_of, wrong_type

if TYPE_CHECKING:
    import pyarrow

    Array = np.ndarray[Any, Any]

__all__ = [
    "accounts", "depth", "events", "liquidations", "positions", "statements", "table", "trades",
]  # fmt: skip


def table(columns: "dict[str, Array]") -> "pyarrow.Table":
    """Returns one-dimensional NumPy arrays of equal length as a table; contiguous arrays are shared, not copied."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ImportError("solvent.arrow needs pyarrow: pip install pyarrow (or this package with its extra arrow)") from None
    if not isinstance(columns, dict) or not all(isinstance(name, str) for name in columns):
        raise wrong_type("columns", columns, "arrays by name")
    return pa.table({name: pa.array(np.ascontiguousarray(column)) for name, column in columns.items()})


def events(source: "Face | Array", kind: EventType, *, names: bool = False) -> "pyarrow.Table":
    """Returns all events of one type as a table with a row each.

    Columns: seq, time_ns (of the command), account, instrument, side, and the fields of the type (docs/reference/records.md).
    Second records are left out. time_ns is 0 before the first BEGIN among the events.

    source: a Book or an Exchange, for all held events, or event records (dtype("event")) that begin with whole events, as
    `events()` or a cursor's `array()` return them. names: True shows accounts, instruments and currencies by name, and words
    ("LIQUIDATED") instead of numbers, as dictionaries of strings. A number without a name is null. Only an Exchange has names.

    Raises WrongType for another source, InputError for other records.
    """
    if not isinstance(kind, EventType):
        raise wrong_type("kind", kind, "an EventType")
    if not isinstance(source, np.ndarray | Face):
        raise wrong_type("source", source, "a Book, an Exchange or event records")
    records = source if isinstance(source, np.ndarray) else source.events(view=True)
    if records.dtype != dtype("event"):
        raise InputError(f"these records are {records.dtype}, not events")
    records = records[~second_records(records)]
    chosen = records["type"] == kind
    begins = np.flatnonzero(records["type"] == EventType.BEGIN)
    times = np.concatenate(([0], records["a"][begins]))[np.searchsorted(begins, np.flatnonzero(chosen), side="right")]
    rows = records[chosen]
    header = {name: rows[name] for name in ("seq", "account", "instrument", "side")}
    columns = {"time_ns": times} | header | {name: rows[field] for name, field in PAYLOAD[kind].items()}
    return _by_name(_exchange(source), kind, columns) if flag_of(names, "names") else table(columns)


def trades(source: "Face | Array", *, names: bool = False) -> "pyarrow.Table":
    """Returns all trades; side is the taker's. See `events`."""
    return events(source, EventType.TRADE, names=names)


def _by_name(exchange: Exchange, kind: EventType, columns: "dict[str, Array]") -> "pyarrow.Table":
    """Returns the columns with names and words instead of numbers, where there are any."""
    plain = table(columns)
    accounts = [exchange.account_name(i) for i in range(FIRST_USER)]
    accounts += [each.decode() for each in exchange._kernel.account_names()]
    known = {"instrument": [each.name for each in exchange.instruments], "currency": list(exchange.currencies)}
    known |= dict.fromkeys(ACCOUNTS, accounts)
    for i, name in enumerate(columns):
        said = EVENTS[kind].get(name)
        if name in known:
            plain = plain.set_column(i, name, _dictionary(columns[name], known[name]))
        elif said and said.words:
            numbers, at = np.unique(columns[name], return_inverse=True)
            plain = plain.set_column(i, name, _dictionary(at, [word_of(said.words, int(number)) for number in numbers]))
    return plain


def _dictionary(numbers: "Array", names: list[str]) -> Any:
    import pyarrow as pa

    indices = np.minimum(numbers, len(names)).astype("i4")
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices == len(names)), names)


def depth(face: "Face", instrument: str | int = 0, n: int = 2**62) -> "pyarrow.Table":
    """Returns the book now, bids best first, then asks: side, price_ticks, lots, orders; at most n levels a side.

    instrument: name or index; a Book has only 0. Raises as depth_arrays does.
    """
    from solvent.api.book import Book

    if isinstance(face, Exchange):
        sides = face.depth_arrays(instrument, n)
    elif isinstance(face, Book) and type(instrument) is int and instrument == 0:
        sides = face.depth_arrays(n)
    else:
        raise InputError("depth is of a Book (instrument 0) or an Exchange")
    rows = np.concatenate(sides)
    side = np.repeat(np.array([0, 1], "u1"), [len(each) for each in sides])
    return table({"side": side} | {name: rows[:, i] for i, name in enumerate(("price_ticks", "lots", "orders"))})


def positions(exchange: Exchange) -> "pyarrow.Table":
    """Returns every open position now, with the columns of solvent.schema.columns.POSITION."""
    return _rows(_exchange(exchange).positions_array())


def liquidations(exchange: Exchange) -> "pyarrow.Table":
    """Returns the liquidation prices of every open position, with the columns of solvent.schema.columns.LIQUIDATION."""
    return _rows(_exchange(exchange).liquidations_array())


def accounts(exchange: Exchange) -> "pyarrow.Table":
    """Returns every account and currency now, with the columns of solvent.schema.columns.ACCOUNT."""
    return _rows(_exchange(exchange).accounts_array())


def statements(exchange: Exchange) -> "pyarrow.Table":
    """Returns the statements of all accounts and purses: a row for each account, currency and instrument.

    account, currency and instrument are numbers; instrument is null for what belongs to no single instrument. The other
    columns are those of solvent.witness.sums, in units of the currency and in lots. Added up by account and currency they are
    what `ex.statement` shows; each reason sums to zero by currency. Raises as `ex.statement` does, and OutOfRange for a sum
    beyond 64 bits.
    """
    sums = _exchange(exchange)._totals()
    keys = [(account, *place) for account in sorted(sums.rows) for place in sums.places(account)]
    rows = [sums.rows[account][currency, instrument] for account, currency, instrument in keys]
    try:
        counts = np.array(rows, "i8").reshape(-1, len(sums.columns)).T
    except OverflowError:
        raise OutOfRange(
            "a sum of a statement is beyond 64 bits; ask ex.statement(account), which has no such bound"
        ) from None
    places = np.array(keys, "i8").reshape(-1, 3).T
    found = table(dict(zip(("account", "currency", "instrument", *sums.columns), (*places, *counts), strict=True)))
    import pyarrow as pa

    return found.set_column(2, "instrument", pa.array(places[2], mask=places[2] == NO_INSTRUMENT))


def _exchange(exchange: object) -> Exchange:
    if not isinstance(exchange, Exchange):
        raise wrong_type("exchange", exchange, "an Exchange")
    return exchange


def _rows(records: "Array") -> "pyarrow.Table":
    return table({name: records[name] for name in records.dtype.names})
