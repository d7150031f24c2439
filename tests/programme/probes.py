"""Rare states, named and counted: a stream that never meets them shows nothing about them (layer 25).

Owns the names, and how each is seen in the events of one command, so that counting costs the core nothing. `SHAPES` are seeds
of the generator that meet all of them between them; `python tests/programme/probes.py --choose` finds such seeds anew.
"""

import copy
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from programme.streams import exchange_of
from solvent import Instrument
from solvent.codes import Code
from solvent.records import CommandType, Ending, EventType, Flag, Purse
from solvent.schema.layouts import CONTINUED, EVENT
from solvent.schema.words import Listing, ParcelChange, Posting, SourceState, Verdict
from support.generator import Generator

E = EventType
SIDE, ACCOUNT, INSTRUMENT, CODE, REASON = 2, 3, 4, 5, 6
A, B, C, D, F = 8, 9, 10, 11, 12  # the payload; F is the fifth
ENOUGH = 100  # times that `make deep` has to meet each state
EVERY = 10  # commands between two moments from which a history may go another way
UNSEEN = {"source MISSING", "verdict SAFE", "listing TRADING"}  # said by no event, or where nothing rare is

WORDS = {
    E.LEDGER: ("posting", Posting), E.DONE: ("ending", Ending), E.PARCEL: ("parcel", ParcelChange),
    E.SOURCE_CHANGED: ("source", SourceState), E.LISTING_CHANGED: ("listing", Listing), E.LIQUIDATION: ("verdict", Verdict),
}  # fmt: skip
SIMPLE = {f"{word} {each.name}" for word, words in WORDS.values() for each in words} - UNSEEN - {"ending AMENDED"}
STATES = {
    "the fund is exactly empty", "a deficit begins", "a deficit is paid back whole", "isolated and cross in one command",
    "two takeovers in one command", "three takeovers in one command", "both legs of a hedge taken over",
    "takeover while a parcel rests", "parcels on both sides of an instrument", "four parcels at once",
    "funding and liquidation in one command", "liquidation as time passes", "expiry and trade in one command",
    "a trigger fires on a trade", "a fired order fires another", "three fired in one command", "a fired order liquidates",
    "a fired order is refused for margin", "an order by nobody's hand liquidates its owner", "deleveraged in pass 1",
    "deleveraged in pass 2", "deleveraged in pass 3", "deleveraging meets three", "deleveraging ends in a tie",
    "deleveraged, then liquidated", "a step-down fills in part", "two step-downs of one account", "a step-down, then all",
    "a step-down fills nothing", "a parcel fills in part and rests", "a parcel is sold by the house as taker",
    "a parcel meets a taker", "the fund pays for a parcel", "a parcel gains", "a trade meets four makers",
    "a position turns over", "an order is cut, not ended", "an order slides", "a close_position order rests",
    "netted, then taken over", "converted, and safe", "converted, and a shortfall", "funding pays less than is due",
    "funding leaves a residue", "two periods in one command", "settled with open positions", "settled with a parcel",
    "a contract expires as time passes", "a mark falls by a fifth", "a mark rises by a fifth",
    "a fee changes with a liquidation",
    "an index loses a source and goes on", "a liquidation of forty events", "an isolated shortfall", "a self-trade decrements",
    "a tier is given up", "an order of the house is deleveraged away", "a clearing makes it safe",
}  # fmt: skip
NAMES = sorted(SIMPLE | STATES)


class Probes:
    """Follows one stream: what is open in the books, and which states a command met."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self.parcels: dict[int, tuple[int, int]] = {}  # id: instrument, lots
        self.resting: set[int] = set()  # orders of the house in the book
        self.sizes: Counter[tuple[int, int, int]] = Counter()
        self.tiers: Counter[tuple[int, int, int]] = Counter()  # chosen ones
        self.marks: dict[int, int] = {}
        self.deficits: Counter[int] = Counter()

    def follow(self, data: bytes | memoryview) -> None:
        """The events of one command."""
        rows = [row for row in EVENT.iter_unpack(data) if row[0] != CONTINUED and row[0] in E.__members__.values()]
        kinds, found = [row[0] for row in rows], set()
        for row in rows:
            if row[0] in WORDS:
                word, words = WORDS[E(row[0])]
                found.add(f"{word} {words(row[REASON]).name}")
        self.of_liquidations(rows, kinds, found)
        self.of_orders(rows, kinds, found)
        self.of_venue(rows, kinds, found)
        self.met.update(found & set(NAMES))

    def of_liquidations(self, rows: list, kinds: list[int], found: set[str]) -> None:
        taken = [row for row in rows if row[0] == E.TAKEOVER]
        judged = [row for row in rows if row[0] == E.LIQUIDATION]
        if {row[SIDE] for row in judged} == {0, 1}:
            found.add("isolated and cross in one command")
        if len(taken) > 1:
            found.add("two takeovers in one command")
        if len(taken) > 2:
            found.add("three takeovers in one command")
        legs = {(row[ACCOUNT], row[INSTRUMENT], row[CODE]) for row in taken}
        if any((*who, 2) in legs for *who, leg in legs if leg == 1):
            found.add("both legs of a hedge taken over")
        if taken and self.resting:
            found.add("takeover while a parcel rests")
        if judged and len(rows) > 40:
            found.add("a liquidation of forty events")
        if E.NETTED in kinds and E.TAKEOVER in kinds[kinds.index(E.NETTED) :]:
            found.add("netted, then taken over")
        partial = {row[ACCOUNT] for row in judged if row[REASON] == Verdict.PARTIAL}
        if any(row[REASON] == Verdict.FULL and row[ACCOUNT] in partial for row in judged):
            found.add("a step-down, then all")
        if (
            judged
            and len(judged) == 1
            and {row[REASON] for row in rows if row[0] == E.DONE} == {Ending.LIQUIDATED}
            and not taken
        ):
            found.add("a clearing makes it safe")
        self.of_steps(rows, found)
        self.of_deleveraging(rows, found)
        self.of_parcels(rows, found)
        self.of_money(rows, found)

    def of_steps(self, rows: list, found: set[str]) -> None:
        stepped = [(at, row) for at, row in enumerate(rows) if row[0] == E.STEP_DOWN]
        if max(Counter(row[ACCOUNT] for _, row in stepped).values(), default=0) > 1:
            found.add("two step-downs of one account")
        for at, row in stepped:
            done = next((each for each in rows[at:] if each[0] == E.DONE and each[ACCOUNT] == row[ACCOUNT]), None)
            if done and done[B] and done[C]:
                found.add("a step-down fills in part")
            if done and not done[C]:
                found.add("a step-down fills nothing")

    def of_deleveraging(self, rows: list, found: set[str]) -> None:
        passed = [row for row in rows if row[0] == E.ADL]
        for row in passed:
            found.add(f"deleveraged in pass {row[REASON]}")
        if max(Counter(row[A] for row in passed).values(), default=0) > 2:
            found.add("deleveraging meets three")
        pairs = zip(passed, passed[1:], strict=False)
        if any((one[A], one[D], one[REASON]) == (two[A], two[D], two[REASON]) for one, two in pairs):
            found.add("deleveraging ends in a tie")
        seen: set[int] = set()
        for row in rows:
            if row[0] == E.ADL:
                seen.add(row[ACCOUNT])
            if row[0] == E.LIQUIDATION and row[ACCOUNT] in seen:
                found.add("deleveraged, then liquidated")
            if row[0] == E.ADL and row[ACCOUNT] == Purse.HOUSE and self.resting:
                found.add("an order of the house is deleveraged away")

    def of_parcels(self, rows: list, found: set[str]) -> None:
        for row in rows:
            if row[0] == E.PARCEL:
                if row[B]:
                    self.parcels[row[A]] = row[INSTRUMENT], row[B]
                    self.of_siblings(found)
                else:
                    self.parcels.pop(row[A], None)
                if row[REASON] == ParcelChange.FILLED_BY_BOOK and row[B]:
                    found.add("a parcel fills in part and rests")
                if row[F] > 0:
                    found.add("a parcel gains")
            if row[0] == E.RESTED and row[ACCOUNT] == Purse.HOUSE:
                self.resting.add(row[A])
            if row[0] in (E.DONE,) and row[ACCOUNT] == Purse.HOUSE:
                self.resting.discard(row[A])
            if row[0] == E.TRADE and row[ACCOUNT] == Purse.HOUSE:
                found.add("a parcel is sold by the house as taker")
            if row[0] == E.TRADE and row[F] == Purse.HOUSE:
                found.add("a parcel meets a taker")

    def of_siblings(self, found: set[str]) -> None:
        sides = {(instrument, lots > 0) for instrument, lots in self.parcels.values()}
        if any((instrument, not long) in sides for instrument, long in sides):
            found.add("parcels on both sides of an instrument")
        if len(self.parcels) > 3:
            found.add("four parcels at once")

    def of_money(self, rows: list, found: set[str]) -> None:
        converted = any(row[0] == E.LEDGER and row[REASON] == Posting.CONVERTED for row in rows)
        short = [row for row in rows if row[0] == E.LEDGER and row[REASON] == Posting.SHORTFALL]
        for row in rows:
            if row[0] != E.LEDGER:
                continue
            if row[ACCOUNT] == Purse.FUND and row[C] == 0:
                found.add("the fund is exactly empty")
            if row[ACCOUNT] == Purse.FUND and row[REASON] == Posting.PARCEL_LOSS:
                found.add("the fund pays for a parcel")
            for who, after in ((row[ACCOUNT], row[C]), (row[A], row[D])):
                if who == Purse.DEFICIT:
                    if self.deficits[row[CODE]] == 0 and after < 0:
                        found.add("a deficit begins")
                    if self.deficits[row[CODE]] < 0 and after == 0:
                        found.add("a deficit is paid back whole")
                    self.deficits[row[CODE]] = after
        if converted:
            found.add("converted, and a shortfall" if short else "converted, and safe")
        if any(row[SIDE] & 3 for row in short):
            found.add("an isolated shortfall")

    def of_orders(self, rows: list, kinds: list[int], found: set[str]) -> None:
        fired = [at for at, kind in enumerate(kinds) if kind == E.TRIGGERED]
        if fired and E.TRADE in kinds[: fired[0]]:
            found.add("a trigger fires on a trade")
        if len(fired) > 1 and E.TRADE in kinds[fired[0] : fired[-1]]:
            found.add("a fired order fires another")
        if len(fired) > 2:
            found.add("three fired in one command")
        if fired and E.LIQUIDATION in kinds[fired[0] :]:
            found.add("a fired order liquidates")
            owners = {rows[at][ACCOUNT] for at in fired}
            if any(row[0] == E.LIQUIDATION and row[ACCOUNT] in owners for row in rows[fired[0] :]):
                found.add("an order by nobody's hand liquidates its owner")
        makers = Counter((row[ACCOUNT], row[B]) for row in rows if row[0] == E.TRADE)
        if max(makers.values(), default=0) > 3:
            found.add("a trade meets four makers")
        for row in rows:
            self.of_order(row, E.LIQUIDATION in kinds, found)
        done = {row[REASON] for row in rows if row[0] == E.DONE}
        if Ending.EXPIRED in done and E.TRADE in kinds:
            found.add("expiry and trade in one command")

    def of_order(self, row: tuple[int, ...], liquidates: bool, found: set[str]) -> None:
        if row[0] == E.POSITION:
            key = row[ACCOUNT], row[INSTRUMENT], row[CODE]
            if self.sizes[key] * row[A] < 0:
                found.add("a position turns over")
            if liquidates and self.tiers[key] and not row[REASON]:
                found.add("a tier is given up")
            self.tiers[key] = row[REASON]
            self.sizes[key] = row[A]
        if row[0] == E.REDUCED and row[REASON] == Ending.REDUCE_ONLY_CUT:
            found.add("an order is cut, not ended")
        if row[0] == E.REDUCED and row[REASON] == Ending.SELF_TRADE:
            found.add("a self-trade decrements")
        if row[0] == E.ACCEPTED and row[CODE] & Flag.SLIDE:
            found.add("an order slides")
        if row[0] == E.ACCEPTED and row[CODE] & Flag.CLOSE_POSITION and not row[CODE] & Flag.MARKET:
            found.add("a close_position order rests")
        if row[0] == E.DONE and row[REASON] == Ending.TRIGGER_REFUSED and row[CODE] == Code.INSUFFICIENT_MARGIN:
            found.add("a fired order is refused for margin")

    def of_venue(self, rows: list, kinds: list[int], found: set[str]) -> None:
        funded = [row for row in rows if row[0] == E.FUNDED]
        if funded and E.LIQUIDATION in kinds:
            found.add("funding and liquidation in one command")
        if E.PASSED in kinds and E.LIQUIDATION in kinds[: kinds.index(E.PASSED)]:
            found.add("liquidation as time passes")
        if max(Counter(row[INSTRUMENT] for row in funded).values(), default=0) > 1:
            found.add("two periods in one command")
        if any(0 < row[D] < row[F] for row in funded):
            found.add("funding pays less than is due")
        if any(row[C] > row[D] > 0 for row in funded):
            found.add("funding leaves a residue")
        if E.FEE_CHANGED in kinds and E.LIQUIDATION in kinds:
            found.add("a fee changes with a liquidation")
        if any(row[0] == E.SOURCE_CHANGED and row[REASON] in (2, 3) for row in rows) and E.INDEXED in kinds:
            found.add("an index loses a source and goes on")
        for at, row in enumerate(rows):
            if row[0] == E.MARKED:
                before = self.marks.get(row[INSTRUMENT], row[A])
                if 5 * row[A] <= 4 * before:
                    found.add("a mark falls by a fifth")
                if 5 * before <= 4 * row[A]:
                    found.add("a mark rises by a fifth")
                self.marks[row[INSTRUMENT]] = row[A]
            if row[0] == E.LISTING_CHANGED and row[REASON] == Listing.CLOSED:
                if any(each[0] == E.LEDGER and each[REASON] == Posting.SETTLED for each in rows):
                    found.add("settled with open positions")
                if any(each[0] == E.PARCEL and each[REASON] == ParcelChange.CLOSED_BY_SETTLEMENT for each in rows):
                    found.add("settled with a parcel")
                if E.PASSED in kinds[at:]:
                    found.add("a contract expires as time passes")


def shape_of(seed: int) -> Generator:
    """The shape of a seed; below zero one with the commands of `wide`, too."""
    return Generator(seed) if seed >= 0 else Generator(~seed, wide=True)


class History:
    """A shape on the core as it is played: the exchange, who draws the next command, and what was met."""

    def __init__(self, seed: int):
        self.generator = shape_of(seed)
        self.ex = exchange_of(self.generator)
        self.opening, self.probes = list(self.generator.opening())[::-1], Probes()

    def draw(self) -> tuple[bytes, Instrument]:
        """The next command, and the instrument that it would add if it adds one."""
        record = self.opening.pop() if self.opening else self.generator.next(self.ex._kernel)
        return record, self.generator.candidate

    def play(self, record: bytes, candidate: Instrument) -> set[str]:
        """One command; the states that it met."""
        kernel, before = self.ex._kernel, Counter(self.probes.met)
        self.ex.venue.coming = self.generator.candidate = candidate
        begin = kernel.next_seq
        if (kernel.apply(record), record[0]) == (0, CommandType.ADD_INSTRUMENT):
            self.generator.added()
        self.probes.follow(kernel.view(begin, kernel.next_seq))
        return set(self.probes.met - before)

    def fork(self) -> "History":
        other = copy.copy(self)
        other.ex, other.generator, other.probes = self.ex.fork(), copy.deepcopy(self.generator), copy.deepcopy(self.probes)
        other.opening = list(self.opening)
        return other


def stream(seed: int, commands: int = 1_000) -> Counter[str]:
    """One shape on the core: which states it met, and how often."""
    history = History(seed)
    for _ in range(commands):
        history.play(*history.draw())
    history.ex.check()
    return Counter(commands=commands) + history.probes.met


@cache
def moments(shape: int, commands: int = 1_000) -> tuple[list[History], list[tuple[bytes, Instrument]], dict[str, list[int]]]:
    """A shape as it was before every tenth command, its commands, and which of them met each state."""
    history, before, played, met = History(shape), [], [], {}
    for n in range(commands):
        if n % EVERY == 0:
            before.append(history.fork())
        played.append(history.draw())
        for name in history.play(*played[-1]):
            met.setdefault(name, []).append(n)
    return before, played, met


def around(seed: int, tries: int = 40) -> Counter[str]:
    """Histories that are nearly those which met a rare state: a few other commands come between, and others follow."""
    r, count = Random(seed), Counter()
    for _ in range(tries):
        name = r.choice(KNOWN)
        shape, where = r.choice([(shape, n) for shape in SHAPES for n in moments(shape)[2].get(name, ())])
        before, played, _ = moments(shape)
        begin = max(0, where // EVERY - r.randrange(3))
        history = before[begin].fork()
        history.generator.random.seed(r.random())
        history.generator.more.seed(r.random())
        history.probes.met.clear()
        commands = 0
        for record, candidate in played[begin * EVERY : where + 1]:
            for _ in range(r.choice((0, 0, 0, 0, 0, 0, 0, 1, 2))):
                history.play(*history.draw())
                commands += 1
            time_ns = max(history.ex.time_ns, int.from_bytes(record[16:24], "little"))
            history.play(record[:16] + time_ns.to_bytes(8, "little") + record[24:], candidate)
            commands += 1
        for _ in range(EVERY):
            history.play(*history.draw())
        history.ex.check()
        count += Counter(commands=commands + EVERY) + history.probes.met
    return count


def both(seed: int) -> Counter[str]:
    """What a batch does: one shape, every other one wide, and histories around the moments of the chosen ones."""
    return stream(seed if seed % 2 else ~seed) + around(seed)


def scarce(counts: Counter[str]) -> str:
    """What `make deep` misses: states that were met fewer than a hundred times."""
    few = {name: counts[name] for name in NAMES if counts[name] < ENOUGH and name not in RARER}
    return f"met fewer than {ENOUGH} times: {few}" if few else ""


def choose(seeds: Iterable[int]) -> list[int]:
    """Few seeds that meet every state, the richest first."""
    met = {seed: set(stream(seed)) & set(NAMES) for seed in seeds}
    chosen, left = [], set().union(*met.values())
    print("never met:", sorted(set(NAMES) - left))
    while left:
        best = max(met, key=lambda seed: len(met[seed] & left))
        chosen.append(best)
        left -= met[best]
    return chosen


SHAPES = (179, 3, 194, 29, 168, 110, 124, 11, 117, 1043, 1222, 1256, 1360, -1, -2, -4, -5, -9)
RARER = {"converted, and a shortfall", "ending SIBLING_FIRED", "ending BRACKET_DONE"}
"""What no chosen shape met: the streams with brackets count the last two (support/linked_orders.py), campaigns the first."""
KNOWN = [name for name in NAMES if name not in RARER]

if __name__ == "__main__":
    print(choose(range(int(sys.argv[-1]) if sys.argv[-1].isdigit() else 600)))
