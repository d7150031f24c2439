"""The crowd; the contract is in crowd.pxd."""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset
from solvent._core.account.ledger cimport FIRST_USER, Ledger, Position, wallet_of
from solvent._core.base.commands cimport Request
from solvent._core.base.money cimport clamp, magnitude, max64, min64, mul_div_floor
from solvent._core.base.schema cimport ADL, BUY, CANCEL, DEPOSIT, GTC, INDEX, IOC, LIQUIDATION, OK, ORDER, SELL, Event
from solvent._core.kernel cimport Kernel
from solvent._core.market.peaks cimport shown_best
from solvent._core.reader cimport IDLE
from solvent._core.trade.state cimport State

cdef enum:
    TELL = 1                       # the halves of a step, as in solvent.lab.worlds.crowd
    CROWD = 2
    NORMAL = 2_000
    MILLION = 1_000_000
    PATH_DRAWS = 12
    LIVE_MOST = 3
    AT_ONCE = 8_192                # looks of traders between two looks for signals
    TURN_PURPOSE = 18              # solvent.lab.market.draws.Purpose
    PATH_PURPOSE = 20
    JUMP_PURPOSE = 21
    CROWD_PURPOSE = 22

cdef extern from *:
    """
    #include <stdint.h>
    #define SOLVENT_GOLDEN UINT64_C(0x9E3779B97F4A7C15)
    static inline uint64_t solvent_mixed(uint64_t z) {
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        return z ^ (z >> 31); }
    /* The stages of a draw: by seed, by purpose, by step, by agent. */
    static inline uint64_t solvent_stage(uint64_t key, uint64_t number) { return solvent_mixed(key + number * SOLVENT_GOLDEN); }
    static inline int64_t solvent_below(uint64_t bits, uint64_t limit) { return (int64_t)((bits >> 32) * limit >> 32); }
    """
    uint64_t stage "solvent_stage"(uint64_t key, uint64_t number) noexcept nogil
    int64_t below "solvent_below"(uint64_t bits, uint64_t limit) noexcept nogil


cdef void _begin(World* w) noexcept nogil:
    """Finds what the draws of all steps have in common."""
    cdef int i
    w.seed_key = stage(<uint64_t>w.row.seed, 1)
    for i in range(PATH_DRAWS):
        w.path_keys[i] = stage(stage(w.seed_key, PATH_PURPOSE), i)
    for i in range(2):
        w.jump_keys[i] = stage(stage(w.seed_key, JUMP_PURPOSE), i)


cdef int64_t _price(World* w, int64_t step, int32_t* fault) noexcept nogil:
    """Returns the index of a step in ticks, 0 if it is not told, and notes it in the row."""
    cdef const Terms* t = w.terms
    cdef int64_t move = 0
    cdef int i
    if not t.drawn:
        return w.prices[step]
    for i in range(PATH_DRAWS):
        move += below(stage(w.path_keys[i], step), 2_001) - 1_000
    move *= t.volatility_bp
    if t.jump_bp and <int64_t>(stage(w.jump_keys[0], step) ^ <uint64_t>1 << 63) <= w.row.jump_most:
        move += NORMAL * t.jump_bp * (1 - 2 * below(stage(w.jump_keys[1], step), 2))
    w.row.fine = clamp(w.row.fine + mul_div_floor(w.row.fine, move, 10_000 * NORMAL, fault), t.least_fine, t.most_fine)
    return mul_div_floor(w.row.fine, 1, MILLION, fault) if w.prices[step] else 0


cdef inline Request* _blank(World* w, int type, int64_t time_ns) noexcept nogil:
    memset(&w.request, 0, sizeof(Request))
    w.request.record.type = type
    w.request.record.records = 1
    w.request.record.time_ns = time_ns
    return &w.request


cdef int _tell(Kernel kernel, World* w, int64_t step) except -1 nogil:
    """Tells the index of a step."""
    cdef int64_t ticks = _price(w, step, &kernel.s.log.fault)
    if ticks:
        _blank(w, INDEX, w.times_ns[step]).index.price_ticks = ticks
        kernel._apply(&w.request, &kernel.receipt)
    return 0


cdef inline int64_t _touch(State* s, int side) noexcept nogil:
    """Returns the best price that a side shows, 0 if it is empty."""
    cdef int32_t level = shown_best(&s.books[0], side)
    return s.books[0].levels[level].price_ticks if level >= 0 else 0


cdef bint _decide(State* s, World* w, uint32_t account, int64_t step, uint64_t bits) noexcept nogil:
    """Writes the command of a trader who has seen the touch and what he has. Returns False if he waits."""
    cdef const Terms* t = w.terms
    cdef Position* p = &s.ledger.positions[s.ledger.accounts[account].first_position]
    cdef int64_t bid = _touch(s, BUY), ask = _touch(s, SELL)
    cdef int64_t act = <int64_t>(bits & 1023), mark, most, lots, outward
    cdef int side
    cdef Request* c
    if act >= t.act:
        return False
    if p.size_lots == 0 and p.order_count == 0 and wallet_of(&s.ledger, account, 0).cash_units < t.wallet_units >> 3:
        c = _blank(w, DEPOSIT, w.times_ns[step])
        c.deposit.account = account
        c.deposit.amount_units = t.wallet_units
        return True
    if p.order_count >= LIVE_MOST or (p.order_count and t.take <= act < t.cancel):
        c = _blank(w, CANCEL, w.times_ns[step])
        c.cancel.account = account
        c.cancel.order_id = s.pool.orders[p.first_order].order_id
        return True
    mark = s.ledger.instruments[0].mark_ticks
    most = min64(t.most_lots, mul_div_floor(t.wallet_units, p.leverage.times, t.lot_units * mark, &s.log.fault))
    lots = 1 + (<int64_t>(bits >> 11 & 255) * most >> 9)
    side = <int>(bits >> 10 & 1)
    if magnitude(p.size_lots + (lots if side == BUY else -lots)) > most:
        side = SELL if p.size_lots > 0 else BUY
    outward = -1 if side == BUY else 1
    c = _blank(w, ORDER, w.times_ns[step])
    c.order.account = account
    c.order.side = side
    c.order.size_lots = lots
    if act < t.take and (ask if side == BUY else bid):
        c.order.tif = IOC
        c.order.price_ticks = max64(1, mark - outward * mul_div_floor(mark, t.slip_bp, 10_000, &s.log.fault))
    else:
        c.order.tif = GTC
        c.order.price_ticks = max64(1, mark + outward * ((mark * (<int64_t>(bits >> 19 & 255) - t.closer)) >> 17))
    return True


cdef int _trade(Kernel kernel, World* w, int64_t step) except -1 nogil:
    """Lets each trader act once, from one that is drawn on."""
    cdef Row* row = w.row
    cdef int64_t agents = w.terms.agents
    cdef int64_t at = below(stage(stage(stage(w.seed_key, TURN_PURPOSE), step), 0), agents)
    cdef uint64_t key = stage(stage(w.seed_key, CROWD_PURPOSE), step)
    cdef uint32_t account
    cdef int64_t each
    for each in range(agents):
        account = <uint32_t>(FIRST_USER + at)
        at = at + 1 if at + 1 < agents else 0
        if not _decide(&kernel.s, w, account, step, stage(key, account)):
            continue
        kernel._apply(&w.request, &kernel.receipt)
        row.orders += w.request.record.type == ORDER
        row.cancels += w.request.record.type == CANCEL
        row.deposits += w.request.record.type == DEPOSIT
        row.trades += w.request.record.type == ORDER and kernel.receipt.filled_lots > 0
        row.refusals += kernel.receipt.code != OK
    row.looks += agents
    return 0


cdef int _go(Kernel kernel, World* w, int parts, int64_t until) except -1 nogil:
    """Goes steps of a world, and counts what befell its traders."""
    cdef int64_t at = kernel.s.log.count
    cdef Event* event
    cdef int64_t step
    for step in range(w.row.step, until):
        if parts & TELL:
            _tell(kernel, w, step)
        if parts & CROWD:
            _trade(kernel, w, step)
            w.row.step = step + 1
        if kernel.s.log.fault:
            break
    while at < kernel.s.log.count:
        event = &kernel.s.log.events[at]
        w.row.liquidations += event.type == LIQUIDATION
        w.row.deleveraged += event.type == ADL
        at += event.records
    kernel._drop()
    return 0


cdef bint _seated(Kernel kernel, int64_t agents) noexcept nogil:
    """True if all traders have accounts, and rows of the first instrument."""
    cdef Ledger* l = &kernel.s.ledger
    cdef int64_t account
    if agents < 1 or FIRST_USER + agents > l.account_count or l.instrument_count == 0:
        return False
    for account in range(FIRST_USER, FIRST_USER + agents):
        if l.accounts[account].first_position < 0 or l.positions[l.accounts[account].first_position].instrument:
            return False
    return True


cdef Kernel _kernel_of(face):
    """Returns the kernel of an exchange, which nothing else may wait for."""
    found = getattr(face, "_kernel", None)
    if type(found) is not Kernel:
        raise TypeError(f"the compiled crowd trades on a compiled Exchange, not {type(face).__name__}")
    if face._keeper is not None:
        raise (<Kernel>found).input_error("a world is not kept in a journal: its seed and scenario are all there is to it")
    return <Kernel>found


cdef int _one(Kernel kernel, World* w, int parts, int64_t until) except -1:
    """Brings one world to a step, with looks for signals between."""
    cdef int64_t pace = max64(1, mul_div_floor(AT_ONCE, 1, w.terms.agents, &kernel.s.log.fault))
    kernel._enter(0)
    try:
        with nogil:
            _begin(w)
        if parts != TELL | CROWD:
            with nogil:
                _go(kernel, w, parts, until)
        while parts == TELL | CROWD and w.row.step < until and kernel.s.log.fault == 0:
            with nogil:
                _go(kernel, w, parts, min64(until, w.row.step + pace))
            PyErr_CheckSignals()
    finally:
        kernel.busy = IDLE
    if kernel.s.log.fault:
        kernel._halted()
    return 0


def advance(list faces not None, int64_t[:, ::1] rows not None, const int64_t[::1] terms not None,
            const int64_t[::1] prices not None, const int64_t[::1] times_ns not None, int parts, int64_t until):
    """Brings worlds to a step without the GIL: solvent.lab.worlds.crowd.advance, compiled.

    The exchanges have opened accounts and leverages for all traders. Raises what an exchange that is busy or halted raises, and
    what a handler of a signal raises, between two steps; the worlds before have gone all their steps then.
    """
    cdef World w
    cdef Py_ssize_t i
    cdef Kernel kernel
    if (rows.shape[0] != len(faces) or rows.shape[1] * 8 != <Py_ssize_t>sizeof(Row) or terms.shape[0] * 8 != <Py_ssize_t>sizeof(Terms)
            or until > prices.shape[0] or until > times_ns.shape[0] or len(faces) == 0):
        raise ValueError("rows, terms and steps do not fit the worlds")
    memset(&w, 0, sizeof(World))
    w.terms, w.prices, w.times_ns = <const Terms*>&terms[0], &prices[0], &times_ns[0]
    for i in range(len(faces)):
        kernel = _kernel_of(faces[i])
        w.row = <Row*>&rows[i, 0]
        if w.row.step < 0 or not _seated(kernel, w.terms.agents):
            raise ValueError("rows, terms and steps do not fit the worlds")
        _one(kernel, &w, parts, until)
