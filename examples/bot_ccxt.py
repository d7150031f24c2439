"""The bot's client by ccxt: errors of ccxt become what the bot tells apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ccxt

from bot import Later, Order, Refused, Stop, Unclear

SYMBOL = "BTC/USDT:USDT"
LATER = (ccxt.RateLimitExceeded, ccxt.OnMaintenance, ccxt.InvalidNonce, ccxt.BadSymbol)  # BadSymbol: an outage says so, too


@contextmanager
def understood() -> Iterator[None]:
    """Turns what ccxt raises into what the bot tells apart."""
    try:
        yield
    except LATER:
        raise Later from None
    except (ccxt.OperationFailed, ccxt.NullResponse) as error:  # no answer, or a server that fails
        raise Unclear(str(error)) from None
    except ccxt.BaseError as error:
        raise Refused(str(error)) from None


class CcxtClient:
    """Trades by ccxt. exchange: a ccxt.okx."""

    def __init__(self, exchange: Any):
        self.exchange = exchange
        exchange.timeout = 3_000

    @contextmanager
    def asked(self) -> Iterator[None]:
        """A request; one that comes at a wrong time looks at the venue's clock for the next."""
        try:
            with understood():
                yield
        except Later:
            with understood():
                self.exchange.load_time_difference()
            raise

    def position(self) -> tuple[Decimal, Decimal]:
        with self.asked():
            found = self.exchange.fetch_positions([SYMBOL])
        sizes = [(Decimal(str(each["contracts"] or 0)), each) for each in found]
        for size, each in sizes:
            if size:
                return (size if each["side"] == "long" else -size), Decimal(str(each["entryPrice"]))
        return Decimal(0), Decimal(0)

    def price(self) -> Decimal:
        with self.asked():
            return Decimal(str(self.exchange.fetch_ticker(SYMBOL)["bid"] or 0))

    def place(self, orders: list[Order]) -> None:
        asked = [
            {
                "symbol": SYMBOL, "type": "market", "side": each.side, "amount": float(each.size),
                "params": {"clientOrderId": each.name, "reduceOnly": each.reduce_only},
            }
            for each in orders
        ]  # fmt: skip
        with self.asked():
            answers = self.exchange.create_orders(asked)
            if any(each["id"] is None and each["status"] != "rejected" for each in answers):
                raise ccxt.NullResponse("an answer without an id")

    def known(self, name: str) -> bool:
        try:
            with self.asked():
                self.exchange.fetch_order(None, SYMBOL, {"clOrdId": name})
        except Refused:
            return False
        return True

    def stops(self) -> list[Stop]:
        with self.asked():
            found = self.exchange.fetch_open_orders(SYMBOL, params={"trigger": True, "ordType": "conditional"})
        return [Stop(each["id"], Decimal(str(each["amount"]))) for each in found]

    def place_stop(self, name: str, size: Decimal, price: Decimal) -> None:
        terms = {"stopLossPrice": str(price), "reduceOnly": True, "clientOrderId": name, "slTriggerPxType": "mark"}
        with self.asked():
            self.exchange.create_order(SYMBOL, "market", "sell", float(size), None, terms)

    def cancel_stop(self, stop: Stop) -> None:
        with self.asked():
            self.exchange.cancel_order(stop.number, SYMBOL, {"trigger": True})

    def close(self) -> None:
        pass
