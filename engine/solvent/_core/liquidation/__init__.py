"""The compiled floor `liquidation`. Sources: ext/solvent/_core/liquidation."""
