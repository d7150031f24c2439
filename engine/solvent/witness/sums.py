"""The sums that every account and purse got and paid, by reason, currency and instrument, from events alone.

Owns the reasons of a statement and the reason that each posting counts for. Never asks an exchange for a balance: the sums of
a purse are its balance, or `line` raises. Invariant: each reason sums to zero over all accounts and purses. Cost: O(1) an
event.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from solvent.schema.codes import InvariantBroken
from solvent.schema.events import Event
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import EventType, Listing, Posting, Purse
from solvent.terms.instrument import Instrument
from solvent.witness.values import fill_value

REASONS: dict[str, int] = {
    "deposits": 1, "withdrawals": -1, "transfers": 1, "fees": -1, "rebates": 1, "liquidation_fees": -1, "realised": 1,
    "adl": 1, "funding_paid": -1, "funding_received": 1, "taken_over": -1, "converted": 1, "covered": 1, "house": 1,
}  # fmt: skip
"""The reasons of a statement, with the sign by which each changes a balance."""

COUNTS = ("lots", "notional_units", "trades", "adl_lots", "adls")
"""The counts besides money, by instrument."""

NEEDS = (
    EventType.LEDGER, EventType.TRADE, EventType.NETTED, EventType.ADL, EventType.FUNDED, EventType.LISTING_CHANGED,
)  # fmt: skip
"""The types of events that sums are made from."""

_REASON_OF = {
    Posting.DEPOSITED: "deposits", Posting.WITHDRAWN: "withdrawals", Posting.TRANSFERRED: "transfers",
    Posting.MAKER_FEE: "fees", Posting.TAKER_FEE: "fees", Posting.LIQUIDATION_FEE: "liquidation_fees",
    Posting.REALISED: "realised", Posting.FUNDING_PAID: "funding_paid", Posting.FUNDING_RECEIVED: "funding_received",
    Posting.TAKEN_OVER: "taken_over", Posting.CONVERTED: "converted", Posting.SHORTFALL: "covered",
    Posting.ADL_TOP_UP: "covered", Posting.FUND_SEEDED: "house", Posting.PARCEL_GAIN: "house", Posting.PARCEL_LOSS: "house",
    Posting.SETTLED: "house", Posting.DEFICIT_REPAID: "house", Posting.SURPLUS_RETURNED: "taken_over",
}  # fmt: skip
_WITHIN = {Posting.MARGIN_ASSIGNED, Posting.MARGIN_RELEASED, Posting.MARGIN_MOVED}  # between purses of one account
_OF_A_FILL = {"fees", "rebates", "liquidation_fees", "realised", "adl"}
_INDEX = {reason: i for i, reason in enumerate((*REASONS, *COUNTS))}
_FUNDING = {"funding_paid", "funding_received"}


class Listed(Protocol):
    """Names what sums need of a venue."""

    instruments: tuple[Instrument, ...]

    def currency_id(self, name: str) -> int: ...


Place = tuple[int, int]  # currency, instrument; NO_INSTRUMENT: whatever no single instrument did


def reason_of(e: Event, deleveraging: bool) -> str:
    """Returns the reason of a posting. A fee that the house pays is a rebate; a fee that repays the deficit is one of a
    liquidation."""
    reason = _REASON_OF[Posting(e.posting)]
    if reason == "fees" and e.payer == Purse.FEES:
        return "rebates"
    if e.posting == Posting.DEFICIT_REPAID and e.payer >= FIRST_USER:
        return "liquidation_fees"
    return "adl" if deleveraging and reason == "realised" else reason


class Sums:
    """Sums of one exchange, from its first event on.

    rows: by account and place, the numbers of REASONS, then those of COUNTS. cash: wallets by account and currency. margins:
    isolated margins by account, then by currency, instrument and leg. seq: the last event that is counted. columns: the names
    of a row's numbers, with their units.
    """

    columns = (*(f"{reason}_units" for reason in REASONS), *COUNTS)

    def __init__(self) -> None:
        self.rows: defaultdict[int, defaultdict[Place, list[int]]]
        self.rows = defaultdict(lambda: defaultdict(lambda: [0] * len(_INDEX)))
        self.cash: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.margins: defaultdict[int, dict[tuple[int, int, int], int]] = defaultdict(dict)
        self.seq = 0
        self._instrument = NO_INSTRUMENT  # of the fill that is being posted
        self._deleveraging = False
        self._funding: list[tuple[Event, str]] = []  # until their FUNDED says of which instrument

    def read(self, events: Iterable[Event], venue: Listed) -> None:
        """Reads further events of the types in NEEDS. Raises InvariantBroken for an instrument whose terms nobody knows."""
        for e in events:
            kind = e.type
            if kind == EventType.LEDGER:
                self._post(e)
            elif kind == EventType.TRADE:
                self._trade(e, venue)
            elif kind == EventType.FUNDED:
                for posting, reason in self._funding:
                    self._book(posting, reason, e.instrument)
                self._funding.clear()
            elif kind in (EventType.NETTED, EventType.ADL) or (
                kind == EventType.LISTING_CHANGED and e.listing == Listing.CLOSED
            ):
                self._instrument, self._deleveraging = e.instrument, kind == EventType.ADL
                if kind == EventType.ADL:
                    self._adl(e, venue)
            self.seq = e.seq

    def _post(self, e: Event) -> None:
        side, leg, place = e.margin_of & 3, e.margin_of >> 2, (e.currency, e.instrument)
        if side == 1:
            self.margins[e.payer][*place, leg] = e.payer_after
        else:
            self.cash[e.payer, e.currency] = e.payer_after
        if side == 2:
            self.margins[e.receiver][*place, leg] = e.receiver_after
        else:
            self.cash[e.receiver, e.currency] = e.receiver_after
        if e.posting in _WITHIN:
            return
        reason = reason_of(e, self._deleveraging)
        if reason in _FUNDING:
            self._funding.append((e, reason))
        else:
            self._book(e, reason, self._instrument if reason in _OF_A_FILL else e.instrument)

    def _book(self, e: Event, reason: str, instrument: int) -> None:
        """Enters both halves of a posting."""
        at, place = _INDEX[reason], (e.currency, instrument)
        amount = REASONS[reason] * e.amount_units
        self.rows[e.payer][place][at] -= amount
        self.rows[e.receiver][place][at] += amount

    def _trade(self, e: Event, venue: Listed) -> None:
        """Counts a trade for both sides; with oneself it counts twice."""
        self._instrument, self._deleveraging = e.instrument, False
        traded = _known(e, venue)
        buyer, seller = (e.maker, e.taker) if e.side else (e.taker, e.maker)
        alone = buyer == Purse.HOUSE and seller != Purse.HOUSE
        value = fill_value(traded.spec, e.size_lots, e.price_ticks, house_buys=alone)
        for account in (buyer, seller):
            row = self.rows[account][venue.currency_id(traded.settle), e.instrument]
            row[_INDEX["lots"]] += e.size_lots
            row[_INDEX["notional_units"]] += value
            row[_INDEX["trades"]] += 1

    def _adl(self, e: Event, venue: Listed) -> None:
        row = self.rows[e.account][venue.currency_id(_known(e, venue).settle), e.instrument]
        row[_INDEX["adl_lots"]] += e.closed_lots
        row[_INDEX["adls"]] += 1

    def line(self, account: int, currency: int) -> dict[str, int]:
        """Returns the sums of an account in a currency, with `cash_units` and `margin_units`.

        Raises InvariantBroken if they are not its balance.
        """
        found = self._added([row for place, row in self.rows[account].items() if place[0] == currency])
        margins = sum(units for key, units in self.margins[account].items() if key[0] == currency)
        return self._balanced(account, found | {"cash_units": self.cash[account, currency], "margin_units": margins})

    def places(self, account: int) -> list[Place]:
        """Returns the currencies and instruments in which anything of an account was counted."""
        return sorted(self.rows[account])

    def of_instrument(self, account: int, place: Place) -> dict[str, int]:
        """Returns the sums of an account that belong to one instrument, with the isolated margin that is there now."""
        margins = sum(units for key, units in self.margins[account].items() if key[:2] == place)
        return self._added([self.rows[account][place]]) | {"margin_units": margins}

    @staticmethod
    def _added(rows: list[list[int]]) -> dict[str, int]:
        return {name: sum(row[i] for row in rows) for name, i in _INDEX.items()}

    @staticmethod
    def _balanced(account: int, line: dict[str, int]) -> dict[str, int]:
        net = sum(sign * line[reason] for reason, sign in REASONS.items())
        held = line["cash_units"] + line["margin_units"]
        if net != held:
            raise InvariantBroken(f"the statement of account {account} says {net}, its purses hold {held}")
        return line


def _known(e: Event, venue: Listed) -> Instrument:
    if e.instrument >= len(venue.instruments):
        raise InvariantBroken(f"the terms of instrument {e.instrument} are not known at {e!r}")
    return venue.instruments[e.instrument]
