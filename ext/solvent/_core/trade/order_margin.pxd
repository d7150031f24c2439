# order_margin: what an order may do to its account: bands, bankruptcy, tiers, margin.
#
# Owns: the money half of the checks before a trade. A fill is judged again when it comes (admission).
# Never: looks at an account that is not the sender's; is asked by a Book alone.
# Cost: O(1) for isolated accounts, O(positions) for cross.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.account.ledger cimport Ledger, OpenSide, Position
from solvent._core.base.money cimport int128
from solvent._core.trade.state cimport State, Ticket

cdef int64_t within_band(State* s, Ticket* t, int64_t around_ticks) noexcept nogil
cdef void limit_to_bankruptcy(State* s, Ticket* t, Position* p) noexcept nogil
cdef int check_margin(State* s, Ticket* t, Position* p, OpenSide* standing) noexcept nogil
cdef int64_t reducible(State* s, Ticket* t, Position* p) noexcept nogil
cdef bint affords(State* s, uint32_t account, uint32_t currency, int128 needed, bint spendable) noexcept nogil
cdef bint fits(Ledger* ledger, Position* p) noexcept nogil
cdef int reach(Ledger* ledger, Position* p) noexcept nogil
