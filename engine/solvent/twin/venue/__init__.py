"""Commands of owners and of the operator, marks, funding, listings."""
