"""Account names behind their numbers, with the house's purses.

Owns nothing: the kernel has the names. Never checks that an account exists.
"""

from typing import Any

from solvent.schema.limits import FIRST_USER
from solvent.schema.words import Purse


def name_of(kernel: Any, account: int) -> str:
    """Returns the name of an account that exists; the house's purses are in angle brackets."""
    if account < FIRST_USER:
        return f"<{Purse(account).name.lower()}>" if account in list(Purse) else f"<{account}>"
    return str(kernel.account_name(account).decode())
