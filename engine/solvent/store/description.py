"""The terms of an exchange as plain data that msgpack packs, and back: instruments, rules, currencies, collateral.

Owns the form of these terms in headers of journals and snapshots. Never checks a term: the classes do. A decimal is text.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from solvent.api.book import Book
from solvent.api.venue import Venue
from solvent.schema.codes import InputError, JournalForeign
from solvent.terms.calls import Calls
from solvent.terms.collateral import Collateral
from solvent.terms.instrument import Instrument
from solvent.terms.order_limits import OrderLimits
from solvent.terms.price_model import Funding, Index, PriceModel
from solvent.terms.rule_set import RuleSet
from solvent.terms.tiers import Rates, Tier

__all__ = ["difference", "of_book", "of_venue", "plain", "terms", "venue_of"]

_CLASSES: dict[str, type] = {
    each.__name__: each
    for each in (Calls, Collateral, Funding, Index, Instrument, OrderLimits, PriceModel, Rates, RuleSet, Tier)
}
_NUMBERS: dict[str, type] = {"decimal": Decimal, "whole": int}
_FAR = 2**63


def plain(value: Any) -> Any:
    """Returns a term as plain data: a class as a map that says which it is, a mapping as pairs, a decimal as its text."""
    if is_dataclass(value):
        said = {each.name: plain(getattr(value, each.name)) for each in fields(value) if each.init and each.name != "_"}
        return {"is": type(value).__name__} | said
    if isinstance(value, Mapping):
        return {"is": "pairs", "of": [[key, plain(each)] for key, each in value.items()]}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Decimal) or (isinstance(value, int) and not -_FAR <= value < _FAR):
        return {"is": "decimal" if isinstance(value, Decimal) else "whole", "of": str(value)}
    return value


def terms(value: Any) -> Any:
    """Returns the term that `plain` told. Raises InputError where it is none."""
    if isinstance(value, list):
        return tuple(terms(each) for each in value)
    if not isinstance(value, dict):
        return value
    if value.get("is") == "pairs":
        return {key: terms(each) for key, each in value["of"]}
    if value.get("is") in _NUMBERS:
        return _NUMBERS[value["is"]](value["of"])
    kind = _CLASSES.get(value.get("is", ""))
    if kind is None:
        raise InputError(f"a journal describes no {value.get('is')!r}")
    return kind(**{name: terms(each) for name, each in value.items() if name != "is"})


def of_venue(venue: Venue) -> dict[str, Any]:
    """Describes an exchange, with the instruments that were added since."""
    return {
        "kind": "exchange", "instruments": [plain(each) for each in venue.instruments], "made_with": venue.made_with,
        "rules": plain(venue.rules), "collateral": [plain(each) for each in venue.collateral],
        "currencies": [[name, decimals] for name, decimals in zip(venue.currency_names, venue.decimals, strict=True)],
    }  # fmt: skip


def of_book(book: Book) -> dict[str, Any]:
    """Describes a Book."""
    return {"kind": "book", "max_price_ticks": book.max_price_ticks, "max_size_lots": book.max_size_lots}


def venue_of(said: Mapping[str, Any]) -> Venue:
    """Returns the terms of a described exchange as it was made, without the instruments that were added since."""
    first = terms(said["instruments"][: said["made_with"]])
    return Venue(first, terms(said["rules"]), terms(said["collateral"]), dict(said["currencies"]))


def _numbers(instrument: Instrument) -> tuple[object, ...]:
    return instrument.spec, instrument.tick_size, instrument.lot_size, instrument.unit, instrument.settle


def difference(held: Venue, given: Venue) -> None:
    """Raises JournalForeign, which names it, for the first term in which an exchange differs from that of a journal."""
    mine, theirs = ({each.name: each for each in venue.instruments[: venue.made_with]} for venue in (held, given))
    if list(mine) != list(theirs):
        raise JournalForeign(f"the journal is of an exchange with {', '.join(mine)}, not with {', '.join(theirs)}")
    for name, instrument in mine.items():
        if _numbers(instrument) != _numbers(theirs[name]):
            raise JournalForeign(
                f"the journal's {name} has other terms than the given one; leave instruments out to reopen it"
            )
    same = {
        "rules": held.rules.identity() == given.rules.identity(),
        "collateral": held.collateral_terms == given.collateral_terms,
        "currencies": list(held.currencies.items()) == list(given.currencies.items()),
    }  # fmt: skip
    for what, holds in same.items():
        if not holds:
            raise JournalForeign(f"the journal's exchange has other {what} than the given ones; leave them out to reopen it")
