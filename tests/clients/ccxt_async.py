"""ccxt, asynchronous: ten clients at once, each with an account of its own."""

import asyncio

import ccxt.async_support as ccxt
from ask import SYMBOL, credentials


async def trade(number):
    x = ccxt.okx(credentials(apiKey=f"key{number}"))
    try:
        await x.load_markets()
        ids = [(await x.create_order(SYMBOL, "limit", "buy", 1, 49000 - i))["id"] for i in range(5)]
        opened = await x.fetch_open_orders(SYMBOL)
        assert sorted(each["id"] for each in opened) == sorted(ids)
        done = await x.cancel_orders(ids, SYMBOL)
        assert [each["id"] for each in done] == ids
        assert await x.fetch_open_orders(SYMBOL) == []
        return ids
    finally:
        await x.close()


async def main():
    found = await asyncio.gather(*(trade(number) for number in range(10)))
    assert len({each for ids in found for each in ids}) == 50


asyncio.run(main())
