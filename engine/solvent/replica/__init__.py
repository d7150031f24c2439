"""The replicated log: one writer and its standbys on a broker that others run."""
