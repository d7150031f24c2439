# rows: the rows of accounts for readers: a row for each position, currency and margin domain.
#
# Owns: the order of the numbers in a row, for both kernels. solvent.schema.rows names them, or schema.columns for int64 rows
# of all accounts.
# Never: writes the state; a fault in a read is undone. Renders no decimal and no word.
# Invariants: a row is the kernel's own judgement: a withdrawal may take its withdrawable amount, and a test now would find its
# verdict.
# Cost: an open position costs a few requirements of its domain, and the search for its liquidation prices; a flat one O(1).

from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t
from solvent._core.trade.state cimport State

cdef tuple position_row(State* s, uint32_t account, uint32_t instrument, uint8_t leg)
cdef list position_rows(State* s, uint32_t account)
cdef tuple wallet_row(State* s, uint32_t account, uint32_t currency)
cdef list wallet_rows(State* s, uint32_t account)
cdef list domain_rows(State* s, uint32_t account)
cdef void position_columns(State* s, int32_t index, int64_t* row) noexcept nogil
cdef void liquidation_columns(State* s, int32_t index, int64_t* row) noexcept nogil
cdef void account_columns(State* s, uint32_t account, uint32_t currency, int64_t* row) noexcept nogil
