"""The money certificate of a journal: replays it, and writes every posting with the journal's own digests between them.

Owns the way from a journal to the lines (`witness/certificate`). Never writes to the journal. A journal that does not lead to
the events that it tells of is refused while it is replayed. Cost: the replay, and a line for each posting; memory for one
block.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from solvent.api.base import Face
from solvent.api.exchange import Exchange
from solvent.api.names import name_of
from solvent.schema.codes import EventsDropped, InputError, JournalForeign
from solvent.schema.events import Event
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import EventType
from solvent.store import format
from solvent.store.recovery import replay
from solvent.witness.certificate import Certificate, purses_of

__all__ = ["Certified", "certify", "retold"]


class Source(Protocol):
    """Names what a certificate needs of a journal: the exchange at its beginning, and its blocks."""

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    def base(self) -> Face: ...
    def blocks(self) -> Iterator[format.Block]: ...


def exchange_of(source: Source) -> Exchange:
    """Returns the exchange at the beginning of a journal. Raises EventsDropped if that is not the first command."""
    if source.first:
        raise EventsDropped(f"the journal begins after command {source.first}; the first commands are no longer kept")
    ex = source.base()
    if not isinstance(ex, Exchange):
        raise JournalForeign("this is a recording of a Book, which has no money")
    return ex


def retold(source: Source) -> Exchange:
    """Returns the exchange that a journal leads to, with all its events."""
    ex = exchange_of(source)
    ex._hold_events(True)
    for block in source.blocks():
        replay(ex, block)
    return ex


class Certified:
    """Tells what a certificate holds: its postings, and the hash of its last line, which stands for all of it."""

    __slots__ = ("postings", "last")

    def __init__(self, postings: int, last: str):
        self.postings = postings
        self.last = last

    def __repr__(self) -> str:
        return f"Certified(postings={self.postings}, last={self.last})"


def certify(source: Source, write: Callable[[bytes], object]) -> Certified:
    """Writes the lines of a certificate in turn, and returns what it holds. Blocks without a posting are left out.

    Raises JournalDiverged where the commands lead to other events than the journal tells, InputError if LEDGER is not written.
    """
    ex = exchange_of(source)
    if not ex.writes(EventType.LEDGER) or not ex.writes(EventType.BEGIN):
        raise InputError("a certificate needs events that the journal's exchange does not write; add LEDGER and BEGIN to log")
    made, ended = Certificate(), None
    begin = next(iter(source.blocks()), None)
    write(made.begin(dict(zip(ex.venue.currency_names, ex.venue.decimals, strict=True)), begin.previous if begin else 0))
    cursor = ex.cursor(EventType.BEGIN, EventType.LEDGER)
    for block in source.blocks():
        replay(ex, block)
        time_ns, posted = 0, made.postings
        for e in cursor:
            if e.type == EventType.BEGIN:
                time_ns = e.time_ns
            else:
                write(_posted(ex, made, e, time_ns))
        ended = block
        if made.postings > posted:
            write(made.block(block.last, block.events, block.chain))
            ended = None
    if ended:  # the last block is told even if it moved nothing
        write(made.block(ended.last, ended.events, ended.chain))
    for line in made.finish(source.last):
        write(line)
    return Certified(made.postings, made.last)


def _posted(ex: Exchange, made: Certificate, e: Event, time_ns: int) -> bytes:
    names = name_of(ex._kernel, e.payer), name_of(ex._kernel, e.receiver)
    instrument = "" if e.instrument == NO_INSTRUMENT else ex.instruments[e.instrument].name
    return made.post(e, time_ns, ex.venue.currency_names[e.currency], purses_of(e, names, instrument))
