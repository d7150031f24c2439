"""The one draw from the system: a seed that stirs the table of client ids, so that nobody can choose ids that collide.

Owns nothing. No answer, event, digest or order depends on it. Traders must not see it.
"""

from os import urandom

from solvent.terms.order_words import int_within

SEED_MAX = 2**64 - 1


def drawn(seed: object) -> int:
    """Returns the given seed, or a new one for None."""
    return int.from_bytes(urandom(8), "little") if seed is None else int_within(seed, "seed", 0, SEED_MAX)
