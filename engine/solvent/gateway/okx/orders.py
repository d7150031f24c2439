"""Orders as OKX clients send them: what to place, amend and cancel, and how each item is answered.

Owns the reading of an order's fields and the codes of its refusals. Never keeps anything: ids, histories and money are the
desk's.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from solvent.gateway.desk import Desk, Place
from solvent.gateway.okx.codes import AMEND, CANCEL, PLACE, Refusal, said
from solvent.gateway.okx.fields import Fields, flag, ms, number, one_of, text
from solvent.gateway.okx.listing import BASE_CODE
from solvent.gateway.okx.private_rows import Asked
from solvent.gateway.okx.public_rows import Row
from solvent.gateway.records import Order, State
from solvent.schema.codes import Code, InputError, Rejected
from solvent.schema.layouts import NOBODY
from solvent.terms.decimals import to_units
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
_AT_MARKET = "-1"
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
        if found is None or (not algo and found.triggered and not found.fired_ns) or (algo and not found.triggered):
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
        if fields.get("attachAlgoOrds"):
            raise Refusal("51000", message="attachAlgoOrds: brackets are not served yet; place the stop with trade/order-algo")
        place = Place(
            account=account, instrument=instrument, side=one_of(fields, "side", _SIDES), size=self._size(fields),
            mode=self.mode(fields), price=price, tif=_TYPES[kind], post_only=kind == "post_only",
            reduce_only=flag(fields, "reduceOnly"), client_id=self._client_id(fields, "clOrdId"),
            leg=self.leg(account, instrument, fields), asked=Asked(kind, text(fields, "tag")),
            self_trade=_SELF_TRADE[one_of(fields, "stpMode", _SELF_TRADE)],
        )  # fmt: skip
        order_id = self._send(place)
        return {
            "clOrdId": place.client_id, "ordId": str(order_id), "tag": text(fields, "tag"), "ts": self._now(), "sCode": "0",
            "sMsg": "",
        }  # fmt: skip

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
        try:
            placed = self.desk.place(place)
        except Rejected as error:
            raise said(error.code, PLACE) from None
        except InputError as error:
            raise Refusal("51000", message=f"Parameter error: {error}") from None
        if placed.code == Code.TRIGGER_REACHED and refused:
            raise Refusal(refused)
        if placed.code == Code.DUPLICATE_CLIENT_ID and place.trigger is not None:
            return placed.order_id  # the first algo again
        if placed.code:
            raise said(placed.code, PLACE)
        return placed.order_id

    # --- algo orders

    def place_algo(self, account: int, fields: Fields) -> Row:
        """Places a stop, a target, a trigger or a trailing stop. Raises Refusal."""
        instrument = self.instrument(fields)
        kind, side = one_of(fields, "ordType", ALGO_TYPES), one_of(fields, "side", _SIDES)
        trigger, limit, target = self._trigger(instrument, kind, side, fields)
        whole = text(fields, "closeFraction") != ""
        if whole and number(fields, "closeFraction") != 1:
            raise Refusal("51000", "closeFraction")
        place = Place(
            account=account, instrument=instrument, side=side, size=None if whole else self._size(fields),
            mode=self.mode(fields),
            price=limit, reduce_only=flag(fields, "reduceOnly") and not whole, close_position=whole,
            client_id=self._client_id(fields, "algoClOrdId", "clOrdId"), trigger=trigger,
            leg=self.leg(account, instrument, fields), asked=Asked(kind, text(fields, "tag"), target),
        )  # fmt: skip
        order_id = self._send(place, _REACHED.get((target, side), ""))
        return {
            "algoClOrdId": place.client_id, "algoId": str(order_id), "clOrdId": place.client_id, "sCode": "0", "sMsg": "",
            "tag": text(fields, "tag"),
        }  # fmt: skip

    def _trigger(self, instrument: int, kind: str, side: str, fields: Fields) -> tuple[Trigger, Decimal | None, str]:
        """Returns the trigger of an algo order, its limit (None: at market), and whether it is a stop or a target."""
        if kind == "move_order_stop":
            return self._trailing(fields), None, ""
        if kind == "trigger":
            return self._either_way(instrument, side, fields)
        stop, profit = number(fields, "slTriggerPx"), number(fields, "tpTriggerPx")
        if kind == "oco" or (stop is not None and profit is not None):
            raise Refusal(
                "51000", message="oco: one order of two triggers is not served yet; place the stop and the target apart"
            )
        if stop is None and profit is None:
            raise Refusal("50015", "slTriggerPx or tpTriggerPx")
        target = "sl" if stop is not None else "tp"
        by = one_of(fields, f"{target}TriggerPxType", ("last", "mark", "index"), "last")
        make = Trigger.stop if target == "sl" else Trigger.take_profit
        trigger = make(stop if stop is not None else profit, by=by, if_reached="refuse")  # type: ignore[arg-type]
        return trigger, self._limit(fields, f"{target}OrdPx"), target

    def _limit(self, fields: Fields, name: str) -> Decimal | None:
        """Returns the limit of a triggered order; None for -1, the market."""
        if text(fields, name, _AT_MARKET) == _AT_MARKET:
            return None
        return number(fields, name)

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
        by = one_of(fields, "triggerPxType", ("last", "mark", "index"), "last")
        seen = getattr(self.desk.exchange.prices(instrument), by)
        rising = seen is None or price >= seen
        make = Trigger.stop if rising == (side == "buy") else Trigger.take_profit
        return make(price, by=by), self._limit(fields, "orderPx"), ""

    # --- amending and cancelling

    def amend(self, account: int, fields: Fields) -> Row:
        """Changes an order. Raises Refusal."""
        self.instrument(fields)
        order = self.order(account, fields, "51503")
        if order.ended:
            raise Refusal("51503")
        self._amend(account, order, fields, "newPx")
        return {
            "clOrdId": order.client_id, "ordId": str(order.order_id), "reqId": text(fields, "reqId"), "ts": self._now(),
            "sCode": "0", "sMsg": "",
        }  # fmt: skip

    def amend_algo(self, account: int, fields: Fields) -> Row:
        """Changes size, limit and trigger of an order that sleeps. Raises Refusal."""
        self.instrument(fields)
        order = self.order(account, fields, "51503", algo=True)
        if order.state != State.DORMANT:
            raise Refusal("51503")
        tick = self.desk.exchange.instruments[order.instrument].tick_size
        names = ("newTriggerPx", "newSlTriggerPx", "newTpTriggerPx")
        trigger = next((found for name in names if (found := number(fields, name)) is not None), None)
        if trigger is not None and (to_units(trigger, tick, "trigger") or 0) <= 0:
            raise Refusal("51000", "newTriggerPx")
        limit = next((each for each in ("newSlOrdPx", "newTpOrdPx", "newOrdPx") if text(fields, each)), "newOrdPx")
        plain = {name: value for name, value in fields.items() if name != limit or value != _AT_MARKET}
        if trigger is None or number(plain, "newSz") is not None or number(plain, limit) is not None:
            self._amend(account, order, plain, limit, same=trigger is not None)
        if trigger is not None and (code := self.desk.move_trigger(account, order.order_id, trigger)):
            raise said(code, AMEND)
        return {
            "algoClOrdId": order.client_id, "algoId": str(order.order_id), "reqId": text(fields, "reqId"), "sCode": "0",
            "sMsg": "",
        }  # fmt: skip

    def _amend(self, account: int, order: Order, fields: Fields, price_name: str, same: bool = False) -> None:
        """Changes size and limit. same: True lets both be what they are."""
        size, price = number(fields, "newSz"), number(fields, price_name)
        if size is None and price is None:
            raise Refusal("50015", f"newSz or {price_name}")
        code = self.desk.amend(account, order.order_id, size, price)
        if code and not (same and code == Code.AMEND_NOTHING):
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
        if order.state != State.DORMANT:
            raise Refusal("51402" if order.fired_ns else "51401")
        self._cancel(account, order)
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
