"""What a stream with brackets asks: entries with children, pairs for positions; and the rare things that became of them.

Owns these choices, from numbers of their own (`generator.linking`), and the counting of what they reached.
"""

from collections import Counter
from random import Random

from solvent.records import Arm, CommandType, Ending, EventType, Flag, Side, Source, TriggerKind, bracket, command

SOURCES = [Source.BY_MARK, Source.BY_MARK, Source.BY_LAST, Source.BY_LAST, Source.BY_INDEX, Source.BY_BID, Source.BY_ASK]


def children(r: Random, side: int, mark: int, span: int) -> dict[str, int]:
    """A target, a stop, or both, that close on `side`; mostly where they belong, now and then where they are refused."""
    up, terms = (1 if side == Side.SELL else -1), {}

    def off(way: int) -> int:
        return max(1, mark + way * r.randint(-span // 4, span))

    if r.random() < 0.8:
        terms["target_ticks"] = off(up)
    if r.random() < 0.25:
        trigger = off(up)
        terms |= {"target_trigger_ticks": trigger, "target_source": r.choice(SOURCES)}
        terms["target_ticks"] = r.choice([0, trigger, trigger - up])
    if r.random() < 0.85:
        trigger = off(-up)
        terms |= {"stop_trigger_ticks": trigger, "stop_source": r.choice(SOURCES)}
        terms["stop_ticks"] = r.choice([0, 0, trigger, trigger - up * span // 2, 1])
    if r.random() < 0.03:
        terms[r.choice(["arm", "unused_first", "target_source", "stop_ticks"])] = 9
    return terms


def bracketed(r: Random, draft, mark: int, span: int) -> None:
    """Gives the draft of an ORDER a bracket."""
    draft.second["group_role"] = 1 if r.random() < 0.98 else 2
    draft.bracket = children(r, 1 - draft.head["side"] % 2, mark, span)
    draft.bracket.setdefault("arm", r.choice([*Arm][:3] if r.random() < 0.5 else [Arm.AS_FILLED]))
    if draft.head["flags"] & Flag.REDUCE_ONLY and r.random() < 0.9:
        draft.head["flags"] &= ~(Flag.REDUCE_ONLY | Flag.CLOSE_POSITION)
        draft.head["size_lots"] = draft.head["size_lots"] or 3


def attached(g, kernel) -> bytes | None:
    """A pair for a position that there is, or for one that there is not."""
    r = g.linking
    account = r.randrange(16, 16 + g.accounts)
    held = [row for row in kernel.positions(account) if row[2]]
    if not held and r.random() < 0.9:
        return None
    instrument, leg, size = r.choice(held)[:3] if held else (0, 0, 1)
    side = (Side.SELL if size > 0 else Side.BUY) ^ (r.random() < 0.03)
    mark = kernel.mark_ticks(instrument) or 1
    terms = children(r, side, mark, mark * g.volatility // 5_000 + 2)
    lots = r.choice([0, 0, 1, abs(size), abs(size) // 2, abs(size) + 3])
    if r.random() < 0.05:
        leg = r.choice([0, 1, 2, 3])
    second = bracket(**terms) if r.random() < 0.98 else b""
    return command(
        CommandType.ATTACH, records=1 + len(second) // 64, time_ns=g.time_ns, account=account, instrument=instrument,
        side=side if r.random() < 0.98 else 2, size_lots=lots, leg=leg, stp_mode=r.choice([0, 0, 0, 1, 2, 3, 4, 5]),
        tag=r.choice([0, 0, 1, 2, 2**16]), stp_group=r.choice([0, 0, 7, -1]),
    ) + second  # fmt: skip


class Reached:
    """Counts rare things in the events of whole commands."""

    def __init__(self, seen: Counter):
        self.seen = seen
        self.joined: dict[int, tuple[int, int, int]] = {}
        self.took: set[tuple[int, int, int]] = set()  # whose target has traded

    def follow(self, events) -> None:
        begin, house, fired = events[0], False, []
        for e in events:
            if e.type == EventType.LINKED_TO:
                key = (e.entry_id, e.target_id, e.stop_id)
                self.joined |= {order_id: key for order_id in key if order_id}
                self.seen["bracket attached" if begin.command == CommandType.ATTACH else "bracket of an entry"] += 1
            elif e.type == EventType.TRADE:
                self._traded(e)
                house |= 6 in (e.maker, e.taker)
            elif e.type == EventType.TRIGGERED and e.order_id in self.joined and e.order_id != self.joined[e.order_id][0]:
                self._triggered(e, house)
                fired.append(self.joined[e.order_id])
            elif e.type == EventType.DONE and e.order_id in self.joined:
                self._done(e, fired)

    def _traded(self, e) -> None:
        for order_id in (e.maker_order_id, e.taker_order_id):
            key = self.joined.get(order_id)
            if key and order_id == key[1]:
                self.took.add(key)

    def _triggered(self, e, house: bool) -> None:
        key = self.joined[e.order_id]
        if e.kind == TriggerKind.NO_TRIGGER:
            self.seen["target placed"] += 1
            return
        self.seen["stop fires" if e.order_id == key[2] else "dormant target fires"] += 1
        self.seen["child fires after its sibling has traded"] += key in self.took and e.order_id == key[2]
        self.seen["child fires after a trade of the house"] += house

    def _done(self, e, fired: list) -> None:
        key = self.joined.pop(e.order_id)
        part = "entry" if e.order_id == key[0] else "child"
        self.seen[f"{part} ends {Ending(e.ending).name}"] += 1
        self.seen["entry liquidated after its target has traded"] += (
            part == "entry" and e.ending == Ending.LIQUIDATED and key in self.took
        )
        self.seen["sibling fires"] += e.ending == Ending.SIBLING_FIRED


RARE = (
    "bracket attached", "bracket of an entry", "target placed", "stop fires", "dormant target fires", "child ends FILLED",
    "child ends SIBLING_FIRED", "child ends BRACKET_DONE", "entry ends BRACKET_DONE", "child ends POSITION_CLOSED",
    "child ends LIQUIDATED", "child ends REDUCE_ONLY_CUT", "child ends MASS_CANCELLED", "child ends DISCONNECTED",
    "child ends SELF_TRADE", "child ends DELISTED",
)  # fmt: skip
"""What a stream of 100,000 commands has to reach; test_brackets.py plays what is rarer."""
