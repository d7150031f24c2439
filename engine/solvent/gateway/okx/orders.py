"""Orders as OKX clients send them: what to place, amend and cancel, and how each item is answered.

Owns the reading of an order's fields and the codes of its refusals. Never keeps anything: ids, histories and money are the
desk's.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from solvent.gateway.desk import Desk, Place, Placed
from solvent.gateway.okx import pairs
from solvent.gateway.okx.codes import AMEND, CANCEL, PLACE, Refusal, said
from solvent.gateway.okx.exits import (
    SOURCES,
    Exits,
    attached_changes,
    attached_items,
    changes_of,
    exit_changes,
    limit_of,
    price_of,
    read_exits,
)  # fmt: skip
from solvent.gateway.okx.fields import Fields, flag, ms, number, one_of, text
from solvent.gateway.okx.listing import BASE_CODE
from solvent.gateway.okx.public_rows import Row
from solvent.gateway.records import Asked, Order, State
from solvent.schema.codes import Code, InputError, Rejected
from solvent.schema.layouts import NOBODY
from solvent.terms.exits import Exit
from solvent.terms.order_words import Trigger

__all__ = ["Orders"]

_TYPES = {"limit": "gtc", "post_only": "gtc", "market": "ioc", "optimal_limit_ioc": "ioc", "ioc": "ioc", "fok": "fok"}
_SELF_TRADE = {
    "": "cancel_maker",
    "cancel_maker": "cancel_maker",
    "cancel_taker": "cancel_taker",
    "cancel_both": "cancel_both",
}
_SIDES = ("buy", "sell")
_REACHED = {("sl", "buy"): "51278", ("sl", "sell"): "51280", ("tp", "buy"): "51277", ("tp", "sell"): "51279"}
ALGO_TYPES = ("conditional", "trigger", "oco", "move_order_stop")
Item = Callable[[int, Fields], Row]


class Orders:
    """Reads and does what one item of a trading request asks for."""

    def __init__(self, desk: Desk):
        self.desk = desk

    # --- names

    def instrument(self, fields: Fields) -> int:
        """Returns the instrument behind instId or instIdCode. Raises Refusal(51001, 50015)."""
        name, code = text(fields, "instId"), text(fields, "instIdCode")
        found = NOBODY
        if name:
            found = self.desk.exchange.venue.instrument_id(name)
        elif code.isdigit() and BASE_CODE <= int(code[:9]) < BASE_CODE + len(self.desk.exchange.instruments):
            found = int(code) - BASE_CODE
        elif not code:
            raise Refusal("50015", "instId or instIdCode")
        if found == NOBODY:
            raise Refusal("51001")
        return found

    def leg(self, account: int, instrument: int, fields: Fields) -> str | None:
        """Returns the leg that posSide names; None in net mode. Raises Refusal(51000)."""
        named = text(fields, "posSide", "net")
        hedged = self.desk.hedged(account, instrument)
        if named not in (("long", "short") if hedged else ("net",)):
            raise Refusal("51000", "posSide")
        return named if hedged else None

    def mode(self, fields: Fields, name: str = "tdMode") -> str:
        """Returns the margin mode of a request."""
        return one_of(fields, name, ("cross", "isolated"))

    def order(self, account: int, fields: Fields, code: str, algo: bool = False) -> Order:
        """Returns the order that a request names. Raises Refusal with a code if the account has none, 50015 without a name."""
        names = ("algoId", "algoClOrdId") if algo else ("ordId", "clOrdId")
        number_, client = text(fields, names[0]), text(fields, names[1]) or (text(fields, "clOrdId") if algo else "")
        if not number_ and not client:
            raise Refusal("50015", f"{names[0]} or {names[1]}")
        if number_ and not (number_.isascii() and number_.isdigit() and len(number_) <= 19):
            raise Refusal("51000", names[0])
        found = self.desk.history.order_of(account, int(number_ or 0), client)
        if found is not None and algo:
            unseen = found.bracket is not None and found.child and not found.bracket.stands
            found = pairs.head(found) if found.triggered and not unseen else None
        elif found is not None:
            found = next((each for each in pairs.legs(found) if each.placed), None)
        name = text(fields, "instId")
        if found is None or name not in ("", self.desk.exchange.instruments[found.instrument].name):
            raise Refusal(code)
        return found

    # --- placing

    def place(self, account: int, fields: Fields) -> Row:
        """Places an order and returns its acknowledgement. Raises Refusal."""
        instrument = self.instrument(fields)
        kind = one_of(fields, "ordType", _TYPES)
        market = kind in ("market", "optimal_limit_ioc")
        price = None if market else number(fields, "px")
        if not market and price is None:
            raise Refusal("50014", "px")
        side = one_of(fields, "side", _SIDES)
        exits = self._attached(account, fields)
        exits.check("market" if market else "limit", side, self._touch(instrument, side) if market else price)
        place = Place(
            account=account, instrument=instrument, side=side, size=self._size(fields),
            mode=self.mode(fields), price=price, tif=_TYPES[kind], post_only=kind == "post_only",
            reduce_only=flag(fields, "reduceOnly"), client_id=self._client_id(fields, "clOrdId"),
            leg=self.leg(account, instrument, fields), asked=Asked(kind, text(fields, "tag")),
            self_trade=_SELF_TRADE[one_of(fields, "stpMode", _SELF_TRADE)],
            take_profit=exits.take_profit, stop_loss=exits.stop_loss, children=exits.children,
        )  # fmt: skip
        return {
            "clOrdId": place.client_id, "ordId": str(self._send(place)), "tag": text(fields, "tag"), "ts": self._now(),
            "sCode": "0", "sMsg": "",
        }  # fmt: skip

    def _attached(self, account: int, fields: Fields) -> Exits:
        """Returns the target and the stop that an order brings. Raises Refusal."""
        items = attached_items(fields)
        names = [self._client_id(item, "attachAlgoClOrdId") for item in items]
        taken = next((name for name in names if name and self.desk.history.order_of(account, 0, name)), None)
        if taken or len(set(names) - {""}) < len([name for name in names if name]):
            raise Refusal("51068", taken or names[0])
        sizes = [number(item, "sz") for item in items]
        if any(size is not None and size != number(fields, "sz") for size in sizes):
            raise Refusal("51000", message="attachAlgoOrds: sz: a target and a stop stand for the whole order")
        return read_exits(zip(names, items, strict=True), text(fields, "tag")) if items else Exits()

    def _touch(self, instrument: int, side: str) -> Decimal | None:
        """Returns the best price that an order of a side meets, None if there is none."""
        depth = self.desk.exchange.depth(instrument, 1)
        levels = depth.asks if side == "buy" else depth.bids
        return levels[0][0] if levels else None

    def _now(self) -> str:
        return ms(self.desk.exchange.time_ns)

    def _client_id(self, fields: Fields, *names: str) -> str:
        """Returns the sender's name of an order: at most 32 letters and digits."""
        value = next((found for name in names if (found := text(fields, name))), "")
        if value and not (len(value) <= 32 and value.isascii() and value.isalnum()):
            raise Refusal("51000", names[0])
        return value

    def _size(self, fields: Fields) -> Decimal:
        size = number(fields, "sz")
        if size is None:
            raise Refusal("50014", "sz")
        return size

    def _send(self, place: Place, refused: str = "") -> int:
        """Sends an order and returns its id. refused: the code of a trigger that is reached already."""
        placed = self._sent(place, self.desk.place)
        if placed.code == Code.TRIGGER_REACHED and refused:
            raise Refusal(refused)
        if placed.code == Code.DUPLICATE_CLIENT_ID and place.trigger is not None:
            return placed.order_id  # the first algo again
        if placed.code:
            raise said(placed.code, PLACE)
        return placed.order_id

    def _sent(self, place: Place, send: Callable[[Place], Placed]) -> Placed:
        try:
            return send(place)
        except Rejected as error:
            raise said(error.code, PLACE) from None
        except InputError as error:
            raise Refusal("51000", message=f"Parameter error: {error}") from None

    # --- algo orders

    def place_algo(self, account: int, fields: Fields) -> Row:
        """Places a stop, a target, both, a trigger or a trailing stop. Raises Refusal."""
        instrument = self.instrument(fields)
        kind, side = one_of(fields, "ordType", ALGO_TYPES), one_of(fields, "side", _SIDES)
        whole = text(fields, "closeFraction") != ""
        if whole and number(fields, "closeFraction") != 1:
            raise Refusal("51000", "closeFraction")
        place = Place(
            account=account, instrument=instrument, side=side, size=None if whole else self._size(fields),
            mode=self.mode(fields), reduce_only=flag(fields, "reduceOnly") and not whole,
            client_id=self._client_id(fields, "algoClOrdId", "clOrdId"), leg=self.leg(account, instrument, fields),
        )  # fmt: skip
        send = self._pair if kind == "oco" else self._alone
        return {
            "algoClOrdId": place.client_id, "algoId": str(send(place, kind, fields)), "clOrdId": place.client_id, "sCode": "0",
            "sMsg": "", "tag": text(fields, "tag"),
        }  # fmt: skip

    def _alone(self, place: Place, kind: str, fields: Fields) -> int:
        """Places an algo order of one trigger and returns its number."""
        trigger, limit, target = self._trigger(place.instrument, kind, place.side, fields)
        exits = self._attached(place.account, fields) if kind == "trigger" else Exits()
        exits.check("limit", place.side, number(fields, "triggerPx") if limit is None else limit)
        asked = Asked(kind, text(fields, "tag"), target)
        found = replace(
            place, price=limit, close_position=place.size is None, trigger=trigger, asked=asked, children=exits.children,
            take_profit=exits.take_profit, stop_loss=exits.stop_loss,
        )  # fmt: skip
        return self._send(found, _REACHED.get((target, place.side), ""))

    def _pair(self, place: Place, kind: str, fields: Fields) -> int:
        """Places a target and a stop that cancel each other, and returns the number of both, by which they are one order."""
        known = self.desk.history.order_of(place.account, 0, place.client_id) if place.client_id else None
        if known is not None:
            return pairs.head(known).order_id  # the first algo again
        exits = read_exits([(place.client_id, fields)], text(fields, "tag"))
        for target, found in (("tp", exits.take_profit), ("sl", exits.stop_loss)):
            if found is None:
                raise Refusal("50014", f"{target}TriggerPx")
            if self._reached(place, target, found):
                raise Refusal(_REACHED[target, place.side])
        both = replace(place, take_profit=exits.take_profit, stop_loss=exits.stop_loss, children=exits.children)
        placed = self._sent(both, self.desk.attach)
        if placed.code:
            raise said(placed.code, PLACE)
        bracket = placed.order.bracket if placed.order is not None else None
        algos = [each for each in bracket.children if each.triggered] if bracket is not None else []
        return pairs.head(algos[0]).order_id if algos else placed.order_id

    def _reached(self, place: Place, target: str, found: Exit) -> bool:
        """True if the price that an exit watches has come to it; never for a target without a trigger."""
        trigger = found[0] if isinstance(found, tuple) else found
        seen = getattr(self.desk.exchange.prices(place.instrument), trigger.by) if isinstance(trigger, Trigger) else None
        price, falls = price_of(found), (target == "sl") == (place.side == "sell")
        return seen is not None and price is not None and (seen <= price if falls else seen >= price)

    def _trigger(self, instrument: int, kind: str, side: str, fields: Fields) -> tuple[Trigger, Decimal | None, str]:
        """Returns the trigger of an algo order, its limit (None: at market), and whether it is a stop or a target.

        The stop counts in a conditional order that has both, as on the venue."""
        if kind == "move_order_stop":
            return self._trailing(fields), None, ""
        if kind == "trigger":
            return self._either_way(instrument, side, fields)
        stop, profit = number(fields, "slTriggerPx"), number(fields, "tpTriggerPx")
        if stop is None and profit is None:
            raise Refusal("50015", "slTriggerPx or tpTriggerPx")
        target = "sl" if stop is not None else "tp"
        by = one_of(fields, f"{target}TriggerPxType", SOURCES, "last")
        make = Trigger.stop if target == "sl" else Trigger.take_profit
        trigger = make(stop if stop is not None else profit, by=by, if_reached="refuse")  # type: ignore[arg-type]
        return trigger, limit_of(fields, f"{target}OrdPx"), target

    def _trailing(self, fields: Fields) -> Trigger:
        rate, distance = number(fields, "callbackRatio"), number(fields, "callbackSpread")
        if (rate is None) == (distance is None):
            raise Refusal("50015", "callbackRatio or callbackSpread")
        return Trigger.trailing(rate=rate, distance=distance, by="last", activation=number(fields, "activePx"))

    def _either_way(self, instrument: int, side: str, fields: Fields) -> tuple[Trigger, Decimal | None, str]:
        """Returns a trigger that fires when the price comes to it from where it is now."""
        price = number(fields, "triggerPx")
        if price is None:
            raise Refusal("50014", "triggerPx")
        by = one_of(fields, "triggerPxType", SOURCES, "last")
        seen = getattr(self.desk.exchange.prices(instrument), by)
        rising = seen is None or price >= seen
        make = Trigger.stop if rising == (side == "buy") else Trigger.take_profit
        return make(price, by=by), limit_of(fields, "orderPx"), ""

    # --- amending and cancelling

    def amend(self, account: int, fields: Fields) -> Row:
        """Changes an order. Raises Refusal."""
        self.instrument(fields)
        order = self.order(account, fields, "51503")
        if order.ended:
            raise Refusal("51503")
        size, terms = number(fields, "newSz"), self.desk.exchange.instruments[order.instrument]
        changes = changes_of(terms, order, size, text(fields, "newPx"), None) + attached_changes(terms, order, fields)
        self._amend(account, fields, changes, "newSz or newPx")
        return {
            "clOrdId": order.client_id, "ordId": str(order.order_id), "reqId": text(fields, "reqId"), "ts": self._now(),
            "sCode": "0", "sMsg": "",
        }  # fmt: skip

    def amend_algo(self, account: int, fields: Fields) -> Row:
        """Changes size, limit and trigger of orders that sleep. Raises Refusal."""
        self.instrument(fields)
        order = self.order(account, fields, "51503", algo=True)
        if pairs.algo_state(order) != "live":
            raise Refusal("51503")
        size, terms = number(fields, "newSz"), self.desk.exchange.instruments[order.instrument]
        changes = attached_changes(terms, order, fields) if order.bracket is not None and not order.child else []
        for each in pairs.legs(order):
            if each.state == State.DORMANT:
                prefix = pairs.target_of(each).capitalize() if order.asked.ord_type != "trigger" else ""
                if not any(text(fields, f"new{prefix}{name}") for name in ("TriggerPx", "OrdPx")):
                    prefix = ""
                changes += exit_changes(terms, each, fields, size, prefix)
        self._amend(account, fields, changes, "newSz, newTriggerPx, newTpTriggerPx or newSlTriggerPx")
        return {
            "algoClOrdId": order.client_id, "algoId": str(order.order_id), "reqId": text(fields, "reqId"), "sCode": "0",
            "sMsg": "",
        }  # fmt: skip

    def _amend(self, account: int, fields: Fields, changes: list[dict[str, Any]], wanted: str) -> None:
        """Makes changes, all or none. wanted: which parameters there are."""
        if not changes:
            asked = any(text(fields, name) for name in fields if name.startswith("new")) or fields.get("attachAlgoOrds")
            raise Refusal("51527") if asked else Refusal("50015", wanted)
        try:
            code = self.desk.amend(account, changes)
        except InputError as error:
            raise Refusal("51000", message=f"Parameter error: {error}") from None
        if code:
            raise said(code, AMEND)

    def cancel(self, account: int, fields: Fields) -> Row:
        """Cancels an order. Raises Refusal."""
        self.instrument(fields)
        order = self.order(account, fields, "51400")
        if order.ended:
            raise Refusal("51402" if order.state == State.FILLED else "51401")
        self._cancel(account, order)
        return {"clOrdId": order.client_id, "ordId": str(order.order_id), "ts": self._now(), "sCode": "0", "sMsg": ""}

    def cancel_algo(self, account: int, fields: Fields) -> Row:
        """Cancels an order that sleeps. Raises Refusal."""
        self.instrument(fields)
        order = self.order(account, fields, "51400", algo=True)
        if (state := pairs.algo_state(order)) != "live":
            raise Refusal("51401" if state == "canceled" else "51402")
        for each in pairs.legs(order):
            if each.state == State.DORMANT:
                self._cancel(account, each)
        return {"algoClOrdId": order.client_id, "algoId": str(order.order_id), "sCode": "0", "sMsg": "", "tag": ""}

    def _cancel(self, account: int, order: Order) -> None:
        code = self.desk.cancel(account, order.order_id)
        if code:
            raise said(code, CANCEL)


def answer_items(do: Item, account: int, items: list[Any], names: tuple[str, str]) -> tuple[str, list[Row]]:
    """Does items one by one, and returns the code of all and an answer for each. names: those of its id and of the sender's
    own.

    The code is "0" if all succeeded, "1" if none did, else "2".
    """
    rows: list[Row] = []
    failed = 0
    for item in items:
        if not isinstance(item, dict):
            raise Refusal("50002")
        try:
            rows.append(do(account, item))
        except Refusal as refusal:
            failed += 1
            named = {name: _named(item, name) for name in names}
            rows.append(named | {"tag": _named(item, "tag"), "ts": "", "sCode": refusal.code, "sMsg": refusal.message})
    return ("1" if failed == len(rows) else "2" if failed else "0"), rows


def _named(item: Fields, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) and len(value) <= 64 else ""
