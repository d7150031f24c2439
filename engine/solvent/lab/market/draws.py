"""Random draws as a pure function of (seed, agent, purpose, step): splitmix64 as a counter-based hash.

Owns randomness. Never keeps a state, so adding an agent or a question never shifts another's draws. Cost:
six array operations a draw.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_WORD = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


class Purpose(IntEnum):
    """Numbers the questions that draws decide. A number is never reused, or old seeds would tell new stories."""

    BEHAVIOUR = 1
    WALLET_DOUBLINGS = 2
    WALLET_PART = 3
    LEVERAGE = 4
    SIDE = 5
    MODE = 6
    ARRIVAL = 7
    ARRIVAL_STEP = 8
    TRAIT = 9
    SECOND_TRAIT = 10
    LEADER = 11
    ENTER = 12
    EXIT = 13
    NEW_SIDE = 14
    PAUSE = 15
    LARGE = 16
    SWITCH = 17
    TURN = 18
    SYMBOL = 19
    PATH = 20
    JUMP = 21
    CROWD = 22
    AGENT = 1_000  # and beyond: the questions of a user's agents


def _mix_int(word: int) -> int:
    word = ((word ^ (word >> 30)) * _MIX_1) & _WORD
    word = ((word ^ (word >> 27)) * _MIX_2) & _WORD
    return word ^ (word >> 31)


def draw(seed: int, agents: Ints, purpose: int, step: int = 0) -> npt.NDArray[np.uint64]:
    """Returns 64 random bits for each agent."""
    key = _mix_int((seed + _GOLDEN) & _WORD)
    key = _mix_int((key + purpose * _GOLDEN) & _WORD)
    key = _mix_int((key + step * _GOLDEN) & _WORD)
    word = agents.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(key)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(_MIX_1)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(_MIX_2)
    return word ^ (word >> np.uint64(31))


def draw_int(seed: int, agent: int, purpose: int, step: int = 0) -> int:
    """Returns the same bits for one agent, as an int."""
    key = _mix_int((seed + _GOLDEN) & _WORD)
    key = _mix_int((key + purpose * _GOLDEN) & _WORD)
    key = _mix_int((key + step * _GOLDEN) & _WORD)
    return _mix_int((agent * _GOLDEN + key) & _WORD)


def below_int(bits: int, limit: int) -> int:
    """Turns 64 random bits into an integer from 0 to limit - 1; limit is below 2**31."""
    return (bits >> 32) * limit >> 32


def below(bits: npt.NDArray[np.uint64], limit: int) -> Ints:
    """Turns each draw into an integer from 0 to limit - 1; limit is below 2**31."""
    return (((bits >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32)).astype(np.int64)


def pick(bits: npt.NDArray[np.uint64], weights: list[int]) -> Ints:
    """Picks an index with chances in proportion to integer weights."""
    edges = np.cumsum(np.array(weights, dtype=np.int64))
    return np.searchsorted(edges, below(bits, int(edges[-1])), side="right").astype(np.int64)
