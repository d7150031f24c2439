"""Durability: what an exchange was told, on a disk and in memory, and the way back to any moment of it."""
