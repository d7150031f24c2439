"""python-okx, REST."""

from ask import NAME, URL
from okx import Account, MarketData, PublicData, Trade

keys = ("key", "secret", "phrase", False, "0", URL)
trade, account = Trade.TradeAPI(*keys), Account.AccountAPI(*keys)
public, market = PublicData.PublicAPI(flag="0", domain=URL), MarketData.MarketAPI(flag="0", domain=URL)


def good(answer):
    assert answer["code"] == "0", answer
    return answer["data"]


assert good(public.get_instruments(instType="SWAP"))[0]["instId"] == NAME
assert good(public.get_instruments(instType="SPOT")) == []
assert good(public.get_mark_price(instType="SWAP"))[0]["markPx"] == "50000"
assert good(market.get_orderbook(instId=NAME, sz="2"))[0]["asks"][0][:2] == ["50010", "3"]
assert good(account.get_account_balance(ccy="USDT"))[0]["details"][0]["availEq"] == "10000"
order = good(trade.place_order(instId=NAME, tdMode="cross", side="buy", ordType="limit", sz=0.1, px=49000.1, clOrdId="abc1"))[
    0
]
assert good(trade.get_order(instId=NAME, clOrdId="abc1"))[0]["sz"] == "0.1"
good(trade.amend_order(instId=NAME, ordId=order["ordId"], newSz="0.2"))
assert [row["sz"] for row in good(trade.get_order_list(instType="SWAP"))] == ["0.2"]
good(trade.cancel_order(instId=NAME, clOrdId="abc1"))
assert trade.cancel_order(instId=NAME, clOrdId="abc1")["data"][0]["sCode"] == "51401"
assert trade.get_order(instId=NAME, ordId="9")["code"] == "51603"
good(account.set_leverage(instId=NAME, lever="10", mgnMode="isolated"))
good(trade.place_order(instId=NAME, tdMode="isolated", side="buy", ordType="market", sz="2", reduceOnly="false"))
assert good(account.get_positions(instType="SWAP"))[0]["pos"] == "2"
good(account.adjustment_margin(instId=NAME, posSide="net", type="add", amt="10"))
stop = good(trade.place_algo_order(
    instId=NAME, tdMode="isolated", side="sell", ordType="conditional", sz="2", slTriggerPx="49000", slOrdPx="-1",
    reduceOnly="true"
))[0]  # fmt: skip
assert good(trade.order_algos_list(ordType="conditional"))[0]["algoId"] == stop["algoId"]
good(trade.cancel_algo_order([{"instId": NAME, "algoId": stop["algoId"]}]))
pair = good(trade.place_algo_order(
    instId=NAME, tdMode="isolated", side="sell", ordType="oco", sz="2", slTriggerPx="49000", slOrdPx="-1", tpTriggerPx="51000",
    tpOrdPx="-1", algoClOrdId="pair"
))[0]  # fmt: skip
good(trade.amend_algo_order(instId=NAME, algoId=pair["algoId"], newSlTriggerPx="48500", newTpTriggerPx="52000"))
row = good(trade.get_algo_order_details(algoClOrdId="pair"))[0]
assert (row["slTriggerPx"], row["tpTriggerPx"], row["sz"]) == ("48500", "52000", "2")
good(trade.cancel_algo_order([{"instId": NAME, "algoId": pair["algoId"]}]))
attached = [{"slTriggerPx": "45000", "slOrdPx": "-1", "attachAlgoClOrdId": "guard"}]
good(trade.place_order(instId=NAME, tdMode="isolated", side="buy", ordType="market", sz="1", attachAlgoOrds=attached))
row = good(trade.order_algos_list(ordType="conditional"))[0]
assert (row["algoClOrdId"], row["sz"], row["slTriggerPx"], row["reduceOnly"]) == ("guard", "1", "45000", "true")
good(trade.close_positions(instId=NAME, mgnMode="isolated"))
assert good(account.get_positions(instType="SWAP")) == []
assert len(good(trade.get_fills(instType="SWAP"))) == 3
assert {row["subType"] for row in good(account.get_account_bills())} >= {"160", "1", "2", "11"}
good(account.set_position_mode(posMode="long_short_mode"))
assert good(account.get_account_config())[0]["posMode"] == "long_short_mode"
