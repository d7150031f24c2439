"""The account floor: balances, postings, margin requirements and liquidation prices. Knows no order's life."""
