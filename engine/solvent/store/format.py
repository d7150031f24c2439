"""The bytes of journals: header, blocks and mark, framed by msgpack (docs/reference/journal.md).

Owns the layout and nothing else: every function is pure, and none opens a file. It does not know what carries blocks, a file
or a broker. Each number has msgpack's full width, so that every field has one place, and a block has one spelling.

Invariants: a block's chain is the checksum of everything before it in the block, and continues the chain of the block before.
Cost: packing and unpacking a block is a few microseconds, and one pass of the checksum over its commands.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from solvent.api.backend import checksum
from solvent.schema.codes import JournalVersion, SolventError
from solvent.schema.layouts import RECORD_BYTES

__all__ = ["Block", "Damage", "Frame", "Header", "blocks", "follows_durable", "header_at", "packed", "unpacked"]

VERSION = 1
JOURNAL, SNAPSHOT = b"\xaf" + b"solvent journal", b"\xb0" + b"solvent snapshot"
_NUMBER, _SHORT, _BYTES = 0xCF, 0xCE, 0xC6  # msgpack's tags: uint 64, uint 32, bin 32
_HEAD = struct.Struct(">BBQBIBQBQBQBI")
_BODY, _TAIL = struct.Struct(">BI"), struct.Struct(">BQ")
_TOP = struct.Struct(">BIBQBI")
_ARRAY = {"block": 0x98, "header": 0x95, "mark": 0x93}
_MARK = struct.Struct(">BBQBQBQ")
MARK_BYTES = _MARK.size
_LEAST = _HEAD.size + _BODY.size + _TAIL.size
BLOCK_BYTES_MAX = 2**31


class Damage(SolventError):
    """Bytes are not what was written, at a position. linked: a whole block is there, and not the one that follows."""

    def __init__(self, at: int, what: str, linked: bool = False):
        self.at, self.what, self.linked = at, what, linked
        super().__init__(f"byte {at}: {what}")


class Frame(NamedTuple):
    """A block as it is written: its pieces in order, its length, and its chain."""

    parts: tuple[bytes, bytes, bytes]
    size: int
    chain: int


@dataclass(frozen=True, slots=True)
class Block:
    """Some commands, one after the other.

    first: the number of the first command. count: how many there are. durable: the last command that was known to be on the
    disk when the block was written. previous: the chain before. events: the checksum of the commands' events. added: the terms
    of instruments that they added, packed. commands: their records. at, size: where the block lies, in bytes.
    """

    first: int
    count: int
    durable: int
    previous: int
    events: int
    added: bytes
    commands: memoryview
    chain: int
    at: int
    size: int

    @property
    def last(self) -> int:
        """Returns the number of the last command."""
        return self.first + self.count - 1


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a file: what it says, packed, the chain before it, and its own."""

    said: dict[str, Any]
    previous: int
    chain: int
    size: int


def packed(value: object) -> bytes:
    """Packs plain data with msgpack."""
    import msgpack

    return bytes(msgpack.packb(value, use_bin_type=True))


def unpacked(data: bytes | memoryview) -> Any:
    """Unpacks what `packed` gave. Raises ValueError for other bytes."""
    import msgpack

    return msgpack.unpackb(data, raw=False, strict_map_key=True, max_ext_len=0)


# --- headers


def header(kind: bytes, said: object, previous: int) -> tuple[bytes, int]:
    """Returns the header of a file of a kind, and its chain."""
    body = packed(said)
    frame = bytes([_ARRAY["header"]]) + kind + _TOP.pack(_SHORT, VERSION, _NUMBER, previous, _BYTES, len(body)) + body
    chain = checksum(previous, frame)
    return frame + _TAIL.pack(_NUMBER, chain), chain


def header_at(data: bytes | memoryview, kind: bytes, file: str) -> Header:
    """Returns the header at the beginning of a file. Raises Damage, or JournalVersion for a newer one."""
    view = memoryview(data)
    begin = 1 + len(kind) + _TOP.size
    if len(view) < begin or view[0] != _ARRAY["header"] or view[1 : 1 + len(kind)] != kind:
        raise Damage(0, f"this is no {kind[1:].decode()}")
    short, version, number, previous, tag, length = _TOP.unpack_from(view, 1 + len(kind))
    if short == _SHORT and version > VERSION:
        raise JournalVersion(f"{file} has version {version}; this package reads up to {VERSION}: install a newer one")
    end = begin + length
    if (short, number, tag) != (_SHORT, _NUMBER, _BYTES) or version != VERSION or len(view) < end + _TAIL.size:
        raise Damage(1 + len(kind), "the header is damaged")
    mark, chain = _TAIL.unpack_from(view, end)
    if mark != _NUMBER or checksum(previous, view[:end]) != chain:
        raise Damage(begin, "the header is damaged")
    return Header(unpacked(view[begin:end]), previous, chain, end + _TAIL.size)


# --- blocks


def block(  # every field of it
    first: int, count: int, durable: int, previous: int, events: int, added: bytes, commands: bytes
) -> Frame:  # fmt: skip
    """Returns a block as it is written."""
    head = _HEAD.pack(
        _ARRAY["block"], _NUMBER, first, _SHORT, count, _NUMBER, durable, _NUMBER, previous, _NUMBER, events,
        _BYTES, len(added),
    ) + added + _BODY.pack(_BYTES, len(commands))  # fmt: skip
    chain = checksum(checksum(previous, head), commands)
    return Frame((head, commands, _TAIL.pack(_NUMBER, chain)), len(head) + len(commands) + _TAIL.size, chain)


def block_at(data: memoryview, at: int) -> Block:
    """Returns the block that begins at a byte. Raises Damage unless it is whole and its chain is right."""
    if len(data) - at < _LEAST:
        raise Damage(at, "a block is cut off")
    tags, numbers = _split(_HEAD.unpack_from(data, at))
    first, count, durable, previous, events, length = numbers
    body = at + _HEAD.size + length
    if tags != _HEAD_TAGS or length > BLOCK_BYTES_MAX:
        raise Damage(at, "no block begins here")
    if len(data) < body + _BODY.size + _TAIL.size:
        raise Damage(at, "a block is cut off")
    tag, size = _BODY.unpack_from(data, body)
    begin, end = body + _BODY.size, body + _BODY.size + size
    if tag != _BYTES or size % RECORD_BYTES or not 0 < count <= size // RECORD_BYTES or size > BLOCK_BYTES_MAX:
        raise Damage(body, "the block is damaged")
    if len(data) < end + _TAIL.size:
        raise Damage(at, "a block is cut off")
    tag, chain = _TAIL.unpack_from(data, end)
    if tag != _NUMBER or checksum(checksum(previous, data[at:begin]), data[begin:end]) != chain:
        raise Damage(at, "the block is damaged: its checksum does not fit")
    added = bytes(data[at + _HEAD.size : body])
    return Block(
        first, count, durable, previous, events, added, data[begin:end], chain, at, end + _TAIL.size - at
    )  # fmt: skip


def _split(fields: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the tags of a head, and its numbers."""
    return (*fields[:2], *fields[3::2]), fields[2::2]


_HEAD_TAGS = (_ARRAY["block"], _NUMBER, _SHORT, _NUMBER, _NUMBER, _NUMBER, _BYTES)


def blocks(data: memoryview, at: int, first: int, chain: int) -> Iterator[Block]:
    """Yields the blocks from a byte on, to the end. Raises Damage at the first byte that is no block, or not the next one."""
    while at < len(data):
        found = block_at(data, at)
        if (found.first, found.previous) != (first, chain):
            raise Damage(at, f"the block of command {found.first} is not the one that follows command {first - 1}", True)
        yield found
        at, first, chain = at + found.size, found.last + 1, found.chain


def follows_durable(data: memoryview, at: int, sequence: int) -> bool:
    """True if a whole block behind a byte knew the command `sequence` to be on the disk: damage there is no torn end."""
    begin, whole = bytes([_ARRAY["block"], _NUMBER]), bytes(data[at:])
    place = whole.find(begin)
    while place >= 0:
        try:
            if block_at(data, at + place).durable >= sequence:
                return True
        except Damage:
            pass
        place = whole.find(begin, place + 1)
    return False


# --- the mark


def mark(sequence: int, chain: int) -> bytes:
    """Returns a slot of the mark: the last command that is on the disk, and its block's chain."""
    body = _MARK.pack(_ARRAY["mark"], _NUMBER, sequence, _NUMBER, chain, _NUMBER, 0)[: -_TAIL.size]
    return body + _TAIL.pack(_NUMBER, checksum(0, body))


def marked(data: bytes | memoryview, slots: tuple[int, ...]) -> tuple[int, int] | None:
    """Returns (sequence, chain) of the newest whole slot; None if there is none."""
    found = []
    for at in slots:
        slot = bytes(data[at : at + MARK_BYTES])
        if len(slot) == MARK_BYTES:
            _, _, sequence, _, chain, _, _ = _MARK.unpack(slot)
            if slot == mark(sequence, chain):
                found.append((sequence, chain))
    return max(found, default=None)
