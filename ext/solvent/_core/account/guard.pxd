# guard: how far prices may move before a margin domain must be looked at (docs/explanation/danger-index.md).
#
# Owns: the band of each position: marks between which its part in its domain's slack has a floor. Owns the rungs that tell when
# a mark leaves a band, and for each instrument the list of open positions whose domain has no such bound.
# Never: decides who is below a threshold. Part of no image and no digest: a copy begins without, and whoever has no guard is
# looked at.
# Invariants: a floor is at most the position's part at every mark of its band. After a reading a guarded domain's cash (its
# margin) and its floors add up to zero or more. Each end of a band at which a mark can leave it has a rung there, or nearer.
# An open position whose domain is not guarded is listed.
# Cost: a reading is O(positions of those who changed). To ask who is crossed is O(1) where nobody is. To guard a domain is
# O(its positions), and O(log n) for each rung.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from solvent._core.account.ledger cimport Ledger, Position
from solvent._core.account.margin cimport Rules
from solvent._core.base.ladder cimport Ladder

cdef enum:                     # the ends of a band
    LOW = 0
    HIGH = 1

cdef enum:                     # where a position's floor counts
    NOWHERE = 0
    ALONE = 1                  # it is isolated, and guarded
    TOGETHER = 2               # in its cross domain, if that is guarded

cdef struct Guard:             # of a position
    int64_t ends[2]            # the band, both ends inside
    int64_t rungs[2]           # key of its nearest rung at each end; INT64_MAX: none
    int64_t floor_units
    int32_t next               # listed after it
    uint8_t listed
    uint8_t role

cdef struct Beat:              # of an instrument
    Ladder ends[2]             # keys are ticks, at the low end negative: a rung is crossed when the mark's key is above its own
    int32_t first              # of its list; -1: none
    int32_t listed

cdef struct Guards:
    Guard* items               # by position
    int32_t count
    int32_t capacity
    uint8_t* guarded           # by wallet: its cross domain is guarded
    uint64_t wallets
    Beat* beats                # by instrument
    uint32_t instruments
    int32_t budget             # domains that may still be guarded anew at this mark

cdef void guards_close(Guards* guards) noexcept nogil
cdef bint guards_read(Guards* guards, Ledger* l, Rules* rules) noexcept nogil
cdef int32_t guards_crossed(Guards* guards, Ledger* l, uint32_t instrument) noexcept nogil
cdef bint guards_renew(Guards* guards, Ledger* l, Rules* rules, int32_t index) noexcept nogil
cdef void guards_drop(Guards* guards, Ledger* l, int32_t index) noexcept nogil
cdef bint guards_hold(Guards* guards, Ledger* l, int32_t index) noexcept nogil
cdef bint slack_least(Ledger* l, Rules* rules, Position* p, int64_t* ends, int64_t* least) noexcept nogil
