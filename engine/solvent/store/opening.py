"""solvent.open: an exchange whose commands are in a journal before they are acknowledged.

Owns the arguments, the making of a new journal, and the first writes after a recovery. `recovery` reads; `keeper` goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from solvent.api.base import Face
from solvent.api.exchange import Exchange
from solvent.api.venue import Venue
from solvent.schema.codes import InputError, JournalDamaged, JournalForeign, JournalHeld
from solvent.schema.words import EventType
from solvent.store import description
from solvent.store.archive import Archive
from solvent.store.files import Disk, Folder
from solvent.store.housekeeping import Housekeeping, Limits
from solvent.store.journal import (
    ASIDE,
    End,
    Place,
    Policy,
    Segment,
    Writer,
    begin_segment,
    put,
    put_mark,
    segment_name,
    segments,
)
from solvent.store.keeper import Journal
from solvent.store.recovery import (
    COMPILED,
    Kinds,
    Reading,
    beginnings,
    made,
    read,
    replay,
    require_ours,
    restored,
    said_of,
)
from solvent.store.replay import Replay
from solvent.terms.collateral import Collateral
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import flag_of
from solvent.terms.rule_set import RuleSet

__all__ = ["Recovery", "open", "replayed"]


@dataclass(frozen=True, slots=True)
class Recovery:
    """Tells what opening a journal found.

    sequence: the last command; 0 in a new journal. replayed: commands that were applied again. snapshot: the command after
    which the snapshot was taken that it began with; 0: none. cut_bytes: the length of the torn end that was cut off, which
    held nothing that was acknowledged under the policy "every".
    """

    sequence: int
    replayed: int
    snapshot: int
    cut_bytes: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Holds what the caller of `open` asked of the exchange itself; None leaves it to the journal."""

    venue: Venue | None
    log: tuple[EventType, ...] | None
    seed: int | None
    retain: bool


@runtime_checkable
class Elsewhere(Protocol):
    """Keeps commands elsewhere than in a directory."""

    def open_exchange(self, wish: Wish, kinds: Kinds) -> Exchange:
        """Returns the exchange that was wished for, with all commands that are kept, ready for more."""


def open(  # noqa: PLR0913 (what an exchange is made of, and how it is kept)
    path: "str | Path | Elsewhere", instruments: Iterable[Instrument] | None = None, *, rules: str | RuleSet = "seed",
    retain: bool = False, log: Iterable[EventType] | None = None, collateral: Iterable[Collateral] = (),
    currencies: Mapping[str, int] | None = None, seed: int | None = None, sync: str = "every", interval_ms: int = 10,
    segment_bytes: int = 2**28, snapshot_every: int = 0, keep: int = 0, strict: bool = False, kinds: Kinds = COMPILED,
) -> Exchange:  # fmt: skip
    """Opens an exchange whose commands are in a journal before they are acknowledged. Begins a new one, or recovers it.

    path: a directory of its own, or a replicated log (docs/howto/replicate.md), which the caller then takes over. instruments,
    rules, collateral, currencies, log, seed: as for Exchange, for a new journal. To reopen one they are left out; instruments
    that are given must be the journal's. retain, strict: as for Exchange, from now on.

    sync: "every" syncs before each answer, a batch once: what was acknowledged survives a loss of power. "interval" writes
    before each answer and syncs interval_ms later: a loss of power costs at most what came in that time, the death of the
    process nothing. "none" leaves the syncing to the system (docs/reference/journal.md).

    segment_bytes: the length from which a new file begins, with a snapshot before it. snapshot_every: the same after so many
    commands; 0: by length alone. keep: the number of files with commands that stay; 0: all. Older moments are gone then.
    kinds: the implementation; solvent.reference.open sets it.

    Raises JournalHeld, JournalForeign, JournalVersion, JournalDamaged, JournalDiverged; then nothing was written. A write or a
    sync that fails halts the exchange for good: JournalFailed names the last durable command.

    >>> import tempfile, solvent
    >>> folder = tempfile.TemporaryDirectory()
    >>> with solvent.open(folder.name, [solvent.Instrument("BTC-USDT-SWAP")]) as ex:
    ...     ex.deposit("alice", "USDT", 1_000)
    >>> with solvent.open(folder.name) as ex:
    ...     ex.account("alice").cash, ex.journal.recovery.replayed
    (Decimal('1000'), 2)
    >>> folder.cleanup()
    """
    venue = None if instruments is None else Venue(instruments, rules, collateral, currencies)
    wish = Wish(venue, None if log is None else tuple(log), seed, flag_of(retain, "retain"))
    raises = flag_of(strict, "strict")
    if isinstance(path, Elsewhere):
        if (sync, interval_ms) != Policy() or (segment_bytes, snapshot_every, keep) != Limits():
            raise InputError("a replicated log is synced and kept as its servers are told to; leave these arguments out")
        ex = path.open_exchange(wish, kinds)
    else:
        policy, limits = Policy(sync, interval_ms).check(), Limits(segment_bytes, snapshot_every, keep).check()
        ex = opened(Folder(path), wish, policy, limits, kinds)
    if raises:
        ex._be_strict()
    return ex


def replayed(path: str | Path, kinds: Kinds = COMPILED) -> Replay:
    """Opens a journal or a saved recording to look at any moment of it; it stays as it is. Somebody else may be writing to it.

    Raises JournalForeign, JournalVersion, JournalDamaged.

    >>> import tempfile, solvent
    >>> folder = tempfile.TemporaryDirectory()
    >>> with solvent.open(folder.name, [solvent.Instrument("BTC-USDT-SWAP")]) as ex:
    ...     ex.deposit("alice", "USDT", 1_000)
    ...     ex.withdraw("alice", "USDT", 400)
    >>> replay = solvent.replay(folder.name)
    >>> [replay.seek(moment).account("alice").cash for moment in (3, 2)]
    [Decimal('600'), Decimal('1000')]
    >>> folder.cleanup()
    """
    return Replay(Archive(Folder(path), kinds))


def opened(disk: Disk, wish: Wish, policy: Policy, limits: Limits, kinds: Kinds) -> Exchange:
    """Opens a journal on a disk, on kernels of a kind."""
    if not segments(require_ours(disk)):
        if wish.venue is None:
            raise InputError(f"{disk.name} has no journal; give instruments to begin one")
        disk.make()
    if not disk.lock():
        raise JournalHeld(f"{disk.name} is open already, in this process or in another one; close it there first")
    try:
        ex, end, found = _recover(disk, wish, kinds) if segments(require_ours(disk)) else _begin(disk, wish, kinds)
        kernel = ex._kernel
        ex._hold_events(wish.retain)
        writer = Writer(disk, policy, end, Place(kernel.recorded, kernel.next_seq, len(ex.venue.instruments)))
        keeper = Housekeeping(disk, kernel, ex.venue, ex._wanted, limits, kinds)
        ex._keep_by(Journal(ex, writer, keeper, found))
    except BaseException:
        disk.unlock()
        raise
    return ex


def new_exchange(wish: Wish, kinds: Kinds, name: str) -> Exchange:
    """Makes the exchange that a new journal begins with."""
    venue = wish.venue
    if venue is None:
        raise InputError(f"{name} has no journal; give instruments to begin one")
    return kinds.exchange(
        venue.instruments, rules=venue.rules, collateral=venue.collateral,
        currencies=dict(zip(venue.currency_names, venue.decimals, strict=True)), log=wish.log, seed=wish.seed, retain=False,
    )  # fmt: skip


def _begin(disk: Disk, wish: Wish, kinds: Kinds) -> tuple[Exchange, End, Recovery]:
    """Makes a new journal: its mark, then its first segment. Before that is there, there is no journal."""
    ex = new_exchange(wish, kinds, disk.name)
    put_mark(disk, 0, 0)
    _, size, chain = begin_segment(disk, said_of(ex.venue, ex._kernel, ex._wanted), 1, 0)
    return ex, End(1, size, chain, 0), Recovery(0, 0, 0, 0)


def _recover(disk: Disk, wish: Wish, kinds: Kinds) -> tuple[Exchange, End, Recovery]:
    """Reads and replays everything, and only then writes: cuts a torn end, and makes sure of what is not certainly there."""
    ex, begin, chain = _base(disk, kinds)
    if not isinstance(ex, Exchange):
        raise JournalForeign(f"{disk.name} is a recording of a Book; solvent.replay reads it")
    require_same(ex, wish)
    found = Reading()
    read(disk, begin + 1, chain, lambda block: replay(ex, block), found)
    end = End(found.first, found.bytes, found.chain, found.sequence)
    _secure(disk, found)
    return ex, end, Recovery(found.sequence, found.sequence - begin, begin, found.cut_bytes)


def _base(disk: Disk, kinds: Kinds) -> tuple[Face, int, int]:
    """Returns the newest state from which the commands lead on: the exchange, the last command before, and the chain there.

    A snapshot that is damaged is passed over for an older one. Raises JournalDamaged if none is left.
    """
    told = JournalDamaged(segment_name(segments(disk.names())[0]), 0, "no snapshot before these commands can be read")
    for sequence in reversed(beginnings(disk, kinds)):
        header = Segment(disk, sequence + 1).header
        if not sequence:
            return made(header.said, kinds), 0, 0
        try:
            return restored(disk, sequence, kinds), sequence, header.previous
        except JournalDamaged as error:
            told = error
    raise told


def require_same(ex: Exchange, wish: Wish) -> None:
    """Raises JournalForeign if the caller asked for another exchange than the journal's."""
    if wish.venue is not None:
        description.difference(ex.venue, wish.venue)
    if wish.log is not None and sum(1 << each for each in set(wish.log)) != ex._wanted:
        raise JournalForeign("the journal's exchange writes other event types; leave log out to reopen it")
    if wish.seed is not None and wish.seed != ex.seed:
        raise JournalForeign("the journal's exchange has another seed; leave seed out to reopen it")


def _secure(disk: Disk, found: Reading) -> None:
    """Cuts the torn end, and makes sure that all that was recovered is on the disk before the exchange goes on.

    After a failed sync the system may take pages for written that are not. So a segment of which the mark does not vouch for
    everything is written anew, aside, and takes the place of the old one: no byte that is on the disk is ever written over.
    """
    name = segment_name(found.first)
    data = disk.read(name)
    if len(data) > found.bytes or found.sure_bytes < found.bytes:
        put(disk, name, [data[: found.bytes]])
    put_mark(disk, found.sequence, found.block_chain)
    left = [each for each in disk.names() if each.endswith(ASIDE)]
    for each in left:
        disk.remove(each)
    if left:
        disk.sync()
