# placement: whether an order is allowed, and then its way in: at once, or once its trigger fires.
#
# Owns: the checks before a trade, complete before the first write (a rejected command changes nothing).
# A Book alone takes the same way; what concerns money is left out (s.bare).
# Never: looks at a clock or at an account that is not the sender's.
# Cost: O(1) for isolated accounts and a Book, O(positions) for cross; a market order also looks at the levels
# it needs, a FOK order at the orders.

from libc.stdint cimport uint8_t, uint32_t
from solvent._core.account.ledger cimport FIRST_USER, OpenSide, Position
from solvent._core.base.schema cimport NOBODY, OK, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, Extension
from solvent._core.trade.state cimport Receipt, State, Ticket
from solvent._core.base.commands cimport PlaceOrder

cdef int check_leg(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil
cdef int place(State* s, const PlaceOrder* c, const Extension* x, Receipt* receipt) noexcept nogil
cdef bint fire_next(State* s, Receipt* receipt) noexcept nogil
cdef int admit(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil
cdef void work(State* s, Ticket* t, Receipt* receipt) noexcept nogil


cdef inline bint known_account(State* s, uint32_t account) noexcept nogil:
    """Users of an exchange were opened; a Book takes any number but the one that means nobody."""
    if s.bare:
        return account != NOBODY
    return FIRST_USER <= account < s.ledger.account_count


cdef inline int check_names(State* s, uint32_t account, uint32_t instrument) noexcept nogil:
    if not known_account(s, account):
        return UNKNOWN_ACCOUNT
    if instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    return OK
