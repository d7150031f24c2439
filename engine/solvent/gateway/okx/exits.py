"""Targets and stops as OKX clients ask for them: attached to an order, or as a pair of their own; how they are changed.

Owns the reading of their fields and the codes of a price on the wrong side. Never sends anything. Cost: O(1) a child.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from solvent.gateway.okx import pairs
from solvent.gateway.okx.codes import Refusal
from solvent.gateway.okx.fields import Fields, number, one_of, text
from solvent.gateway.records import Asked, Order
from solvent.terms.decimals import to_units
from solvent.terms.exits import Exit
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import Trigger

__all__ = [
    "SOURCES", "Exits", "attached_changes", "attached_items", "changes_of", "exit_changes", "limit_of", "price_of",
    "read_exits",
]  # fmt: skip

_AT_MARKET = "-1"
SOURCES = ("last", "mark", "index")
_LEGS = {"tp": "Tp", "sl": "Sl"}
_TOP_LEVEL = ("tpTriggerPx", "slTriggerPx")
_UNSERVED = ("tpTriggerRatio", "slTriggerRatio", "callbackRatio", "callbackSpread", "activePx")
_ATTACHED = {  # by what the prices are compared with, side, and which of both is wrong
    ("limit", "buy", "tp"): "51046", ("limit", "buy", "sl"): "51047", ("limit", "sell", "tp"): "51048",
    ("limit", "sell", "sl"): "51049", ("market", "buy", "tp"): "51050", ("market", "buy", "sl"): "51051",
    ("market", "sell", "tp"): "51052", ("market", "sell", "sl"): "51053",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exits:
    """Holds a target and a stop as the exchange takes them, and what shall be remembered of both."""

    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    children: tuple[Asked, ...] = ()

    def check(self, kind: str, side: str, reference: Decimal | None) -> None:
        """Raises Refusal for a price of an exit on the wrong side of its entry. kind: "limit" or "market", which reference it
        is; None checks nothing."""
        for word, found in (("tp", self.take_profit), ("sl", self.stop_loss)):
            price = price_of(found)
            above = (side == "buy") == (word == "tp")
            if reference is not None and price is not None and (price <= reference if above else price >= reference):
                raise Refusal(_ATTACHED[kind, side, word])


def price_of(found: Exit | None) -> Decimal | None:
    """Returns the price of an exit: its trigger, or the limit of a target without one."""
    first = found[0] if isinstance(found, tuple) else found
    price = first.price if isinstance(first, Trigger) else first
    return None if price is None else Decimal(price)


def limit_of(fields: Fields, name: str) -> Decimal | None:
    """Returns the limit of an order with a trigger; None for -1, the market."""
    return None if text(fields, name, _AT_MARKET) == _AT_MARKET else number(fields, name)


def _exit(fields: Fields, of: str) -> Exit | None:
    """Returns the target ("tp") or the stop ("sl") that fields ask for. Raises Refusal(51000, 50014)."""
    if of == "tp" and one_of(fields, "tpOrdKind", ("condition", "limit"), "condition") == "limit":
        if (limit := limit_of(fields, "tpOrdPx")) is None:
            raise Refusal("50014", "tpOrdPx")
        return limit
    price = number(fields, f"{of}TriggerPx")
    if price is None:
        return None
    make = Trigger.take_profit if of == "tp" else Trigger.stop
    trigger, limit = make(price, by=one_of(fields, f"{of}TriggerPxType", SOURCES, "last")), limit_of(fields, f"{of}OrdPx")
    return trigger if limit is None else (trigger, limit)


def attached_items(fields: Fields) -> list[Fields]:
    """Returns the objects of attachAlgoOrds; the order itself if it has a trigger at its top level. Raises Refusal(51000)."""
    found: Any = fields.get("attachAlgoOrds") or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Refusal("51000", "attachAlgoOrds")
    return found or [{**fields, "attachAlgoClOrdId": ""}] * any(text(fields, name) for name in _TOP_LEVEL)


def read_exits(items: Iterable[tuple[str, Fields]], tag: str) -> Exits:
    """Returns what objects ask for, each with the sender's name for it. Raises Refusal for more than a target and a stop."""
    exits: dict[str, Exit] = {}
    asked: dict[str, Asked] = {}
    for name, item in items:
        if unserved := next((each for each in _UNSERVED if text(item, each)), None):
            raise Refusal("51000", message=f"attachAlgoOrds: {unserved} is not served; give tpTriggerPx or slTriggerPx")
        found = {of: value for of in ("tp", "sl") if (value := _exit(item, of)) is not None}
        if not found:
            raise Refusal("50015", "tpTriggerPx or slTriggerPx")
        if found.keys() & exits.keys():
            raise Refusal("51000", message="attachAlgoOrds: one target and one stop are served; split targets are not")
        paired = len(found) == 2 and not isinstance(found["tp"], Decimal)
        kind = "oco" if paired else "conditional"
        for of in found:
            unnamed = of == "tp" and len(found) == 2 and not paired  # an order of its own, and the stop has the name
            asked[of] = Asked(kind, tag, of, "" if unnamed else name, second=paired and of == "sl")
        exits |= found
    return Exits(exits.get("tp"), exits.get("sl"), tuple(asked[of] for of in ("tp", "sl") if of in asked))


# --- changes


def changes_of(
    terms: Instrument, order: Order, size: Decimal | None, limit: str, trigger: Decimal | None
) -> list[dict[str, Any]]:
    """Returns how an order is changed, as the desk takes it: nothing for what it has already. limit: as sent, "" for none."""
    change: dict[str, Any] = {}
    price = None if limit in ("", _AT_MARKET) else number({"px": limit}, "px")
    if order.triggered and not order.placed and limit and (limit == _AT_MARKET) != order.market:
        raise Refusal("51000", message="newOrdPx: an order at market stays one, and so does one with a limit; place it anew")
    if size is not None and to_units(size, terms.lot_size, "sz") != order.size_lots:
        change["size"] = size
    if price is not None and to_units(price, terms.tick_size, "px") != order.price_ticks:
        change["price"] = price
    found = [{"order_id": order.order_id, **change}] if change else []
    if trigger is not None:
        ticks = to_units(trigger, terms.tick_size, "trigger")
        if ticks is not None and ticks <= 0:
            raise Refusal("51000", "newTriggerPx")
        if ticks != order.trigger_ticks:
            found.append({"order_id": order.order_id, "trigger": trigger})
    return found


def exit_changes(terms: Instrument, order: Order, fields: Fields, size: Decimal | None, prefix: str) -> list[dict[str, Any]]:
    """Returns how a target, a stop or a trigger order is changed. prefix: "Tp", "Sl" or "". A trigger of 0 takes it away."""
    source = text(fields, f"new{prefix}TriggerPxType")
    trigger, limit = number(fields, f"new{prefix}TriggerPx"), text(fields, f"new{prefix}OrdPx")
    if trigger is not None and trigger == 0 and prefix:
        return [{"order_id": order.order_id}]
    if source and trigger is not None and source != pairs.PRICES.get(order.trigger_source):  # type: ignore[call-overload]
        raise Refusal("51000", message=f"new{prefix}TriggerPxType: what is watched stays; cancel the order and place it anew")
    return changes_of(terms, order, size, limit, trigger)


def attached_changes(terms: Instrument, entry: Order, fields: Fields) -> list[dict[str, Any]]:
    """Returns how the children of an entry are changed: by attachAlgoOrds, or by what stands at the top level."""
    items: Any = fields.get("attachAlgoOrds") or []
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise Refusal("51000", "attachAlgoOrds")
    found: list[dict[str, Any]] = []
    for item in items or [fields]:
        number_, name = text(item, "attachAlgoId"), text(item, "attachAlgoClOrdId")
        for of, prefix in _LEGS.items():
            if not text(item, f"new{prefix}TriggerPx") and not text(item, f"new{prefix}OrdPx"):
                continue
            children = entry.bracket.children if entry.bracket is not None and not entry.child else []
            child = next((each for each in children if pairs.target_of(each) == of and not each.ended), None)
            if child is None or number_ not in ("", str(pairs.head(child).order_id)) or name not in ("", child.client_id):
                raise Refusal("51000", message=f"attachAlgoOrds: the order has no such {of}, and cannot be given one")
            found += exit_changes(terms, child, item, None, prefix)
    return found
