"""Orders in other states and beyond the band; the contract is in interruption.pxd."""

from libc.stdint cimport int64_t, uint8_t
from solvent._core.base.clauses cimport BOOK_6, BOOK_8, ORD_1, ORD_4, must
from solvent._core.base.money cimport max64
from solvent._core.base.schema cimport (
    AUCTION, BUY, GTC, GTD, HALTED, HALT_BEYOND, MARKET, NOT_IN_THIS_STATE, NOT_TRADING, OK, ONLY_POST, POST_ONLY,
    POST_ONLY_WOULD_TAKE, PRICE_BAND, REFUSE_BEYOND, SLIDE, SLIDE_BEYOND, TO_LIMIT, TRADING, UNFILLED,
)
from solvent._core.contract.valuation cimport in_call
from solvent._core.market.peaks cimport follows, gathers, touch_ticks
from solvent._core.trade.lifecycle cimport execute, replaced_event, rest_or_end
from solvent._core.trade.order_margin cimport within_band
from solvent._core.trade.state cimport BEYOND, MEETS, WAITS, State, Ticket
from solvent._core.trade.uncross cimport end_unseen, enter_state, park_pegs


cdef int fit_state(State* s, Ticket* t) noexcept nogil:
    """Checks an order, or an amendment, against a state that is not continuous trading. In a call it meets nobody."""
    must(t.ins.listing != TRADING and (t.way == MEETS or follows(t.terms)), ORD_4, &s.log.fault)
    if in_call(t.ins):
        t.way = WAITS
        if t.order_id != 0 or ((t.tif == GTC or t.tif == GTD) and not t.flags & (MARKET | POST_ONLY) and gathers(t.terms)):
            return OK
        return NOT_IN_THIS_STATE
    if t.ins.listing != ONLY_POST:
        return NOT_TRADING
    if t.order_id == 0:
        return OK if t.flags & POST_ONLY else NOT_IN_THIS_STATE
    return POST_ONLY_WOULD_TAKE if not t.flags & SLIDE and touch_ticks(t.book, t.side, t.price_ticks) != 0 else OK


cdef int beyond_band(State* s, Ticket* t) noexcept nogil:
    """Decides on an order that is priced beyond the band. In a call it may be where the band would interrupt trading."""
    cdef int64_t edge = within_band(s, t, t.ins.mark_ticks)
    cdef bint interrupts = (
        t.ins.calls.beyond_band != SLIDE_BEYOND and t.ins.listing != ONLY_POST and not t.flags & POST_ONLY and gathers(t.terms)
        and not (t.terms != NULL and t.terms.shape_flags & TO_LIMIT))
    if t.ins.calls.beyond_band == REFUSE_BEYOND:
        return PRICE_BAND
    if t.way == WAITS and interrupts:
        return OK
    if interrupts:
        t.way = BEYOND
        t.edge_ticks = edge
        t.beyond_ticks = t.price_ticks
    if not interrupts or t.ending != 0:         # what does not rest needs no cover beyond the edge
        t.price_ticks = t.limit_ticks = edge
    must(1 <= edge <= t.ins.max_price_ticks, BOOK_8, &s.log.fault)
    must(0 < t.remaining_lots <= t.size_lots, BOOK_6, &s.log.fault)
    return OK


cdef void trade_beyond(State* s, Ticket* t) noexcept nogil:
    """Trades an order that is priced beyond the band, up to the edge. If it would trade on its market halts, or an auction
    begins, and its rest keeps its price; otherwise it rests at the edge."""
    cdef int64_t away = t.edge_ticks - t.ins.mark_ticks
    cdef uint8_t before = t.ins.listing
    cdef bint interrupts
    must(t.edge_ticks != 0 and (before == TRADING or before == ONLY_POST), BOOK_8, &s.log.fault)
    must(t.beyond_ticks != t.edge_ticks and t.way == BEYOND, BOOK_8, &s.log.fault)
    execute(s, t)
    interrupts = t.remaining_lots > 0 and (t.ending == 0 or t.ending == UNFILLED) and (
        touch_ticks(t.book, t.side, t.beyond_ticks) != 0)
    if not interrupts and t.ending == 0:
        t.price_ticks = t.edge_ticks
        t.open_loss_ticks = max64(0, away if t.side == BUY else -away)
        s.pool.orders[t.slot].open_loss_ticks = t.open_loss_ticks
    rest_or_end(s, t)
    if interrupts:
        end_unseen(s, t.instrument)
        park_pegs(s, t.instrument)
    if interrupts and t.ins.calls.beyond_band == HALT_BEYOND:
        enter_state(s, t.instrument, HALTED, 0, 0, TRADING)
    elif interrupts:
        enter_state(s, t.instrument, AUCTION, 0, s.clock_ns + t.ins.calls.call_ns, TRADING)
    must(interrupts == (t.ins.listing != before), ORD_4, &s.log.fault)


cdef void slide_into_band(State* s, Ticket* t) noexcept nogil:
    """Moves the limit of a fired order to the edge of the band if the mark has left it behind, and emits REPLACED."""
    cdef int64_t price
    if t.ins.mark_ticks == 0 or t.price_ticks == 0:
        return
    price = within_band(s, t, t.ins.mark_ticks)
    if price != t.price_ticks:
        t.price_ticks = t.limit_ticks = t.terms.limit_ticks = price
        must(t.order_id != 0 and price != 0, ORD_1, &s.log.fault)
        replaced_event(s, t)
