"""What a venue is made of: immutable and validated, decimals in, integers out. Holds no state, knows no kernel."""
