"""The entrance: from a request's or a login's key to an account, at the right time.

Owns the way from a key to an account. `sign` compares; the desk opens accounts.
"""

from hashlib import blake2b

from solvent.gateway.desk import Desk
from solvent.gateway.okx.codes import Refusal
from solvent.gateway.okx.sign import Keys, iso_ns
from solvent.gateway.protocol import Request

__all__ = ["Entry", "account_name"]

_KEY_MAX = 64


def account_name(key: str) -> str:
    """Returns the name of the account behind a key: the key itself, or what follows from it where that is no name.

    >>> account_name("alice"), account_name("<fund>")
    ('alice', 'key-23105306bf9803e4')
    """
    if len(key) <= _KEY_MAX and key.isascii() and key.isprintable() and "<" not in key:
        return key
    return f"key-{blake2b(key.encode(errors='surrogatepass'), digest_size=8).hexdigest()}"


class Entry:
    """Lets clients in. keys: who may."""

    def __init__(self, desk: Desk, keys: Keys):
        self.desk, self.keys = desk, keys

    def _now_ns(self) -> int:
        """Returns the time that ages are measured by: what has come, else the exchange's."""
        return self.desk.clock() if self.desk.clock else self.desk.exchange.time_ns

    def account(self, key: str) -> int:
        """Returns the account of a key that was let in; a new key opens one. Raises Refusal(50111)."""
        name = account_name(key)
        found = self.desk.account_of(name)
        if found is None:
            found = self.desk.open_account(name)
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
