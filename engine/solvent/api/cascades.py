"""The cascade of an instrument, in names and decimals: as text, as plain values, as an Arrow table.

Owns the rendering of `witness/cascade`. Never finds anything out itself. Cost: that of the cascade.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from solvent.api import why_words
from solvent.api.liquidations import as_arrow, read_cases
from solvent.schema.limits import RATE
from solvent.terms.decimals import PPB, from_units, half_even, plain
from solvent.terms.instrument import Instrument
from solvent.witness import cascade as numbers

__all__ = ["Cascade", "cascade"]

_SIZES = (
    "taken_lots", "stepped_lots", "book_lots", "fund_lots", "adl_lots", "opposite_lots", "settled_lots",
)  # fmt: skip
_SHAPE = {"tick": "int", "time_ns": "int", "mark": "number", "liquidations": "int"} | dict.fromkeys(
    (
        "taken", "stepped_down", "to_book", "to_fund", "to_adl", "to_opposite", "to_settlement", "fund", "deficit",
        "winners_forgo",
    ),
    "number",
)  # fmt: skip


class Cascade:
    """Tells how the liquidations of an instrument followed one another; str() is a table to read.

    A tick is a mark of the instrument, with all that happens until its next mark. The first tick with a liquidation is 0.

    rows: a dict for each tick in which something happened: tick, time_ns, mark, liquidations, and sizes in contracts. These
    are taken and stepped_down (out of accounts), to_book, to_fund, to_adl, to_opposite and to_settlement (out of parcels, by
    who closed them). fund, deficit: what they got, below zero: paid. winners_forgo: what ADL cost whom it closed, at mark.

    ticks_to_adl, ns_to_adl, liquidations_to_adl: from the first liquidation to the first ADL, None without one.
    branching_ratio: the liquidations that one liquidation brings at the next tick. immigrants: the liquidations a tick that no
    earlier one has brought. Both are None where the counts do not tell (docs/reference/why.md has the estimator).

    >>> from solvent import Exchange, Instrument
    >>> print(Exchange([Instrument("BTC-USDT-SWAP")]).cascade())
    BTC-USDT-SWAP: nobody was liquidated
    """

    __slots__ = (
        "instrument", "currency", "rows", "liquidations", "ticks_to_adl", "ns_to_adl", "liquidations_to_adl",
        "branching_ratio", "immigrants", "paid_by_fund", "paid_by_adl",
    )  # fmt: skip

    def __init__(self, terms: Instrument, found: numbers.Cascade):
        self.instrument, self.currency = terms.name, terms.settle
        self.rows = [_row(terms, each) for each in found.ticks]
        self.liquidations = sum(each.liquidations for each in found.ticks)
        first = found.first_adl()
        self.ticks_to_adl = first.tick if first else None
        self.ns_to_adl = first.time_ns - found.ticks[0].time_ns if first else None
        until = (each.liquidations for each in found.ticks if first and each.tick <= first.tick)
        self.liquidations_to_adl = sum(until) if first else None
        ratio, immigrants = found.branching() or (None, None)
        self.branching_ratio, self.immigrants = _nine(ratio), _nine(immigrants)
        self.paid_by_fund = from_units(-sum(each.fund_units for each in found.ticks), terms.unit)
        self.paid_by_adl = from_units(sum(each.forgone_units for each in found.ticks), terms.unit)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values for JSON; decimals are text."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {name: plain(each) if isinstance(each, Decimal) else each for name, each in told.items()}

    def to_arrow(self) -> Any:
        """Returns the rows as a pyarrow.Table. Raises ImportError without pyarrow, OutOfRange for a number too long for it."""
        return as_arrow(self.rows, _SHAPE)

    def __repr__(self) -> str:
        return f"Cascade({self.instrument}, {self.liquidations} liquidations)"

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.instrument}: nobody was liquidated"
        shown = [name for name in _SHAPE if name in _ALWAYS or any(row[name] != "0" for row in self.rows)]
        cells = [[_cell(name, row[name]) for name in shown] for row in self.rows]
        table = why_words.aligned([tuple(_HEADS.get(name, name.replace("_", " ")) for name in shown), *map(tuple, cells)], 2)
        return "\n".join([f"{self.instrument}, sizes in contracts, amounts in {self.currency}", *table, *self._sums()])

    def _sums(self) -> list[str]:
        """Returns the lines below the table."""
        count = f"{self.liquidations} liquidation{'' if self.liquidations == 1 else 's'}"
        paid = f"the fund paid {plain(self.paid_by_fund)}" if self.paid_by_fund >= 0 else (
            f"the fund got {plain(-self.paid_by_fund)}"
        )  # fmt: skip
        lines = [f"{count}; {paid}, whom ADL closed forgo {plain(self.paid_by_adl)} {self.currency}"]
        if self.ticks_to_adl is not None and self.ns_to_adl is not None:
            after = why_words.clock(self.ns_to_adl)
            lines.append(f"first ADL {self.ticks_to_adl} ticks, {after}, {self.liquidations_to_adl} liquidations on")
        if self.branching_ratio is not None and self.immigrants is not None:
            ratio, alone = plain(self.branching_ratio), plain(self.immigrants)
            lines.append(f"one liquidation brings {ratio} at the next tick, {alone} a tick come by themselves")
        return lines


_HEADS = {"time_ns": "time"}
_HEADS = {"time_ns": "time"}
_ALWAYS = ("tick", "time_ns", "mark", "liquidations", "taken")


def _cell(name: str, value: Any) -> str:
    return why_words.clock(value) if name == "time_ns" else str(value)


def _nine(value: Fraction | None) -> Decimal | None:
    """Returns a fraction rounded half to even to nine decimals."""
    return None if value is None else from_units(half_even(value.numerator * RATE, value.denominator), PPB)


def _row(terms: Instrument, each: numbers.Tick) -> dict[str, Any]:
    sizes = [plain(from_units(getattr(each, name), terms.lot_size)) for name in _SIZES]
    money = [plain(from_units(units, terms.unit)) for units in (each.fund_units, each.deficit_units, each.forgone_units)]
    mark = plain(from_units(each.mark_ticks, terms.tick_size))
    return dict(zip(_SHAPE, (each.tick, each.time_ns, mark, each.liquidations, *sizes, *money), strict=True))


def cascade(face: Any, instrument: int) -> Cascade:
    """Reads and renders the cascade of an instrument."""
    whole, log, found = read_cases(face, numbers.NEEDS, "a cascade")
    return Cascade(whole.instruments[instrument], numbers.Cascade(log, found, instrument))
