"""The ranks of deleveraging, read per position: who is first in line on each side of an instrument, and five lights by size.

Owns the lights. The ranks are those of semantics §5, from the rows that every position has. The readable kernel ranks from its
own state, and tests compare the two. Never decides who loses what: a parcel's price decides who is sound, and a rule set how
lots are shared. Cost: one pass over all open positions, and a sort of the instrument's.
"""

from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from solvent.api.names import name_of
from solvent.api.venue import Venue
from solvent.schema.codes import InputError
from solvent.schema.rows import DomainRow
from solvent.schema.words import AdlRank, Kind, Mode
from solvent.terms.decimals import from_units
from solvent.terms.instrument import Instrument
from solvent.witness.values import fill_value

__all__ = ["RankView", "ranks"]

LIGHTS = 5
_MILLION, _TOP = 10**6, 2**63 - 1
_LEGS = (None, "long", "short")
_BY_BASE = (AdlRank.BY_BINANCE, AdlRank.BY_PNL_EFFLEV)
_LONE = "a rank by a position's own share of equity is not told for a cross account with several positions"


@dataclass(frozen=True, slots=True)
class RankView:
    """Shows where a position stands among those of its side that ADL would close.

    size: contracts, below zero for a short. rank: the number that orders them, higher first; ties go by account. ahead: the
    contracts of its side before it. light: 5 for who begins in the first fifth of the side's contracts, and so on to 1.
    """

    account: str
    instrument: str
    leg: str | None
    size: Decimal
    rank: int
    ahead: Decimal
    light: int


def _capped(number: int) -> int:
    return max(-_TOP - 1, min(_TOP, number))


def _scaled(rate: int, times: int, by: int) -> int:
    return _TOP if by <= 0 else _capped(rate * _capped(times) // by)


def _return(terms: Instrument, row: Any, mark_ticks: int, by_side: bool) -> int:
    """Returns mark over entry in millionths, from the values at both; entry over mark for a short if `by_side`."""
    mark, entry = fill_value(terms.spec, abs(row.size_lots), mark_ticks), abs(row.cost_units)
    if (terms.spec.kind == Kind.INVERSE) != (by_side and row.size_lots < 0):
        mark, entry = entry, mark
    return _capped(mark * _MILLION // entry)


def _rank(rank: int, terms: Instrument, row: Any, mark_ticks: int, base: int) -> int:
    """Returns the rank of a position. base: the money of its domain without profits."""
    if rank == AdlRank.BY_ACCOUNT:
        return 0
    if rank == AdlRank.BY_BINANCE:
        return _scaled(_capped(max(0, row.upl_units) * _MILLION // max(1, base)), row.own_units, row.equity_units)
    if rank in (AdlRank.BY_RETURN, AdlRank.BY_SIDED_RETURN):
        return _scaled(
            _return(terms, row, mark_ticks, rank == AdlRank.BY_SIDED_RETURN), row.domain_value_units, row.equity_units
        )
    if rank == AdlRank.BY_ENTRY:
        rate = _capped(abs(row.cost_units) * _MILLION // abs(row.size_lots))
        return rate if (row.size_lots < 0) != (terms.spec.kind == Kind.INVERSE) else -rate
    rate = _capped(row.upl_units * _MILLION // abs(row.cost_units))
    if rank == AdlRank.BY_PNL_LEVERAGE:
        return _capped(rate * row.leverage // row.leverage_parts)
    value, equity = row.domain_value_units, row.equity_units
    if rank == AdlRank.BY_PNL_EFFLEV:  # the share of the only position of its domain is all of the equity
        value, equity = row.value_units, base + row.upl_units
    return _scaled(rate, value, equity) if rate > 0 else _scaled(rate, equity, value)


def _base(kernel: Any, row: Any, instrument: int, currency: int) -> int:
    """Returns the money of a position's domain without profits."""
    for each in (DomainRow(*found) for found in kernel.domain_rows(row.account)):
        place = row.mode == Mode.CROSS or (each.instrument, each.leg) == (instrument, row.leg)
        if place and each.mode == row.mode and each.currency == currency:
            return int(each.base_units)
    return 0


def _rows(kernel: Any, instrument: int, alone: bool) -> list[Any]:
    """Returns the open positions of an instrument; `alone` refuses a cross position that is not the only one of its domain."""
    import numpy as np

    from solvent.schema.columns import POSITION

    every = np.frombuffer(kernel.positions_bytes(), POSITION)
    mine = every[every["instrument"] == instrument]
    rows = [SimpleNamespace(**dict(zip(POSITION.names or (), each, strict=True))) for each in mine.tolist()]
    if alone and any(row.mode == Mode.CROSS and row.value_units != row.domain_value_units for row in rows):
        raise InputError(_LONE)
    return rows


def ranks(venue: Venue, kernel: Any, instrument: int) -> list[RankView]:
    """Returns the open positions of an instrument, longs first, each side in the order in which ADL would close it."""
    terms, rules = venue.instruments[instrument], venue.rules.compiled()
    currency, mark, found = venue.currency_id(terms.settle), kernel.prices(instrument)[0], []
    for row in _rows(kernel, instrument, rules.adl_rank == AdlRank.BY_PNL_EFFLEV):
        base = _base(kernel, row, instrument, currency) if rules.adl_rank in _BY_BASE else 0
        last = bool(rules.adl_winners_first and row.upl_units <= 0)
        found.append((row.size_lots < 0, last, -_rank(rules.adl_rank, terms, row, mark, base), row.account, row))
    told: list[RankView] = []
    for shorts in (False, True):
        side = sorted((each for each in found if each[0] == shorts), key=lambda each: each[:4])
        total, ahead = sum(abs(each[4].size_lots) for each in side), 0
        for _, _, minus, account, row in side:
            told.append(RankView(
                name_of(kernel, account), terms.name, _LEGS[row.leg], from_units(row.size_lots, terms.lot_size), -minus,
                from_units(ahead, terms.lot_size), LIGHTS - LIGHTS * ahead // total,
            ))  # fmt: skip
            ahead += abs(row.size_lots)
    return told
