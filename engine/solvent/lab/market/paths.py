"""Price paths: the bars shipped with the package, made up (`scenarios`) or a user's own, and the walk through them.

Owns the reading of bars and their steps in integer ticks. A path is a fact, but for one whose scenario has a process: that is
drawn by the seed.
Cost: one pass over the bars.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from pathlib import Path

import numpy as np

from solvent.lab.market.draws import Ints, Purpose, below, draw
from solvent.lab.market.scenarios import BEGIN_MS, BITCOIN, MINUTE_MS, TICK, TURNS, Process, Scenario, made_up
from solvent.schema.codes import InputError, shown
from solvent.terms.decimals import from_fraction, nearest_even, to_units

COLUMNS = ["ts_ms", "open", "high", "low", "close", "volume"]
STEP_PART = 200  # a step is at most 1/200 of the price: 50 basis points
WINDOW_MS = 300_000  # volatility is looked at over five minutes, or one bar if bars are longer
QUIET_TICKS = 70_000  # a path begins at 70,000 to 700,000 ticks, as bitcoin does at a tick of 0.1
MAX_TICKS = 2**24 - 1
_OTHER_UNITS = (  # what a time would be in other units, from 2001 on; as milliseconds these lie in 1970 or after 5138
    ("seconds", 10**9, 10**11, "multiply it by 1,000"),
    ("microseconds", 10**14, 10**17, "divide it by 1,000"),
    ("nanoseconds", 10**17, 10**20, "divide it by 1,000,000"),
)
_FINE = 10**6  # of a tick, in which a drawn price keeps its remainder
_TICK_WORTH = Fraction(1, 1_000)  # of a contract, in currency


@dataclass(frozen=True, slots=True)
class Walk:
    """Holds the path step by step. range_bp: the price range of this window so far or of the last one, whichever is larger."""

    time_ns: Ints
    price_ticks: Ints
    range_bp: Ints

    def __len__(self) -> int:
        return len(self.time_ns)


_TITLES = {
    "ftx": "The FTX collapse, 8 and 9 November 2022, BTC-USDT perpetual on OKX",
    "2020-03-12": "12 March 2020 until 21:15, BTC/USDT spot on Binance",
    "2024-08-05": "5 August 2024, BTC/USDT spot on Binance",
}
_WITH_ETHER = ("ftx", "2024-08-05")
ETHER = "ETH-USDT-SWAP"
_TICKS = {BITCOIN: Decimal("0.1"), ETHER: Decimal("0.01")}
_ALIASES = {
    "2022-11-08": "ftx", "2022-11-09": "ftx", "2022-11": "ftx", "march-2020": "2020-03-12", "august-2024": "2024-08-05",
}  # fmt: skip


def find(name: str) -> Scenario:
    """Returns a scenario by name, by alias, or from a file of bars (.csv or .csv.gz with COLUMNS)."""
    known = _ALIASES.get(name.lower(), name.lower())
    if known in TURNS:
        return made_up(known)
    if known in _TITLES:
        other = f"{known}-eth"
        beside = (_shipped(other, "ether over the same bars", ETHER),) if known in _WITH_ETHER else ()
        return replace(_shipped(known, _TITLES[known], BITCOIN), beside=beside)
    if not Path(name).is_file() and name.lower().endswith((".csv", ".gz")):
        raise InputError(f"no such file: {name}")
    if not Path(name).is_file():
        raise InputError(
            f"unknown scenario {name!r}: there are {', '.join([*_TITLES, *TURNS])}, or give a CSV file of bars "
            f"({','.join(COLUMNS)})"
        )
    return _scenario(name, f"bars of {Path(name).name}", Path(name).read_bytes(), None)


def _shipped(name: str, title: str, contract: str) -> Scenario:
    packed = resources.files("solvent.lab.market").joinpath(f"prices/{name}.csv.gz").read_bytes()
    return replace(_scenario(name, title, packed, _TICKS[contract]), contract=contract)


def _scenario(name: str, title: str, data: bytes, tick: Decimal | None) -> Scenario:
    try:
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{name}: not a CSV or gzip file ({error})") from None
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows or [each.strip() for each in rows[0]] != COLUMNS:
        raise InputError(f"{name}: the first line must be {','.join(COLUMNS)}")
    if len(rows) < 3:
        raise InputError(f"{name}: a path needs two bars or more")
    tick = tick or _tick_for(rows[1][1], name)
    bars = tuple(_bar(row, tick, f"{name}, line {line}") for line, row in enumerate(rows[1:], 2))
    for line, (before, after) in enumerate(zip(bars, bars[1:], strict=False), 3):
        if after[0] <= before[0]:
            raise InputError(f"{name}, line {line}: ts_ms does not rise")
    return Scenario(name, title, bars, tick, from_fraction(_TICK_WORTH / Fraction(tick)))


def checked(process: Process) -> None:
    """Raises InputError for a process that makes no sense."""
    for name, least, most in (("minutes", 2, 10**6), ("volatility_bp", 0, 1_000), ("jumps", 0, 10**6), ("jump_bp", 0, 5_000)):
        value = getattr(process, name)
        if type(value) is not int or not least <= value <= most:
            raise InputError(f"{name} of a process is a whole number from {least:,} to {most:,}, not {shown(value)}")
    ticks = to_units(process.price, TICK, "price")
    if ticks is None or not STEP_PART <= ticks <= MAX_TICKS:
        raise InputError(
            f"price of a process is a multiple of {TICK}, at least {STEP_PART * TICK}, not {shown(process.price)}"
        )


def drawn(scenario: Scenario, seed: int) -> Scenario:
    """Returns a scenario whose bars are drawn by its process for a seed; one without a process as it is."""
    process = scenario.process
    if process is None:
        return scenario
    checked(process)
    minutes = np.arange(process.minutes, dtype=np.int64)
    twelve = [below(draw(seed, minutes, Purpose.PATH, step), 2_001) - 1_000 for step in range(12)]  # a normal, nearly
    moved: Ints = np.sum(twelve, axis=0) * process.volatility_bp  # the sum has a deviation of 2,000
    turn = np.argsort(draw(seed, minutes, Purpose.JUMP), kind="stable")[: process.jumps]
    moved[turn] += 2_000 * process.jump_bp * (1 - 2 * below(draw(seed, turn, Purpose.JUMP, 1), 2))
    scaled = (to_units(process.price, scenario.tick, "price") or 0) * _FINE
    bars = []
    for minute, move in enumerate(moved.tolist()):
        opened = scaled // _FINE
        scaled = max(STEP_PART * _FINE, min(MAX_TICKS * _FINE, scaled + scaled * move // (10_000 * 2_000)))
        closed = scaled // _FINE
        bars.append((BEGIN_MS + minute * MINUTE_MS, opened, max(opened, closed), min(opened, closed), closed))
    return replace(scenario, bars=tuple(bars), process=None)


def _tick_for(price: str, name: str) -> Decimal:
    """Returns the power of ten with which a path begins at 70,000 to 700,000 ticks."""
    for exponent in range(-12, 12):
        tick = Decimal((0, (1,), exponent))
        ticks = nearest_even(price, tick, f"{name}: open")
        if ticks is not None and 0 < ticks < 10 * QUIET_TICKS:
            return tick
    raise InputError(f"{name}: {price} is no price")


def _bar(row: list[str], tick: Decimal, where: str) -> tuple[int, int, int, int, int]:
    if len(row) != len(COLUMNS):
        raise InputError(f"{where}: {len(row)} columns instead of {len(COLUMNS)}")
    ts_ms = to_units(row[0], Decimal(1), f"{where}: ts_ms")
    prices = [nearest_even(text, tick, where) for text in row[1:5]]
    for unit, low, high, times in _OTHER_UNITS:
        if ts_ms is not None and low <= ts_ms < high:
            raise InputError(f"{where}: ts_ms {row[0]} looks like {unit}; {times} to have milliseconds since 1970")
    if ts_ms is None or not 0 <= ts_ms < 2**63 // 1_000_000:
        raise InputError(f"{where}: ts_ms {row[0]} is not a time in milliseconds")
    if any(price is None or not STEP_PART <= price <= MAX_TICKS for price in prices):
        raise InputError(f"{where}: a price is too small or too large for a tick of {tick}")
    opened, high, low, closed = (price or 0 for price in prices)
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        raise InputError(f"{where}: open and close do not lie between low and high")
    return ts_ms, opened, high, low, closed


def _leg(start: int, end: int) -> list[int]:
    """Returns prices from start (left out) to end in equal integer steps of at most 50 basis points."""
    steps = -(-abs(end - start) // (min(start, end) // STEP_PART))
    return [start + (end - start) * i // steps for i in range(1, steps + 1)]


def bar_steps(before: int, bar: tuple[int, int, int, int, int]) -> list[int]:
    """Returns the prices of one bar: from the last close to the open, then the extremes, the nearer to the open first."""
    _, opened, high, low, closed = bar
    turns = [before, opened, low, high, closed] if closed >= opened else [before, opened, high, low, closed]
    steps = [price for a, b in zip(turns, turns[1:], strict=False) for price in _leg(a, b)]
    return [opened, *steps] if before == opened and opened in (low, high) else steps


def walk(scenario: Scenario) -> Walk:
    """Returns all steps of a path, spread evenly over each bar."""
    return walks([scenario])[0]


def walks(paths: Sequence[Scenario]) -> list[Walk]:
    """Returns the steps of paths over the same bars, at the same times. In each bar all take as many steps as the longest."""
    bars = paths[0].bars
    bar_ms = min(after[0] - before[0] for before, after in zip(bars, bars[1:], strict=False))
    window_ms = max(WINDOW_MS, bar_ms)
    before = [each.bars[0][1] for each in paths]
    ranges = [_Range(price) for price in before]
    times: list[int] = []
    columns: list[tuple[list[int], list[int]]] = [([], []) for _ in paths]
    for at, (ts_ms, *_) in enumerate(bars):
        legs = [bar_steps(price, each.bars[at]) for price, each in zip(before, paths, strict=True)]
        count = max(map(len, legs))
        times += [ts_ms * 1_000_000 + bar_ms * 1_000_000 * i // count for i in range(count)]
        for steps, seen, (prices, range_bp) in zip(legs, ranges, columns, strict=True):
            seen.enter(ts_ms // window_ms)
            for i in range(count):
                prices.append(steps[i * len(steps) // count])
                range_bp.append(seen.reach(prices[-1]))
        before = [each.bars[at][4] for each in paths]
    time_ns = np.array(times, dtype=np.int64)
    return [Walk(time_ns, *(np.array(column, dtype=np.int64) for column in each)) for each in columns]


class _Range:
    """Tells how far a price has gone in its window of time, or in the last one."""

    def __init__(self, price: int):
        self.window, self.last_bp, self.price, self.low, self.high = -1, 0, price, 0, 0

    def enter(self, window: int) -> None:
        if window != self.window:
            self.last_bp = (self.high - self.low) * 10_000 // self.low if self.low else 0
            self.window, self.low, self.high = window, self.price, self.price

    def reach(self, price: int) -> int:
        """Returns the range in basis points, of this window so far or of the last one, whichever is larger."""
        self.price, self.low, self.high = price, min(self.low, price), max(self.high, price)
        return max(self.last_bp, (self.high - self.low) * 10_000 // self.low)
