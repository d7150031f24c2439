# fees: trading fees by traded volume.
#
# Owns: the volumes by account and currency: the value of fills on each of the last thirty whole days of command time. Today's
# volume counts from tomorrow on, and a sub-account's fills count for its master. Owns the liquidation fee of each position
# whose instrument takes the account's own rate.
# Never: moves money. Counts nothing while no instrument has fee tiers.
# Cost: a fill of a tiered exchange is O(1). A new day takes at most thirty steps, and one visit of every such position. 264
# bytes an account and currency.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport Ledger, Position
from solvent._core.contract.valuation cimport Instrument

cdef enum:
    # rendered: limits
    VOLUME_DAYS = 30
    # rendered: end

cdef struct Volume:
    int64_t day
    int64_t today
    int64_t total                  # sum of the whole days
    int64_t days[VOLUME_DAYS]      # a ring
    int32_t next                   # place of today, over the oldest day

cdef struct Fees:
    Volume* volumes                # account * currency_count + currency
    uint32_t accounts              # number of accounts with room
    bint counts                    # True once an instrument has fee tiers

cdef void fees_close(Fees* fees) noexcept nogil
cdef Volume* volume_at(Fees* fees, Ledger* ledger, uint32_t account, uint32_t currency, int64_t now_ns) noexcept nogil
cdef int64_t fee_rate(Fees* fees, Ledger* ledger, Instrument* ins, uint32_t account, bint maker, int64_t now_ns) noexcept nogil
cdef int32_t liquidation_rate(Fees* fees, Ledger* ledger, Position* p, int64_t now_ns) noexcept nogil
cdef bint fees_other_day(Fees* fees, int64_t before_ns, int64_t now_ns) noexcept nogil
cdef void fees_renew(Fees* fees, Ledger* ledger, int64_t now_ns) noexcept nogil
cdef void fees_add(Fees* fees, Ledger* ledger, Instrument* ins, uint32_t account, int64_t value, int64_t now_ns) noexcept nogil
