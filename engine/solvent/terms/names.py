"""Rules for the names of accounts, instruments, currencies and orders, the same at the face and in both kernels.

Owns the rule: text that can be read, within one record. Owns the number that stands for a client id's text. Never decides
whether a name is taken.
"""

from string import ascii_letters, digits

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import CLIENT_TEXT_MAX, NAME_BYTES

_IN_CLIENT_TEXT = frozenset((ascii_letters + digits + ".:/_-").encode())
TEXT_NUMBERS = 2**62
"""Numbers of texts begin here; those of other client ids may be any."""


def readable(name: bytes) -> bool:
    """True if a name is 1 to 64 bytes of UTF-8 without control characters: C0, DEL and C1.

    >>> readable(b"bob"), readable(b""), readable(b"a\\x7f"), readable("\\x85".encode()), readable(b"\\xff")
    (True, False, False, False, False)
    """
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return False
    return 0 < len(name) <= NAME_BYTES and not any(each < " " or "\x7f" <= each <= "\x9f" for each in text)


def account_name(padded: bytes) -> bytes | None:
    """Returns the name in an OPEN_ACCOUNT's second record, or None if it is unreadable or in angle brackets.

    The house's own purses are written in angle brackets.

    >>> account_name(b"bob".ljust(64, b"\\0")), account_name(b"<fund>".ljust(64, b"\\0"))
    (b'bob', None)
    """
    name = padded.rstrip(b"\0")
    in_brackets = name.startswith(b"<") and name.endswith(b">")
    return name if readable(name) and not in_brackets else None


def check_name(name: object, what: str) -> None:
    """Raises InputError unless the name is a str that can be read."""
    if not isinstance(name, str) or not readable(name.encode(errors="surrogatepass")):
        raise InputError(
            f"{what} needs a name of 1 to {NAME_BYTES} bytes of UTF-8 without control characters, not {shown(name)}"
        )


def client_text(padded: bytes) -> bytes | None:
    """Returns the text in an order's third record, or None if it is none: 1 to 36 letters, digits and . : / _ -

    >>> client_text(b"bid-7".ljust(64, b"\\0")), client_text(b"bid 7".ljust(64, b"\\0")), client_text(bytes(64))
    (b'bid-7', None, None)
    """
    text = padded.rstrip(b"\0")
    return text if 0 < len(text) <= CLIENT_TEXT_MAX and _IN_CLIENT_TEXT.issuperset(text) else None


def client_number(text: bytes) -> int:
    """Returns the number that stands for a client id's text, from 2**62 to 2**63 - 1: 62 bits of its FNV-1a hash.

    >>> client_number(b"bid-7") == client_number(b"bid-7") != client_number(b"bid-8")
    True
    """
    number = 0xCBF29CE484222325
    for each in text:
        number = (number ^ each) * 0x100000001B3 % 2**64
    return TEXT_NUMBERS + number % TEXT_NUMBERS
