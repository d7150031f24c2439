# pipeline: runs the steps that the rule set names, in its order, on every case.
#
# Owns: the order of cases: parcels first, then accounts, worst first. Bounds the work per command.
# Never: decides, or moves money; the steps do. Only a price, funding, a settlement or the clock starts ADL, or sells a
# worthless parcel at the fund's expense (SAFE-1). After any other command such a parcel waits for its instrument's next mark.
# Invariant: after the pipeline every touched account is at or above R_own, or waits, stuck, for its instrument's next mark.
# Cost: O(touched accounts), and the cost of the steps.

from solvent._core.trade.state cimport State

cdef void resolve_touched(State* s) noexcept nogil


cdef inline void resolve(State* s) noexcept nogil:
    """Ends a command: parcels first, then the touched accounts, until none is left."""
    if s.ledger.touched_count or s.ledger.due.now.count:
        resolve_touched(s)
