"""Proofs of the money floor over all inputs: the text of the core becomes a model, and a solver looks for an exception."""
