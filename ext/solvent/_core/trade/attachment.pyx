"""Attached pairs; the contract is in attachment.pxd, the readable twin in twin/trade/attachment.py."""

from libc.stdint cimport int32_t, uint8_t, uint16_t
from libc.string cimport memset
from solvent._core.account.ledger cimport Position, position_find
from solvent._core.base.clauses cimport ORD_8, must
from solvent._core.base.schema cimport (
    ALLOW, AS_FILLED, BAD_BRACKET, BAD_RECORD, BAD_SELF_TRADE, BAD_SIDE, BAD_SIZE, BAD_TAG, BUY, FOLLOWS, LONG,
    NOT_IN_THIS_STATE, NOT_TRADING, OK, ONLY_POST, REDUCE_ONLY_WOULD_OPEN, SELL, SHORT, TOO_MANY_MESSAGES,
    TOO_MANY_OPEN_ORDERS, TOO_MANY_ORDERS, TRADING,
)
from solvent._core.contract.order_limits cimport limits_count, limits_full, limits_room
from solvent._core.contract.valuation cimport Instrument, in_call
from solvent._core.market.brackets cimport brackets_mark, brackets_take
from solvent._core.market.order_pool cimport ExtendedTerms
from solvent._core.trade.lifecycle cimport closing_lots, ticket_at
from solvent._core.trade.linked cimport bring, check_bracket, count_of, has_memory, has_place
from solvent._core.trade.placement cimport allows_live, check_leg, check_names
from solvent._core.trade.state cimport MEETS, Ticket


cdef enum:
    # rendered: limits
    TAGS_MAX = 65535
    # rendered: end


cdef int _check_form(State* s, const AttachPair* c, const BracketTerms* h, int32_t* row) noexcept nogil:
    """Checks the fields, and finds the position, -1: none."""
    cdef Instrument* ins
    cdef int code = check_names(s, c.account, c.instrument)
    if code != OK:
        return code
    ins = &s.ledger.instruments[c.instrument]
    if c.side > SELL:
        return BAD_SIDE
    if c.size_lots < 0 or c.size_lots > ins.max_size_lots:
        return BAD_SIZE
    if c.stp_mode > ALLOW or c.stp_group < 0:
        return BAD_SELF_TRADE
    if c.tag > TAGS_MAX:
        return BAD_TAG
    code = check_leg(s, c.account, c.instrument, c.leg)
    if code != OK:
        return code
    row[0] = position_find(&s.ledger, c.account, c.instrument, c.leg)
    if h.arm != AS_FILLED or c.leg == (LONG if c.side == BUY else SHORT):
        return BAD_BRACKET
    return check_bracket(s, ins, c.side, h)


cdef int _check_position(State* s, Ticket* t, const BracketTerms* h) noexcept nogil:
    """Checks that there is something to close now, and room for the children."""
    cdef Position* p = &s.ledger.positions[t.holder] if t.holder >= 0 else NULL
    if t.ins.listing == ONLY_POST:
        return NOT_IN_THIS_STATE
    if t.ins.listing != TRADING and not in_call(t.ins):
        return NOT_TRADING
    if p == NULL or closing_lots(p, t.side) == 0:
        return REDUCE_ONLY_WOULD_OPEN
    if not (has_place(p, h) and has_memory(s, t, h, 2)):
        return TOO_MANY_ORDERS
    if t.ins.limits == NULL:
        return OK
    if not allows_live(s, t, count_of(h) - 1):
        return TOO_MANY_OPEN_ORDERS
    if not limits_room(t.ins.limits, t.account):
        return TOO_MANY_ORDERS
    if limits_full(t.ins.limits, t.account, s.clock_ns, &s.log.fault):
        return TOO_MANY_MESSAGES
    limits_count(t.ins.limits, t.account, s.clock_ns, &s.log.fault)
    must(p.account == t.account and p.instrument == t.instrument, ORD_8, &s.log.fault)
    return OK


cdef int attach(State* s, const AttachPair* c, const BracketTerms* h, Receipt* receipt) noexcept nogil:
    """Executes ATTACH. The children wait for the end of the command, then they are sized and may trade."""
    cdef ExtendedTerms terms
    cdef Ticket t
    cdef int32_t place
    cdef int code = BAD_RECORD if h == NULL else _check_form(s, c, h, &place)
    if code != OK:
        return code
    memset(&terms, 0, sizeof(ExtendedTerms))
    memset(&t, 0, sizeof(Ticket))
    terms.leg = c.leg
    terms.tag = <uint16_t>c.tag
    ticket_at(s, &t, c.instrument)
    t.holder = place
    t.account = c.account
    t.side = c.side
    t.way = MEETS
    t.stp_mode = <uint8_t>c.stp_mode
    t.stp_group = c.stp_group
    t.terms = &terms
    code = _check_position(s, &t, h)
    if code != OK:
        return code
    place = brackets_take(&s.brackets)
    s.brackets.items[place - 1].arm = AS_FILLED if c.size_lots else FOLLOWS
    s.brackets.items[place - 1].filled_lots = c.size_lots
    receipt.order_id = bring(s, &t, h, place)
    brackets_mark(&s.brackets, place)
    must(receipt.order_id != 0 and s.brackets.items[place - 1].marked, ORD_8, &s.log.fault)
    return OK
