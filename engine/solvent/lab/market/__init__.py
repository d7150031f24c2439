"""The demo: price paths, traders, makers, the run and its report."""
