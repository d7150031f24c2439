"""Statements: the sums that one account, or one purse of the house, paid and got, in decimals and words.

Owns the rendering of `witness/sums`. Never counts anything itself. Cost: one pass over the events since the last statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from solvent.api.names import name_of
from solvent.api.venue import Venue
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.terms.decimals import from_units, plain
from solvent.witness.sums import REASONS, Sums

__all__ = ["Statement", "StatementRow", "Sums", "statement"]


@dataclass(frozen=True, slots=True)
class StatementRow:
    """Shows the sums of an account in one currency, or those of them that belong to one instrument.

    Amounts are in the currency. Most of them add to the balance: deposits, transfers (in less out), rebates, realised, adl,
    funding_received, converted, covered, house. The rest is taken from it: withdrawals, fees, liquidation_fees, funding_paid,
    taken_over. Each sums to zero over all accounts and purses: `fees` of the purse that receives them is negative.

    realised: profit less loss of trades, netting and settlements; adl: the same of deleveraging. converted: collateral got
    less given. covered: paid by fund and deficit for the account. taken_over: lost to the house with positions. house: moved
    among purses of the house.

    balance: cash and isolated margins, the sum of all these. It is None for an instrument, as cash is.

    notional: the value of all trades, maker's and taker's, in the settlement currency. trades: their number; a trade with
    oneself counts twice. contracts, adl_contracts: sizes of trades and of deleveragings; None for a currency. adls: the number
    of deleveragings.
    """

    currency: str
    instrument: str | None
    deposits: Decimal
    withdrawals: Decimal
    transfers: Decimal
    fees: Decimal
    rebates: Decimal
    liquidation_fees: Decimal
    realised: Decimal
    adl: Decimal
    funding_paid: Decimal
    funding_received: Decimal
    taken_over: Decimal
    converted: Decimal
    covered: Decimal
    house: Decimal
    margin: Decimal
    cash: Decimal | None
    balance: Decimal | None
    notional: Decimal
    trades: int
    contracts: Decimal | None
    adls: int
    adl_contracts: Decimal | None

    def _lines(self) -> Iterator[str]:
        """Yields a line for every reason that has an amount, with the sign by which it changed the balance."""
        told = [(reason.replace("_", " "), sign * getattr(self, reason)) for reason, sign in REASONS.items()]
        told = [each for each in told if each[1]]
        told += [] if self.balance is None else [("balance", self.balance)]
        told += [("isolated margin", self.margin)] if self.margin else []
        rows = [(name, plain(amount)) for name, amount in told]
        if self.trades:
            size = "" if self.contracts is None else f"{plain(self.contracts)} contracts, "
            rows.append(("traded", f"{size}{plain(self.notional)} in {_times(self.trades, 'trade')}"))
        if self.adls:
            size = "" if self.adl_contracts is None else f"{plain(self.adl_contracts)} contracts, "
            rows.append(("deleveraged", f"{size}{_times(self.adls, 'time')}"))
        wide = max((len(name) for name, _ in rows), default=0)
        return (f"    {name:{wide}}  {text}" for name, text in rows)


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True, repr=False)
class Statement:
    """Shows what an account paid and got up to an event; its repr is a page to read.

    currencies: a StatementRow by currency. instruments: by instrument, as far as postings belong to one. A takeover of cross
    positions takes the whole wallet, which belongs to none. With one currency the fields of its row are attributes here:
    statement.fees, statement.balance, ...
    """

    account: str
    account_id: int
    seq: int
    currencies: dict[str, StatementRow]
    instruments: dict[str, StatementRow]

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_") or key not in StatementRow.__slots__ or len(self.currencies) != 1:
            raise AttributeError(f"{key} (a statement has a row for each currency: .currencies)")
        return getattr(next(iter(self.currencies.values())), key)

    def to_dict(self) -> dict[str, Any]:
        """Returns the statement as plain values for JSON: amounts as text, in currency."""
        told = {"account": self.account, "account_id": self.account_id, "seq": self.seq}
        rows = {"currencies": self.currencies, "instruments": self.instruments}
        return told | {what: {name: _plain_row(row) for name, row in each.items()} for what, each in rows.items()}

    def __repr__(self) -> str:
        lines = [f"statement of {self.account} to event {self.seq}"]
        for name, row in (*self.currencies.items(), *self.instruments.items()):
            lines += [f"  {name}", *row._lines()]
        return "\n".join(lines)


def _plain_row(row: StatementRow) -> dict[str, Any]:
    values = {each.name: getattr(row, each.name) for each in fields(row)}
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def statement(venue: Venue, kernel: Any, sums: Sums, account: int) -> Statement:
    """Renders the sums of an account."""
    places = sums.places(account)
    currencies = {
        name: _row(venue, None, i, sums.line(account, i)) for i, name in enumerate(venue.currency_names)
        if i in {currency for currency, _ in places} or len(venue.currency_names) == 1
    }  # fmt: skip
    instruments = {
        venue.instruments[place[1]].name: _row(venue, place[1], place[0], sums.of_instrument(account, place))
        for place in places if place[1] != NO_INSTRUMENT
    }  # fmt: skip
    return Statement(name_of(kernel, account), account, sums.seq, currencies, instruments)


def _row(venue: Venue, instrument: int | None, currency: int, line: dict[str, int]) -> StatementRow:
    unit, terms = venue.units[currency], None if instrument is None else venue.instruments[instrument]
    money = {reason: from_units(line[reason], unit) for reason in REASONS}
    cash = from_units(line["cash_units"], unit) if terms is None else None
    return StatementRow(
        currency=venue.currency_names[currency], instrument=terms.name if terms else None, **money,
        margin=from_units(line["margin_units"], unit), cash=cash,
        balance=from_units(line["cash_units"] + line["margin_units"], unit) if terms is None else None,
        notional=from_units(line["notional_units"], unit), trades=line["trades"],
        contracts=from_units(line["lots"], terms.lot_size) if terms else None, adls=line["adls"],
        adl_contracts=from_units(line["adl_lots"], terms.lot_size) if terms else None,
    )  # fmt: skip
