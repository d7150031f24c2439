"""A venue on loopback that unmodified clients trade on. Has the names of `door`."""

from solvent.gateway.door import *  # noqa: F403
