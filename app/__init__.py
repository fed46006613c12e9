"""Builds Easel from its settings, and starts what was asked for: the one room that knows every other."""
