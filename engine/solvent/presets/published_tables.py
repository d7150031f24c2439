"""Published tables as Instruments: what venues print about position tiers, contract terms and price models.

Owns the words of their payloads. Fetches nothing. Takes numbers as int, str or Decimal: read JSON with parse_float=Decimal.
Checks every table like one written by hand: ordered, and continuous if it deducts.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from solvent.schema.codes import InputError, shown
from solvent.schema.limits import RATE
from solvent.terms.decimals import decimal, fraction, from_fraction, from_units, members_of, to_units
from solvent.terms.instrument import Instrument
from solvent.terms.price_model import Funding, Index, PriceModel
from solvent.terms.tiers import Tier

__all__ = [
    "binance_tiers", "okx_instrument", "okx_tiers", "price_model",
]  # fmt: skip

_CENT = Decimal("0.01")


def _inverse(leverage: Fraction) -> str:
    """Returns the initial rate behind a printed leverage, to nine decimals."""
    ppb = floor(RATE / leverage)
    return f"{ppb // RATE}.{ppb % RATE:09d}"


def _cut(leverage: Fraction) -> int | Decimal:
    """Cuts a leverage to two decimals; a whole number becomes an int."""
    cents = floor(leverage * 100)
    return from_units(cents, _CENT) if cents % 100 else cents // 100


def _leverage(value: object) -> Fraction:
    found = fraction(value, "leverage")
    if found <= 0:
        raise InputError(f"leverage {shown(value)} is not above 0")
    return found


def _rows(rows: object, *columns: str) -> tuple[Mapping[str, Any], ...]:
    """Returns the rows of a payload. Raises InputError if a row lacks one of the columns."""
    found: tuple[Mapping[str, Any], ...] = members_of(rows, Mapping, "a payload")  # type: ignore[type-abstract]
    for row in found:
        if missing := [each for each in columns if each not in row]:
            raise InputError(f"a row has no {', '.join(missing)}: {shown(row)}")
    return found


def binance_tiers(rows: Sequence[Mapping[str, Any]]) -> tuple[Tier, ...]:
    """Reads Binance USD-M brackets: floor, cap, mmr, max_leverage and maintenance_deduction.

    Caps are notional in USDT; each slab has its own rate. Use the result in Instrument(basis="notional", scheme="deduction").
    The initial rate is 1 / max_leverage. Raises InputError for a table whose floors leave a gap.

    >>> row = {"floor": 0, "cap": 50_000, "mmr": "0.004", "max_leverage": 125, "maintenance_deduction": 0}
    >>> binance_tiers([row])
    (Tier(max_contracts=50000, maintenance='0.004', initial='0.008000000', max_leverage=125, deduction=Decimal('0')),)
    """
    tiers, end = [], Decimal(0)
    for row in _rows(rows, "floor", "cap", "mmr", "max_leverage", "maintenance_deduction"):
        if decimal(row["floor"], "floor") != end:
            raise InputError(f"a bracket begins at {shown(row['floor'])}, and the one below ends at {end}")
        end, leverage = decimal(row["cap"], "cap"), _leverage(row["max_leverage"])
        deduction = decimal(row["maintenance_deduction"], "deduction")
        tiers.append(Tier(row["cap"], row["mmr"], _inverse(leverage), _cut(leverage), deduction))
    return tuple(tiers)


def okx_tiers(rows: Sequence[Mapping[str, Any]]) -> tuple[Tier, ...]:
    """Reads OKX position tiers: minSz and maxSz in contracts, mmr, imr, and maxLever (cut to two decimals).

    The whole position pays its tier's rate. Use the result in Instrument(basis="contracts", scheme="whole"). Raises InputError
    for a table whose sizes leave a gap.

    >>> okx_tiers([{"tier": 1, "minSz": 0, "maxSz": 20_000, "mmr": "0.02", "imr": "0.05", "maxLever": "20"}])
    (Tier(max_contracts=20000, maintenance='0.02', initial='0.05', max_leverage=20, deduction=None),)
    """
    tiers, top = [], Fraction(-1)
    for row in _rows(rows, "minSz", "maxSz", "mmr", "imr", "maxLever"):
        lowest = fraction(row["minSz"], "minSz")
        if not top < lowest <= top + 1:
            raise InputError(f"a tier begins at {lowest}, and the one below ends at {top}")
        top = fraction(row["maxSz"], "maxSz")
        tiers.append(Tier(row["maxSz"], row["mmr"], row["imr"], _cut(_leverage(row["maxLever"]))))
    return tuple(tiers)


def okx_instrument(payload: Mapping[str, Any], **terms: Any) -> Instrument:
    """Builds an Instrument from a row of OKX's public list (SWAP or FUTURES).

    The row gives name, kind, contract size, tick, lot and settlement currency; a dated contract gets its expiry. terms:
    everything else that Instrument takes: tiers, fees, max_price, settle_decimals. A dated contract needs its price model
    here, too.

    Raises InputError for a payload that is no linear or inverse contract.

    >>> swap = {"instId": "ETH-USDT-SWAP", "ctType": "linear", "ctVal": "0.1", "ctMult": "1", "tickSz": "0.01", "lotSz": "0.1"}
    >>> okx_instrument(swap | {"settleCcy": "USDT", "expTime": ""}).lot_size
    Decimal('0.1')
    """
    _rows([payload], "ctType")
    if payload["ctType"] not in ("linear", "inverse"):
        raise InputError(f"{shown(payload.get('instId'))} is no linear or inverse contract")
    _rows([payload], "instId", "settleCcy", "ctVal", "ctMult", "tickSz", "lotSz", "expTime")
    size = from_fraction(fraction(payload["ctVal"], "ctVal") * fraction(payload["ctMult"] or 1, "ctMult"))
    expiry_ms = to_units(payload["expTime"] or 0, Decimal(1), "expTime")
    if expiry_ms is None:
        raise InputError(f"expTime {shown(payload['expTime'])} is no time in milliseconds")
    if expiry_ms:
        terms["expiry_ns"] = expiry_ms * 10**6
    return Instrument(
        payload["instId"], kind=payload["ctType"], settle=payload["settleCcy"], contract_size=size, tick=payload["tickSz"],
        lot=payload["lotSz"], **terms,
    )  # fmt: skip


_HOUR_NS = 3_600 * 10**9


def price_model(venue: str, index: Index | None = None) -> PriceModel:
    """Returns a venue's price model: how it computes marks and funding rates.

    venue: "binance", "bitmex", "okx", "deribit", "hyperliquid", or for dated contracts "delta", as of 2024 to 2025
    (liquidation rules, 12.1 and 12.2). Caps differ by symbol; these are BTC's. index: the index with its constituents, or None
    to hand index prices in. Hyperliquid's model needs the second set of constituents. Deribit pays funding by the millisecond;
    this model pays it by the minute.

    >>> price_model("bitmex").components
    ('fair',)
    """
    eight, hour = 8 * _HOUR_NS, _HOUR_NS
    models = {
        "binance": (("fair", "basis_mean", "last"), 5, "1", Funding(interval_ns=eight, cap="0.02")),
        "bitmex": (("fair",), 5, "1", Funding(interval_ns=eight, premium="impact_on_mark", weights="equal", delayed=True)),
        "okx": (("basis_mean",), 5, "1", Funding(
            interval_ns=eight, premium="middle", weights="equal", interest=0, clamp=0, cap="0.00375", cutoff_ns=60 * 10**9,
            trailing=8 * 720,
        )),
        "deribit": (("basis_ema",), 1, "0.064516129", Funding(  # 2 / (30 + 1)
            interval_ns=60 * 10**9, premium="mark", weights="equal", interest=0, clamp="0.00025", share=(1, 480),
            cap="0.000010417",
        )),
        "hyperliquid": (("basis_ema", "book", "external"), 5, "0.064516129", Funding(
            interval_ns=hour, weights="equal", share=(1, 8), cap="0.04", notional="index",
        )),
        "delta": (("basis_annual",), 5, "1", None),
    }  # fmt: skip
    if not isinstance(venue, str) or venue not in models:
        raise InputError(f"price models are known of {', '.join(models)}, not {shown(venue)}")
    components, seconds, alpha, funding = models[venue]
    window = 12 if venue == "delta" else 30
    return PriceModel(
        components=components, sample_ns=seconds * 10**9, window=window, alpha=alpha, index=index, funding=funding
    )
