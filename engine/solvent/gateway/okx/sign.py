"""The sender of a request: keys, passphrases and signatures over the raw text.

Owns the keys and the comparison, in constant time. Never reads a clock: whoever checks ages hands the time in.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from solvent.gateway.okx.codes import Refusal

__all__ = ["Keys"]


def signature(secret: str, text: bytes) -> str:
    """Returns the signature of a text.

    >>> signature("secret", b"2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC")
    'wpDvCwYCprcMQsQkxWJiWy+YADoQE4ep+OEKKLimMoY='
    """
    return b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()


@dataclass(slots=True)
class Keys:
    """Knows who may enter.

    known: secret and passphrase by key. With none, every key enters and no signature is looked at. window_ns: the greatest
    distance of a request's time from the clock; 0 for any.
    """

    known: dict[str, tuple[str, str]] = field(default_factory=dict)
    window_ns: int = 0

    def check(self, key: str, passphrase: str, sign: str, texts: tuple[bytes, ...]) -> None:
        """Checks a signature over one of some texts. Raises Refusal(50111, 50105, 50113)."""
        if not self.known:
            return
        if key not in self.known:
            raise Refusal("50111")
        secret, wanted = self.known[key]
        if not hmac.compare_digest(wanted.encode(), passphrase.encode()):
            raise Refusal("50105")
        if not any(hmac.compare_digest(signature(secret, each).encode(), sign.encode()) for each in texts):
            raise Refusal("50113")

    def check_request(self, headers: Mapping[str, str], method: str, target: str, body: bytes) -> str:
        """Returns the key behind a request. Raises Refusal(501xx)."""
        key, passphrase = headers.get("OK-ACCESS-KEY", ""), headers.get("OK-ACCESS-PASSPHRASE", "")
        stamp, sign = headers.get("OK-ACCESS-TIMESTAMP", ""), headers.get("OK-ACCESS-SIGN", "")
        for value, code in ((key, "50103"), (passphrase, "50104"), (sign, "50106"), (stamp, "50107")):
            if not value:
                raise Refusal(code)
        begun = (stamp + method).encode()
        plainly = target.replace("%2C", ",").replace("%2c", ",")  # some sign a comma and send it encoded
        self.check(key, passphrase, sign, (begun + target.encode() + body, begun + plainly.encode() + body))
        return key

    def check_age(self, time_ns: int | None, now_ns: int, code: str = "50102") -> None:
        """Raises Refusal for a time that is too far from the clock, or that is none."""
        if self.window_ns and (time_ns is None or abs(time_ns - now_ns) > self.window_ns):
            raise Refusal(code)


def iso_ns(text: str) -> int | None:
    """Returns the time of ISO text with milliseconds, or of seconds since 1970; None for other text.

    >>> iso_ns("1970-01-02T00:00:01.500Z"), iso_ns("1796020023.2217429")
    (86401500000000, 1796020023221742900)
    """
    whole, _, part = text.rstrip("Z").partition(".")
    beyond = int(part[:9].ljust(9, "0")) if part.isascii() and part.isdigit() else 0
    if whole.isascii() and whole.isdigit():
        return int(whole[:12]) * 10**9 + beyond
    try:
        day, time = whole.split("T")
        year, month, date = (int(each) for each in day.split("-"))
        hour, minute, second = (int(each) for each in time.split(":"))
    except ValueError:
        return None
    year -= month <= 2  # the year begins in March, so that its leap day is its last
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + date - 719469
    return ((days * 24 + hour) * 60 + minute) * 60 * 10**9 + second * 10**9 + beyond
