"""The state of each market: HALT, SETTLE, SET_STATE, expiries, calls that end.

Owns the listing of each instrument, its calls with their indications, and the settlement of its positions at one price. Never
leaves a position, a parcel or an order in a closed instrument. The rounding of inverse values goes to RESIDUE.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import Halt, SetState, Settle
from solvent.schema.limits import FIRST_USER, RATE
from solvent.schema.states import CALLS
from solvent.schema.words import Ending, Listing, ParcelChange, Posting, Purse
from solvent.twin.account.ledger import Due, Fill
from solvent.twin.contract import valuation
from solvent.twin.trade.uncross import Uncross


class MarketState:
    def __init__(self, uncrossing: Uncross):
        self.uncrossing = uncrossing
        self.trading = trading = uncrossing.trading
        self.ledger = trading.ledger
        self.contracts = trading.contracts
        self.log = trading.log

    def _check(self, c: Halt | Settle | SetState) -> Code:
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
        self._change(c.instrument, c.listing)
        return Code.OK

    def set_state(self, c: SetState) -> Code:
        """Executes SET_STATE: any state but that of a settled instrument becomes any other."""
        if code := self._check(c):
            return code
        timed = c.listing == Listing.AUCTION and c.ends_ns > c.time_ns and c.then_listing not in (*CALLS, Listing.CLOSED)
        untimed = not c.ends_ns and not c.then_listing
        if max(c.listing, c.then_listing) > Listing.ONLY_CANCEL or not (timed or untimed):
            return Code.BAD_STATE
        if c.listing == Listing.CLOSED:
            return self.close_instrument(c)
        if c.price_ticks:
            return Code.BAD_PRICE
        self._change(c.instrument, c.listing, c.ends_ns, c.then_listing)
        return Code.OK

    # --- calls

    def _change(self, instrument: int, listing: int, ends_ns: int = 0, then: int = 0) -> None:
        """Brings a market into another state. A book that is crossed is uncrossed first, unless orders go on gathering."""
        before = self.contracts[instrument].listing
        if listing not in (before, *CALLS):
            self.uncrossing.uncross(instrument)
        self._enter(instrument, listing, ends_ns, then)

    def _enter(self, instrument: int, listing: int, ends_ns: int = 0, then: int = 0) -> None:
        """Enters a state: the house offers what it could not offer before, and triggers wake."""
        contract = self.contracts[instrument]
        before, waited = contract.listing, contract.waits
        if listing in CALLS:
            self.uncrossing.end_unseen(instrument)
            self.uncrossing.park_pegs(instrument)
        self.uncrossing.enter(instrument, listing, ends_ns=ends_ns, then=then)
        for parcel in self.ledger.parcels:
            if parcel.instrument == instrument and contract.waits and parcel.order:
                self.trading.cancel(parcel.order, Ending.UNWOUND)
            elif parcel.instrument == instrument and parcel.order is None and not contract.waits:
                offers = waited or before == Listing.ONLY_CANCEL != listing
                parcel.due = Due.OFFER if offers else parcel.due
        for p in self.ledger.members[instrument] if waited and not contract.waits else ():
            if p.size:
                self.ledger.touch(p.account)
        if listing == Listing.TRADING:
            self.trading.resume(instrument)

    def end_calls(self, now_ns: int) -> bool:
        """Ends the calls whose time has come, by their ends, then by instrument. Returns True if there was one."""
        ended = False
        while ends := [(each.ends_ns, i) for i, each in enumerate(self.contracts) if 0 < each.ends_ns <= now_ns]:
            self._end_call(min(ends)[1])
            ended = True
        return ended

    def _end_call(self, instrument: int) -> None:
        """Ends a call; one whose price is out of range goes on a while, or ends in a halt if it has often enough."""
        contract, found = self.contracts[instrument], self.uncrossing.price_now(instrument)
        calls, reference = contract.calls, contract.reference
        wild = bool(calls.range_ppb and found.lots) and abs(found.price - reference) * RATE > reference * calls.range_ppb
        if wild and contract.extensions < calls.most_extensions:
            self.uncrossing.extend(instrument)
        elif wild and calls.halts:
            self._enter(instrument, Listing.HALTED)
        else:
            self._change(instrument, contract.then_listing)

    def indicate(self) -> None:
        """Tells price, volume and surplus of an uncross now, of every call in which one of them has changed."""
        for instrument, contract in enumerate(self.contracts):
            if contract.listing in CALLS and not contract.calls.silent:
                found = self.uncrossing.price_now(instrument)
                if found != contract.told:
                    contract.told = found
                    self.log.emit_indicated(
                        instrument=instrument, price_ticks=found.price, size_lots=found.lots, surplus_lots=found.surplus
                    )

    # --- settlements

    def close_instrument(self, c: Settle | SetState) -> Code:
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
        self.uncrossing.uncross(instrument)
        for _, order in sorted(self.trading.live.items()):
            if order.instrument == instrument:
                self.trading.cancel(order, Ending.DELISTED)
        contract.mark, total = ticks, 0
        self.uncrossing.enter(instrument, Listing.CLOSED, price=ticks)
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
