"""Payloads of newer features of Discord, made here as plain JSON: nextcord 2.6 and 3.2 send them, but build none."""
