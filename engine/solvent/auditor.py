"""Door: the third witness of money, from events alone."""

from solvent.witness.auditor import Auditor

__all__ = ["Auditor"]
