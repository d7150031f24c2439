"""The compiled floor `base`. Sources: ext/solvent/_core/base."""
