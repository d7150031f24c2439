"""All money computed again from events alone. Shares no formula with a kernel."""
