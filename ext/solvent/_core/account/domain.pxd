# domain: a cross margin domain, read once, and kept up by its owner's fills.
#
# Owns: the known slack of a domain between commands: profit less R_own of its cross positions (Wallet.slack_units).
# Never: knows more than sums of plain contracts; where anything else counts, callers read the rows (margin).
# Invariants: a known slack is exact. A change of a position forgets it (domain_forget, with every POSITION event), and so does
# a change of a price or an accrual (Ledger.moves). A trial of rows puts it aside. audit compares it with the rows.
# Cost: O(1) for a known slack, else one walk over the account's positions.

from libc.stdint cimport int32_t, uint32_t
from solvent._core.account.ledger cimport Effect, Ledger, Position, wallet_of
from solvent._core.account.margin cimport Rules
from solvent._core.base.money cimport int128

cdef bint domain_slack(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency, int128* slack) noexcept nogil
cdef bint cross_holds(Ledger* ledger, Rules* rules, uint32_t account, uint32_t currency) noexcept nogil
cdef bint domain_holds(Ledger* ledger, Rules* rules, Position* p, Effect* e) noexcept nogil


cdef inline void domain_filled(Ledger* ledger, int32_t index, Effect* e) noexcept nogil:
    """Keeps the slack that domain_holds computed, once the fill is posted."""
    cdef Position* p = &ledger.positions[index]
    if e.known:
        wallet_of(ledger, p.account, ledger.instruments[p.instrument].currency).slack_units = e.slack_units
        wallet_of(ledger, p.account, ledger.instruments[p.instrument].currency).known_at = ledger.moves
