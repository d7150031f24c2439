"""Door: a recording played into a Book, and how many of its trades the Book makes by itself."""

from solvent.lab.recorded.replay import *  # noqa: F403
