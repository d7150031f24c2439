"""Market data, from events alone. The names of this package are those of `updates`."""

from solvent.feed.updates import *  # noqa: F403
