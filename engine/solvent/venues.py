"""Door: what venues publish, as instruments and tiers."""

from solvent.presets.published_tables import *  # noqa: F403
