# lifecycle: where a fill meets money. The path of one order through the book.
#
# Owns: the client-id window, and the life of an order from acceptance to its final event.
# Never: decides whether an order is allowed (entry does) or whether an account is safe (liquidation does).
# Invariants: an ACCEPTED order ends in exactly one DONE; a maker is settled, and what its fill makes of its
# reduce-only orders is done, before the next maker trades.
# Cost: O(1) a fill, plus what judging it reads (admission), plus the owner's own resting orders where reduce-only ones must be
# cut. The path that every order takes is inline, as the book's.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.market.order_pool cimport DORMANT, DUE, EXTENDED, LIVE, SLOT_BITS, Order, Terms, arena_give, arena_take
from solvent._core.market.book cimport Book, book_add, book_price, book_remove
from solvent._core.market.client_ids cimport clients_add, clients_finish
from solvent._core.account.ledger cimport Position, parcel_find
from solvent._core.market.matching cimport NOTHING, OWN_ORDER, Fill, meet_next, take_lots
from solvent._core.base.clauses cimport BOOK_5, BOOK_6, BOOK_8, ORD_1, ORD_3, must
from solvent._core.base.money cimport most
from solvent._core.market.expiries cimport timers_remove
from solvent._core.market.triggers cimport triggers_remove
from solvent._core.contract.valuation cimport Instrument
from solvent._core.trade.holds cimport refresh_side, reserve
from solvent._core.trade.state cimport Deal, FillSide, State, Ticket, order_instrument
from solvent._core.base.schema cimport (
    ALLOW, BUY, BY_LAST, CANCEL_MAKER, CLOSE_POSITION, FILLED, HOUSE_ORDER, NOBODY, OK, REDUCE_ONLY, Event,
)
from solvent._core.base.emit cimport emit_accepted, emit_done, emit_rested, emit_trade


cdef void ticket_of_order(State* s, int32_t slot, int64_t remaining_lots, int64_t price_ticks, Ticket* t) noexcept nogil
cdef void reenter(State* s, Ticket* t) noexcept nogil
cdef void say_replaced(State* s, Ticket* t) noexcept nogil
cdef void cancel_all(State* s, int32_t position, uint16_t reason) noexcept nogil
cdef void expire(State* s) noexcept nogil
cdef void observe(State* s, uint32_t instrument, int source, int64_t price_ticks) noexcept nogil
cdef int64_t watched_ticks(Instrument* ins, int source) noexcept nogil
cdef void resume(State* s, uint32_t instrument) noexcept nogil
cdef int64_t reduced_before(State* s, Ticket* t, Position* p) noexcept nogil
cdef void cut_reduce_only(State* s, int32_t position) noexcept nogil
cdef void shrink(State* s, int32_t slot, int64_t lots, uint16_t reason) noexcept nogil
cdef int32_t position_begin(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil
cdef void extend(State* s, Ticket* t) noexcept nogil
cdef void say_terms(State* s, Terms* terms, Event* accepted) noexcept nogil
cdef void list_own(State* s, int32_t slot) noexcept nogil
cdef void unlink_own(State* s, int32_t slot) noexcept nogil
cdef int32_t next_cut(State* s, int32_t position, int64_t* excess) noexcept nogil
cdef void fill_side(State* s, int32_t position, int side, int64_t lots, int64_t value, uint16_t fee_reason, uint64_t order_id,
                    FillSide* half) noexcept nogil
cdef int64_t borne_by_maker(State* s, Ticket* t, Fill* fill, Deal* deal) noexcept nogil
cdef int64_t borne_by_taker(State* s, Ticket* t, Fill* fill, Deal* deal) noexcept nogil
cdef int64_t limit_now(State* s, Ticket* t) noexcept nogil
cdef void end_closing(State* s, Ticket* t) noexcept nogil
cdef bint admit_fill(State* s, Ticket* t, Fill* fill, Deal* deal) noexcept nogil
cdef void settle_fill(State* s, Ticket* t, Fill* fill, Deal* deal) noexcept nogil
cdef void fill_at_limit(State* s, Ticket* t, int64_t lots, FillSide* half) noexcept nogil
cdef bint self_trade(State* s, Ticket* t, int32_t slot) noexcept nogil
cdef void look_at_rest(State* s, Ticket* t) noexcept nogil


cdef inline int64_t closing_lots(Position* p, int side) noexcept nogil:
    """How many lots a side would close."""
    return most(0, -p.size_lots if side == BUY else p.size_lots)


cdef inline void ticket_at(State* s, Ticket* t, uint32_t instrument) noexcept nogil:
    """Where the order is going."""
    t.instrument = instrument
    t.book = &s.books[instrument]
    t.ins = &s.ledger.instruments[instrument]


# --- The path of an order, inline: what only some orders need is behind the calls above -------------------

cdef inline Event* born(State* s, int32_t slot, uint32_t account, uint32_t instrument, uint8_t side, uint8_t flags,
                        uint8_t tif, int64_t price_ticks, int64_t limit_ticks, int64_t size_lots, uint64_t client_id,
                        uint8_t stp_mode) noexcept nogil:
    """A new order in its slot, of nobody yet, and its ACCEPTED (NULL where nobody wants it)."""
    cdef Order* order = &s.arena.orders[slot]
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
        clients_add(&s.clients, slot)
    return emit_accepted(
        &s.log, side=side, account=account, instrument=instrument, flags=flags | (<uint16_t>stp_mode << 8), tif=tif,
        order_id=order.order_id, price_ticks=price_ticks, size_lots=size_lots, client_id=client_id,
        limit_ticks=limit_ticks)


cdef inline void rest_alone(State* s, int32_t slot, uint32_t instrument, int64_t price_ticks) noexcept nogil:
    """Puts an order into the book behind which no position stands, or before what stands there is told."""
    cdef Order* order = &s.arena.orders[slot]
    book_add(&s.books[instrument], &s.arena, slot, order.side, price_ticks)
    emit_rested(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id,
        price_ticks=price_ticks, remaining_lots=order.remaining_lots)


cdef inline void accept(State* s, Ticket* t) noexcept nogil:
    """Gives the order its number and slot and says ACCEPTED. Room was asked for everywhere."""
    cdef Event* event
    t.slot = arena_take(&s.arena)
    event = born(s, t.slot, t.account, t.instrument, t.side, t.flags, t.tif, t.price_ticks, t.limit_ticks, t.size_lots,
                 t.client_id, t.stp_mode)
    t.order_id = s.arena.orders[t.slot].order_id
    must(t.remaining_lots == t.size_lots and (t.size_lots > 0 or t.flags & (CLOSE_POSITION | HOUSE_ORDER)), BOOK_6, &s.log.fault)
    s.arena.orders[t.slot].open_loss_ticks = t.open_loss_ticks
    if t.holder >= 0:
        s.arena.orders[t.slot].holder = t.holder
        list_own(s, t.slot)
    if t.terms != NULL:
        extend(s, t)
        say_terms(s, t.terms, event)


cdef inline void finish(State* s, int32_t slot, uint32_t instrument, uint16_t reason, uint16_t code) noexcept nogil:
    """The final event of an order that is in no queue any more; its slot and client id are returned."""
    cdef Order* order = &s.arena.orders[slot]
    must(order.state & LIVE, ORD_1, &s.log.fault)
    must(0 <= order.remaining_lots <= order.size_lots and (reason != FILLED or order.remaining_lots == 0), ORD_3, &s.log.fault)
    emit_done(
        &s.log, side=order.side, account=order.account, instrument=instrument, order_id=order.order_id,
        cancelled_lots=order.remaining_lots, filled_lots=order.size_lots - order.remaining_lots,
        client_id=order.client_id, ending=reason, code=code)
    if order.holder >= 0:
        unlink_own(s, slot)
    if order.state & EXTENDED and s.arena.terms[slot].timer >= 0:
        timers_remove(&s.timers, &s.arena, slot)
    if order.client_id != 0:
        clients_finish(&s.clients, slot)
    arena_give(&s.arena, slot)


cdef inline void unlist(State* s, int32_t slot) noexcept nogil:
    """Takes a resting order out of the book and out of its owner's reserve; the order stays alive."""
    cdef Order* order = &s.arena.orders[slot]
    cdef Book* book = &s.books[order_instrument(s, slot)]
    if order.holder >= 0:
        reserve(s, order, book_price(book, &s.arena, slot), order.remaining_lots, 0)
    must(order.state & LIVE and order.remaining_lots >= 0, BOOK_5, &s.log.fault)
    book_remove(book, &s.arena, slot, order.side)
    if order.holder >= 0 and not order.flags & HOUSE_ORDER:
        refresh_side(s, order)


cdef inline void cancel(State* s, int32_t slot, uint16_t reason) noexcept nogil:
    """Ends a live order that is not on its way through the book: a resting, dormant or due one."""
    cdef uint32_t instrument = order_instrument(s, slot)
    cdef uint8_t state = s.arena.orders[slot].state
    if state & DORMANT:
        triggers_remove(&s.triggers[instrument], &s.arena, slot)
    elif not state & DUE:
        unlist(s, slot)
    finish(s, slot, instrument, reason, OK)


cdef inline void execute(State* s, Ticket* t) noexcept nogil:
    """Trades the ticket as far as its limit reaches. What becomes of own orders in the way is the ticket's to say.

    The last price is that of users' trades; the house's never move it (as they never move the mark).
    """
    cdef Book* book = t.book
    cdef Order* maker
    cdef Fill fill
    cdef int64_t first_ticks = 0
    cdef int64_t last_ticks = 0
    cdef uint32_t taker = NOBODY if t.flags & HOUSE_ORDER else t.account
    cdef int64_t group = t.stp_group
    cdef int mode = t.stp_mode
    cdef int met
    cdef bint bare = t.holder < 0
    cdef Deal deal
    if t.closes and mode == ALLOW:
        mode = CANCEL_MAKER
        group = 0
    while t.remaining_lots > 0:
        met = meet_next(book, &s.arena, t.side, limit_now(s, t) if t.turns else t.limit_ticks, t.remaining_lots, taker, group, mode, &fill)
        if met == NOTHING:
            break
        if met == OWN_ORDER:
            if not self_trade(s, t, fill.slot):
                break
            continue
        if not bare and not admit_fill(s, t, &fill, &deal):
            continue
        if fill.lots > 0:
            maker = &s.arena.orders[fill.slot]
            must(fill.price_ticks <= t.limit_ticks if t.side == BUY else fill.price_ticks >= t.limit_ticks, BOOK_8, &s.log.fault)
            take_lots(book, &s.arena, t.side, &fill)
            t.remaining_lots -= fill.lots
            must(t.remaining_lots >= 0 and maker.remaining_lots >= 0, ORD_3, &s.log.fault)
            s.arena.orders[t.slot].remaining_lots = t.remaining_lots
            if not maker.flags & HOUSE_ORDER:
                last_ticks = fill.price_ticks
                if first_ticks == 0:
                    first_ticks = last_ticks
            emit_trade(
                &s.log, side=t.side, instrument=t.instrument, maker_order_id=maker.order_id,
                taker_order_id=t.order_id, price_ticks=fill.price_ticks, size_lots=fill.lots, maker=maker.account,
                taker=t.account)
            if not bare:
                settle_fill(s, t, &fill, &deal)
            elif maker.remaining_lots == 0:
                finish(s, fill.slot, t.instrument, FILLED, OK)
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


cdef inline void conclude(State* s, Ticket* t) noexcept nogil:
    """What is left of a ticket rests or ends."""
    cdef Order* order = &s.arena.orders[t.slot]
    must(order.remaining_lots == t.remaining_lots and order.size_lots == t.size_lots, ORD_3, &s.log.fault)
    if t.remaining_lots == 0:
        finish(s, t.slot, t.instrument, FILLED, OK)
    elif t.ending != 0:
        finish(s, t.slot, t.instrument, t.ending, OK)
    else:
        rest_alone(s, t.slot, t.instrument, t.price_ticks)
        if t.flags & HOUSE_ORDER:
            s.ledger.parcels[parcel_find(&s.ledger, t.holder)].order_id = t.order_id
        elif t.holder >= 0:
            reserve(s, order, t.price_ticks, 0, t.remaining_lots)
            refresh_side(s, order)
            if t.flags & REDUCE_ONLY:
                cut_reduce_only(s, t.holder)
            if s.ledger.orders_count or s.ledger.collateral_count:
                look_at_rest(s, t)
