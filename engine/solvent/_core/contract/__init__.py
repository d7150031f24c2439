"""The compiled floor `contract`. Sources: ext/solvent/_core/contract."""
