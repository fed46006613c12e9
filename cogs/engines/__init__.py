"""Engines in a chat: how they are, what they have, people's own."""
