"""Market data from events alone. Has the names of `updates`."""

from solvent.feed.updates import *  # noqa: F403
