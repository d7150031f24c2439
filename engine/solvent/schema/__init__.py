"""The schema of questions, answers and records: commands, events, codes, columns, limits. Imports nothing of the package."""
