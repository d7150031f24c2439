"""Unwinding (semantics §5): the house sells a parcel through the book, at its bankruptcy price or at the fund's expense.

Owns the orders of the house. Its trades never move the mark. Only a price, funding, a settlement or the clock makes the fund
pay (SAFE-1).
"""

from solvent.schema.limits import RATE
from solvent.schema.states import CALLS, MATCHES
from solvent.schema.words import AdlTrigger, Ending, Flag, Listing, Purse, Side, Tif
from solvent.twin.account.ledger import Due, Parcel
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import Case, Outcome, State
from solvent.twin.trade.state import Ticket


def _value(state: State, parcel: Parcel) -> int:
    """Returns the parcel's value at mark less its cost."""
    contract = state.contracts[parcel.instrument]
    return valuation.worth(contract, parcel.size, contract.mark) - parcel.cost


def _meets(state: State, parcel: Parcel) -> bool:
    """True if an order of the house meets the book now."""
    return state.contracts[parcel.instrument].listing in MATCHES


def _resting_price(state: State, parcel: Parcel, side: Side, limit: int) -> int:
    """Returns the price at which an order of the house waits in a state without matching, 0 where it may not. In a call it
    joins at its limit; where only posting is allowed it stays one tick behind the best opposite price."""
    contract = state.contracts[parcel.instrument]
    if contract.listing in CALLS:
        return limit
    if contract.listing != Listing.ONLY_POST:
        return 0
    touch = state.trading.books[parcel.instrument].touch(side, limit)
    if touch is None:
        return limit
    price = touch - 1 if side == Side.BUY else touch + 1
    return price if 1 <= price <= contract.max_price_ticks else 0


def _house_order(state: State, parcel: Parcel, limit: int, may_rest: bool) -> None:
    """Sends a house order for the whole parcel. Its rest stays in the book if it may rest and does not have to be sold at
    once."""
    side, lots, waits = Side.SELL if parcel.size > 0 else Side.BUY, abs(parcel.size), not _meets(state, parcel)
    ends = not may_rest or (state.may_cost_others and _value(state, parcel) <= 0)
    limit = _resting_price(state, parcel, side, limit) if waits and not ends else 0 if waits else limit
    if not limit:
        return
    t = Ticket(
        Purse.HOUSE, parcel.instrument, parcel, side, limit, lots, Tif.GTC if may_rest else Tif.IOC,
        Flag.HOUSE_ORDER, limit=limit, remaining=lots, waits=waits,
    )  # fmt: skip
    state.trading.accept(t)
    state.trading.execute(t)
    if not may_rest or (state.may_cost_others and _value(state, parcel) <= 0):
        t.ending = Ending.UNWOUND
    state.trading.rest_or_end(t)


def _fund_price(state: State, parcel: Parcel) -> int:
    """Returns the price at which selling the whole rest would exactly empty the fund, within the limit around mark."""
    contract = state.contracts[parcel.instrument]
    fund = state.ledger.wallets[Purse.FUND][contract.currency]
    price = valuation.price_paying(contract, parcel.size, parcel.cost - fund, 0)
    side = Side.SELL if parcel.size > 0 else Side.BUY
    edge = valuation.band_price(contract, side, state.rules.parcel_limit_ppb)
    return max(price, edge) if side == Side.SELL else min(price, edge)


def _fund_stands(state: State, currency: int) -> bool:
    """True if the fund pays for parcels in the book, as the rule set says."""
    trigger, ledger = state.rules.adl_trigger, state.ledger
    if trigger != AdlTrigger.BY_DRAWDOWN:
        return trigger == AdlTrigger.WHEN_EMPTY
    left = (RATE - state.rules.drawdown_ppb) * ledger.past.highest(currency)
    return ledger.wallets[Purse.FUND][currency] * RATE > left


def unwind(state: State, case: Case) -> Outcome:
    """Offers a fresh parcel at its bankruptcy price, and sells a worthless one at once. A worthless parcel waits for its
    instrument's next mark if the command may not cost others."""
    parcel = case.parcel
    assert parcel
    parcel.due = Due.NO
    if state.contracts[parcel.instrument].waits:
        return Outcome.OVER
    price = valuation.legal(state.contracts[parcel.instrument], parcel.bankruptcy_price)
    # No order can have a bankruptcy price beyond the legal prices: such a parcel is worthless and is sold below.
    if case.fresh and (price >= parcel.bankruptcy_price if parcel.size > 0 else price <= parcel.bankruptcy_price):
        _house_order(state, parcel, price, may_rest=True)
    if not parcel.size or _value(state, parcel) > 0 or not state.may_cost_others:
        return Outcome.OVER
    if parcel.order:
        state.trading.cancel(parcel.order, Ending.UNWOUND)
    if not _fund_stands(state, state.contracts[parcel.instrument].currency):
        return Outcome.GO_ON
    price = _fund_price(state, parcel)
    if 1 <= price <= state.contracts[parcel.instrument].max_price_ticks:  # otherwise no legal price pays enough
        _house_order(state, parcel, price, may_rest=False)
    return Outcome.GO_ON if parcel.size else Outcome.OVER
