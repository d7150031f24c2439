"""Scenario: a market as data, the record that the demo, the laboratory and the driver of markets take.

Owns the record, and made-up paths by name with their turning points. Never draws anything at random and reads no file. `paths`
finds real crashes and these by name, `scenario_file` reads one from TOML.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

__all__ = ["FAULTS", "TURNS", "MarketFault", "Process", "Scenario", "made_up"]

TICK = Decimal("0.1")
CONTRACT = Decimal("0.01")  # as on OKX
BITCOIN = "BTC-USDT-SWAP"
BEGIN_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE_MS = 60_000
SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
WOBBLE_PART = 5_000  # each bar reaches 1/5000 of the price beyond its open and close


@dataclass(frozen=True, slots=True)
class MarketFault:
    """Describes what goes wrong with a market, from a minute of its path on, for so many seconds.

    "mark_stands": index and mark are told no more, while the book goes on. "makers_leave": the makers take their orders out.
    """

    kind: str
    minute: int
    seconds: int


FAULTS = ("mark_stands", "makers_leave")


@dataclass(frozen=True, slots=True)
class Process:
    """Describes a price that is drawn: bars of a minute, each a step of a random walk.

    price: where it begins. volatility_bp: the standard deviation of a minute. jumps: how many of the minutes jump besides, and
    jump_bp: by how much, down as often as up. All in basis points of the price.
    """

    minutes: int = 480
    price: str = "20000"
    volatility_bp: int = 10
    jumps: int = 0
    jump_bp: int = 300


@dataclass(frozen=True, slots=True)
class Scenario:
    """Describes a market: a price path, the contracts that trade on it, rules, makers, traders, funding and faults.

    tick and contract_size belong to the contract that trades on the path. beside: the paths of other contracts over bars of
    the same times, which trade on the same exchange. process: draws the bars anew for each seed, in place of `bars`.

    rules: a rule set by name. fund: what the insurance fund begins with, in currency. traders: how many there are, and shares:
    the weight of each behaviour; none means the demo's. depth_percent: the makers' depth, 100 for the demo's. funding_hours,
    funding_cap: when funding is settled, and the highest rate.

    >>> from dataclasses import replace
    >>> from solvent.lab import find
    >>> small = replace(find("flash_crash"), traders=200, fund="500", shares=(("all_in", 1), ("control", 3)))
    >>> small.title
    'A fifth is lost in four minutes, and most of it comes back'
    """

    name: str
    title: str
    bars: tuple[tuple[int, int, int, int, int], ...]  # ts_ms, open, high, low, close, in ticks
    tick: Decimal
    contract_size: Decimal
    contract: str = "PERP-USDT"  # the name of the contract that trades on it
    beside: tuple["Scenario", ...] = ()
    process: Process | None = None
    rules: str = "seed"
    fund: str = "10000"
    traders: int = 10_000
    shares: tuple[tuple[str, int], ...] = ()
    depth_percent: int = 100
    funding_hours: int = 8
    funding_cap: str = "0.00375"
    faults: tuple[MarketFault, ...] = ()

    def struck(self, kind: str, passed_ns: int) -> bool:
        """Tells whether a fault of a kind is on, so long after the path began."""
        return any(
            each.kind == kind and 0 <= passed_ns - each.minute * MINUTE_NS < each.seconds * SECOND_NS for each in self.faults
        )


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
