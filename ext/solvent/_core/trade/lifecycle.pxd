# lifecycle: the path of one order through the book, and the booking of its fills.
#
# Owns: the client-id window, and the life of an order from acceptance to its final event.
# Never: decides whether an order is allowed (placement does) or whether an account is safe (liquidation does).
# Invariants: an ACCEPTED order ends in exactly one DONE. A maker's fill is booked, and its reduce-only orders are cut, before
# the next maker trades.
# Cost: O(1) a fill, plus the reads of its judgement (admission), plus the owner's own resting orders where reduce-only orders
# must be cut. The path of every order is inline, as in the book.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport DORMANT, DUE, EXTENDED, LIVE, PARKED, REDUCE_ONLY_MAX, SLOT_BITS, Order, pool_give, pool_take
from solvent._core.market.book cimport Book, book_add, book_price, book_remove
from solvent._core.market.client_ids cimport client_ids_add, client_ids_finish
from solvent._core.account.ledger cimport Position
from solvent._core.account.parcels cimport parcel_find
from solvent._core.market.matching cimport NOTHING, OWN_ORDER, Match, meet_next, take_lots
from solvent._core.market.peaks cimport peak_used_up, peaks_meet, peaks_remove, peaks_take
from solvent._core.base.clauses cimport BOOK_5, BOOK_6, BOOK_8, ORD_1, ORD_3, must
from solvent._core.base.money cimport max64
from solvent._core.market.triggers cimport triggers_remove
from solvent._core.trade.extended cimport extend, shape_event, terms_end, terms_event
from solvent._core.trade.holds cimport reserve_and_hold
from solvent._core.trade.watching cimport observe
from solvent._core.trade.state cimport Deal, FillSide, State, Ticket, has_owner, order_instrument
from solvent._core.base.schema cimport (
    ALLOW, BUY, BY_LAST, CANCEL_MAKER, CLOSE_POSITION, FILLED, HOUSE_ORDER, NOBODY, OK, REDUCE_ONLY, SHAPED_ORDER, Event,
)
from solvent._core.base.emit cimport emit_accepted, emit_done, emit_rested, emit_trade


cdef struct Cut:                   # a resting reduce-only order
    int64_t place                  # the worse its price, the larger
    uint64_t order_id
    int32_t slot

cdef struct Cuts:                  # those of a position, while it is cut to its size: the worst price first, then the newest
    int64_t excess_lots
    int32_t count
    int32_t next
    Cut items[REDUCE_ONLY_MAX]


cdef void ticket_of_order(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Ticket* t) noexcept nogil
cdef void requeue(State* s, Ticket* t) noexcept nogil
cdef void replaced_event(State* s, Ticket* t) noexcept nogil
cdef void cancel_all(State* s, int32_t position, uint16_t reason) noexcept nogil
cdef int64_t reduced_before(State* s, Ticket* t, Position* p) noexcept nogil
cdef void cut_reduce_only(State* s, int32_t position) noexcept nogil
cdef void shrink(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil
cdef int32_t position_begin(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil
cdef void link_to_position(State* s, int32_t slot) noexcept nogil
cdef void unlink_own(State* s, int32_t slot) noexcept nogil
cdef void cuts_begin(State* s, int32_t position, Cuts* cuts) noexcept nogil
cdef int32_t next_cut(State* s, Cuts* cuts, int64_t* lots) noexcept nogil
cdef void fill_side(State* s, int32_t position, int side, int64_t lots, int64_t value, uint16_t fee_reason, uint64_t order_id,
                    FillSide* half) noexcept nogil
cdef int64_t borne_by_maker(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil
cdef int64_t borne_by_taker(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil
cdef int64_t limit_now(State* s, Ticket* t) noexcept nogil
cdef void end_closing(State* s, Ticket* t) noexcept nogil
cdef bint admit_fill(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil
cdef void book_fill(State* s, Ticket* t, Match* fill, Deal* deal) noexcept nogil
cdef void fill_at_limit(State* s, Ticket* t, int64_t lots, FillSide* half) noexcept nogil
cdef void book_user(State* s, int32_t position, FillSide* half) noexcept nogil
cdef void book_house(State* s, int64_t parcel_id, int side, Match* fill, int64_t value, uint64_t order_id) noexcept nogil
cdef void after_fill(State* s, int32_t position, int64_t held_lots) noexcept nogil
cdef bint self_trade(State* s, Ticket* t, int32_t slot) noexcept nogil
cdef void execute_with_care(State* s, Ticket* t) noexcept nogil
cdef void rest_shaped(State* s, int32_t slot, uint32_t instrument, int64_t price_ticks) noexcept nogil
cdef void refill(State* s, uint32_t instrument, int32_t slot, int64_t price_ticks) noexcept nogil
cdef void look_at_rest(State* s, Ticket* t) noexcept nogil


cdef inline int64_t closing_lots(Position* p, int side) noexcept nogil:
    """Returns how many lots a side would close."""
    return max64(0, -p.size_lots if side == BUY else p.size_lots)


cdef inline void ticket_at(State* s, Ticket* t, uint32_t instrument) noexcept nogil:
    """Sets the ticket's book and instrument."""
    t.instrument = instrument
    t.book = &s.books[instrument]
    t.ins = &s.ledger.instruments[instrument]


# --- The path of an order, inline: what only some orders need is behind the calls above -------------------

cdef inline Event* accept_order(State* s, int32_t slot, uint32_t account, uint32_t instrument, uint8_t side, uint8_t flags,
                        uint8_t tif, int64_t price_ticks, int64_t limit_ticks, int64_t size_lots, uint64_t client_id,
                        uint8_t stp_mode) noexcept nogil:
    """Makes a new order in its slot, without an owner, and emits ACCEPTED (returns NULL if its type is not wanted)."""
    cdef Order* order = &s.pool.orders[slot]
    s.order_count += 1
    order.order_id = (s.order_count << SLOT_BITS) | <uint64_t>slot
    order.remaining_lots = size_lots
    order.size_lots = size_lots
    order.client_id = client_id
    order.open_loss_ticks = 0
    order.account = account
    order.level = -1
    order.holder = -1
    order.side = side
    order.flags = flags
    order.tif = tif
    order.state = LIVE
    if client_id != 0:
        client_ids_add(&s.client_ids, slot)
    return emit_accepted(
        &s.log, side=side, account=account, instrument=instrument, flags=flags | (<uint16_t>stp_mode << 8), tif=tif,
        order_id=order.order_id, price_ticks=price_ticks, size_lots=size_lots, client_id=client_id,
        limit_ticks=limit_ticks)


cdef inline void rest_plain(State* s, int32_t slot, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    """Puts an order without a shape into the book, that no position owns, or before its position is updated."""
    cdef Order* order = &s.pool.orders[slot]
    book_add(&s.books[instrument], &s.pool, slot, order.side, price_ticks)
    emit_rested(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id,
        price_ticks=price_ticks, remaining_lots=order.remaining_lots, hidden_lots=0)


cdef inline void accept(State* s, Ticket* t) noexcept nogil:
    """Gives the order its number and slot and emits ACCEPTED, after room was made everywhere."""
    cdef Event* event
    t.slot = pool_take(&s.pool)
    event = accept_order(s, t.slot, t.account, t.instrument, t.side, t.flags, t.tif, t.price_ticks, t.limit_ticks, t.size_lots,
                 t.client_id, t.stp_mode)
    t.order_id = s.pool.orders[t.slot].order_id
    must(t.remaining_lots == t.size_lots and (t.size_lots > 0 or t.flags & (CLOSE_POSITION | HOUSE_ORDER) or (t.terms != NULL and t.terms.bracket)),
         BOOK_6, &s.log.fault)
    s.pool.orders[t.slot].open_loss_ticks = t.open_loss_ticks
    if t.holder >= 0:
        s.pool.orders[t.slot].holder = t.holder
        link_to_position(s, t.slot)
    if t.terms != NULL:
        extend(s, t)
        terms_event(s, t, event)
        if t.flags & SHAPED_ORDER:
            shape_event(s, t)


cdef inline void finish(State* s, int32_t slot, uint32_t instrument, uint16_t reason, uint16_t code) noexcept nogil:
    """Emits DONE for an order that is in no queue, and frees its slot and client id."""
    cdef Order* order = &s.pool.orders[slot]
    must(order.state & LIVE, ORD_1, &s.log.fault)
    must(0 <= order.remaining_lots <= order.size_lots and (reason != FILLED or order.remaining_lots == 0), ORD_3, &s.log.fault)
    emit_done(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id,
        cancelled_lots=order.remaining_lots, filled_lots=order.size_lots - order.remaining_lots,
        client_id=order.client_id, ending=reason, code=code)
    if order.holder >= 0:
        unlink_own(s, slot)
    if order.state & EXTENDED:
        terms_end(s, slot, instrument)
    if order.client_id != 0:
        client_ids_finish(&s.client_ids, slot)
    pool_give(&s.pool, slot)


cdef inline void leave_book(State* s, int32_t slot) noexcept nogil:
    """Takes a resting order out of the book and out of its owner's reserve; the order stays alive."""
    cdef Order* order = &s.pool.orders[slot]
    cdef Book* book = &s.books[order_instrument(s, slot)]
    must(order.state & LIVE and order.remaining_lots >= 0, BOOK_5, &s.log.fault)
    if has_owner(order):
        reserve_and_hold(s, order, book_price(book, &s.pool, slot), order.remaining_lots, 0, NULL)
    if order.flags & SHAPED_ORDER:
        peaks_remove(book, &s.pool, slot, order.side)
    else:
        book_remove(book, &s.pool, slot, order.side)


cdef inline void cancel(State* s, int32_t slot, uint16_t reason) noexcept nogil:
    """Ends a live order that is resting, dormant, due or parked."""
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef uint8_t state = s.pool.orders[slot].state
    if state & DORMANT:
        triggers_remove(&s.triggers[instrument], &s.pool, slot)
    elif not state & (DUE | PARKED):
        leave_book(s, slot)
    finish(s, slot, instrument, reason, OK)


cdef inline void execute_with(State* s, Ticket* t, bint careful) noexcept nogil:
    """Trades up to the limit. careful: the book has orders that do not show all of their lots, a constant at each call."""
    cdef Book* book = t.book
    cdef Order* maker
    cdef Match fill
    cdef int64_t first_ticks = 0
    cdef int64_t last_ticks = 0
    cdef uint32_t taker = NOBODY if t.flags & HOUSE_ORDER else t.account
    cdef int64_t group = t.stp_group
    cdef int mode = t.stp_mode
    cdef int met
    cdef int64_t limit
    cdef uint64_t maker_id
    cdef bint bare = t.holder < 0
    cdef Deal deal
    if t.closes and mode == ALLOW:
        mode = CANCEL_MAKER
        group = 0
    while t.remaining_lots > 0:
        limit = limit_now(s, t) if t.turns else t.limit_ticks
        if careful:
            met = peaks_meet(book, &s.pool, t.side, limit, t.remaining_lots, taker, group, mode, &fill)
        else:
            met = meet_next(book, &s.pool, t.side, limit, t.remaining_lots, taker, group, mode, &fill)
        if met == NOTHING:
            break
        if met == OWN_ORDER:
            if not self_trade(s, t, fill.slot):
                break
            continue
        if not bare and not admit_fill(s, t, &fill, &deal):
            continue
        if fill.lots > 0:
            maker = &s.pool.orders[fill.slot]
            must(fill.price_ticks <= t.limit_ticks if t.side == BUY else fill.price_ticks >= t.limit_ticks, BOOK_8, &s.log.fault)
            maker_id = maker.order_id
            if careful:
                peaks_take(book, &s.pool, t.side, &fill)
            else:
                take_lots(book, &s.pool, t.side, &fill)
            t.remaining_lots -= fill.lots
            t.reached_ticks = fill.price_ticks
            must(t.remaining_lots >= 0 and maker.remaining_lots >= 0, ORD_3, &s.log.fault)
            s.pool.orders[t.slot].remaining_lots = t.remaining_lots
            if not maker.flags & HOUSE_ORDER:
                last_ticks = fill.price_ticks
                if first_ticks == 0:
                    first_ticks = last_ticks
            emit_trade(
                &s.log, side=t.side, instrument=t.instrument, maker_order_id=maker.order_id,
                taker_order_id=t.order_id, price_ticks=fill.price_ticks, size_lots=fill.lots, maker=maker.account,
                taker=t.account)
            if not bare:
                book_fill(s, t, &fill, &deal)
            elif maker.remaining_lots == 0:
                finish(s, fill.slot, t.instrument, FILLED, OK)
            if careful and s.pool.orders[fill.slot].order_id == maker_id and peak_used_up(&s.pool, fill.slot):
                refill(s, t.instrument, fill.slot, fill.price_ticks)
        if not bare and deal.taker_ends:
            t.ending = deal.ending
            break
    if t.turns:
        end_closing(s, t)
    if first_ticks != 0 and not t.flags & HOUSE_ORDER:
        t.ins.last_ticks = last_ticks
        if s.triggers[t.instrument].count > 0:
            observe(s, t.instrument, BY_LAST, first_ticks)
            observe(s, t.instrument, BY_LAST, last_ticks)


cdef inline void execute(State* s, Ticket* t) noexcept nogil:
    """Trades up to the limit, with self-trade prevention by the ticket's mode.

    Only users' trades set the last price; the house's trades never move it, nor the mark.
    """
    if t.book.careful:
        execute_with_care(s, t)
    else:
        execute_with(s, t, False)


cdef inline void rest_or_end(State* s, Ticket* t) noexcept nogil:
    """Rests or ends the remaining lots of a ticket."""
    cdef Order* order = &s.pool.orders[t.slot]
    must(order.remaining_lots == t.remaining_lots and order.size_lots == t.size_lots, ORD_3, &s.log.fault)
    if t.remaining_lots == 0:
        finish(s, t.slot, t.instrument, FILLED, OK)
    elif t.ending != 0:
        finish(s, t.slot, t.instrument, t.ending, OK)
    else:
        if t.flags & SHAPED_ORDER:
            rest_shaped(s, t.slot, t.instrument, t.price_ticks)
        else:
            rest_plain(s, t.slot, t.instrument, t.price_ticks)
        if t.flags & HOUSE_ORDER:
            s.ledger.parcels[parcel_find(&s.ledger, t.holder)].order_id = t.order_id
        elif t.holder >= 0:
            reserve_and_hold(s, order, t.price_ticks, 0, t.remaining_lots, t)
            if t.flags & REDUCE_ONLY:
                cut_reduce_only(s, t.holder)
            if s.ledger.orders_count or s.ledger.collateral_count:
                look_at_rest(s, t)
