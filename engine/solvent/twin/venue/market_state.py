"""The state of each market: HALT, SETTLE, expiries.

Owns the listing of each instrument and the settlement of its positions at one price. Never leaves a position, a parcel or an
order in a closed instrument. The rounding of inverse values goes to RESIDUE.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import Halt, Settle
from solvent.schema.limits import FIRST_USER
from solvent.schema.words import Ending, Listing, ParcelChange, Posting, Purse
from solvent.twin.account.ledger import Fill
from solvent.twin.contract import valuation
from solvent.twin.trade.lifecycle import Trading


class MarketState:
    def __init__(self, trading: Trading):
        self.trading = trading
        self.ledger = trading.ledger
        self.contracts = trading.contracts
        self.log = trading.log

    def _check(self, c: Halt | Settle) -> Code:
        if c.instrument >= len(self.contracts):
            return Code.UNKNOWN_INSTRUMENT
        return Code.NOT_TRADING if self.contracts[c.instrument].listing == Listing.CLOSED else Code.OK

    def halt(self, c: Halt) -> Code:
        """Executes HALT: listing 1 stops new orders, amendments and triggers, 0 admits them again. Prices, funding and
        liquidation go on."""
        if code := self._check(c):
            return code
        if c.listing > Listing.HALTED:
            return Code.BAD_MODE
        self.contracts[c.instrument].listing = c.listing
        self.log.emit_listing_changed(instrument=c.instrument, listing=c.listing, price_ticks=0)
        if c.listing == Listing.TRADING:
            self.trading.resume(c.instrument)
        return Code.OK

    def close_instrument(self, c: Settle) -> Code:
        """Executes SETTLE: closes an instrument for good at a price, or at its mark if the price is 0."""
        if code := self._check(c):
            return code
        contract = self.contracts[c.instrument]
        if not 0 <= c.price_ticks <= contract.max_price_ticks:
            return Code.BAD_PRICE
        if not (c.price_ticks or contract.mark):
            return Code.NO_MARK
        self.close_at(c.instrument, c.price_ticks or contract.mark)
        return Code.OK

    def close_at(self, instrument: int, ticks: int) -> None:
        """Cancels all orders, oldest first, and closes every position and parcel at one price, without a fee."""
        contract = self.contracts[instrument]
        for _, order in sorted(self.trading.live.items()):
            if order.instrument == instrument:
                self.trading.cancel(order, Ending.DELISTED)
        contract.listing, contract.mark, total = Listing.CLOSED, ticks, 0
        self.log.emit_listing_changed(instrument=instrument, listing=Listing.CLOSED, price_ticks=ticks)
        for p in self.ledger.members[instrument]:
            if p.size:
                worth = valuation.worth(contract, p.size, ticks)
                total += worth
                self.ledger.position_fill(p, Fill(-p.size, -worth, 0, 0, Posting.TAKER_FEE))
                self.trading.refresh_hold(p)
        for parcel in self.ledger.parcels:
            if parcel.size and parcel.instrument == instrument:
                worth = valuation.worth(contract, parcel.size, ticks)
                total += worth
                self.ledger.parcel_fill(parcel, abs(parcel.size), -worth, ParcelChange.CLOSED_BY_SETTLEMENT, 0)
        clearing, residue = (Purse.CLEARING, contract.currency), (Purse.RESIDUE, contract.currency)
        self.ledger.pay(Posting.SETTLED, clearing, residue, -total)
        for each in self.ledger.collateral:  # this price counts as its collateral price from now on
            if each.instrument == instrument:
                for account in range(FIRST_USER, len(self.ledger.wallets)):
                    if self.ledger.wallets[account][each.currency] > 0:
                        self.ledger.touch(account)
