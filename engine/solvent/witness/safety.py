"""SAFE-1 and SAFE-2 from events alone: a command costs nobody but its owner.

Owns what a command, after the clock, may take from the fund and the deficit, and a look at every fill that opens something.
Never reads more than events and the auditor's own books. Cost: an opening fill costs one reading of its owner's domains.

* SAFE-1: a command that is no price, funding or settlement pays nothing out of fund or deficit, and deleverages nobody. A
  parcel's roundings may cost one unit for each of its fills.
* SAFE-2: a fill that opens something leaves no domain of its owner below R_own, or further below it than before.
"""

from collections import defaultdict
from typing import NamedTuple

from solvent.schema.codes import InvariantBroken
from solvent.schema.commands import COSTS_OTHERS
from solvent.schema.events import Event
from solvent.schema.words import ParcelChange, Purse
from solvent.witness.books import Books
from solvent.witness.rows import Audited, Key, Order

_BY_TRADE = {ParcelChange.FILLED_BY_BOOK, ParcelChange.FILLED_BY_FUND}


class Before(NamedTuple):
    """Holds a position and its owner's wallet before a trade, and the resting order that the trade takes lots from."""

    size: int
    cost: int
    margin: int
    cash: int
    maker: Order | None
    lots: int


class Safety(Books):
    """Checks SAFE-1 and SAFE-2 for every command."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self._command_costs = self._costs_others = True  # the command of now may
        self._paid: defaultdict[int, int] = defaultdict(int)  # out of fund and deficit, by currency
        self._rounded: defaultdict[int, int] = defaultdict(int)  # of it by roundings of parcels
        self._parcel_fills: defaultdict[int, int] = defaultdict(int)
        self._parcel_losses: defaultdict[int, int] = defaultdict(int)
        self._losing: defaultdict[int, int] = defaultdict(int)  # of these what this command may have added
        self._waiting: set[int] = set()  # parcels without value, for a mark of their instrument

    def _refuse(self, e: object, what: str) -> None:
        raise InvariantBroken(f"auditor: {what} at {e!r}")

    # --- SAFE-1

    def _safe_begin(self, e: Event) -> None:
        """Starts a command. The clock comes first; without a word from it, everything is the command's own doing."""
        self._command_costs = self._costs_others = e.command in COSTS_OTHERS
        self._safe_passed()

    def _safe_passed(self) -> None:
        """Forgets what the clock did: it does not count."""
        self._costs_others = self._command_costs
        for counts in (self._paid, self._rounded, self._losing):
            counts.clear()

    def _safe_settled(self) -> None:
        """Lets a settlement cost others, whatever command it is of."""
        self._costs_others = True

    def _safe_ledger(self, e: Event) -> None:
        if e.payer in (Purse.FUND, Purse.DEFICIT):
            self._paid[e.currency] += e.amount_units

    def _safe_adl(self, e: Event) -> None:
        self._paid[-1] += 1

    def _safe_parcel(self, e: Event) -> None:
        if e.change in _BY_TRADE:
            self._parcel_fills[e.parcel_id] += 1
            if e.gain_units < 0 and not self._costs_others:
                self._rounded[self.currency[e.instrument]] -= e.gain_units
                self._losing[e.parcel_id] -= e.gain_units

    def _safe_marked(self, parcels: set[int]) -> None:
        """Ends the waiting of these parcels: their instrument has a new mark."""
        self._waiting -= parcels

    def _safe_parcel_rests(self, parcel_id: int, value: int) -> None:
        """Checks at the end of a command that a parcel is under water only if a command of another kind left it so."""
        if value <= 0 and self._costs_others and parcel_id not in self._waiting:
            self._refuse(parcel_id, "LIQ-6: a price, funding or a settlement leaves no parcel without value")
        if value <= 0:
            self._waiting.add(parcel_id)

    def _safe_close(self) -> None:
        if self._costs_others:
            return
        for currency, units in self._paid.items():
            if currency < 0:
                self._refuse(units, "SAFE-1: this command deleverages nobody")
            if units > self._rounded[currency]:
                self._refuse(units, f"SAFE-1: this command pays nothing out of fund or deficit of currency {currency}")
        for parcel_id, units in self._losing.items():
            self._parcel_losses[parcel_id] += units
            if self._parcel_losses[parcel_id] > self._parcel_fills[parcel_id]:
                self._refuse(units, f"SAFE-1: parcel {parcel_id} lost more than a unit a fill")

    # --- SAFE-2

    def _before(self, key: Key, maker: Order | None, lots: int) -> Before:
        cash = self.wallets[key[0], self.currency[key[1]]]
        return Before(self.sizes[key], self.costs[key], self.margins[key], cash, maker, lots)

    def _slacks(self, key: Key) -> list[int]:
        """Returns equity above R_own of every domain that a fill of a position may change."""
        currency = self.currency[key[1]]
        backed = [of for source, of, *_ in self.exchange.venue.collateral_terms if source == currency]
        readings = [self.terms(key, key[0], currency)] if self.modes.get(key) else []
        readings += [self.terms(None, key[0], each) for each in [currency, *backed]]
        return [equity - own for equity, _, own in readings]

    def _safe_fill(self, key: Key, before: Before, e: Event) -> None:
        """Checks a position after its trade. If the trade turned the position, `before` is the moment when it was closed."""
        turned = before.size * e.size_lots < 0
        if abs(e.size_lots) <= abs(before.size) and not turned:
            return
        after = self._slacks(key)
        if min(after) >= 0:
            return
        wallet, now = (key[0], self.currency[key[1]]), self._before(key, before.maker, before.lots)
        if turned:
            before = Before(0, 0, 0, now.cash + now.margin, None, 0)
        self._set(key, wallet, before, 1)
        least = [min(0, slack) for slack in self._slacks(key)]
        self._set(key, wallet, now, -1 if before.maker else 0)
        if any(slack < floor for slack, floor in zip(after, least, strict=True)):
            self._refuse(e, f"SAFE-2: this fill leaves {after} above R_own, before it {least}")

    def _set(self, key: Key, wallet: tuple[int, int], rows: Before, sign: int) -> None:
        self.sizes[key], self.costs[key], self.margins[key], self.wallets[wallet] = rows[:4]
        if rows.maker:
            rows.maker.remaining += sign * rows.lots
