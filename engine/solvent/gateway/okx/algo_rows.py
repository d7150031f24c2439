"""The serializer of algo orders: those that wait for a trigger, and those that waited.

Owns every key of the record and how it is written. Pure functions of the history's records and of what the kernel says of an
order that waits. Cost: O(1).
"""

from solvent.gateway.okx import pairs
from solvent.gateway.okx.fields import ms, ticks_text
from solvent.gateway.okx.listing import family_of, kind_of
from solvent.gateway.okx.private_rows import MODES, average_text, leverage_text, notional_text
from solvent.gateway.okx.public_rows import LEGS, SIDES, Row
from solvent.gateway.records import Order, State
from solvent.schema.words import Ending, Flag, Leg, Mode, Side, Source, TriggerKind
from solvent.terms.decimals import PPB, from_units, plain
from solvent.terms.instrument import Instrument

__all__ = ["algo_row"]


def _kind(order: Order, found: list[Order]) -> str:
    """Returns the venue's type of an algo order."""
    if order.asked.ord_type:
        return order.asked.ord_type
    return "move_order_stop" if order.trailing else "oco" if len(found) > 1 else "conditional"


def _closes_all(order: Order) -> bool:
    """True for an order that closes whatever there is."""
    bracket = order.bracket
    follows = bracket is not None and order.child and not bracket.entry_id and not bracket.size_lots
    return follows or bool(order.flags & Flag.CLOSE_POSITION)


def _linked(order: Order) -> str:
    """Returns the number of the target in the market that goes with a stop, "" for none."""
    target = order.bracket.target if order.bracket is not None and order.child else None
    limit = target is not None and not target.triggered and target.placed
    return str(target.order_id) if target is not None and limit else ""


def algo_row(terms: Instrument, order: Order, lots: int, trigger_ticks: int) -> Row:
    """Writes an algo order by the order whose number it has. lots, trigger_ticks: as they are while it waits."""
    found, tick, lot = pairs.legs(order), terms.tick_size, terms.lot_size
    kind, state = _kind(order, found), pairs.algo_state(order)
    fired = next((each for each in found if each.fired_ns), None)
    done, plainly = fired or order, kind == "trigger"
    trigger = ticks_text(trigger_ticks, tick) if trigger_ticks else ""
    failed = next((each.code for each in found if each.ending == Ending.TRIGGER_REFUSED), 0)
    whole = _closes_all(order)
    row: Row = {
        "activePx": ticks_text(order.activation_ticks, tick) if order.activation_ticks else "",
        "actualPx": average_text(done.value, done.filled_lots, tick),
        "actualSide": pairs.target_of(fired) if fired and kind in ("conditional", "oco") else "",
        "actualSz": ticks_text(done.filled_lots, lot), "algoClOrdId": order.client_id, "algoId": str(order.order_id),
        "amendPxOnTriggerType": "0", "attachAlgoOrds": pairs.attached_rows(terms, order), "cTime": ms(order.created_ns),
        "callbackRatio": plain(from_units(order.trail, PPB)) if order.trigger_kind == TriggerKind.TRAIL_RATE else "",
        "callbackSpread": ticks_text(order.trail, tick) if order.trigger_kind == TriggerKind.TRAIL_TICKS else "", "ccy": "",
        "clOrdId": order.client_id, "closeFraction": "1" if whole else "", "failCode": str(failed or 0),
        "instId": terms.name, "instType": kind_of(terms), "isTradeBorrowMode": "", "last": "",
        "lever": leverage_text(order.leverage), "linkedOrd": {"ordId": _linked(order)},
        "moveTriggerPx": trigger if order.trailing else "", "notionalUsd": notional_text(terms, lots, trigger_ticks),
        "ordId": str(done.order_id) if fired else "", "ordIdList": [str(done.order_id)] if fired else [],
        "ordPx": pairs.limit_text(terms, order) if plainly else "", "ordType": kind, "posSide": LEGS[Leg(order.leg)],
        "pxLimit": "", "pxSpread": "", "pxVar": "", "quickMgnType": "",
        "reduceOnly": "true" if order.flags & Flag.REDUCE_ONLY else "false", "reqId": "", "side": SIDES[Side(order.side)],
        "slOrdPx": "", "slTriggerPx": "", "slTriggerPxType": "", "state": state,
        "sz": ticks_text(lots, lot) if not whole or fired else "", "szLimit": "", "tag": order.asked.tag,
        "tdMode": MODES[Mode(order.mode)], "tgtCcy": "", "timeInterval": "", "tpOrdPx": "", "tpTriggerPx": "",
        "tpTriggerPxType": "", "tradeQuoteCcy": "", "triggerPx": trigger if plainly else "",
        "triggerPxType": pairs.PRICES[Source(order.trigger_source)] if plainly else "",
        "triggerTime": ms(done.fired_ns) if fired else "", "uTime": ms(max(each.updated_ns for each in found)),
        "uly": family_of(terms),
    }  # fmt: skip
    for each in found if kind in ("conditional", "oco") else []:
        if state != "live" or each.state != State.CANCELLED:
            row |= pairs.watched(terms, each)
    return row
