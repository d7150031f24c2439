"""nautilus_trader as a whole node: it takes quotes, enters, guards its position by a stop and by a bracket, and is out."""

import asyncio
import os
import sys
from datetime import timedelta

URL, WS = sys.argv[1:3]
os.environ |= {"OKX_API_KEY": "key", "OKX_API_SECRET": "secret", "OKX_API_PASSPHRASE": "phrase"}

from nautilus_trader.adapters.okx.config import OKXDataClientConfig, OKXExecClientConfig  # noqa: E402
from nautilus_trader.adapters.okx.factories import OKXLiveDataClientFactory, OKXLiveExecClientFactory  # noqa: E402
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, StrategyConfig, TradingNodeConfig  # noqa: E402
from nautilus_trader.core.nautilus_pyo3 import OKXInstrumentType, OKXMarginMode  # noqa: E402
from nautilus_trader.live.node import TradingNode  # noqa: E402
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TriggerType  # noqa: E402
from nautilus_trader.model.identifiers import InstrumentId, TraderId  # noqa: E402
from nautilus_trader.model.objects import Price, Quantity  # noqa: E402
from nautilus_trader.trading.strategy import Strategy  # noqa: E402

NAME = InstrumentId.from_str("BTC-USDT-SWAP.OKX")
WANTED = ["opened 2.00", "stop accepted", "stop canceled", "closed", "opened 1.00", "closed"]
DONE = asyncio.Event()
SEEN = []


def venue(*words):
    print("!" + " ".join(map(str, words)), flush=True)
    sys.stdin.readline()


class Trades(Strategy):
    """Goes on step by step: each event that comes is what the last step wanted."""

    def on_start(self):
        self.subscribe_quote_ticks(NAME)
        self.stop_order = self.entered = None

    def on_stop(self):
        self.unsubscribe_quote_ticks(NAME)

    def on_quote_tick(self, tick):
        if self.entered is None:
            self.entered = 1
            assert float(tick.bid_price) == 49_990.0 and float(tick.ask_price) == 50_010.0, tick
            self.submit_order(self.order_factory.market(NAME, OrderSide.BUY, Quantity.from_str("2.00")))

    def on_position_opened(self, event):
        SEEN.append(f"opened {event.quantity}")
        if self.stop_order is None:
            self.stop_order = self.order_factory.stop_market(
                NAME, OrderSide.SELL, Quantity.from_str("2.00"), Price.from_str("49000.0"), reduce_only=True,
                trigger_type=TriggerType.MARK_PRICE,
            )  # fmt: skip
            self.submit_order(self.stop_order)
        else:
            self.clock.set_time_alert("fall", self.clock.utc_now() + timedelta(seconds=1), lambda _: venue("last", 48_990))

    def on_order_accepted(self, event):
        if self.stop_order is not None and event.client_order_id == self.stop_order.client_order_id:
            SEEN.append("stop accepted")
            self.cancel_order(self.stop_order)

    def on_order_canceled(self, event):
        if event.client_order_id == self.stop_order.client_order_id:
            SEEN.append("stop canceled")
            self.close_all_positions(NAME)

    def on_position_closed(self, event):
        SEEN.append("closed")
        if "stop canceled" in SEEN and self.entered == 1:
            self.entered = 2
            self.submit_order_list(self.order_factory.bracket(
                NAME, OrderSide.BUY, Quantity.from_str("1.00"), tp_order_type=OrderType.MARKET_IF_TOUCHED,
                tp_trigger_price=Price.from_str("51000.0"), sl_trigger_price=Price.from_str("49000.0"),
            ))  # fmt: skip
        else:
            DONE.set()

    def on_order_rejected(self, event):
        SEEN.append(f"rejected {event.reason}")
        DONE.set()

    def on_order_denied(self, event):
        SEEN.append(f"denied {event.reason}")
        DONE.set()


async def main():
    common = {"base_url_http": URL, "instrument_types": (OKXInstrumentType.SWAP,),
              "instrument_provider": InstrumentProviderConfig(load_all=True)}  # fmt: skip
    node = TradingNode(config=TradingNodeConfig(
        trader_id=TraderId("BOT-001"), logging=LoggingConfig(log_level="WARNING"),
        data_clients={"OKX": OKXDataClientConfig(base_url_ws=f"{WS}/public", **common)},
        exec_clients={"OKX": OKXExecClientConfig(base_url_ws=f"{WS}/private", margin_mode=OKXMarginMode.CROSS, **common)},
        timeout_connection=30.0, timeout_reconciliation=10.0, timeout_portfolio=10.0, timeout_disconnection=5.0,
        timeout_post_stop=1.0,
    ))  # fmt: skip
    node.trader.add_strategy(Trades(StrategyConfig(strategy_id="S-001", use_hyphens_in_client_order_ids=False)))
    node.add_data_client_factory("OKX", OKXLiveDataClientFactory)
    node.add_exec_client_factory("OKX", OKXLiveExecClientFactory)
    node.build()
    running = asyncio.ensure_future(node.run_async())
    try:
        await asyncio.wait_for(DONE.wait(), 60)
        assert SEEN == WANTED, SEEN
        await asyncio.sleep(1)
        orders = node.cache.orders()[:-1]  # it leaves the target of a bracket open when the stop has fired
        assert len(orders) == 5 and {order.status for order in orders} == {OrderStatus.FILLED, OrderStatus.CANCELED}, orders
        assert node.cache.positions_open() == []
    except TimeoutError:
        raise AssertionError(f"it stands still after {SEEN}") from None
    finally:
        await node.stop_async()
        await asyncio.wait_for(running, 20)


asyncio.run(main())
