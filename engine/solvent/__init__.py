"""solvent: an exchange for perpetual futures that lives inside a Python process.

The face: Exchange, Book, Instrument, Tier, rule sets, events and errors. `import solvent` does not import NumPy, nor the store
before somebody asks for it.
"""

from typing import TYPE_CHECKING, Any

from solvent.api.backend import Event
from solvent.api.base import Ack
from solvent.api.book import Book
from solvent.api.exchange import Exchange
from solvent.api.past import Past
from solvent.schema.codes import (
    Busy,
    Code,
    EventsDropped,
    FeedGap,
    Fenced,
    Halted,
    HistoryGone,
    InputError,
    InvariantBroken,
    JournalClosed,
    JournalDamaged,
    JournalDiverged,
    JournalError,
    JournalFailed,
    JournalForeign,
    JournalHeld,
    JournalVersion,
    LogUnavailable,
    OutOfRange,
    Rejected,
    SolventError,
    WrongType,
    applied,
)
from solvent.schema.words import EventType
from solvent.terms.calls import Calls
from solvent.terms.collateral import Collateral
from solvent.terms.instrument import Instrument
from solvent.terms.order_limits import OrderLimits
from solvent.terms.order_words import Trigger
from solvent.terms.price_model import Funding, Index, PriceModel
from solvent.terms.rule_set import RuleSet
from solvent.terms.tiers import Rates, Tier

if TYPE_CHECKING:
    from solvent.api.base import Face
    from solvent.store.opening import open
    from solvent.store.opening import replayed as replay
    from solvent.store.recording import Recording

__all__ = [
    "Ack", "Book", "Busy", "Calls", "Code", "Collateral", "Event", "EventType", "EventsDropped", "Exchange", "FeedGap",
    "Fenced", "Funding", "Halted", "HistoryGone", "Index", "InputError", "Instrument", "InvariantBroken", "JournalClosed",
    "JournalDamaged", "JournalDiverged", "JournalError", "JournalFailed", "JournalForeign", "JournalHeld", "JournalVersion",
    "LogUnavailable", "OrderLimits", "OutOfRange", "PriceModel", "Rates", "Rejected", "RuleSet", "SolventError", "Tier",
    "Trigger", "WrongType", "applied", "open", "replay",
]  # fmt: skip
__version__ = "0.1.0"


def _recorded(face: "Face") -> "Recording":
    from solvent.store.recording import Recording

    return Recording(face)


Past._record = _recorded


def __getattr__(name: str) -> Any:
    """Imports the store when somebody opens a journal."""
    if name not in ("open", "replay"):
        raise AttributeError(f"module 'solvent' has no attribute {name!r}")
    from solvent.store import opening

    return opening.open if name == "open" else opening.replayed
