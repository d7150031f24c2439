"""The routes that everybody may ask: markets, instruments, time, status.

Owns their parameters. `reading` finds the records. Each method takes the fields of the query and returns the list of `data`.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

from solvent.gateway.market import Bars
from solvent.gateway.okx import public_rows as public
from solvent.gateway.okx.codes import Refusal
from solvent.gateway.okx.fields import Fields, ms, need, one_of, page, text, whole
from solvent.gateway.okx.listing import family_of
from solvent.gateway.okx.reading import BARS, Reading

__all__ = ["PublicRoutes"]

TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")
_DEEP, _DEEPEST = 400, 5_000
_BARS = 300


class PublicRoutes:
    """Answers public questions about one desk."""

    def __init__(self, reading: Reading):
        self.reading = reading
        self.routes: dict[str, Callable[[Fields], list[Any]]] = {
            "public/time": self.time, "public/instruments": self.instruments, "public/mark-price": self.mark_price,
            "public/funding-rate": self.funding_rate, "public/funding-rate-history": self.funding_rate_history,
            "public/position-tiers": self.position_tiers, "public/open-interest": self.open_interest,
            "public/liquidation-orders": self.liquidation_orders, "public/price-limit": self.price_limit,
            "market/books": self.books, "market/books-full": self.books_full, "market/ticker": self.ticker,
            "market/tickers": self.tickers, "market/trades": self.trades, "market/history-trades": self.history_trades,
            "market/candles": self.candles, "market/history-candles": self.candles,
            "market/mark-price-candles": self.mark_candles, "market/history-mark-price-candles": self.mark_candles,
            "market/index-candles": self.index_candles, "market/history-index-candles": self.index_candles,
            "market/index-tickers": self.index_tickers, "system/status": self.status, "public/underlying": self.underlying,
        }  # fmt: skip

    def one(self, fields: Fields) -> int:
        """Returns the instrument that a query must name. Raises Refusal(50014, 51001)."""
        found = list(self.reading.wanted("", name=need(fields, "instId")))
        if not found:
            raise Refusal("51001")
        return found[0]

    def some(self, fields: Fields) -> list[int]:
        """Returns the instruments of a type, and of a family or a name if the query says one. Raises Refusal(51001)."""
        kind = one_of(fields, "instType", ("", *TYPES))
        family, name = text(fields, "instFamily") or text(fields, "uly"), text(fields, "instId")
        if name and not list(self.reading.wanted("", name=name)):
            raise Refusal("51001")
        return list(self.reading.wanted(kind, family, name))

    def time(self, fields: Fields) -> list[Any]:
        """The exchange's clock."""
        return [{"ts": ms(self.reading.now_ns)}]

    def status(self, fields: Fields) -> list[Any]:
        """Maintenance that is announced: none."""
        return []

    def underlying(self, fields: Fields) -> list[Any]:
        """The families of a type, in one list."""
        kind = one_of(fields, "instType", TYPES)
        return [list(dict.fromkeys(family_of(self.reading.terms(index)) for index in self.reading.wanted(kind)))]

    def instruments(self, fields: Fields) -> list[Any]:
        """Instruments of a type; none where the venue has no such market."""
        need(fields, "instType")
        return [self.reading.instrument(index) for index in self.some(fields)]

    def mark_price(self, fields: Fields) -> list[Any]:
        """Mark prices."""
        return [row for index in self.some(fields) if (row := self.reading.mark(index))]

    def funding_rate(self, fields: Fields) -> list[Any]:
        """The coming funding of one instrument, or of ANY."""
        if text(fields, "instId") == "ANY":
            return [self.reading.funding(index) for index in self.reading.wanted("SWAP")]
        return [self.reading.funding(self.one(fields))]

    def funding_rate_history(self, fields: Fields) -> list[Any]:
        """Settled funding of one instrument."""
        index = self.one(fields)
        rows = reversed(self.reading.desk.history.markets[index].funded)
        found = page(fields, rows, lambda row: row.time_ns // 1_000_000, 400)
        return [public.funded_row(self.reading.terms(index), row) for row in found]

    def position_tiers(self, fields: Fields) -> list[Any]:
        """Tiers of the instruments of a family."""
        families = (text(fields, "instFamily") or text(fields, "uly")).split(",")
        name = text(fields, "instId")
        found = []
        for index in self.reading.wanted(text(fields, "instType"), name=name):
            if name or families == [""] or family_of(self.reading.terms(index)) in families:
                found += public.tier_rows(self.reading.terms(index))
        if not found:
            raise Refusal("51001")
        wanted = text(fields, "tier")
        return [row for row in found if wanted in ("", row["tier"])]

    def open_interest(self, fields: Fields) -> list[Any]:
        """Open interest."""
        return [self.reading.interest(index) for index in self.some(fields)]

    def liquidation_orders(self, fields: Fields) -> list[Any]:
        """Liquidations, newest first. All are filled at once: state=unfilled finds none."""
        if text(fields, "state") == "unfilled":
            return []
        markets = self.reading.desk.history.markets
        found = [(row, index) for index in self.some(fields) for row in markets[index].liquidated]
        found.sort(key=lambda pair: pair[0].number, reverse=True)
        rows = page(fields, found, lambda pair: pair[0].time_ns // 1_000_000)
        return [public.liquidation_row(self.reading.terms(index), row) for row, index in rows]

    def price_limit(self, fields: Fields) -> list[Any]:
        """The highest price of a buy, and the lowest of a sell, by the band around mark."""
        return [self.reading.price_limit(self.one(fields))]

    def books(self, fields: Fields) -> list[Any]:
        """A book of at most 400 levels a side; one if the query does not say."""
        index = self.one(fields)
        return [self.reading.book(index, min(_DEEP, whole(fields, "sz", 1) or 1))]

    def books_full(self, fields: Fields) -> list[Any]:
        """A book of at most 5,000 levels a side."""
        index = self.one(fields)
        return [self.reading.book(index, min(_DEEPEST, whole(fields, "sz", 1) or 1))]

    def ticker(self, fields: Fields) -> list[Any]:
        """One ticker."""
        return [self.reading.ticker(self.one(fields))]

    def tickers(self, fields: Fields) -> list[Any]:
        """Tickers of a type."""
        need(fields, "instType")
        return [self.reading.ticker(index) for index in self.some(fields)]

    def trades(self, fields: Fields) -> list[Any]:
        """The newest trades."""
        index = self.one(fields)
        newest = reversed(self.reading.desk.history.markets[index].trades)
        limit = min(500, whole(fields, "limit", 100) or 100)
        return [public.trade_row(self.reading.terms(index), trade) for trade in islice(newest, limit)]

    def history_trades(self, fields: Fields) -> list[Any]:
        """Older trades, paged by trade id, or by time where type=2."""
        index = self.one(fields)
        by_time = text(fields, "type") == "2"
        newest = reversed(self.reading.desk.history.markets[index].trades)
        rows = page(fields, newest, lambda each: each.time_ns // 1_000_000 if by_time else each.number)
        return [public.trade_row(self.reading.terms(index), trade) for trade in rows]

    # --- bars

    def candles(self, fields: Fields) -> list[Any]:
        """Bars of trades."""
        index = self.one(fields)
        bars = self._bars(fields, self.reading.desk.history.markets[index].bars)
        return [public.bar_row(self.reading.terms(index), *bar) for bar in bars]

    def mark_candles(self, fields: Fields) -> list[Any]:
        """Bars of the mark price."""
        index = self.one(fields)
        bars = self._bars(fields, self.reading.desk.history.markets[index].mark_bars)
        return [public.price_bar_row(self.reading.terms(index), *bar) for bar in bars]

    def index_candles(self, fields: Fields) -> list[Any]:
        """Bars of the index price, by the name of the family."""
        name = need(fields, "instId")
        found = [i for i in self.reading.wanted("") if name in (family_of(self.reading.terms(i)), self.reading.terms(i).name)]
        if not found:
            raise Refusal("51001")
        bars = self._bars(fields, self.reading.desk.history.markets[found[0]].index_bars)
        return [public.price_bar_row(self.reading.terms(found[0]), *bar) for bar in bars]

    def _bars(self, fields: Fields, bars: Bars) -> list[tuple[Any, bool]]:
        """Returns the bars of a query, newest first, and whether each is over. Both ends are exclusive."""
        step, shift = BARS[one_of(fields, "bar", BARS, "1m")]
        limit = min(_BARS, whole(fields, "limit", 100) or 100)
        now, after, before = self.reading.now_ns, whole(fields, "after") * 1_000_000, whole(fields, "before") * 1_000_000
        newest = min(after, now + 1) if after else now + 1
        found = bars.made(step, newest, limit, shift)
        return [(bar, bar.start_ns + step <= now) for bar in found if bar.start_ns > before or not before]

    def index_tickers(self, fields: Fields) -> list[Any]:
        """Index prices by family, or of all that are quoted in a currency."""
        name, quote = text(fields, "instId"), text(fields, "quoteCcy")
        if not name and not quote:
            raise Refusal("50015", "instId or quoteCcy")
        rows: dict[str, Any] = {}
        for index in self.reading.wanted(""):
            family = family_of(self.reading.terms(index))
            if (
                name in ("", family)
                and (not quote or family.endswith(f"-{quote}"))
                and (row := self.reading.index_ticker(index))
            ):
                rows.setdefault(family, row)
        if name and not rows:
            raise Refusal("51001")
        return list(rows.values())
