"""A liquidation in names and decimals, as plain values for JSON.

Owns what each key of a told liquidation is (docs/reference/why.md): `why` and `liquidations` tell the same ones. Never finds
anything out itself: `witness/cases` does. Cost: that of the case.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from solvent.api.names import name_of
from solvent.api.venue import Venue
from solvent.api.views import price_of
from solvent.schema.codes import InputError
from solvent.schema.events import Event, word_of
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import CommandType, EventType, Leg, ParcelChange, Posting, Side, Verdict
from solvent.terms.decimals import from_units, plain
from solvent.witness.cases import Case, Closing, Domain, Taken

_HOW = {
    ParcelChange.FILLED_BY_BOOK: "in the book", ParcelChange.FILLED_BY_FUND: "at the fund's expense",
    ParcelChange.CLOSED_BY_ADL: "by deleveraging", ParcelChange.CLOSED_BY_OPPOSITE: "against a parcel of the other side",
    ParcelChange.CLOSED_BY_SETTLEMENT: "at the settlement of the instrument",
}  # fmt: skip


def check_events(face: Any, needs: Iterable[EventType], what: str) -> None:
    """Raises InputError unless all events that an answer is read from are written."""
    missing = [each.name for each in needs if not face.writes(each)]
    if missing:
        raise InputError(f"{what} needs events that are not written; add {', '.join(missing)} to log")


class Teller:
    """Renders liquidations with the names and units of one exchange."""

    def __init__(self, venue: Venue, kernel: Any):
        self._venue = venue
        self._kernel = kernel

    def _money(self, units: int, currency: int) -> str:
        return plain(from_units(units, self._venue.units[currency]))

    def _ticks(self, instrument: int, ticks: int) -> str | None:
        return plain(from_units(ticks, self._venue.instruments[instrument].tick_size)) if ticks else None

    def _lots(self, instrument: int, lots: int) -> str:
        return plain(from_units(lots, self._venue.instruments[instrument].lot_size))

    def _place(self, instrument: int, leg: int) -> str:
        name = self._venue.instruments[instrument].name
        return f"{name} {Leg(leg).name.lower()}" if leg else name

    def _domain(self, domain: Domain) -> str:
        currency, key = domain
        return f"isolated {self._place(*key[1:])}" if key else f"cross {self._venue.currency_names[currency]}"

    def case(self, number: int, each: Case) -> dict[str, Any]:
        """Returns a liquidation as plain values."""
        currency = each.domain[0]
        got, paid = _both(closing.fund_units for closing in each.closings)
        repaid, lost = _both(closing.deficit_units for closing in each.closings)
        money = {"fund_got": got, "fund_paid": paid, "deficit_repaid": repaid, "deficit_paid": lost}
        money |= {"fund_covered": -each.fund_units, "deficit_covered": -each.deficit_units}
        money |= {"winners_forgo": sum(closing.forgone_units for closing in each.closings)}
        return {
            "number": number, "account": name_of(self._kernel, each.account), "domain": self._domain(each.domain),
            "currency": self._venue.currency_names[currency], "outcome": _outcome(each), "time_ns": each.time_ns,
            "command": each.command, "cause": self._command_word(each.kind), "seq": each.verdicts[0].seq,
            "verdicts": [self._verdict(e) for e in each.verdicts],
            "cancelled": [self._order(*order) for order in each.cancelled],
            "steps": [self._step(e) for e in each.done], "taken": [self._taken(taken, currency) for taken in each.taken],
            "money": {name: self._money(units, currency) for name, units in money.items()},
        }  # fmt: skip

    @staticmethod
    def _command_word(kind: int) -> str:
        """Returns a command's type in words; one that is refused for its type has a number, and time passes by it, too."""
        return word_of(CommandType, kind).lower().replace("_", " ")

    def _verdict(self, e: Event) -> dict[str, Any]:
        amounts = {"equity": e.equity_units, "full": e.full_units, "own": e.own_units, "value": e.value_units}
        mark = None if e.instrument == NO_INSTRUMENT else self._ticks(e.instrument, e.mark_ticks)
        told = {name: self._money(units, e.currency) for name, units in amounts.items()}
        return {"seq": e.seq, "verdict": Verdict(e.verdict).name} | told | {"mark": mark}

    def _order(self, e: Event, price: int, dormant: bool, client_id: int | str) -> dict[str, Any]:
        return {
            "seq": e.seq, "order_id": e.order_id, "client_id": client_id or None,
            "instrument": self._venue.instruments[e.instrument].name, "side": Side(e.side).name.lower(),
            "price": self._ticks(e.instrument, price), "size": self._lots(e.instrument, e.cancelled_lots), "dormant": dormant,
        }  # fmt: skip

    def _step(self, e: Event) -> dict[str, Any]:
        """Returns an event of netting, step-down or conversion."""
        told: dict[str, Any] = {"seq": e.seq, "type": e.type.name}
        if e.type == EventType.LEDGER:
            who = {"payer": name_of(self._kernel, e.payer), "receiver": name_of(self._kernel, e.receiver)}
            amount = self._money(e.amount_units, e.currency)
            return told | {"posting": Posting(e.posting).name, "amount": amount} | who | {
                "currency": self._venue.currency_names[e.currency],
            }  # fmt: skip
        told |= {"instrument": self._venue.instruments[e.instrument].name, "size": self._lots(e.instrument, e.size_lots)}
        if e.type == EventType.STEP_DOWN:
            told |= {"side": Side(e.side).name.lower(), "limit": self._ticks(e.instrument, e.limit_ticks)}
            return told | {"tier": e.tier, "target_tier": e.target_tier, "mark": self._ticks(e.instrument, e.mark_ticks)}
        told |= {"price": self._ticks(e.instrument, e.price_ticks)}
        return told | ({"counterparty": name_of(self._kernel, e.maker)} if e.type == EventType.TRADE else {})

    def _taken(self, taken: Taken, currency: int) -> dict[str, Any]:
        e, left = taken.event, taken.left
        beyond = abs(e.bankruptcy_ticks) == 2**63 - 1
        return {
            "seq": e.seq, "parcel_id": e.parcel_id, "instrument": self._place(e.instrument, e.leg),
            "size": self._lots(e.instrument, e.size_lots), "mark": self._ticks(e.instrument, e.mark_ticks),
            "cost": self._money(e.cost_units, currency),
            "bankruptcy_price": None if beyond else plain(self._price(e.instrument, e.bankruptcy_ticks)),
            "closings": [self._closing(closing, currency) for closing in taken.closings],
            "left": self._lots(e.instrument, left.size_lots if left else e.size_lots),
        }  # fmt: skip

    def _price(self, instrument: int, ticks: int) -> Decimal:
        return from_units(ticks, self._venue.instruments[instrument].tick_size)

    def _closing(self, c: Closing, currency: int) -> dict[str, Any]:
        e, terms = c.event, self._venue.instruments[c.event.instrument]
        price = self._price(e.instrument, c.price_ticks) if c.price_ticks else None
        if c.value_units:
            price = price_of(terms, e.closed_lots, c.value_units)
        return {
            "seq": e.seq, "time_ns": c.time_ns, "how": _HOW[ParcelChange(e.change)],
            "counterparty": name_of(self._kernel, c.counterparty), "size": self._lots(e.instrument, e.closed_lots),
            "price": None if price is None else plain(price), "gain": self._money(e.gain_units, currency),
            "fund": self._money(c.fund_units, currency), "deficit": self._money(c.deficit_units, currency),
            "forgone": self._money(c.forgone_units, currency),
        }  # fmt: skip


def _both(amounts: Iterable[int]) -> tuple[int, int]:
    """Returns the sum of the amounts above zero, and that of those below it, as a positive number."""
    found = list(amounts)
    return sum(each for each in found if each > 0), -sum(each for each in found if each < 0)


def _outcome(each: Case) -> str:
    if each.taken:
        return "taken over"
    if any(e.type == EventType.STEP_DOWN for e in each.done):
        return "stepped down" if any(e.type == EventType.TRADE for e in each.done) else "to be stepped down, without a fill"
    return "netted" if any(e.type == EventType.NETTED for e in each.done) else "orders cancelled"
