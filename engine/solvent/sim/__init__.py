"""The demo market: real price paths, makers, traders with habits, and what became of them (`solvent demo`)."""
