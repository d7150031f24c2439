"""Rule sets by name, one file a venue, each with its source and date. Decides nothing."""

from solvent.presets.okx_consistent import OKX_CONSISTENT
from solvent.presets.seed import SEED
from solvent.schema.codes import InputError, shown
from solvent.terms.rule_set import RuleSet

_KNOWN = {each.name: each for each in (SEED, OKX_CONSISTENT)}


def find(rules: str | RuleSet) -> RuleSet:
    """Returns a rule set by name ("seed", "okx_consistent"), or the given RuleSet. Raises InputError for an unknown name.

    >>> find("seed").name
    'seed'
    """
    if isinstance(rules, RuleSet):
        return rules
    if not isinstance(rules, str) or rules not in _KNOWN:
        raise InputError(f"unknown rule set {shown(rules)}; there are {', '.join(_KNOWN)}")
    return _KNOWN[rules]
