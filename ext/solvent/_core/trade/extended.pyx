"""Extended terms; the contract is in extended.pxd, the readable twin in twin/trade/lifecycle.py."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset
from solvent._core.base.commands cimport PlaceOrder
from solvent._core.base.clauses cimport BOOK_5, BOOK_6, ORD_1, must
from solvent._core.base.emit cimport emit_parked, emit_shaped, emit_tagged
from solvent._core.base.event_log cimport log_next
from solvent._core.base.schema cimport CONTINUED, NO_TRIGGER, AcceptedTerms, Event, Extension, Shape
from solvent._core.market.client_ids cimport client_text_set
from solvent._core.market.expiries cimport expiries_add, expiries_remove
from solvent._core.market.order_pool cimport EXTENDED, LIVE, PARKED, ExtendedTerms, Order
from solvent._core.market.peaks cimport follows, is_pegged
from solvent._core.market.triggers cimport Triggers, pegged_remove
from solvent._core.trade.state cimport State, Ticket


cdef void terms_of(const PlaceOrder* c, const Extension* x, const Shape* h, ExtendedTerms* terms) noexcept nogil:
    """Returns the terms of an ORDER that has more of them than a header says."""
    memset(terms, 0, sizeof(ExtendedTerms))
    terms.limit_ticks = c.price_ticks
    terms.stp_group = c.stp_group
    terms.stp_mode = <uint8_t>c.stp_mode
    if x != NULL:
        terms.trigger_ticks = x.trigger_ticks
        terms.trail = x.trail
        terms.slippage_ppb = x.slippage_ppb
        terms.expiry_ns = x.expiry_ns
        terms.source = x.trigger_source
        terms.kind = x.trigger_kind
        terms.trigger_flags = x.trigger_flags
        terms.leg = x.hedge_side
        terms.tag = x.tag
        if x.trail != 0:
            terms.trigger_ticks = 0
            terms.activation_ticks = x.trigger_ticks
    if h != NULL:
        terms.step_ticks = h.step_ticks
        terms.offset_ticks = h.offset_ticks
        terms.peg = h.peg
        terms.shape_flags = h.shape_flags
        terms.display_lots = h.display_lots


cdef void extend(State* s, Ticket* t) noexcept nogil:
    """Stores the terms of an extended order, enters its expiry, and a pegged one among those of its instrument."""
    cdef Triggers* triggers
    s.pool.orders[t.slot].state = LIVE | EXTENDED
    s.pool.terms[t.slot] = t.terms[0]
    t.terms = &s.pool.terms[t.slot]
    t.terms.timer = -1
    t.terms.trailing = -1
    if t.slot >= s.pool.terms_high_water:
        s.pool.terms_high_water = t.slot + 1
    if t.holder >= 0 and t.terms.kind != NO_TRIGGER:
        s.ledger.positions[t.holder].trigger_count += 1
    if t.terms.expiry_ns != 0:
        expiries_add(&s.expiries, &s.pool, t.slot)
    if follows(t.terms):
        triggers = &s.triggers[t.instrument]
        triggers.pegged[triggers.pegged_count] = t.order_id
        triggers.pegged_count += 1
        s.looks = True
        must(triggers.pegged_count == 1 or triggers.pegged[triggers.pegged_count - 2] < t.order_id, ORD_1, &s.log.fault)
    if t.text != NULL:
        client_text_set(&s.client_ids, t.slot, t.text)
    must(t.terms.expiry_ns == 0 or t.terms.expiry_ns > s.clock_ns, ORD_1, &s.log.fault)
    must((t.terms.timer >= 0) == (t.terms.expiry_ns != 0), ORD_1, &s.log.fault)


cdef void terms_event(State* s, Ticket* t, Event* accepted) noexcept nogil:
    """Appends the second record of ACCEPTED, and the event that tells a tag."""
    cdef ExtendedTerms* terms = t.terms
    if accepted != NULL:
        _append_terms(s, terms, accepted)
    if terms.tag != 0:
        emit_tagged(&s.log, account=t.account, instrument=t.instrument, tag=terms.tag, order_id=<int64_t>t.order_id)


cdef void _append_terms(State* s, ExtendedTerms* terms, Event* accepted) noexcept nogil:
    cdef AcceptedTerms record
    accepted.records = 2
    record.type = CONTINUED
    record.records = 0
    record.trigger_ticks = terms.activation_ticks if terms.trail else terms.trigger_ticks
    record.trail = terms.trail
    record.expiry_ns = terms.expiry_ns
    record.stp_group = terms.stp_group
    record.reference_ticks = terms.extreme_ticks
    record.slippage_ppb = terms.slippage_ppb
    record.hedge_side = terms.leg
    record.trigger_source = terms.source
    record.trigger_kind = terms.kind
    record.trigger_flags = terms.trigger_flags
    record.stp_mode = terms.stp_mode
    record.spare_too = 0
    memcpy(log_next(&s.log), &record, sizeof(AcceptedTerms))


cdef void shape_event(State* s, Ticket* t) noexcept nogil:
    """Tells the shape of an order behind its ACCEPTED. From then on a Book alone takes no short way."""
    s.looks = s.looks or s.bare
    must(t.terms != NULL and s.pool.orders[t.slot].order_id == t.order_id, ORD_1, &s.log.fault)
    emit_shaped(
        &s.log, side=t.side, account=t.account, instrument=t.instrument, shape_flags=t.terms.shape_flags, peg=t.terms.peg,
        order_id=t.order_id, display_lots=t.terms.display_lots, display_most_lots=0, step_ticks=t.terms.step_ticks,
        offset_ticks=t.terms.offset_ticks)


cdef void terms_end(State* s, int32_t slot, uint32_t instrument) noexcept nogil:
    """Takes an extended order that ends out of the expiries, and out of the pegged orders."""
    must(s.pool.orders[slot].state & EXTENDED, ORD_1, &s.log.fault)
    if s.pool.terms[slot].timer >= 0:
        expiries_remove(&s.expiries, &s.pool, slot)
    if is_pegged(&s.pool, slot):
        pegged_remove(&s.triggers[instrument], s.pool.orders[slot].order_id)


cdef void park(State* s, int32_t slot, uint32_t instrument) noexcept nogil:
    """Leaves an order that is in no queue without a price, and tells it."""
    cdef Order* order = &s.pool.orders[slot]
    order.state |= PARKED
    order.open_loss_ticks = 0
    must(order.state & LIVE and order.level < 0 and is_pegged(&s.pool, slot), BOOK_5, &s.log.fault)
    must(0 < order.remaining_lots <= order.size_lots, BOOK_6, &s.log.fault)
    emit_parked(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id,
        remaining_lots=order.remaining_lots, size_lots=order.size_lots)
