"""Where money is, and what an account must bear. Knows no order's life."""
