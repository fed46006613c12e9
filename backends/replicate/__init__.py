"""Replicate's HTTP API, v1."""
