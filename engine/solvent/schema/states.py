"""The states of a market: what each admits, and what a change from one to another does.

Owns these tables: docs/reference/states.md renders them, and tests fill each cell in both kernels. Never decides anything.
"""

from solvent.schema.words import Listing

STATES: dict[str, Listing] = {
    "continuous": Listing.TRADING,
    "pre-open": Listing.PRE_OPEN,
    "auction": Listing.AUCTION,
    "post-only": Listing.ONLY_POST,
    "cancel-only": Listing.ONLY_CANCEL,
    "halted": Listing.HALTED,
    "settlement": Listing.CLOSED,
}
"""The states by the words of the face."""

CALLS = (Listing.PRE_OPEN, Listing.AUCTION)
"""States in which orders gather and nothing trades: the book may be crossed, and is uncrossed when the market leaves them."""

MATCHES = (Listing.TRADING, Listing.HALTED)
"""States in which an order that is admitted meets the book: in a halt only those of liquidations are."""

COLUMNS = (
    "new orders", "amendments", "cancels", "matching", "triggers", "mark, funding", "takeover", "step-down", "house's order",
    "ADL",
)  # fmt: skip

_CALL = (
    "limit gtc, gtd; stops", "yes", "yes", "at the uncross", "kept", "yes", "yes", "waits for a mark",
    "joins the call at its bankruptcy price", "by mark",
)  # fmt: skip
ADMITS: dict[Listing, tuple[str, ...]] = {
    Listing.TRADING: ("all", "all", "yes", "yes", "fire", "yes", "yes", "trades", "trades, rests", "by mark"),
    Listing.PRE_OPEN: _CALL,
    Listing.AUCTION: _CALL,
    Listing.ONLY_POST: (
        "post-only (may slide)", "without crossing", "yes", "no", "kept", "yes", "yes", "waits for a mark",
        "rests without crossing", "by mark",
    ),
    Listing.ONLY_CANCEL: (
        "none", "smaller only", "yes", "no", "kept", "yes", "yes", "waits for a mark", "none until the state changes",
        "by mark",
    ),
    Listing.HALTED: (
        "none", "smaller only", "yes", "of liquidations", "kept", "yes", "yes", "trades", "trades, rests", "by mark",
    ),
    Listing.CLOSED: ("none", "none", "all ended", "no", "ended", "price fixed", "none", "none", "ended", "no"),
}  # fmt: skip
"""The cells of each state, by column."""


def change(before: Listing, after: Listing) -> str:
    """Returns what a change of state does, in words; "-" where it is refused."""
    if before == Listing.CLOSED:
        return "-"
    done = ["uncross"] if before in (*CALLS, Listing.HALTED) and after not in (before, *CALLS) else []
    if before == Listing.ONLY_CANCEL and after not in (Listing.ONLY_CANCEL, Listing.CLOSED):
        done.append("offer")
    if after == Listing.TRADING:
        done.append("wake")
    if after == Listing.CLOSED:
        done.append("settle")
    return ", ".join(done) or "nothing"
