# fees: what a fill costs by what its account has traded.
#
# Owns: the volumes: by account (sub-accounts count for their master) and currency, the value of fills of each of the last
# thirty whole days of command time and of today, which counts from tomorrow on; and, by them, the
# liquidation fee of each position whose instrument asks for its account's own.
# Never: moves money. Nothing is counted while no instrument has fee tiers.
# Cost: a fill of a tiered exchange O(1), a new day at most thirty steps, and one look at every such position;
# 264 bytes an account and currency.

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.account.ledger cimport Ledger, Position
from solvent._core.contract.valuation cimport Instrument

cdef enum:
    VOLUME_DAYS = 30

cdef struct Volume:
    int64_t day
    int64_t today
    int64_t total                  # of the whole days
    int64_t days[VOLUME_DAYS]      # a ring
    int32_t next                   # where today goes, over the oldest

cdef struct Fees:
    Volume* volumes                # account * currency_count + currency
    uint32_t accounts              # for which there is room
    bint counts                    # some instrument has fee tiers

cdef void fees_close(Fees* fees) noexcept nogil
cdef Volume* volume_at(Fees* fees, Ledger* ledger, uint32_t account, uint32_t currency, int64_t now_ns) noexcept nogil
cdef int64_t fee_rate(Fees* fees, Ledger* ledger, Instrument* ins, uint32_t account, bint maker, int64_t now_ns) noexcept nogil
cdef int32_t liquidation_rate(Fees* fees, Ledger* ledger, Position* p, int64_t now_ns) noexcept nogil
cdef bint fees_other_day(Fees* fees, int64_t before_ns, int64_t now_ns) noexcept nogil
cdef void fees_renew(Fees* fees, Ledger* ledger, int64_t now_ns) noexcept nogil
cdef void fees_add(Fees* fees, Ledger* ledger, Instrument* ins, uint32_t account, int64_t value, int64_t now_ns) noexcept nogil
