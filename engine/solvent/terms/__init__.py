"""The terms of a venue: immutable and validated, decimals in, integers out. Holds no state, knows no kernel."""
