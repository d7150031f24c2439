"""What can be asked, answered and recorded: commands, events, codes, columns, limits. Imports nothing else of the package."""
