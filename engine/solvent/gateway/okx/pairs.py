"""Targets and stops as OKX names them: which orders one algo order stands for, and how they look on their entry.

Owns the number of an algo order: that of its order, for a pair with one name that of its target. Pure functions of the
history's records. Cost: O(1).
"""

from solvent.gateway.okx.fields import ticks_text
from solvent.gateway.okx.public_rows import Row
from solvent.gateway.records import Order, State
from solvent.schema.words import Ending, Source, TriggerKind
from solvent.terms.instrument import Instrument

__all__ = ["algo_state", "attached_rows", "head", "legs", "limit_text", "target_of", "watched"]

PRICES = {Source.BY_LAST: "last", Source.BY_MARK: "mark", Source.BY_INDEX: "index"}


def legs(order: Order) -> list[Order]:
    """Returns the orders of an algo order: target and stop if they go by one name, else the order alone.

    A target without a trigger is an order of its own, as soon as it is placed, and its stop an algo order.
    """
    bracket = order.bracket
    if bracket is None or not order.child or bracket.target is None or bracket.stop is None:
        return [order]
    apart = not bracket.target.triggered or bracket.target.asked.ord_type == "conditional"
    return [order] if apart else bracket.children


def head(order: Order) -> Order:
    """Returns the order whose number an algo order has."""
    return legs(order)[0]


def algo_state(order: Order) -> str:
    """Returns how far an algo order has come: live, effective, canceled or order_failed."""
    found = legs(order)
    if any(each.ending == Ending.TRIGGER_REFUSED for each in found):
        return "order_failed"
    if any(each.fired_ns for each in found):
        return "effective"
    return "live" if any(each.state == State.DORMANT for each in found) else "canceled"


def target_of(order: Order) -> str:
    """Returns "tp" for a target and "sl" for a stop."""
    if order.asked.target:
        return order.asked.target
    limit = order.bracket is not None and order.bracket.target is not None and order.bracket.target.order_id == order.order_id
    return "tp" if limit or order.trigger_kind == TriggerKind.TAKE_PROFIT else "sl"


def limit_text(terms: Instrument, order: Order) -> str:
    """Writes the limit of an order with a trigger, -1 for the market."""
    return "-1" if order.market else ticks_text(order.price_ticks, terms.tick_size)


def watched(terms: Instrument, order: Order) -> Row:
    """Writes trigger and limit of a target or a stop, with what it watches."""
    of = target_of(order)
    trigger = ticks_text(order.trigger_ticks, terms.tick_size) if order.triggered else ""
    return {
        f"{of}OrdPx": limit_text(terms, order), f"{of}TriggerPx": trigger,
        f"{of}TriggerPxType": PRICES[Source(order.trigger_source)] if order.triggered else "",
    }  # fmt: skip


def attached_rows(terms: Instrument, order: Order) -> list[Row]:
    """Writes what an order has brought: a row for each algo order that its children are, or will be."""
    bracket = order.bracket
    if bracket is None or order.child:
        return []
    rows = []
    for first in dict.fromkeys(head(each).order_id for each in bracket.children):
        found = next(legs(each) for each in bracket.children if each.order_id == first)
        row: Row = {
            "amendPxOnTriggerType": "0", "attachAlgoClOrdId": found[0].client_id, "attachAlgoId": str(first), "failCode": "",
            "failReason": "", "slOrdPx": "", "slTriggerPx": "", "slTriggerPxType": "", "slTriggerRatio": "", "sz": "",
            "tpOrdKind": "", "tpOrdPx": "", "tpTriggerPx": "", "tpTriggerPxType": "", "tpTriggerRatio": "",
        }  # fmt: skip
        for each in found:
            row |= watched(terms, each)
            if target_of(each) == "tp":
                row["tpOrdKind"] = "condition" if each.triggered else "limit"
        rows.append(row)
    return rows
