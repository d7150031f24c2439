"""Rule sets by name, one file a venue, each with its source and date, and what the source leaves open. Decides nothing."""

from solvent.presets.binance import BINANCE
from solvent.presets.bitmex import BITMEX
from solvent.presets.bybit import BYBIT
from solvent.presets.htx import HTX
from solvent.presets.hyperliquid import HYPERLIQUID
from solvent.presets.okx import OKX
from solvent.presets.okx_consistent import OKX_CONSISTENT
from solvent.presets.seed import SEED
from solvent.schema.codes import InputError, shown
from solvent.terms.rule_set import RuleSet

KNOWN = {each.name: each for each in (SEED, OKX_CONSISTENT, OKX, BINANCE, BYBIT, BITMEX, HTX, HYPERLIQUID)}
LACKS = {
    "dydx": "a cap on what a block closes, the fillable price, and a seeded order of ADL",
    "kraken": "orders of the trader at zero equity, and an assignment to providers",
    "deribit": "small closings in the trader's name, and a clawback of the day's profits",
    "vega": "slices of a share of the book, and a loss shared by the winners",
    "drift": "a closing that grows with the shortage and the time, and a loss shared by a shift of funding",
    "lighter": "the zero price, and a pool that takes over",
    "dango": "ADL at once for what no order of the trader fills",
    "percolator": "a haircut of profits, and lazy indices",
}
"""Venues whose rules need policies that are not built, and which."""


def find(rules: str | RuleSet) -> RuleSet:
    """Returns a rule set by name, or the given RuleSet. Raises InputError for a name that is unknown or not built.

    >>> find("seed").name
    'seed'
    >>> find("bitmex").adl_rank
    'pnl_efflev'
    """
    if isinstance(rules, RuleSet):
        return rules
    if isinstance(rules, str) and rules in LACKS:
        raise InputError(f"rule set {rules!r} is not built: it needs {LACKS[rules]}; there are {', '.join(KNOWN)}")
    if not isinstance(rules, str) or rules not in KNOWN:
        raise InputError(f"unknown rule set {shown(rules)}; there are {', '.join(KNOWN)}")
    return KNOWN[rules]
