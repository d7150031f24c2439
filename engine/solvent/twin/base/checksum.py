"""A checksum of 64 bits over bytes: tells whether they are those that were written (docs/reference/checksum.md).

Owns nothing. Never a defence against somebody who forges. Damage within one aligned 64-bit word is never missed, and for the
same bytes each state gives another checksum. Costs a microsecond a word; the compiled kernel has the fast one.
"""

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

STIR, SPREAD = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
_ONES = 2**64 - 1


def step(x: int, word: int) -> int:
    """Takes in one word: for each word a bijection of x, for each x a bijection of the word."""
    x = (x + word * STIR) & _ONES
    return ((x << 31 | x >> 33) * SPREAD) & _ONES


def checksum(state: int, data: "Buffer") -> int:
    """Returns the checksum of bytes after a state: 0, or the checksum of what stands before.

    Raises TypeError for a state that is no int or data that are no buffer, OverflowError for a state beyond 64 bits.
    """
    if type(state) is not int:
        raise TypeError(f"a checksum continues an int, not {type(state).__name__}")
    if not 0 <= state <= _ONES:
        raise OverflowError(f"{state} has more than 64 bits, or a sign")
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("a checksum takes bytes that lie together")
    whole = view.tobytes()
    lanes = [SPREAD * lane & _ONES for lane in (1, 2, 3, 4)]
    for words in struct.iter_unpack("<4Q", whole + bytes(-len(whole) % 32)):
        lanes = [step(lane, word) for lane, word in zip(lanes, words, strict=True)]
    for word in (*lanes, len(whole)):
        state = step(state, word)
    return state ^ state >> 32
