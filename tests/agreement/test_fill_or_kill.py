"""FOK is accepted if and only if the same IOC on a copy fills its accepted size, for every combination of terms and makers."""

from collections import Counter

from solvent import Code
from solvent.records import CommandType, EventType, Flag, ShapeFlag, Tif, decode
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
    never = Flag.POST_ONLY | Flag.SLIDE | Flag.SHAPED_ORDER
    if draft.second["trigger_kind"] or draft.head["flags"] & never or draft.head["client_id"]:
        return None
    both = []
    for tif in (Tif.FOK, Tif.IOC):
        draft = Draft(record)
        draft.head["tif"], draft.second["expiry_ns"] = tif, 0
        both.append(draft.record())
    return both[0], both[1]


def test_fill_or_kill_is_immediate_that_fills(seed):
    """On books with icebergs, hidden orders and orders that trade whole; reduce-only, self-trade modes, protected prices."""
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
                    rows = [row for row in kernel.resting(Draft(record).head["instrument"]) if row[8] & Flag.SHAPED_ORDER]
                    seen.update((fills, "whole" if row[27] & ShapeFlag.ALL_OR_NONE else "shaped") for row in rows)
            if (record[0], kernel.apply(record)) == (CommandType.ADD_INSTRUMENT, Code.OK):
                generator.added()
    assert min(seen[True], seen[False], seen[True, "shaped"], seen[False, "shaped"], seen[True, "whole"]) > 50, seen
