"""The routes of trading: orders, algo orders, their past, fills, positions that are closed at market.

Owns their parameters. `orders` does what one item asks for. Each method takes the account and the body or query, and returns
the code of the answer and the list of `data`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from solvent.gateway.desk import Place
from solvent.gateway.okx import pairs
from solvent.gateway.okx import private_rows as private
from solvent.gateway.okx.codes import PLACE, Refusal, said
from solvent.gateway.okx.fields import Fields, flag, ms, one_of, page, text, whole
from solvent.gateway.okx.orders import ALGO_TYPES, Item, Orders, answer_items
from solvent.gateway.okx.public_routes import TYPES
from solvent.gateway.okx.reading import Reading
from solvent.gateway.records import Asked, Order
from solvent.schema.codes import InputError, Rejected
from solvent.schema.words import Leg

__all__ = ["TradeRoutes"]

Answered = tuple[str, list[Any]]
ITEMS_MAX = 20
_IDS, _ALGO_IDS = ("ordId", "clOrdId"), ("algoId", "algoClOrdId")


class TradeRoutes:
    """Trades for an account."""

    def __init__(self, reading: Reading, orders: Orders):
        self.reading, self.orders, self.desk = reading, orders, reading.desk
        self.routes: dict[tuple[str, str], Callable[[int, Any], Answered]] = {
            ("POST", "trade/order"): self._single(orders.place, _IDS), ("POST",
            "trade/batch-orders"): self._many(orders.place, _IDS),
            ("POST", "trade/cancel-order"): self._single(orders.cancel, _IDS),
            ("POST", "trade/cancel-batch-orders"): self._many(orders.cancel, _IDS),
            ("POST", "trade/amend-order"): self._single(orders.amend, _IDS),
            ("POST", "trade/amend-batch-orders"): self._many(orders.amend, _IDS),
            ("POST", "trade/order-algo"): self._single(orders.place_algo, _ALGO_IDS),
            ("POST", "trade/cancel-algos"): self._many(orders.cancel_algo, _ALGO_IDS),
            ("POST", "trade/cancel-advance-algos"): self._many(orders.cancel_algo, _ALGO_IDS),
            ("POST", "trade/amend-algos"): self._single(orders.amend_algo, _ALGO_IDS),
            ("POST", "trade/cancel-all-after"): self.cancel_all_after, ("POST",
            "trade/close-position"): self.close_position, ("GET", "trade/order"): self.order,
            ("GET", "trade/order-algo"): self.order_algo, ("GET", "trade/orders-pending"): self.orders_pending,
            ("GET", "trade/orders-history"): self.orders_history, ("GET", "trade/orders-history-archive"): self.orders_history,
            ("GET", "trade/orders-algo-pending"): self.algos_pending, ("GET", "trade/order-algo-pending"): self.algos_pending,
            ("GET", "trade/orders-algo-history"): self.algos_history, ("GET", "trade/fills"): self.fills,
            ("GET", "trade/fills-history"): self.fills,
        }  # fmt: skip

    def _single(self, do: Item, names: tuple[str, str]) -> Callable[[int, Any], Answered]:
        """Makes the route of one item; a list of one is understood, too."""

        def answer(account: int, body: Any) -> Answered:
            items = body if isinstance(body, list) else [body]
            if len(items) != 1:
                raise Refusal("51000", message="one object is expected")
            return answer_items(do, account, items, names)

        return answer

    def _many(self, do: Item, names: tuple[str, str]) -> Callable[[int, Any], Answered]:
        """Makes the route of a list; one object is understood, too."""

        def answer(account: int, body: Any) -> Answered:
            items = body if isinstance(body, list) else [body]
            if not 1 <= len(items) <= ITEMS_MAX:
                raise Refusal("51000", message=f"1 to {ITEMS_MAX} objects are expected")
            return answer_items(do, account, items, names)

        return answer

    def cancel_all_after(self, account: int, fields: Fields) -> Answered:
        """Cancels all orders, or those with a tag, after 10 to 120 seconds, unless it is asked again; 0 switches that off."""
        if not isinstance(fields, dict):
            raise Refusal("50002")
        seconds = whole(fields, "timeOut", -1)
        if seconds and not 10 <= seconds <= 120:
            raise Refusal("51000", "timeOut")
        try:
            due_ns = self.desk.cancel_after(account, seconds * 10**9, text(fields, "tag"))
        except Rejected:
            raise Refusal("51071") from None
        except InputError:
            raise Refusal("51000", "tag") from None
        now = ms(self.reading.now_ns)
        return "0", [{"triggerTime": ms(due_ns) if due_ns else "0", "tag": text(fields, "tag"), "ts": now}]

    def close_position(self, account: int, fields: Fields) -> Answered:
        """Closes a position at market. autoCxl: orders that would close it are cancelled first."""
        if not isinstance(fields, dict):
            raise Refusal("50002")
        index, mode = self.orders.instrument(fields), self.orders.mode(fields, "mgnMode")
        leg = self.orders.leg(account, index, fields)
        row = self.desk.row(account, index, Leg[leg.upper()] if leg else Leg.ONE_WAY)
        if not row.size_lots or private.MODES[row.mode] != mode:  # type: ignore[index]
            raise Refusal("51023")
        side = "sell" if row.size_lots > 0 else "buy"
        if flag(fields, "autoCxl"):
            self.desk.cancel_closing(account, index, side, leg)
        place = Place(
            account=account, instrument=index, side=side, size=None, mode=mode, close_position=True, leg=leg,
            client_id=text(fields, "clOrdId"), asked=Asked("market", text(fields, "tag")),
        )  # fmt: skip
        try:
            placed = self.desk.place(place)
        except Rejected as error:
            raise said(error.code, PLACE) from None
        if placed.code:
            raise said(placed.code, PLACE)
        name = self.reading.terms(index).name
        return "0", [{"clOrdId": place.client_id, "instId": name, "posSide": leg or "net", "tag": text(fields, "tag")}]

    # --- the past

    def order(self, account: int, fields: Fields) -> Answered:
        """One order, alive or ended."""
        order = self.orders.order(account, fields, "51603")
        return "0", [private.order_row(self.reading.terms(order.instrument), order)]

    def order_algo(self, account: int, fields: Fields) -> Answered:
        """One algo order, alive or ended."""
        order = self.orders.order(account, fields, "51603", algo=True)
        return "0", [self.reading.algo(order)]

    def _wanted(self, fields: Fields, orders: Iterable[Order]) -> Iterable[Order]:
        """Yields the orders that a query asks for."""
        kind = one_of(fields, "instType", ("", "ANY", *TYPES))
        family, name = text(fields, "instFamily") or text(fields, "uly"), text(fields, "instId")
        indices = set(self.reading.wanted(kind, family, name))
        begin, end = whole(fields, "begin"), whole(fields, "end")
        for order in orders:
            at = order.created_ns // 1_000_000
            if order.instrument in indices and at >= begin and (not end or at <= end):
                yield order

    def _orders(self, fields: Fields, orders: Iterable[Order]) -> Answered:
        state, kinds, category = text(fields, "state"), text(fields, "ordType"), text(fields, "category")
        rows = (private.order_row(self.reading.terms(order.instrument), order) for order in self._wanted(fields, orders))
        wanted = (
            row for row in rows
            if state in ("", row["state"]) and (not kinds or row["ordType"] in kinds.split(",")) and category in ("",
            row["category"])
        )  # fmt: skip
        return "0", page(fields, wanted, lambda row: int(row["ordId"]))

    def orders_pending(self, account: int, fields: Fields) -> Answered:
        """The orders that are alive."""
        return self._orders(fields, self.reading.orders(account, ended=False))

    def orders_history(self, account: int, fields: Fields) -> Answered:
        """The orders that have ended."""
        return self._orders(fields, self.reading.orders(account, ended=True))

    def _algos(self, account: int, fields: Fields, alive: bool) -> Answered:
        kinds, state, name = text(fields, "ordType"), text(fields, "state"), text(fields, "algoId")
        if kinds and not set(kinds.split(",")) <= {*ALGO_TYPES, "chase", "iceberg", "twap"}:
            raise Refusal("51000", "ordType")
        orders = (each for each in self.reading.algos(account) if (pairs.algo_state(each) == "live") == alive)
        rows = (self.reading.algo(order) for order in self._wanted(fields, orders))
        wanted = (
            row for row in rows
            if state in ("", row["state"]) and (not kinds or row["ordType"] in kinds.split(",")) and name in ("",
            row["algoId"])
        )  # fmt: skip
        return "0", page(fields, wanted, lambda row: int(row["algoId"]))

    def algos_pending(self, account: int, fields: Fields) -> Answered:
        """The algo orders that sleep."""
        return self._algos(account, fields, alive=True)

    def algos_history(self, account: int, fields: Fields) -> Answered:
        """The algo orders that have fired or ended."""
        return self._algos(account, fields, alive=False)

    def fills(self, account: int, fields: Fields) -> Answered:
        """The fills, newest first, paged by their bills."""
        kind = one_of(fields, "instType", ("", "ANY", *TYPES))
        family, name, order = text(fields, "instFamily") or text(fields, "uly"), text(fields, "instId"), text(fields, "ordId")
        indices = set(self.reading.wanted(kind, family, name))
        begin, end = whole(fields, "begin"), whole(fields, "end")
        found = [
            fill for fill in self.reading.fills(account)
            if fill.instrument in indices and order in ("", str(fill.order_id)) and fill.time_ns // 1_000_000 >= begin
            and (not end or fill.time_ns // 1_000_000 <= end)
        ]  # fmt: skip
        rows = page(fields, found, lambda fill: fill.bill_id)
        return "0", [private.fill_row(self.reading.terms(fill.instrument), fill) for fill in rows]
