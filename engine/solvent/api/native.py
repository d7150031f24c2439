"""The C face: the capsule with its functions, and where its header lies (docs/howto/c.md).

Owns nothing. Never drives an exchange itself.
"""

from pathlib import Path

from solvent.api.backend import c_functions

__all__ = ["functions", "include"]

functions = c_functions()
"""The capsule that `solvent_import` of solvent.h binds to."""


def include() -> str:
    """Returns the folder of solvent.h, for a compiler.

    >>> import solvent.native
    >>> "solvent.h" in [path.name for path in __import__("pathlib").Path(solvent.native.include()).iterdir()]
    True
    """
    return str(Path(__file__).parents[1].joinpath("include"))
