"""The shape of an order, besides its price and size: how its trigger trails, what it keeps its distance from.

Owns the checks of these terms, all before the first write. Never moves an order or money. Terms that exclude each other never
stand in one order.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import PlaceOrder
from solvent.schema.words import Flag, Peg, TriggerKind
from solvent.twin.contract.valuation import Contract
from solvent.twin.trade.state import Fields

_RESERVED = (
    "unused_first", "unused_second", "unused_third", "unused_short", "unused_int", "display_lots", "display_most_lots",
    "shape_flags",
)  # fmt: skip


def _check_peg(contract: Contract, c: PlaceOrder, x: Fields, h: Fields) -> Code:
    """Checks what the price keeps its distance from. The limit of a trailing order brings no price of its own."""
    if h.peg == Peg.NO_PEG:
        return Code.BAD_SHAPE if h.offset_ticks else Code.OK
    if h.peg != Peg.PEG_TRIGGER or x.trigger_kind < TriggerKind.TRAIL_TICKS or c.flags & Flag.MARKET or c.price_ticks:
        return Code.BAD_SHAPE
    return Code.OK if abs(h.offset_ticks) <= contract.max_price_ticks else Code.BAD_SHAPE


def check_shape(contract: Contract, c: PlaceOrder, x: Fields, h: Fields) -> Code:
    """Checks the record of an ORDER's shape. Reserved fields are refused with NOT_SUPPORTED."""
    if any(h[name] for name in _RESERVED):
        return Code.NOT_SUPPORTED
    trails = x.trigger_kind >= TriggerKind.TRAIL_TICKS
    if h.step_ticks and not (trails and 0 < h.step_ticks <= contract.max_price_ticks):
        return Code.BAD_TRIGGER
    return _check_peg(contract, c, x, h)
