"""Volumes and the rates that go with them; the contract is in fees.pxd, the readable twin in twin/account/fees.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset
from solvent._core.account.ledger cimport Ledger, Position, domain_forget, touch
from solvent._core.base.clauses cimport MON_7, must
from solvent._core.base.money cimport RATE, floor128, min64
from solvent._core.base.pool cimport resized
from solvent._core.contract.valuation cimport Instrument
from solvent._core.base.emit cimport emit_fee_changed

cdef extern from *:
    """
    #include <stdint.h>
    /* rendered: limits */
    #define SOLVENT_DAY_NS INT64_C(86400000000000)
    #define SOLVENT_VOLUME_MAX INT64_C(144115188075855872)
    /* rendered: end */
    """
    int64_t DAY_NS "SOLVENT_DAY_NS"
    int64_t VOLUME_MAX "SOLVENT_VOLUME_MAX"


cdef void fees_close(Fees* fees) noexcept nogil:
    free(fees.volumes)


cdef bint _has_room(Fees* fees, Ledger* ledger) noexcept nogil:
    """Makes room for every account. Returns False, and the exchange halts, when memory is gone."""
    cdef size_t old = <size_t>fees.accounts * ledger.currency_count
    cdef size_t new = <size_t>ledger.account_capacity * ledger.currency_count
    if fees.accounts >= ledger.account_count:
        return True
    if not resized(<void**>&fees.volumes, <int64_t>new, sizeof(Volume)):
        ledger.log.fault = 2
        return False
    memset(&fees.volumes[old], 0, (new - old) * sizeof(Volume))
    fees.accounts = ledger.account_capacity
    must(fees.accounts >= ledger.account_count, MON_7, &ledger.log.fault)
    return True


cdef Volume* volume_at(Fees* fees, Ledger* ledger, uint32_t account, uint32_t currency, int64_t now_ns) noexcept nogil:
    """Returns the volume of an account's family, rolled to today; NULL when memory is gone."""
    cdef Volume* v
    cdef int64_t day, steps, i
    if ledger.accounts[account].parent != 0:
        account = ledger.accounts[account].parent
    if not _has_room(fees, ledger):
        return NULL
    v = &fees.volumes[<size_t>account * ledger.currency_count + currency]
    day = <int64_t>floor128(now_ns, DAY_NS)
    must(day >= v.day, MON_7, &ledger.log.fault)       # the clock never goes back
    steps = min64(day - v.day, VOLUME_DAYS + 1)
    for i in range(steps):
        v.total += v.today - v.days[v.next]
        v.days[v.next] = v.today
        v.today = 0
        v.next = 0 if v.next + 1 == VOLUME_DAYS else v.next + 1
    v.day = day
    must(v.total >= 0 and v.today >= 0, MON_7, &ledger.log.fault)
    must(0 <= v.next < VOLUME_DAYS, MON_7, &ledger.log.fault)
    return v


cdef int64_t fee_rate(Fees* fees, Ledger* ledger, Instrument* ins, uint32_t account, bint maker, int64_t now_ns) noexcept nogil:
    """Returns the fee rate over RATE of the highest tier that the account's volume reaches."""
    cdef int64_t found = ins.maker_fee_ppb if maker else ins.taker_fee_ppb
    cdef Volume* v
    cdef int32_t i
    if ins.fee_tier_count == 0:
        return found
    v = volume_at(fees, ledger, account, ins.currency, now_ns)
    if v != NULL:
        for i in range(ins.fee_tier_count):
            if v.total >= ins.fee_tiers[i].volume_units:
                found = ins.fee_tiers[i].maker_fee_ppb if maker else ins.fee_tiers[i].taker_fee_ppb
    must(-RATE < found < RATE, MON_7, &ledger.log.fault)
    return found


cdef int32_t liquidation_rate(Fees* fees, Ledger* ledger, Position* p, int64_t now_ns) noexcept nogil:
    """Returns the liquidation fee rate of a position, over RATE."""
    cdef Instrument* ins = &ledger.instruments[p.instrument]
    cdef int64_t rate = fee_rate(fees, ledger, ins, p.account, False, now_ns) if ins.own_fee else ins.liquidation_fee_ppb
    must(0 <= rate < RATE, MON_7, &ledger.log.fault)
    return <int32_t>rate


cdef bint fees_other_day(Fees* fees, int64_t before_ns, int64_t now_ns) noexcept nogil:
    """True if volumes are counted and another day has begun."""
    return fees.counts and floor128(now_ns, DAY_NS) > floor128(before_ns, DAY_NS)


cdef void fees_renew(Fees* fees, Ledger* ledger, int64_t now_ns) noexcept nogil:
    """Renews liquidation fees on a new day. Emits FEE_CHANGED for each position whose rate changed, and touches its
    account."""
    cdef Position* p
    cdef int32_t rate, k
    cdef uint32_t i
    for i in range(ledger.instrument_count):
        for k in range(ledger.instruments[i].member_count if ledger.instruments[i].own_fee else 0):
            p = &ledger.positions[ledger.instruments[i].members[k]]
            must(p.instrument == i, MON_7, &ledger.log.fault)
            rate = liquidation_rate(fees, ledger, p, now_ns)
            if rate != p.liquidation_fee_ppb:
                must(rate >= 0 and ledger.instruments[i].own_fee, MON_7, &ledger.log.fault)
                p.liquidation_fee_ppb = rate
                domain_forget(ledger, p)
                emit_fee_changed(ledger.log, account=p.account, instrument=p.instrument, leg=p.leg, fee_ppb=rate)
                touch(ledger, p.account)


cdef void fees_add(Fees* fees, Ledger* ledger, Instrument* ins, uint32_t account, int64_t value, int64_t now_ns) noexcept nogil:
    """Adds a fill's value to the account's volume of today."""
    cdef int64_t total
    cdef Volume* v
    if not fees.counts:
        return
    v = volume_at(fees, ledger, account, ins.currency, now_ns)
    if v != NULL:
        must(value >= 0, MON_7, &ledger.log.fault)
        total = v.today + value
        v.today = min64(VOLUME_MAX, total)
        must(v.today == total or (v.today == VOLUME_MAX and total > VOLUME_MAX), MON_7, &ledger.log.fault)
