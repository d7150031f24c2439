# case: what a step of the liquidation pipeline is told, and what it says.
#
# Owns: the form of a case, the numbers of the steps, and what a step may say. A step is a function (state, case) -> outcome.
# Never: decides.
# Invariant: a case concerns one domain, one parcel or one wallet for all its life.

from libc.stdint cimport int32_t, uint8_t, uint32_t
from solvent._core.account.margin cimport Requirement
from solvent._core.trade.state cimport State

cdef enum:                     # the steps of a rule set's table (Step)
    # rendered: steps
    VERDICT = 1
    CLEAR = 2
    NET = 3
    STEP_DOWN = 4
    TAKE_OVER = 5
    UNWIND = 6
    DELEVERAGE = 7
    RESIDUAL = 8
    # rendered: end

cdef enum:                     # what a case concerns
    DOMAIN = 0                 # a margin domain below R_own
    HELD_PARCEL = 1            # one position of the house
    BARE_WALLET = 2            # one balance that no position stands for

cdef enum:                     # what a step says
    GO_ON = 0                  # the next step goes on
    AGAIN = 1                  # what counted has changed: from the first step
    OVER = 2                   # nothing more is done in this case

cdef struct Case:
    uint8_t concern
    uint8_t leg
    uint8_t verdict
    bint fresh                 # the parcel was taken just now
    bint converted             # collateral was, so that the account is looked at again
    uint32_t account
    uint32_t instrument        # NO_INSTRUMENT: the cross domain
    uint32_t currency
    int32_t position           # of an isolated domain; -1: the cross domain
    int32_t candidate          # the position to step down; -1: none
    int32_t parcel             # its index
    Requirement requirement    # of the domain, as last read

ctypedef int (*Step)(State* s, Case* c) noexcept nogil
