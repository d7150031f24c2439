# rows: what accounts are seen by: a row a position, a currency, a margin domain.
#
# Owns: the order of the numbers in a row; solvent.schema.rows names them, or schema.columns where all
# accounts are seen at once as int64, for both kernels.
# Never: writes the state; what a read makes of a fault is undone. Renders no decimal and no word.
# Invariants: a row is the kernel's own judgement: what it calls withdrawable a withdrawal may take, what it calls a verdict
# is what a test would find now.
# Cost: an open position a few requirements of its domain, and the search for its liquidation prices; a flat one O(1).

from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t
from solvent._core.trade.state cimport State

cdef tuple position_row(State* s, uint32_t account, uint32_t instrument, uint8_t leg)
cdef list position_rows(State* s, uint32_t account)
cdef list wallet_rows(State* s, uint32_t account)
cdef list domain_rows(State* s, uint32_t account)
cdef void position_columns(State* s, int32_t index, int64_t* row) noexcept nogil
cdef void liquidation_columns(State* s, int32_t index, int64_t* row) noexcept nogil
cdef void account_columns(State* s, uint32_t account, uint32_t currency, int64_t* row) noexcept nogil
