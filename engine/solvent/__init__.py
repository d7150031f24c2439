"""solvent: an exchange for perpetual futures that lives inside a Python process.

The face: Exchange, Book, Instrument, Tier, rule sets, events and errors. `import solvent` does not import NumPy.
"""

from solvent.book import Book
from solvent.codes import (
    Busy,
    Code,
    EventsDropped,
    FeedGap,
    Halted,
    InputError,
    InvariantBroken,
    OutOfRange,
    Rejected,
    SolventError,
    WrongType,
    applied,
)
from solvent.collateral import Collateral
from solvent.exchange import Exchange
from solvent.face import Ack
from solvent.instrument import Instrument
from solvent.orders import Trigger
from solvent.prices import Funding, Index, PriceModel
from solvent.records import Event, EventType
from solvent.rules import RuleSet
from solvent.tiers import Rates, Tier

__all__ = [
    "Ack", "Book", "Busy", "Code", "Collateral", "Event", "EventType", "EventsDropped", "Exchange", "FeedGap", "Funding",
    "Halted", "Index", "InputError", "Instrument", "InvariantBroken", "OutOfRange", "PriceModel", "Rates", "Rejected",
    "RuleSet", "SolventError", "Tier", "Trigger", "WrongType", "applied",
]  # fmt: skip
__version__ = "0.1.0"
