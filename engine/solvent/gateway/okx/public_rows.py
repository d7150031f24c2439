"""Serializers of what everybody may see: instruments, books, tickers, trades, bars, marks, funding, tiers.

Owns every key of these records and how it is written. Pure functions of the exchange's answers and the history; no state.
"""

from decimal import Decimal
from typing import Any
from zlib import crc32

from solvent.gateway.market import Bar, Funded
from solvent.gateway.okx.fields import ms, ticks_text, trimmed_text
from solvent.gateway.okx.listing import BASE_CODE, base_of, contract_size, family_of, kind_of, quote_of, top_leverage
from solvent.gateway.records import Liquidated, Trade
from solvent.schema.words import Kind, Leg, Listing, Side
from solvent.terms.decimals import PPB, from_units, plain
from solvent.terms.instrument import Instrument

__all__ = [
    "LEGS", "Levels", "Row", "SIDES", "bar_row", "checksum", "funded_row", "funding_row", "index_row", "instrument_row",
    "interest_row", "level_rows", "liquidation_row", "mark_row", "price_bar_row", "rate_text", "ticker_row", "tier_rows",
    "trade_row",
]  # fmt: skip

Row = dict[str, Any]
Levels = list[tuple[int, int, int]]  # ticks, lots, orders
SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
LEGS = {Leg.ONE_WAY: "net", Leg.LONG: "long", Leg.SHORT: "short"}
_STATES = {  # a state that lets orders rest is live
    Listing.HALTED: "suspend", Listing.CLOSED: "expired", Listing.PRE_OPEN: "preopen", Listing.AUCTION: "preopen",
    Listing.ONLY_CANCEL: "suspend",
}  # fmt: skip
_HUNDREDTH = Decimal("0.01")
_CHECKED = 25  # levels a side that a checksum covers


def instrument_row(terms: Instrument, index: int, listed_ns: int, listing: int) -> Row:
    """Writes an instrument."""
    largest, size = ticks_text(terms.spec.max_size_lots, terms.lot_size), contract_size(terms)
    family, inverse = family_of(terms), terms.spec.kind == Kind.INVERSE
    return {
        "alias": "", "auctionEndTime": "", "baseCcy": "", "category": "1", "contTdSwTime": "", "ctMult": "1",
        "ctType": "inverse" if inverse else "linear", "ctVal": plain(size),
        "ctValCcy": quote_of(terms) if inverse else base_of(terms), "elp": "0",
        "expTime": ms(terms.expiry_ns) if terms.expiry_ns else "", "futureSettlement": False, "groupId": "1",
        "instFamily": family, "instId": terms.name, "instIdCode": BASE_CODE + index, "instType": kind_of(terms),
        "lever": ticks_text(top_leverage(terms), _HUNDREDTH), "listTime": ms(listed_ns), "lotSz": plain(terms.lot_size),
        "maxIcebergSz": largest, "maxLmtAmt": "20000000", "maxLmtSz": largest, "maxMktAmt": "", "maxMktSz": largest,
        "maxPlatOILmt": "", "maxStopSz": largest, "maxTriggerSz": largest, "maxTwapSz": largest,
        "minSz": plain(terms.lot_size), "openType": "", "optType": "", "posLmtAmt": "", "posLmtPct": "", "preMktSwTime": "",
        "quoteCcy": "", "ruleType": "normal", "settleCcy": terms.settle, "state": _STATES.get(Listing(listing), "live"),
        "stk": "",
        "tickSz": plain(terms.tick_size), "tradeQuoteCcyList": [], "uly": family, "upcChg": [],
    }  # fmt: skip


def level_rows(terms: Instrument, levels: Levels) -> list[list[str]]:
    """Writes levels of a book: price, size, "0", orders."""
    tick, lot = terms.tick_size, terms.lot_size
    return [[ticks_text(ticks, tick), ticks_text(lots, lot), "0", str(orders)] for ticks, lots, orders in levels]


def checksum(bids: list[list[str]], asks: list[list[str]]) -> int:
    """Returns the checksum of a whole book: CRC32 over its best 25 levels, signed.

    >>> checksum([["3366.1", "7"]], [["3366.8", "9"], ["3368", "8"], ["3372", "8"]])
    831078360
    """
    parts = []
    for i in range(_CHECKED):
        for side in (bids, asks):
            if i < len(side):
                parts += side[i][:2]
    code = crc32(":".join(parts).encode())
    return code - 2**32 if code >= 2**31 else code


def ticker_row(terms: Instrument, best: tuple[Levels, Levels], day: Bar | None, days: tuple[int, int], now_ns: int) -> Row:
    """Writes a ticker. best: at most one level a side. days: first prices since midnight UTC, and since that of UTC+8."""
    tick, lot = terms.tick_size, terms.lot_size
    bid, ask = ((side[0] if side else None) for side in best)
    inverse = terms.spec.kind == Kind.INVERSE
    volume = Decimal(0) if day is None else from_units(day.lots, lot) * contract_size(terms)
    if inverse and day is not None and day.worth:
        volume = Decimal(volume * day.lots // (tick * day.worth)) if volume else volume

    def price(ticks: int) -> str:
        return ticks_text(ticks, tick) if ticks else ""

    return {
        "instType": kind_of(terms), "instId": terms.name, "last": price(day.closed if day else 0),
        "lastSz": "0", "askPx": price(ask[0] if ask else 0), "askSz": ticks_text(ask[1] if ask else 0, lot),
        "bidPx": price(bid[0] if bid else 0), "bidSz": ticks_text(bid[1] if bid else 0, lot),
        "open24h": price(day.opened if day else 0), "high24h": price(day.high if day else 0),
        "low24h": price(day.low if day else 0), "volCcy24h": trimmed_text(volume),
        "vol24h": ticks_text(day.lots if day else 0, lot),
        "sodUtc0": price(days[0]), "sodUtc8": price(days[1]), "ts": ms(now_ns),
    }  # fmt: skip


def trade_row(terms: Instrument, trade: Trade) -> Row:
    """Writes a public trade."""
    return {
        "instId": terms.name, "side": SIDES[Side(trade.side)], "sz": ticks_text(trade.size_lots, terms.lot_size),
        "px": ticks_text(trade.price_ticks, terms.tick_size), "tradeId": str(trade.number), "ts": ms(trade.time_ns),
        "count": "1", "source": "0", "seqId": trade.number,
    }  # fmt: skip


def bar_row(terms: Instrument, bar: Bar, confirmed: bool) -> list[str]:
    """Writes a bar of trades: time, open, high, low, close, contracts, base currency, quote currency, whether it is over."""
    base, quote = _volumes(terms, bar)
    prices = [ticks_text(each, terms.tick_size) for each in (bar.opened, bar.high, bar.low, bar.closed)]
    return [ms(bar.start_ns), *prices, ticks_text(bar.lots, terms.lot_size), base, quote, str(int(confirmed))]


def _volumes(terms: Instrument, bar: Bar) -> tuple[str, str]:
    """Returns what traded, in base and in quote currency."""
    held = from_units(bar.lots, terms.lot_size) * contract_size(terms)
    if terms.spec.kind == Kind.INVERSE:
        return "0", trimmed_text(held)
    return trimmed_text(held), trimmed_text(from_units(bar.worth, terms.lot_size * terms.tick_size) * contract_size(terms))


def price_bar_row(terms: Instrument, bar: Bar, confirmed: bool) -> list[str]:
    """Writes a bar of marks or indices."""
    prices = [ticks_text(each, terms.tick_size) for each in (bar.opened, bar.high, bar.low, bar.closed)]
    return [ms(bar.start_ns), *prices, str(int(confirmed))]


def mark_row(terms: Instrument, ticks: int, time_ns: int) -> Row:
    """Writes a mark price."""
    return {
        "instType": kind_of(terms), "instId": terms.name, "markPx": ticks_text(ticks, terms.tick_size), "ts": ms(time_ns),
    }  # fmt: skip


def index_row(terms: Instrument, ticks: int, day: Bar | None, days: tuple[int, int], time_ns: int) -> Row:
    """Writes an index price, under the name of the family."""
    tick = terms.tick_size

    def price(value: int) -> str:
        return ticks_text(value, tick) if value else ""

    return {
        "instId": family_of(terms), "idxPx": price(ticks), "high24h": price(day.high if day else ticks),
        "low24h": price(day.low if day else ticks), "open24h": price(day.opened if day else ticks),
        "sodUtc0": price(days[0] or ticks), "sodUtc8": price(days[1] or ticks), "ts": ms(time_ns),
    }  # fmt: skip


def rate_text(ppb: int) -> str:
    """Writes a rate."""
    return plain(from_units(ppb, PPB))


def funding_row(terms: Instrument, coming_ppb: int | None, times: tuple[int, int, int], last: Funded | None) -> Row:
    """Writes the coming funding. times: the next settlement, the one after, and now."""
    due, then, now = times
    coming = rate_text(coming_ppb) if coming_ppb is not None else rate_text(last.rate_ppb) if last else "0"
    return {
        "formulaType": "withRate", "fundingRate": coming, "fundingTime": ms(due), "impactValue": "",
        "instId": terms.name, "instType": kind_of(terms), "interestRate": "", "maxFundingRate": "0.015",
        "method": "current_period",
        "minFundingRate": "-0.015", "nextFundingRate": "", "nextFundingTime": ms(then), "premium": "",
        "prevFundingTime": ms(last.time_ns) if last else "", "settFundingRate": rate_text(last.rate_ppb) if last else "0",
        "settState": "settled", "ts": ms(now),
    }  # fmt: skip


def funded_row(terms: Instrument, funded: Funded) -> Row:
    """Writes a funding that was settled."""
    rate = rate_text(funded.rate_ppb)
    return {
        "formulaType": "withRate", "fundingRate": rate, "fundingTime": ms(funded.time_ns), "instId": terms.name,
        "instType": kind_of(terms), "method": "current_period", "realizedRate": rate,
    }  # fmt: skip


def tier_rows(terms: Instrument) -> list[Row]:
    """Writes the position tiers, sizes in contracts. A table by money tells its money."""
    rows, bottom = [], Decimal(0)
    money = terms.basis in ("notional", "entry")
    step = terms.unit if money else terms.lot_size
    for number, (top, maintenance, leverage, initial) in enumerate(terms.spec.tiers, 1):
        highest = from_units(top, step)
        rows.append(
            {
                "baseMaxLoan": "",
                "imr": rate_text(initial),
                "instFamily": family_of(terms),
                "instId": terms.name,
                "maxLever": ticks_text(leverage, _HUNDREDTH),
                "maxSz": plain(highest),
                "minSz": plain(bottom),
                "mmr": rate_text(maintenance),
                "optMgnFactor": "0",
                "quoteMaxLoan": "",
                "tier": str(number),
                "uly": family_of(terms),
            }  # fmt: skip
        )
        bottom = highest
    return rows


def interest_row(terms: Instrument, lots: int, worth: str, now_ns: int) -> Row:
    """Writes open interest. worth: in quote currency."""
    held = from_units(lots, terms.lot_size)
    return {
        "instId": terms.name, "instType": kind_of(terms), "oi": trimmed_text(held),
        "oiCcy": trimmed_text(held * contract_size(terms)),
        "oiUsd": worth, "ts": ms(now_ns),
    }  # fmt: skip


def liquidation_row(terms: Instrument, found: Liquidated) -> Row:
    """Writes one liquidation, with its one detail."""
    selling = found.side == Side.SELL
    return {
        "details": [
            {
                "bkLoss": "0", "bkPx": ticks_text(found.price_ticks, terms.tick_size), "ccy": "",
                "posSide": "long" if selling else "short",
                "side": SIDES[Side(found.side)], "sz": ticks_text(found.size_lots, terms.lot_size), "ts": ms(found.time_ns),
            }  # fmt: skip
        ],
        "instFamily": family_of(terms), "instId": terms.name, "instType": kind_of(terms), "totalLoss": "0",
        "uly": family_of(terms),
    }  # fmt: skip
