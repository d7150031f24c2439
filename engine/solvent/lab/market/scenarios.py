"""Made-up price paths by name, as data: what a bot should have seen before it meets it. The record of any path, Scenario.

Owns the turning points. Never draws anything at random. `paths` finds real crashes and these by name.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

__all__ = ["TURNS", "Scenario", "made_up"]

TICK = Decimal("0.1")
CONTRACT = Decimal("0.01")  # as on OKX
BITCOIN = "BTC-USDT-SWAP"
BEGIN_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE_MS = 60_000
WOBBLE_PART = 5_000  # each bar reaches 1/5000 of the price beyond its open and close


@dataclass(frozen=True, slots=True)
class Scenario:
    """Describes a price path to replay. tick and contract_size belong to the contract that trades on it.

    beside: the paths of other contracts over bars of the same times, which trade on the same exchange.
    """

    name: str
    title: str
    bars: tuple[tuple[int, int, int, int, int], ...]  # ts_ms, open, high, low, close, in ticks
    tick: Decimal
    contract_size: Decimal
    contract: str = "PERP-USDT"  # the name of the contract that trades on it
    beside: tuple["Scenario", ...] = ()


TURNS: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "quiet": ("An hour in which little happens", ((0, 50_000), (20, 50_060), (40, 49_950), (60, 50_000))),
    "flash_crash": (
        "A fifth is lost in four minutes, and most of it comes back",
        ((0, 50_000), (10, 50_100), (14, 40_000), (20, 46_500), (40, 47_000)),
    ),
    "short_squeeze": (
        "A quarter is gained in six minutes, and half of that is lost again",
        ((0, 40_000), (10, 39_900), (16, 50_000), (25, 45_000), (40, 45_200)),
    ),
    "slow_bleed": ("A tenth is lost in four hours, a little each minute", ((0, 50_000), (240, 45_000))),
    "whipsaw": (
        "Six percent down, up and down again: stops of both sides are run",
        ((0, 50_000), (5, 50_000), (8, 47_000), (11, 53_000), (14, 47_500), (25, 50_000)),
    ),
    "cascade": (
        "Three falls with rests between them, each as deep as the one before",
        ((0, 50_000), (8, 47_500), (15, 47_800), (18, 44_800), (25, 45_200), (28, 42_300), (40, 42_500)),
    ),
}
"""By name: a title, and turning points (minute, price); the price goes straight from one to the next."""


def _price(turns: tuple[tuple[int, int], ...], minute: int) -> int:
    """Returns the price at a minute, in ticks."""
    after = next(i for i, (at, _) in enumerate(turns) if at >= minute)
    (begin, low), (end, high) = turns[max(0, after - 1)], turns[after]
    part = Fraction(minute - begin, max(1, end - begin))
    return int((low + (high - low) * part) / Fraction(TICK))


def made_up(name: str) -> Scenario:
    """Returns a scenario of TURNS, in bars of a minute.

    >>> from solvent.lab.market.scenarios import made_up
    >>> crash = made_up("flash_crash")
    >>> crash.title, len(crash.bars), min(low for _, _, _, low, _ in crash.bars) * crash.tick
    ('A fifth is lost in four minutes, and most of it comes back', 40, Decimal('39992.0'))
    """
    title, turns = TURNS[name]
    prices = [_price(turns, minute) for minute in range(turns[-1][0] + 1)]
    bars = []
    for minute, (opened, closed) in enumerate(zip(prices, prices[1:], strict=False)):
        high, low = max(opened, closed), min(opened, closed)
        spread = high // WOBBLE_PART, low // WOBBLE_PART
        bars.append((BEGIN_MS + minute * MINUTE_MS, opened, high + spread[0], low - spread[1], closed))
    return Scenario(name, title, tuple(bars), TICK, CONTRACT, BITCOIN)
