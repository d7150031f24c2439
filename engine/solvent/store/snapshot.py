"""Snapshots: the state of the compiled core in one file, so that recovery need not replay everything.

Owns the file (docs/reference/journal.md): a header, then the blocks of an image as they lie in memory. A snapshot is never the
only truth while the commands are there: one that does not fit is passed over. It is written aside, synced and renamed.
Cost: writing is one pass of the checksum and one write of the state's own memory; loading is one pass over the mapped file.
"""

import struct
from typing import Any

from solvent.api.backend import checksum
from solvent.api.base import Face
from solvent.schema.codes import InputError, JournalDamaged
from solvent.store import format
from solvent.store.files import Disk
from solvent.store.journal import put, snapshot_name

__all__ = ["load", "save"]

_TAG = struct.Struct(">BI")
_BYTES = 0xC6
_BLOCK_BYTES_MAX = 2**32 - 1


def save(disk: Disk, kernel: Any, said: dict[str, Any], sequence: int, chain: int) -> None:
    """Writes a snapshot after a command. chain: the journal's. Raises OSError; InputError beyond 4 GB a block."""
    digest, blocks = int(kernel.digest()), kernel.image()
    total = 0
    for _, _, _, data in blocks:
        total = checksum(total, data)
    listed = [[name, item_bytes, count, memoryview(data).nbytes] for name, item_bytes, count, data in blocks]
    if any(size > _BLOCK_BYTES_MAX for *_, size in listed):
        raise InputError("a snapshot holds at most 4 GB of a kind")
    told = said | {"sequence": sequence, "digest": digest, "sum": total, "blocks": listed}
    head, _ = format.header(format.SNAPSHOT, told, chain)
    parts: list[bytes | memoryview] = [head]
    for _, _, _, data in blocks:
        view = memoryview(data)
        parts += [_TAG.pack(_BYTES, view.nbytes), view.cast("B") if view.nbytes else b""]
    put(disk, snapshot_name(sequence), parts)


def load(disk: Disk, face: Face, sequence: int, chain: int | None) -> None:
    """Fills a new exchange with the snapshot after a command. chain: the journal's there; None: it is not compared.

    Raises JournalDamaged for a file that is no such snapshot, whole, of this exchange and this build's layout.
    """
    name = snapshot_name(sequence)
    data = disk.map(name)
    try:
        header = format.header_at(data, format.SNAPSHOT, name)
    except format.Damage as damage:
        raise JournalDamaged(name, damage.at, damage.what) from None
    said = header.said
    if said["sequence"] != sequence or chain not in (None, header.previous):
        raise JournalDamaged(name, 0, "the snapshot is that of another moment, or of another journal")
    at, blocks = header.size, []
    for title, item_bytes, count, size in said["blocks"]:
        begin = at + _TAG.size
        if len(data) < begin + size or _TAG.unpack_from(data, at) != (_BYTES, size):
            raise JournalDamaged(name, at, "the snapshot is cut off, or damaged")
        blocks.append((title, item_bytes, count, data[begin : begin + size]))
        at = begin + size
    if at != len(data):
        raise JournalDamaged(name, at, "bytes follow the end of the snapshot")
    try:
        face._kernel.restore(blocks, said["sum"])
    except InputError as error:
        raise JournalDamaged(name, header.size, str(error)) from None
    if face.digest() != said["digest"]:
        raise JournalDamaged(name, header.size, "the state has another digest than the snapshot says")
