"""Price and time: the book, its orders, triggers. Knows no money."""
