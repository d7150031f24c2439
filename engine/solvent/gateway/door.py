"""Gateway: a venue on loopback over one exchange, for clients that do not know that it is not OKX.

Owns the choice of who may enter, of whose time it is, and the one thread that owns the exchange. `server` has the sockets, the
dialect the protocol, the desk the exchange.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Self, TypeVar

from solvent.api.exchange import Exchange
from solvent.gateway.desk import Desk
from solvent.gateway.okx.dialect import Okx
from solvent.gateway.okx.sign import Keys
from solvent.gateway.protocol import Answer, Deed, Faults, Request
from solvent.schema.codes import InputError
from solvent.terms.decimals import Dec, decimal
from solvent.terms.order_words import word, wrong_type

__all__ = ["Answer", "Deed", "Faults", "Gateway", "Request"]

_T = TypeVar("_T")


class Owned:
    """Stands for an exchange that a gateway's thread owns: each call is handed to that thread and waited for."""

    def __init__(self, gateway: "Gateway"):
        self._gateway = gateway

    def __getattr__(self, name: str) -> Any:
        if not callable(getattr(Exchange, name, None)):
            found = self._gateway.do(lambda exchange: getattr(exchange, name))
            if not callable(found):
                return found

        def call(*args: Any, **named: Any) -> Any:
            return self._gateway.do(lambda exchange: getattr(exchange, name)(*args, **named))

        return call


class Gateway:
    """Serves an exchange on a port of this machine, in a thread of its own, from now on until it is closed.

    exchange: an Exchange that nobody else uses any more; `gateway.exchange` stands for it, for any thread. host, port: where;
    0 takes a free port. time: "simulated" leaves the clock to commands and `exchange.advance`, "real" lets it follow the
    world's. deposit: what an unknown key finds in its account, in each settlement currency. keys: secret and passphrase by
    key. With keys, only they enter, and signatures are checked. clock_window_s: how far a request's time may be from the
    clock; 0 for any. faults: what goes wrong (solvent.gateway.Faults); it may be set and taken away at any time. tls: a
    context of the ssl module.

    Raises InputError for a word or number that has no sense, EventsDropped if the exchange no longer holds its events, OSError
    for a port that is taken.

    >>> from urllib.request import urlopen
    >>> from solvent import Exchange, Instrument
    >>> from solvent.gateway import Gateway
    >>> with Gateway(Exchange([Instrument("BTC-USDT-SWAP")])) as gateway:
    ...     ack = gateway.exchange.mark("BTC-USDT-SWAP", 50_000)
    ...     print(urlopen(f"{gateway.url}/api/v5/public/mark-price?instType=SWAP").read().decode())
    {"code":"0","msg":"","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"50000","ts":"0"}]}
    """

    def __init__(
        self, exchange: Exchange, *, host: str = "127.0.0.1", port: int = 0, time: str = "simulated", deposit: Dec = 10_000,
        keys: Mapping[str, tuple[str, str]] | None = None, clock_window_s: int = 0, faults: Faults | None = None,
        tls: Any = None,
    ):  # fmt: skip
        if not isinstance(exchange, Exchange):
            raise wrong_type("exchange", exchange, "a solvent.Exchange")
        amount = decimal(deposit, "deposit")
        if amount < 0:
            raise InputError(f"deposit {amount} is below 0")
        try:
            from solvent.gateway.server import LOOPBACK, Server, clock_ns
        except ImportError as error:
            raise ImportError("the gateway needs its extra: pip install 'solvent[gateway]'") from error
        clock = clock_ns if word({"simulated": 0, "real": 1}, time, "time") else None
        self._desk = Desk(exchange, clock, Decimal(amount))
        self._okx = Okx(self._desk, Keys(dict(keys or {}), clock_window_s * 10**9))
        self._server = Server(self._desk, self._okx, host, port, tls)
        self._server.faults = faults
        self._server.loopback = host in LOOPBACK
        self.host = host
        self.exchange: Any = Owned(self)
        self._desk.tick()
        self._server.start()

    @property
    def port(self) -> int:
        """Returns the port."""
        return self._server.port

    @property
    def url(self) -> str:
        """Returns where REST is: http://host:port."""
        return f"http{'s' if self._server._tls else ''}://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Returns where the sockets are, without the last part of the path: ws://host:port/ws/v5."""
        return f"ws{'s' if self._server._tls else ''}://{self.host}:{self.port}/ws/v5"

    @property
    def real(self) -> bool:
        """True if the clock follows the world's."""
        return self._desk.clock is not None

    @property
    def control(self) -> Callable[[Request], Answer] | None:
        """Returns what answers requests below /control; None: nobody does."""
        return self._server.control

    @control.setter
    def control(self, answer: Callable[[Request], Answer] | None) -> None:
        self._server.control = answer

    @property
    def faults(self) -> Faults | None:
        """Returns what goes wrong now."""
        return self._server.faults

    @faults.setter
    def faults(self, faults: Faults | None) -> None:
        self._server.faults = faults

    def do(self, work: Callable[[Exchange], _T]) -> _T:
        """Calls work(exchange) in the thread that owns the exchange, and returns its result. Subscribers are told what
        happened.

        Helps where several calls belong together, or where an object of the exchange must not leave its thread.

        >>> from solvent import Exchange, Instrument
        >>> from solvent.gateway import Gateway
        >>> with Gateway(Exchange([Instrument("BTC-USDT-SWAP")])) as gateway:
        ...     gateway.do(lambda exchange: exchange.command_count)
        0
        """
        return self._server.call(lambda: work(self._desk.exchange))

    def hang_up(self) -> None:
        """Ends all sockets without a word, as when a venue restarts; clients may come back at once."""
        self._server.call(self._server.hang_up)

    def close(self) -> None:
        """Closes all connections and ends the thread. The exchange is the caller's again."""
        self._server.close()
        self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
