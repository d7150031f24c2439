"""The compiled floor `venue`. Sources: ext/solvent/_core/venue."""
