"""Door: result codes, hints and the exceptions of the package."""

from solvent.schema.codes import *  # noqa: F403
