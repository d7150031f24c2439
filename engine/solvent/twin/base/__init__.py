"""The base floor: whole-number division and the event log. Knows no order."""
