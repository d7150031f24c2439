"""Notes: what clients said of their orders that the exchange need not know, kept beside its journal.

Owns one file, `<journal>.asked`: a line of JSON for each command that brought orders. A line is written before its command, so
a journal that is opened again finds them all; lines for commands that never came are cut off. Never decides anything: without
the file everything goes on, and clients see an order's own kind instead of their word. Cost: a line an order, not synced.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from solvent.gateway.records import Asked

__all__ = ["Note", "Notes"]

Note = tuple[int, int, list[Asked]]
"""The number of a command, an account, and what each of its orders was asked for."""


class Notes:
    """Keeps notes in a file. count: how many commands the exchange has; notes for later ones are cut off."""

    def __init__(self, path: Path, count: int):
        self._path = path
        kept = 0
        for size, note in self._lines():
            if note is None or note[0] > count:
                break
            kept = size
        self._file = path.open("ab", buffering=0)
        self._file.truncate(kept)

    @classmethod
    def beside(cls, journal: object, count: int) -> "Notes | None":
        """Returns the notes of a journal; None for one that is not in a directory."""
        path = getattr(journal, "path", None)
        return cls(Path(f"{path}.asked"), count) if path is not None and Path(path).is_dir() else None

    def _lines(self) -> Iterator[tuple[int, Note | None]]:
        """Yields each line, None for one that is no note, and where it ends."""
        size = 0
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                size += len(line)
                try:
                    number, account, asked = json.loads(line)
                    note = int(number), int(account), [Asked(*each) for each in asked]
                except (ValueError, TypeError):
                    yield size, None
                    return
                yield size, note if line.endswith(b"\n") else None

    def read(self) -> Iterator[Note]:
        """Yields the notes by their commands; of two for one command the last."""
        held: Note | None = None
        for _, note in self._lines():
            if held is not None and note is not None and note[0] != held[0]:
                yield held
            held = note or held
        if held is not None:
            yield held

    def write(self, number: int, account: int, asked: list[Asked]) -> None:
        """Writes a note down."""
        told = [[each.ord_type, each.tag, each.target, each.client_id, each.second] for each in asked]
        self._file.write(json.dumps([number, account, told]).encode() + b"\n")

    def close(self) -> None:
        """Lets the file go."""
        self._file.close()
