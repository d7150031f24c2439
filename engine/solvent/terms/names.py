"""Rules for the names of accounts, instruments and currencies, the same at the face and in both kernels.

Owns the rule: text that can be read, within one record. Never decides whether a name is taken.
"""

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import NAME_BYTES


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
