# placement: whether an order is allowed, and then its way in: at once, or once its trigger fires.
#
# Owns: the checks before a trade, complete before the first write (a rejected command changes nothing).
# A Book alone takes the same way; what concerns money is left out (s.bare).
# Never: looks at a clock or at an account that is not the sender's.
# Cost: O(1) for isolated accounts and a Book, O(positions) for cross; a market order also looks at the levels
# it needs, a FOK order at the orders.

from libc.stdint cimport uint8_t
from solvent._core.account.ledger cimport FIRST_USER, NOBODY, OpenSide, Position
from solvent._core.base.records cimport OK, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, Command
from solvent._core.trade.state cimport Receipt, State, Ticket

cdef int check_leg(State* s, const Command* c, uint8_t leg) noexcept nogil
cdef int place(State* s, const Command* c, Receipt* receipt) noexcept nogil
cdef bint fire_next(State* s, Receipt* receipt) noexcept nogil
cdef int admit(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil
cdef void work(State* s, Ticket* t, Receipt* receipt) noexcept nogil


cdef inline bint known_account(State* s, const Command* c) noexcept nogil:
    """Users of an exchange were opened; a Book takes any number but the one that means nobody."""
    if s.bare:
        return c.account != NOBODY
    return FIRST_USER <= c.account < s.ledger.account_count


cdef inline int check_names(State* s, const Command* c) noexcept nogil:
    if not known_account(s, c):
        return UNKNOWN_ACCOUNT
    if c.instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    return OK
