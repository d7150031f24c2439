"""A venue's recorded orders, read and played into a Book."""
