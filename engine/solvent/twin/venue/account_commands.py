"""Deposits, withdrawals, transfers, leverage, position modes and margin moves.

Owns the checks of these commands, complete before the first write, and what they write. Never trades or liquidates; it
touches accounts, and settlement looks at them.
"""

from fractions import Fraction

from solvent.schema.codes import Code
from solvent.schema.commands import Deposit, MoveMargin, SeedFund, SetLeverage, SetPositionMode, Transfer, Withdraw
from solvent.schema.limits import FIRST_USER, LEVERAGE_PARTS_MAX, LEVERAGE_TIMES_MAX, MONEY_MAX
from solvent.schema.words import Leg, Mode, Posting, Purse, Scheme
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.trade.placement import Entry


class Control:
    def __init__(self, entry: Entry):
        self.entry = entry
        self.cover = entry.cover
        self.trading = entry.trading
        self.ledger = entry.ledger
        self.contracts = entry.contracts

    def _check_amount(self, currency: int, units: int) -> Code:
        if currency >= self.ledger.currencies:
            return Code.UNKNOWN_CURRENCY
        return Code.OK if 1 <= units <= MONEY_MAX else Code.BAD_AMOUNT

    def _check_purse(self, c: Deposit | Withdraw | Transfer) -> Code:
        if not FIRST_USER <= c.account < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        return self._check_amount(c.currency, c.amount_units)

    def _exceeds(self, currency: int, units: int) -> bool:
        """True if all that came in, with this, would be more than a currency may have."""
        return units > MONEY_MAX + self.ledger.wallets[Purse.OUTSIDE][currency]

    def deposit(self, c: Deposit) -> Code:
        if code := self._check_purse(c):
            return code
        if self._exceeds(c.currency, c.amount_units):
            return Code.MONEY_LIMIT
        self.ledger.pay(Posting.DEPOSITED, (Purse.OUTSIDE, c.currency), (c.account, c.currency), c.amount_units)
        self.ledger.touch(c.account)
        return Code.OK

    def seed_fund(self, c: SeedFund) -> Code:
        if code := self._check_amount(c.currency, c.amount_units):
            return code
        if self._exceeds(c.currency, c.amount_units):
            return Code.MONEY_LIMIT
        self.ledger.fund_receives(Posting.FUND_SEEDED, (Purse.OUTSIDE, c.currency), c.currency, c.amount_units)
        return Code.OK

    def withdraw(self, c: Withdraw) -> Code:
        if code := self._check_purse(c):
            return code
        if self.ledger.wallets[Purse.DEFICIT][c.currency]:
            return Code.WITHDRAWALS_CLOSED
        if not self.cover.affords(c.account, c.currency, c.amount_units, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self.ledger.pay(Posting.WITHDRAWN, (c.account, c.currency), (Purse.OUTSIDE, c.currency), c.amount_units)
        self.ledger.touch(c.account)
        return Code.OK

    def transfer(self, c: Transfer) -> Code:
        """TRANSFER: from an account to another of its family (a master and its sub-accounts)."""
        if code := self._check_purse(c):
            return code
        if not FIRST_USER <= c.receiver < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        family = [self.ledger.parents[account] or account for account in (c.account, c.receiver)]
        if family[0] != family[1] or c.receiver == c.account:
            return Code.NOT_RELATED
        if not self.cover.affords(c.account, c.currency, c.amount_units, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self.ledger.pay(Posting.TRANSFERRED, (c.account, c.currency), (c.receiver, c.currency), c.amount_units)
        self.ledger.touch(c.account)
        self.ledger.touch(c.receiver)
        return Code.OK

    def _check_position(self, account: int, instrument: int, leg: int) -> Code:
        """Names, and the leg that the position mode wants."""
        return self.entry.check_names(account, instrument) or self.entry.check_leg(account, instrument, leg)

    def set_leverage(self, c: SetLeverage) -> Code:
        """SET_LEVERAGE: mode only while flat and without resting orders, leverage within the tier and the free balance."""
        if code := self._check_position(c.account, c.instrument, c.leg):
            return code
        if c.mode > Mode.ISOLATED:
            return Code.BAD_MODE
        parts = c.leverage_parts or 1
        if parts > LEVERAGE_PARTS_MAX or not parts <= c.leverage_times <= LEVERAGE_TIMES_MAX:
            return Code.BAD_LEVERAGE
        leverage = Fraction(c.leverage_times, parts)
        contract = self.contracts[c.instrument]
        # A higher tier that deducts, or whose rate is a smaller share of its initial one, may ask for less: none to choose.
        unequal = contract.scheme in (Scheme.DEDUCTION, Scheme.FACTOR)
        if not 0 <= c.chosen_tier <= len(contract.tiers) or (c.chosen_tier and unequal):
            return Code.BAD_LEVERAGE
        p = self.ledger.blank(c.account, c.instrument, c.leg)
        if c.mode != p.mode and (p.size or p.orders):
            return Code.MODE_IN_USE
        before = p.mode, p.leverage, p.chosen_tier
        initial = margin.initial_units(contract, p)
        p.mode, p.chosen_tier = c.mode, c.chosen_tier
        fits, allowed = not p.chosen_tier or self.cover.fits(p), valuation.allows(contract, self.cover.reach(p), leverage)
        if not (fits and allowed):
            p.mode, p.leverage, p.chosen_tier = before
            return Code.LEVERAGE_ABOVE_TIER if fits else Code.POSITION_LIMIT
        p.leverage = leverage
        needed = margin.hold_units(contract, p, p.open_sides) - p.hold
        if p.mode == Mode.CROSS:
            needed += margin.initial_units(contract, p) - initial
        other = (
            bool(contract.rates) or (contract.scheme == Scheme.FACTOR and leverage < before[1]) or c.chosen_tier > before[2]
        )
        endangers = other and (p.size or p.orders) and self._endangers(p)
        p.mode, p.leverage, p.chosen_tier = before
        if endangers or (needed > 0 and not self.cover.affords(c.account, contract.currency, needed, bool(c.mode))):
            return Code.INSUFFICIENT_MARGIN
        p.mode, p.leverage, p.chosen_tier = c.mode, leverage, c.chosen_tier
        self.trading.keep(p)
        self.trading.refresh_hold(p)
        self.ledger.position_event(p)
        self.ledger.touch(c.account)
        return Code.OK

    def _endangers(self, p: Position) -> bool:
        """Whether a position's domain is below its threshold: another leverage or tier may ask more."""
        r = self.cover.admission.domain_of(p)
        return r.positions > 0 and r.equity < r.own

    def set_position_mode(self, c: SetPositionMode) -> Code:
        """One position of an instrument, or a long and a short one held apart; changes only while flat without orders.

        The legs begin with the margin mode and leverage of the one-way position, which keeps its own for later.
        """
        if code := self.entry.check_names(c.account, c.instrument):
            return code
        if c.hedged > 1:
            return Code.BAD_MODE
        rows = [self.ledger.blank(c.account, c.instrument, leg) for leg in Leg]
        if rows[0].hedged != bool(c.hedged) and any(p.size or p.orders for p in rows):
            return Code.MODE_IN_USE
        one, long, short = rows
        if c.hedged and not one.hedged:
            long.mode, long.leverage, short.mode, short.leverage = one.mode, one.leverage, one.mode, one.leverage
            long.twin, short.twin = short, long
        one.hedged = bool(c.hedged)
        for p in rows if c.hedged else [one]:
            self.trading.keep(p)
            self.ledger.position_event(p)
        return Code.OK

    def move_margin(self, c: MoveMargin) -> Code:
        """MOVE_MARGIN: between wallet and position, or from this position to another."""
        if code := self._check_position(c.account, c.instrument, c.leg):
            return code
        if c.amount_units == 0 or abs(c.amount_units) > MONEY_MAX or (c.next_to_target and c.amount_units < 0):
            return Code.BAD_AMOUNT
        p, contract = self.ledger.blank(c.account, c.instrument, c.leg), self.contracts[c.instrument]
        if p.mode != Mode.ISOLATED or not p.size:
            return Code.NO_ISOLATED_POSITION
        if c.next_to_target:
            return self._pass_margin(c, p)
        if c.amount_units < 0:
            if not self._can_spare(p, -c.amount_units):
                return Code.BELOW_INITIAL_MARGIN
        elif not self.cover.affords(c.account, contract.currency, c.amount_units, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self._move(p, c.amount_units)
        return Code.OK

    def _can_spare(self, p: Position, amount: int) -> bool:
        contract = self.contracts[p.instrument]
        left = p.margin - amount + min(0, valuation.upl(contract, p))
        p.margin -= amount
        r = self.cover.admission.domain_of(p)
        p.margin += amount
        return r.equity >= r.own and left >= margin.initial_units(contract, p) + margin.closing_loss(p)

    def _move(self, p: Position, amount: int) -> None:
        self.ledger.pay(Posting.MARGIN_MOVED, (p.account, self.contracts[p.instrument].currency), p, amount)
        self.ledger.position_event(p)
        self.ledger.touch(p.account)

    def _pass_margin(self, c: MoveMargin, p: Position) -> Code:
        """From one isolated position to another, by way of the wallet."""
        instrument = c.next_to_target - 1
        if instrument >= len(self.contracts):
            return Code.UNKNOWN_INSTRUMENT
        if code := self._check_position(c.account, instrument, c.target_leg):
            return code
        target = self.ledger.blank(c.account, instrument, c.target_leg)
        same = self.contracts[instrument].currency == self.contracts[c.instrument].currency
        if target is p or not same or target.mode != Mode.ISOLATED or not target.size:
            return Code.NO_ISOLATED_POSITION
        if not self._can_spare(p, c.amount_units):
            return Code.BELOW_INITIAL_MARGIN
        self._move(p, -c.amount_units)
        self._move(target, c.amount_units)
        return Code.OK
