"""The market floor: the book, its orders and triggers. Knows no money."""
