"""The dialect as a whole: requests to answers, sockets to sessions, notices to pushes.

Owns the table of routes, the envelope of answers, and the way from a key to an account. No I/O.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from solvent.gateway.desk import Desk
from solvent.gateway.okx.account_routes import AccountRoutes
from solvent.gateway.okx.channels import Channels
from solvent.gateway.okx.codes import MESSAGES, STATUS, Refusal
from solvent.gateway.okx.entry import Entry
from solvent.gateway.okx.fields import body_of, query_of
from solvent.gateway.okx.orders import Orders
from solvent.gateway.okx.public_routes import PublicRoutes
from solvent.gateway.okx.reading import Reading
from solvent.gateway.okx.session import PATHS, Parts, Session
from solvent.gateway.okx.sign import Keys
from solvent.gateway.okx.trade_routes import TradeRoutes
from solvent.gateway.protocol import Answer, Request, Send
from solvent.gateway.records import Notice
from solvent.schema.codes import SolventError

__all__ = ["Okx"]

_PREFIX = "/api/v5/"


class Okx:
    """Speaks OKX V5 about one desk. keys: who may enter."""

    def __init__(self, desk: Desk, keys: Keys):
        reading, orders = Reading(desk), Orders(desk)
        self.entry = Entry(desk, keys)
        self.parts = Parts(self.entry, reading, orders, Channels(reading))
        self._sessions = 0
        self._public = PublicRoutes(reading).routes
        self._account = AccountRoutes(reading, orders).routes
        self._trade = TradeRoutes(reading, orders).routes

    def identify(self, request: Request) -> str:
        """Returns the key that a request names, without checking it."""
        return request.headers.get("OK-ACCESS-KEY", "")

    def session(self, path: str, send: Send) -> Session | None:
        """Opens a session for a path of the venue's sockets."""
        if path not in PATHS:
            return None
        self._sessions += 1
        return Session(self.parts, path, send, f"{self._sessions:08x}")

    def tell(self, notices: Iterable[Notice]) -> None:
        """Pushes what has happened."""
        self.parts.channels.tell(notices)

    def answer(self, request: Request) -> Answer:
        """Does what a request asks for."""
        name = request.path.removeprefix(_PREFIX) if request.path.startswith(_PREFIX) else ""
        try:
            if request.method == "GET" and name in self._public:
                return self._envelope("0", self._public[name](query_of(request.query)))
            route = request.method, name
            if route in self._account:
                account = self.entry.request(request)
                return self._envelope("0", self._account[route](account, self._fields(request)))
            if route in self._trade:
                account = self.entry.request(request)
                return self._envelope(*self._trade[route](account, self._body(request)))
        except Refusal as refusal:
            return self._envelope(refusal.code, [], refusal.message)
        except ValueError:  # a query of too many fields
            return self._envelope("50002", [])
        except SolventError as error:  # the exchange has halted, or its journal cannot be written
            return self._envelope("50001", [], f"{MESSAGES['50001']} ({str(error)[:200]})")
        return Answer(404, b'{"code":"404","msg":"Not Found","data":[]}')

    def _body(self, request: Request) -> Any:
        """Returns query or body; a body's list stays one."""
        if request.method == "GET":
            return query_of(request.query)
        if not request.body:
            raise Refusal("50000")
        body = body_of(request.body)
        if not isinstance(body, dict | list):
            raise Refusal("50002")
        return body

    def _fields(self, request: Request) -> dict[str, Any]:
        """Returns query or body as fields; a list of one object is understood, too."""
        body = self._body(request)
        if isinstance(body, list):
            body = body[0] if len(body) == 1 else None
        if not isinstance(body, dict):
            raise Refusal("50002")
        return body

    def _envelope(self, code: str, rows: list[Any], message: str = "") -> Answer:
        told = {"code": code, "msg": message or MESSAGES[code], "data": rows}
        return Answer(STATUS.get(code, 200), orjson.dumps(told))
