"""Auto-deleveraging (ADL, semantics §5): the rest of a parcel closes against the other side, at the parcel's cost.

Owns the ranking and its three passes. Never leaves a rest of the parcel, and books the same integer on both sides.
"""

from dataclasses import dataclass

from solvent.schema.words import AdlPrice, AdlRank, Ending, Mode, ParcelChange, Posting, Purse
from solvent.twin.account import domain
from solvent.twin.account.adl_rank import adl_rank
from solvent.twin.account.ledger import AnyPurse, Fill, Parcel, Position
from solvent.twin.contract import valuation
from solvent.twin.liquidation.allocation import allocate
from solvent.twin.liquidation.case import Case, Outcome, State


@dataclass(slots=True)
class Offer:
    """The price of a parcel's rest: `cost` for `lots`. Each part takes its share, and the last one what is left."""

    cost: int
    lots: int

    def share(self, lots: int) -> int:
        return self.cost * lots // self.lots

    def take(self, lots: int) -> int:
        share = self.share(lots)
        self.cost, self.lots = self.cost - share, self.lots - lots
        return share


def _offer(state: State, parcel: Parcel) -> Offer:
    """Returns the rest of a parcel at the price of the rule set: its cost, or its value at a mark."""
    contract, rule, lots = state.contracts[parcel.instrument], state.rules.adl_price, abs(parcel.size)
    if rule == AdlPrice.AT_BANKRUPTCY:
        return Offer(parcel.cost, lots)
    price = contract.prior_mark if rule == AdlPrice.AT_PREVIOUS else contract.mark
    worth = valuation.worth(contract, parcel.size, price)
    return Offer(max(worth, parcel.cost) if rule == AdlPrice.AT_CAPPED else worth, lots)


def _rank(state: State, p: Position) -> tuple[int, int]:
    """Returns the rank of a position and the equity of its domain."""
    r, currency, isolated = state.admission.domain_of(p), state.contracts[p.instrument].currency, p.mode == Mode.ISOLATED
    base = p.margin if isolated else domain.backing(state.ledger, p.account, currency)
    by_share = state.rules.adl_rank == AdlRank.BY_PNL_EFFLEV and not isolated
    share = state.admission.share_of_equity(p) if by_share else r.equity
    return adl_rank(state.rules, state.ledger, p, r, base, share), r.equity


def _winners(state: State, parcel: Parcel, offer: Offer) -> list[tuple[int, int, bool, Position]]:
    """Returns the positions of the other side as (-rank, account, sound, position), by rank. `sound` is True if equity is
    positive and stays so when the whole position closes at the offer's price; pass 1 closes only sound positions."""
    winners = []
    contract = state.contracts[parcel.instrument]
    for p in state.ledger.members[parcel.instrument]:
        if p.size * parcel.size < 0:
            rank, equity = _rank(state, p)
            profit = valuation.upl(contract, p)
            sound = equity > 0 and equity - profit - offer.share(abs(p.size)) - p.cost >= 0
            winners.append((-rank, p.account, sound and (profit > 0 or not state.rules.adl_winners_first), p))
    return sorted(winners, key=lambda w: w[:2])


def _adl_event(state: State, account: int, parcel: Parcel, lots: int, share: int, adl_pass: int, rank: int) -> None:
    state.log.emit_adl(
        account=account, instrument=parcel.instrument, adl_pass=adl_pass, parcel_id=parcel.parcel_id, closed_lots=lots,
        share_units=share, rank=rank, mark_ticks=state.contracts[parcel.instrument].mark,
    )  # fmt: skip


def _close_winner(state: State, parcel: Parcel, share: int, lots: int, winner: tuple[Position, int, int]) -> None:
    """Closes lots of a counterparty for a share of the offer, the same integer on both sides. winner: the position, its rank,
    and the pass."""
    p, rank, adl_pass = winner
    ledger, currency = state.ledger, state.contracts[p.instrument].currency
    ref = parcel.parcel_id
    state.trading.cancel_all(p, Ending.DELEVERAGED)
    _adl_event(state, p.account, parcel, lots, share, adl_pass, rank)
    delta = lots if p.size < 0 else -lots
    fill = Fill(delta, share, 0, ref, Posting.MAKER_FEE, deleveraged=True)
    state.admission.fit(p, fill)
    ledger.position_fill(p, fill)
    state.trading.refresh_hold(p)
    ledger.parcel_fill(parcel, lots, -share, ParcelChange.CLOSED_BY_ADL, ref)
    if adl_pass == 3 and (equity := state.admission.domain_of(p).equity) < 0:
        purse: AnyPurse = p if p.mode == Mode.ISOLATED else (p.account, currency)
        ledger.pay(Posting.ADL_TOP_UP, (Purse.DEFICIT, currency), purse, -equity, ref)


def _close_opposite(state: State, parcel: Parcel, opposite: Parcel, offer: Offer) -> None:
    """Closes a parcel of the other side at this parcel's price (pass 2); the fund bears its loss."""
    lots = min(abs(parcel.size), abs(opposite.size))
    share = offer.take(lots)
    if opposite.order and opposite.order.remaining > lots:
        state.trading.shrink(opposite.order, lots, Ending.UNWOUND)
    elif opposite.order:
        state.trading.cancel(opposite.order, Ending.UNWOUND)
    _adl_event(state, Purse.HOUSE, parcel, lots, share, 2, opposite.parcel_id)
    ref = parcel.parcel_id
    state.ledger.parcel_fill(parcel, lots, -share, ParcelChange.CLOSED_BY_ADL, ref)
    state.ledger.parcel_fill(opposite, lots, share, ParcelChange.CLOSED_BY_OPPOSITE, ref)


def _close_pass(state: State, parcel: Parcel, offer: Offer, winners: list[tuple[int, Position]], adl_pass: int) -> None:
    """Shares the rest of a parcel among the positions of a pass, and closes them by rank."""
    sizes, accounts = [abs(p.size) for _, p in winners], [p.account for _, p in winners]
    shared = allocate(state.rules.adl_share, abs(parcel.size), sizes, accounts)
    for lots, (minus_rank, p) in zip(shared, winners, strict=True):
        if lots:
            _close_winner(state, parcel, offer.take(lots), lots, (p, -minus_rank, adl_pass))


def deleverage(state: State, case: Case) -> Outcome:
    """Closes the rest of the parcel: sound winners by rank, opposite parcels by id, then all others by rank."""
    parcel = case.parcel
    assert parcel
    offer = _offer(state, parcel)
    winners = _winners(state, parcel, offer)
    _close_pass(state, parcel, offer, [(rank, p) for rank, _, sound, p in winners if sound], 1)
    for opposite in state.ledger.parcels:
        if parcel.size and opposite.instrument == parcel.instrument and opposite.size * parcel.size < 0:
            _close_opposite(state, parcel, opposite, offer)
    _close_pass(state, parcel, offer, [(rank, p) for rank, _, sound, p in winners if not sound], 3)
    assert not parcel.size, "both sides are equal"
    return Outcome.OVER
