"""Account names behind their numbers, with the house's purses, and the texts of client ids.

Owns nothing: the kernel has the names. Never checks that an account exists.
"""

from typing import Any

from solvent.schema.limits import FIRST_USER
from solvent.schema.words import Purse
from solvent.terms.names import TEXT_NUMBERS


def name_of(kernel: Any, account: int) -> str:
    """Returns the name of an account that exists; the house's purses are in angle brackets."""
    if account < FIRST_USER:
        return f"<{Purse(account).name.lower()}>" if account in list(Purse) else f"<{account}>"
    return str(kernel.account_name(account).decode())


def client_id_of(kernel: Any, account: int, number: int) -> int | str:
    """Returns a client id as its sender wrote it: a text as long as the kernel has it, else the number."""
    text = kernel.client_text(account, number) if number >= TEXT_NUMBERS else None
    return number if text is None else str(text.decode())
