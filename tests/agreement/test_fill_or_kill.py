"""FOK is accepted if and only if the same IOC on a copy fills its accepted size, for every combination of terms and makers."""

from collections import Counter
from itertools import product

from solvent import Code
from solvent.records import CommandType, EventType, Flag, Peg, ShapeFlag, Tif, decode
from support.generator import Generator
from support.shaped_orders import Draft
from support.twins import pair

RUNS, COMMANDS = 80, 400


def outcome(kernel, record: bytes) -> tuple[int, int, int]:
    """(code, accepted lots, lots filled in its own right) of an order on a copy."""
    fork = kernel.fork(True)
    begin = fork.next_seq
    code = fork.apply(record)
    events = list(decode(bytes(fork.view(begin, fork.next_seq))))
    order_id, filled, _ = fork.last
    accepted = [e for e in events if e.type == EventType.ACCEPTED and e.order_id == order_id] if code == Code.OK else []
    lots = accepted[0].size_lots if accepted else 0
    cut = sum(e.cut_lots for e in events if e.type == EventType.REDUCED and e.order_id == order_id)
    return code, lots, filled if not cut else -1


def asked_both_ways(record: bytes) -> tuple[bytes, bytes] | None:
    """The same order as FOK and as IOC; None if it cannot be either."""
    draft = Draft(record)
    never = Flag.POST_ONLY | Flag.SLIDE
    if draft.second["trigger_kind"] or draft.head["flags"] & never or draft.head["client_id"]:
        return None
    both = []
    for tif in (Tif.FOK, Tif.IOC):
        draft = Draft(record)
        draft.head["tif"], draft.second["expiry_ns"] = tif, 0
        both.append(draft.record())
    return both[0], both[1]


def kinds(row: tuple[int, ...]) -> set[str]:
    """What a resting order is besides a plain one."""
    shape_flags, peg, display, hidden = row[27], row[26], row[29], row[30]
    found = {"iceberg"} if display else set()
    found |= {"refills"} if hidden else set()
    found |= {"pegged"} if Peg.NO_PEG < peg < Peg.PEG_TRIGGER else set()
    found |= {"hidden"} if shape_flags & ShapeFlag.HIDDEN else set()
    return found | ({"whole"} if shape_flags & ShapeFlag.ALL_OR_NONE else set())


def test_fill_or_kill_is_immediate_that_fills(seed):
    """On books with icebergs, hidden and pegged orders and orders that trade whole; icebergs and hidden orders that take,
    reduce-only, self-trade modes, protected prices. Each kind of maker is counted where it stands on the opposite side."""
    seen: Counter = Counter()
    for run in range(RUNS):
        generator = Generator(seed * 1_000_003 + 2 * run + 1, wide=True)
        ex = pair(generator)[0]
        kernel = ex._kernel
        opening = iter(generator.opening())
        for _ in range(COMMANDS):
            record = next(opening, None) or generator.next(kernel)
            ex.venue.coming = generator.candidate
            if record[0] == CommandType.ORDER and (both := asked_both_ways(record)):
                killed, immediate = (outcome(kernel, each) for each in both)
                if immediate[0] != Code.OK:
                    assert killed[0] != Code.OK or immediate[0] == Code.TOO_MANY_MESSAGES, (both[0].hex(), killed, immediate)
                elif immediate[2] >= 0:  # otherwise it gave lots away to itself
                    fills = immediate[2] == immediate[1]
                    assert (killed[0] == Code.OK) == fills, (run, both[0].hex(), killed, immediate)
                    assert not fills or killed == immediate
                    seen[fills] += 1
                    head = Draft(record).head
                    against = [row for row in kernel.resting(head["instrument"]) if row[3] != head["side"]]
                    seen.update((fills, kind) for kind in {kind for row in against for kind in kinds(row)})
                    seen[fills, "taker", bool(head["flags"] & Flag.SHAPED_ORDER)] += 1
            if (record[0], kernel.apply(record)) == (CommandType.ADD_INSTRUMENT, Code.OK):
                generator.added()
    kinds_of = ("iceberg", "refills", "pegged", "hidden", "whole")
    missing = [key for key in product((True, False), kinds_of) if seen[key] < 20]
    missing += [fills for fills in (True, False) if seen[fills, "taker", True] < 20]
    assert not missing and min(seen[True], seen[False]) > 50, (missing, seen)
