"""Both kernels step by step on one drawn stream: every event compared, the shortest difference reported."""

import itertools
import struct
from collections import Counter

import pytest

import solvent
import solvent.reference
from solvent.auditor import Auditor
from solvent.codes import Code
from solvent.records import CommandType, decode
from solvent.schema.answers import possible
from solvent.schema.limits import FIRST_USER
from support.generator import Generator
from support.linked_orders import Reached

RUN = 1_000  # commands of one drawn shape


def pair(generator: Generator):
    terms = {"rules": generator.rules, "retain": True, "collateral": generator.collateral}
    return [kind(generator.instruments, **terms) for kind in (solvent.Exchange, solvent.reference.Exchange)]


def step(kernels, record: bytes) -> bytes | None:
    """Applies one command to both; the events, or None when anything differs."""
    begins = [kernel.next_seq for kernel in kernels]
    try:
        codes = [kernel.apply(record) for kernel in kernels]
    except (solvent.Halted, struct.error, ArithmeticError):  # what no command may lead to
        return None
    events = [bytes(kernel.view(begin, kernel.next_seq)) for kernel, begin in zip(kernels, begins, strict=True)]
    if codes[0] != codes[1] or events[0] != events[1] or kernels[0].last != kernels[1].last:
        return None
    if record[0] == CommandType.BATCH and not codes[0] and kernels[0].members != kernels[1].members:
        return None
    return events[0]


def differs(generator: Generator, records: list[bytes]) -> bool:
    kernels = [ex._kernel for ex in pair(generator)]
    return any(step(kernels, record) is None for record in records)


def shorten(generator: Generator, records: list[bytes]) -> list[bytes]:
    """Drops commands as long as the twins still differ."""
    chunk = len(records) // 2
    while chunk:
        at = 0
        while at < len(records):
            shorter = records[:at] + records[at + chunk :]
            if differs(generator, shorter):
                records = shorter
            else:
                at += chunk
        chunk //= 2
    return records


def reads(kernel):
    """All rows in which a kernel tells what accounts have and what they must bear, by what was asked."""
    for name in ("positions_bytes", "liquidations_bytes", "accounts_bytes"):
        yield name, getattr(kernel, name)()
    for account in range(FIRST_USER, kernel.account_count):
        for name in ("position_rows", "wallet_rows", "domain_rows"):
            yield (name, account), getattr(kernel, name)(account)
        there = {row[:2] for row in kernel.positions(account)}
        for place in itertools.product(range(kernel.instrument_count), range(3)):
            if place not in there:
                yield ("position_row", account, *place), kernel.position_row(account, *place)


def compare(seed: int, commands: int, seen: Counter, every: int) -> None:
    """One run of one shape on both kernels."""
    generator = Generator(seed, wide=seed % 2 == 1)
    exchanges = pair(generator)
    kernels = [ex._kernel for ex in exchanges]
    auditor, rare = Auditor(exchanges[0]), Reached(seen)
    records: list[bytes] = []
    opening = iter(generator.opening())
    for n in range(commands):
        record = next(opening, None) or generator.next(kernels[0])
        records.append(record)
        for ex in exchanges:
            ex.venue.coming = generator.candidate  # what the face of a kernel that is told by hand names, once it is entered
        events = step(kernels, record)
        if events is None:
            short = shorten(generator, records)
            listing = "\n".join(record.hex() for record in short)
            pytest.fail(f"the twins differ: shape seed {seed}, command {n}; shortened to {len(short)}:\n{listing}")
        decoded = list(decode(events))
        auditor.follow(decoded)
        rare.follow(decoded)
        begin = decoded[0]
        assert possible(begin.command, begin.code), f"{begin!r} is no answer to its command: shape seed {seed}, command {n}"
        seen[begin.command, Code(begin.code)] += 1
        if (begin.command, begin.code) == (CommandType.ADD_INSTRUMENT, Code.OK):
            generator.added()
        if n % every == 0 or n == commands - 1:
            assert exchanges[0].digest() == exchanges[1].digest(), f"digest differs: shape seed {seed}, command {n}"
            for (asked, core), (_, twin) in zip(*map(reads, kernels), strict=True):
                assert core == twin, f"{asked} differ: shape seed {seed}, command {n}"
            for ex in exchanges:
                ex.check()
            auditor.check_safety()
            auditor.compare(exchanges[0])
    seen.update(auditor.counts)
