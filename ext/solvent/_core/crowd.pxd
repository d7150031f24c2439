# crowd: worlds in motion: each has an exchange, an index that moves, and traders without intelligence.
#
# Owns: nothing. A world is a kernel and a row of numbers, both of the caller's. `solvent.lab.worlds.crowd` is the same to read.
# Never: makes a Python object, or holds the GIL, while a world goes its steps. Never lets a world see another.
# Invariants: a decision is a hash of (seed, account, step), so a world among others is byte for byte the world alone.
# Cost: a look is a hash and three loads; what is sent costs what it costs. Handlers of signals run between two steps.

from libc.stdint cimport int64_t, uint64_t
from solvent._core.base.commands cimport Request
from solvent._core.kernel cimport Kernel

cdef struct Row:                   # solvent.lab.worlds.crowd.COLUMNS
    int64_t seed
    int64_t jump_most
    int64_t fine
    int64_t step
    int64_t looks
    int64_t orders
    int64_t cancels
    int64_t trades
    int64_t deposits
    int64_t refusals
    int64_t liquidations
    int64_t deleveraged

cdef struct Terms:                 # solvent.lab.worlds.crowd.Terms
    int64_t agents
    int64_t wallet_units
    int64_t lot_units
    int64_t most_lots
    int64_t drawn
    int64_t volatility_bp
    int64_t jump_bp
    int64_t least_fine
    int64_t most_fine
    int64_t act
    int64_t take
    int64_t cancel
    int64_t slip_bp
    int64_t closer

cdef struct World:                 # what a world reads and writes while it goes
    Row* row
    const Terms* terms
    const int64_t* prices          # by step
    const int64_t* times_ns
    uint64_t path_keys[12]
    uint64_t jump_keys[2]
    uint64_t seed_key
    Request request

cdef int _tell(Kernel kernel, World* w, int64_t step) except -1 nogil
cdef int _trade(Kernel kernel, World* w, int64_t step) except -1 nogil
