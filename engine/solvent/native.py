"""Door: what C and Cython bind to (docs/howto/c.md)."""

from solvent.api.native import *  # noqa: F403
