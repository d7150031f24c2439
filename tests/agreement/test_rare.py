"""Rare combinations of orders, states and liquidations: each is counted in drawn streams, and has to be reached.

Both legs of a pair due at one mark, and a parent liquidated between two fills of a child, are played in test_brackets.py."""

from collections import Counter

import pytest

from solvent.auditor import Auditor
from solvent.codes import Code
from solvent.records import CommandType, decode
from support.generator import Generator
from support.rare_orders import RARE, Rare
from support.twins import pair

RUNS, COMMANDS = 300, 1_000  # at most


@pytest.mark.long
def test_what_rarely_meets_is_reached(seed):
    """Wide streams on the compiled kernel, audited, until each combination has come up."""
    seen: Counter = Counter()
    for run in range(RUNS):
        generator = Generator(2 * (seed * 1_000_003 + run) + 1, wide=True)
        ex = pair(generator)[0]
        kernel, auditor, rare = ex._kernel, Auditor(ex), Rare(seen)
        opening = iter(generator.opening())
        for _ in range(COMMANDS):
            record, begin = next(opening, None) or generator.next(kernel), kernel.next_seq
            ex.venue.coming = generator.candidate
            code = kernel.apply(record)
            events = list(decode(bytes(kernel.view(begin, kernel.next_seq))))
            auditor.follow(events)
            rare.follow(events)
            if (record[0], code) == (CommandType.ADD_INSTRUMENT, Code.OK):
                generator.added()
        auditor.compare(ex)
        if all(seen[name] for name in RARE):
            break
    print(run, sorted(seen.items()))
    assert all(seen[name] for name in RARE), [name for name in RARE if not seen[name]]
