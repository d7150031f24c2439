"""Venues as data, with source and date: rule sets and published tables. Has no code path of its own."""
