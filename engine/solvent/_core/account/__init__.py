"""The compiled floor `account`. Sources: ext/solvent/_core/account."""
