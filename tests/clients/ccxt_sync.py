"""ccxt, as a script would use it."""

import ccxt
from ask import NAME, SYMBOL, credentials, venue

x = ccxt.okx(credentials())
markets = x.load_markets()
assert list(markets) == [SYMBOL] and markets[SYMBOL]["contractSize"] == 0.01 and markets[SYMBOL]["linear"]
assert x.fetch_time() == 1764500000000
assert x.fetch_balance()["USDT"] == {"free": 10000.0, "used": 0.0, "total": 10000.0}
book = x.fetch_order_book(SYMBOL, 3)
assert book["bids"][0][:2] == [49990.0, 3.0] and book["asks"][0][:2] == [50010.0, 3.0] and len(book["asks"]) == 3
assert x.fetch_mark_price(SYMBOL)["markPrice"] == 50000.0
assert x.fetch_funding_rate(SYMBOL)["fundingRate"] == 0.0
tiers = x.fetch_market_leverage_tiers(SYMBOL)
assert tiers[0]["maxLeverage"] == 100.0 and tiers[0]["maintenanceMarginRate"] == 0.005
assert x.fetch_trading_fee(SYMBOL)["taker"] == 0.0005

# an order's life: rests, fills in part, is amended, is cancelled
order = x.create_order(SYMBOL, "limit", "buy", 2, 49995)
assert x.fetch_order(order["id"], SYMBOL)["status"] == "open"
venue("rest", "sell", "0.75", "49995")
seen = x.fetch_order(order["id"], SYMBOL)
assert (seen["status"], seen["filled"], seen["remaining"], seen["average"]) == ("open", 0.75, 1.25, 49995.0)
assert seen["fee"]["cost"] == 0.074992 or abs(seen["fee"]["cost"] - 0.0749925) < 1e-9
x.edit_order(order["id"], SYMBOL, "limit", "buy", 1.5, 49996)
assert x.fetch_open_orders(SYMBOL)[0]["amount"] == 1.5
x.cancel_order(order["id"], SYMBOL)
seen = x.fetch_order(order["id"], SYMBOL)
assert (seen["status"], seen["filled"]) == ("canceled", 0.75)
for call in (lambda: x.cancel_order(order["id"], SYMBOL), lambda: x.fetch_order("9", SYMBOL)):
    try:
        call()
        raise AssertionError("the order is gone")
    except ccxt.OrderNotFound:
        pass

# what bots branch on
for wrong, arguments in [
    (ccxt.InsufficientFunds, ("limit", "buy", 5000, 49990)), (ccxt.InvalidOrder, ("limit", "buy", 1, 70000)),
    (ccxt.BadSymbol, None),
]:  # fmt: skip
    try:
        if arguments is None:
            x.public_get_market_ticker({"instId": "NO-SUCH-SWAP"})
        else:
            x.create_order(SYMBOL, *arguments)
        raise AssertionError(f"{wrong} is expected")
    except wrong:
        pass
mine = {"clientOrderId": "mine1"}
x.create_order(SYMBOL, "limit", "buy", 1, 49000, mine)
try:
    x.create_order(SYMBOL, "limit", "buy", 1, 49000, mine)
    raise AssertionError("a client id is used once")
except ccxt.InvalidOrder:
    pass
assert len(x.fetch_open_orders(SYMBOL)) == 1
x.cancel_order(None, SYMBOL, mine)

# leverage, modes, a position, margin, funding, its liquidation
x.create_order(SYMBOL, "market", "sell", 0.75, None, {"reduceOnly": True})
assert x.fetch_positions() == []
x.set_leverage(20, SYMBOL, {"mgnMode": "isolated"})
assert x.fetch_leverage(SYMBOL, {"marginMode": "isolated"})["longLeverage"] == 20
isolated = {"tdMode": "isolated"}
entry = x.create_order(SYMBOL, "market", "buy", 4, None, isolated)
entry = x.fetch_order(entry["id"], SYMBOL)
assert (entry["status"], entry["filled"]) == ("closed", 4.0)
(position,) = x.fetch_positions([SYMBOL])
assert (position["side"], position["contracts"], position["marginMode"], position["leverage"]) == (
    "long",
    4.0,
    "isolated",
    20.0,
)
assert abs(position["initialMarginPercentage"] - 0.05) < 1e-9 and position["liquidationPrice"] > 47000
before = position["liquidationPrice"]
x.private_post_account_position_margin_balance({"instId": NAME, "posSide": "net", "type": "add", "amt": 20})
assert x.fetch_positions([SYMBOL])[0]["liquidationPrice"] < before
stop = x.create_order(SYMBOL, "market", "sell", 4, None, isolated | {"stopLossPrice": 48500, "reduceOnly": True})
assert x.fetch_order(stop["id"], SYMBOL, {"trigger": True})["status"] == "open"
assert [each["id"] for each in x.fetch_open_orders(SYMBOL, params={"ordType": "conditional"})] == [stop["id"]]
x.cancel_order(stop["id"], SYMBOL, {"stop": True})
assert x.fetch_open_orders(SYMBOL, params={"ordType": "conditional"}) == []
venue("fund", "0.0001", 1)
assert [each["amount"] for each in x.fetch_funding_history(SYMBOL)] == [-0.2]
assert x.fetch_funding_rate_history(SYMBOL)[0]["fundingRate"] == 0.0001
trades = x.fetch_my_trades(SYMBOL)
assert abs(sum(each["fee"]["cost"] for each in trades if each["order"] == entry["id"]) - entry["fee"]["cost"]) < 1e-12
venue("mark", 46000)
assert x.fetch_positions() == []
closed = [each for each in x.fetch_closed_orders(SYMBOL) if each["info"]["category"] == "full_liquidation"]
assert [each["filled"] for each in closed] == [4.0]
assert x.fetch_positions_history([SYMBOL])[0]["info"]["type"] == "3"
assert x.fetch_ohlcv(SYMBOL, "1m")[-1][5] > 0

# targets and stops: brought by an order, by the unified methods, and as a pair of their own
venue("mark", 50000)
for name, more in (("stop", {"stopLoss": {"triggerPrice": 49000, "triggerPriceType": "mark"}}),
                   ("both", {"stopLoss": {"triggerPrice": 49000, "type": "limit", "price": 48900},
                             "takeProfit": {"triggerPrice": 51000, "triggerPriceType": "index"}})):  # fmt: skip
    x.create_order(SYMBOL, "market", "buy", 1, None, isolated | more)
    kind = "conditional" if name == "stop" else "oco"
    (child,) = x.fetch_open_orders(SYMBOL, params={"ordType": kind})
    assert (child["side"], child["amount"], child["reduceOnly"]) == ("sell", 1.0, True)
    assert (child["stopLossPrice"], child["takeProfitPrice"]) == (49000.0, 51000.0 if name == "both" else None)
    x.close_position(SYMBOL, None, {"marginMode": "isolated"})
    assert x.fetch_open_orders(SYMBOL, params={"ordType": kind}) == []
entry = x.create_order_with_take_profit_and_stop_loss(SYMBOL, "limit", "buy", 1, 49500, 52000, 48000, isolated)
(item,) = x.fetch_order(entry["id"], SYMBOL)["info"]["attachAlgoOrds"]
assert (item["tpTriggerPx"], item["slTriggerPx"]) == ("52000", "48000")
x.edit_order(entry["id"], SYMBOL, "limit", "buy", 1, 49600, {"stopLoss": {"triggerPrice": 48500, "type": "market"}})
assert x.fetch_order(entry["id"], SYMBOL)["info"]["attachAlgoOrds"][0]["slTriggerPx"] == "48500"
x.cancel_order(entry["id"], SYMBOL)
x.create_order(SYMBOL, "market", "buy", 2, None, isolated)
pair = isolated | {"takeProfitPrice": 52000, "tpOrdPx": -1, "stopLossPrice": 48000, "slOrdPx": -1, "reduceOnly": True}
pair = x.create_order(SYMBOL, "oco", "sell", 2, None, pair | {"slTriggerPxType": "mark"})
assert x.fetch_order(pair["id"], SYMBOL, {"trigger": True})["type"] == "oco"
venue("mark", 47900)
assert x.fetch_order(pair["id"], SYMBOL, {"trigger": True})["info"]["actualSide"] == "sl" and x.fetch_positions() == []
venue("mark", 50000)

# two legs
x.set_position_mode(True)
assert x.fetch_position_mode()["hedged"]
venue("mark", 50000)
for side, leg in (("buy", "long"), ("sell", "short")):
    x.create_order(SYMBOL, "market", side, 1, None, {"tdMode": "cross", "posSide": leg})
assert sorted(each["side"] for each in x.fetch_positions()) == ["long", "short"]
x.create_order(SYMBOL, "market", "sell", 1, None, {"tdMode": "cross", "posSide": "long"})
assert [each["side"] for each in x.fetch_positions()] == ["short"]
x.close_position(SYMBOL, "short", {"marginMode": "cross"})
assert x.fetch_positions() == []
