"""Named rare states of liquidations, counted in the events of whole commands.

Owns what each name means. Reads events and the terms of instruments, never a kernel's state, so any stream can be counted.
"""

from collections import Counter, defaultdict

from solvent.records import CommandType, Ending, EventType, Mode, ParcelChange, Posting, Purse, Verdict
from solvent.schema.words import Basis

RARE = (
    "isolated takeover", "cross takeover", "cross takeover of several positions", "takeover of a hedge's leg",
    "takeover of a short", "takeover below zero equity", "takeover without a legal price",
    "takeover while a parcel is unwound", "two parcels in one command", "parcels of both sides at once",
    "step-down that fills", "step-down that finds nobody", "step-down, then takeover", "step-down from tier 5 or above",
    "orders cancelled, and that is enough", "netted, and that is enough", "netted, then takeover",
    "collateral converted, then takeover", "equity exactly zero", "a dormant order is taken back", "parcel rests",
    "parcel trades at once", "parcel met by an order later", "parcel sold while the fund pays",
    "fund, then ADL for the rest", "fund exactly zero", "deficit pays for a parcel", "deficit repaid by a parcel",
    "deficit repaid by a seeding", "ADL of a sound winner", "ADL of a parcel of the other side", "ADL in the last pass",
    "ADL tie", "ADL of several for a parcel", "ADL takes back orders", "ADL closes all of a position", "ADL leaves a part",
    "ADL tops up", "fund covers a wallet", "deficit covers a wallet", "funding and liquidation at one instant",
    "liquidation as time passes", "liquidation by an index", "liquidation after an order", "several accounts in one command",
    "one account twice in one command", "house meets house", "parcel settled with its instrument",
    "trigger fires after a trade of the house", "position exactly at a tier's top",
)  # fmt: skip

_PRICES = (CommandType.MARK, CommandType.INDEX, CommandType.SOURCE, CommandType.FUNDING, CommandType.SETTLE)


class RareStates:
    """Counts the states of RARE. Feed it the events of whole commands."""

    def __init__(self, instruments, seen: Counter):
        self.instruments, self.seen = instruments, seen
        self.sizes: dict[int, tuple[int, int]] = {}  # open parcels: instrument, size
        self.dormant: set[int] = set()
        self.modes: dict[tuple[int, int, int], int] = {}

    def follow(self, events) -> None:
        """Counts what happens in one command."""
        begin, kinds = events[0], defaultdict(list)
        for e in events:
            kinds[e.type].append(e)
        before = dict(self.sizes)
        self._orders(events)
        self._domains(kinds, events)
        self._parcels(begin, kinds, before, events)
        self._purses(begin, kinds)
        self._causes(begin, kinds, events)

    def _see(self, name: str, times: int | bool = True) -> None:
        self.seen[name] += int(times)

    def _orders(self, events) -> None:
        for e in events:
            if e.type == EventType.ACCEPTED and e.extra[:1] and e.size_lots == 0:
                self.dormant.add(e.order_id)
            elif e.type == EventType.TRIGGERED:
                self.dormant.discard(e.order_id)
            elif e.type == EventType.DONE:
                self._see("a dormant order is taken back", e.ending == Ending.LIQUIDATED and e.order_id in self.dormant)
                self._see("ADL takes back orders", e.ending == Ending.DELEVERAGED)
                self.dormant.discard(e.order_id)
            elif e.type == EventType.POSITION:
                self.modes[e.account, e.instrument, e.leg] = e.mode
                spec = self.instruments()[e.instrument].spec
                tops = {tier[0] for tier in spec.tiers[:-1]} if spec.basis == Basis.CONTRACTS else set()
                self._see("position exactly at a tier's top", abs(e.size_lots) in tops)

    def _domains(self, kinds, events) -> None:
        verdicts, taken = kinds[EventType.LIQUIDATION], kinds[EventType.TAKEOVER]
        for e in taken:
            self._see("isolated takeover" if e.mode == Mode.ISOLATED else "cross takeover")
            self._see("takeover of a hedge's leg", e.leg > 0)
            self._see("takeover of a short", e.size_lots < 0)
            top = self.instruments()[e.instrument].spec.max_price_ticks
            self._see("takeover without a legal price", not 1 <= e.bankruptcy_ticks <= top)
        for account in {e.account for e in verdicts}:
            mine = [e for e in verdicts if e.account == account]
            self._see("one account twice in one command", len({(e.currency, e.instrument, e.leg) for e in mine}) > 1)
            gone = [e for e in taken if e.account == account]
            self._see("cross takeover of several positions", sum(e.mode == Mode.CROSS for e in gone) > 1)
            stepped = [e for e in kinds[EventType.STEP_DOWN] if e.account == account]
            netted = [e for e in kinds[EventType.NETTED] if e.account == account]
            self._see("step-down, then takeover", bool(stepped and gone))
            self._see("netted, then takeover", bool(netted and gone))
            self._see("netted, and that is enough", bool(netted and not gone and not stepped))
            cancelled = any(e.account == account and e.ending == Ending.LIQUIDATED for e in kinds[EventType.DONE])
            self._see("orders cancelled, and that is enough", cancelled and not (gone or stepped or netted))
            converted = any(
                e.posting == Posting.CONVERTED and account in (e.payer, e.receiver) for e in kinds[EventType.LEDGER]
            )
            self._see("collateral converted, then takeover", converted and bool(gone))
        self._see("several accounts in one command", len({e.account for e in verdicts}) > 1)
        for e in verdicts:
            self._see("takeover below zero equity", e.verdict == Verdict.FULL and e.equity_units < 0)
            self._see("equity exactly zero", e.equity_units == 0)
        for e in kinds[EventType.STEP_DOWN]:
            self._see("step-down from tier 5 or above", e.tier >= 5)
            order = next((a for a in events if a.type == EventType.ACCEPTED and a.seq > e.seq), None)
            filled = order and any(t.taker_order_id == order.order_id for t in kinds[EventType.TRADE])
            self._see("step-down that fills" if filled else "step-down that finds nobody")

    def _parcels(self, begin, kinds, before, events) -> None:
        changes = defaultdict(set)
        for e in kinds[EventType.TAKEOVER]:
            self._see("takeover while a parcel is unwound", any(where == e.instrument for where, _ in before.values()))
        for e in kinds[EventType.PARCEL]:
            changes[e.parcel_id].add(e.change)
            self.sizes[e.parcel_id] = e.instrument, e.size_lots
            later = e.change == ParcelChange.FILLED_BY_BOOK and e.parcel_id in before
            self._see("parcel met by an order later", later and begin.command in (CommandType.ORDER, CommandType.AMEND))
            self._see("parcel sold while the fund pays", e.change == ParcelChange.FILLED_BY_FUND)
            self._see("parcel settled with its instrument", e.change == ParcelChange.CLOSED_BY_SETTLEMENT)
        for each in changes.values():
            self._see("parcel trades at once", {ParcelChange.TAKEN, ParcelChange.FILLED_BY_BOOK} <= each)
            self._see("fund, then ADL for the rest", {ParcelChange.FILLED_BY_FUND, ParcelChange.CLOSED_BY_ADL} <= each)
        self.sizes = {number: each for number, each in self.sizes.items() if each[1]}
        self._see("two parcels in one command", len(kinds[EventType.TAKEOVER]) > 1)
        signs = {(where, size > 0) for where, size in self.sizes.values()}
        self._see("parcels of both sides at once", any((where, not long) in signs for where, long in signs))
        self._see("parcel rests", any(e.account == Purse.HOUSE for e in kinds[EventType.RESTED]))
        self._see("house meets house", any(e.maker == e.taker == Purse.HOUSE for e in kinds[EventType.TRADE]))
        self._deleveraged(kinds, events)

    def _deleveraged(self, kinds, events) -> None:
        rounds = kinds[EventType.ADL]
        for e in rounds:
            self._see(("", "ADL of a sound winner", "ADL of a parcel of the other side", "ADL in the last pass")[e.adl_pass])
        users = [e for e in rounds if e.adl_pass != 2]
        for a, b in zip(users, users[1:], strict=False):
            self._see("ADL tie", (a.parcel_id, a.adl_pass, a.rank) == (b.parcel_id, b.adl_pass, b.rank))
            self._see("ADL of several for a parcel", a.parcel_id == b.parcel_id)
        for e in users:
            after = next(
                (p for p in events if p.type == EventType.POSITION and p.seq > e.seq and p.account == e.account), None
            )
            if after and after.instrument == e.instrument:
                self._see("ADL leaves a part" if after.size_lots else "ADL closes all of a position")

    def _purses(self, begin, kinds) -> None:
        for e in kinds[EventType.LEDGER]:
            pays = e.posting == Posting.PARCEL_LOSS
            self._see("fund exactly zero", pays and e.payer == Purse.FUND and e.payer_after == 0)
            self._see("deficit pays for a parcel", pays and e.payer == Purse.DEFICIT)
            repaid = e.posting == Posting.DEFICIT_REPAID
            self._see("deficit repaid by a parcel", repaid and e.payer == Purse.CLEARING)
            self._see("deficit repaid by a seeding", repaid and begin.command == CommandType.SEED_FUND)
            self._see("ADL tops up", e.posting == Posting.ADL_TOP_UP)
            covers = e.posting == Posting.SHORTFALL
            self._see("fund covers a wallet", covers and e.payer == Purse.FUND)
            self._see("deficit covers a wallet", covers and e.payer == Purse.DEFICIT)

    def _causes(self, begin, kinds, events) -> None:
        if kinds[EventType.LIQUIDATION]:
            self._see("funding and liquidation at one instant", bool(kinds[EventType.FUNDED]))
            first = kinds[EventType.LIQUIDATION][0].seq
            moved = any(e.seq < first for e in kinds[EventType.MARKED])
            self._see("liquidation as time passes", moved and begin.command not in _PRICES)
            self._see("liquidation by an index", begin.command in (CommandType.INDEX, CommandType.SOURCE))
            self._see("liquidation after an order", begin.command == CommandType.ORDER)
        house = False
        for e in events:
            house |= e.type == EventType.TRADE and Purse.HOUSE in (e.maker, e.taker)
            self._see("trigger fires after a trade of the house", house and e.type == EventType.TRIGGERED)
