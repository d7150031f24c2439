"""ORD-8 from events alone: the children of a bracket close no more than their entry has filled, and never the next position.

Owns what each bracket has filled and closed. Cost: O(1) an event, O(brackets) a close.
"""

from dataclasses import dataclass

from solvent.schema.events import Event
from solvent.schema.words import Arm, CommandType, Ending, Side
from solvent.terms.order_words import TRANSITIONS
from solvent.witness.rows import Audited, Key, Order
from solvent.witness.shapes import Shaped


@dataclass(slots=True)
class Joined:
    """Holds one bracket as its events tell it. stood: its children stood for lots when the last command ended."""

    key: Key
    side: int
    arm: int
    entry: int
    children: set[int]
    filled: int
    whole: int = 0
    closed: int = 0
    stood: bool = False

    @property
    def stands_for(self) -> int:
        if self.arm == Arm.WHEN_COMPLETE and self.entry:
            return 0
        return self.whole if self.filled and self.arm == Arm.AT_FIRST_FILL else self.filled


class Brackets(Shaped):
    """Checks brackets."""

    def __init__(self, exchange: Audited):
        super().__init__(exchange)
        self.joined: dict[int, Joined] = {}  # by order

    def _joins(self, holds: bool, e: object, what: str) -> None:
        self._hold(holds, e, what, "ORD-8")

    def _on_linked_to(self, e: Event) -> None:
        children, entry = {order_id for order_id in (e.target_id, e.stop_id) if order_id}, self.orders.get(e.entry_id)
        key, arm = (e.account, e.instrument, e.leg), Arm(e.arm)
        each = Joined(key, e.side, arm, e.entry_id, children, e.size_lots, entry.remaining if entry else e.size_lots)
        for order_id in children:
            child = self.orders[order_id]
            closes = child.reduces and not child.remaining and (child.key, child.side) == (key, e.side)
            self._joins(closes, e, "a child closes")
            child.status = TRANSITIONS[child.status, e.type]
            self.joined[order_id] = each
        alone = self._command == CommandType.ATTACH
        self._joins(bool(children) and bool(e.entry_id) != alone, e, "a bracket has children, and an entry unless attached")
        if entry:
            self._joins(entry.key == key and entry.side != e.side and not entry.reduces, e, "an entry opens")
            self.joined[e.entry_id] = each
        else:
            self._count(e, e.account, e.instrument)
            self._joins(arm == (Arm.AS_FILLED if e.size_lots else Arm.FOLLOWS), e, "a pair has a size, or follows")

    def _bracket_traded(self, e: Event, order_id: int) -> None:
        each = self.joined.get(order_id)
        if each is None:
            return
        if order_id == each.entry:
            each.filled += e.size_lots
        else:
            each.closed += e.size_lots
            self._joins(each.arm == Arm.FOLLOWS or each.closed <= each.stands_for, e, f"{each} closes too much")

    def _bracket_triggered(self, e: Event) -> None:
        each = self.joined.get(e.order_id)
        if each is None or e.order_id == each.entry:
            return
        left = abs(self.sizes[each.key]) if each.arm == Arm.FOLLOWS else each.stands_for - each.closed
        self._joins(e.size_lots <= left or not self._opposes(each), e, f"{left} lots are left to close")
        if e.kind:  # it fires
            self._joins(each.children == {e.order_id} and not each.entry, e, "its sibling and its entry end before it trades")
            del self.joined[e.order_id]

    def _opposes(self, each: Joined) -> bool:
        """True if there is a position that the children close."""
        return self.sizes[each.key] * (1 if each.side == Side.SELL else -1) > 0

    def _bracket_changed(self, e: Event, order: Order) -> None:
        """Checks what a resting child shows."""
        each = self.joined.get(e.order_id)
        if each and e.order_id != each.entry and each.arm != Arm.FOLLOWS and order.status != "dormant":
            self._joins(order.remaining <= each.stands_for - each.closed, e, f"{each} shows too much")

    def _bracket_sized(self, e: Event, lots: int, cut: int = 0) -> None:
        """Follows the whole size of an entry that is amended or cut."""
        each = self.joined.get(e.order_id)
        if each and e.order_id == each.entry:
            each.whole = lots or each.whole - cut

    def _bracket_done(self, e: Event, order: Order) -> None:
        each = self.joined.pop(e.order_id, None)
        if each is None:
            return
        if e.order_id == each.entry:
            each.entry = 0
            if each.arm == Arm.WHEN_COMPLETE and e.ending != Ending.FILLED:
                each.filled = 0
        each.children.discard(e.order_id)

    def _close_brackets(self, ended: dict[Key, int]) -> None:
        """Checks that no child is left that has nothing to close. ended: positions that have ended, by the side that closed
        them."""
        for order_id, each in self.joined.items():
            lots, follows = each.stands_for, each.arm == Arm.FOLLOWS
            if order_id == each.entry:
                self._joins(not each.closed or each.closed < lots or not lots, order_id, f"the entry of {each} outlives it")
                continue
            self._joins(follows or not each.closed or each.closed < lots, order_id, f"a child of {each} outlives it")
            self._joins(bool(each.entry or follows or lots), order_id, f"a child of {each} stands for nothing")
            self._joins(bool(each.entry) or self._opposes(each), order_id, f"a child of {each} outlives its position")
            left = each.stood and self.orders[order_id].status == "dormant" and ended.get(each.key) == each.side
            self._joins(not left, order_id, f"a child of {each} would close the next position")
        for each in self.joined.values():
            each.stood = each.arm == Arm.FOLLOWS or each.stands_for > 0
