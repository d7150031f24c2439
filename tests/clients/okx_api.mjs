// npm okx-api, REST: an order's life, a stop, a position and its end.
import { RestClient } from "okx-api";

const [url] = process.argv.slice(2);
const NAME = "BTC-USDT-SWAP";
const client = new RestClient({ apiKey: "key", apiSecret: "secret", apiPass: "phrase", baseUrl: url });

function hold(truth, what) {
  if (!truth) throw new Error(what);
}

hold((await client.getInstruments({ instType: "SWAP" }))[0].instId === NAME, "instruments");
const [order] = await client.submitOrder({ instId: NAME, tdMode: "cross", side: "buy", ordType: "limit", sz: "1", px: "49000" });
hold(order.sCode === "0", "order");
hold((await client.getOrderDetails({ instId: NAME, ordId: order.ordId }))[0].state === "live", "live");
await client.amendOrder({ instId: NAME, ordId: order.ordId, newSz: "2" });
await client.cancelOrder({ instId: NAME, ordId: order.ordId });
hold((await client.getOrderDetails({ instId: NAME, ordId: order.ordId }))[0].state === "canceled", "canceled");
let refused = null;
try {
  await client.cancelOrder({ instId: NAME, ordId: order.ordId });
} catch (error) {
  refused = error;
}
hold(refused && refused.code === "1" && refused.data[0].sCode === "51401", "a cancel of nothing is refused");
await client.setLeverage({ instId: NAME, lever: "10", mgnMode: "cross" });
await client.submitOrder({ instId: NAME, tdMode: "cross", side: "buy", ordType: "market", sz: "2" });
hold((await client.getPositions({ instType: "SWAP" }))[0].pos === "2", "position");
const [stop] = await client.placeAlgoOrder({
  instId: NAME, tdMode: "cross", side: "sell", ordType: "conditional", sz: "2", slTriggerPx: "49000", slOrdPx: "-1",
});
hold((await client.getAlgoOrderList({ ordType: "conditional" }))[0].algoId === stop.algoId, "stop");
await client.cancelAlgoOrder([{ instId: NAME, algoId: stop.algoId }]);
await client.closePositions({ instId: NAME, mgnMode: "cross" });
hold((await client.getPositions()).length === 0, "closed");
