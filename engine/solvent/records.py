"""Door: the layouts, numbers and fields of commands and events."""

from solvent.api.backend import Event, decode
from solvent.schema import records
from solvent.schema.records import *  # noqa: F403

__all__ = [*records.__all__, "Event", "decode"]  # noqa: PLE0604, F405
