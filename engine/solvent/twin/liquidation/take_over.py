"""Takeover (semantics §4): the house receives positions at exact cost, and the trader keeps zero for them.

Owns the choice and the cost of the positions taken. Never sells: `unwind` works off the parcels next.
"""

from solvent.schema.words import Posting, Purse, Verdict
from solvent.twin.account import margin
from solvent.twin.account.ledger import Position
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import Case, Outcome, State
from solvent.twin.liquidation.collateral import convert


def _take(state: State, p: Position, cost: int) -> None:
    """Turns one position into a parcel."""
    contract = state.contracts[p.instrument]
    price = margin.saturate(valuation.price_paying(contract, p.size, cost, 0))
    state.log.emit_takeover(
        account=p.account, instrument=p.instrument, mode=p.mode, parcel_id=state.ledger.next_parcel_id, size_lots=p.size,
        cost_units=cost, mark_ticks=contract.mark, bankruptcy_ticks=price, leg=p.leg,
    )  # fmt: skip
    state.ledger.parcel_take(p, cost, price)
    state.trading.refresh_hold(p)


def _take_isolated(state: State, p: Position) -> None:
    contract = state.contracts[p.instrument]
    cost = margin.bankruptcy_cost(contract, p, 0)
    state.ledger.pay(Posting.TAKEN_OVER, p, (Purse.CLEARING, contract.currency), p.margin)
    _take(state, p, cost)


def _take_cross(state: State, account: int, currency: int) -> None:
    """Takes all cross positions of a currency, each at its share of the equity, after converting the currency's collateral."""
    ledger = state.ledger
    for each in ledger.collateral:
        if each.of == currency:
            convert(state, account, each)
    cross = [p for p in ledger.cross_of(account, currency) if isinstance(p, Position)]
    shares = [state.admission.share_of_equity(p) for p in cross]  # all shares from the same state
    costs = [margin.bankruptcy_cost(state.contracts[p.instrument], p, e) for p, e in zip(cross, shares, strict=True)]
    wallet = account, currency
    ledger.pay(Posting.TAKEN_OVER, wallet, (Purse.CLEARING, currency), ledger.wallets[account][currency])
    ledger.touch(account)  # the domain that its balance backed is tested
    for p, cost in zip(cross, costs, strict=True):
        _take(state, p, cost)


def take_over(state: State, case: Case) -> Outcome:
    """Takes over the isolated position, or all cross positions of the domain."""
    assert case.verdict == Verdict.FULL  # who is not so far down was stepped down, or lost the orders that asked for more
    if case.position:
        _take_isolated(state, case.position)
    else:
        _take_cross(state, case.account, case.currency)
    return Outcome.OVER
