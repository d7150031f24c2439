"""Auto-deleveraging (ADL, semantics §5): the rest of a parcel closes against the other side, at the parcel's cost.

Owns the ranking and its three passes. Never leaves a rest of the parcel, and books the same integer on both sides.
"""

from solvent.schema.words import Ending, Mode, ParcelChange, Posting, Purse
from solvent.twin.account import margin
from solvent.twin.account.ledger import AnyPurse, Fill, Parcel, Position
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import Case, Outcome, State


def _winners(state: State, parcel: Parcel) -> list[tuple[int, int, bool, Position]]:
    """Returns the positions of the other side as (-rank, account, sound, position), by rank. `sound` is True if equity is
    positive and stays so when the whole position closes at the parcel's price; pass 1 closes only sound positions."""
    winners = []
    contract = state.contracts[parcel.instrument]
    for p in state.ledger.members[parcel.instrument]:
        if p.size * parcel.size < 0:
            r = state.admission.domain_of(p)
            price = parcel.cost * abs(p.size) // abs(parcel.size)
            after = r.equity - valuation.upl(contract, p) - price - p.cost
            winners.append((-margin.adl_rank(contract, p, r), p.account, r.equity > 0 and after >= 0, p))
    return sorted(winners, key=lambda w: w[:2])


def _adl_event(state: State, account: int, parcel: Parcel, lots: int, share: int, adl_pass: int, rank: int) -> None:
    state.log.emit_adl(
        account=account, instrument=parcel.instrument, adl_pass=adl_pass, parcel_id=parcel.parcel_id, closed_lots=lots,
        share_units=share, rank=rank, mark_ticks=state.contracts[parcel.instrument].mark,
    )  # fmt: skip


def _close_winner(state: State, parcel: Parcel, p: Position, adl_pass: int, rank: int) -> None:
    """Closes a counterparty at the parcel's cost share, the same integer on both sides."""
    ledger, currency = state.ledger, state.contracts[p.instrument].currency
    lots = min(abs(parcel.size), abs(p.size))
    share = parcel.share(lots)
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


def _close_opposite(state: State, parcel: Parcel, opposite: Parcel) -> None:
    """Closes a parcel of the other side at this parcel's price (pass 2); the fund bears its loss."""
    lots = min(abs(parcel.size), abs(opposite.size))
    share = parcel.share(lots)
    if opposite.order and opposite.order.remaining > lots:
        state.trading.shrink(opposite.order, lots, Ending.UNWOUND)
    elif opposite.order:
        state.trading.cancel(opposite.order, Ending.UNWOUND)
    _adl_event(state, Purse.HOUSE, parcel, lots, share, 2, opposite.parcel_id)
    ref = parcel.parcel_id
    state.ledger.parcel_fill(parcel, lots, -share, ParcelChange.CLOSED_BY_ADL, ref)
    state.ledger.parcel_fill(opposite, lots, share, ParcelChange.CLOSED_BY_OPPOSITE, ref)


def deleverage(state: State, case: Case) -> Outcome:
    """Closes the rest of the parcel: sound winners by rank, opposite parcels by id, then all others by rank."""
    parcel = case.parcel
    assert parcel
    winners = _winners(state, parcel)
    for minus_rank, _, sound, p in winners:
        if sound and parcel.size:
            _close_winner(state, parcel, p, 1, -minus_rank)
    for opposite in state.ledger.parcels:
        if parcel.size and opposite.instrument == parcel.instrument and opposite.size * parcel.size < 0:
            _close_opposite(state, parcel, opposite)
    for minus_rank, _, sound, p in winners:
        if not sound and parcel.size:
            _close_winner(state, parcel, p, 3, -minus_rank)
    assert not parcel.size, "both sides are equal"
    return Outcome.OVER
