"""The traders: behaviour, wallet, leverage, side, margin mode and arrival of each.

Owns the shares and the mixtures (data). Never decides a trade. Each attribute is one draw by agent number, so
a larger population contains the smaller one.
"""

from dataclasses import dataclass

import numpy as np

from solvent.lab.market.draws import Bools, Ints, Purpose, below, draw, pick
from solvent.terms.decimals import unit_of

UNITS = 1_000_000  # per USDT
UNIT = unit_of(6)
SHARES = {
    "all_in": 10, "no_stop": 14, "counter_trend": 8, "blind_follower": 12, "margin_topup": 10,
    "overnight": 10, "bottom_fisher": 12, "all_encompassing": 6, "stubborn": 8, "control": 10,
}  # fmt: skip
"""Percent of the traders. The seed's nine behaviours in its order, then those who follow its advice."""

NAMES = tuple(SHARES)
CONTROL = NAMES.index("control")
LEVERAGES = {3: 15, 5: 20, 10: 25, 20: 20, 50: 13, 100: 7}  # percent of the traders
ADVISED_LEVERAGES = {3: 30, 5: 40, 10: 10, 20: 8, 50: 6, 100: 6}  # three in ten take any: to compare at equal leverage
HIGH_LEVERAGES = {3: 1, 5: 2, 10: 4, 20: 55, 50: 25, 100: 13}
SWING_LEVERAGES = {3: 3, 5: 26, 10: 32, 20: 27, 50: 7, 100: 5}
"""Each kind of trader has members at every leverage, or kinds could not be compared at equal leverage."""
LONG_PERCENT = 62
CROSS_PERCENT = 30
EARLY_PERCENT = 60
SMALLEST_WALLET = 100 * UNITS
MOST_DOUBLINGS = 12
DOUBLES_ONE_IN = 3  # each further doubling
LARGE_ONE_IN = 250  # traders large enough to be stepped down
LARGE_DOUBLINGS = 9


@dataclass(frozen=True, slots=True)
class Population:
    """Describes the traders, columns by agent. side: 1 long, -1 short. arrival: the step at which a trader comes."""

    seed: int
    agents: Ints
    behaviour: Ints
    wallet_units: Ints
    leverage: Ints
    cross: Bools
    side: Ints
    arrival: Ints

    def __len__(self) -> int:
        return len(self.agents)

    def members(self, name: str) -> Ints:
        """Returns the agents of a behaviour."""
        return np.flatnonzero(self.behaviour == NAMES.index(name)).astype(np.int64)


def _leverage(seed: int, agents: Ints, behaviour: Ints) -> Ints:
    bits = draw(seed, agents, Purpose.LEVERAGE)
    mixes = dict.fromkeys(NAMES, LEVERAGES)
    mixes |= {"all_in": HIGH_LEVERAGES, "counter_trend": SWING_LEVERAGES, "bottom_fisher": SWING_LEVERAGES}
    mixes["control"] = ADVISED_LEVERAGES
    result = np.zeros(len(agents), dtype=np.int64)
    for number, name in enumerate(NAMES):
        chosen = np.array(list(mixes[name]), dtype=np.int64)[pick(bits, list(mixes[name].values()))]
        result = np.where(behaviour == number, chosen, result)
    return result


def populate(seed: int, traders: int, steps: int, lot_units: int = 0, shares: tuple[tuple[str, int], ...] = ()) -> Population:
    """Draws the first `traders` agents of a seed, for the length of a path and the highest worth of a contract on it."""
    weights = dict(shares) or SHARES
    smallest = max(SMALLEST_WALLET, lot_units * 2 // 5)
    agents = np.arange(traders, dtype=np.int64)

    def percent(purpose: Purpose) -> Ints:
        return below(draw(seed, agents, purpose), 100)

    behaviour = pick(draw(seed, agents, Purpose.BEHAVIOUR), [weights.get(name, 0) for name in NAMES])
    ladder = [DOUBLES_ONE_IN ** (MOST_DOUBLINGS - k) for k in range(MOST_DOUBLINGS + 1)]
    doublings = pick(draw(seed, agents, Purpose.WALLET_DOUBLINGS), ladder)
    large = below(draw(seed, agents, Purpose.LARGE), LARGE_ONE_IN) == 0
    doublings = np.where(large, LARGE_DOUBLINGS, doublings)
    part = below(draw(seed, agents, Purpose.WALLET_PART), 1_000)
    eighth = max(1, steps // 8)
    bits = draw(seed, agents, Purpose.ARRIVAL_STEP)
    early, late = below(bits, eighth), eighth + below(bits, max(1, steps - 2 * eighth))
    return Population(
        seed=seed,
        agents=agents,
        behaviour=behaviour,
        wallet_units=(smallest << doublings) * (1_000 + part) // 1_000,
        leverage=_leverage(seed, agents, behaviour),
        cross=percent(Purpose.MODE) < CROSS_PERCENT,
        side=np.where(percent(Purpose.SIDE) < LONG_PERCENT, 1, -1).astype(np.int64),
        arrival=np.where(percent(Purpose.ARRIVAL) < EARLY_PERCENT, early, late),
    )
