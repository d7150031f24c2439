"""Door: events, depth, accounts and positions as Arrow tables. Needs pyarrow (the extra `arrow`)."""

from solvent.feed.arrow import *  # noqa: F403
