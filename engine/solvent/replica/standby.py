"""Hot standbys of a replicated log, and how one of them becomes its writer. Opening a log for writing is the same way.

Owns the exchange that a log builds, from its first message on. Never sends a command before it has claimed the log and read
everything up to its claim. Never writes to a log whose exchange is not the one that was asked for.

Invariants: a standby's exchange is a prefix of the writer's, event for event: the checksum of each block's events is compared.
Cost: a standby applies at the speed of `run`, and holds one exchange.
"""

from typing import Any

from solvent.api.client_id_seed import drawn
from solvent.api.exchange import Exchange
from solvent.replica import fence
from solvent.replica.log import Log, Reading, claim_of
from solvent.replica.past import Past
from solvent.replica.writer import Writer, require_room
from solvent.schema.codes import Fenced, InputError, JournalError, JournalForeign, JournalHeld
from solvent.store import format
from solvent.store.journal import Place
from solvent.store.keeper import Journal
from solvent.store.opening import Recovery, Wish, new_exchange, require_same
from solvent.store.recovery import COMPILED, Kinds, made, replay, said_of
from solvent.terms.order_words import flag_of, int_within

__all__ = ["Follower", "opened"]

_WAIT_MS = 1_000


class _Tail:
    """A log and the exchange that it builds; there is none before the header was read."""

    def __init__(self, log: Log, kinds: Kinds):
        self.log, self.kinds = log, kinds
        self.reading = Reading(log.name)
        self.exchange: Exchange | None = None
        self._failed: JournalError | None = None

    def follow(self, wait_ms: int) -> None:
        """Applies the messages that come next. An error of the log is raised again by every later call."""
        if self._failed is not None:
            raise self._failed
        for message in self.log.read(self.reading.place, wait_ms):
            try:
                self._apply(message)
            except JournalError as error:
                self._failed = error
                raise

    def read_header(self) -> Exchange:
        """Reads the log's beginning, up to the exchange as it was made."""
        last = self.log.last()
        while self.exchange is None and self.reading.place < last:
            for message in self.log.read(self.reading.place, _WAIT_MS):
                self._apply(message)
                if self.exchange is not None:
                    break
        return self.require()

    def _apply(self, message: fence.Message) -> None:
        block = self.reading.take(message)
        if self.exchange is None and self.reading.header is not None:
            found = made(self.reading.header.said, self.kinds)
            if not isinstance(found, Exchange):
                raise JournalForeign(f"{self.log.name} is the log of a Book")
            self.exchange = found
        if block is not None:
            replay(self.require(), block)

    def require(self) -> Exchange:
        if self.exchange is None:
            raise InputError(f"{self.log.name} is empty; solvent.open(log, instruments) begins it")
        return self.exchange

    def read_to(self, place: int) -> None:
        """Applies messages up to a place that is in the log, and perhaps some more."""
        while self.reading.place < place:
            self.follow(_WAIT_MS)

    def claim(self) -> fence.Writer:
        """Claims the log, and reads everything up to the claim."""
        owner = fence.Writer(f"{drawn(None):016x}")
        self.read_to(self.log.start(owner.settle(claim_of(owner))).result())
        return owner

    def begin(self, owner: fence.Writer, wish: Wish) -> None:
        """Stores the header of a new log, and reads it as everyone will."""
        new = new_exchange(wish, self.kinds, self.log.name)
        said = said_of(new.venue, new._kernel, new._wanted) | {"first": 1}
        header = owner.next(format.header(format.JOURNAL, said, 0)[0])
        try:
            self.read_to(self.log.start(owner.settle(header)).result())
        except fence.Overtaken as error:
            raise Fenced(0, error) from None

    def require_same(self, wish: Wish) -> None:
        """Raises JournalForeign if another exchange than this log's was asked for."""
        require_same(self.require(), wish)

    def hand_over(self, owner: fence.Writer) -> Exchange:
        """Makes the exchange that was read the claimant's, ready for commands."""
        ex, found = self.require(), self.reading
        kernel = ex._kernel
        place = Place(kernel.recorded, kernel.next_seq, len(ex.venue.instruments))
        writer = Writer(self.log, owner, found.sequence, found.chain, place)
        journal = Journal(ex, writer, Past(self.log, self.kinds), Recovery(found.sequence, found.sequence, 0, 0))
        journal.piece_records = writer.piece_records
        ex._keep_by(journal)
        return ex


class _Refusing:
    """Stands where a writer's journal would: an exchange that follows a log takes no commands."""

    def __init__(self, log: Log):
        self._log = log
        past = Past(log, COMPILED)
        self.at, self.retold = past.at, past.retold

    def __repr__(self) -> str:
        return f"following {self._log.name}"

    def apply(self, *terms: Any, **named: Any) -> Any:
        raise JournalHeld(f"this exchange follows {self._log.name}, and takes no commands; promote() makes it the writer")

    run = submit = revoke = apply

    def sync(self) -> None:
        """Does nothing: everything that was applied is in the log."""

    def close(self) -> None:
        self._log.close()


class Follower:
    """A hot standby: reads a log, applies its commands to an exchange of its own, and can become the writer.

    log: the replicated log, as solvent.replication.JetStream. exchange: answers all reads and feeds as the writer's did
    after command `sequence`; it takes no commands. A new follower is at command 0, so that feeds and cursors miss nothing.
    retain: as for Exchange.

    One thread at a time, as for an exchange. Raises InputError if the log is empty: solvent.open(log, instruments) begins it.
    """

    def __init__(self, log: Log, *, retain: bool = False):
        self._log, self._tail = log, _Tail(log, COMPILED)
        self.exchange = self._tail.read_header()
        self.exchange._hold_events(flag_of(retain, "retain"))
        self.exchange._keep_by(_Refusing(log))

    @property
    def sequence(self) -> int:
        """Returns the number of the last command that was applied."""
        return self._tail.reading.sequence

    def behind(self) -> int:
        """Returns how many messages of the log were not applied yet."""
        return max(0, self._log.last() - self._tail.reading.place)

    def follow(self, wait_ms: int = _WAIT_MS) -> int:
        """Applies what has come, and returns how many commands that was. Waits at most wait_ms if nothing has.

        Raises JournalDiverged if commands give other events here, JournalDamaged if a message does not follow: both for good.
        Raises LogUnavailable if the log was silent for too long; a later call goes on.
        """
        before = self.sequence
        self._tail.follow(int_within(wait_ms, "wait_ms", 0, 2**31))
        return self.sequence - before

    def promote(self) -> Exchange:
        """Claims the log, applies everything up to the claim, and returns the exchange, which takes commands from now on.

        Another writer that still lives is fenced off: its next command raises Fenced. The follower is used up.
        """
        require_room(self._log)
        return self._tail.hand_over(self._tail.claim())

    def close(self) -> None:
        """Closes the log."""
        self._log.close()

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def opened(log: Log, wish: Wish, kinds: Kinds) -> Exchange:
    """Opens a log for writing: begins it, or reads it and takes it over. Nothing is written to a log of another exchange."""
    require_room(log)
    tail = _Tail(log, kinds)
    tail.read_to(log.last())
    if tail.exchange is None and wish.venue is None:
        raise InputError(f"{log.name} is empty; give instruments to begin it")
    if tail.exchange is not None:
        tail.require_same(wish)
    owner = tail.claim()
    if tail.exchange is None:
        tail.begin(owner, wish)
    tail.require_same(wish)  # another may have begun the log meanwhile
    tail.require()._hold_events(wish.retain)
    return tail.hand_over(owner)
