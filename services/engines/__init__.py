"""Engines as people see them: connected, listed, watched, asked what a picture shows."""
