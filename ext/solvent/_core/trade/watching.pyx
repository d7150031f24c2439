"""The prices that triggers see; the contract is in watching.pxd, the readable twin in twin/trade/watching.py."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from solvent._core.base.clauses cimport ORD_4, must
from solvent._core.base.schema cimport BUY, BY_ASK, BY_BID, BY_INDEX, BY_MARK, SELL, SOURCES, TRADING
from solvent._core.contract.valuation cimport Instrument, in_call
from solvent._core.market.book cimport Book
from solvent._core.market.brackets cimport brackets_mark_all
from solvent._core.market.call_price cimport is_crossed
from solvent._core.market.peaks cimport unpegged_ticks
from solvent._core.market.triggers cimport triggers_observe
from solvent._core.trade.state cimport State


cdef void observe(State* s, uint32_t instrument, int source, int64_t price_ticks) noexcept nogil:
    """Shows a price to the triggers."""
    cdef bint sleeps = s.ledger.instruments[instrument].listing != TRADING
    must(price_ticks > 0, ORD_4, &s.log.fault)
    if not triggers_observe(&s.triggers[instrument], &s.pool, &s.due, source, price_ticks, sleeps):
        s.log.fault = 2


cdef int64_t watched_ticks(State* s, uint32_t instrument, int source) noexcept nogil:
    """Returns the price that a trigger watches; 0 where there is none. A call, or a crossed book, has no best prices."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef Book* book = &s.books[instrument]
    if source < BY_INDEX:
        return ins.mark_ticks if source == BY_MARK else ins.last_ticks
    if source == BY_INDEX:
        return ins.index_ticks
    if in_call(ins) or is_crossed(book):
        return 0
    return unpegged_ticks(book, &s.pool, BUY if source == BY_BID else SELL)


cdef void look(State* s) noexcept nogil:
    """Shows the best prices to the triggers that watch them, after the books have come to rest."""
    cdef uint32_t i
    cdef int source
    cdef int64_t price
    for i in range(s.ledger.instrument_count):
        must(0 <= s.triggers[i].watches <= s.triggers[i].count, ORD_4, &s.log.fault)
        if s.triggers[i].watches == 0:
            continue
        for source in range(BY_BID, BY_ASK + 1):
            price = watched_ticks(s, i, source)
            if price != 0:
                observe(s, i, source, price)


cdef void resume(State* s, uint32_t instrument) noexcept nogil:
    """Shows the watched prices again, by source: an order reached in a halt becomes due if it is still reached. Targets that
    waited for the market are looked at."""
    cdef Instrument* ins = &s.ledger.instruments[instrument]
    cdef int64_t price
    cdef int32_t i
    cdef int source
    for i in range(ins.member_count if s.brackets.count else 0):
        brackets_mark_all(&s.brackets, &s.pool, s.ledger.positions[ins.members[i]].first_reduce)
    for source in range(SOURCES):
        price = watched_ticks(s, instrument, source)
        if price != 0:
            observe(s, instrument, source, price)
