"""Faults by seed on the way between a gateway and its clients: a solvent.gateway.Faults that draws from the table.

Owns which message is struck, and the log of what was. Never touches an exchange. A draw depends on the seed, the fault, the
client, the channel and the number of the message there, and on nothing else: another client shifts nothing.
Cost: one hash a message and row.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from solvent.schema.codes import InputError
from solvent.terms.decimals import Dec, fraction
from solvent.terms.order_words import int_within
from solvent.testing.fault_table import ALL, BATCHES, BOOKS, PLACING, PRIVATE, ROWS, Fault, Where, row

__all__ = ["Faults", "Struck"]

DRIFT_MS = 45_000
_API = "/api/v5/"
_PLACE = {f"{_API}trade/{name}" for name in ("order", "batch-orders", "order-algo")}
_BATCH, _TIME = f"{_API}trade/batch-orders", f"{_API}public/time"
_OK = b'"code":"0"'
_PLACED = re.compile(rb'{(?:"id":"\w*",)?"op":"(?:order|batch-orders)"')  # the answer to orders on a socket
_LOST = ("dropped_after", "slow_1s", "slow_5s")  # what can become of it
_NEVER = 2**63
TOO_MUCH = "999999999"
_PRIVATE = {"orders", "orders-algo", "algo-advance", "positions", "account", "balance_and_position", "fills"}
_NOTICE = (
    b'{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.",\
"connId":"00000000"}'
)
_BODIES = {
    "rate_limit": (429, "50011", "Too Many Requests"), "clock_drift": (401, "50102", "Timestamp request expired"),
    "maintenance": (503, "50001", "Service temporarily unavailable. Try again later"),
    "outage_51001": (200, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Struck:
    """Says what was struck: the number-th message of a client's channel, by which fault."""

    client: str
    channel: str
    number: int
    fault: str


class Faults:
    """Decides what goes wrong, by seed; give it to a gateway as `faults`.

    names: rows of the table that concern messages; None takes all of them. chance: decides for each message that a row may
    strike. most: how often a row strikes a client; 0 sets no bound. clients, channels: only these; None means all. The channel
    of a request is its method and path. clock: returns the market's time in nanoseconds; rows with a span need it.

    >>> from solvent.gateway import Answer, Request
    >>> from solvent.testing import Faults
    >>> faults = Faults(7, ["answered_503"], chance=1, most=1)
    >>> order = Request("POST", "/api/v5/trade/order", "", "/api/v5/trade/order", {}, b"{}", "bot")
    >>> accepted = Answer(200, b'{"code":"0","data":[]}')
    >>> faults.before("bot", order), faults.after("bot", order, accepted)
    (None, Deed(wait_ns=0, body=b'', status=503, copies=1, hang_up=False))
    >>> faults.log()
    b'{"client":"bot","channel":"POST /api/v5/trade/order","number":1,"fault":"answered_503"}\\n'
    """

    def __init__(
        self, seed: int, names: Iterable[str] | None = None, *, chance: Dec = "0.05", most: int = 0,
        clients: Iterable[str] | None = None, channels: Iterable[str] | None = None, clock: Callable[[], int] | None = None,
    ):  # fmt: skip
        self.seed, self.most = int_within(seed, "seed", 0, 2**64 - 1), int_within(most, "most", 0, 2**62)
        share = fraction(chance, "chance")
        if not 0 <= share <= 1:
            raise InputError(f"chance {chance} is not from 0 to 1")
        rows = _chosen(names, clock is not None)
        self._limit = int(share * 2**64)
        self._rows = {where: [each for each in rows if each.where == where] for where in Where}
        self._clients, self._channels = _only(clients), _only(channels)
        self._clock: Callable[[], int] = clock or int
        self._numbers: Counter[tuple[str, str]] = Counter()  # messages, by client and channel
        self._begun: Counter[tuple[str, str]] = Counter()  # by fault and client
        self._until: dict[tuple[str, str], int] = {}  # when it ends, by fault and client
        self._drifts = False
        self._closing: set[str] = set()
        self.struck: list[Struck] = []

    def log(self) -> bytes:
        """Returns all that was struck, a line of JSON each, by client and channel: the same bytes for the same requests."""
        order = sorted(self.struck, key=lambda each: (each.client, each.channel, each.number, each.fault))
        return b"".join(json.dumps(asdict(each), separators=(",", ":")).encode() + b"\n" for each in order)

    # --- the hook

    def before(self, client: str, request: Any) -> Any:
        """Strikes a request before it has an effect."""
        if request.path == _TIME:  # who asks for the time has been told; nobody knows who asks without a key
            self._until = {key: end for key, end in self._until.items() if end < _NEVER or client not in ("", key[1])}
        channel = f"{request.method} {request.path}"
        self._numbers[client, channel] += 1
        found = self._struck_by(Where.BEFORE, client, channel, lambda each: _fits(each, request))
        return found and _refused(found, request)

    def after(self, client: str, request: Any, answer: Any) -> Any:
        """Strikes an answer whose effect is there."""
        if request.path == _TIME and self._drifts:
            return _deed(body=re.sub(rb'"ts":"(\d+)"', _ahead, answer.body))
        if _OK not in answer.body[: len(_OK) + 1]:
            return None
        found = self._struck_by(Where.AFTER, client, f"{request.method} {request.path}", lambda each: _fits(each, request))
        return found and _answered(found)

    def push(self, client: str, channel: str, message: bytes) -> Any:
        """Strikes a message of a channel; an answer on a socket has the channel ""."""
        if client in self._closing:
            self._closing.discard(client)
            return _deed(hang_up=True)
        self._numbers[client, channel] += 1
        if not channel:
            placed = _PLACED.match(message) is not None and _OK in message
            found = self._struck_by(Where.AFTER, client, channel, lambda each: placed and each.name in _LOST)
            return found and _answered(found)
        found = self._struck_by(Where.PUSH, client, channel, lambda each: _pushed(each, channel, message))
        if found and found.name == "closure_notice":
            self._closing.add(client)
        return found and _spoiled(found, message)

    # --- drawing

    def _struck_by(self, where: Where, client: str, channel: str, fits: Callable[[Fault], bool]) -> Fault | None:
        """Returns the first row that strikes a message, and notes it."""
        if self._clients is not None and client not in self._clients:
            return None
        if self._channels is not None and channel not in self._channels:
            return None
        number = self._numbers[client, channel]
        for each in self._rows[where]:
            whom = "" if each.on == ALL else client
            if fits(each) and (self._goes_on(each, whom) or self._begins(each, whom, f"{client}|{channel}|{number}")):
                self.struck.append(Struck(client, channel, number, each.name))
                return each
        return None

    def _goes_on(self, each: Fault, whom: str) -> bool:
        return self._clock() < self._until.get((each.name, whom), -_NEVER)

    def _begins(self, each: Fault, whom: str, message: str) -> bool:
        """Draws whether a row strikes."""
        if self.most and self._begun[each.name, whom] >= self.most:
            return False
        drawn = blake2b(f"{self.seed}|{each.name}|{message}".encode(), digest_size=8).digest()
        if int.from_bytes(drawn, "little") >= self._limit:
            return False
        self._begun[each.name, whom] += 1
        if each.name == "clock_drift":
            self._until[each.name, whom], self._drifts = _NEVER, True
        elif each.span_ns:
            self._until[each.name, whom] = self._clock() + each.span_ns
        return True


def _chosen(names: Iterable[str] | None, timed: bool) -> list[Fault]:
    """Returns the rows of some names; for None all that concern messages. timed: there is a clock for those with a span."""
    if names is None:
        return [each for each in ROWS if each.where != Where.MARKET and (timed or not each.span_ns)]
    rows = [row(name) for name in names]
    for each in rows:
        if each.where == Where.MARKET:
            raise InputError(f"{each.name} strikes the market, not messages; use solvent.testing.strike")
        if each.span_ns and not timed:
            raise InputError(f"{each.name} goes on for a while; give clock=lambda: exchange.time_ns")
    return rows


def _only(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _ahead(found: re.Match[bytes]) -> bytes:
    return b'"ts":"%d"' % (int(found[1]) + DRIFT_MS)


def _deed(**terms: Any) -> Any:
    from solvent.gateway import Deed

    return Deed(**terms)


# --- which messages a row may strike


def _batch(request: Any) -> list[dict[str, Any]]:
    """Returns the rows of a batch of orders, none for another request."""
    try:
        found = json.loads(request.body) if request.path == _BATCH else None
    except ValueError:
        return []
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else []


def _fits(each: Fault, request: Any) -> bool:
    if not request.path.startswith(_API):
        return False
    if each.on == PLACING:
        return request.method == "POST" and request.path in _PLACE
    if each.on == BATCHES:
        return len(_batch(request)) > 1
    return each.on == ALL or bool(request.client)


def _pushed(each: Fault, channel: str, message: bytes) -> bool:
    if each.on == BOOKS:
        return channel.startswith("books") and b'"action":"update"' in message
    return channel in _PRIVATE if each.on == PRIVATE else bool(channel)


# --- what a row does to one


def _refused(each: Fault, request: Any) -> Any:
    if each.name == "dropped_before":
        return _deed(hang_up=True)
    if each.name == "partial_batch":  # the venue itself refuses what it cannot bear
        rows = _batch(request)
        rows[-1]["sz"] = TOO_MUCH
        request.body = json.dumps(rows).encode()
        return None
    status, code, text = _BODIES[each.name]
    return _deed(status=status, body=json.dumps({"code": code, "msg": text, "data": []}).encode())


def _answered(each: Fault) -> Any:
    if each.name == "answered_503":
        return _deed(status=503, body=b"")
    return _deed(hang_up=True) if each.name == "dropped_after" else _deed(wait_ns=each.wait_ns)


def _spoiled(each: Fault, message: bytes) -> Any:
    if each.name == "sequence_gap":
        return _deed(copies=0)
    if each.name == "duplicate_push":
        return _deed(copies=2)
    if each.name == "closure_notice":
        return _deed(body=_NOTICE)
    return _deed(body=_without_a_level(message))


def _without_a_level(message: bytes) -> bytes:
    """Returns an update of a book that lacks its first level, with the checksum that it had."""
    told = json.loads(message)
    update = told["data"][0]
    side = update["bids"] or update["asks"]
    del side[:1]
    return json.dumps(told, separators=(",", ":")).encode()
