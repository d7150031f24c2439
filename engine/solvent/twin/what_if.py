"""The sums behind a preview: the lots that an order took and the fees on them, as the events of a fork tell them.

Owns nothing. Never writes. ext/solvent/_core/image has the same.
"""

from collections.abc import Iterable

from solvent.schema.events import Event
from solvent.schema.layouts import EVENT
from solvent.schema.words import EventType, Posting

_FEES = (Posting.MAKER_FEE, Posting.TAKER_FEE)


def taken(records: Iterable[bytes], account: int, order_id: int) -> tuple[int, int, int, int]:
    """Returns the lots that an order took, these times their prices, the account's fees on it, and 1 if a domain of the
    account was liquidated."""
    lots = value = fee = liquidated = 0
    coming = iter(records)
    for record in coming:
        event = Event(EVENT.unpack(record))
        for _ in range(event.records - 1):
            next(coming)
        if event.type == EventType.TRADE and event.taker_order_id == order_id != 0:
            lots, value = lots + event.size_lots, value + event.size_lots * event.price_ticks
        elif event.type == EventType.LEDGER and event.posting in _FEES and event.ref == order_id != 0:
            fee += event.amount_units * ((event.payer == account) - (event.receiver == account))
        elif event.type == EventType.LIQUIDATION and event.account == account:
            liquidated = 1
    return lots, value, fee, liquidated
