"""The netting step (semantics §2): the common lots of both legs of a cross hedge close at mark before anything is sold.

Owns the netting of a hedge. Never takes a fee, and changes equity by no more than rounding.
"""

from solvent.schema.words import Posting, Side
from solvent.twin.account.ledger import Fill, Position
from solvent.twin.contract import valuation
from solvent.twin.liquidation.case import Case, Outcome, State


def _net_pair(state: State, long: Position) -> None:
    """Closes the common lots of both legs at mark."""
    short, contract = long.other_leg, state.contracts[long.instrument]
    assert short
    lots = min(long.size, -short.size)
    value = valuation.value_of(contract, lots, contract.mark)
    state.log.emit_netted(
        account=long.account, instrument=long.instrument, price_ticks=contract.mark, size_lots=lots, value_units=value,
    )  # fmt: skip
    for p, side, delta in ((long, Side.SELL, -lots), (short, Side.BUY, lots)):
        fill = Fill(delta, valuation.cost_delta(contract, side, value), 0, 0, Posting.TAKER_FEE)
        state.ledger.position_fill(p, fill)
        state.trading.refresh_hold(p)


def net(state: State, case: Case) -> Outcome:
    """Nets every hedge of a cross domain."""
    if case.position:
        return Outcome.GO_ON
    netted = False
    for long in state.ledger.cross_of(case.account, case.currency):
        if isinstance(long, Position) and long.size > 0 and long.other_lots < 0:
            _net_pair(state, long)
            netted = True
    return Outcome.AGAIN if netted else Outcome.GO_ON
