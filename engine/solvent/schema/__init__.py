"""The schema of questions, answers and records: commands, events, codes, columns, limits. Imports nothing else of the package."""
