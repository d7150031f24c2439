"""Door: the replicated log on NATS JetStream, and hot standbys that read it (docs/howto/replicate.md)."""

from solvent.replica.jetstream import JetStream
from solvent.replica.standby import Follower

__all__ = ["Follower", "JetStream"]
