"""The rare states of liquidations are reached: fifty of them by name, in streams that the twin also plays."""

from collections import Counter

import pytest

from solvent import Exchange
from solvent.records import CommandType, EventType
from support.generator import Generator
from support.rare_states import RARE, RareStates

COMMANDS = 1_500
KNOWN = (752, 259, 545, 263, 482, 13, 42, 990)  # shapes of the usual seed that reach all of them together
MOST = 1_200  # shapes


@pytest.mark.long
def test_every_named_state_is_reached(seed):
    """Shapes that are known to reach them come first, then as many as it takes, and no more than so many."""
    seen: Counter[str] = Counter()
    for shape in (*KNOWN, *range(MOST)):
        play(seed * 7_001 + shape, seen, wide=shape % 2 == 1)
        if all(seen[name] for name in RARE):
            break
    print(shape, {name: seen[name] for name in RARE})
    assert len(RARE) == len(set(RARE)) >= 40 and not [name for name in RARE if not seen[name]]
    assert set(seen) <= set(RARE), "a state without a name"


def play(shape, seen, wide):
    generator = Generator(shape, wide=wide)
    ex = Exchange(generator.instruments, rules=generator.rules, collateral=generator.collateral, retain=False)
    rare, cursor, opening = RareStates(lambda: ex.instruments, seen), ex.cursor(), iter(generator.opening())
    for _ in range(COMMANDS):
        record = next(opening, None) or generator.next(ex._kernel)
        ex.venue.coming = generator.candidate
        if (ex._kernel.apply(record), record[0]) == (0, CommandType.ADD_INSTRUMENT):
            generator.added()
        events = list(cursor)
        begins = [i for i, e in enumerate(events) if e.type == EventType.BEGIN]
        for begin, end in zip(begins, [*begins[1:], len(events)], strict=True):
            rare.follow(events[begin:end])
