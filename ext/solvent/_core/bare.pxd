# bare: order entry of a Book alone. Accounts are numbers that the caller makes up; nothing is reserved or owned.
#
# Owns: the checks of an order without money. The way through the book is trading's, the same as an exchange's.
# Never: touches the ledger.
# Cost: as entry, without margin.

from solvent._core.entry cimport Receipt
from solvent._core.records cimport Command
from solvent._core.trading cimport State

cdef int bare_command(State* s, const Command* c, Receipt* receipt) noexcept nogil
