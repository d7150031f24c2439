"""The channels: who has subscribed to what, and what is pushed when something happens.

Owns the subscriptions and the books that they follow. Never changes the exchange. A push is made once for all who want it and
sent to each with its own `arg`, as that was sent. Cost: nothing for a channel that nobody has subscribed to.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import orjson

from solvent.gateway.okx import pairs
from solvent.gateway.okx import private_rows as private
from solvent.gateway.okx import public_rows as public
from solvent.gateway.okx.codes import Refusal
from solvent.gateway.okx.depth import Depth
from solvent.gateway.okx.fields import Fields, ms, text
from solvent.gateway.okx.listing import family_of, kind_of
from solvent.gateway.okx.public_routes import TYPES
from solvent.gateway.okx.public_rows import Row
from solvent.gateway.okx.reading import BARS, Reading
from solvent.gateway.records import Notice, Order, What

__all__ = ["BUSINESS", "Channels", "PRIVATE", "PUBLIC", "Subscriber"]

_BOOKS = {
    "books": (400, True),
    "books-l2-tbt": (400, True),
    "books50-l2-tbt": (50, True),
    "books5": (5, False),
    "bbo-tbt": (1, False),
}
_BY_TYPE = ("instruments", "liquidation-orders", "open-interest-all")
_BY_INSTRUMENT = ("trades", "tickers", "mark-price", "funding-rate", "open-interest", "price-limit", *_BOOKS)
_CANDLES = {f"{start}candle{bar}": (start, bar) for start in ("", "mark-price-", "index-") for bar in BARS}
_SILENT = ("status", "algo-advance", "account-greeks", "liquidation-warning", "grid-orders-contract", "deposit-info")
PUBLIC = {*_BY_INSTRUMENT, "instruments", "liquidation-orders", "index-tickers", "status"}
PRIVATE = {"orders", "positions", "account", "balance_and_position", "fills", "account-greeks", "liquidation-warning"}
BUSINESS = {*_CANDLES, "orders-algo", "algo-advance", "trades-all", "grid-orders-contract", "deposit-info"}
OWN = {*PRIVATE, "orders-algo", "algo-advance", "grid-orders-contract", "deposit-info"}
"""Channels of an account, which need a login."""
_SHORT = (
    "posId", "tradeId", "instId", "instType", "mgnMode", "posSide", "pos", "ccy", "posCcy", "avgPx", "nonSettleAvgPx",
    "settledPnl",
    "uTime",
)  # fmt: skip
"""The fields of a position in balance_and_position."""
Topic = tuple[str, Any]


class Subscriber(Protocol):
    """Gets messages."""

    account: int

    def push(self, channel: str, message: bytes) -> None: ...


Wanted = dict[tuple[Subscriber, bytes], Fields]
"""Those who want a topic, with the arg that it was asked with: as sent, and as read."""


class Channels:
    """Keeps subscriptions and pushes to them."""

    def __init__(self, reading: Reading):
        self.reading = reading
        self.desk = reading.desk
        self._wanted: dict[Topic, Wanted] = {}
        self._depths: dict[Topic, Depth] = {}
        self._moved: dict[int, list[tuple[int, int]]] = {}  # positions by account, of one telling
        self._say: dict[What, Callable[[list[Notice]], None]] = {
            What.ORDER: self._orders, What.ALGO: self._algos, What.LIQUIDATION: self._liquidations, What.TRADE: self._trades,
            What.BOOK: self._books, What.MARK: self._marks, What.INDEX: self._indices_told, What.FUNDING: self._fundings,
            What.INSTRUMENT: self._instruments, What.POSITION: self._positions, What.ACCOUNT: self._accounts,
        }  # fmt: skip

    # --- subscribing

    def topic(self, arg: Fields, account: int) -> Topic:
        """Returns what an arg asks for. Raises Refusal(60018) for what is not there."""
        channel = text(arg, "channel")
        if channel in OWN or channel in _SILENT:
            return channel, account
        if channel in _BY_TYPE:
            kind = text(arg, "instType")
            if kind not in TYPES:
                raise Refusal("60018", f"channel:{channel},instType:{kind}")
            return channel, kind
        name = text(arg, "instId")
        if channel == "index-tickers" or channel.startswith("index-candle"):
            found = [i for i in self.reading.wanted("") if name == family_of(self.reading.terms(i))]
        else:
            found = list(self.reading.wanted("", name=name)) if name else []
        if not found:
            raise Refusal("60018", f"channel:{channel},instId:{name}")
        return channel, found[0]

    def subscribe(self, topic: Topic, who: Subscriber, arg: bytes, fields: Fields) -> None:
        """Adds a subscriber and sends what it begins with. A second time nothing happens."""
        wanted = self._wanted.setdefault(topic, {})
        if (who, arg) in wanted:
            return
        wanted[who, arg] = fields
        self._begin(topic, {(who, arg): fields})

    def unsubscribe(self, topic: Topic, who: Subscriber, arg: bytes) -> None:
        """Takes a subscriber away."""
        wanted = self._wanted.get(topic, {})
        wanted.pop((who, arg), None)
        if not wanted:
            self._wanted.pop(topic, None)
            self._depths.pop(topic, None)

    def _begin(self, topic: Topic, wanted: Wanted) -> None:
        """Sends a channel's first message, if it has one."""
        channel, key = topic
        reading = self.reading
        if channel in _BOOKS:
            self._push(channel, wanted, [self._whole_book(topic)], b"snapshot" if _BOOKS[channel][1] else b"")
        elif channel in _CANDLES:
            rows = self._bar(channel, key)
            if rows:
                self._push(channel, wanted, rows)
        elif channel in ("tickers", "mark-price", "funding-rate", "index-tickers", "open-interest"):
            make: dict[str, Callable[[int], Row | None]] = {
                "tickers": reading.ticker, "mark-price": reading.mark, "funding-rate": reading.funding,
                "index-tickers": reading.index_ticker, "open-interest": reading.interest,
            }  # fmt: skip
            row = make[channel](key)
            if row:
                self._push(channel, wanted, [row])
        elif channel == "instruments":
            self._push(channel, wanted, [reading.instrument(index) for index in reading.wanted(key)])
        elif channel == "liquidation-orders":
            older = [(row, index) for index in reading.wanted(key) for row in self.desk.history.markets[index].liquidated]
            if older:
                last, index = max(older, key=lambda pair: pair[0].number)
                self._push(channel, wanted, [public.liquidation_row(reading.terms(index), last)])
        elif channel in ("account", "positions", "balance_and_position"):
            self._begin_own(channel, key, wanted)

    def _begin_own(self, channel: str, account: int, wanted: Wanted) -> None:
        """Sends an account as it is."""
        if channel == "account":
            self._push(channel, wanted, [self.reading.balance(account)])
        elif channel == "positions":
            for (who, arg), fields in wanted.items():
                self._push(channel, {(who, arg): fields}, self.reading.positions(account, self._indices(fields)))
        else:
            self._push(
                channel, wanted, [self._both(account, "snapshot", self.reading.positions(account, self.reading.wanted("")))]
            )

    # --- pushing

    def tell(self, notices: Iterable[Notice]) -> None:
        """Pushes what has happened: orders and trades one by one, states once."""
        if not self._wanted:
            return
        self._moved.clear()
        sorted_: dict[What, list[Notice]] = {}
        for notice in notices:
            sorted_.setdefault(notice.what, []).append(notice)
        for what, say in self._say.items():
            if what in sorted_:
                say(sorted_[what])

    def _push(self, channel: str, wanted: Wanted, rows: list[Any], action: bytes = b"") -> None:
        """Sends rows to subscribers, each with its own arg."""
        data = orjson.dumps(rows)
        data = b'"action":"' + action + b'","data":' + data if action else b'"data":' + data
        made: dict[bytes, bytes] = {}
        for who, arg in list(wanted):
            message = made.get(arg)
            if message is None:
                message = made[arg] = b'{"arg":' + arg + b"," + data + b"}"
            who.push(channel, message)

    def _indices(self, fields: Fields) -> list[int]:
        """Returns the instruments that an arg of an account's channel means."""
        return list(self.reading.wanted(text(fields, "instType"), text(fields, "instFamily"), text(fields, "instId")))

    def _matching(self, topic: Topic, index: int) -> Wanted:
        """Returns the subscribers of an account's channel that want an instrument."""
        terms = self.reading.terms(index)
        has = {"instType": kind_of(terms), "instId": terms.name, "instFamily": family_of(terms), "uly": family_of(terms)}
        return {
            who: fields for who, fields in self._wanted.get(topic, {}).items()
            if all(text(fields, name) in ("", "ANY", value) for name, value in has.items())
        }  # fmt: skip

    # --- accounts

    def _orders(self, notices: list[Notice]) -> None:
        for notice in notices:
            order: Order = notice.body
            if wanted := self._matching(("orders", notice.key), order.instrument):
                row = private.pushed_order_row(
                    self.reading.terms(order.instrument), order, notice.reason == "filled", notice.reason == "amended"
                )
                self._push("orders", wanted, [row])

    def _algos(self, notices: list[Notice]) -> None:
        """Pushes algo orders; a pair once, as it is in the end."""
        last = {pairs.head(notice.body).order_id: at for at, notice in enumerate(notices)}
        for at, notice in enumerate(notices):
            order: Order = notice.body
            paired = len(pairs.legs(order)) > 1 and last[pairs.head(order).order_id] != at
            if not paired and (wanted := self._matching(("orders-algo", notice.key), order.instrument)):
                self._push("orders-algo", wanted, [self.reading.algo(order)])

    def _accounts(self, notices: list[Notice]) -> None:
        for account in _keys(notices):
            if wanted := self._wanted.get(("account", account)):
                self._push("account", wanted, [self.reading.balance(account)])
            if wanted := self._wanted.get(("balance_and_position", account)):
                reasons = [notice.reason for notice in notices if notice.key == account]
                worst = next((each for each in ("liquidation", "adl") if each in reasons), reasons[-1])
                rows = [self.reading.position(account, *place) for place in self._moved.get(account, ())]
                self._push("balance_and_position", wanted, [self._both(account, worst, rows)])

    def _positions(self, notices: list[Notice]) -> None:
        for notice in notices:
            places = self._moved.setdefault(notice.key, [])
            if notice.body not in places:
                places.append(notice.body)
        for account, places in self._moved.items():
            for index, leg in places:
                if wanted := self._matching(("positions", account), index):
                    self._push("positions", wanted, [self.reading.position(account, index, leg)])

    def _both(self, account: int, reason: str, positions: list[Row]) -> Row:
        """Returns balances and positions in short."""
        details = self.reading.balance(account)["details"]
        return {
            "balData": [{name: detail[name] for name in ("ccy", "cashBal", "uTime")} for detail in details],
            "eventType": reason, "pTime": ms(self.reading.now_ns),
            "posData": [{name: row[name] for name in _SHORT} for row in positions],
            "trades": [
                {"instId": row["instId"], "tradeId": row["tradeId"]}
                for row in positions if reason == "filled" and row["tradeId"]
            ],
        }  # fmt: skip

    # --- markets

    def _whole_book(self, topic: Topic) -> Row:
        """Returns the book that a new subscriber begins with: as the others have it."""
        channel, index = topic
        count, chained = _BOOKS[channel]
        depth = self._depths.get(topic)
        if depth is None:
            depth = self._depths[topic] = Depth(self.reading.terms(index), count, chained)
        market = self.desk.history.markets[index]
        seq = depth.seq if depth.seq >= 0 else market.book_seq
        return depth.snapshot(self.reading.levels(index, count), seq, market.book_ns or self.reading.now_ns)

    def _books(self, notices: list[Notice]) -> None:
        for index in _keys(notices):
            market = self.desk.history.markets[index]
            for channel, (count, chained) in _BOOKS.items():
                topic = (channel, index)
                depth = self._depths.get(topic)
                if depth is not None:
                    row = depth.update(self.reading.levels(index, count), market.book_seq, market.book_ns)
                    if row is not None:
                        self._push(channel, self._wanted[topic], [row], b"update" if chained else b"")
            self._ticker(index)

    def _ticker(self, index: int) -> None:
        if wanted := self._wanted.get(("tickers", index)):
            self._push("tickers", wanted, [self.reading.ticker(index)])

    def _trades(self, notices: list[Notice]) -> None:
        for notice in notices:
            for channel in ("trades", "trades-all"):
                if notice.body is not None and (wanted := self._wanted.get((channel, notice.key))):
                    self._push(channel, wanted, [public.trade_row(self.reading.terms(notice.key), notice.body)])
        for index in _keys(notices):
            self._bars("", index)
            if ("tickers", index) in self._wanted and notices[-1].body is None:
                self._ticker(index)

    def _bar(self, channel: str, index: int) -> list[list[str]]:
        """Returns the bar of a channel that is not over."""
        start, bar = _CANDLES[channel]
        step, shift = BARS[bar]
        market, terms, now = self.desk.history.markets[index], self.reading.terms(index), self.reading.now_ns
        bars = {"": market.bars, "mark-price-": market.mark_bars, "index-": market.index_bars}[start]
        found = bars.made(step, now + 1, 1, shift)
        write = public.price_bar_row if start else public.bar_row
        return [write(terms, each, False) for each in found]

    def _bars(self, start: str, index: int) -> None:
        for bar in BARS:
            channel = f"{start}candle{bar}"
            if wanted := self._wanted.get((channel, index)):
                self._push(channel, wanted, self._bar(channel, index))

    def _marks(self, notices: list[Notice]) -> None:
        for index in _keys(notices):
            row = self.reading.mark(index)
            if row and (wanted := self._wanted.get(("mark-price", index))):
                self._push("mark-price", wanted, [row])
            self._bars("mark-price-", index)
            for (channel, account), wanted in list(self._wanted.items()):
                if channel == "positions" and (rows := self.reading.positions(account, [index])):
                    matching = {who: fields for who, fields in wanted.items() if index in self._indices(fields)}
                    self._push("positions", matching, rows)

    def _indices_told(self, notices: list[Notice]) -> None:
        for index in _keys(notices):
            row = self.reading.index_ticker(index)
            if row and (wanted := self._wanted.get(("index-tickers", index))):
                self._push("index-tickers", wanted, [row])
            self._bars("index-", index)

    def _fundings(self, notices: list[Notice]) -> None:
        for index in _keys(notices):
            if wanted := self._wanted.get(("funding-rate", index)):
                self._push("funding-rate", wanted, [self.reading.funding(index)])

    def _instruments(self, notices: list[Notice]) -> None:
        for index in _keys(notices):
            if wanted := self._wanted.get(("instruments", kind_of(self.reading.terms(index)))):
                self._push("instruments", wanted, [self.reading.instrument(index)])

    def _liquidations(self, notices: list[Notice]) -> None:
        for notice in notices:
            terms = self.reading.terms(notice.key)
            if wanted := self._wanted.get(("liquidation-orders", kind_of(terms))):
                self._push("liquidation-orders", wanted, [public.liquidation_row(terms, notice.body)])


def _keys(notices: list[Notice]) -> list[int]:
    """Returns whom notices are about, each once."""
    return list(dict.fromkeys(notice.key for notice in notices))
