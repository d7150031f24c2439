"""An order's life and its fills, and what it must bear before each."""
