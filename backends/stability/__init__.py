"""Stability AI's REST API, v2beta."""
