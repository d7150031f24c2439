"""The compiled floor `market`. Sources: ext/solvent/_core/market."""
