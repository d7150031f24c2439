"""`solvent verify`, `solvent replay`, `solvent inspect`: a journal in a directory, judged, played and read; never written.

Owns what these commands print. The exit code is 0 for a sound journal, 3 for a damaged one or one that gives other events, 2
for wrong arguments, 1 for anything else (docs/reference/journal.md).
"""

import argparse
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from solvent.schema.codes import InputError, JournalDiverged
from solvent.terms.decimals import plain

if TYPE_CHECKING:
    from solvent.store.archive import Archive

__all__ = ["COMMANDS", "add"]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands to a command line."""
    verify = commands.add_parser(
        "verify", help="check a journal: every checksum, every event, every digest",
        description="Reads a journal from its earliest moment, replays it, and compares the events of each block and the "
        "digest of each snapshot with what was written. Exit code 3: it is damaged.",
    )  # fmt: skip
    replay = commands.add_parser(
        "replay", help="show an exchange as it was after a command",
        description="Replays a journal up to a command and shows the exchange there.",
    )  # fmt: skip
    replay.add_argument(
        "--to", type=int, metavar="SEQ", help="the number of the last command (default: the last one there is)"
    )
    inspect = commands.add_parser(
        "inspect", help="list the commands of a journal with their answers",
        description="Lists what a journal is of, and its commands in names and decimals, each with its answer.",
    )  # fmt: skip
    inspect.add_argument("--from", type=int, default=1, dest="begin", metavar="SEQ", help="the first command (default 1)")
    inspect.add_argument("--count", type=int, default=20, help="how many commands (default 20)")
    inspect.add_argument("--events", action="store_true", help="with all events of each command")
    for each in (verify, replay, inspect):
        each.add_argument("path", metavar="PATH", help="the directory of a journal, or of a saved recording")


def _archive(path: str) -> "Archive":
    from solvent.store.archive import Archive
    from solvent.store.files import Folder

    return Archive(Folder(path))


def verify(args: argparse.Namespace) -> int:
    """Reads and replays everything. Raises JournalDamaged or JournalDiverged at the first byte or command that is wrong."""
    from solvent.store import recovery
    from solvent.store.files import Folder

    disk, archive = Folder(args.path), _archive(args.path)
    face = archive.base()
    taken = {each for each in recovery.beginnings(disk, recovery.COMPILED) if each}
    for block in archive.after(archive.first):
        recovery.replay(face, block)
        if block.last in taken:
            at = recovery.restored(disk, block.last, recovery.COMPILED)
            if at.digest() != face.digest():
                raise JournalDiverged(block.last, "the state is another one")
    print(f"sound: commands {archive.first + 1:,} to {archive.last:,}, {len(taken)} snapshots, digest {face.digest():016x}")
    print(f"certainly on the disk: up to command {recovery.marked(disk)[0]:,}")
    if archive.reading.cut_bytes:
        print(f"a torn end of {archive.reading.cut_bytes:,} bytes, which opening the journal cuts off")
    return 0


def replay(args: argparse.Namespace) -> int:
    """Shows the exchange at a moment."""
    from solvent.store.replay import Replay

    played = Replay(_archive(args.path))
    face = played.seek(played.last if args.to is None else args.to)
    print(f"after command {played.sequence:,} of {played.last:,}: time_ns {face.time_ns}, digest {face.digest():016x}")
    for line in _state(face):
        print(line)
    return 0


def _state(face: Any) -> Iterator[str]:
    if not hasattr(face, "instruments"):
        bid, bid_lots, ask, ask_lots = face.best()
        yield f"bid {bid_lots} at {bid} ticks, ask {ask_lots} at {ask} ticks"
        return
    for each in face.instruments:
        depth, price = face.depth(each.name, 1), face.prices(each.name)
        best = {"bid": depth.bids, "ask": depth.asks}
        sides = [f"{side} {plain(size)} at {plain(at)}" for side, levels in best.items() for at, size in levels]
        mark = "none" if price.mark is None else plain(price.mark)
        yield f"{each.name}: mark {mark}, {', '.join(sides) or 'no orders'}"
    for name in face.currencies:
        yield f"{name}: insurance fund {plain(face.fund(name))}"
    yield f"accounts: {face._kernel.account_count - 16:,}, open positions: {len(face.positions_array()):,}"


def inspect(args: argparse.Namespace) -> int:
    """Lists commands with their answers."""
    from solvent.store.recovery import commands_of
    from solvent.store.replay import Replay, part

    archive = _archive(args.path)
    begin = max(args.begin, archive.first + 1)
    if args.begin < 1 or args.count < 0 or begin > archive.last + 1:
        raise InputError(f"--from {args.begin}: there are commands {archive.first + 1} to {archive.last}")
    for line in _made_of(archive.header.said):
        print(line)
    last = min(archive.last, begin + args.count - 1)
    played = Replay(archive)
    played.seek(begin - 1)
    for block in archive.after(begin - 1):
        low, high = max(begin, block.first), min(last, block.last)
        for number, record in zip(range(low, high + 1), commands_of(part(block, low, high)), strict=True):
            events = played.exchange.cursor()
            played.forward()
            for line in _told(played.exchange, number, bytes(record), list(events), args.events):
                print(line)
        if high >= last:
            break
    return 0


def _made_of(said: dict[str, Any]) -> Iterator[str]:
    if said["kind"] == "book":
        yield f"a Book up to {said['max_price_ticks']} ticks and {said['max_size_lots']} lots"
        return
    names = ", ".join(each["name"] for each in said["instruments"])
    money = ", ".join(f"{name} ({decimals} decimals)" for name, decimals in said["currencies"])
    yield f"an exchange of {names}; rules {said['rules']['name']}; {money}"


def _told(face: Any, number: int, record: bytes, events: list[Any], all_events: bool) -> Iterator[str]:
    from solvent.api.describe import command_described
    from solvent.schema.codes import Code
    from solvent.schema.layouts import COMMAND, COMMAND_FIELDS

    answer = next((Code(event.code).name for event in events if event.type.name == "BEGIN"), "?")
    if hasattr(face, "instruments"):
        told = command_described(face, record)
    else:
        told = {name: value for name, value in zip(COMMAND_FIELDS, COMMAND.unpack(record[:64]), strict=True) if value}
    yield f"{number:>10}  {_words(told)}  -> {answer}"
    for event in islice(events, 1, None) if all_events else ():
        yield " " * 14 + (_words(face.describe(event)) if hasattr(face, "instruments") else repr(event))


def _words(told: dict[str, Any]) -> str:
    """Returns a description in one line: the type, then names and values."""
    rest = [f"{name} {plain(value) if isinstance(value, Decimal) else value}" for name, value in told.items()
            if name not in ("type", "seq") and value is not None]  # fmt: skip
    return " ".join([str(told["type"]), *rest])


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"verify": verify, "replay": replay, "inspect": inspect}
