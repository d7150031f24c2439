"""What every floor above writes with: whole-number division, the event log. Knows no order."""
