# short_way: most messages of a Book alone, from record to answer without a ticket. Header only.
#
# Owns: nothing. It takes an order that rests at once, or a cancellation of a resting order, when no other term is asked for.
# Never: refuses. It leaves untouched all that it does not take, for the kernel's general way. That way would do the same
# with what is taken: tests/behaviour/market/test_book.py holds Books of both kernels against each other.
# Invariant: it returns False before its first write, or applies the whole command with its events.
# Cost: about half of what the general way takes (decisions/0019); an exchange pays one test of `bare`.

from libc.stdint cimport int32_t, int64_t, uint64_t
from solvent._core.market.order_pool cimport LIVE, SLOT_BITS, Order, pool_find, pool_room, pool_take
from solvent._core.market.book cimport Book, book_remove, book_room
from solvent._core.market.client_ids cimport client_ids_find, client_ids_reserve
from solvent._core.market.expiries cimport expiries_due
from solvent._core.market.matching cimport crosses
from solvent._core.contract.valuation cimport Instrument
from solvent._core.trade.lifecycle cimport accept_order, finish, rest_plain
from solvent._core.trade.state cimport Receipt, State
from solvent._core.base.emit cimport emit_begin
from solvent._core.base.schema cimport CANCEL, CANCELLED, GTC, NOBODY, OK, ORDER, SELL, Command


cdef inline bint _rests(State* s, const Command* c) noexcept nogil:
    """True if a record asks for a plain order, legal and away from the touch, for which there is room."""
    cdef Instrument* ins = &s.ledger.instruments[0]
    if c.instrument | c.tif | c.flags | c.mode or c.amount != 0 or c.side > SELL or c.account == NOBODY:
        return False
    if <uint64_t>(c.size_lots - 1) >= <uint64_t>ins.max_size_lots or <uint64_t>(c.price_ticks - 1) >= <uint64_t>ins.max_price_ticks:
        return False
    if ins.listing != 0 or crosses(&s.books[0], c.side, c.price_ticks) or not (pool_room(&s.pool) and book_room(&s.books[0])):
        return False
    return c.client_id == 0 or (
        c.client_id >> 63 == 0 and client_ids_reserve(&s.client_ids) and client_ids_find(&s.client_ids, c.account, c.client_id) == 0)


cdef inline void _rest(State* s, const Command* c, uint64_t command_seq, Receipt* receipt) noexcept nogil:
    cdef int32_t slot = pool_take(&s.pool)
    receipt.order_id = (s.order_count + 1) << SLOT_BITS | <uint64_t>slot
    receipt.filled_lots = 0
    receipt.resting_lots = c.size_lots
    emit_begin(
        &s.log, side=c.side, account=c.account, instrument=0, code=OK, command=ORDER, time_ns=c.time_ns,
        command_seq=<int64_t>command_seq, order_id=<int64_t>receipt.order_id, filled_lots=0, resting_lots=c.size_lots)
    accept_order(s, slot, c.account, 0, c.side, 0, GTC, c.price_ticks, c.price_ticks, c.size_lots, c.client_id, 0)
    rest_plain(s, slot, 0, c.price_ticks)


cdef inline void _cancel(State* s, const Command* c, int32_t slot, uint64_t command_seq, Receipt* receipt) noexcept nogil:
    cdef Order* order = &s.pool.orders[slot]
    receipt.order_id = c.order_id
    receipt.filled_lots = order.size_lots - order.remaining_lots
    receipt.resting_lots = 0
    emit_begin(
        &s.log, side=c.side, account=c.account, instrument=c.instrument, code=OK, command=CANCEL, time_ns=c.time_ns,
        command_seq=<int64_t>command_seq, order_id=<int64_t>c.order_id, filled_lots=receipt.filled_lots, resting_lots=0)
    book_remove(&s.books[0], &s.pool, slot, order.side)
    finish(s, slot, 0, CANCELLED, OK)


cdef inline bint short_way(State* s, const Command* c, uint64_t command_seq, Receipt* receipt) noexcept nogil:
    """Applies a command of a Book alone. Returns False, with nothing changed, for one that is not of the usual kinds."""
    cdef int32_t slot
    if c.records != 1 or s.looks or c.time_ns < s.clock_ns or expiries_due(&s.expiries, &s.pool, c.time_ns):
        return False
    if c.type == ORDER:
        if not _rests(s, c):
            return False
        _rest(s, c, command_seq, receipt)
    elif c.type == CANCEL:
        slot = pool_find(&s.pool, c.order_id)
        if slot < 0 or s.pool.orders[slot].account != c.account or s.pool.orders[slot].state != LIVE:
            return False
        _cancel(s, c, slot, command_seq, receipt)
    else:
        return False
    s.clock_ns = c.time_ns
    receipt.code = OK
    return True
