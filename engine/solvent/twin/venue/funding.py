"""Funding: the holders of one side pay those of the other, once a period (semantics §7).

Owns the amounts due, their cap and their distribution. Never settles a period twice. Never creates or loses a unit: the
collected amount is paid out, and the remainder stays in RESIDUE.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import SettleFunding
from solvent.schema.limits import RATE
from solvent.schema.words import Mode, Posting, Purse
from solvent.twin.account.ledger import AnyPurse, Parcel, Position
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import State


class Funding:
    def __init__(self, state: State):
        self.state = state
        self.ledger = state.ledger
        self.contracts = state.contracts

    def pay_funding(self, c: SettleFunding) -> Code:
        """Executes FUNDING: a rate over RATE (longs pay when it is positive) for a period after the last one."""
        if c.instrument >= len(self.contracts):
            return Code.UNKNOWN_INSTRUMENT
        contract, rate, period = self.contracts[c.instrument], c.rate_ppb, c.period
        if not -RATE < rate < RATE:
            return Code.BAD_RATE
        if not contract.funding_period < period < 2**63:
            return Code.PERIOD_SETTLED
        if not contract.mark:
            return Code.NO_MARK
        self.pay_rate(c.instrument, rate, period)
        return Code.OK

    def pay_rate(self, instrument: int, rate: int, period: int) -> None:
        """Collects from each holder of the paying side into RESIDUE, and pays each holder of the other side from there."""
        self.contracts[instrument].funding_period = period
        holders: list[Position | Parcel] = [*self.ledger.members[instrument], *self.ledger.parcels]
        holders = [each for each in holders if each.size and each.instrument == instrument]
        payers = [each for each in holders if each.size * rate > 0]
        receivers = [each for each in holders if each.size * rate < 0]
        total = sum(self._due(each, rate) for each in receivers)
        collected = sum(self._charge(each, rate, period) for each in payers)
        paid = sum(self._credit(each, self._due(each, rate) * collected // total, period) for each in receivers)
        self.state.log.emit_funded(
            instrument=instrument, period=period, rate_ppb=rate, collected_units=collected, paid_units=paid, due_units=total,
        )  # fmt: skip

    def _due(self, each: Position | Parcel, rate: int) -> int:
        """Returns ceil(value * |rate|), the same for both sides, by the value at mark or at the index."""
        contract = self.contracts[each.instrument]
        return valuation.fee_units(valuation.funding_value(contract, each.size), abs(rate))

    def _purse(self, p: Position) -> AnyPurse:
        return p if p.mode == Mode.ISOLATED else (p.account, self.contracts[p.instrument].currency)

    def _charge(self, each: Position | Parcel, rate: int, period: int) -> int:
        """Moves the amount due into RESIDUE. With the cap, a position pays no more than leaves R_own; a parcel pays what the
        fund has."""
        currency = self.contracts[each.instrument].currency
        charge, purse = self._due(each, rate), (int(Purse.FUND), currency)
        if isinstance(each, Parcel):
            charge = min(charge, self.ledger.wallets[Purse.FUND][currency])
            self.ledger.pay(Posting.FUNDING_PAID, purse, (Purse.RESIDUE, currency), charge, period)
            self.ledger.fund_moved(currency)
            return charge
        if self.state.rules.funding_cap:
            charge = min(charge, self.state.admission.bearable(each))
        self.ledger.pay(Posting.FUNDING_PAID, self._purse(each), (Purse.RESIDUE, currency), charge, period)
        self._after(each, charge)
        return charge

    def _credit(self, each: Position | Parcel, share: int, period: int) -> int:
        currency = self.contracts[each.instrument].currency
        residue = (Purse.RESIDUE, currency)
        if isinstance(each, Parcel):
            self.ledger.fund_receives(Posting.FUNDING_RECEIVED, residue, currency, share, period)
        else:
            self.ledger.pay(Posting.FUNDING_RECEIVED, residue, self._purse(each), share, period)
            self._after(each, share)
        return share

    def _after(self, p: Position, units: int) -> None:
        if p.mode == Mode.ISOLATED and units:
            self.ledger.position_event(p)
        self.ledger.touch(p.account)
