"""The entrance: from a request's or a login's key to an account, at the right time.

Owns the way from a key to an account. `sign` compares; the desk opens accounts.
"""

from solvent.gateway.desk import Desk
from solvent.gateway.okx.codes import Refusal
from solvent.gateway.okx.sign import Keys, iso_ns
from solvent.gateway.protocol import Request
from solvent.schema.codes import Rejected

__all__ = ["Entry"]


class Entry:
    """Lets clients in. keys: who may."""

    def __init__(self, desk: Desk, keys: Keys):
        self.desk, self.keys = desk, keys

    def _now_ns(self) -> int:
        """Returns the time that ages are measured by: what has come, else the exchange's."""
        return self.desk.clock() if self.desk.clock else self.desk.exchange.time_ns

    def account(self, key: str) -> int:
        """Returns the account of a key that was let in; a new key opens one. Raises Refusal(50111)."""
        found = self.desk.account_of(key)
        if found is None:
            try:
                found = self.desk.open_account(key)
            except Rejected:
                found = None
        if found is None:
            raise Refusal("50111")
        return found

    def request(self, request: Request) -> int:
        """Returns the account that sends a request. Raises Refusal(501xx)."""
        key = self.keys.check_request(request.headers, request.method, request.target, request.body)
        if self.keys.window_ns:
            self.keys.check_age(iso_ns(request.headers["OK-ACCESS-TIMESTAMP"]), self._now_ns())
        return self.account(key)

    def login(self, key: str, phrase: str, stamp: str, sign: str) -> int:
        """Returns the account that logs in on a socket. Raises Refusal(60009)."""
        try:
            if not key:
                raise Refusal("60005")
            self.keys.check_age(iso_ns(stamp), self._now_ns(), "60006")
            self.keys.check(key, phrase, sign, (f"{stamp}GET/users/self/verify".encode(),))
            return self.account(key)
        except Refusal as refusal:
            raise Refusal("60009", message=f"Login failed. {refusal.message}") from None
