"""The seed's rule set with the fee in every threshold of both margin modes.

Provenance: every other OKX text found has the fee in both modes. These are help articles of 2019, their paraphrases, and the
unified account's ratio; see liquidation rules 1.2. Date: texts of 2019 to 2024.
"""

from solvent.terms.rule_set import RuleSet

OKX_CONSISTENT = RuleSet(
    name="okx_consistent", source="OKX help texts 2019-2024, consistent reading", fee_cross_low=True, fee_cross_own=True
)
