"""A socket's session: logins, subscriptions, trading by messages. Frames in, frames out, no I/O.

Owns what one connection has asked for. Never keeps what it has sent.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from solvent.gateway.okx.channels import BUSINESS, OWN, PRIVATE, PUBLIC, Channels, Topic
from solvent.gateway.okx.codes import MESSAGES, Refusal
from solvent.gateway.okx.entry import Entry
from solvent.gateway.okx.fields import Fields, body_of, text
from solvent.gateway.okx.orders import Orders, answer_items
from solvent.gateway.okx.reading import Reading
from solvent.gateway.okx.trade_routes import ITEMS_MAX
from solvent.gateway.protocol import Send
from solvent.schema.codes import SolventError

__all__ = ["PATHS", "Parts", "Session"]

PATHS = {"/ws/v5/public": PUBLIC, "/ws/v5/private": PRIVATE, "/ws/v5/business": BUSINESS}
_ARGS_MAX = 480
_ITEMS = {
    "order": "place", "batch-orders": "place", "cancel-order": "cancel", "batch-cancel-orders": "cancel",
    "amend-order": "amend", "batch-amend-orders": "amend",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """Holds what all sessions share."""

    entry: Entry
    reading: Reading
    orders: Orders
    channels: Channels


class Session:
    """Speaks on one socket."""

    def __init__(self, parts: Parts, path: str, send: Send, number: str):
        self.okx, self.send, self.path, self.number = parts, send, path, number
        self.client, self.account = "", 0
        self._topics: dict[tuple[Topic, bytes], Fields] = {}
        self._ops: dict[str, Callable[[Fields, str], None]] = {
            "login": self._login, "subscribe": self._subscribe, "unsubscribe": self._subscribe,
            "mass-cancel": self._mass_cancel,
        }  # fmt: skip

    def push(self, channel: str, message: bytes) -> None:
        """Sends a message of a channel."""
        self.send(channel, message)

    def close(self) -> None:
        """Forgets all subscriptions."""
        for topic, arg in self._topics:
            self.okx.channels.unsubscribe(topic, self, arg)
        self._topics.clear()

    def _answer(self, message: dict[str, Any], asked: Fields) -> None:
        number = text(asked, "id") if isinstance(asked.get("id"), str) else ""
        self.send("", orjson.dumps({"id": number} | message if number else message))

    def _error(self, code: str, message: str, asked: Fields) -> None:
        self._answer({"event": "error", "code": code, "msg": message, "connId": self.number}, asked)

    def receive(self, frame: str) -> None:
        """Takes a frame of the client."""
        if frame == "ping":
            self.send("", b"pong")
            return
        asked: Fields = {}
        try:
            found = body_of(frame)
            if not isinstance(found, dict) or not isinstance(found.get("args", []), list):
                raise Refusal("60012")
            asked = found
            op = text(asked, "op")
            if op in _ITEMS:
                self._trade(op, asked)
            elif op in self._ops:
                self._ops[op](asked, frame)
            else:
                raise Refusal("60012", message=f"Invalid request: {frame[:200]}")
        except Refusal as refusal:
            code = "60012" if refusal.code in ("50002", "51000") else refusal.code
            self._error(code, refusal.message if code == refusal.code else MESSAGES["60012"] + f": {frame[:200]}", asked)
        except SolventError as error:
            self._error("50026", str(error)[:200], asked)

    # --- login

    def _login(self, asked: Fields, _: str) -> None:
        args = asked.get("args") or []
        if len(args) != 1 or not isinstance(args[0], dict):
            raise Refusal("60013")
        key, phrase, stamp, sign = (text(args[0], name) for name in ("apiKey", "passphrase", "timestamp", "sign"))
        self.account = self.okx.entry.login(key, phrase, stamp, sign)
        self.client = key
        self._answer({"event": "login", "code": "0", "msg": "", "connId": self.number}, asked)

    # --- subscriptions

    def _subscribe(self, asked: Fields, frame: str) -> None:
        """Subscribes or unsubscribes each arg of a request; one that cannot be is told, the others are done."""
        event, raw = text(asked, "op"), json.loads(frame)["args"]
        for fields, sent in zip(asked.get("args") or [], raw, strict=True):
            if not isinstance(fields, dict):
                raise Refusal("60012")
            try:
                self._one(event, fields, orjson.dumps(sent), asked)
            except Refusal as refusal:
                self._error("60012" if refusal.code == "51000" else refusal.code, refusal.message, asked)

    def _one(self, event: str, fields: Fields, arg: bytes, asked: Fields) -> None:
        channel = text(fields, "channel")
        if channel not in PATHS[self.path]:
            raise Refusal("60018", f"channel:{channel}")
        if channel in OWN and not self.account:
            raise Refusal("60011")
        topic = self.okx.channels.topic(fields, self.account)
        known = next((pair for pair, held in self._topics.items() if pair[0] == topic and _same(held, fields)), None)
        answer = {"event": event, "arg": orjson.Fragment(arg), "connId": self.number}
        if event == "unsubscribe":
            if known is not None:
                self.okx.channels.unsubscribe(topic, self, known[1])
                del self._topics[known]
            self._answer(answer, asked)
            return
        if known is None and len(self._topics) >= _ARGS_MAX:
            raise Refusal("60012", message=f"Invalid request: more than {_ARGS_MAX} subscriptions of a connection")
        self._answer(answer, asked)
        if known is None:
            self._topics[topic, arg] = fields
            self.okx.channels.subscribe(topic, self, arg, fields)

    # --- trading

    def _trade(self, op: str, asked: Fields) -> None:
        """Does the items of a trading message."""
        if not self.account:
            raise Refusal("60011")
        items = asked.get("args") or []
        if not 1 <= len(items) <= ITEMS_MAX:
            self._answered(op, "60013", [], asked)
            return
        code, rows = answer_items(getattr(self.okx.orders, _ITEMS[op]), self.account, items, ("ordId", "clOrdId"))
        self._answered(op, code, rows, asked)

    def _answered(self, op: str, code: str, rows: list[Any], asked: Fields) -> None:
        now = str(self.okx.reading.now_ns // 1_000)
        self._answer({"op": op, "code": code, "msg": MESSAGES[code], "data": rows, "inTime": now, "outTime": now}, asked)

    def _mass_cancel(self, asked: Fields, _: str) -> None:
        """Cancels all orders of a family."""
        if not self.account:
            raise Refusal("60011")
        fields = (asked.get("args") or [{}])[0]
        for index in self.okx.reading.wanted(text(fields, "instType"), text(fields, "instFamily")):
            self.okx.reading.desk.cancel_all(self.account, index)
        self._answered("mass-cancel", "0", [{"result": True}], asked)


def _same(one: Fields, other: Fields) -> bool:
    """True if two args ask for the same: what is missing, null and empty alike."""
    return {k: v for k, v in one.items() if v not in (None, "")} == {k: v for k, v in other.items() if v not in (None, "")}
