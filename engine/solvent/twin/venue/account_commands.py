"""Deposits, withdrawals, transfers, leverage, position modes and margin moves.

Owns the checks of these commands, complete before the first write, and their writes. Never trades or liquidates; it touches
accounts, and the pipeline tests them.
"""

from fractions import Fraction

from solvent.schema.codes import Code
from solvent.schema.commands import Deposit, MoveMargin, SeedFund, SetLeverage, SetPositionMode, Transfer, Withdraw
from solvent.schema.limits import FIRST_USER, LEVERAGE_PARTS_MAX, LEVERAGE_TIMES_MAX, MONEY_MAX
from solvent.schema.words import Leg, Mode, Posting, Purse, Scheme
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.trade.placement import Placement


class AccountCommands:
    def __init__(self, placement: Placement):
        self.placement = placement
        self.order_margin = placement.order_margin
        self.trading = placement.trading
        self.ledger = placement.ledger
        self.contracts = placement.contracts

    def _check_amount(self, currency: int, units: int) -> Code:
        if currency >= self.ledger.currencies:
            return Code.UNKNOWN_CURRENCY
        return Code.OK if 1 <= units <= MONEY_MAX else Code.BAD_AMOUNT

    def _check_purse(self, c: Deposit | Withdraw | Transfer) -> Code:
        if not FIRST_USER <= c.account < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        return self._check_amount(c.currency, c.amount_units)

    def _exceeds(self, currency: int, units: int) -> bool:
        """True if all deposits, with this one, would exceed the limit of a currency."""
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
        if not self.order_margin.affords(c.account, c.currency, c.amount_units, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self.ledger.pay(Posting.WITHDRAWN, (c.account, c.currency), (Purse.OUTSIDE, c.currency), c.amount_units)
        self.ledger.touch(c.account)
        return Code.OK

    def transfer(self, c: Transfer) -> Code:
        """Executes TRANSFER between two accounts of one family (a master and its sub-accounts)."""
        if code := self._check_purse(c):
            return code
        if not FIRST_USER <= c.receiver < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        family = [self.ledger.parents[account] or account for account in (c.account, c.receiver)]
        if family[0] != family[1] or c.receiver == c.account:
            return Code.NOT_RELATED
        if not self.order_margin.affords(c.account, c.currency, c.amount_units, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self.ledger.pay(Posting.TRANSFERRED, (c.account, c.currency), (c.receiver, c.currency), c.amount_units)
        self.ledger.touch(c.account)
        self.ledger.touch(c.receiver)
        return Code.OK

    def _check_position(self, account: int, instrument: int, leg: int) -> Code:
        """Checks the names, and the leg against the position mode."""
        return self.placement.check_names(account, instrument) or self.placement.check_leg(account, instrument, leg)

    def set_leverage(self, c: SetLeverage) -> Code:
        """Executes SET_LEVERAGE. The mode changes only while flat and without orders; leverage keeps within tier and free
        balance."""
        if code := self._check_position(c.account, c.instrument, c.leg):
            return code
        if c.mode > Mode.ISOLATED:
            return Code.BAD_MODE
        parts = c.leverage_parts or 1
        if parts > LEVERAGE_PARTS_MAX or not parts <= c.leverage_times <= LEVERAGE_TIMES_MAX:
            return Code.BAD_LEVERAGE
        leverage = Fraction(c.leverage_times, parts)
        contract = self.contracts[c.instrument]
        # With DEDUCTION and FACTOR a higher tier may require less margin: no tier can be chosen.
        unequal = contract.scheme in (Scheme.DEDUCTION, Scheme.FACTOR)
        if not 0 <= c.chosen_tier <= len(contract.tiers) or (c.chosen_tier and unequal):
            return Code.BAD_LEVERAGE
        p = self.ledger.blank(c.account, c.instrument, c.leg)
        if c.mode != p.mode and (p.size or p.orders):
            return Code.MODE_IN_USE
        before = p.mode, p.leverage, p.chosen_tier
        initial = margin.initial_units(contract, p)
        p.mode, p.chosen_tier = c.mode, c.chosen_tier
        fits, allowed = (
            not p.chosen_tier or self.order_margin.fits(p),
            valuation.allows(contract, self.order_margin.reach(p), leverage),
        )
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
        if endangers or (needed > 0 and not self.order_margin.affords(c.account, contract.currency, needed, bool(c.mode))):
            return Code.INSUFFICIENT_MARGIN
        p.mode, p.leverage, p.chosen_tier = c.mode, leverage, c.chosen_tier
        self.trading.keep(p)
        self.trading.refresh_hold(p)
        self.ledger.position_event(p)
        self.ledger.touch(c.account)
        return Code.OK

    def _endangers(self, p: Position) -> bool:
        """True if the position's domain is below its threshold: another leverage or tier may require more."""
        r = self.order_margin.admission.domain_of(p)
        return r.positions > 0 and r.equity < r.own

    def set_position_mode(self, c: SetPositionMode) -> Code:
        """Executes SET_POSITION_MODE: one position of an instrument, or a long and a short leg; only while flat and without
        orders.

        The legs begin with the margin mode and leverage of the one-way position, which keeps its own for later.
        """
        if code := self.placement.check_names(c.account, c.instrument):
            return code
        if c.hedged > 1:
            return Code.BAD_MODE
        rows = [self.ledger.blank(c.account, c.instrument, leg) for leg in Leg]
        if rows[0].hedged != bool(c.hedged) and any(p.size or p.orders for p in rows):
            return Code.MODE_IN_USE
        one, long, short = rows
        if c.hedged and not one.hedged:
            long.mode, long.leverage, short.mode, short.leverage = one.mode, one.leverage, one.mode, one.leverage
            long.other_leg, short.other_leg = short, long
        one.hedged = bool(c.hedged)
        for p in rows if c.hedged else [one]:
            self.trading.keep(p)
            self.ledger.position_event(p)
        return Code.OK

    def move_margin(self, c: MoveMargin) -> Code:
        """Executes MOVE_MARGIN between wallet and position, or from this position to another."""
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
        elif not self.order_margin.affords(c.account, contract.currency, c.amount_units, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self._move(p, c.amount_units)
        return Code.OK

    def _can_spare(self, p: Position, amount: int) -> bool:
        contract = self.contracts[p.instrument]
        left = p.margin - amount + min(0, valuation.upl(contract, p))
        p.margin -= amount
        r = self.order_margin.admission.domain_of(p)
        p.margin += amount
        return r.equity >= r.own and left >= margin.initial_units(contract, p) + margin.closing_loss(p)

    def _move(self, p: Position, amount: int) -> None:
        self.ledger.pay(Posting.MARGIN_MOVED, (p.account, self.contracts[p.instrument].currency), p, amount)
        self.ledger.position_event(p)
        self.ledger.touch(p.account)

    def _pass_margin(self, c: MoveMargin, p: Position) -> Code:
        """Moves margin from one isolated position to another through the wallet."""
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
