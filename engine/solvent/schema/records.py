"""Everything about records by one name: their words, layouts, commands and events."""

from solvent.schema import commands, events, layouts, words
from solvent.schema.commands import *  # noqa: F403
from solvent.schema.events import *  # noqa: F403
from solvent.schema.events import Event  # noqa: F401
from solvent.schema.layouts import *  # noqa: F403
from solvent.schema.words import *  # noqa: F403

__all__ = [*commands.__all__, *events.__all__, *layouts.__all__, *words.__all__]  # noqa: PLE0604
