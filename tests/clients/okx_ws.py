"""python-okx, sockets: it speaks only TLS, and knows the local authority by an environment variable."""

import asyncio
import json

from ask import NAME, WS, venue
from okx.websocket.WsPrivateAsync import WsPrivateAsync
from okx.websocket.WsPublicAsync import WsPublicAsync


async def main():
    url = WS.replace("127.0.0.1", "localhost")
    told = asyncio.Queue()
    public = WsPublicAsync(url=f"{url}/public")
    await public.start()
    await public.subscribe([{"channel": "books", "instId": NAME}], told.put_nowait)

    async def next_of(channel):
        while True:
            message = json.loads(await asyncio.wait_for(told.get(), 10))
            if message.get("arg", {}).get("channel") == channel and "data" in message:
                return message

    assert (await next_of("books"))["action"] == "snapshot"
    private = WsPrivateAsync(apiKey="key", passphrase="phrase", secretKey="secret", url=f"{url}/private", useServerTime=False)
    await private.start()
    await private.subscribe([{"channel": "orders", "instType": "SWAP"}], told.put_nowait)
    await asyncio.sleep(0.5)
    order = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
    await private.place_order([order], callback=told.put_nowait, id="1")
    assert (await next_of("orders"))["data"][0]["state"] == "filled"
    await asyncio.to_thread(venue, "rest", "sell", 1, 50030)
    assert (await next_of("books"))["action"] == "update"


asyncio.run(main())
