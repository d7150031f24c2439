# pegs: the pass over pegged orders, once the books are at rest.
#
# Owns: when pegged orders get another price, and in which order: the oldest first, each once a pass.
# Never: decides the price (shapes does) or whether it is allowed (placement does).
# Invariants: a pegged order never takes. One whose price stays keeps its place; another goes to the back of its new price.
# Cost: five prices of each instrument that has pegged orders, after each command and each fired order. A pass looks at each of its
# pegged orders once, and costs an amendment for each that moves. There is none where nothing has moved that a price follows from.

from solvent._core.trade.state cimport State

cdef bint pass_over_pegs(State* s) noexcept nogil
