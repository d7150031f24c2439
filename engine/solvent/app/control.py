"""The routes below /control: whoever runs a local venue moves its mark, its time and its money, and makes things go wrong.

Owns the token and the table of routes. Runs in the gateway's thread. Each route is a POST of one JSON object, and answers
with one: `{"ok": true, ...}`, or `{"ok": false, "error": ...}` with status 400, 401 without the token, 404 for another route
(docs/reference/gateway.md).
"""

import hmac
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from solvent.gateway import Answer, Gateway, Request
from solvent.lab.market.driver import Driver
from solvent.schema.codes import InputError, SolventError
from solvent.terms.decimals import plain

__all__ = ["Control"]

_HEADER = "X-Solvent-Token"


class Control:
    """Moves one gateway's venue. token: who may. driver: the market on it."""

    def __init__(self, gateway: Gateway, driver: Driver, token: str):
        self.gateway, self.driver, self.token = gateway, driver, token
        self.exchange = driver.exchange
        self._routes: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "mark": self.mark, "time": self.time, "shock": self.shock, "fault": self.fault, "fund": self.fund,
            "funding": self.funding,
        }  # fmt: skip

    def answer(self, request: Request) -> Answer:
        """Does what a request asks for."""
        if not hmac.compare_digest(request.headers.get(_HEADER, "").encode(), self.token.encode()):
            return _told(401, {"ok": False, "error": f"the header {_HEADER} is not the token that `solvent serve` printed"})
        do = self._routes.get(request.path.removeprefix("/control/"))
        if do is None or request.method != "POST":
            return _told(
                404, {"ok": False, "error": f"POST to one of {', '.join(f'/control/{name}' for name in self._routes)}"}
            )
        try:
            fields = json.loads(request.body or b"{}", parse_float=Decimal)
            if not isinstance(fields, dict):
                raise InputError("the body is one JSON object")
            return _told(200, {"ok": True} | do(fields))
        except (SolventError, InvalidOperation, KeyError, TypeError, ValueError, RecursionError) as error:
            text = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            return _told(400, {"ok": False, "error": text[:500]})

    def _state(self) -> dict[str, Any]:
        prices = self.exchange.prices(self.driver.instrument)
        return {"mark": plain(prices.mark), "time_ns": self.exchange.time_ns}

    def mark(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Sets mark and index of an instrument, px, until the market moves them on."""
        name = fields.get("instId", self.driver.instrument)
        self.exchange.index(name, fields["px"])
        self.exchange.mark(name, fields["px"])
        return self._state()

    def time(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Lets simulated time pass, `seconds` of it: the market goes along its path, funding settles, orders expire."""
        if self.gateway.real:
            raise InputError("the clock of this venue is the world's; start it with --time simulated to move it")
        seconds = fields["seconds"]
        if type(seconds) is not int or not 0 <= seconds <= 10**9:
            raise InputError("seconds is a whole number from 0 to 10**9")
        self.driver.follow(self.exchange.time_ns + seconds * 10**9)
        return self._state()

    def shock(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Moves the price of the market at once and for good, by `percent` of it."""
        self.driver.shock(fields["percent"])
        return self._state()

    def fund(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Puts money, `amt` of `ccy`, into the account of a key."""
        self.exchange.deposit(fields["key"], fields.get("ccy", self.driver.terms.settle), fields["amt"])
        return self._state()

    def funding(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Settles funding now, at a `rate`."""
        self.driver.settle(fields["rate"])
        return self._state()

    def fault(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Lets the faults of some `names` strike from now on, by `seed`; no names let all be well again."""
        from solvent.testing import Faults

        names, seed = fields.get("names", []), fields.get("seed", 1)
        if not isinstance(names, list):
            raise InputError("names is a list")
        terms: dict[str, Any] = {name: fields[name] for name in ("chance", "most") if name in fields}
        self.gateway.faults = Faults(seed, names, clock=lambda: self.exchange.time_ns, **terms) if names else None
        return {"faults": names}


def _told(status: int, answer: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(answer).encode())
