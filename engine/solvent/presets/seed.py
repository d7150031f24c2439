"""The default rule set: the seed's text taken literally (semantics §2, 2026).

Isolated thresholds carry the liquidation fee in every tier. Cross thresholds carry it only in the takeover threshold of tiers
3 and up, as the seed prints it.
"""

from solvent.terms.rule_set import RuleSet

SEED = RuleSet(name="seed", source="the project's semantics §2", fee_cross_low=False, fee_cross_own=False)
