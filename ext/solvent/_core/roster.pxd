# roster: accounts and instruments by name, and the rule set. The kernel extends it with the commands.
#
# Owns: the names, the configuration bytes, and the entry of an instrument. It is decoded before the exchange is entered, built
# beside the others before the command begins, and counted by the command itself.
# Never: runs Python code within a command, so that no signal handler can cut one in two. Python's memory for names is taken
# before the command's first write.
# Invariant: an offered instrument that is refused leaves nothing behind.
# Cost: O(1) an account and an instrument, whatever their number.

from libc.stdint cimport int64_t, uint32_t
from solvent._core.contract.valuation cimport Instrument
from solvent._core.reader cimport Reader
from solvent._core.trade.state cimport Receipt
from solvent._core.base.commands cimport Request

cdef struct Offer:                 # the part of an ADD_INSTRUMENT that the state must check
    bint formed                    # the records are an instrument; False outside an ADD_INSTRUMENT
    bint exists                    # its name is taken
    bint made                      # it is built behind the last instrument, and not counted yet
    bint adds_up
    bint nets
    uint32_t currency
    int64_t expiry_ns
    char name[64]

cdef class Roster(Reader):
    cdef dict instruments          # number by name
    cdef list decimals             # of the currencies
    cdef object from_records       # decodes and checks an ADD_INSTRUMENT (solvent.terms.spec)
    cdef Offer offer

    cdef int _enter_instrument(self, spec) except -1
    cdef int _enter_rules(self, rules) except -1
    cdef int _build(self, spec, int64_t clock_ns) except -1
    cdef int _fill(self, spec, int64_t clock_ns) except -1
    cdef int _fill_limits(self, Instrument* ins, terms) except -1
    cdef void _count(self) noexcept nogil
    cdef void _discard(self) noexcept nogil
    cdef tuple _decoded(self, const Request* c)
    cdef bytes _make_offer(self, const Request* c, tuple decoded)
    cdef int _end_offer(self, tuple decoded, bytes config, bint taken) except -1
    cdef bint _fits(self) noexcept nogil
    cdef int _add_instrument(self, Receipt* receipt) noexcept nogil
    cdef int _open_account(self, const Request* c, Receipt* receipt) except -1 with gil
    cdef int _opened(self, const Request* c, Receipt* receipt) except -1
