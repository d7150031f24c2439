"""Many small markets in one process: a compiled crowd, agents of a user's own."""
