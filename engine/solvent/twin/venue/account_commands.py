"""Deposits, withdrawals, transfers, leverage, position modes and margin moves.

Owns the checks of these commands, complete before the first write, and what they write. Never trades or liquidates; it
touches accounts, and settlement looks at them.
"""

from fractions import Fraction

from solvent.schema.codes import Code
from solvent.schema.limits import FIRST_USER, LEVERAGE_PARTS_MAX, LEVERAGE_TIMES_MAX, MONEY_MAX
from solvent.schema.records import CommandType, Leg, Mode, Posting, Purse, Scheme
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.trade.placement import Command, Entry


class Control:
    def __init__(self, entry: Entry):
        self.entry = entry
        self.cover = entry.cover
        self.trading = entry.trading
        self.ledger = entry.ledger
        self.contracts = entry.contracts

    def _check_purse(self, c: Command) -> Code:
        if c.type != CommandType.SEED_FUND and not FIRST_USER <= c.account < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        if c.instrument >= self.ledger.currencies:
            return Code.UNKNOWN_CURRENCY
        return Code.OK if 1 <= c.amount <= MONEY_MAX else Code.BAD_AMOUNT

    def deposit(self, c: Command) -> Code:
        if code := self._check_purse(c):
            return code
        outside = (Purse.OUTSIDE, c.instrument)
        if c.amount > MONEY_MAX + self.ledger.wallets[Purse.OUTSIDE][c.instrument]:
            return Code.MONEY_LIMIT
        if c.type == CommandType.SEED_FUND:
            self.ledger.fund_receives(Posting.FUND_SEEDED, outside, c.instrument, c.amount)
        else:
            self.ledger.pay(Posting.DEPOSITED, outside, (c.account, c.instrument), c.amount)
            self.ledger.touch(c.account)
        return Code.OK

    def withdraw(self, c: Command) -> Code:
        if code := self._check_purse(c):
            return code
        if self.ledger.wallets[Purse.DEFICIT][c.instrument]:
            return Code.WITHDRAWALS_CLOSED
        if not self.cover.affords(c.account, c.instrument, c.amount, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self.ledger.pay(Posting.WITHDRAWN, (c.account, c.instrument), (Purse.OUTSIDE, c.instrument), c.amount)
        self.ledger.touch(c.account)
        return Code.OK

    def transfer(self, c: Command) -> Code:
        """TRANSFER: from an account to another of its family (a master and its sub-accounts); order_id is the receiver."""
        if code := self._check_purse(c):
            return code
        if not FIRST_USER <= c.order_id < len(self.ledger.wallets):
            return Code.UNKNOWN_ACCOUNT
        family = [self.ledger.parents[account] or account for account in (c.account, c.order_id)]
        if family[0] != family[1] or c.order_id == c.account:
            return Code.NOT_RELATED
        if not self.cover.affords(c.account, c.instrument, c.amount, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self.ledger.pay(Posting.TRANSFERRED, (c.account, c.instrument), (c.order_id, c.instrument), c.amount)
        self.ledger.touch(c.account)
        self.ledger.touch(c.order_id)
        return Code.OK

    def _leg_of(self, c: Command) -> Code:
        return self.entry.check_names(c) or self.entry.check_leg(c, c.side)

    def set_leverage(self, c: Command) -> Code:
        """SET_LEVERAGE: amount, in parts of one over order_id (0: whole); size_lots is a tier to stand in, or higher (0:
        none). Mode only while flat and without resting orders, leverage within the tier and the free balance."""
        if code := self._leg_of(c):
            return code
        if c.mode > Mode.ISOLATED:
            return Code.BAD_MODE
        parts = c.order_id or 1
        if parts > LEVERAGE_PARTS_MAX or not parts <= c.amount <= LEVERAGE_TIMES_MAX:
            return Code.BAD_LEVERAGE
        leverage = Fraction(c.amount, parts)
        contract = self.contracts[c.instrument]
        # A higher tier that deducts, or whose rate is a smaller share of its initial one, may ask for less: none to choose.
        unequal = contract.scheme in (Scheme.DEDUCTION, Scheme.FACTOR)
        if not 0 <= c.size_lots <= len(contract.tiers) or (c.size_lots and unequal):
            return Code.BAD_LEVERAGE
        p = self.ledger.blank(c.account, c.instrument, c.side)
        if c.mode != p.mode and (p.size or p.orders):
            return Code.MODE_IN_USE
        before = p.mode, p.leverage, p.chosen_tier
        initial = margin.initial_units(contract, p)
        p.mode, p.chosen_tier = c.mode, c.size_lots
        fits, allowed = not p.chosen_tier or self.cover.fits(p), valuation.allows(contract, self.cover.reach(p), leverage)
        if not (fits and allowed):
            p.mode, p.leverage, p.chosen_tier = before
            return Code.LEVERAGE_ABOVE_TIER if fits else Code.POSITION_LIMIT
        p.leverage = leverage
        needed = margin.hold_units(contract, p, p.open_sides) - p.hold
        if p.mode == Mode.CROSS:
            needed += margin.initial_units(contract, p) - initial
        other = bool(contract.rates) or (contract.scheme == Scheme.FACTOR and leverage < before[1]) or c.size_lots > before[2]
        endangers = other and (p.size or p.orders) and self._endangers(p)
        p.mode, p.leverage, p.chosen_tier = before
        if endangers or (needed > 0 and not self.cover.affords(c.account, contract.currency, needed, bool(c.mode))):
            return Code.INSUFFICIENT_MARGIN
        p.mode, p.leverage, p.chosen_tier = c.mode, leverage, c.size_lots
        self.trading.keep(p)
        self.trading.refresh_hold(p)
        self.ledger.position_event(p)
        self.ledger.touch(c.account)
        return Code.OK

    def _endangers(self, p: Position) -> bool:
        """Whether a position's domain is below its threshold: another leverage or tier may ask more."""
        r = self.cover.admission.domain_of(p)
        return r.positions > 0 and r.equity < r.own

    def set_position_mode(self, c: Command) -> Code:
        """One position of an instrument, or a long and a short one held apart; changes only while flat without orders.

        The legs begin with the margin mode and leverage of the one-way position, which keeps its own for later.
        """
        if code := self.entry.check_names(c):
            return code
        if c.mode > 1:
            return Code.BAD_MODE
        rows = [self.ledger.blank(c.account, c.instrument, leg) for leg in Leg]
        if rows[0].hedged != bool(c.mode) and any(p.size or p.orders for p in rows):
            return Code.MODE_IN_USE
        one, long, short = rows
        if c.mode and not one.hedged:
            long.mode, long.leverage, short.mode, short.leverage = one.mode, one.leverage, one.mode, one.leverage
            long.twin, short.twin = short, long
        one.hedged = bool(c.mode)
        for p in rows if c.mode else [one]:
            self.trading.keep(p)
            self.ledger.position_event(p)
        return Code.OK

    def move_margin(self, c: Command) -> Code:
        """MOVE_MARGIN: between wallet and position; or if client_id names another instrument (its number + 1; tif is its
        leg) from this position to that one, by way of the wallet."""
        if code := self._leg_of(c):
            return code
        if c.amount == 0 or abs(c.amount) > MONEY_MAX or (c.client_id and c.amount < 0):
            return Code.BAD_AMOUNT
        p, contract = self.ledger.blank(c.account, c.instrument, c.side), self.contracts[c.instrument]
        if p.mode != Mode.ISOLATED or not p.size:
            return Code.NO_ISOLATED_POSITION
        if c.client_id:
            return self._pass_margin(c, p)
        if c.amount < 0:
            if not self._can_spare(p, -c.amount):
                return Code.BELOW_INITIAL_MARGIN
        elif not self.cover.affords(c.account, contract.currency, c.amount, spendable=True):
            return Code.INSUFFICIENT_BALANCE
        self._move(p, c.amount)
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

    def _pass_margin(self, c: Command, p: Position) -> Code:
        other = Command(c, instrument=c.client_id - 1, side=c.tif)
        if other.instrument >= len(self.contracts):
            return Code.UNKNOWN_INSTRUMENT
        if code := self._leg_of(other):
            return code
        target = self.ledger.blank(c.account, other.instrument, other.side)
        same = self.contracts[other.instrument].currency == self.contracts[c.instrument].currency
        if target is p or not same or target.mode != Mode.ISOLATED or not target.size:
            return Code.NO_ISOLATED_POSITION
        if not self._can_spare(p, c.amount):
            return Code.BELOW_INITIAL_MARGIN
        self._move(p, -c.amount)
        self._move(target, c.amount)
        return Code.OK
