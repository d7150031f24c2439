"""What an order took, as the events of a fork tell it: the sums behind a preview.

Owns nothing. Never writes. ext/solvent/_core/image has the same.
"""

from collections.abc import Iterable

from solvent.schema.layouts import EVENT
from solvent.schema.words import EventType, Posting

_FEES = (Posting.MAKER_FEE, Posting.TAKER_FEE)


def taken(events: Iterable[bytes], account: int, order_id: int) -> tuple[int, int, int, int]:
    """Returns the lots that an order took, these times their prices, the account's fees on it, and 1 if a domain of the
    account was liquidated."""
    lots = value = fee = liquidated = second = 0
    for event in events:
        kind, records, _, who, _, _, reason, _, a, b, c, d, e = EVENT.unpack(event)
        if second:  # the second record of the event before
            second = 0
            continue
        second = records - 1
        if kind == EventType.TRADE and order_id and b == order_id:
            lots, value = lots + d, value + d * c
        elif kind == EventType.LEDGER and order_id and reason in _FEES and e == order_id:
            fee += b * ((who == account) - (a == account))
        elif kind == EventType.LIQUIDATION and who == account:
            liquidated = 1
    return lots, value, fee, liquidated
