"""Door: order-by-order recordings of real venues, read into one neutral form."""

from solvent.lab.recorded.capture import *  # noqa: F403
