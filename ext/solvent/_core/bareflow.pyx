"""Book and matching alone on a flow of command records: what `make bench` measures below the money.

Owns a book and an arena for the length of one call. Never emits events, checks margin or keeps anything; it
is no product. The path is the core's own: arena_take, match_next, book_add, book_remove.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memset
from solvent._core.arena cimport (
    SLOT_BITS, Arena, Order, arena_close, arena_find, arena_give, arena_open, arena_reserve, arena_take,
)
from solvent._core.book cimport Book, book_add, book_check, book_close, book_open, book_remove, book_reserve
from solvent._core.matching cimport NOTHING, OWN_ORDER, Fill, match_next
from solvent._core.records cimport CANCEL, ORDER, RECORD_BYTES, Command


cdef struct Flow:
    Book book
    Arena arena
    uint64_t order_count
    int64_t trades
    int64_t lots
    uint64_t checksum


cdef bint _order(Flow* flow, const Command* c) noexcept nogil:
    cdef Order* order
    cdef Fill fill
    cdef int64_t remaining = c.size_lots
    cdef int32_t slot
    cdef int met
    if not arena_reserve(&flow.arena) or not book_reserve(&flow.book):
        return False
    slot = arena_take(&flow.arena)
    flow.order_count += 1
    while remaining > 0:
        met = match_next(&flow.book, &flow.arena, c.side, c.price_ticks, remaining, c.account, &fill)
        if met == NOTHING:
            break
        if met == OWN_ORDER:
            book_remove(&flow.book, &flow.arena, fill.slot)
            arena_give(&flow.arena, fill.slot)
            continue
        remaining -= fill.lots
        flow.trades += 1
        flow.lots += fill.lots
        flow.checksum = (flow.checksum ^ (flow.arena.orders[fill.slot].order_id + <uint64_t>fill.lots)) * <uint64_t>0x100000001B3
        if flow.arena.orders[fill.slot].remaining_lots == 0:
            arena_give(&flow.arena, fill.slot)
    if remaining == 0 or c.tif != 0:
        arena_give(&flow.arena, slot)
        return True
    order = &flow.arena.orders[slot]
    order.order_id = (flow.order_count << SLOT_BITS) | <uint64_t>slot
    order.size_lots = remaining
    order.remaining_lots = remaining
    order.account = c.account
    order.side = c.side
    book_add(&flow.book, &flow.arena, slot, c.side, c.price_ticks)
    return True


cdef bint _legal(const Command* commands, int64_t count, int64_t max_price_ticks) noexcept nogil:
    cdef int64_t i
    for i in range(count):
        if commands[i].type == ORDER and (
                commands[i].price_ticks < 1 or commands[i].price_ticks > max_price_ticks
                or commands[i].size_lots < 1 or commands[i].side > 1):
            return False
    return True


cdef int _drive(Flow* flow, const Command* commands, int64_t count) noexcept nogil:
    cdef int64_t i
    cdef int32_t slot
    for i in range(count):
        if commands[i].type == ORDER:
            if not _order(flow, &commands[i]):
                return 0
        elif commands[i].type == CANCEL:
            slot = arena_find(&flow.arena, commands[i].order_id)
            if slot >= 0:
                book_remove(&flow.book, &flow.arena, slot)
                arena_give(&flow.arena, slot)
    return 1


def drive(const unsigned char[::1] records not None, int64_t max_price_ticks):
    """Runs ORDER (limit; tif 0 rests) and CANCEL records: (trades, lots traded, checksum of the fills, resting orders).

    Every other field and every other command is ignored. Raises ValueError for a cut buffer or a book out
    of order at the end, MemoryError when memory is gone. Releases the GIL.
    """
    cdef Flow flow
    cdef int64_t count = records.shape[0] // RECORD_BYTES
    cdef int done = 1
    if records.shape[0] % RECORD_BYTES or max_price_ticks < 1:
        raise ValueError("the buffer is not a whole number of 64-byte records, or the highest price is not positive")
    memset(&flow, 0, sizeof(Flow))
    try:
        if not book_open(&flow.book, max_price_ticks) or not arena_open(&flow.arena, 4096):
            raise MemoryError
        if count:
            with nogil:
                done = _legal(<const Command*>&records[0], count, max_price_ticks)
            if not done:
                raise ValueError("an order has an illegal price, size or side")
            with nogil:
                done = _drive(&flow, <const Command*>&records[0], count)
        if not done:
            raise MemoryError
        if book_check(&flow.book, &flow.arena):
            raise ValueError("the book is out of order")
        return flow.trades, flow.lots, flow.checksum, flow.arena.high_water - flow.arena.free_count
    finally:
        book_close(&flow.book)
        arena_close(&flow.arena)
