"""Venues as data, with source and date: rule sets and published tables. No code path of its own."""
