"""The checksum: both kernels alike, nothing within a word escapes, chains tell; docs/reference/checksum.md."""

import array
from random import Random

import pytest

from solvent._core.base import checksum as core
from solvent.twin.base import checksum as twin

KINDS = pytest.mark.parametrize("checksum", [core.checksum, twin.checksum], ids=["compiled", "reference"])


def test_both_kernels_agree_on_every_length(seed):
    random = Random(seed)
    for length in [*range(200), 1_000, 4_096, 65_537]:
        data, state = random.randbytes(length), random.getrandbits(64)
        assert core.checksum(state, data) == twin.checksum(state, data), length


@KINDS
def test_known_values(checksum):
    """What files hold for ever."""
    assert checksum(0, b"") == 0xCAB817028AFD1C5D
    assert checksum(1, b"solvent") == 0x78FA9A773668D4F1
    assert checksum(2**64 - 1, bytes(range(256))) == 0x3AAA769323402179


@KINDS
def test_every_bit_of_a_record_counts(checksum, seed):
    data = bytearray(Random(seed).randbytes(77))
    whole = checksum(0, data)
    for bit in range(8 * len(data)):
        data[bit >> 3] ^= 1 << (bit & 7)
        assert checksum(0, data) != whole, bit
        data[bit >> 3] ^= 1 << (bit & 7)
    assert checksum(0, data) == whole


@KINDS
def test_pairs_of_bits_swaps_and_lengths_count(checksum, seed):
    """Two flipped bits in one lane cannot undo each other, as they could where a word is only mixed in."""
    data = bytearray(64)
    found = {checksum(0, data)}
    for first in range(64):
        for second in range(64):
            data[first >> 3] ^= 1 << (first & 7)
            data[32 + (second >> 3)] ^= 1 << (second & 7)
            found.add(checksum(0, data))
            data[first >> 3] ^= 1 << (first & 7)
            data[32 + (second >> 3)] ^= 1 << (second & 7)
    assert len(found) == 64 * 64 + 1
    assert len({checksum(0, bytes(n)) for n in range(200)}) == 200
    words = [bytes([n]) * 8 for n in range(9)]
    assert checksum(0, b"".join(words)) != checksum(0, b"".join([words[1], words[0], *words[2:]]))
    assert checksum(0, b"".join(words)) != checksum(0, b"".join([words[4], *words[1:4], words[0], *words[5:]]))


@KINDS
def test_a_chain_that_is_wrong_once_stays_wrong(checksum, seed):
    random = Random(seed)
    right, wrong = 5, 6
    for _ in range(100):
        block = random.randbytes(random.randrange(100))
        right, wrong = checksum(right, block), checksum(wrong, block)
        assert right != wrong


@KINDS
def test_any_contiguous_buffer(checksum):
    numbers = array.array("q", [1, -1, 2**62])
    assert checksum(0, numbers) == checksum(0, numbers.tobytes()) == checksum(0, memoryview(bytearray(numbers.tobytes())))


@KINDS
def test_other_arguments_are_refused(checksum):
    for state in (1.0, True, "1", None):
        with pytest.raises(TypeError):
            checksum(state, b"")
    for state in (-1, 2**64):
        with pytest.raises(OverflowError):
            checksum(state, b"")
    for data in ("text", 7, None):
        with pytest.raises(TypeError):
            checksum(0, data)
    with pytest.raises(BufferError):
        checksum(0, memoryview(b"abcdef")[::2])
