"""The routes of an account: balance, positions, modes, leverage, margin, fees, bills.

Owns their parameters and the codes of their refusals. Each method takes the account and the fields, and returns the list of
`data`.
"""

from collections.abc import Callable
from typing import Any

from solvent.gateway.okx import private_rows as private
from solvent.gateway.okx.codes import LEVERAGE, MARGIN, Refusal, said
from solvent.gateway.okx.fields import Fields, ms, need, number, one_of, page, text, ticks_text, whole
from solvent.gateway.okx.listing import family_of, kind_of
from solvent.gateway.okx.orders import Orders
from solvent.gateway.okx.public_routes import TYPES
from solvent.gateway.okx.public_rows import LEGS, rate_text
from solvent.gateway.okx.reading import Reading
from solvent.schema.codes import InputError, Rejected
from solvent.schema.layouts import NO_INSTRUMENT
from solvent.schema.words import Leg
from solvent.terms.decimals import plain

__all__ = ["AccountRoutes"]

_NET, _HEDGED = "net_mode", "long_short_mode"
_LEG_OF = {word: leg for leg, word in LEGS.items()}


class AccountRoutes:
    """Answers questions of an account about itself, and changes its settings."""

    def __init__(self, reading: Reading, orders: Orders):
        self.reading = reading
        self.desk, self.orders = reading.desk, orders
        self.routes: dict[tuple[str, str], Callable[[int, Fields], list[Any]]] = {
            ("GET", "asset/currencies"): self.currencies, ("GET", "asset/balances"): self.funding_account,
            ("GET", "asset/bills"): self.funding_account, ("GET", "asset/deposit-history"): self.funding_account,
            ("GET", "asset/withdrawal-history"): self.funding_account,
            ("GET", "account/max-avail-size"): self.max_avail_size,
            ("GET", "account/account-position-risk"): self.position_risk,
            ("GET", "account/config"): self.config, ("GET", "account/balance"): self.balance,
            ("GET", "account/positions"): self.positions, ("GET", "account/positions-history"): self.positions_history,
            ("GET", "account/leverage-info"): self.leverage_info, ("GET", "account/trade-fee"): self.trade_fee,
            ("GET", "account/bills"): self.bills, ("GET", "account/bills-archive"): self.bills,
            ("GET", "account/instruments"): self.instruments, ("GET", "account/max-size"): self.max_size,
            ("POST", "account/set-leverage"): self.set_leverage, ("POST", "account/set-position-mode"): self.set_position_mode,
            ("POST", "account/position/margin-balance"): self.margin_balance,
        }  # fmt: skip

    def _some(self, fields: Fields) -> list[int]:
        kind, name = one_of(fields, "instType", ("", "ANY", *TYPES)), text(fields, "instId")
        names = name.split(",") if name else [""]
        return [index for each in names for index in self.reading.wanted(kind, name=each)]

    def currencies(self, account: int, fields: Fields) -> list[Any]:
        """The funding account's currencies: there is no funding account."""
        return []

    def funding_account(self, account: int, fields: Fields) -> list[Any]:
        """The funding account's balances and its past: there is no funding account."""
        return []

    def instruments(self, account: int, fields: Fields) -> list[Any]:
        """The instruments that the account may trade: all."""
        return [self.reading.instrument(index) for index in self._some(fields)]

    def config(self, account: int, fields: Fields) -> list[Any]:
        """The account's settings."""
        return [
            {
                "acctLv": "2",
                "acctStpMode": "cancel_maker",
                "autoLoan": False,
                "ctIsoMode": "automatic",
                "enableSpotBorrow": False,
                "feeType": "0",
                "greeksType": "PA",
                "ip": "",
                "kycLv": "3",
                "label": self.reading.exchange.account_name(account),
                "level": "Lv1",
                "levelTmp": "",
                "liquidationGear": "-1",
                "mainUid": str(account),
                "mgnIsoMode": "automatic",
                "opAuth": "1",
                "perm": "read_only,trade",
                "posMode": _HEDGED if self.reading.hedged(account) else _NET,
                "roleType": "0",
                "settleCcy": "USDT",
                "settleCcyList": ["USDT"],
                "spotBorrowAutoRepay": False,
                "spotOffsetType": "",
                "spotRoleType": "0",
                "spotTraderInsts": [],
                "stgyType": "0",
                "traderInsts": [],
                "type": "0",
                "uid": str(account),
            }  # fmt: skip
        ]

    def balance(self, account: int, fields: Fields) -> list[Any]:
        """The account's money."""
        currencies = text(fields, "ccy")
        return [self.reading.balance(account, currencies.split(",") if currencies else ())]

    def positions(self, account: int, fields: Fields) -> list[Any]:
        """The open positions."""
        wanted = text(fields, "posId")
        rows = self.reading.positions(account, self._some(fields))
        return [row for row in rows if not wanted or row["posId"] in wanted.split(",")]

    def positions_history(self, account: int, fields: Fields) -> list[Any]:
        """The positions that were closed, newest first, paged by the time of closing."""
        wanted, mode, kind = set(self._some(fields)), text(fields, "mgnMode"), text(fields, "type")
        closed = [held for held in reversed(self.desk.history.closed[account]) if held.instrument in wanted]
        rows = page(fields, closed, lambda held: held.updated_ns // 1_000_000)
        found = [private.closed_row(self.reading.terms(held.instrument), held) for held in rows]
        return [row for row in found if mode in ("", row["mgnMode"]) and kind in ("", row["type"])]

    def leverage_info(self, account: int, fields: Fields) -> list[Any]:
        """The leverage of some instruments in a margin mode, of each leg."""
        mode = self.orders.mode(fields, "mgnMode")
        names = need(fields, "instId").split(",")
        found = []
        for name in names[:20]:
            index = self.orders.instrument({"instId": name})
            for leg in self.reading.legs(account, index):
                times = self.desk.leverage(account, index, mode, leg)
                found.append(
                    {
                        "ccy": "",
                        "instId": self.reading.terms(index).name,
                        "lever": private.leverage_text(times.as_integer_ratio()),
                        "mgnMode": mode,
                        "posSide": LEGS[leg],
                    }  # fmt: skip
                )
        return found

    def set_leverage(self, account: int, fields: Fields) -> list[Any]:
        """Sets the leverage of an instrument in a margin mode, for a leg or for all where the request names none."""
        index, mode = self.orders.instrument(fields), self.orders.mode(fields, "mgnMode")
        lever = number(fields, "lever")
        if lever is None:
            raise Refusal("50014", "lever")
        legs, named = self.reading.legs(account, index), text(fields, "posSide")
        if named and mode == "isolated":
            if _LEG_OF.get(named) not in legs:
                raise Refusal("51000", "posSide")
            legs = (_LEG_OF[named],)
        try:
            for leg in legs:
                self.desk.set_leverage(account, index, mode, leg, lever)
        except Rejected as error:
            raise said(error.code, LEVERAGE) from None
        except InputError:
            raise Refusal("51000", "lever") from None
        name = self.reading.terms(index).name
        return [{"instId": name, "lever": plain(lever), "mgnMode": mode, "posSide": named or LEGS[legs[0]]}]

    def set_position_mode(self, account: int, fields: Fields) -> list[Any]:
        """Sets the position mode of all instruments."""
        mode = one_of(fields, "posMode", (_NET, _HEDGED))
        try:
            self.desk.hedge(account, mode == _HEDGED)
        except Rejected:
            raise Refusal("59000") from None
        return [{"posMode": mode}]

    def margin_balance(self, account: int, fields: Fields) -> list[Any]:
        """Moves margin to an isolated position, or back."""
        index = self.orders.instrument(fields)
        leg, kind, amount = (
            self.orders.leg(account, index, fields),
            one_of(fields, "type", ("add", "reduce")),
            number(fields, "amt"),
        )
        if amount is None:
            raise Refusal("50014", "amt")
        if amount <= 0:
            raise Refusal("51000", "amt")
        self.desk.tick()
        try:
            self.reading.exchange.move_margin(account, index, amount if kind == "add" else -amount, leg=leg)
        except Rejected as error:
            raise said(error.code, MARGIN) from None
        except InputError:
            raise Refusal("51000", "amt") from None
        row = self.reading.desk.row(account, index, Leg[leg.upper()] if leg else Leg.ONE_WAY)
        return [
            {
                "amt": plain(amount),
                "ccy": self.reading.terms(index).settle,
                "instId": self.reading.terms(index).name,
                "leverage": private.leverage_text((row.leverage, row.leverage_parts)),
                "posSide": leg or "net",
                "type": kind,
            }  # fmt: skip
        ]

    def trade_fee(self, account: int, fields: Fields) -> list[Any]:
        """The fee rates of a type, a family or an instrument; negative for what the account pays."""
        kind = one_of(fields, "instType", TYPES)
        family, name = text(fields, "instFamily") or text(fields, "uly"), text(fields, "instId")
        found = list(self.reading.wanted(kind, family, name))
        if not found:
            return []
        terms = self.reading.terms(found[0])
        maker, taker = rate_text(-terms.spec.maker_fee_ppb), rate_text(-terms.spec.taker_fee_ppb)
        inverse = bool(terms.spec.kind)
        return [
            {
                "category": "1",
                "delivery": "",
                "exercise": "",
                "feeGroup": [{"groupId": "1", "maker": maker, "taker": taker}],
                "fiat": [],
                "instType": kind_of(terms),
                "level": "Lv1",
                "maker": maker if inverse else "",
                "makerU": "" if inverse else maker,
                "makerUSDC": "",
                "ruleType": "normal",
                "settle": "",
                "taker": taker if inverse else "",
                "takerU": "" if inverse else taker,
                "takerUSDC": "",
                "ts": ms(self.reading.now_ns),
                "uly": family_of(terms),
            }  # fmt: skip
        ]

    def max_size(self, account: int, fields: Fields) -> list[Any]:
        """The largest sizes that the account can open with its free money at the mark, fees left aside."""
        self.orders.mode(fields)
        found = []
        for name in need(fields, "instId").split(",")[:5]:
            index = self.orders.instrument({"instId": name})
            lots = self.desk.affordable_lots(account, index)
            size = ticks_text(lots, self.reading.terms(index).lot_size)
            found.append({"ccy": "", "instId": name, "maxBuy": size, "maxSell": size})
        return found

    def max_avail_size(self, account: int, fields: Fields) -> list[Any]:
        """The money that is there for orders of some instruments, in the currency that each settles in."""
        self.orders.mode(fields)
        found = []
        for name in need(fields, "instId").split(",")[:5]:
            currency = self.reading.terms(self.orders.instrument({"instId": name})).settle
            details = self.reading.balance(account, (currency,))["details"]
            money = details[0]["availEq"] if details else "0"
            found.append({"instId": name, "availBuy": money, "availSell": money})
        return found

    def position_risk(self, account: int, fields: Fields) -> list[Any]:
        """The account's money and its open positions, all as of one moment."""
        positions = self.reading.positions(account, self._some({"instType": text(fields, "instType")}))
        details = self.reading.balance(account)["details"]
        names = ("baseBal", "ccy", "instId", "instType", "mgnMode", "notionalUsd", "pos", "posCcy", "posId", "posSide")
        return [{
            "adjEq": "", "balData": [{name: row[name] for name in ("ccy", "disEq", "eq")} for row in details],
            "posData": [{name: row[name] for name in names} | {"notionalCcy": "", "quoteBal": ""} for row in positions],
            "ts": ms(self.reading.now_ns),
        }]  # fmt: skip

    def bills(self, account: int, fields: Fields) -> list[Any]:
        """The bills, newest first."""
        kind, sub, currency = text(fields, "type"), text(fields, "subType"), text(fields, "ccy")
        name, mode, margin = text(fields, "instId"), text(fields, "instType"), text(fields, "mgnMode")
        begin, end = whole(fields, "begin"), whole(fields, "end")
        names = {self.reading.terms(index).name for index in self.reading.wanted(mode)}
        found = []
        for bill in self.reading.bills(account):
            told = self.reading.bill(bill)
            listed = not mode or bill.instrument == NO_INSTRUMENT or told["instId"] in names
            wanted = (
                (kind, told["type"]),
                (sub, told["subType"]),
                (currency, told["ccy"]),
                (name, told["instId"]),
                (margin, told["mgnMode"]),
            )
            at = bill.time_ns // 1_000_000
            if listed and all(asked in ("", has) for asked, has in wanted) and at >= begin and (not end or at <= end):
                found.append(told)
        return page(fields, found, lambda row: int(row["billId"]))
