"""Worlds that use an exchange: a simulated market, recorded order flow."""
