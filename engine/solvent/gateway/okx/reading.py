"""Answers of OKX's reading routes and channels, by instrument and by account.

Owns which records a question finds, from the exchange and the history. Serializers write them. Never changes anything.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain

from solvent.gateway.desk import Desk
from solvent.gateway.okx import pairs
from solvent.gateway.okx import private_rows as private
from solvent.gateway.okx import public_rows as public
from solvent.gateway.okx.algo_rows import algo_row
from solvent.gateway.okx.fields import ms, ticks_text
from solvent.gateway.okx.listing import base_of, family_of, kind_of
from solvent.gateway.okx.public_rows import Levels, Row
from solvent.gateway.records import Bill, Fill, Order, State
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.limits import RATE
from solvent.schema.rows import DomainRow, PositionRow, WalletRow
from solvent.schema.words import Leg, Listing, Mode
from solvent.terms.decimals import from_units, plain
from solvent.terms.instrument import Instrument

__all__ = ["BARS", "Reading"]

_DAY_NS = 86_400 * 10**9
_UTC8_NS = 8 * 3_600 * 10**9
_PERIOD_NS = 8 * 3_600 * 10**9
_SECOND = 10**9
_MONDAY_NS = 4 * _DAY_NS  # the first one
_MINUTES_NS = {f"{n}m": n * 60 * _SECOND for n in (1, 3, 5, 15, 30)} | {f"{n}H": n * 3_600 * _SECOND for n in (1, 2, 4)}
_LONG_NS = {"6H": _DAY_NS // 4, "12H": _DAY_NS // 2, "1D": _DAY_NS, "2D": 2 * _DAY_NS, "3D": 3 * _DAY_NS, "1W": 7 * _DAY_NS}
BARS: dict[str, tuple[int, int]] = {
    **{name: (step, 0) for name, step in _MINUTES_NS.items()},
    **{f"{name}utc": (step, _MONDAY_NS) for name, step in _LONG_NS.items()},
    **{name: (step, _MONDAY_NS - _UTC8_NS) for name, step in _LONG_NS.items()},
}
"""Length and first beginning of each bar. Without "utc" a day begins at midnight in Hong Kong."""


class Reading:
    """Answers questions about one desk."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.exchange = desk.exchange

    @property
    def now_ns(self) -> int:
        """Returns the exchange's clock."""
        return self.exchange.time_ns

    def terms(self, index: int) -> Instrument:
        """Returns the terms of an instrument."""
        return self.exchange.instruments[index]

    # --- markets

    def wanted(self, kind: str, family: str = "", name: str = "") -> Iterator[int]:
        """Yields the instruments of a type, a family and a name; "" takes all."""
        for index, terms in enumerate(self.exchange.instruments):
            if kind in ("", "ANY", kind_of(terms)) and family in ("", family_of(terms)) and name in ("", terms.name):
                yield index

    def instrument(self, index: int) -> Row:
        """Returns an instrument."""
        return public.instrument_row(
            self.terms(index), index, self.desk.history.markets[index].listed_ns, self._listing(index)
        )

    def _listing(self, index: int) -> int:
        return self.desk.history.markets[index].listing or Listing.TRADING

    def levels(self, index: int, count: int) -> tuple[Levels, Levels]:
        """Returns the best levels of a book, bids and asks."""
        bids, asks = self.exchange.depth_arrays(index, count)
        return [tuple(row) for row in bids.tolist()], [tuple(row) for row in asks.tolist()]

    def book(self, index: int, count: int) -> Row:
        """Returns a book."""
        bids, asks = self.levels(index, count)
        market, terms = self.desk.history.markets[index], self.terms(index)
        return {
            "asks": public.level_rows(terms, asks), "bids": public.level_rows(terms, bids),
            "ts": ms(market.book_ns or self.now_ns), "seqId": market.book_seq,
        }  # fmt: skip

    def _days(self) -> tuple[int, int]:
        """Returns when the day began, in UTC and in UTC+8."""
        now = self.now_ns
        return now - now % _DAY_NS, now - (now + _UTC8_NS) % _DAY_NS

    def ticker(self, index: int) -> Row:
        """Returns a ticker."""
        market, terms = self.desk.history.markets[index], self.terms(index)
        days = [market.bars.opened_at(since) for since in self._days()]
        row = public.ticker_row(terms, self.levels(index, 1), market.bars.day(self.now_ns), (days[0], days[1]), self.now_ns)
        if not row["last"] and (mark := self._ticks(index)[0]):
            row["last"] = ticks_text(mark, terms.tick_size)
        if market.trades:
            row["lastSz"] = ticks_text(market.trades[-1].size_lots, terms.lot_size)
        return row

    def _ticks(self, index: int) -> tuple[int, int, int]:
        """Returns mark, last and index price, 0 for none."""
        mark, last, spot = self.exchange._kernel.prices(index)
        return mark or 0, last or 0, spot or 0

    def mark(self, index: int) -> Row | None:
        """Returns a mark price, None before the first."""
        ticks = self._ticks(index)[0]
        time_ns = self.desk.history.markets[index].mark_ns
        return public.mark_row(self.terms(index), ticks, time_ns) if ticks else None

    def index_ticker(self, index: int) -> Row | None:
        """Returns an index price, the mark where no index is told; None before the first."""
        mark, _, spot = self._ticks(index)
        market = self.desk.history.markets[index]
        bars, time_ns = (market.index_bars, market.index_ns) if spot else (market.mark_bars, market.mark_ns)
        if not (spot or mark):
            return None
        days = [bars.opened_at(since) for since in self._days()]
        return public.index_row(self.terms(index), spot or mark, bars.day(self.now_ns), (days[0], days[1]), time_ns)

    def funding(self, index: int) -> Row:
        """Returns the coming funding."""
        market = self.desk.history.markets[index]
        coming = self.exchange._kernel.coming_funding(index)
        due = coming[1] if coming else self.now_ns - self.now_ns % _PERIOD_NS + _PERIOD_NS
        last = market.funded[-1] if market.funded else None
        times = due, due + _PERIOD_NS, self.now_ns
        return public.funding_row(self.terms(index), coming[0] if coming else None, times, last)

    def interest(self, index: int) -> Row:
        """Returns the open interest."""
        terms, lots = self.terms(index), self.desk.history.markets[index].open_lots
        worth = private.notional_text(terms, lots, self._ticks(index)[0])
        return public.interest_row(terms, lots, worth, self.now_ns)

    def price_limit(self, index: int) -> Row:
        """Returns the edges of the band around mark."""
        terms, mark = self.terms(index), self._ticks(index)[0]
        band = self.exchange.rules.price_band_ppb
        up, down = mark * (RATE + band) // RATE, -(-mark * (RATE - band) // RATE)
        return {
            "buyLmt": ticks_text(up, terms.tick_size) if mark else "", "enabled": bool(mark), "instId": terms.name,
            "instType": kind_of(terms), "sellLmt": ticks_text(down, terms.tick_size) if mark else "",
            "ts": ms(self.now_ns),
        }  # fmt: skip

    # --- accounts

    def position(self, account: int, index: int, leg: int) -> Row:
        """Returns a position, open or closed."""
        row = self.desk.row(account, index, leg)
        domains = [DomainRow(*each) for each in self.exchange._kernel.domain_rows(account)]
        return self._position(account, row, domains)

    def _position(self, account: int, row: PositionRow, domains: list[DomainRow]) -> Row:
        terms = self.terms(row.instrument)
        currency = self.exchange.venue.currency_id(terms.settle)
        wanted = (row.instrument, row.leg) if row.mode == Mode.ISOLATED else (NO_INSTRUMENT, 0)
        own = sum(
            each.own_units for each in domains
            if each.mode == row.mode and each.currency == currency and (each.instrument, each.leg if row.mode else 0) == wanted
        )  # fmt: skip
        mark, last, spot = self._ticks(row.instrument)
        around = private.Around(own, last or mark, spot or mark, self._dollars(terms))
        return private.position_row(terms, row, self.desk.history.held(account, row.instrument, row.leg), around)

    def _dollars(self, terms: Instrument) -> str:
        """Returns what one unit of an instrument's settlement currency is worth in dollars."""
        return plain(self.worth(terms.settle))

    def worth(self, currency: str) -> Decimal:
        """Returns the dollars of a currency: by the mark of a contract on it, else one."""
        for index, terms in enumerate(self.exchange.instruments):
            if base_of(terms) == currency and (mark := self._ticks(index)[0]):
                return from_units(mark, terms.tick_size)
        return Decimal(1)

    def positions(self, account: int, indices: Iterable[int]) -> list[Row]:
        """Returns the open positions of an account in some instruments."""
        wanted = set(indices)
        domains = [DomainRow(*each) for each in self.exchange._kernel.domain_rows(account)]
        rows = (PositionRow(*each) for each in self.exchange._kernel.position_rows(account))
        return [self._position(account, row, domains) for row in rows if row.size_lots and row.instrument in wanted]

    def balance(self, account: int, currencies: Iterable[str] = ()) -> Row:
        """Returns an account with a record for each currency, all of them or some."""
        rows = [PositionRow(*each) for each in self.exchange._kernel.position_rows(account)]
        changed, wanted, venue = self.desk.history.changed_ns[account], set(currencies), self.exchange.venue
        details, total, isolated = [], Decimal(0), Decimal(0)
        for each in self.exchange._kernel.wallet_rows(account):
            wallet = WalletRow(*each)
            name, unit = venue.currency_names[wallet.currency], venue.units[wallet.currency]
            sums = self._sums([row for row in rows if self.terms(row.instrument).settle == name])
            total += from_units(wallet.equity_units, unit) * self.worth(name)
            isolated += from_units(sums.isolated_margin + sums.isolated_upl, unit) * self.worth(name)
            if not wanted or name in wanted:
                detail = private.balance_row(name, unit, wallet, sums, changed)
                worth = self.worth(name)
                detail |= {"coinUsdPrice": plain(worth), "eqUsd": plain(from_units(wallet.equity_units, unit) * worth)}
                details.append(detail)
        return private.account_row(details, plain(total), plain(isolated), changed)

    def _sums(self, rows: list[PositionRow]) -> private.Sums:
        apart = [row for row in rows if row.mode == Mode.ISOLATED]
        cross = [row for row in rows if row.mode == Mode.CROSS]
        return private.Sums(
            sum(row.margin_units for row in apart), sum(row.upl_units for row in apart), sum(row.upl_units for row in cross),
            sum(row.own_units for row in cross), sum(row.initial_units for row in cross),
        )  # fmt: skip

    def hedged(self, account: int) -> bool:
        """True if an account holds instruments in two legs."""
        return self.desk.hedged(account, 0)

    def legs(self, account: int, index: int) -> tuple[Leg, ...]:
        """Returns the legs in which an account holds an instrument."""
        return (Leg.LONG, Leg.SHORT) if self.desk.hedged(account, index) else (Leg.ONE_WAY,)

    # --- the past of accounts, newest first

    def orders(self, account: int, ended: bool) -> Iterator[Order]:
        """Yields an account's orders that are in the market, or were."""
        found = self.desk.history.ended[account] if ended else self.desk.history.live[account].values()
        rows = sorted(found, key=lambda each: each.order_id, reverse=True) if not ended else reversed(list(found))
        return (each for each in rows if each.placed)

    def algos(self, account: int) -> list[Order]:
        """Returns an account's algo orders, alive and ended, newest first."""
        history = self.desk.history
        found = {
            pairs.head(each).order_id: pairs.head(each)
            for each in chain(history.live[account].values(), history.ended[account])
            if each.triggered and (each.bracket is None or not each.child or each.bracket.stands)
        }  # fmt: skip
        return sorted(found.values(), key=lambda each: (each.created_ns, each.order_id), reverse=True)

    def algo(self, order: Order) -> Row:
        """Returns an algo order, by any of its orders."""
        waits = next((each for each in pairs.legs(order) if each.state == State.DORMANT), order)
        return algo_row(self.terms(order.instrument), pairs.head(order), *self.desk.waiting(waits))

    def fills(self, account: int) -> Iterator[Fill]:
        """Yields an account's fills."""
        return reversed(self.desk.history.fills[account])

    def bills(self, account: int) -> list[Bill]:
        """Returns an account's bills."""
        return sorted(self.desk.history.bills[account], key=lambda each: each.bill_id, reverse=True)

    def bill(self, bill: Bill) -> Row:
        """Returns a bill."""
        venue = self.exchange.venue
        terms = self.terms(bill.instrument) if bill.instrument != NO_INSTRUMENT else None
        return private.bill_row(terms, venue.currency_names[bill.currency], venue.units[bill.currency], bill)
