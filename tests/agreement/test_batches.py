"""A batch is what its commands are one by one, or nothing: against forks, over drawn streams, and what it rarely meets."""

from collections import Counter

from solvent.codes import Code
from solvent.records import CommandType, EventType, command, decode
from solvent.schema.commands import ALONE, batch
from support.generator import Generator
from support.twins import pair

PASSING = (Code.OK, Code.AMEND_NOTHING)


def events_of(kernel, begin: int) -> list:
    """What was told since, but for BEGINs and numbers."""
    told = decode(bytes(kernel.view(begin, kernel.next_seq)))
    return [(e.record[:7], e.record[8:], e.extra) for e in told if e.type not in (EventType.BEGIN, EventType.PASSED)]


def one_by_one(kernel, members: list[bytes]) -> tuple[int, int]:
    """The code of the first that is refused, and its place; OK and their number."""
    for place, each in enumerate(members):
        code = kernel.apply(each)
        if code not in PASSING:
            return code, place
    return Code.OK, len(members)


def compared(shape: int, commands: int, seen: Counter) -> None:
    """One drawn stream; before each command a batch of those to come is tried on one fork, and they themselves on another."""
    generator = Generator(shape, wide=shape % 2 == 1)
    generator.joined = 0.0
    ex = pair(generator)[0]
    kernel, r = ex._kernel, generator.batches
    opening = iter(generator.opening())
    for n in range(commands):
        record = next(opening, None)
        if record is None and r.random() < 0.5:
            members = [
                each for each in (generator.next(kernel) for _ in range(r.choice([1, 1, 2, 4, 9]))) if each[0] not in ALONE
            ]
            time_ns = max(generator.time_ns, kernel.clock_ns)
            members = [each[:16] + time_ns.to_bytes(8, "little") + each[24:] for each in members if each[2] <= 4]
            if not members:
                continue
            single, whole = kernel.fork(), kernel.fork()
            single.apply(command(CommandType.ADVANCE, time_ns=time_ns))
            advanced, begins = single.fork(), [single.next_seq, whole.next_seq]
            told = *one_by_one(single, members), whole.apply(batch(members, time_ns=time_ns)), whole.last[1]
            assert told[:2] == told[2:], f"shape {shape}, command {n}: {told}"
            assert whole.digest() == (single if told[0] == Code.OK else advanced).digest(), f"shape {shape}, command {n}"
            if told[0] == Code.OK and generator.time_ns == kernel.clock_ns:
                assert events_of(single, begins[0]) == events_of(whole, begins[1]), f"shape {shape}, command {n}"
            seen[Code(told[0])] += 1
            seen["later"] += told[0] != Code.OK and told[1] > 1
            if told[0] == Code.OK:
                seen.update({e.type for e in decode(bytes(whole.view(begins[1], whole.next_seq)))})
            record = members[0]
        record = record or generator.next(kernel)
        ex.venue.coming = generator.candidate
        if kernel.apply(record) == Code.OK and record[0] == CommandType.ADD_INSTRUMENT:
            generator.added()


def test_a_batch_is_its_commands_one_by_one_or_nothing(seed):
    seen: Counter = Counter()
    for shape in range(24):
        compared(seed * 1_000_003 + shape, 500, seen)
    print(sorted(seen.items(), key=str))
    assert seen[Code.OK] > 500 and seen["later"] > 50
    rare = (
        EventType.TAKEOVER, EventType.PARCEL, EventType.TRIGGERED, EventType.REDUCED, EventType.FUNDED, EventType.ADL,
        EventType.REPLACED, EventType.TIMER_SET,
    )  # fmt: skip
    missing = [each.name for each in rare if not seen[each]]
    assert not missing, f"no batch that was applied had {missing}"
