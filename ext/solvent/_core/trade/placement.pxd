# placement: the checks of an order, then its execution at once, or once its trigger fires.
#
# Owns: the checks before a trade, complete before the first write (a rejected command changes nothing). A Book alone takes the
# same path without the money checks (s.bare).
# Never: reads a clock, or an account other than the sender's.
# Cost: O(1) for isolated accounts and a Book, O(positions) for cross. A market order also visits the levels that it needs, a
# FOK order the orders.

from libc.stdint cimport int64_t, uint8_t, uint32_t
from solvent._core.account.ledger cimport FIRST_USER, OpenSide, Position
from solvent._core.contract.valuation cimport Instrument
from solvent._core.base.schema cimport NOBODY, OK, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, Extension
from solvent._core.trade.state cimport Receipt, State, Ticket
from solvent._core.base.commands cimport PlaceOrder

cdef int check_leg(State* s, uint32_t account, uint32_t instrument, uint8_t leg) noexcept nogil
cdef int place(State* s, const PlaceOrder* c, const Extension* x, Receipt* receipt) noexcept nogil
cdef int try_place(State* s, const PlaceOrder* c, Ticket* t) noexcept nogil
cdef bint allows_live(State* s, Ticket* t, int more) noexcept nogil
cdef bint fire_next(State* s, Receipt* receipt) noexcept nogil
cdef int admit(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil
cdef int check_limits(State* s, Instrument* ins, int type, int64_t size_lots, int64_t price_ticks, uint8_t flags) noexcept nogil
cdef void execute_and_rest(State* s, Ticket* t, Receipt* receipt) noexcept nogil


cdef inline bint known_account(State* s, uint32_t account) noexcept nogil:
    """True if an account exists. A Book takes any number except NOBODY."""
    if s.bare:
        return account != NOBODY
    return FIRST_USER <= account < s.ledger.account_count


cdef inline int check_names(State* s, uint32_t account, uint32_t instrument) noexcept nogil:
    if not known_account(s, account):
        return UNKNOWN_ACCOUNT
    if instrument >= s.ledger.instrument_count:
        return UNKNOWN_INSTRUMENT
    return OK
