"""Bytes that nobody meant: records and whole buffers, mutated, at `apply` and `run` of the core (layer 14).

Owns the mutations. Any bytes get a typed answer; what is refused leaves the state as it was; and a buffer gives the same
answers whole, in pieces, or command by command. No block of inputs takes longer than a limit.
"""

import struct
import time
from collections import Counter
from random import Random

from programme.streams import drawn, exchange_of
from solvent.codes import Code, InputError
from solvent.records import CommandType
from support.generator import Generator

SLOWEST_S = 2  # of processor time for a block of inputs: a hang is what is looked for
BLOCK = 512
EDGES = [0, 1, 2, 15, 16, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
ODD_SIZES = (0, 1, 63, 65, 127, 129, 191)


def mutate(r: Random, record: bytes, others: list[bytes]) -> bytes:
    """One to three changes: bits, bytes, whole fields, lengths, halves of another record; sometimes nothing but noise."""
    data = bytearray(record)
    for _ in range(r.choice((1, 1, 2, 3))):
        kind = r.randrange(8)
        if kind == 0 and data:
            data[r.randrange(len(data))] ^= 1 << r.randrange(8)
        elif kind == 1 and data:
            data[r.randrange(len(data))] = r.randrange(256)
        elif kind in (2, 3) and len(data) >= 64:
            at, size = 8 * r.randrange(len(data) // 8), r.choice((1, 2, 4, 8))
            data[at : at + size] = (r.choice(EDGES) % 256**size).to_bytes(size, "little")
        elif kind == 4:
            other = r.choice(others)
            half = r.randrange(1, 64)
            data[half:64] = other[half:64]
        elif kind == 5 and len(data) >= 3:
            data[2] = r.choice((0, 1, 2, 3, 255))
        elif kind == 6 and len(data) >= 2:
            data[:2] = r.choice((*CommandType, 0, 20, 21, 255, 65535)).to_bytes(2, "little")
        elif r.random() < 0.1:
            data = bytearray(r.randbytes(r.choice((*ODD_SIZES, 64, 128))))
    return bytes(data)


def whole(r: Random, data: bytes, clock_ns: int) -> bytes:
    """A record of the length that it says and mostly of the clock's time, so that it reaches what looks at fields."""
    data = bytearray(data.ljust(64, b"\0"))
    data[2] = 1 if data[2] not in (1, 2) else data[2]
    data[16:24] = clock_ns.to_bytes(8, "little") if r.random() < 0.95 else data[16:24]
    return bytes(data[: 64 * data[2]].ljust(64 * data[2], b"\0"))


def records(seed: int, inputs: int = 4_000) -> Counter[str]:
    """Mutants of a valid session at `apply`, one by one. A refused one says BEGIN and nothing else, as long as no time passes.
    Of each sixteenth the whole state is compared."""
    r, session = Random(seed), drawn(seed, 300)
    ex = begun(seed, session, r.randrange(len(session)))
    kernel, said, start = ex._kernel, Counter(), time.process_time()
    for n in range(inputs):
        data = mutate(r, r.choice(session), session)
        data = whole(r, data, kernel.clock_ns) if r.random() < 0.8 else data
        clock_ns, seq, state = kernel.clock_ns, kernel.next_seq, kernel.state() if n % 16 == 0 else b""
        code = kernel.apply(data)
        if n % BLOCK == BLOCK - 1:
            start, before = time.process_time(), start
            assert start - before < SLOWEST_S, f"fuzz: seed {seed}, the inputs up to {n} are slow"
        said[Code(code)] += 1
        if code and kernel.clock_ns == clock_ns:
            changed = kernel.next_seq - seq > 1 or (n % 16 == 0 and kernel.state() != state)
            assert not changed, f"fuzz: seed {seed}, input {n} is refused ({code}) and changes something: {data.hex()}"
        if kernel.clock_ns - clock_ns > 10**15:  # nothing valid comes after a clock that ran away
            ex.check()
            kernel = (ex := begun(seed, session, 100))._kernel
    ex.check()
    return Counter(inputs=inputs, accepted=said[Code.OK], kinds=len(said))


def begun(seed: int, session: list[bytes], count: int):
    """An exchange some commands into a session."""
    ex = exchange_of(Generator(seed))
    for each in session[:count]:
        ex._kernel.apply(each)
    return ex


def buffers(seed: int, runs: int = 40, length: int = 100) -> Counter[str]:
    """Mutants in one buffer at `run`: whole, cut anywhere between commands, and one by one, with the same answers. A buffer
    that is no row of whole commands is refused, and nothing of it is done."""
    r, session = Random(seed), drawn(seed, 300)
    count = Counter()
    for _ in range(runs):
        trio = [begun(seed, session, 60)._kernel for _ in range(3)]
        parts = [whole(r, mutate(r, r.choice(session), session), trio[0].clock_ns) for _ in range(r.randrange(1, length))]
        parts = [each for each in parts if each[:2] != ADD]  # `run` answers it otherwise: it takes two records at most
        data = b"".join(parts)
        answers = [trio[0].run(memoryview(data)), b"", b""]
        at = 0
        while at < len(parts):
            step = r.randrange(1, 20)
            answers[1] += trio[1].run(memoryview(b"".join(parts[at : at + step])))
            at += step
        for each in parts:
            answers[2] += ANSWER.pack(*_answer(trio[2], each))
        assert bytes(answers[0]) == bytes(answers[1]) == answers[2], f"fuzz: seed {seed}: answers depend on portions"
        assert len({bytes(kernel.state()) for kernel in trio}) == 1, f"fuzz: seed {seed}: the state depends on portions"
        before, torn = trio[0].state(), bytearray(data)
        torn = torn[: r.randrange(len(torn) or 1)] if r.random() < 0.5 else r.randbytes(64 * r.randrange(1, 9))
        refused = False
        try:
            trio[0].run(memoryview(bytes(torn)))
        except InputError:
            refused = True
        assert not refused or trio[0].state() == before, f"fuzz: seed {seed}: a refused buffer changes something"
        count.update(inputs=len(parts) + 1, refused=refused)
    return count


ADD, ANSWER = CommandType.ADD_INSTRUMENT.to_bytes(2, "little"), struct.Struct("<QqqQ")


def _answer(kernel, record: bytes) -> tuple[int, ...]:
    code = kernel.apply(record)
    return (*kernel.last, code)


def fuzz(seed: int) -> Counter[str]:
    """What a batch does: many records alone, some in buffers."""
    return records(seed) + buffers(seed, runs=4)
