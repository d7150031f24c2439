"""All liquidations of an exchange, as text, as plain values, as an Arrow table.

Owns the list of told liquidations and the types of their columns. Never finds anything out itself: `witness/cases` reads the
events, `telling` renders them. Cost: that of the cases.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from solvent.api import why_words
from solvent.api.telling import Teller, check_events
from solvent.schema.codes import OutOfRange
from solvent.witness.cases import NEEDS, Case, Cases
from solvent.witness.life import Log

__all__ = ["Liquidations", "liquidations"]

_INT, _TEXT, _NUMBER, _FLAG = "int", "text", "number", "flag"
_SHAPE: dict[str, Any] = {  # a column and its type; a list holds the columns of its rows
    "number": _INT, "account": _TEXT, "domain": _TEXT, "currency": _TEXT, "outcome": _TEXT, "time_ns": _INT, "command": _INT,
    "cause": _TEXT, "seq": _INT,
    "verdicts": [{
        "seq": _INT, "verdict": _TEXT, "equity": _NUMBER, "full": _NUMBER, "own": _NUMBER, "value": _NUMBER, "mark": _NUMBER,
    }],
    "cancelled": [{
        "seq": _INT, "order_id": _INT, "client_id": _TEXT, "instrument": _TEXT, "side": _TEXT, "price": _NUMBER,
        "size": _NUMBER, "dormant": _FLAG,
    }],
    "steps": [{
        "seq": _INT, "type": _TEXT, "posting": _TEXT, "amount": _NUMBER, "currency": _TEXT, "payer": _TEXT, "receiver": _TEXT,
        "instrument": _TEXT, "side": _TEXT, "size": _NUMBER, "price": _NUMBER, "limit": _NUMBER, "tier": _INT,
        "target_tier": _INT, "mark": _NUMBER, "counterparty": _TEXT,
    }],
    "taken": [{
        "seq": _INT, "parcel_id": _INT, "instrument": _TEXT, "size": _NUMBER, "mark": _NUMBER, "cost": _NUMBER,
        "bankruptcy_price": _NUMBER, "left": _NUMBER,
        "closings": [{
            "seq": _INT, "time_ns": _INT, "how": _TEXT, "counterparty": _TEXT, "size": _NUMBER, "price": _NUMBER,
            "gain": _NUMBER, "fund": _NUMBER, "deficit": _NUMBER, "forgone": _NUMBER,
        }],
    }],
    "money": {
        "fund_got": _NUMBER, "fund_paid": _NUMBER, "deficit_repaid": _NUMBER, "deficit_paid": _NUMBER,
        "fund_covered": _NUMBER, "deficit_covered": _NUMBER, "winners_forgo": _NUMBER,
    },
}  # fmt: skip
_DIGITS, _SCALE = 38, 18  # of an Arrow decimal


class Liquidations:
    """Holds every liquidation of an exchange in order; str() is a page to read, len() their number.

    records: a dict each, with plain values for JSON: amounts, prices and sizes as text in currency and contracts, times in
    nanoseconds (docs/reference/why.md). One record is one margin domain in one command, with all that later commands did to
    what the house took.

    >>> from solvent import Exchange, Instrument
    >>> ex = Exchange([Instrument("BTC-USDT-SWAP")])
    >>> len(ex.liquidations()), ex.liquidations().records
    (0, [])
    """

    __slots__ = ("records",)

    def __init__(self, records: list[dict[str, Any]]):
        self.records = records

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values for JSON."""
        return {"liquidations": self.records}

    def to_arrow(self) -> Any:
        """Returns a pyarrow.Table with a row a liquidation; what each holds several of are lists of structs.

        Amounts, prices and sizes are decimals of 38 digits, 18 of them behind the point. Raises ImportError without pyarrow,
        OutOfRange for a number that has more digits.
        """
        return as_arrow(self.records, _SHAPE)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"Liquidations({len(self.records)})"

    def __str__(self) -> str:
        return "\n\n".join("\n".join(why_words.case_lines(each)) for each in self.records) or "nobody was liquidated"


def read_cases(face: Any, needs: Any, what: str) -> tuple[Any, Log, list[Case]]:
    """Returns the exchange that has all events, its log and its liquidations."""
    check_events(face, needs, what)
    whole = face._with_events()
    log = Log(whole.events(view=True))
    return whole, log, Cases(whole, log).found


def liquidations(face: Any) -> Liquidations:
    """Reads and renders the liquidations of an exchange."""
    whole, _, found = read_cases(face, NEEDS, "liquidations")
    teller = Teller(whole.venue, whole._kernel)
    return Liquidations([teller.case(number, each) for number, each in enumerate(found, 1)])


# --- Arrow


def as_arrow(rows: list[dict[str, Any]], shape: dict[str, Any]) -> Any:
    """Returns told rows as a pyarrow.Table with columns of such types. Raises ImportError, OutOfRange."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ImportError("to_arrow needs pyarrow: pip install pyarrow (or this package with its extra arrow)") from None
    types = {_INT: pa.int64(), _TEXT: pa.string(), _NUMBER: pa.decimal128(_DIGITS, _SCALE), _FLAG: pa.bool_()}

    def type_of(part: Any) -> Any:
        if isinstance(part, list):
            return pa.list_(type_of(part[0]))
        return pa.struct([(name, type_of(each)) for name, each in part.items()]) if isinstance(part, dict) else types[part]

    try:
        columns = {name: pa.array([_valued(row[name], part) for row in rows], type_of(part)) for name, part in shape.items()}
    except (pa.ArrowInvalid, OverflowError) as error:
        raise OutOfRange(f"a number is too long for an Arrow decimal of {_DIGITS} digits: {error}") from None
    return pa.table(columns)


def _valued(value: Any, part: Any) -> Any:
    """Returns a told value as Arrow takes it: numbers for texts of numbers, all fields of a struct."""
    if isinstance(part, list):
        return [_valued(each, part[0]) for each in value]
    if isinstance(part, dict):
        return {name: _valued(value.get(name), each) for name, each in part.items()}
    if value is None:
        return None
    return Decimal(value) if part == _NUMBER else str(value) if part == _TEXT else value
