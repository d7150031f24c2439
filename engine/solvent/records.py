"""Door: the words, layouts, commands and events of records."""

from solvent.api.backend import Event, decode
from solvent.schema import commands, events, layouts, words
from solvent.schema.commands import *  # noqa: F403
from solvent.schema.events import *  # noqa: F403
from solvent.schema.layouts import *  # noqa: F403
from solvent.schema.words import *  # noqa: F403

__all__ = [*commands.__all__, *events.__all__, *layouts.__all__, *words.__all__, "Event", "decode"]  # noqa: PLE0604, F405
