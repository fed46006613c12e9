"""Prompts written more fully: `/enhance`, `!enhance`, and the entry of the menu under a picture."""
