"""Instruments as OKX names them: families, codes, types.

Owns the way from an instrument's terms to the venue's words. Never holds state.
"""

from decimal import Decimal

from solvent.terms.decimals import decimal
from solvent.terms.instrument import Instrument

__all__ = ["BASE_CODE", "base_of", "contract_size", "family_of", "kind_of", "quote_of", "top_leverage"]

BASE_CODE = 10_458
"""The instIdCode of the first instrument; the others follow in their order."""


def kind_of(terms: Instrument) -> str:
    """Returns the venue's type of an instrument."""
    return "FUTURES" if terms.expiry_ns else "SWAP"


def family_of(terms: Instrument) -> str:
    """Returns the family, which is the underlying, too.

    >>> family_of(Instrument("BTC-USDT-SWAP")), family_of(Instrument("PERP"))
    ('BTC-USDT', 'PERP-USDT')
    """
    parts = terms.name.split("-")
    return "-".join(parts[:2]) if len(parts) > 1 else f"{terms.name}-{terms.settle}"


def base_of(terms: Instrument) -> str:
    """Returns the currency whose price it is."""
    return family_of(terms).split("-")[0]


def quote_of(terms: Instrument) -> str:
    """Returns the currency of the price."""
    return family_of(terms).split("-")[1]


def contract_size(terms: Instrument) -> Decimal:
    """Returns what a contract holds, in base currency or, of an inverse one, in quote currency."""
    return decimal(terms.contract_size, "contract size")


def top_leverage(terms: Instrument) -> int:
    """Returns the highest leverage, in hundredths."""
    return terms.spec.tiers[0][2]
