"""vnpy_okx: its gateway connects, trades and hears of it."""

import os
import sys
import time
import traceback

URL, WS = sys.argv[1:3]
NAME = "BTC-USDT-SWAP"

import vnpy_okx.okx_gateway as module  # noqa: E402
from vnpy.event import EventEngine  # noqa: E402
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Status  # noqa: E402
from vnpy.trader.event import EVENT_ORDER, EVENT_TICK, EVENT_TRADE  # noqa: E402
from vnpy.trader.object import OrderRequest, SubscribeRequest  # noqa: E402

for path in ("rest", "public", "private", "business"):  # addresses are constants of the module
    setattr(module, f"REAL_{path.upper()}_HOST", URL if path == "rest" else f"{WS}/{path}")


def main():
    engine = EventEngine()
    engine.start()
    gateway = module.OkxGateway(engine, "OKX")
    orders, trades, ticks = [], [], []
    for heard, name in ((orders, EVENT_ORDER), (trades, EVENT_TRADE), (ticks, EVENT_TICK)):
        engine.register(name, lambda event, heard=heard: heard.append(event.data))
    setting = dict.fromkeys(gateway.default_setting, "") | {"API Key": "key", "Secret Key": "secret", "Passphrase": "phrase",
        "Server": "REAL", "Proxy Host": "", "Proxy Port": 0, "Spread Trading": "False", "Margin Currency": ""}  # fmt: skip
    gateway.connect(setting)

    def wait(truth, what):
        deadline = time.time() + 20
        while not truth():
            assert time.time() < deadline, what
            time.sleep(0.05)

    wait(lambda: gateway.symbol_contract_map, "contracts")
    contract = next(each for each in gateway.symbol_contract_map.values() if each.name == NAME)
    assert contract.size == 0.01 and contract.min_volume == 0.01
    time.sleep(1.5)
    gateway.subscribe(SubscribeRequest(symbol=contract.symbol, exchange=Exchange.GLOBAL))
    request = {"symbol": contract.symbol, "exchange": Exchange.GLOBAL, "offset": Offset.NONE}
    gateway.send_order(OrderRequest(direction=Direction.LONG, type=OrderType.LIMIT, volume=2.0, price=50010.0, **request))
    wait(lambda: trades, "a trade")
    assert (trades[0].volume, trades[0].price) == (2.0, 50010.0)
    wait(lambda: any(each.status == Status.ALLTRADED for each in orders), "the order is filled")
    gateway.send_order(OrderRequest(direction=Direction.LONG, type=OrderType.LIMIT, volume=1.239, price=49000.07, **request))
    wait(lambda: any(each.status == Status.REJECTED for each in orders), "a size between two lots is refused")
    gateway.close()
    engine.stop()


try:
    main()
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)  # its threads would go on
os._exit(0)
