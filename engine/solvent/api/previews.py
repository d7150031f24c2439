"""Previews: what an order, a leverage, a margin move or a mark would do, in decimals and words.

Owns the rendering, and the way from calls to the records that a kernel tries. Never changes the exchange that is asked.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from solvent.api.names import name_of
from solvent.api.venue import Venue
from solvent.api.views import PositionView, WalletView, position_of, wallet_of
from solvent.schema.codes import HINTS, Code
from solvent.schema.rows import PositionRow, PreviewRow, WalletRow
from solvent.terms.decimals import from_units, half_even

__all__ = ["Preview", "preview_view"]


@dataclass(frozen=True, slots=True)
class Preview:
    """Shows what would be; true if nothing was refused.

    code: OK, or the code of the first step that would be refused; the steps after it are not tried. filled, resting: contracts
    that the order would trade at once, and leave in the book. average_price: the mean price of these trades by contracts,
    rounded half to even at a millionth of a tick; None without a trade. fee: their cost to the account, negative for a rebate.
    liquidated: True if a position of the account would be stepped down or taken over.

    position, wallet: the account's position in the instrument, and its wallet in the settlement currency, as they would be
    afterwards: margin, liquidation and bankruptcy price, free and withdrawable money.
    """

    code: Code
    filled: Decimal
    resting: Decimal
    average_price: Decimal | None
    fee: Decimal
    liquidated: bool
    position: PositionView
    wallet: WalletView

    def __bool__(self) -> bool:
        return self.code == Code.OK

    @property
    def hint(self) -> str:
        """Returns the meaning of the code, and what to do about it."""
        return HINTS[self.code]


def preview_view(venue: Venue, kernel: Any, account: int, row: PreviewRow) -> Preview:
    """Renders what commands would do."""
    position, wallet = PositionRow(*row.position), WalletRow(*row.wallet)
    terms = venue.instruments[position.instrument]
    mean = half_even(row.taken_value * 10**6, row.taken_lots) if row.taken_lots else None
    return Preview(
        code=Code(row.code), filled=from_units(row.filled_lots, terms.lot_size),
        resting=from_units(row.resting_lots, terms.lot_size),
        average_price=None if mean is None else from_units(mean, terms.tick_size.scaleb(-6)),
        fee=from_units(row.fee_units, venue.units[wallet.currency]), liquidated=bool(row.liquidated),
        position=position_of(venue, name_of(kernel, account), position), wallet=wallet_of(venue, wallet),
    )  # fmt: skip
