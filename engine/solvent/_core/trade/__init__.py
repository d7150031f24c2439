"""The compiled floor `trade`. Sources: ext/solvent/_core/trade."""
