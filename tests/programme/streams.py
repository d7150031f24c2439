"""Drawn streams: both kernels compared (3, 4), the core with the auditor (6), ways to send a stream (8), memory (21).

Owns one batch of each: a function of a seed that returns counts, and raises at the first thing that is wrong.
"""

import gc
import hashlib
import os
import resource
import subprocess
import sys
from collections import Counter

import solvent
from solvent.auditor import Auditor
from solvent.records import CommandType, decode
from support.generator import Generator
from support.places import ROOT
from support.twins import RUN, compare

HASH_SEEDS = ("0", "1", "4242", "random")
PORTIONS = (1, 7, 64, 1024)


def differential(seed: int) -> Counter[str]:
    """One shape on both kernels: every event compared, digests and all reads after each 256 commands, the auditor behind."""
    seen: Counter = Counter()
    compare(seed, RUN, seen, 256)
    return Counter(commands=RUN, liquidations=seen["LIQUIDATION"], takeovers=seen["TAKEOVER"], trades=seen["TRADE"])


def exchange_of(generator: Generator, base=solvent.Exchange):
    return base(generator.instruments, rules=generator.rules, retain=True, collateral=generator.collateral)


def swarm(seed: int, commands: int = 4_000) -> Counter[str]:
    """A longer run of one shape on the core alone: the auditor after every command, every invariant after each 256."""
    generator = Generator(seed)
    ex = exchange_of(generator)
    kernel, auditor, opening = ex._kernel, Auditor(ex), iter(generator.opening())
    for n in range(commands):
        record = next(opening, None) or generator.next(kernel)
        ex.venue.coming = generator.candidate
        begin = kernel.next_seq
        code = kernel.apply(record)
        if (record[0], code) == (CommandType.ADD_INSTRUMENT, 0):
            generator.added()
        auditor.follow(decode(memoryview(kernel.view(begin, kernel.next_seq))))
        if n % 256 == 0 or n == commands - 1:
            auditor.check_safety()
            auditor.compare(ex)
            ex.check()
    counts = auditor.counts
    return Counter(commands=commands, liquidations=counts["LIQUIDATION"], takeovers=counts["TAKEOVER"], trades=counts["TRADE"])


# --- Layer 8: the same commands, told otherwise


def drawn(seed: int, commands: int) -> list[bytes]:
    """The records of one shape that `run` takes too: an ADD_INSTRUMENT has more records than a batch allows."""
    generator = Generator(seed)
    generator.listings = 0.0
    kernel, found = exchange_of(generator)._kernel, []
    opening = iter(generator.opening())
    for _ in range(commands):
        record = next(opening, None) or generator.next(kernel)
        if record[2] in (1, 2) and len(record) == 64 * record[2] and record[0] != CommandType.ADD_INSTRUMENT:
            kernel.apply(record)
            found.append(record)
    return found


def outcome(seed: int, records: list[bytes], portion: int, base=solvent.Exchange) -> str:
    """The hash of all events and the digest, after sending the records in portions: 0 is one by one through `apply`."""
    kernel = exchange_of(Generator(seed), base)._kernel
    if not portion:
        for record in records:
            kernel.apply(record)
    for at in range(0, len(records) if portion else 0, portion or 1):
        kernel.run(memoryview(b"".join(records[at : at + portion])))
    events = bytes(kernel.view(kernel.first_seq, kernel.next_seq))
    return hashlib.sha256(events + kernel.state()).hexdigest()


def determinism(seed: int, commands: int = 400) -> Counter[str]:
    """One stream one by one, in four portions, on the readable kernel, and in processes of four hash seeds."""
    records = drawn(seed, commands)
    expected = outcome(seed, records, 0)
    ways = [outcome(seed, records, portion) for portion in PORTIONS]
    ways.append(outcome(seed, records, 0, solvent.reference.Exchange))
    for hash_seed in HASH_SEEDS:
        environment = os.environ | {
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *sys.path]),
        }
        asked = [
            sys.executable,
            "-c",
            f"from programme import streams as s; print(s.outcome({seed}, s.drawn({seed}, {commands}), 0))",
        ]
        done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
        ways.append(done.stdout.split()[-1])
    assert set(ways) == {expected}, f"determinism: seed {seed}: {ways} are not {expected}"
    return Counter(commands=len(records) * (1 + len(ways)), ways=len(ways), streams=1)


# --- Layer 21: memory at a fixed population


def soak(seed: int, rounds: int = 40, orders: int = 5_000) -> Counter[str]:
    """A book and an exchange that are filled and emptied over and over: pools return, and the process does not grow."""
    ex = solvent.Exchange([solvent.Instrument("I")], retain=False)
    for account in "ab":
        ex.deposit(account, "USDT", 10**9)
    ex.mark("I", 50_000)
    kernel, after = ex._kernel, 0
    for each in range(rounds):
        ids = [kernel.submit(16, 0, 400_000 + (seed + n) % 1_000, 1).order_id for n in range(orders)]
        for order_id in ids:
            assert kernel.revoke(16, order_id)
        if each == rounds // 4:
            gc.collect()
            after = resident()
    gc.collect()
    assert not kernel.orders_of(16)
    grown = resident() - after
    assert grown < 1 << 20, f"memory: {grown} bytes more after {rounds * orders * 2} commands at a fixed population"
    return Counter(commands=2 * rounds * orders, rounds=rounds)


def resident() -> int:
    """Bytes of this process that are in memory now."""
    with open("/proc/self/statm", "rb") as told:
        return int(told.read().split()[1]) * resource.getpagesize()
