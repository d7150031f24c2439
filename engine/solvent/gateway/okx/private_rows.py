"""Serializers of what an account may see of itself: orders, algo orders, fills, positions, balances, bills.

Owns every key of these records and how it is written. Pure functions of the kernel's rows and the history's records.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from solvent.gateway.okx import pairs
from solvent.gateway.okx.fields import ms, ticks_text, trimmed_text, units_text
from solvent.gateway.okx.listing import contract_size, family_of, kind_of
from solvent.gateway.okx.public_rows import LEGS, SIDES, Row
from solvent.gateway.records import Bill, Category, Fill, Holding, Order, State
from solvent.schema.codes import Code
from solvent.schema.rows import PositionRow, WalletRow
from solvent.schema.words import Ending, Flag, Kind, Leg, Mode, Posting, SelfTrade, Side
from solvent.terms.decimals import PPB, from_units, half_even, plain
from solvent.terms.instrument import Instrument

__all__ = [
    "Around", "MODES", "Sums", "account_row", "average_text", "balance_row", "bill_row", "closed_row", "fill_row",
    "leverage_text", "notional_text", "order_row", "position_row", "pushed_order_row",
]  # fmt: skip

_NANO = Decimal("1e-9")
MODES = {Mode.CROSS: "cross", Mode.ISOLATED: "isolated"}
_STATES = {
    State.LIVE: "live", State.PARTIAL: "partially_filled", State.FILLED: "filled", State.CANCELLED: "canceled",
    State.DORMANT: "live",
}  # fmt: skip
_CATEGORIES = {
    Category.NORMAL: "normal", Category.STEP_DOWN: "partial_liquidation", Category.TAKEOVER: "full_liquidation",
    Category.ADL: "adl",
}  # fmt: skip
_SOURCES = {
    Ending.CANCELLED: "1", Ending.MASS_CANCELLED: "1", Ending.AMENDED: "1", Ending.SELF_TRADE: "32",
    Ending.REDUCE_ONLY_CUT: "23", Ending.BANKRUPTCY_LIMIT: "0", Ending.LIQUIDATED: "3", Ending.DELEVERAGED: "6",
    Ending.UNCOVERED: "2", Ending.EXPIRED: "0", Ending.DELISTED: "7", Ending.POSITION_CLOSED: "21", Ending.TIMEOUT: "20",
    Ending.UNFILLED: "14", Ending.SIBLING_FIRED: "36",
}  # fmt: skip


def average_text(value: int, lots: int, tick: Decimal) -> str:
    """Writes a mean price, rounded half to even at a billionth of a tick; "" of nothing."""
    return ticks_text(half_even(value * 10**9, lots), tick * _NANO) if lots else ""


def ratio_text(numerator: int, denominator: int) -> str:
    """Writes a ratio, rounded half to even to nine decimals; "" where it has no sense."""
    return plain(from_units(half_even(numerator * 10**9, denominator), PPB)) if denominator > 0 else ""


def leverage_text(leverage: tuple[int, int]) -> str:
    """Writes a leverage."""
    return plain(from_units(half_even(leverage[0] * 10**6, leverage[1]), Decimal("0.000001")))


def notional_text(terms: Instrument, lots: int, ticks: int) -> str:
    """Writes what lots are worth at a price, in dollars."""
    held = from_units(abs(lots), terms.lot_size) * contract_size(terms)
    return trimmed_text(held if terms.spec.kind == Kind.INVERSE else held * from_units(ticks, terms.tick_size))


def order_row(terms: Instrument, order: Order) -> Row:
    """Writes an order as of now, for REST and for a push without a fill."""
    tick, lot, unit = terms.tick_size, terms.lot_size, terms.unit
    last, average = order.last, average_text(order.value, order.filled_lots, tick)
    limit = ticks_text(order.price_ticks, tick) if order.price_ticks and not order.market else average or "0"
    cancelled = order.state == State.CANCELLED
    attached, stop = pairs.attached_rows(terms, order), _stop_of(order)
    return {
        "accFillSz": ticks_text(order.filled_lots, lot), "algoClOrdId": order.client_id if order.triggered else "",
        "algoId": str(pairs.head(order).order_id) if order.triggered else "",
        "attachAlgoClOrdId": attached[0]["attachAlgoClOrdId"] if len(attached) == 1 else "", "attachAlgoOrds": attached,
        "avgPx": average, "cTime": ms(order.fired_ns or order.created_ns),
        "cancelSource": _source(order) if cancelled else "",
        "cancelSourceReason": Ending(order.ending).name if cancelled and order.ending else "",
        "category": _CATEGORIES[order.category], "ccy": "", "clOrdId": order.client_id,
        "fee": units_text(-order.fee_units, unit), "feeCcy": terms.settle,
        "fillPx": ticks_text(last.price_ticks, tick) if last else "", "fillSz": ticks_text(last.size_lots if last else 0, lot),
        "fillTime": ms(last.time_ns) if last else "", "instId": terms.name, "instType": kind_of(terms),
        "isTpLimit": "true" if order.child and not order.triggered else "false",
        "lever": leverage_text(order.leverage), "linkedAlgoOrd": {"algoId": stop}, "ordId": str(order.order_id),
        "ordType": order_type(order), "pnl": units_text(order.pnl_units, unit), "posSide": LEGS[Leg(order.leg)],

        "px": limit, "pxType": "", "pxUsd": "", "pxVol": "", "quickMgnType": "", "rebate": "0", "rebateCcy": terms.settle,
        "reduceOnly": "true" if order.flags & Flag.REDUCE_ONLY else "false", "side": SIDES[Side(order.side)], "slOrdPx": "",
        "slTriggerPx": "", "slTriggerPxType": "", "source": _origin(order), "state": _STATES[order.state], "stpId": "",
        "stpMode": SelfTrade(order.self_trade).name.lower(), "sz": ticks_text(order.size_lots, lot), "tag": order.asked.tag,
        "tdMode": MODES[Mode(order.mode)],
        "tgtCcy": "", "tpOrdPx": "", "tpTriggerPx": "", "tpTriggerPxType": "", "tradeId": str(last.number) if last else "",
        "tradeQuoteCcy": "", "uTime": ms(order.updated_ns),
    }  # fmt: skip


def _stop_of(order: Order) -> str:
    """Returns the number of the stop that goes with a target in the market, "" for none."""
    if order.bracket is None or not order.child or order.triggered or order.bracket.stop is None:
        return ""
    return str(order.bracket.stop.order_id)


def _origin(order: Order) -> str:
    """Returns which kind of algo order an order comes from, "" for none."""
    if not order.triggered:
        return ""
    return "25" if order.trailing else "6" if order.asked.ord_type == "trigger" else "7"


def _source(order: Order) -> str:
    """Returns why an order was cancelled."""
    if order.code:
        return {Code.POST_ONLY_WOULD_TAKE: "31", Code.FOK_UNFILLED: "13"}.get(Code(order.code), "0")
    return _SOURCES.get(Ending(order.ending), "0") if order.ending else "0"


def order_type(order: Order) -> str:
    """Returns the type of an order as its sender named it, of an algo's the kind that it became."""
    return order.asked.ord_type if order.asked.ord_type and not (order.triggered or order.child) else order.word


def pushed_order_row(terms: Instrument, order: Order, filled: bool, amended: bool) -> Row:
    """Writes an order for the channel. filled: the push tells of its last fill. amended: it tells of a new size or price."""
    row = order_row(terms, order)
    fill = order.last if filled else None
    row |= {
        "amendResult": "0" if amended else "", "amendSource": "", "code": "0", "execType": "", "fillFee": "0",
        "fillFeeCcy": "", "fillFwdPx": "", "fillMarkPx": "", "fillMarkVol": "", "fillNotionalUsd": "", "fillPnl": "0",
        "fillPxUsd": "", "fillPxVol": "", "lastPx": row["fillPx"], "msg": "",
        "notionalUsd": notional_text(terms, order.size_lots,
        order.price_ticks or (order.last.price_ticks if order.last else 0)),
        "reqId": "",
    }  # fmt: skip
    if fill is None:
        return row | {"fillPx": "", "fillSz": "0", "fillTime": "", "tradeId": ""}
    return row | {
        "execType": "M" if fill.maker else "T", "fillFee": units_text(-fill.fee_units, terms.unit), "fillFeeCcy": terms.settle,
        "fillNotionalUsd": notional_text(terms, fill.size_lots, fill.price_ticks),
        "fillPnl": units_text(fill.pnl_units, terms.unit),
    }  # fmt: skip


def fill_row(terms: Instrument, fill: Fill) -> Row:
    """Writes a fill."""
    tick = terms.tick_size
    return {
        "billId": str(fill.bill_id), "clOrdId": fill.client_id, "execType": "M" if fill.maker else "T",
        "fee": units_text(-fill.fee_units, terms.unit), "feeCcy": terms.settle, "feeRate": "", "fillFwdPx": "",
        "fillIdxPx": "", "fillMarkPx": "", "fillMarkVol": "", "fillPnl": units_text(fill.pnl_units, terms.unit),
        "fillPx": ticks_text(fill.price_ticks, tick), "fillPxUsd": "", "fillPxVol": "",
        "fillSz": ticks_text(fill.size_lots, terms.lot_size), "fillTime": ms(fill.time_ns), "instId": terms.name,
        "instType": kind_of(terms), "ordId": str(fill.order_id), "posSide": LEGS[Leg(fill.leg)],
        "side": SIDES[Side(fill.side)], "subType": str(sub_type(fill)), "tag": fill.asked.tag,
        "tradeId": str(fill.number), "tradeQuoteCcy": "", "ts": ms(fill.time_ns),
    }  # fmt: skip


def sub_type(fill: Fill) -> int:
    """Returns the subtype of a fill's bill: what was bought or sold, opened or closed, and by whose will."""
    buying = fill.side == Side.BUY
    if fill.category in (Category.STEP_DOWN, Category.TAKEOVER):
        partly = fill.category == Category.STEP_DOWN
        return (
            {(True, True): 103, (True, False): 102, (False, True): 105, (False, False): 104}[partly, not buying]
            if partly
            else (104 if not buying else 105)
        )
    if fill.category == Category.ADL:
        return 126 if buying else 125
    if not fill.leg:
        return 1 if buying else 2
    return {(1, True): 3, (1, False): 5, (2, False): 4, (2, True): 6}[fill.leg, buying]


def position_id(account: int, instrument: int, leg: int) -> str:
    """Returns the number of a position, the same for ever."""
    return str((account << 24 | instrument << 2 | leg) + 10**15)


@dataclass(frozen=True, slots=True)
class Around:
    """Holds what a position's record shows of its surroundings: requirement of its domain, and prices in ticks."""

    own_units: int
    last_ticks: int
    index_ticks: int
    dollars: str


def position_row(terms: Instrument, row: PositionRow, held: Holding, around: Around) -> Row:
    """Writes a position; one that was closed has size 0 and no prices."""
    tick, unit, lots = terms.tick_size, terms.unit, row.size_lots
    size = lots if not row.leg else abs(lots)
    isolated, open_ = row.mode == Mode.ISOLATED, lots != 0

    def price(ticks: int) -> str:
        return ticks_text(ticks, tick) if ticks else ""

    def money(units: int) -> str:
        return units_text(units, unit)

    entry = entry_text(terms, lots, row.cost_units)
    realised = held.pnl_units - held.fee_units - held.penalty_units + held.funding_units
    return {
        "adl": str(_light(row)), "availPos": ticks_text(abs(size), terms.lot_size) if row.leg else "", "avgPx": entry,
        "baseBal": "", "baseBorrowed": "", "baseInterest": "", "bePx": entry, "bizRefId": "", "bizRefType": "",
        "cTime": ms(held.opened_ns), "ccy": terms.settle, "clSpotInUseAmt": "", "closeOrderAlgo": [], "deltaBS": "",
        "deltaPA": "",
        "fee": money(-held.fee_units), "fundingFee": money(held.funding_units), "gammaBS": "", "gammaPA": "",
        "hedgedPos": "", "idxPx": price(around.index_ticks), "imr": "" if isolated else money(row.initial_units),
        "instId": terms.name,
        "instType": kind_of(terms), "interest": "", "last": price(around.last_ticks),
        "lever": leverage_text((row.leverage, row.leverage_parts)), "liab": "", "liabCcy": "",
        "liqPenalty": money(-held.penalty_units), "liqPx": price(row.liquidation_ticks) if open_ else "",
        "margin": money(row.margin_units) if isolated else "", "markPx": price(row.mark_ticks), "maxSpotInUseAmt": "",
        "mgnMode": MODES[Mode(row.mode)], "mgnRatio": ratio_text(row.equity_units, around.own_units) if open_ else "",
        "mmr": money(row.own_units), "nonSettleAvgPx": "", "notionalUsd": notional_text(terms, lots, row.mark_ticks),
        "optVal": "", "pendingCloseOrdLiabVal": "", "pnl": money(held.pnl_units), "pos": ticks_text(size, terms.lot_size),
        "posCcy": "", "posId": position_id(held.account, row.instrument, row.leg), "posSide": LEGS[Leg(row.leg)],

        "quoteBal": "", "quoteBorrowed": "", "quoteInterest": "", "realizedPnl": money(realised), "settledPnl": "",
        "spotInUseAmt": "", "spotInUseCcy": "", "thetaBS": "", "thetaPA": "", "tradeId": str(held.trade or ""),
        "uTime": ms(held.updated_ns), "upl": money(row.upl_units), "uplLastPx": money(row.upl_units),
        "uplRatio": _profit_ratio(row), "uplRatioLastPx": _profit_ratio(row), "usdPx": around.dollars, "vegaBS": "",
        "vegaPA": "",
    }  # fmt: skip


def _light(row: PositionRow) -> int:
    """Returns 0 to 5, how near to a deleveraging a position is: profit by its margin, as the ranks go by it."""
    if not row.size_lots or row.upl_units <= 0 or not row.initial_units:
        return int(bool(row.size_lots))
    return min(5, 2 + row.upl_units // row.initial_units)


def _profit_ratio(row: PositionRow) -> str:
    cost = abs(row.cost_units) * row.leverage_parts
    return ratio_text(row.upl_units * row.leverage, cost) if row.size_lots else "0"


def entry_text(terms: Instrument, lots: int, cost_units: int) -> str:
    """Writes the price at which so many lots have a cost, rounded half to even to nine decimals; "" of nothing."""
    cost, worth = abs(cost_units), abs(lots) * terms.spec.units
    if not cost or not worth:
        return ""
    exact = Fraction(worth, cost) if terms.spec.kind == Kind.INVERSE else Fraction(cost, worth)
    exact *= Fraction(terms.tick_size)
    return plain(from_units(half_even(exact.numerator * 10**9, exact.denominator), PPB))


def closed_row(terms: Instrument, held: Holding) -> Row:
    """Writes a position that was closed."""
    tick, unit = terms.tick_size, terms.unit
    realised = held.pnl_units - held.fee_units - held.penalty_units + held.funding_units
    margin = abs(held.opened_value) * terms.spec.units * held.leverage[1]
    linear = terms.spec.kind != Kind.INVERSE
    direction = "long" if held.long else "short"
    return {
        "cTime": ms(held.opened_ns), "ccy": terms.settle, "closeAvgPx": average_text(held.closed_value, held.closed_lots,
        tick),
        "closeTotalPos": ticks_text(held.closed_lots, terms.lot_size), "direction": direction,
        "fee": units_text(-held.fee_units, unit), "fundingFee": units_text(held.funding_units, unit), "instId": terms.name,
        "instType": kind_of(terms), "lever": leverage_text(held.leverage), "liqPenalty": units_text(-held.penalty_units, unit),
        "mgnMode": MODES[Mode(held.mode)], "nonSettleAvgPx": "",
        "openAvgPx": average_text(held.opened_value, held.opened_lots, tick),
        "openMaxPos": ticks_text(held.most_lots, terms.lot_size), "pnl": units_text(held.pnl_units, unit),
        "pnlRatio": ratio_text(realised * held.leverage[0], margin) if linear else "",
        "posId": position_id(held.account, held.instrument, held.leg), "posSide": LEGS[Leg(held.leg)],
        "realizedPnl": units_text(realised, unit), "settledPnl": "", "triggerPx": "",
        "type": {Category.TAKEOVER: "3", Category.STEP_DOWN: "4", Category.ADL: "5"}.get(held.end, "2"),
        "uTime": ms(held.updated_ns), "uly": family_of(terms),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sums:
    """Holds what a balance shows of an account's positions in one currency, in units."""

    isolated_margin: int
    isolated_upl: int
    cross_upl: int
    cross_own: int
    cross_initial: int


def balance_row(name: str, unit: Decimal, row: WalletRow, sums: Sums, changed_ns: int) -> Row:
    """Writes one currency of an account. Available money is never more than the equity."""

    def money(units: int) -> str:
        return units_text(units, unit)

    equity = row.equity_units
    available = max(0, min(row.free_units, equity))
    return {
        "accAvgPx": "", "autoLendAmt": "", "autoLendMtAmt": "", "autoLendStatus": "", "availBal": money(available),
        "availEq": money(available), "borrowFroz": "", "cashBal": money(row.cash_units + sums.isolated_margin), "ccy": name,
        "clSpotInUseAmt": "", "coinUsdPrice": "", "colBorrAutoConversion": "0", "collateralEnabled": False,
        "collateralRestrict": False, "crossLiab": "", "disEq": money(equity), "eq": money(equity), "eqUsd": money(equity),
        "fixedBal": "0", "frozenBal": money(equity - available), "frpType": "0", "imr": money(sums.cross_initial),
        "interest": "", "isoEq": money(sums.isolated_margin + sums.isolated_upl), "isoLiab": "",
        "isoUpl": money(sums.isolated_upl), "liab": "", "maxLoan": "", "maxSpotInUseAmt": "",
        "mgnRatio": ratio_text(row.cross_equity_units, sums.cross_own), "mmr": money(sums.cross_own),
        "notionalLever": ratio_text(row.cross_value_units, row.cross_equity_units) or "0", "openAvgPx": "",
        "ordFrozen": money(row.hold_units), "rewardBal": "0", "smtSyncEq": "0", "spotBal": "", "spotCopyTradingEq": "0",
        "spotInUseAmt": "", "spotIsoBal": "0", "spotUpl": "", "spotUplRatio": "", "stgyEq": "0", "totalPnl": "",
        "totalPnlRatio": "", "twap": "0", "uTime": ms(changed_ns), "upl": money(sums.isolated_upl + sums.cross_upl),
        "uplLiab": "",
    }  # fmt: skip


def account_row(details: list[Row], total: str, isolated: str, changed_ns: int) -> Row:
    """Writes an account: its sums, and a record for each currency."""
    return {
        "adjEq": "", "availEq": "", "borrowFroz": "", "delta": "", "deltaLever": "", "deltaNeutralStatus": "",
        "details": details, "imr": "", "isoEq": isolated, "mgnRatio": "", "mmr": "", "notionalUsd": "",
        "notionalUsdForBorrow": "", "notionalUsdForFutures": "", "notionalUsdForOption": "", "notionalUsdForSwap": "",
        "ordFroz": "", "totalEq": total, "uTime": ms(changed_ns), "upl": "",
    }  # fmt: skip


BILLS = {
    Posting.DEPOSITED: ("1", "11"), Posting.WITHDRAWN: ("1", "12"), Posting.TRANSFERRED: ("1", "11"),
    Posting.FUNDING_PAID: ("8", "173"), Posting.FUNDING_RECEIVED: ("8", "174"), Posting.SETTLED: ("3", "112"),
    Posting.LIQUIDATION_FEE: ("5", "110"), Posting.TAKEN_OVER: ("5", "104"), Posting.CONVERTED: ("5", "200"),
    Posting.SURPLUS_RETURNED: ("5", "104"),
    Posting.SHORTFALL: ("5", "111"), Posting.ADL_TOP_UP: ("9", "125"),
}  # fmt: skip
"""Type and subtype of a bill that no fill made."""


def bill_type(bill: Bill) -> tuple[str, str]:
    """Returns type and subtype of a bill."""
    if bill.fill is not None:
        kinds = {Category.NORMAL: "2", Category.ADL: "9"}
        return kinds.get(bill.fill.category, "5"), str(sub_type(bill.fill))
    if bill.posting == Posting.MARGIN_MOVED:
        return "6", "160" if bill.change_units > 0 else "161"
    return BILLS.get(bill.posting, ("2", "1"))


def bill_row(terms: Instrument | None, currency: str, unit: Decimal, bill: Bill) -> Row:
    """Writes a bill. terms: those of its instrument, if it has one.

    Margin moves change no balance, only that of the position.
    """
    fill, (kind, sub) = bill.fill, bill_type(bill)
    moved = bill.posting == Posting.MARGIN_MOVED
    lots = ticks_text(bill.size_lots, terms.lot_size) if terms else ""
    return {
        "bal": units_text(bill.balance_units, unit),
        "balChg": units_text(-bill.change_units if moved else bill.change_units, unit),
        "billId": str(bill.bill_id), "ccy": currency, "clOrdId": fill.client_id if fill else "", "earnAmt": "", "earnApr": "",
        "execType": "" if fill is None else "M" if fill.maker else "T", "fee": units_text(-fill.fee_units,
        unit) if fill else "0",
        "fillFwdPx": "", "fillIdxPx": "", "fillMarkPx": "", "fillMarkVol": "", "fillPxUsd": "", "fillPxVol": "",
        "fillTime": ms(bill.time_ns), "from": "", "instId": terms.name if terms else "",
        "instType": kind_of(terms) if terms else "", "interest": "", "mgnMode": MODES[Mode(bill.mode)] if terms else "",
        "notes": "", "ordId": str(fill.order_id) if fill else "",
        "pnl": units_text(fill.pnl_units if fill else 0 if kind != "8" else bill.change_units, unit),
        "posBal": units_text(bill.change_units, unit) if moved else "", "posBalChg": units_text(bill.change_units,
        unit) if moved else "0",
        "px": ticks_text(bill.price_ticks, terms.tick_size) if terms else "", "subType": sub, "sz": lots,
        "tag": fill.asked.tag if fill else "", "to": "", "tradeId": str(fill.number) if fill else "",
        "ts": ms(bill.time_ns), "type": kind,
    }  # fmt: skip
