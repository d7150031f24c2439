"""The liquidation pipeline (semantics §2-§5): cancel, step down, take over, book, fund, ADL, deficit.

Owns the order of events. Never moves money itself, never nets parcels silently. Its trades never move the mark. Only a
price, funding, a settlement or the clock sells a parcel that has no value at the fund's expense, or deleverages (SAFE-1);
after any other command it waits for its instrument's next mark.
"""

from typing import NamedTuple

from solvent.schema.records import (
    NO_INSTRUMENT,
    Ending,
    EventType,
    Flag,
    Mode,
    OrderRule,
    ParcelChange,
    Posting,
    Purse,
    Side,
    Tif,
    Verdict,
)
from solvent.twin.account import margin
from solvent.twin.account.ledger import AnyPurse, Collateral, Fill, Parcel, Position
from solvent.twin.account.margin import Requirement
from solvent.twin.contract import valuation
from solvent.twin.trade.order_margin import Cover
from solvent.twin.trade.state import Ticket


class Due(NamedTuple):
    """A margin domain to act on; sorts worst first, then by account, instrument, leg, currency."""

    slack: int
    account: int
    instrument: int  # NO_INSTRUMENT: the cross domain
    leg: int
    currency: int


class Liquidation:
    def __init__(self, cover: Cover):
        self.trading = cover.trading
        self.admission = cover.admission
        self.ledger = cover.ledger
        self.contracts = cover.contracts
        self.rules = cover.rules
        self.emit = cover.trading.emit
        self.may_cost_others = False  # the command, or the clock, starts what the fund or winners pay

    # --- who is due

    def _candidate(self, account: int, currency: int, equity: int) -> Position | None:
        """The cross position to step down: tier >= 3 and the largest own - full; ties by instrument and leg."""
        best, heaviest = None, -1
        for p in self.ledger.cross_of(account, currency):
            contract = self.contracts[p.instrument]
            full, own = margin.thresholds(self.rules, contract, p, equity)
            if valuation.tier_of(contract, p) >= self.rules.step_tiers and own - full > heaviest:
                best, heaviest = p, own - full
        assert best is None or isinstance(best, Position)
        return best

    def judge(self, account: int, currency: int, p: Position | None) -> tuple[Verdict, Requirement, Position | None]:
        r = self.admission.requirement(account, currency, p)
        if r.equity >= r.own or not (r.positions or r.orders):
            return Verdict.SAFE, r, None
        if r.equity < r.full:
            return Verdict.FULL, r, None
        candidate = p or self._candidate(account, currency, r.equity)
        if candidate and candidate.stuck:
            return Verdict.SAFE, r, None
        return Verdict.PARTIAL, r, candidate  # without a candidate only orders ask for more, and they go

    def _collect(self) -> list[Due]:
        """All domains of the touched accounts that need action. Covers bare wallets below zero on the way."""
        due = []
        touched, self.ledger.touched = self.ledger.touched, {}
        for account in sorted(touched):
            for p in self.ledger.positions_of(account):
                if p.mode == Mode.ISOLATED and p.size:
                    verdict, r, _ = self.judge(account, 0, p)
                    if verdict:
                        due.append(Due(r.equity - r.own, account, p.instrument, p.leg, 0))
            for currency in range(self.ledger.currencies):
                verdict, r, _ = self.judge(account, currency, None)
                if verdict:
                    due.append(Due(r.equity - r.own, account, NO_INSTRUMENT, 0, currency))
                elif not r.positions and self.ledger.wallets[account][currency] < 0:
                    self._cover(account, currency)
        return sorted(due)

    def _cover(self, account: int, currency: int) -> None:
        """A wallet below zero that no position stands for: collateral first, then the fund, then the deficit."""
        wallet = (account, currency)
        for each in self.ledger.collateral:
            if each.of == currency and self.ledger.wallets[account][currency] < 0:
                self._convert(account, each)
        for each in self.ledger.collateral:  # what orders hold is there too, before anybody else pays
            if each.of == currency and self.ledger.wallets[account][currency] < 0:
                for p in self.ledger.positions_of(account):
                    if self.contracts[p.instrument].currency == each.currency:
                        self.trading.cancel_all(p, Ending.LIQUIDATED)
                self._convert(account, each)
        self.ledger.fund_pays(Posting.SHORTFALL, wallet, currency, max(0, -self.ledger.wallets[account][currency]))

    def _convert(self, account: int, each: Collateral) -> None:
        """The house takes all that is spare of a balance for what it counts, so that equity stays; its own contracts' domain
        is looked at again."""
        value, units = self.ledger.collateral_value(account, each), self.ledger.spare_units(account, each.currency)
        if value:
            self.ledger.touch(account)
            self.ledger.pay(Posting.CONVERTED, (account, each.currency), (Purse.CONVERTER, each.currency), units)
            self.ledger.pay(Posting.CONVERTED, (Purse.CONVERTER, each.of), (account, each.of), value)

    def settle(self) -> None:
        """Parcels first, then the touched accounts worst first, round after round until nobody is left."""
        while True:
            while any(parcel.due and parcel.size for parcel in self.ledger.parcels):
                for parcel in self.ledger.parcels:
                    if parcel.due and parcel.size:
                        self._unwind(parcel)
            if not self.ledger.touched:
                break
            for due in self._collect():
                self._liquidate(due)
        self.ledger.parcels = [parcel for parcel in self.ledger.parcels if parcel.size]

    # --- one account

    def _liquidate(self, due: Due) -> None:
        """Tests one domain again and acts until it is safe, taken over, or stuck."""
        account = due.account
        p = None if due.instrument == NO_INSTRUMENT else self.ledger.positions[account][due.instrument, due.leg]
        currency = due.currency if p is None else self.contracts[p.instrument].currency
        while True:
            verdict, r, candidate = self.judge(account, currency, p)
            if verdict == Verdict.SAFE:
                return
            self.emit(
                EventType.LIQUIDATION, account, due.instrument, side=int(p is not None), code=currency,
                reason=verdict, a=margin.saturate(r.equity), b=margin.saturate(r.full), c=margin.saturate(r.own),
                d=margin.saturate(r.value), e=due.leg,
            )  # fmt: skip
            if self._clear(account, currency, p):
                if not r.positions:
                    self.ledger.touch(account)  # only orders asked for more; the bare wallet may be below zero
                continue  # what counted in the test is gone: look again
            if verdict == Verdict.FULL:
                self._take_over(account, currency, p, r)
                return
            if not (candidate and self._step_down(candidate)):
                return

    def _clear(self, account: int, currency: int, p: Position | None) -> bool:
        """Cancels the domain's orders and those that hold what would back it, gives up chosen tiers and closes its hedged
        pairs; whether that may have changed the verdict."""
        changed = netted = False
        for each in [p] if p else self.ledger.positions_of(account):
            its = self.contracts[each.instrument].currency
            backed = None if p else self.ledger.backs.get(its)
            if its == currency or (backed and backed.of == currency):
                changed |= bool(each.orders) and p is None and (its != currency or self.rules.orders != OrderRule.IGNORED)
                self.trading.cancel_all(each, Ending.LIQUIDATED)
        for each in [p] if p else self.ledger.positions_of(account):
            if each.chosen_tier and (p or (each.mode == Mode.CROSS and self.contracts[each.instrument].currency == currency)):
                each.chosen_tier, changed = 0, True
                self.ledger.position_event(each)
        if changed:
            return True  # what counted is gone: looked at again before anything is netted
        if p is None and self.rules.net_hedges:
            for long in self.ledger.cross_of(account, currency):
                if isinstance(long, Position) and long.size > 0 and long.other < 0:
                    self._net(long)
                    netted = True
        return netted

    def _net(self, long: Position) -> None:
        """Closes what both legs of a hedge have in common against each other at mark: no fee, no change of equity but
        by rounding."""
        short, contract = long.twin, self.contracts[long.instrument]
        assert short
        lots = min(long.size, -short.size)
        value = valuation.value_of(contract, lots, contract.mark)
        self.emit(EventType.NETTED, long.account, long.instrument, a=contract.mark, b=lots, c=value)
        for p, side, delta in ((long, Side.SELL, -lots), (short, Side.BUY, lots)):
            fill = Fill(delta, valuation.cost_delta(contract, side, value), 0, 0, Posting.TAKER_FEE)
            self.ledger.position_fill(p, fill)
            self.trading.refresh_hold(p)

    def _step_down(self, p: Position) -> bool:
        """Sells the position back by two tiers with an order of its owner; False when nothing filled."""
        contract = self.contracts[p.instrument]
        k = valuation.tier_of(contract, p)
        cost = margin.bankruptcy_cost(contract, p, self.admission.share_of_equity(p))
        paying = valuation.price_paying(contract, p.size, cost, p.liquidation_fee_ppb)
        side = Side.SELL if p.size > 0 else Side.BUY
        edge = valuation.band_price(contract, side, self.rules.step_limit_ppb)
        limit = valuation.legal(contract, max(paying, edge) if side == Side.SELL else min(paying, edge))
        target = k - self.rules.step_tiers
        lots = abs(p.size) - valuation.lots_within(contract, p, target)
        t = Ticket(
            p.account, p.instrument, p, side, limit, lots, Tif.IOC, Flag.REDUCE_ONLY,
            fee_reason=Posting.LIQUIDATION_FEE, ending=Ending.UNFILLED, limit=limit, remaining=lots,
        )  # fmt: skip
        self.emit(EventType.STEP_DOWN, p.account, p.instrument, side=side, a=k + 1, b=lots, c=limit, d=target + 1, e=p.leg)
        self.trading.accept(t)
        self.trading.execute(t)
        self.trading.conclude(t)
        p.stuck = t.remaining == lots
        return not p.stuck

    def _take_over(self, account: int, currency: int, p: Position | None, r: Requirement) -> None:
        """The house receives one isolated position or all cross positions at exact cost; the trader keeps zero."""
        clearing = (Purse.CLEARING, currency)
        if p is not None:
            taken = [(p, margin.bankruptcy_cost(self.contracts[p.instrument], p, 0), r.equity)]
            self.ledger.pay(Posting.TAKEN_OVER, p, clearing, p.margin)
        else:
            for each in self.ledger.collateral:
                if each.of == currency:
                    self._convert(account, each)
            cross = [q for q in self.ledger.cross_of(account, currency) if isinstance(q, Position)]
            shares = [self.admission.share_of_equity(q) for q in cross]
            taken = [
                (q, margin.bankruptcy_cost(self.contracts[q.instrument], q, share), share)
                for q, share in zip(cross, shares, strict=True)
            ]
            self.ledger.pay(Posting.TAKEN_OVER, (account, currency), clearing, self.ledger.wallets[account][currency])
            self.ledger.touch(account)  # what its balance backed is looked at
        parcels = [self._take_position(*each) for each in taken]
        for parcel in parcels:
            self._unwind(parcel, at_takeover=True)

    def _take_position(self, p: Position, cost: int, equity: int) -> Parcel:
        contract = self.contracts[p.instrument]
        price = valuation.price_paying(contract, p.size, cost, 0)
        self.emit(
            EventType.TAKEOVER, p.account, p.instrument, side=p.mode, code=p.leg, a=self.ledger.next_parcel_id, b=p.size,
            c=cost, d=equity, e=margin.saturate(price),
        )  # fmt: skip
        parcel = self.ledger.parcel_take(p, cost, margin.saturate(price))
        self.trading.refresh_hold(p)
        return parcel

    # --- parcels

    def _value(self, parcel: Parcel) -> int:
        contract = self.contracts[parcel.instrument]
        return valuation.worth(contract, parcel.size, contract.mark) - parcel.cost

    def _house_order(self, parcel: Parcel, limit: int, may_rest: bool) -> None:
        """Works a parcel through the book down to a price; what is left rests unless it is to be sold at once."""
        side = Side.SELL if parcel.size > 0 else Side.BUY
        lots = abs(parcel.size)
        t = Ticket(
            Purse.HOUSE, parcel.instrument, parcel, side, limit, lots, Tif.GTC if may_rest else Tif.IOC,
            Flag.HOUSE_ORDER, limit=limit, remaining=lots,
        )  # fmt: skip
        self.trading.accept(t)
        self.trading.execute(t)
        if not may_rest or (self.may_cost_others and self._value(parcel) <= 0):
            t.ending = Ending.UNWOUND
        self.trading.conclude(t)

    def _fund_price(self, parcel: Parcel) -> int:
        """Where selling the whole remainder would exactly empty the fund, no further than the limit from mark."""
        contract = self.contracts[parcel.instrument]
        fund = self.ledger.wallets[Purse.FUND][contract.currency]
        limit = self.rules.parcel_limit_ppb
        price = valuation.price_paying(contract, parcel.size, parcel.cost - fund, 0)
        if parcel.size > 0:
            return max(price, valuation.band_price(contract, Side.SELL, limit))
        return min(price, valuation.band_price(contract, Side.BUY, limit))

    def _unwind(self, parcel: Parcel, at_takeover: bool = False) -> None:
        """A new parcel goes through the book at its bankruptcy price. One without value goes now, at any price; where this
        command may not cost others, it waits for its instrument's next mark."""
        parcel.due = False
        price = valuation.legal(self.contracts[parcel.instrument], parcel.bankruptcy_price)
        # A bankruptcy price beyond every legal one cannot be had: such a parcel is under water and goes on below.
        if at_takeover and (price >= parcel.bankruptcy_price if parcel.size > 0 else price <= parcel.bankruptcy_price):
            self._house_order(parcel, price, may_rest=True)
        if not parcel.size or self._value(parcel) > 0 or not self.may_cost_others:
            return
        if parcel.order:
            self.trading.cancel(parcel.order, Ending.UNWOUND)
        price = self._fund_price(parcel)
        if 1 <= price <= self.contracts[parcel.instrument].max_price_ticks:  # else no legal price is good enough
            self._house_order(parcel, price, may_rest=False)
        if parcel.size:
            self._deleverage(parcel)

    # --- deleveraging

    def _winners(self, parcel: Parcel) -> list[tuple[int, int, bool, Position]]:
        """The other side's positions as (-rank, account, sound, position), by rank. Sound: equity is positive
        and stays so if the whole position closes at the parcel's price; only such go in pass 1."""
        winners = []
        contract = self.contracts[parcel.instrument]
        for p in self.ledger.members[parcel.instrument]:
            if p.size * parcel.size < 0:
                r = self.admission.domain_of(p)
                price = parcel.cost * abs(p.size) // abs(parcel.size)
                after = r.equity - valuation.upl(contract, p) - price - p.cost
                winners.append((-margin.adl_rank(contract, p, r), p.account, r.equity > 0 and after >= 0, p))
        return sorted(winners, key=lambda w: w[:2])

    def _adl_event(self, account: int, parcel: Parcel, lots: int, share: int, adl_pass: int, rank: int) -> None:
        self.emit(EventType.ADL, account, parcel.instrument, reason=adl_pass, a=parcel.parcel_id, b=lots, c=share, d=rank)

    def _close_winner(self, parcel: Parcel, p: Position, adl_pass: int, rank: int) -> None:
        """Closes a counterparty at the parcel's cost share, the same integer on both sides."""
        currency = self.contracts[p.instrument].currency
        lots = min(abs(parcel.size), abs(p.size))
        share = parcel.share(lots)
        ref = parcel.parcel_id
        self.trading.cancel_all(p, Ending.DELEVERAGED)
        self._adl_event(p.account, parcel, lots, share, adl_pass, rank)
        delta = lots if p.size < 0 else -lots
        fill = Fill(delta, share, 0, ref, Posting.MAKER_FEE, deleveraged=True)
        self.admission.fit(p, fill)
        self.ledger.position_fill(p, fill)
        self.trading.refresh_hold(p)
        self.ledger.parcel_fill(parcel, lots, -share, ParcelChange.CLOSED_BY_ADL, ref)
        if adl_pass == 3 and (equity := self.admission.domain_of(p).equity) < 0:
            purse: AnyPurse = p if p.mode == Mode.ISOLATED else (p.account, currency)
            self.ledger.pay(Posting.ADL_TOP_UP, (Purse.DEFICIT, currency), purse, -equity, ref)

    def _close_opposite(self, parcel: Parcel, opposite: Parcel) -> None:
        """Pass 2: another parcel of the other side closes at this one's price; its loss goes to the fund."""
        lots = min(abs(parcel.size), abs(opposite.size))
        share = parcel.share(lots)
        if opposite.order and opposite.order.remaining > lots:
            self.trading.shrink(opposite.order, lots, Ending.UNWOUND)
        elif opposite.order:
            self.trading.cancel(opposite.order, Ending.UNWOUND)
        self._adl_event(Purse.HOUSE, parcel, lots, share, 2, opposite.parcel_id)
        ref = parcel.parcel_id
        self.ledger.parcel_fill(parcel, lots, -share, ParcelChange.CLOSED_BY_ADL, ref)
        self.ledger.parcel_fill(opposite, lots, share, ParcelChange.CLOSED_BY_OPPOSITE, ref)

    def _deleverage(self, parcel: Parcel) -> None:
        """Closes all that is left: winners by rank, opposite parcels by id, then everybody else by rank."""
        winners = self._winners(parcel)
        for minus_rank, _, sound, p in winners:
            if sound and parcel.size:
                self._close_winner(parcel, p, 1, -minus_rank)
        for opposite in self.ledger.parcels:
            if parcel.size and opposite.instrument == parcel.instrument and opposite.size * parcel.size < 0:
                self._close_opposite(parcel, opposite)
        for minus_rank, _, sound, p in winners:
            if not sound and parcel.size:
                self._close_winner(parcel, p, 3, -minus_rank)
        if parcel.size:
            raise AssertionError("deleveraging left a parcel open although both sides are equal")
