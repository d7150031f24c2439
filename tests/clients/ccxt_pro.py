"""ccxt.pro: what a bot watches, through a fill, a liquidation, a dropped connection and a gap."""

import asyncio

import ccxt.pro as ccxt
from ask import SYMBOL, credentials, venue

WAIT = 10


async def ask(*words):
    await asyncio.to_thread(venue, *words)


async def soon(waiting):
    return await asyncio.wait_for(waiting, WAIT)


async def after(watching, act):
    """The next message of a watch that was begun before something was done."""
    task = asyncio.ensure_future(watching)
    await asyncio.sleep(0.2)
    await act
    return await soon(task)


async def main():
    x = ccxt.okx(credentials())
    await x.load_markets()
    book = await soon(x.watch_order_book(SYMBOL))
    assert book["asks"][0][:2] == [50010.0, 3.0]
    book = await after(x.watch_order_book(SYMBOL), ask("rest", "sell", 1, 50005))
    assert book["asks"][0][:2] == [50005.0, 1.0]
    assert (await soon(x.watch_ticker(SYMBOL)))["ask"] == 50005.0
    assert (await soon(x.watch_mark_price(SYMBOL)))["markPrice"] == 50000.0
    assert (await soon(x.watch_balance()))["USDT"]["total"] == 10000.0

    # an order over the socket, and all that tells of it
    await x.set_leverage(20, SYMBOL, {"mgnMode": "isolated"})
    isolated = {"tdMode": "isolated"}
    watches = [x.watch_orders(SYMBOL), x.watch_my_trades(SYMBOL), x.watch_trades(SYMBOL), x.watch_ohlcv(SYMBOL)]
    watches = [asyncio.ensure_future(each) for each in watches]
    await asyncio.sleep(0.5)
    order = await soon(x.create_order_ws(SYMBOL, "market", "buy", 4, None, isolated))
    orders, mine, trades, bars = [await soon(each) for each in watches]
    assert orders[-1]["id"] == order["id"] == mine[-1]["order"] and trades[-1]["side"] == "buy" and bars[-1][5] > 0
    resting = await soon(x.create_order_ws(SYMBOL, "limit", "buy", 1, 49000, isolated))
    await soon(x.edit_order_ws(resting["id"], SYMBOL, "limit", "buy", 2, 49001, isolated))
    assert (await x.fetch_order(resting["id"], SYMBOL))["amount"] == 2.0
    await soon(x.cancel_order_ws(resting["id"], SYMBOL))
    try:
        await soon(x.cancel_order_ws(resting["id"], SYMBOL))
        raise AssertionError("it is gone")
    except ccxt.BaseError as error:
        assert "51401" in str(error), error

    # a target and a stop that an order over the socket brings
    exits = {"stopLoss": {"triggerPrice": 49000}, "takeProfit": {"triggerPrice": 52000}}
    brings = await soon(x.create_order_ws(SYMBOL, "limit", "buy", 1, 49500, isolated | exits))
    (item,) = (await x.fetch_order(brings["id"], SYMBOL))["info"]["attachAlgoOrds"]
    assert (item["slTriggerPx"], item["tpTriggerPx"], item["slOrdPx"]) == ("49000", "52000", "-1")
    await soon(x.cancel_order_ws(brings["id"], SYMBOL))
    seen = await after(x.watch_orders(SYMBOL, params={"trigger": True}), x.create_order(
        SYMBOL, "oco", "sell", 4, None, isolated | {"stopLossPrice": 48000, "slOrdPx": -1, "takeProfitPrice": 53000,
                                                    "tpOrdPx": -1, "reduceOnly": True}))  # fmt: skip
    assert (seen[-1]["type"], seen[-1]["status"], seen[-1]["stopLossPrice"]) == ("oco", "open", 48000.0)

    # a liquidation
    task = asyncio.ensure_future(x.watch_my_liquidations_for_symbols([SYMBOL]))
    public = asyncio.ensure_future(x.watch_liquidations(SYMBOL))
    positions = asyncio.ensure_future(x.watch_positions([SYMBOL]))
    await asyncio.sleep(0.5)
    await ask("mark", 46000)
    assert (await soon(task))[0]["symbol"] == SYMBOL
    assert (await soon(public))[0]["contracts"] == 4.0
    await soon(positions)

    # a dropped connection: the next call logs in and subscribes by itself
    orders = asyncio.ensure_future(x.watch_orders(SYMBOL))
    await asyncio.sleep(0.3)
    await ask("drop")
    try:
        await soon(orders)
        raise AssertionError("the connection was dropped")
    except ccxt.NetworkError:
        pass
    await ask("mark", 50000)
    found = await after(x.watch_orders(SYMBOL), x.create_order(SYMBOL, "limit", "buy", 1, 49000))
    assert found[-1]["status"] == "open"

    # a gap in the book: an error once, then a new snapshot
    await soon(x.watch_order_book(SYMBOL))
    await ask("gap")
    await ask("rest", "sell", 1, 50030)
    try:
        await after(x.watch_order_book(SYMBOL), ask("rest", "sell", 1, 50031))
        raise AssertionError("a message is missing")
    except ccxt.InvalidNonce:
        pass
    book = await soon(x.watch_order_book(SYMBOL))
    assert [50031.0, 1.0] in [level[:2] for level in book["asks"]]
    await x.close()


asyncio.run(main())
