"""The shapes of orders; the contract is in shapes.pxd, the readable twin in twin/trade/shapes.py."""

from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.schema cimport (
    BAD_SHAPE, BAD_TRIGGER, MARKET, NOT_SUPPORTED, NO_PEG, OK, PEG_TRIGGER, TRAIL_TICKS, Extension, Shape,
)
from solvent._core.contract.valuation cimport Instrument


cdef int _check_peg(Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil:
    """Checks what the price keeps its distance from. The limit of a trailing order brings no price of its own."""
    if h.peg == NO_PEG:
        return OK if h.offset_ticks == 0 else BAD_SHAPE
    if h.peg != PEG_TRIGGER or x.trigger_kind < TRAIL_TICKS or c.flags & MARKET or c.price_ticks != 0:
        return BAD_SHAPE
    return OK if -ins.max_price_ticks <= h.offset_ticks <= ins.max_price_ticks else BAD_SHAPE


cdef int check_shape(Instrument* ins, const PlaceOrder* c, const Extension* x, const Shape* h) noexcept nogil:
    """Checks the record of an ORDER's shape. Reserved fields are refused with NOT_SUPPORTED."""
    if (h.unused_first or h.unused_second or h.unused_third or h.unused_short or h.unused_int or h.display_lots
            or h.display_most_lots or h.shape_flags):
        return NOT_SUPPORTED
    if h.step_ticks != 0 and (x.trigger_kind < TRAIL_TICKS or h.step_ticks < 0 or h.step_ticks > ins.max_price_ticks):
        return BAD_TRIGGER
    return _check_peg(ins, c, x, h)
