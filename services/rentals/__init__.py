"""Engines on machines that cost money by the hour: found, started, stopped, reckoned."""
