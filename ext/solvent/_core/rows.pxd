# rows: the rows of accounts for readers: a row for each position, currency and margin domain.
#
# Owns: the order of the numbers in a row of one account, which solvent.schema.rows names. Rows of all accounts are the structs
# below, whose fields are those of solvent.schema.columns.
# Never: writes the state; a fault in a read is undone. Renders no decimal and no word.
# Invariants: a row is the kernel's own judgement: a withdrawal may take its withdrawable amount, and a test now would find its
# verdict.
# Cost: a domain is read once for all its positions in a row. An open position costs the search for its liquidation prices
# besides; a flat one O(1).

from libc.stdint cimport int32_t, int64_t, uint32_t, uint8_t
from solvent._core.account.margin cimport Requirement, Shares
from solvent._core.trade.state cimport State

# rendered: columns
cdef struct PositionColumns:
    int64_t account
    int64_t instrument
    int64_t leg
    int64_t mode
    int64_t leverage
    int64_t leverage_parts
    int64_t size_lots
    int64_t cost_units
    int64_t margin_units
    int64_t hold_units
    int64_t upl_units
    int64_t value_units
    int64_t equity_units
    int64_t full_units
    int64_t own_units
    int64_t initial_units
    int64_t domain_value_units

cdef struct LiquidationColumns:
    int64_t account
    int64_t instrument
    int64_t leg
    int64_t mark_ticks
    int64_t liquidation_ticks
    int64_t profit_side_ticks
    int64_t bankruptcy_ticks

cdef struct AccountColumns:
    int64_t account
    int64_t currency
    int64_t cash_units
    int64_t hold_units
    int64_t margin_units
    int64_t upl_units
    int64_t free_units
    int64_t spendable_units
    int64_t equity_units
    int64_t full_units
    int64_t own_units
    int64_t value_units
    int64_t collateral_units
    int64_t initial_units
# rendered: end

cdef struct Seen:              # the domain that was read last, for the next position of it
    uint32_t account           # 0: none yet
    uint32_t currency
    Requirement r
    Shares shares

cdef tuple position_row(State* s, uint32_t account, uint32_t instrument, uint8_t leg)
cdef list position_rows(State* s, uint32_t account)
cdef tuple wallet_row(State* s, uint32_t account, uint32_t currency)
cdef list wallet_rows(State* s, uint32_t account)
cdef list domain_rows(State* s, uint32_t account)
cdef void position_columns(State* s, int32_t index, Seen* seen, void* to) noexcept nogil
cdef void liquidation_columns(State* s, int32_t index, Seen* seen, void* to) noexcept nogil
cdef void account_columns(State* s, uint32_t account, uint32_t currency, AccountColumns* row) noexcept nogil
