"""The one draw from the system: where the table of client ids is stirred, so that nobody can choose ids that meet in it.

Owns nothing. No answer, event, digest or order of anything depends on it. It belongs into no place that traders see.
"""

from os import urandom

from solvent.terms.order_words import whole

SEED_MAX = 2**64 - 1


def drawn(seed: object) -> int:
    """A seed as it was given, or a new one for None."""
    return int.from_bytes(urandom(8), "little") if seed is None else whole(seed, "seed", 0, SEED_MAX)
