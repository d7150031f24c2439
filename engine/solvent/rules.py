"""Door: rule sets (terms.rule_set) and those that come with the package (presets.catalogue)."""

from solvent.presets.catalogue import find
from solvent.terms.rule_set import RuleSet

__all__ = ["RuleSet", "find"]
