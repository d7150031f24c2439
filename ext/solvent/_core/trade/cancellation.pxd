# cancellation: the end of live orders on request: one, many, a connection's, and those whose date or owner's timer is reached.
#
# Owns: the checks and the execution of CANCEL, MASS_CANCEL, TIMER and DISCONNECT, and what passing time ends, the same for an
# exchange and a Book alone.
# Never: touches another account's order, except where the operator names no account.
# Cost: O(1) to cancel one. A mass cancel sorts the orders that it ends. It visits the account's own orders, or, for all accounts
# and in a Book alone, every slot ever used. A timer costs a walk over its account's timers, and O(log timers).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from solvent._core.market.client_ids cimport client_ids_find
from solvent._core.market.order_pool cimport DORMANT, LIVE, PARKED, pool_find
from solvent._core.base.clauses cimport ORD_1, must
from solvent._core.base.schema cimport OK, UNKNOWN_ACCOUNT, UNKNOWN_ORDER
from solvent._core.trade.placement cimport known_account
from solvent._core.trade.state cimport Receipt, State, order_instrument
from solvent._core.contract.valuation cimport frozen
from solvent._core.base.commands cimport CancelOrder, Disconnect, MassCancel, SetTimer

cdef enum:
    BOTH_SIDES = 2

cdef struct Filter:
    uint32_t account           # NOBODY: everyone's
    uint32_t instrument        # NO_INSTRUMENT: all
    uint16_t tag               # 0: any
    uint8_t side               # BOTH_SIDES: both
    uint8_t spares             # orders with one of these flags are left
    bint keeps_frozen          # so are those in a call that is about to end

cdef int64_t cancel_selected(State* s, const Filter* f, uint16_t reason) noexcept nogil
cdef int cancel_one(State* s, const CancelOrder* c, Receipt* receipt) noexcept nogil
cdef int cancel_many(State* s, const MassCancel* c, Receipt* receipt) noexcept nogil
cdef int disconnect(State* s, const Disconnect* c, Receipt* receipt) noexcept nogil
cdef int set_timer(State* s, const SetTimer* c) noexcept nogil
cdef void reach_dates(State* s) noexcept nogil


cdef inline bint is_frozen(State* s, int32_t slot) noexcept nogil:
    """True for an order that rests in a call that is about to end."""
    return s.calls != 0 and not s.pool.orders[slot].state & (DORMANT | PARKED) and (
        frozen(&s.ledger.instruments[order_instrument(s, slot)], s.clock_ns))


cdef inline int find_own(State* s, uint32_t account, uint64_t order_id, uint64_t client_id, int32_t* slot) noexcept nogil:
    """Returns the slot of the sender's live order, by order id, else by client id."""
    if not known_account(s, account):
        return UNKNOWN_ACCOUNT
    if order_id == 0 and client_id != 0:
        order_id = client_ids_find(&s.client_ids, account, client_id)
    slot[0] = pool_find(&s.pool, order_id)
    if slot[0] < 0 or s.pool.orders[slot[0]].account != account:
        return UNKNOWN_ORDER
    must(s.pool.orders[slot[0]].state & LIVE, ORD_1, &s.log.fault)
    return OK
