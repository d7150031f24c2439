"""The example bots as they are, and with bugs that real bots have: each says which rows of the table of faults find it.

Owns the bugs. A bug is the smallest change of a sound bot (examples/bot.py) that makes it.
"""

from decimal import Decimal
from types import SimpleNamespace

from bot import Bot, Later, Order, Unclear
from bot_ccxt import CcxtClient
from bot_plain import Book, PlainClient
from solvent.testing.fixtures import CREDENTIALS, ccxt_client

SWAP = "BTC-USDT-SWAP"


def plain(gateway, kind=PlainClient):
    return kind(gateway.url, gateway.ws_url, *CREDENTIALS.values())


def by_ccxt(gateway):
    return CcxtClient(ccxt_client(gateway.url))


CLIENTS = {"plain": plain, "ccxt": by_ccxt}


def running(bot, client):
    """What makes a bot of a kind with a client for a gateway."""

    def make(gateway):
        made = bot(client(gateway))
        return SimpleNamespace(step=made.step, close=made.client.close, client=made.client)

    return make


def judge(exchange, bot):
    """At the end the bot has a position if it can, one stop of its size, and, if it listens, the venue's book."""
    held = exchange.position("bot", SWAP).size
    stops = [order.size for order in exchange.open_orders("bot") if order.dormant]
    assert stops == [held] * bool(held), f"a position of {held}, with stops of {[str(each) for each in stops]}"
    assert held or exchange.account("bot").cash < 1_000, "it has money, and does nothing"
    if hasattr(bot.client, "book"):
        bot.client.listen()
        depth, book = exchange.depth(SWAP, 5), bot.client.book
        for side in ("bids", "asks"):
            mine, there = book.best(side, 5), [price for price, _ in getattr(depth, side)]
            assert not book.right or mine == there, f"{side} of {mine} where there are {there}"


# --- bugs of any bot


class SendsAgainUnderANewName(Bot):
    """No answer, so once more: the venue cannot know that it is the same order."""

    found_by = ("answered_503", "dropped_after", "slow_5s")

    def send(self, orders):
        try:
            self.client.place(orders)
        except Unclear:
            self.client.place([Order(self.name(), each.side, each.size, each.reduce_only) for each in orders])


class IgnoresPartialFills(Bot):
    """What was asked for is what is held. In a quiet market it stays so."""

    found_by, scenario = ("partial_batch",), "quiet"

    def protect(self, held, entry, stops):
        super().protect(self.size, entry, stops)


class TrustsTheAnswer(Bot):
    """No answer means that nothing happened: what it asks the venue is never what it has just done."""

    found_by = ("answered_503", "dropped_after", "slow_5s")
    flat = True

    def settle(self):
        self.sent = []

    def act(self):
        self.flat = self.flat or self.client.position()[0] <= 0
        if self.flat:
            self.enter()
            self.flat = False
        else:
            super().act()


class PlacesTheStopTwice(Bot):
    """Its own memory of a stop is what its answers said."""

    found_by = ("answered_503", "dropped_after")
    protected = Decimal(0)

    def protect(self, held, entry, stops):
        if self.protected != held:
            super().protect(held, entry, [])
            self.protected = held

    def enter(self):
        self.protected = Decimal(0)
        super().enter()


class ExitsThatOpen(Bot):
    """It sells what it meant to hold, and not reduce-only."""

    found_by = ("partial_batch",)

    def send(self, orders):
        sells = [Order(each.name, "sell", self.size) for each in orders if each.side == "sell"]
        super().send(sells or orders)


class GivesUp(Bot):
    """A venue that is away for hours is gone for good."""

    found_by = ("maintenance", "outage_51001")
    gone = 0

    def act(self):
        if self.gone < 3:
            try:
                super().act()
            except Later:
                self.gone += 1
                raise


ANY = [SendsAgainUnderANewName, IgnoresPartialFills, TrustsTheAnswer, PlacesTheStopTwice, ExitsThatOpen, GivesUp]


# --- bugs of a bot that listens


class BelievesAnyBook(PlainClient):
    """Applies every update, whatever came before."""

    found_by = ("sequence_gap", "checksum_error")

    def __init__(self, *terms):
        super().__init__(*terms)
        self.book = Believed()


class Believed(Book):
    def take(self, action, data):
        self.sequence = data["prevSeqId"]
        super().take(action, data)
        self.right = True


class CountsPushes(PlainClient):
    """Adds up what was filled, message by message."""

    found_by = ("duplicate_push",)
    count = Decimal(0)

    async def _connect(self):
        await super()._connect()
        await self.sockets[1].send_json({"op": "subscribe", "args": [{"channel": "orders", "instType": "SWAP"}]})

    def take(self, message):
        if message.get("arg", {}).get("channel") != "orders":
            super().take(message)
            return
        for each in message.get("data", []):
            self.count += Decimal(each["fillSz"] or 0) * (1 if each["side"] == "buy" else -1)

    def position(self):
        held, entry = super().position()
        return (self.count, entry) if entry else (held, entry)


class NeverConnectsAgain(PlainClient):
    """After the notice it goes on with what it heard last."""

    found_by = ("closure_notice",)
    deaf = False

    def listen(self):
        if self.deaf:
            return
        try:
            self.loop.run_until_complete(self._listen())
        except OSError:
            self.deaf = True

    def position(self):
        self.listen()
        return self.pushed or (Decimal(0), Decimal(0))


LISTENING = [BelievesAnyBook, CountsPushes, NeverConnectsAgain]
