"""The contract floor: value, margin rates and price models of one contract. Knows no account."""
