"""A bot that is always long with a stop: what it does, and how it gets over a venue that does not answer as it should.

Owns the orders that it does not know the fate of. Holds no other state: each step begins with what the venue says. `bot_ccxt`
and `bot_plain` have the clients. It is an example of care, not of a way to earn money.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

__all__ = ["Bot", "Client", "Later", "Order", "Refused", "Stop", "Unclear"]


class Refused(Exception):
    """The venue has refused an order, and says why."""


class Later(Exception):
    """Nothing happened: the venue asks to be left alone, is not there, or does not know the time."""


class Unclear(Exception):
    """Nobody knows whether it happened: no answer came, or none that can be understood."""


@dataclass(frozen=True)
class Order:
    """An order at market. name: the bot's own id for it, by which the venue accepts it once."""

    name: str
    side: str
    size: Decimal
    reduce_only: bool = False


@dataclass(frozen=True)
class Stop:
    """A stop that rests at the venue."""

    number: str
    size: Decimal


class Client(Protocol):
    """What the bot needs of a venue. Each method raises Later or Unclear; those that place raise Refused, too."""

    def position(self) -> tuple[Decimal, Decimal]: ...  # contracts (below 0: short), entry price
    def price(self) -> Decimal: ...
    def place(self, orders: list[Order]) -> None: ...  # Refused if none of them was accepted
    def known(self, name: str) -> bool: ...
    def stops(self) -> list[Stop]: ...
    def place_stop(self, name: str, size: Decimal, price: Decimal) -> None: ...
    def cancel_stop(self, stop: Stop) -> None: ...
    def close(self) -> None: ...


class Bot:
    """Buys in two parts, keeps one reduce-only stop of the size that it holds, and takes its profit or its loss."""

    size = Decimal(20)
    stop_at, profit_at = Decimal("0.985"), Decimal("1.02")  # of the entry price

    def __init__(self, client: Client):
        self.client = client
        self.sent: list[Order] = []  # orders whose fate is not known
        self._names = 0

    def name(self) -> str:
        """A new id."""
        self._names += 1
        return f"bot{self._names}"

    def step(self) -> None:
        """Does what there is to do now. What goes wrong is left to the next step, which looks again."""
        try:
            self.settle()
            self.act()
        except (Later, Unclear, Refused):
            pass

    def settle(self) -> None:
        """Asks after orders whose fate is not known, and sends again, under their names, those that never arrived."""
        missing = [order for order in self.sent if not self.client.known(order.name)]
        if missing:
            self.client.place(missing)
        self.sent = []

    def send(self, orders: list[Order]) -> None:
        """Places orders, and remembers them until it is known whether they were accepted."""
        self.sent = orders
        try:
            self.client.place(orders)
        except (Later, Refused):
            self.sent = []
            raise
        self.sent = []

    def act(self) -> None:
        held, entry = self.client.position()
        stops = self.client.stops()
        if held <= 0:
            for stop in stops:
                self.client.cancel_stop(stop)
            self.enter()
        elif not self.stop_at < self.client.price() / entry < self.profit_at:  # no stop can be placed beyond the price
            self.send([Order(self.name(), "sell", held, reduce_only=True)])
        else:
            self.protect(held, entry, stops)

    def enter(self) -> None:
        """Buys in two parts, in one message."""
        self.send([Order(self.name(), "buy", self.size * part / 10) for part in (6, 4)])

    def protect(self, held: Decimal, entry: Decimal, stops: list[Stop]) -> None:
        """Leaves one stop of the size that is held."""
        right = [stop for stop in stops if stop.size == held]
        for stop in stops:
            if stop not in right[:1]:
                self.client.cancel_stop(stop)
        if not right:
            self.client.place_stop(self.name(), held, (entry * self.stop_at).quantize(Decimal("0.1")))
