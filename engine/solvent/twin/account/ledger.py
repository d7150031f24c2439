"""Accounts, wallets, positions and parcels: the only place where money moves.

Owns every balance and the posting of each unit from one purse to another. Never decides. Invariants (semantics §1): sizes sum
to zero per instrument, purses sum to zero per currency, CLEARING is minus the sum of all costs.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.limits import COLLATERAL_MAX, FIRST_USER, RATE
from solvent.schema.terms import RuleTerms
from solvent.schema.words import Leg, Mode, ParcelChange, Posting, Purse, Side, Surplus
from solvent.twin.account.fund_past import FundPast
from solvent.twin.base.emit import Emitter
from solvent.twin.base.integers import ceil_div, trunc_div
from solvent.twin.contract.valuation import Contract
from solvent.twin.market.book import Order


@dataclass(slots=True)
class OpenSide:
    """Resting orders of one side: lots, value at their limits, loss to mark when accepted."""

    lots: int = 0
    value: int = 0
    loss: int = 0

    def add(self, other: "OpenSide", sign: int = 1) -> "OpenSide":
        return OpenSide(self.lots + sign * other.lots, self.value + sign * other.value, self.loss + sign * other.loss)


@dataclass(slots=True, eq=False)
class Position:
    account: int
    instrument: int
    leverage: Fraction
    leg: int = Leg.ONE_WAY
    size: int = 0
    cost: int = 0
    margin: int = 0
    mode: int = Mode.CROSS
    chosen_tier: int = 0
    liquidation_fee_ppb: int = 0  # by the account's volume where the contract has `own_fee`
    hedged: bool = False  # set on the one-way row alone: the instrument is held in two legs
    other_leg: "Position | None" = None  # of a hedge
    group: list["Position"] = field(default_factory=list)  # the account's positions of one tier group, this one too
    stuck: bool = False
    hold: int = 0
    open_sides: tuple[OpenSide, OpenSide] = field(default_factory=lambda: (OpenSide(), OpenSide()))
    reduce: OpenSide = field(default_factory=OpenSide)  # reduce-only orders, all on reduce_side
    reduce_side: int = Side.BUY
    orders: list[Order] = field(default_factory=list)

    def sides_with(self, side: int, change: OpenSide, sign: int = 1) -> tuple[OpenSide, OpenSide]:
        """Returns the ordinary resting orders of both sides, with `change` added `sign` times to one side."""
        changed = self.open_sides[side].add(change, sign)
        return (changed, self.open_sides[1]) if side == Side.BUY else (self.open_sides[0], changed)

    @property
    def sides(self) -> tuple[int, int]:
        """Returns the lots long and short of its instrument, or tier group, in one margin domain."""
        held = [q.size for q in self.group if q.mode == Mode.CROSS] if self.mode == Mode.CROSS else [self.size]
        return sum(size for size in held if size > 0), -sum(size for size in held if size < 0)

    @property
    def other_lots(self) -> int:
        """Returns the size of the other leg, or 0 where the legs do not share one margin domain."""
        return self.other_leg.size if self.other_leg and self.mode == self.other_leg.mode == Mode.CROSS else 0

    @property
    def group_net_lots(self) -> int:
        """Adds up the absolute net sizes of the other instruments of its tier group."""
        nets: Counter[int] = Counter()
        for p in self.group if self.mode == Mode.CROSS else []:
            if p.instrument != self.instrument and p.mode == Mode.CROSS:
                nets[p.instrument] += p.size
        return sum(abs(net) for net in nets.values())


class Due(IntEnum):
    """Tells what the pipeline has to do for a parcel."""

    NO = 0
    LOOK = 1  # its value may have changed
    OFFER = 2  # it is offered in the book, as when it was taken


@dataclass(slots=True, eq=False)
class Parcel:
    """A position that the house took over at exact cost."""

    parcel_id: int
    instrument: int
    size: int
    cost: int
    bankruptcy_price: int  # exact; may lie outside the legal range
    origin: int
    order: Order | None = None
    due: int = 0  # Due

    def share(self, lots: int) -> int:
        """Returns the cost share of `lots`: rounded down, and all that is left for the last slice."""
        return self.cost * lots // abs(self.size)


@dataclass(slots=True)
class Fill:
    """One trade or deleveraging, as one position takes part in it."""

    size_delta: int
    cost_delta: int
    fee: int
    ref: int
    fee_reason: int
    keep_margin: bool = False  # True in a step-down: realised profit and margin stay with the position
    deleveraged: bool = False  # True in ADL: the deficit tops up a shortfall
    assigned: int = 0  # units that an isolated position takes from the wallet for the lots that open
    kept: int = 0  # units that a reduction would release but the remaining position needs


class Effect(NamedTuple):
    """The effect of a fill on a position and its owner's wallet: computed first, then judged (`admission`), then posted."""

    size: int
    cost: int
    margin: int
    cash: int  # change of the wallet
    closed: int  # lots
    opened: int  # lots
    realised: int
    margin_fee: int  # paid out of the isolated margin by a fill that only reduces
    wallet_fee: int
    shortfall: int  # amount by which the isolated margin is below zero; others pay it
    released: int


class Collateral(NamedTuple):
    """A currency that counts as margin of another: each unit counts the price in ticks times numerator / denominator."""

    currency: int
    of: int
    instrument: int
    numerator: int
    denominator: int

    def counts(self, units: int, price: int) -> int:
        """Returns the collateral value of a balance at a price, in units of the other currency."""
        return min(COLLATERAL_MAX, max(0, units) * price * self.numerator // self.denominator)

    def least_for(self, value: int, price: int) -> int:
        """Returns the smallest balance whose collateral value is at least `value`."""
        return ceil_div(value * self.denominator, price * self.numerator) if value > 0 else 0


Wallet = tuple[int, int]  # account, currency
AnyPurse = Position | Wallet


class Ledger:
    def __init__(
        self, contracts: list[Contract], currencies: int, rules: RuleTerms, collateral: Sequence[Sequence[int]], log: Emitter
    ):  # fmt: skip
        self.positions: list[dict[tuple[int, int], Position]] = [{} for _ in range(FIRST_USER)]  # in order
        self.parcels: list[Parcel] = []
        self.collateral = [Collateral(*each) for each in collateral]  # in the order of conversion
        self.backs = {each.currency: each for each in self.collateral}
        self.contracts = contracts
        self.fund_share_ppb = rules.fund_share_ppb  # the fund's share of a liquidation fee; the rest is an ordinary fee
        self.returns_surplus, self.surplus_fee_ppb = rules.surplus == Surplus.TO_TRADER, rules.surplus_fee_ppb
        self.orders_count = bool(rules.orders)  # True if resting orders count in the ratio test
        self.currencies = currencies
        self.log = log
        self.wallets: list[list[int]] = [[0] * currencies for _ in range(FIRST_USER)]
        self.holds: list[list[int]] = [[0] * currencies for _ in range(FIRST_USER)]
        self.parents: list[int] = [0] * FIRST_USER  # a sub-account's master, else 0
        self.members: list[list[Position]] = []  # by instrument
        self.groups: defaultdict[tuple[int, int, int], list[Position]] = defaultdict(list)  # by account, currency, tier group
        self.next_parcel_id = 1
        self.past = FundPast(rules.drawdown_window_ns)
        self.touched: dict[int, None] = {}
        self.cooling: dict[int, int] = {}  # until when an account's positions are closed wholly (ns)

    def __del__(self) -> None:
        """Breaks the reference cycles of positions, orders and tier groups, so that no garbage collection is needed."""
        for p in (p for held in self.positions for p in held.values()):
            p.orders.clear()
            p.group, p.other_leg = [], None
        for parcel in self.parcels:
            parcel.order = None

    def open_account(self, parent: int = 0) -> int:
        self.parents.append(parent)
        self.wallets.append([0] * self.currencies)
        self.holds.append([0] * self.currencies)
        self.positions.append({})
        return len(self.wallets) - 1

    def positions_of(self, account: int) -> list[Position]:
        """Returns the account's positions by instrument and leg."""
        return list(self.positions[account].values())

    def cross_of(self, account: int, currency: int) -> list[Position]:
        """Returns the open cross positions of a margin domain, by instrument and leg."""
        return [p for p in self.domain_of(account, currency) if p.size]

    def domain_of(self, account: int, currency: int) -> list[Position]:
        """Returns all cross positions of a margin domain, the flat ones too."""
        return [
            p for p in self.positions_of(account)
            if p.mode == Mode.CROSS and self.contracts[p.instrument].currency == currency
        ]  # fmt: skip

    def blank(self, account: int, instrument: int, leg: int = Leg.ONE_WAY) -> Position:
        """Returns the position as it is, or a new one: flat, cross, default leverage."""
        found = self.positions[account].get((instrument, leg))
        if found:
            return found
        contract = self.contracts[instrument]
        group = self.groups[account, contract.currency, contract.tier_group or -1 - instrument]
        return Position(account, instrument, Fraction(contract.default_leverage), leg, group=group)

    def is_hedged(self, account: int, instrument: int) -> bool:
        return self.blank(account, instrument).hedged

    def keep(self, p: Position) -> bool:
        """Enters a blank position. Returns False if it was entered before."""
        key = p.instrument, p.leg
        if key in self.positions[p.account]:
            return False
        self.positions[p.account] = dict(sorted([*self.positions[p.account].items(), (key, p)]))
        self.members[p.instrument].append(p)
        p.group.append(p)
        return True

    def forget(self, p: Position) -> None:
        """Removes the position that was entered last."""
        del self.positions[p.account][p.instrument, p.leg]
        self.members[p.instrument].pop()
        p.group.pop()

    def touch(self, account: int) -> None:
        """Marks the account for the ratio test at the end of the command."""
        self.touched[account] = None

    # --- postings

    def _move(self, purse: AnyPurse, amount: int) -> int:
        if isinstance(purse, Position):
            purse.margin += amount
            return purse.margin
        self.wallets[purse[0]][purse[1]] += amount
        return self.wallets[purse[0]][purse[1]]

    def pay(self, reason: Posting, payer: AnyPurse, receiver: AnyPurse, amount: int, ref: int = 0) -> None:
        """Moves money from `payer` to `receiver`; a negative amount moves it back, and zero emits no event."""
        if amount == 0:
            return
        if amount < 0:
            payer, receiver, amount = receiver, payer, -amount
        after = self._move(payer, -amount), self._move(receiver, amount)
        isolated = payer if isinstance(payer, Position) else receiver if isinstance(receiver, Position) else None
        wallet = receiver if isinstance(payer, Position) else payer
        assert not isinstance(wallet, Position)
        self.log.emit_ledger(
            instrument=isolated.instrument if isolated else NO_INSTRUMENT,
            payer=payer.account if isinstance(payer, Position) else payer[0],
            receiver=receiver.account if isinstance(receiver, Position) else receiver[0], amount_units=amount,
            payer_after=after[0], receiver_after=after[1], ref=ref, currency=wallet[1], posting=reason,
            margin_of=0 if isolated is None else (1 if isolated is payer else 2) + 4 * isolated.leg,
        )  # fmt: skip

    def fund_receives(self, reason: Posting, payer: AnyPurse, currency: int, amount: int, ref: int = 0) -> None:
        """Pays income to the insurance fund; an open deficit is repaid first."""
        repaid = min(amount, -self.wallets[Purse.DEFICIT][currency])
        self.pay(Posting.DEFICIT_REPAID, payer, (Purse.DEFICIT, currency), repaid, ref)
        self.pay(reason, payer, (Purse.FUND, currency), amount - repaid, ref)
        self.fund_moved(currency)

    def fund_pays(self, reason: Posting, receiver: AnyPurse, currency: int, amount: int, ref: int = 0) -> None:
        """Pays from the insurance fund as far as it reaches, then from the deficit."""
        paid = min(amount, self.wallets[Purse.FUND][currency])
        self.pay(reason, (Purse.FUND, currency), receiver, paid, ref)
        self.pay(reason, (Purse.DEFICIT, currency), receiver, amount - paid, ref)
        self.fund_moved(currency)

    def fund_moved(self, currency: int) -> None:
        """Remembers what the fund is worth now."""
        self.past.note(currency, self.wallets[Purse.FUND][currency])

    # --- fills

    def position_event(self, p: Position) -> None:
        self.log.emit_position(
            account=p.account, instrument=p.instrument, mode=p.mode, size_lots=p.size, cost_units=p.cost,
            margin_units=p.margin, leverage=p.leverage.numerator, leg=p.leg, leverage_parts=p.leverage.denominator,
            chosen_tier=p.chosen_tier,
        )  # fmt: skip

    def _fee(self, fill: Fill, payer: AnyPurse, currency: int, rest: int) -> None:
        reason = Posting(fill.fee_reason)
        if reason == Posting.LIQUIDATION_FEE:
            share = rest * self.fund_share_ppb // RATE
            self.fund_receives(reason, payer, currency, share, fill.ref)
            rest -= share
        self.pay(reason, payer, (Purse.FEES, currency), rest, fill.ref)

    def effect(self, p: Position, fill: Fill) -> Effect:
        """Computes the effect of a fill: closes trunc(cost * lots / size) of the cost, then opens the rest.

        An isolated position keeps its profit until it is reduced. Then its share of the margin goes to the wallet, or nothing
        where a loss has consumed the margin.
        """
        moved, size, cost, margin = abs(fill.size_delta), p.size, p.cost, p.margin
        closed = min(abs(size), moved) if size * fill.size_delta < 0 else 0
        paid = trunc_div(fill.cost_delta * closed, moved)
        realised = margin_fee = shortfall = released = 0
        if closed:
            share, margin_share = trunc_div(cost * closed, abs(size)), margin * closed // abs(size)
            realised = -paid - share
            size += closed if size < 0 else -closed
            cost -= share
        if closed and p.mode == Mode.ISOLATED:
            margin_fee = fill.fee if closed == moved else 0
            margin += realised - margin_fee
            if size == 0:
                shortfall, released = max(0, -margin), max(0, margin)
            elif not fill.keep_margin:
                released = max(0, min(margin_share + realised - margin_fee, margin)) - fill.kept
            margin += shortfall - released
        opened, wallet_fee = moved - closed, fill.fee - margin_fee
        size += opened if fill.size_delta > 0 else -opened
        cash = released - wallet_fee - fill.assigned + (0 if p.mode == Mode.ISOLATED else realised)
        return Effect(
            size, cost + fill.cost_delta - paid, margin + fill.assigned, cash, closed, opened, realised, margin_fee,
            wallet_fee, shortfall, released,
        )  # fmt: skip

    def position_fill(self, p: Position, fill: Fill) -> None:
        """Posts the effect of a fill: close, fee, open, then POSITION."""
        e, currency = self.effect(p, fill), self.contracts[p.instrument].currency
        clearing, wallet = (Purse.CLEARING, currency), (p.account, currency)
        p.stuck = p.stuck and (not e.closed or e.closed < abs(p.size))
        p.size, p.cost = e.size, e.cost
        self.pay(Posting.REALISED, clearing, p if p.mode == Mode.ISOLATED else wallet, e.realised, fill.ref)
        self._fee(fill, p, currency, e.margin_fee)
        if e.shortfall and fill.deleveraged:
            self.pay(Posting.ADL_TOP_UP, (Purse.DEFICIT, currency), p, e.shortfall, fill.ref)
        elif e.shortfall:
            self.fund_pays(Posting.SHORTFALL, p, currency, e.shortfall, fill.ref)
        self.pay(Posting.MARGIN_RELEASED, p, wallet, e.released, fill.ref)
        self._fee(fill, wallet, currency, e.wallet_fee)
        self.pay(Posting.MARGIN_ASSIGNED, wallet, p, fill.assigned, fill.ref)
        self.position_event(p)
        self.touch(p.account)

    # --- parcels

    def _parcel_event(self, parcel: Parcel, change: ParcelChange, lots: int, gain: int) -> None:
        self.log.emit_parcel(
            account=Purse.HOUSE, instrument=parcel.instrument, change=change, parcel_id=parcel.parcel_id,
            size_lots=parcel.size, cost_units=parcel.cost, closed_lots=lots, gain_units=gain,
        )  # fmt: skip

    def parcel_take(self, p: Position, cost: int, bankruptcy_price: int) -> Parcel:
        """Moves a whole position to the house at an exact cost. The caller has moved its money."""
        parcel = Parcel(self.next_parcel_id, p.instrument, p.size, cost, bankruptcy_price, p.account)
        self.next_parcel_id += 1
        self.parcels.append(parcel)
        p.size = p.cost = 0
        p.stuck = False
        self.position_event(p)
        self._parcel_event(parcel, ParcelChange.TAKEN, abs(parcel.size), 0)
        return parcel

    def parcel_fill(self, parcel: Parcel, lots: int, cost_delta: int, change: ParcelChange, ref: int) -> None:
        """Closes `lots` of a parcel. The fill value minus the cost share goes to the fund, or comes from it.

        The rule set may give the trader a part of what an order that takes gets beyond its cost. A resting one gets its price
        and roundings.
        """
        currency = self.contracts[parcel.instrument].currency
        share = parcel.share(lots)
        gain = kept = -cost_delta - share
        if self.returns_surplus and change == ParcelChange.FILLED_BY_BOOK and not parcel.order:
            kept = min(gain, abs(cost_delta) * self.surplus_fee_ppb // RATE)
        parcel.size += lots if parcel.size < 0 else -lots
        parcel.cost -= share
        parcel.due = Due.LOOK
        if gain > 0:
            self.fund_receives(Posting.PARCEL_GAIN, (Purse.CLEARING, currency), currency, kept, ref)
            self.pay(Posting.SURPLUS_RETURNED, (Purse.CLEARING, currency), (parcel.origin, currency), gain - kept, ref)
        elif gain < 0:
            self.fund_pays(Posting.PARCEL_LOSS, (Purse.CLEARING, currency), currency, -gain, ref)
        self._parcel_event(parcel, change, lots, gain)
