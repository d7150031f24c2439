"""Order entry of a Book alone; the contract is in bare.pxd."""

from libc.stdint cimport int32_t, int64_t
from solvent._core.arena cimport Order, arena_reserve
from solvent._core.book cimport book_price, book_reserve
from solvent._core.clientids cimport clients_find, clients_reserve
from solvent._core.entry cimport Receipt, cancel_own, check_amendment, check_terms, find_own, shrink_to
from solvent._core.ledger cimport NOBODY, Instrument
from solvent._core.matching cimport crosses
from solvent._core.records cimport (
    ADVANCE, AMEND, BAD_FLAGS, BUY, CANCEL, DUPLICATE_CLIENT_ID, FOK, FOK_UNFILLED, MARKET, OK, ORDER,
    POST_ONLY, POST_ONLY_WOULD_TAKE, REDUCE_ONLY, TOO_MANY_ORDERS, UNKNOWN_ACCOUNT, UNKNOWN_COMMAND,
    UNKNOWN_INSTRUMENT, UNKNOWN_ORDER, Command,
)
from solvent._core.trading cimport (
    State, Ticket, accept, conclude, dry_run, execute, reenter, ticket_of_command, ticket_of_order,
)


cdef void _work(State* s, Ticket* t, Receipt* receipt) noexcept nogil:
    execute(s, t)
    conclude(s, t)
    receipt.order_id = t.order_id
    receipt.filled_lots = t.size_lots - t.remaining_lots
    receipt.resting_lots = 0 if t.ending else t.remaining_lots


cdef int _place(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    cdef Instrument* ins = &s.ledger.instruments[0]
    cdef int code = check_terms(ins, c)
    cdef int64_t price, reached
    cdef Ticket t
    if code != OK:
        return code
    if c.flags & REDUCE_ONLY:
        return BAD_FLAGS
    if c.client_id != 0:
        receipt.order_id = clients_find(&s.clients, c.account, c.client_id)
        if receipt.order_id != 0:
            return DUPLICATE_CLIENT_ID
    price = c.price_ticks
    if c.flags & MARKET and price == 0:
        price = ins.max_price_ticks if c.side == BUY else 1
    ticket_of_command(c, price, &t)
    t.holder = -1
    if c.flags & POST_ONLY and crosses(&s.books[0], c.side, c.price_ticks):
        return POST_ONLY_WOULD_TAKE
    if c.tif == FOK and dry_run(s, &t, &reached) > 0:
        return FOK_UNFILLED
    if not (arena_reserve(&s.arena) and book_reserve(&s.books[0]) and clients_reserve(&s.clients)):
        return TOO_MANY_ORDERS
    accept(s, &t)
    _work(s, &t, receipt)
    return OK


cdef int _amend(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    cdef int32_t slot = find_own(s, c)
    cdef int64_t price, size
    cdef Order* order
    cdef Ticket t
    cdef int code
    if slot < 0:
        return UNKNOWN_ORDER
    code = check_amendment(s, c, slot, &price, &size)
    if code != OK:
        return code
    order = &s.arena.orders[slot]
    if size <= order.size_lots and price == book_price(&s.books[0], &s.arena, slot):
        return shrink_to(s, slot, size, receipt)
    if order.flags & POST_ONLY and crosses(&s.books[0], order.side, price):
        return POST_ONLY_WOULD_TAKE
    if not book_reserve(&s.books[0]):
        return TOO_MANY_ORDERS
    ticket_of_order(s, slot, size - order.size_lots + order.remaining_lots, price, &t)
    reenter(s, &t)
    _work(s, &t, receipt)
    return OK


cdef int bare_command(State* s, const Command* c, Receipt* receipt) noexcept nogil:
    """ORDER, AMEND, CANCEL and ADVANCE; a Book knows no other command."""
    if c.type == ADVANCE:
        return OK
    if c.type != ORDER and c.type != AMEND and c.type != CANCEL:
        return UNKNOWN_COMMAND
    if c.account == NOBODY:
        return UNKNOWN_ACCOUNT
    if c.instrument != 0:
        return UNKNOWN_INSTRUMENT
    if c.type == ORDER:
        return _place(s, c, receipt)
    if c.type == AMEND:
        return _amend(s, c, receipt)
    return cancel_own(s, c, receipt)
