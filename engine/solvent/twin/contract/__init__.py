"""What one contract is worth, asks and is priced at. Knows no account."""
